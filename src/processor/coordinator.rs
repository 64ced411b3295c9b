//! One instance's rounds: list the leases, take its share, start and watch the workers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::cosmos::{CosmosError, EpkRange, PhysicalRange};
use crate::lease::{Lease, LeaseStorage, Share, UpdateError, balance};

use super::bootstrap::{bootstrap, check, create_missing, has_hole};
use super::context::Context;
use super::pace::Backoff;
use super::worker::{Ended, Worker};
use super::{AcquireReason, ChangeHandler, FeedSource, ProcessorEvent};

/// Until a lease whose worker panicked is taken up again.
const AFTER_PANIC: Duration = Duration::from_secs(1);

pub(super) struct Coordinator<S, L, H> {
    context: Arc<Context<S, L, H>>,
    workers: JoinSet<Ended>,
    /// Lease of each running worker.
    running: HashMap<Id, String>,
    /// The last round saw a part of the key space without lease; a listing is no snapshot, so only a second
    /// look counts.
    hole_seen: bool,
}

impl<S: FeedSource, L: LeaseStorage, H: ChangeHandler> Coordinator<S, L, H> {
    pub(super) fn new(context: Arc<Context<S, L, H>>) -> Self {
        Self { context, workers: JoinSet::new(), running: HashMap::new(), hole_seen: false }
    }

    /// Runs until a stop; then waits until all workers have released their leases.
    pub(super) async fn run(mut self) {
        let context = Arc::clone(&self.context);
        if context.unless_stopped(self.boot()).await.is_some() {
            let mut backoff = Backoff::default();
            let mut next = Instant::now();
            loop {
                tokio::select! {
                    biased;
                    () = context.stop.cancelled() => break,
                    Some(ended) = self.workers.join_next_with_id() => {
                        if let Some(soon) = self.ended(ended).await {
                            next = next.min(Instant::now() + soon);
                        }
                    }
                    () = tokio::time::sleep_until(next) => {
                        let wait = match context.unless_stopped(self.round()).await {
                            None => break,
                            Some(Ok(())) => {
                                self.resumed(&mut backoff);
                                context.board.update(|s| s.problem = None);
                                context.options.acquire_interval
                            }
                            Some(Err(error)) => self.failed(&error, &mut backoff),
                        };
                        next = Instant::now() + wait;
                    }
                }
            }
        }
        // The stop token has told the workers too.
        while self.workers.join_next().await.is_some() {}
    }

    fn failed(&self, error: &CosmosError, backoff: &mut Backoff) -> Duration {
        let retry_in = backoff.next(error.retry_after());
        self.context.board.update(|s| s.problem = Some(error.cause()));
        self.context.tell(ProcessorEvent::Interrupted {
            lease_id: None,
            cause: error.cause(),
            remedy: error.remedy(),
            retry_in,
        });
        retry_in
    }

    fn resumed(&self, backoff: &mut Backoff) {
        if backoff.attempts > 0 {
            backoff.reset();
            self.context.tell(ProcessorEvent::Resumed { lease_id: None });
        }
    }

    /// Tries until the leases exist.
    async fn boot(&mut self) {
        let mut backoff = Backoff::default();
        loop {
            match self.boot_once().await {
                Ok(()) => return self.resumed(&mut backoff),
                Err(error) => {
                    let wait = self.failed(&error, &mut backoff);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn boot_once(&mut self) -> Result<(), CosmosError> {
        let created = bootstrap(&self.context, false).await?.len();
        let leases = self.list().await?;
        self.context.board.update(|s| {
            s.started = true;
            s.total_leases = leases.len();
            s.problem = None;
        });
        self.context.tell(ProcessorEvent::Started { leases: leases.len(), created });
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Lease>, CosmosError> {
        let leases = self.context.updater.storage().list(&self.context.prefix).await?;
        check(self.context.prefix.as_str(), &leases).map_err(|e| CosmosError::BadRequest(e.to_string()))?;
        Ok(leases)
    }

    /// One round of balancing.
    async fn round(&mut self) -> Result<(), CosmosError> {
        let context = Arc::clone(&self.context);
        let mut leases = self.list().await?;
        if self.recover(&leases).await? {
            leases = self.list().await?;
        }
        context.board.update(|s| s.total_leases = leases.len());
        let ranges = context.source.feed_ranges(false).await?;
        let me = context.updater.instance().to_owned();
        let now = context.options.clock.now();
        let expiration = context.options.expiration_interval;
        let is_running = |id: &str| self.running.values().any(|running| running == id);

        let mut take: Vec<(Lease, AcquireReason)> = Vec::new();
        for lease in &leases {
            let named_like_us = lease.owner().is_some_and(|o| o.eq_ignore_ascii_case(&me));
            if named_like_us && !is_running(lease.id()) {
                take.push((lease.clone(), AcquireReason::Own));
            }
        }
        let why = |lease: &Lease| match lease.owner() {
            None => AcquireReason::Free,
            Some(_) if lease.is_expired(now, expiration) => AcquireReason::Expired,
            Some(_) => AcquireReason::Stolen,
        };
        let chosen = match balance(&leases, &me, now, expiration) {
            Share::Enough => Vec::new(),
            Share::Take(some) => some,
            Share::Steal(one) => vec![one],
        };
        for lease in chosen.into_iter().filter_map(|i| leases.get(i)) {
            let named_like_us = lease.owner().is_some_and(|o| o.eq_ignore_ascii_case(&me));
            if !named_like_us && !is_running(lease.id()) {
                take.push((lease.clone(), why(lease)));
            }
        }
        let acquired = take.into_iter().map(|(lease, reason)| acquire(&context, lease, reason));
        for (lease, reason) in futures::future::join_all(acquired).await.into_iter().flatten() {
            self.start(lease, &ranges, reason);
        }
        Ok(())
    }

    /// Makes leases again that somebody deleted. Tells whether it made some.
    async fn recover(&mut self, leases: &[Lease]) -> Result<bool, CosmosError> {
        let context = &self.context;
        let made = if leases.is_empty() {
            let mut made = bootstrap(context, true).await?;
            if made.is_empty() && self.hole_seen {
                made = create_missing(context, true).await?;
            }
            self.hole_seen = made.is_empty();
            made
        } else {
            let ranges = context.source.feed_ranges(false).await?;
            let hole = has_hole(&ranges, leases);
            let again = hole && self.hole_seen;
            self.hole_seen = hole;
            if again { create_missing(context, true).await? } else { Vec::new() }
        };
        let any = !made.is_empty();
        if any {
            context.tell(ProcessorEvent::Recovered { lease_ids: made });
        }
        Ok(any)
    }

    fn start(&mut self, mut lease: Lease, ranges: &[PhysicalRange], reason: AcquireReason) {
        if self.running.values().any(|id| id == lease.id()) {
            return;
        }
        if let Some(physical) = ranges.iter().find(|r| lease.range().is_none() && r.id == lease.token()) {
            lease.fill_range(&physical.range);
        }
        let by_id = || ranges.iter().find(|r| r.id == lease.token()).map(|r| r.range.clone());
        let range = lease.range().cloned().or_else(by_id).unwrap_or_else(EpkRange::full);
        let id = lease.id().to_owned();
        // A lease that was deleted and made again had an owner who may still be at work.
        let remade = lease.starts_from_beginning() && lease.continuation().is_none();
        let contested = remade || reason == AcquireReason::Stolen;
        let worker = Worker::new(Arc::clone(&self.context), lease, range, contested);
        let task = self.workers.spawn(worker.run());
        self.running.insert(task.id(), id);
    }

    /// A worker is through; gives when the next round should come, if sooner than planned.
    async fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) -> Option<Duration> {
        let task = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let lease_id = self.running.remove(&task).unwrap_or_default();
        match ended {
            Ok((_, Ended::Stopped | Ended::Lost)) => None,
            Ok((_, Ended::Split(leases))) => {
                let ranges = self.context.source.feed_ranges(false).await.unwrap_or_default();
                // The next listing is some time away: there are so many more from now on.
                let more = leases.len().saturating_sub(1);
                self.context.board.update(|s| s.total_leases += more);
                for lease in leases {
                    self.context.tell(ProcessorEvent::Acquired {
                        lease_id: lease.id().to_owned(),
                        reason: AcquireReason::Split,
                        from: None,
                    });
                    self.start(lease, &ranges, AcquireReason::Split);
                }
                None
            }
            Ok((_, Ended::Recreated(error))) => {
                self.context.board.update(|s| s.problem = Some(error.cause()));
                self.context.tell(ProcessorEvent::Problem {
                    lease_id: Some(lease_id),
                    cause: error.cause(),
                    remedy: error.remedy(),
                    retry_in: None,
                });
                None
            }
            Err(_) => {
                self.context.board.remove(&lease_id);
                self.context.tell(ProcessorEvent::WorkerPanicked { lease_id });
                Some(AFTER_PANIC)
            }
        }
    }
}

/// Writes our name; `None` if somebody was faster or the store did not do it (the next round tries again).
async fn acquire<S, L: LeaseStorage, H>(
    context: &Context<S, L, H>,
    mut lease: Lease,
    reason: AcquireReason,
) -> Option<(Lease, AcquireReason)> {
    let from = lease.owner().map(ToOwned::to_owned);
    match context.updater.acquire(&mut lease).await {
        Ok(()) => {
            context.tell(ProcessorEvent::Acquired { lease_id: lease.id().to_owned(), reason, from });
            Some((lease, reason))
        }
        Err(UpdateError::Lost { .. }) => None,
        Err(UpdateError::Store(error)) => {
            context.tell(ProcessorEvent::Problem {
                lease_id: Some(lease.id().to_owned()),
                cause: format!("could not be acquired: {error}"),
                remedy: error.remedy(),
                retry_in: Some(context.options.acquire_interval),
            });
            None
        }
    }
}
