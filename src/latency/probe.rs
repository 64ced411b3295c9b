//! The probes of one document: which report belongs to which version, and what it lets us measure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{ProbeTiming, Stage};

/// Probes of one document that may be under way at once; older ones count as folded.
const MOST_OF_A_DOCUMENT: usize = 16;
/// Versions remembered that arrived before their acknowledgement.
const MOST_EARLY: usize = 8;

/// Where a version was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Our observer of the feed.
    Feed,
    /// A worker of our own processor: it has the change through its lease.
    Lease,
    Cache,
}

/// Times at which a version was seen.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    feed: Option<Instant>,
    lease: Option<Instant>,
    cache: Option<Instant>,
}

impl Seen {
    /// The first report wins.
    fn note(&mut self, place: Place, at: Instant) {
        match place {
            Place::Feed => self.feed.get_or_insert(at),
            Place::Lease => {
                // Whoever reads first shows that the feed has it.
                self.feed.get_or_insert(at);
                self.lease.get_or_insert(at)
            }
            Place::Cache => self.cache.get_or_insert(at),
        };
    }

    fn has(&self, place: Place) -> bool {
        match place {
            Place::Feed => self.feed.is_some(),
            Place::Lease => self.lease.is_some(),
            Place::Cache => self.cache.is_some(),
        }
    }
}

/// A version that we wrote.
#[derive(Debug)]
struct Probe {
    number: u64,
    /// When it was meant to be sent: the plan of a rate, else the same as `sent`.
    intended: Instant,
    sent: Instant,
    /// When, and the version's etag.
    acknowledged: Option<(Instant, Box<str>)>,
    seen: Seen,
    /// A version came after it that is none of ours: this one may never come.
    overtaken: bool,
    /// By `Stage::ALL`.
    measured: [bool; Stage::ALL.len()],
}

impl Probe {
    fn etag(&self) -> Option<&str> {
        self.acknowledged.as_ref().map(|(_, etag)| &**etag)
    }

    fn is_complete(&self) -> bool {
        self.acknowledged.is_some() && self.seen.feed.is_some() && self.seen.cache.is_some()
    }

    fn known(&self, stage: Stage) -> Option<Duration> {
        let acknowledged = self.acknowledged.as_ref().map(|(at, _)| *at);
        let (from, to) = match stage {
            Stage::Write => (Some(self.sent), acknowledged),
            Stage::Feed => (acknowledged, self.seen.feed),
            Stage::Lease => (self.seen.feed, self.seen.lease),
            Stage::Cache => (self.seen.lease.or(self.seen.feed), self.seen.cache),
            Stage::Total => (acknowledged, self.seen.cache),
            Stage::Whole => (Some(self.intended), acknowledged.and(self.seen.cache)),
        };
        // Reports cross each other on their way to us: what would be negative is nothing.
        Some(to?.saturating_duration_since(from?))
    }

    /// The stages that can be measured since the last time of asking.
    fn measure(&mut self) -> Vec<(Stage, Duration)> {
        let mut new = Vec::new();
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            if let (false, Some(length)) = (self.measured[index], self.known(stage)) {
                self.measured[index] = true;
                new.push((stage, length));
            }
        }
        new
    }

    fn timing(&self) -> ProbeTiming {
        let millis = |stage| self.known(stage).map(|length| length.as_secs_f64() * 1_000.0);
        ProbeTiming {
            write: millis(Stage::Write),
            feed: millis(Stage::Feed),
            lease: millis(Stage::Lease),
            cache: millis(Stage::Cache),
        }
    }
}

/// A probe that went all the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closed {
    pub(super) whole: Duration,
    /// Between the intended and the real start.
    pub(super) waited: Duration,
    pub(super) timing: ProbeTiming,
}

/// What a report changed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Lengths that are known now.
    pub(super) measured: Vec<(Stage, Duration)>,
    /// Number and timing of the probe that the report was about.
    pub(super) timing: Option<(u64, ProbeTiming)>,
    /// Probes closed because a later version came instead.
    pub(super) folded: usize,
    /// Probes closed because nothing came in time.
    pub(super) lost: usize,
    /// Probes closed in good order.
    pub(super) complete: usize,
    /// The probe that has gone all the way with this report.
    pub(super) arrived: Option<Closed>,
}

impl Outcome {
    /// All probes closed.
    pub(super) fn closed(&self) -> usize {
        self.folded + self.lost + self.complete
    }
}

/// The open probes of one document, oldest first.
#[derive(Debug, Default)]
pub(super) struct Probes {
    open: VecDeque<Probe>,
    early: VecDeque<(Box<str>, Seen)>,
}

impl Probes {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// When the newest of them was sent.
    pub(super) fn newest_sent(&self) -> Option<Instant> {
        self.open.back().map(|probe| probe.sent)
    }

    pub(super) fn sent(&mut self, number: u64, intended: Instant, at: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        if self.open.len() == MOST_OF_A_DOCUMENT {
            self.open.pop_front();
            outcome.folded = 1;
        }
        self.open.push_back(Probe {
            number,
            intended: intended.min(at),
            sent: at,
            acknowledged: None,
            seen: Seen::default(),
            overtaken: false,
            measured: [false; Stage::ALL.len()],
        });
        outcome.timing = Some((number, ProbeTiming::default()));
        outcome
    }

    /// The oldest write without an answer was answered.
    pub(super) fn acknowledged(&mut self, etag: &str, at: Instant) -> Outcome {
        let Some(index) = self.open.iter().position(|probe| probe.acknowledged.is_none()) else {
            return Outcome::default();
        };
        self.open[index].acknowledged = Some((at, etag.into()));
        if let Some(early) = self.early.iter().position(|(known, _)| &**known == etag)
            && let Some((_, seen)) = self.early.remove(early)
        {
            self.open[index].seen = seen;
        }
        self.settle(index)
    }

    /// The oldest write without an answer failed.
    pub(super) fn refused(&mut self) -> Outcome {
        let index = self.open.iter().position(|probe| probe.acknowledged.is_none());
        let complete = usize::from(index.and_then(|index| self.open.remove(index)).is_some());
        Outcome { complete, ..Outcome::default() }
    }

    /// A version was seen; `old` = it is known as one of ours that is closed already.
    pub(super) fn seen(&mut self, place: Place, etag: &str, at: Instant, old: bool) -> Outcome {
        if let Some(index) = self.open.iter().position(|probe| probe.etag() == Some(etag)) {
            self.open[index].seen.note(place, at);
            return self.settle(index);
        }
        if old {
            return Outcome::default();
        }
        for probe in &mut self.open {
            probe.overtaken |= probe.acknowledged.is_some() && !probe.seen.has(place);
        }
        if self.open.iter().any(|probe| probe.acknowledged.is_none()) {
            if let Some((_, seen)) = self.early.iter_mut().find(|(known, _)| &**known == etag) {
                seen.note(place, at);
            } else {
                if self.early.len() == MOST_EARLY {
                    self.early.pop_front();
                }
                let mut seen = Seen::default();
                seen.note(place, at);
                self.early.push_back((etag.into(), seen));
            }
        }
        Outcome::default()
    }

    /// Measures a probe, folds those that it overtook, closes it when it is through.
    fn settle(&mut self, index: usize) -> Outcome {
        let probe = &mut self.open[index];
        let mut outcome = Outcome { measured: probe.measure(), ..Outcome::default() };
        outcome.timing = Some((probe.number, probe.timing()));
        if let Some((_, whole)) = outcome.measured.iter().find(|(stage, _)| *stage == Stage::Whole) {
            let waited = probe.sent.saturating_duration_since(probe.intended);
            outcome.arrived = Some(Closed { whole: *whole, waited, timing: probe.timing() });
        }
        let (seen, complete) = (probe.seen, probe.is_complete());
        let (number, before) = (probe.number, self.open.len());
        // A lease that is not ours reports nothing: only feed and cache tell what was overtaken.
        let overtaken = |place, probe: &Probe| seen.has(place) && !probe.seen.has(place);
        self.open.retain(|probe| {
            probe.number >= number
                || probe.acknowledged.is_none()
                || !(overtaken(Place::Feed, probe) || overtaken(Place::Cache, probe))
        });
        outcome.folded = before - self.open.len();
        if complete {
            self.open.retain(|probe| probe.number != number);
            outcome.complete = 1;
        }
        outcome
    }

    /// Gives up what was sent before this moment.
    pub(super) fn expire(&mut self, before: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        self.open.retain(|probe| {
            if probe.sent >= before {
                return true;
            }
            if probe.seen.cache.is_some() {
                // It got there; only the feed observer missed it.
                outcome.complete += 1;
            } else if probe.overtaken {
                outcome.folded += 1;
            } else {
                outcome.lost += 1;
            }
            false
        });
        outcome
    }
}
