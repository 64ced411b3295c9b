//! A target for the whole way, and how many probes keep it.

use std::time::Duration;

use super::summary::TargetFigures;

/// Counts probes within a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    limit: Duration,
    share: f64,
    within: u64,
    measured: u64,
}

impl Target {
    pub(super) fn new(limit: Duration, share: f64) -> Self {
        Self { limit, share, within: 0, measured: 0 }
    }

    pub(super) fn note(&mut self, whole: Duration) {
        self.measured += 1;
        self.within += u64::from(whole <= self.limit);
    }

    /// What is lost is missed.
    pub(super) fn figures(&self, lost: u64) -> TargetFigures {
        TargetFigures {
            millis: u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX),
            share: self.share,
            within: self.within,
            of: self.measured + lost,
        }
    }
}
