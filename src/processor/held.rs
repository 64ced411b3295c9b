//! A lease that is ours, and the task part that keeps it so: heartbeats, and positions as they come.

use std::sync::Mutex as StdMutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until};

use crate::lease::{Lease, LeaseStorage, LeaseUpdater, UpdateError};

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
    /// not before `pause` has passed: what comes meanwhile is folded into one write. `failed` hears of other
    /// failures and says how long to wait; `stored` of each stored position.
    pub(super) async fn keep(
        &self,
        mut delivered: watch::Receiver<Option<String>>,
        renew_interval: Duration,
        pause: Duration,
        expiration: Duration,
        mut failed: impl FnMut(&UpdateError) -> Duration,
        mut stored: impl FnMut(&str),
    ) -> UpdateError {
        let mut next_renewal = Instant::now() + renew_interval / 2;
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
                    if let Some(position) = waiting.take() {
                        stored(&position);
                    }
                    next_renewal = began + renew_interval;
                    next_write = began + pause;
                }
                Err(lost @ UpdateError::Lost { .. }) => return lost,
                Err(_) if self.is_older_than(expiration) => {
                    // Others take it for dead by now; what the handler has in hand must not land after theirs.
                    return UpdateError::Lost { id: self.id.clone(), to: None };
                }
                Err(error) => {
                    let again = Instant::now() + failed(&error);
                    next_renewal = again;
                    next_write = again;
                }
            }
        }
    }
}
