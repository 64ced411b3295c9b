//! Takes the reports of the writer, the observers and the sync, from any task and in any order.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::probe::{Outcome, Place, Probes};
use super::record::Record;
use super::{LatencySnapshot, ProbeTiming, Stage};

/// Documents with open probes; the least recently written is given up for a new one.
const MOST_OPEN: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Documents whose last timing is kept for showing.
const MOST_TIMINGS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// How long a probe may take before it counts as lost.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Follows the documents that this tool wrote on their way into the cache.
///
/// Clones share one state. The lock is held for microseconds; tasks with many documents and no probes
/// ask [`LatencyTracker::has_open`] first and pay one atomic read.
#[derive(Clone)]
pub struct LatencyTracker {
    shared: Arc<Shared>,
}

struct Shared {
    open: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    /// By document id, in the order of their last write.
    probes: LruCache<String, Probes>,
    newest: LruCache<String, Newest>,
    records: [Record; 4],
    /// The first write: seconds are counted from here.
    start: Option<Instant>,
    next_number: u64,
    folded: u64,
    lost: u64,
}

/// The newest probe of a document.
struct Newest {
    number: u64,
    timing: ProbeTiming,
    /// The last version that came all the way: reports about it may still be repeated.
    closed: Option<Box<str>>,
}

impl LatencyTracker {
    /// Without probes.
    pub fn new() -> Self {
        let state = State {
            probes: LruCache::sparse(MOST_OPEN),
            newest: LruCache::sparse(MOST_TIMINGS),
            records: std::array::from_fn(|_| Record::new()),
            start: None,
            next_number: 0,
            folded: 0,
            lost: 0,
        };
        Self { shared: Arc::new(Shared { open: AtomicUsize::new(0), state: Mutex::new(state) }) }
    }

    /// Whether any probe is under way: cheap enough for every document of a page.
    pub fn has_open(&self) -> bool {
        self.shared.open.load(Ordering::Relaxed) > 0
    }

    /// A write of this document is on its way. Tell it before the request leaves.
    pub fn sent(&self, id: &str, at: Instant) {
        let mut state = self.state();
        state.start.get_or_insert(at);
        let number = state.next_number;
        state.next_number += 1;
        if !state.probes.contains(id)
            && let Some((_, evicted)) = state.probes.push(id.to_owned(), Probes::default())
        {
            state.lost += evicted.len() as u64;
            self.shared.open.fetch_sub(evicted.len(), Ordering::Relaxed);
        }
        let outcome = state.probes.get_mut(id).map(|probes| probes.sent(number, at)).unwrap_or_default();
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        self.account(&mut state, id, None, outcome, at);
    }

    /// Cosmos acknowledged the oldest unanswered write of this document, as this version.
    pub fn acknowledged(&self, id: &str, etag: &str, at: Instant) {
        self.report(id, Some(etag), at, |probes, _| probes.acknowledged(etag, at));
    }

    /// Cosmos refused it, or nobody answered: no probe after all.
    pub fn refused(&self, id: &str, at: Instant) {
        self.report(id, None, at, |probes, _| probes.refused());
    }

    /// The feed delivered this version of the document.
    pub fn seen_in_feed(&self, id: &str, etag: &str, at: Instant) {
        self.report(id, Some(etag), at, |probes, old| probes.seen(Place::Feed, etag, at, old));
    }

    /// The cache holds this version of the document.
    pub fn in_cache(&self, id: &str, etag: &str, at: Instant) {
        self.report(id, Some(etag), at, |probes, old| probes.seen(Place::Cache, etag, at, old));
    }

    /// Timing of the newest probe of a document, as far as it got.
    pub fn timing_of(&self, id: &str) -> Option<ProbeTiming> {
        self.state().newest.peek(id).map(|newest| newest.timing)
    }

    /// The figures at this moment. Gives up probes beyond the time limit; call it about every second.
    pub fn snapshot(&self, now: Instant) -> LatencySnapshot {
        let mut state = self.state();
        self.expire(&mut state, now);
        let second = state.second(now);
        let (folded, lost) = (state.folded, state.lost);
        let mut stages = Vec::new();
        if state.records.iter().any(|record| record.count() > 0) {
            for (stage, record) in Stage::ALL.into_iter().zip(&mut state.records) {
                record.advance(second);
                stages.push(record.summary(stage));
            }
        }
        let open = self.shared.open.load(Ordering::Relaxed) as u64;
        LatencySnapshot { stages, open, folded, lost }
    }

    fn report(
        &self,
        id: &str,
        etag: Option<&str>,
        at: Instant,
        act: impl FnOnce(&mut Probes, bool) -> Outcome,
    ) {
        if !self.has_open() {
            return;
        }
        let mut state = self.state();
        let old =
            etag.is_some() && state.newest.peek(id).is_some_and(|newest| newest.closed.as_deref() == etag);
        // `peek`: a report must not make the document look newly written.
        let Some(probes) = state.probes.peek_mut(id) else { return };
        let outcome = act(probes, old);
        if probes.len() == 0 {
            state.probes.pop(id);
        }
        self.account(&mut state, id, etag, outcome, at);
    }

    fn account(&self, state: &mut State, id: &str, etag: Option<&str>, outcome: Outcome, at: Instant) {
        self.shared.open.fetch_sub(outcome.closed(), Ordering::Relaxed);
        state.folded += outcome.folded as u64;
        state.lost += outcome.lost as u64;
        let second = state.second(at);
        for (stage, length) in outcome.measured {
            state.records[stage as usize].note(length, second);
        }
        let Some((number, timing)) = outcome.timing else { return };
        if !state.newest.contains(id) {
            state.newest.put(id.to_owned(), Newest { number, timing, closed: None });
        }
        let Some(newest) = state.newest.get_mut(id) else { return };
        if number >= newest.number {
            (newest.number, newest.timing) = (number, timing);
        }
        if outcome.complete > 0 {
            newest.closed = etag.map(Into::into);
        }
    }

    fn expire(&self, state: &mut State, now: Instant) {
        let Some(before) = now.checked_sub(TIME_LIMIT) else { return };
        while let Some((id, probes)) = state.probes.peek_lru() {
            if probes.newest_sent().is_some_and(|sent| sent >= before) {
                break;
            }
            let id = id.clone();
            if let Some(mut probes) = state.probes.pop(&id) {
                let outcome = probes.expire(before);
                self.account(state, &id, None, Outcome { timing: None, ..outcome }, now);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Figures for the screen: a panic elsewhere must not take them away.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LatencyTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for LatencyTracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LatencyTracker").field("open", &self.shared.open).finish_non_exhaustive()
    }
}

impl State {
    fn second(&self, at: Instant) -> u64 {
        self.start.map_or(0, |start| at.saturating_duration_since(start).as_secs())
    }
}
