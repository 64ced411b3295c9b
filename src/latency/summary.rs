//! What the measurements come to: plain figures in milliseconds, for any face to show.

use jiff::Timestamp;

use super::heat::HeatMap;
use crate::wording::share;

/// Stages of a probe's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Write sent → acknowledged by Cosmos.
    Write,
    /// Acknowledged → seen in the feed.
    Feed,
    /// Seen in the feed → delivered to a worker of our own processor, through its lease.
    Lease,
    /// Delivered (or seen in the feed, where the processor is not ours) → in the cache.
    Cache,
    /// Acknowledged → in the cache.
    Total,
    /// Meant to be written → in the cache. For writes of a rate this counts from the moment that the
    /// rate intended, also when the source was not ready for it then: a stall is not left out of the
    /// figures only because nothing was sent during it (coordinated omission).
    Whole,
}

impl Stage {
    /// In the order of the way.
    pub const ALL: [Self; 6] = [Self::Write, Self::Feed, Self::Lease, Self::Cache, Self::Total, Self::Whole];

    /// Its name in tables and files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Feed => "feed",
            Self::Lease => "lease",
            Self::Cache => "cache",
            Self::Total => "total",
            Self::Whole => "whole",
        }
    }

    /// From where to where, in words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Write => "sent → acknowledged by Cosmos",
            Self::Feed => "acknowledged → readable in the change feed",
            Self::Lease => "in the feed → delivered to a worker of our own sync",
            Self::Cache => "delivered → in the cache",
            Self::Total => "acknowledged → in the cache",
            Self::Whole => "meant to be written → in the cache",
        }
    }
}

/// Latency figures of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageSummary {
    /// Which.
    pub stage: Stage,
    /// Probes measured.
    pub count: u64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p95: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Milliseconds.
    pub max: f64,
    /// Median of each of the last seconds in milliseconds, oldest first; `None` = no probe.
    pub recent: Vec<Option<f64>>,
}

/// Latency figures of all stages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LatencySnapshot {
    /// In the order of [`Stage::ALL`]; empty before the first probe.
    pub stages: Vec<StageSummary>,
    /// How many took how long ([`Stage::Whole`]) in each of the last seconds.
    pub heat: HeatMap,
    /// The slowest ways so far, slowest first.
    pub slowest: Vec<SlowProbe>,
    /// How the target is met, where there is one.
    pub target: Option<TargetFigures>,
    /// Probes under way.
    pub open: u64,
    /// Probes whose version never came (a later one was delivered instead).
    pub folded: u64,
    /// Probes given up after the time limit.
    pub lost: u64,
}

/// Milliseconds of a probe's stages; `None` = not reached yet.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProbeTiming {
    /// Sent → acknowledged.
    pub write: Option<f64>,
    /// Acknowledged → in the feed.
    pub feed: Option<f64>,
    /// In the feed → delivered to our own processor.
    pub lease: Option<f64>,
    /// Delivered → in the cache.
    pub cache: Option<f64>,
}

impl LatencySnapshot {
    /// The figures of a stage that has some.
    pub fn stage(&self, stage: Stage) -> Option<&StageSummary> {
        self.stages.iter().find(|summary| summary.stage == stage && summary.count > 0)
    }
}

/// One of the slowest ways.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowProbe {
    /// The document's id.
    pub id: String,
    /// When it was in the cache.
    pub at: Timestamp,
    /// Milliseconds of [`Stage::Whole`].
    pub whole: f64,
    /// Milliseconds between the intended and the real start.
    pub waited: f64,
    /// Its stages.
    pub timing: ProbeTiming,
}

/// How a target for [`Stage::Whole`] is met. Probes that were lost count as missed; folded ones, whose
/// version a later one replaced, do not count.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TargetFigures {
    /// Milliseconds.
    pub millis: u64,
    /// Share that has to be within, e.g. 0.99.
    pub share: f64,
    /// Probes within it.
    pub within: u64,
    /// Probes that count.
    pub of: u64,
}

impl TargetFigures {
    /// The share of probes within the target; `None` before the first.
    pub fn reached(&self) -> Option<f64> {
        (self.of > 0).then(|| self.within as f64 / self.of as f64)
    }

    /// The same in percent, with as many digits as tell it from the share that has to be within.
    pub fn reached_percent(&self) -> Option<String> {
        let wanted = self.wanted();
        let digits = wanted.split_once('.').map_or(0, |(_, digits)| digits.trim_end_matches('%').len());
        (self.of > 0).then(|| share(self.within, self.of, digits.max(1)))
    }

    /// The share that has to be within, in percent: `99.9%`.
    pub fn wanted(&self) -> String {
        format!("{}%", (self.share * 1e6).round() / 1e4)
    }

    /// Whether it is missed; not known before the first probe.
    pub fn is_missed(&self) -> bool {
        self.reached().is_some_and(|reached| reached < self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_is_told_from_what_was_wanted() {
        let reached = |share, within, of| {
            let figures = TargetFigures { millis: 25, share, within, of };
            (figures.reached_percent().unwrap_or_default(), figures.is_missed())
        };
        assert_eq!(reached(0.99, 99_999, 100_000), ("99.99900%".to_owned(), false));
        assert_eq!(reached(0.99, 9_899, 10_000), ("98.9%".to_owned(), true));
        assert_eq!(reached(0.8555, 8_556, 10_000), ("85.56%".to_owned(), false));
        assert_eq!(reached(0.99, 10, 10), ("100%".to_owned(), false));
        assert_eq!(reached(0.99, 0, 0), (String::new(), false));
    }
}
