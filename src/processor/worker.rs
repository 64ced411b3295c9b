//! The worker of one lease: read, deliver, checkpoint; reads the next page while the handler has this one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::StartPosition;
use crate::cosmos::{CosmosError, EpkRange, FeedPage, FeedPosition, FeedScope, News, PhysicalRange};
use crate::lease::{Lease, LeaseStorage, UpdateError};

use super::context::Context;
use super::held::{Held, Intervals, Written};
use super::pace::{Backoff, Pace};
use super::{ChangeBatch, ChangeHandler, FeedSource, ProcessorEvent, split};

/// What a handler gets to finish its batch at a stop.
const FINISH: Duration = Duration::from_millis(700);
/// A handler that has a batch for so long is told of, and again each time.
const SLOW: Duration = Duration::from_secs(30);
/// What releasing gets at a stop; when Cosmos is away, the lease expires instead.
const RELEASE: Duration = Duration::from_millis(250);

/// How a worker ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By a stop; the lease is free (or left to expire).
    Stopped,
    /// The lease belongs to somebody else, or is gone.
    Lost,
    /// The lease was replaced by these, which are ours.
    Split(Vec<Lease>),
    /// The container is another one now; nothing can be read any more.
    Recreated(CosmosError),
}

enum Read {
    Stopped(FeedPosition),
    Split(Vec<PhysicalRange>, FeedPosition),
    Recreated(CosmosError),
}

enum Delivery {
    Done,
    /// A stop came first: the batch is not delivered.
    Abandoned,
}

pub(super) struct Worker<S, L, H> {
    context: Arc<Context<S, L, H>>,
    held: Held<L>,
    scope: FeedScope,
    range: EpkRange,
    start: FeedPosition,
    /// Position stored in the lease when we took it.
    stored: Option<String>,
    grace: Duration,
}

impl<S: FeedSource, L: LeaseStorage, H: ChangeHandler> Worker<S, L, H> {
    /// A worker for a lease that was just written with our name; `contested` if its owner before may not know.
    pub(super) fn new(
        context: Arc<Context<S, L, H>>,
        lease: Lease,
        range: EpkRange,
        contested: bool,
    ) -> Self {
        let stored = lease.position();
        let start = match (&stored, context.options.start) {
            (Some(etag), _) => FeedPosition::Continuation(etag.clone()),
            (None, _) if lease.starts_from_beginning() => FeedPosition::Beginning,
            (None, StartPosition::Beginning) => FeedPosition::Beginning,
            (None, StartPosition::Now) => FeedPosition::Now,
            (None, StartPosition::At(time)) => FeedPosition::After(time),
        };
        let grace = if contested { context.options.steal_grace } else { Duration::ZERO };
        context.board.add(lease.id(), &range, stored.clone());
        let scope = lease.scope();
        let held = Held::new(context.updater.clone(), lease);
        Self { context, held, scope, range, start, stored, grace }
    }

    /// Runs until the lease is lost, split, or a stop comes. Dropping it leaves the lease to expire.
    pub(super) async fn run(self) -> Ended {
        let delivered = watch::Sender::new(None);
        let ended = tokio::select! {
            read = self.read_and_deliver(&delivered) => Ok(read),
            lost = self.keep(delivered.subscribe()) => Err(lost),
        };
        let ended = match ended {
            Ok(Read::Stopped(position)) => self.release(&position).await,
            Ok(Read::Split(children, position)) => {
                let context = &self.context;
                match context.unless_stopped(split::replace(context, &self.held, &children, &position)).await
                {
                    Some(Ok(leases)) => Ended::Split(leases),
                    Some(Err(lost)) => self.lost(lost),
                    None => self.release(&position).await,
                }
            }
            Ok(Read::Recreated(error)) => Ended::Recreated(error),
            Err(lost) => self.lost(lost),
        };
        self.context.board.remove(&self.held.id);
        ended
    }

    fn lost(&self, error: UpdateError) -> Ended {
        let to = match error {
            UpdateError::Lost { to, .. } => to,
            UpdateError::Store(_) => None,
        };
        self.context.tell(ProcessorEvent::Lost { lease_id: self.held.id.clone(), to });
        Ended::Lost
    }

    async fn release(&self, position: &FeedPosition) -> Ended {
        let last = match position {
            FeedPosition::Continuation(etag) => Some(etag.as_str()),
            _ => None,
        };
        let released = tokio::time::timeout(RELEASE, self.held.release(last)).await;
        if matches!(released, Ok(Ok(()))) {
            self.context.tell(ProcessorEvent::Released { lease_id: self.held.id.clone() });
        }
        Ended::Stopped
    }

    async fn keep(&self, delivered: watch::Receiver<Option<String>>) -> UpdateError {
        let options = &self.context.options;
        let mut backoff = Backoff::default();
        let hear = |written: Written<'_>| match written {
            Written::Failed(error) => {
                let retry_in = backoff.next(match error {
                    UpdateError::Store(e) => e.retry_after(),
                    UpdateError::Lost { .. } => None,
                });
                let cause = format!("the lease could not be written: {error}");
                self.interrupted(&cause, "tried again by itself", retry_in);
                retry_in
            }
            Written::Done(position) => {
                if backoff.attempts > 0 {
                    backoff.reset();
                    self.resumed();
                }
                if let Some(position) = position {
                    self.context.board.worker(&self.held.id, |w| w.checkpointed = Some(position.to_owned()));
                }
                Duration::ZERO
            }
        };
        let intervals = Intervals {
            renew: options.renew_interval,
            checkpoint: options.checkpoint_interval,
            expiration: options.expiration_interval,
        };
        self.held.keep(delivered, intervals, hear).await
    }

    async fn read_and_deliver(&self, delivered: &watch::Sender<Option<String>>) -> Read {
        let context = &*self.context;
        let mut position = self.start.clone();
        let mut pace = Pace::new(context.options.poll_floor, context.options.poll_interval);
        let mut backoff = Backoff::default();
        let mut ahead = None;
        let mut told_caught_up = false;
        let mut news = context.source.news();
        if context.unless_stopped(tokio::time::sleep(self.grace)).await.is_none() {
            return Read::Stopped(position);
        }
        loop {
            if context.unless_stopped(self.while_paused()).await.is_none() {
                return Read::Stopped(position);
            }
            let read = if let Some(read) = ahead.take() {
                read
            } else {
                news.as_mut().map(News::forget);
                match context.unless_stopped(self.read(&position)).await {
                    Some(read) => read,
                    None => return Read::Stopped(position),
                }
            };
            let page = match read {
                Ok(page) => page,
                Err(CosmosError::Split(children)) => return Read::Split(children, position),
                Err(error @ CosmosError::Recreated(_)) => return Read::Recreated(error),
                Err(error) => {
                    let wait = backoff.next(error.retry_after());
                    self.interrupted(&error.cause(), &error.remedy(), wait);
                    if context.unless_stopped(tokio::time::sleep(wait)).await.is_none() {
                        return Read::Stopped(position);
                    }
                    continue;
                }
            };
            if backoff.attempts > 0 {
                backoff.reset();
                // What came meanwhile is told as late until it is caught up with.
                told_caught_up = false;
                self.resumed();
            }
            if page.is_empty() {
                if let Some(etag) = &page.etag {
                    if !matches!(position, FeedPosition::Continuation(_)) && self.stored.is_none() {
                        // Anchored at once, so that neither a restart nor a split begins at another "now".
                        self.passed(delivered, etag, 0);
                    }
                    position = FeedPosition::Continuation(etag.clone());
                }
                context.board.worker(&self.held.id, |w| w.at_end = true);
                if !told_caught_up {
                    told_caught_up = true;
                    context.tell(ProcessorEvent::CaughtUp { lease_id: self.held.id.clone() });
                }
                if context.unless_stopped(self.idle(pace.wait(), news.as_mut())).await.is_none() {
                    return Read::Stopped(position);
                }
                continue;
            }
            pace.changed();
            told_caught_up = false;
            let Some(etag) = page.etag.clone() else {
                let wait = backoff.next(None);
                self.interrupted("a page came without its position (etag)", "tried again by itself", wait);
                if context.unless_stopped(tokio::time::sleep(wait)).await.is_none() {
                    return Read::Stopped(position);
                }
                continue;
            };
            let after = FeedPosition::Continuation(etag.clone());
            if context.options.checkpoint_before_delivery {
                delivered.send_replace(Some(etag.clone()));
            }
            let (delivery, next) =
                tokio::join!(self.deliver(&page), context.unless_stopped(self.read(&after)));
            match delivery {
                Delivery::Abandoned => return Read::Stopped(position),
                Delivery::Done => self.passed(delivered, &etag, page.len() as u64),
            }
            position = after;
            ahead = next;
        }
    }

    async fn read(&self, position: &FeedPosition) -> Result<FeedPage, CosmosError> {
        self.context.source.feed_page(&self.scope, position, self.context.options.max_items).await
    }

    /// Everything up to `etag` is delivered.
    fn passed(&self, delivered: &watch::Sender<Option<String>>, etag: &str, documents: u64) {
        self.context.board.worker(&self.held.id, |w| {
            w.continuation = Some(etag.to_owned());
            w.at_end = false;
            w.delivered += documents;
        });
        delivered.send_replace(Some(etag.to_owned()));
    }

    /// Gives the batch to the handler until it succeeds.
    async fn deliver(&self, page: &FeedPage) -> Delivery {
        let context = &*self.context;
        let began = Instant::now();
        let mut backoff = Backoff::short();
        let mut troubled = false;
        loop {
            if !self.still_ours().await {
                return Delivery::Abandoned;
            }
            let handled = match page.documents() {
                Ok(documents) => {
                    let batch = ChangeBatch {
                        lease_id: self.held.id.clone(),
                        range: self.range.clone(),
                        page: page.clone(),
                        documents,
                    };
                    let too_late = async {
                        context.stop.cancelled().await;
                        tokio::time::sleep(FINISH).await;
                    };
                    let handling = context.handler.handle(batch);
                    tokio::pin!(too_late, handling);
                    loop {
                        tokio::select! {
                            biased;
                            handled = &mut handling => break handled.map_err(|e| e.to_string()),
                            () = &mut too_late => return Delivery::Abandoned,
                            () = tokio::time::sleep(SLOW) => {
                                troubled = true;
                                let seconds = began.elapsed().as_secs();
                                let cause = format!("the handler has had a batch for {seconds} s");
                                self.problem(&cause, "look at what it writes to; the lease is kept", SLOW);
                            }
                        }
                    }
                }
                Err(error) => Err(error.to_string()),
            };
            let Err(cause) = handled else {
                if troubled {
                    context.board.worker(&self.held.id, |w| w.problem = None);
                }
                context.tell(ProcessorEvent::BatchDelivered {
                    lease_id: self.held.id.clone(),
                    documents: page.len(),
                    took: began.elapsed(),
                });
                return Delivery::Done;
            };
            troubled = true;
            let retry_in = backoff.next(None);
            context.board.worker(&self.held.id, |w| w.problem = Some(cause.clone()));
            context.tell(ProcessorEvent::HandlerFailed {
                lease_id: self.held.id.clone(),
                cause,
                attempt: backoff.attempts,
                retry_in,
            });
            if context.unless_stopped(tokio::time::sleep(retry_in)).await.is_none() {
                return Delivery::Abandoned;
            }
        }
    }

    /// Before delivering, the lease must have been confirmed within half the time that a new owner waits before
    /// it delivers: so a batch of ours (if the handler is not slower than the other half) never lands after a
    /// newer one of theirs. While changes flow, checkpoints confirm it all the time.
    async fn still_ours(&self) -> bool {
        let options = &self.context.options;
        let fresh =
            (options.steal_grace / 2).max(options.checkpoint_interval * 2).min(options.expiration_interval);
        let mut backoff = Backoff::default();
        while self.held.is_older_than(fresh) {
            match self.held.renew().await {
                Ok(()) => break,
                // `keep` meets the same loss and ends the worker.
                Err(UpdateError::Lost { .. }) => return std::future::pending().await,
                Err(UpdateError::Store(e)) => {
                    let wait = backoff.next(e.retry_after());
                    if self.context.unless_stopped(tokio::time::sleep(wait)).await.is_none() {
                        return false;
                    }
                }
            }
        }
        true
    }

    async fn while_paused(&self) {
        let mut paused = self.context.paused.clone();
        // An error means that the handle is gone, and then a stop is near.
        let _ = paused.wait_for(|paused| !*paused).await;
    }

    /// Waits between two reads; a resume after a pause ends the wait, and so does news of a write where the
    /// source tells of them. It does not count then how long the range has been silent.
    async fn idle(&self, wait: Duration, news: Option<&mut News>) {
        let mut paused = self.context.paused.clone();
        paused.mark_unchanged();
        let (floor, longest) = (self.context.options.poll_floor, self.context.options.poll_interval);
        let waiting = async {
            match news {
                None => tokio::time::sleep(wait).await,
                Some(news) => {
                    tokio::time::sleep(floor).await;
                    news.next_within(longest).await;
                }
            }
        };
        tokio::select! {
            () = waiting => {}
            Ok(()) = paused.changed() => {}
        }
    }

    /// The other side does not answer.
    fn interrupted(&self, cause: &str, remedy: &str, retry_in: Duration) {
        self.context.board.worker(&self.held.id, |w| w.problem = Some(cause.to_owned()));
        self.context.tell(ProcessorEvent::Interrupted {
            lease_id: Some(self.held.id.clone()),
            cause: cause.to_owned(),
            remedy: remedy.to_owned(),
            retry_in,
        });
    }

    fn resumed(&self) {
        self.context.board.worker(&self.held.id, |w| w.problem = None);
        self.context.tell(ProcessorEvent::Resumed { lease_id: Some(self.held.id.clone()) });
    }

    fn problem(&self, cause: &str, remedy: &str, retry_in: Duration) {
        self.context.board.worker(&self.held.id, |w| w.problem = Some(cause.to_owned()));
        self.context.tell(ProcessorEvent::Problem {
            lease_id: Some(self.held.id.clone()),
            cause: cause.to_owned(),
            remedy: remedy.to_owned(),
            retry_in: Some(retry_in),
        });
    }
}
