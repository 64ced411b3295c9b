//! The slowest ways of a run.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::probe::Closed;
use super::summary::SlowProbe;

/// How many are kept.
const KEPT: usize = 10;

/// The slowest, slowest first.
#[derive(Debug, Default)]
pub(super) struct Slowest {
    kept: Vec<(Duration, Instant, String, Closed)>,
}

impl Slowest {
    /// Notes a way that is complete.
    pub(super) fn note(&mut self, id: &str, closed: Closed, at: Instant) {
        if self.kept.len() == KEPT && self.kept.last().is_some_and(|(least, ..)| *least >= closed.whole) {
            return;
        }
        let place = self.kept.partition_point(|(whole, ..)| *whole >= closed.whole);
        self.kept.insert(place, (closed.whole, at, id.to_owned(), closed));
        self.kept.truncate(KEPT);
    }

    pub(super) fn list(&self, now: Instant, wall: Timestamp) -> Vec<SlowProbe> {
        let row = |(whole, at, id, closed): &(Duration, Instant, String, Closed)| {
            let age = SignedDuration::try_from(now.saturating_duration_since(*at)).unwrap_or_default();
            SlowProbe {
                id: id.clone(),
                at: wall.saturating_sub(age).unwrap_or(wall),
                whole: whole.as_secs_f64() * 1e3,
                waited: closed.waited.as_secs_f64() * 1e3,
                timing: closed.timing,
            }
        };
        self.kept.iter().map(row).collect()
    }
}
