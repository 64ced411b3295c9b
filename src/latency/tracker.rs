//! Takes the reports of the writer, the observers and the sync, from any task and in any order.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use lru::LruCache;

use super::export::LatencyExport;
use super::heat::{HeatMap, Policy};
use super::probe::{Outcome, Place, Probes};
use super::record::Record;
use super::slowest::Slowest;
use super::target::Target;
use super::{LatencySnapshot, ProbeTiming, Stage};

/// Documents with open probes; the least recently written is given up for a new one.
const MOST_OPEN: NonZeroUsize = NonZeroUsize::new(10_000).unwrap(); // a constant: it would fail when compiled
/// Documents whose last timing is kept for showing.
const MOST_TIMINGS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap(); // a constant: it would fail when compiled
/// Seconds of the heat map on the screen.
const RECENT_SECONDS: usize = 240;
/// Slots of the heat map of a whole run.
const RUN_SLOTS: usize = 240;
/// Versions of one document whose stages are remembered.
const MOST_VERSIONS: usize = 20;
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
    records: [Record; Stage::ALL.len()],
    /// The last seconds, for the screen.
    recent: HeatMap,
    /// The whole run, for reports.
    run: HeatMap,
    slowest: Slowest,
    target: Option<Target>,
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
    /// Versions that came all the way, oldest first.
    past: VecDeque<(Box<str>, ProbeTiming)>,
}

impl LatencyTracker {
    /// Without probes.
    pub fn new() -> Self {
        let state = State {
            probes: LruCache::sparse(MOST_OPEN),
            newest: LruCache::sparse(MOST_TIMINGS),
            records: std::array::from_fn(|_| Record::new()),
            recent: HeatMap::new(Policy::Newest, RECENT_SECONDS),
            run: HeatMap::new(Policy::Whole, RUN_SLOTS),
            slowest: Slowest::default(),
            target: None,
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

    /// Probes sent so far: where it stands still and none is open, the figures only age.
    pub fn sent_so_far(&self) -> u64 {
        self.state().next_number
    }

    /// Judges the whole way by this target from now on: `share` of the probes have to be within `limit`.
    #[must_use]
    pub fn with_target(self, limit: Duration, share: f64) -> Self {
        self.state().target = Some(Target::new(limit, share));
        self
    }

    /// A write of this document is on its way. Tell it before the request leaves. `intended` is when it was
    /// meant to leave: the moment that a rate planned, else now.
    pub fn sent(&self, id: &str, intended: Instant, at: Instant) {
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
        let outcome =
            state.probes.get_mut(id).map(|probes| probes.sent(number, intended, at)).unwrap_or_default();
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

    /// A worker of our own processor got this version through its lease.
    pub fn delivered(&self, id: &str, etag: &str, at: Instant) {
        self.report(id, Some(etag), at, |probes, old| probes.seen(Place::Lease, etag, at, old));
    }

    /// The cache holds this version of the document.
    pub fn in_cache(&self, id: &str, etag: &str, at: Instant) {
        self.report(id, Some(etag), at, |probes, old| probes.seen(Place::Cache, etag, at, old));
    }

    /// Timing of the newest probe of a document, as far as it got.
    pub fn timing_of(&self, id: &str) -> Option<ProbeTiming> {
        self.state().newest.peek(id).map(|newest| newest.timing)
    }

    /// Versions of a document that came all the way (`_etag`), oldest first, with the stages of each.
    pub fn timings_of(&self, id: &str) -> Vec<(String, ProbeTiming)> {
        let state = self.state();
        let past = state.newest.peek(id).map(|newest| &newest.past);
        past.into_iter().flatten().map(|(etag, timing)| (etag.to_string(), *timing)).collect()
    }

    /// The figures at this moment, which the wall clock calls `wall`. Gives up probes beyond the time
    /// limit; call it about every second.
    pub fn snapshot(&self, now: Instant, wall: Timestamp) -> LatencySnapshot {
        let mut state = self.state();
        self.expire(&mut state, now);
        let second = state.second(now);
        let mut stages = Vec::new();
        if state.records.iter().any(|record| record.count() > 0) {
            for (stage, record) in Stage::ALL.into_iter().zip(&mut state.records) {
                record.advance(second);
                stages.push(record.summary(stage));
            }
            state.recent.advance(second);
        }
        LatencySnapshot {
            stages,
            heat: state.recent.clone(),
            slowest: state.slowest.list(now, wall),
            target: state.target.map(|target| target.figures(state.lost)),
            open: self.shared.open.load(Ordering::Relaxed) as u64,
            folded: state.folded,
            lost: state.lost,
        }
    }

    /// Everything that was measured in this run, for a report.
    pub fn export(&self, now: Instant, wall: Timestamp) -> LatencyExport {
        let snapshot = self.snapshot(now, wall);
        let mut state = self.state();
        let second = state.second(now);
        if state.start.is_some() {
            state.run.advance(second);
        }
        let ran = state.start.map_or(Duration::ZERO, |start| now.saturating_duration_since(start));
        LatencyExport {
            begun: wall.saturating_sub(SignedDuration::try_from(ran).unwrap_or_default()).unwrap_or(wall),
            ran,
            made: wall,
            histograms: state.records.iter().map(Record::histogram).collect(),
            run: state.run.clone(),
            snapshot,
            about: Vec::new(),
        }
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
        if let Some(closed) = outcome.arrived {
            let micros = u64::try_from(closed.whole.as_micros()).unwrap_or(u64::MAX);
            state.recent.note(micros, second);
            state.run.note(micros, second);
            state.slowest.note(id, closed, at);
            if let Some(target) = &mut state.target {
                target.note(closed.whole);
            }
        }
        let Some((number, timing)) = outcome.timing else { return };
        if !state.newest.contains(id) {
            state.newest.put(id.to_owned(), Newest { number, timing, closed: None, past: VecDeque::new() });
        }
        let Some(newest) = state.newest.get_mut(id) else { return };
        if number >= newest.number {
            (newest.number, newest.timing) = (number, timing);
        }
        if outcome.complete > 0 {
            newest.closed = etag.map(Into::into);
            if let Some(etag) = etag {
                if newest.past.len() == MOST_VERSIONS {
                    newest.past.pop_front();
                }
                newest.past.push_back((etag.into(), timing));
            }
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
