//! Writes to the source: single documents, generated batches, rated inserts, scenarios, files, sample
//! traffic; and taking inserts back. Every write but the first filling is a probe whose way into the
//! cache is timed.

mod file;
mod job;
mod ledger;
mod pace;
mod request;
mod write;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::engine::Shared;
use crate::engine::source::{Reconnect, SourceReceiver};

pub(super) use request::Request;
use writer::Writer;

/// How often traffic looks at its rate: 50 writes/s are then single writes, not bursts.
const BEAT: Duration = Duration::from_millis(10);

/// Runs until cancelled.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut source: SourceReceiver,
    mut requests: mpsc::Receiver<Request>,
    reconnect: Reconnect,
    first_id_is_one: bool,
    cancel: CancellationToken,
) {
    let mut writer = Writer::new(Arc::clone(&shared), reconnect, first_id_is_one);
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tell = crate::beat::beat(Duration::from_millis(500));
    loop {
        let (due, eager) = (writer.is_due(), writer.is_eager());
        tokio::select! {
            () = cancel.cancelled() => return,
            request = requests.recv() => match request {
                None => return,
                Some(request) => tokio::select! {
                    () = cancel.cancelled() => return,
                    () = writer.serve(&mut source, request) => {}
                },
            },
            // What is not rated goes on at once; the choice among ready branches is random, so that
            // requests are heard meanwhile.
            () = std::future::ready(()), if eager => {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = writer.beat(&mut source) => {}
                }
            }
            _ = beat.tick(), if due => {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = writer.beat(&mut source) => {}
                }
            }
            _ = tell.tick() => writer.tell().await,
        }
    }
}
