//! A lease that is ours, and the task part that keeps it so: heartbeats, and positions as they come.

use std::sync::Mutex as StdMutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until};

use crate::lease::{Lease, LeaseStorage, LeaseUpdater, UpdateError};

/// When a lease is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intervals {
    /// Between two heartbeats.
    pub(super) renew: Duration,
    /// Between two positions at least.
    pub(super) checkpoint: Duration,
    /// A lease without a heartbeat for so long is anybody's.
    pub(super) expiration: Duration,
}

/// What became of a write of the lease.
pub(super) enum Written<'a> {
    /// It is stored, with this position if one was due.
    Done(Option<&'a str>),
    Failed(&'a UpdateError),
}

/// One lease that this instance owns. All writes go through here, one at a time, so that we never meet our own
/// 412.
pub(super) struct Held<L> {
    pub(super) id: String,
    updater: LeaseUpdater<L>,
    lease: Mutex<Lease>,
    written: StdMutex<Timestamp>,
}

impl<L: LeaseStorage> Held<L> {
    /// A lease that has just been written with our name.
    pub(super) fn new(updater: LeaseUpdater<L>, lease: Lease) -> Self {
        let written = StdMutex::new(updater.clock().now());
        Self { id: lease.id().to_owned(), updater, lease: Mutex::new(lease), written }
    }

    pub(super) async fn lease(&self) -> Lease {
        self.lease.lock().await.clone()
    }

    pub(super) async fn renew(&self) -> Result<(), UpdateError> {
        let mut lease = self.lease.lock().await;
        self.updater.renew(&mut lease).await?;
        self.note();
        Ok(())
    }

    async fn checkpoint(&self, position: &str) -> Result<(), UpdateError> {
        let mut lease = self.lease.lock().await;
        self.updater.checkpoint(&mut lease, position).await?;
        self.note();
        Ok(())
    }

    /// Frees it, storing the position where it differs from the stored one.
    pub(super) async fn release(&self, position: Option<&str>) -> Result<(), UpdateError> {
        let mut lease = self.lease.lock().await;
        self.updater.release(&mut lease, position).await
    }

    /// The last write is older than this: others may have taken it meanwhile.
    pub(super) fn is_older_than(&self, interval: Duration) -> bool {
        let written = self.written.lock().map_or(Timestamp::UNIX_EPOCH, |w| *w);
        written.checked_add(interval).is_ok_and(|end| end < self.updater.clock().now())
    }

    fn note(&self) {
        if let Ok(mut written) = self.written.lock() {
            *written = self.updater.clock().now();
        }
    }

    /// Writes heartbeats and delivered positions until the lease is lost. A position is written at once, then
    /// not before the interval has passed: what comes meanwhile is folded into one write. `hear` hears of each
    /// write, and says of one that failed how long to wait.
    pub(super) async fn keep(
        &self,
        mut delivered: watch::Receiver<Option<String>>,
        intervals: Intervals,
        mut hear: impl FnMut(Written<'_>) -> Duration,
    ) -> UpdateError {
        let mut next_renewal = Instant::now() + intervals.renew / 2;
        let mut next_write = Instant::now();
        let mut waiting: Option<String> = None;
        loop {
            tokio::select! {
                changed = delivered.changed(), if waiting.is_none() => {
                    if changed.is_err() {
                        // The worker is about to end; it writes the last position itself.
                        return std::future::pending().await;
                    }
                    waiting.clone_from(&delivered.borrow_and_update());
                    continue;
                }
                () = sleep_until(next_write), if waiting.is_some() => {}
                () = sleep_until(next_renewal) => {}
            }
            if waiting.is_some() {
                // The newest counts, also when several came while we waited.
                waiting.clone_from(&delivered.borrow_and_update());
            }
            let began = Instant::now();
            let written = match &waiting {
                Some(position) => self.checkpoint(position).await,
                None => self.renew().await,
            };
            match written {
                Ok(()) => {
                    hear(Written::Done(waiting.take().as_deref()));
                    next_renewal = began + intervals.renew;
                    next_write = began + intervals.checkpoint;
                }
                Err(lost @ UpdateError::Lost { .. }) => return lost,
                Err(_) if self.is_older_than(intervals.expiration) => {
                    // Others take it for dead by now; what the handler has in hand must not land after theirs.
                    return UpdateError::Lost { id: self.id.clone(), to: None };
                }
                Err(error) => {
                    let again = Instant::now() + hear(Written::Failed(&error));
                    next_renewal = again;
                    next_write = again;
                }
            }
        }
    }
}
