//! What the parts of one instance share.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::lease::{LeasePrefix, LeaseUpdater};

use super::status::Board;
use super::{ProcessorEvent, ProcessorOptions};

/// One instance's parts.
pub(super) struct Context<S, L, H> {
    pub(super) source: S,
    pub(super) updater: LeaseUpdater<L>,
    pub(super) prefix: LeasePrefix,
    pub(super) handler: Arc<H>,
    pub(super) options: ProcessorOptions,
    pub(super) events: mpsc::Sender<ProcessorEvent>,
    pub(super) board: Board,
    pub(super) paused: watch::Receiver<bool>,
    /// Finish what is under way, release, end.
    pub(super) stop: CancellationToken,
}

impl<S, L, H> Context<S, L, H> {
    /// Telemetry: never waits.
    pub(super) fn tell(&self, event: ProcessorEvent) {
        if event.is_problem() {
            tracing::warn!(target: "syncscope::processor", "{event}");
        } else {
            tracing::debug!(target: "syncscope::processor", "{event}");
        }
        if self.events.try_send(event).is_err() {
            self.board.update(|status| status.dropped_events += 1);
        }
    }

    /// Runs something unless a stop comes first.
    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            done = work => Some(done),
        }
    }
}
