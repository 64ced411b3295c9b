//! A rate as a plan of moments: each write has a time at which it is meant to begin, whether or not the
//! source was ready then. Latency is measured from that time (no coordinated omission).

use std::time::{Duration, Instant};

/// Most writes that are due at once: what is more waits for the next beat.
pub(super) const BURST: usize = 256;
/// A source that is slower than the rate falls behind by this at most; what is more is given up, and counted.
const MOST_BEHIND: Duration = Duration::from_secs(5);

/// The moments of a rate.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    per_second: f64,
    next: Instant,
}

impl Pace {
    pub(super) fn new(per_second: f64, now: Instant) -> Self {
        Self { per_second, next: now }
    }

    /// Goes on from here: a pause is no delay.
    pub(super) fn restart(&mut self, now: Instant) {
        self.next = now;
    }

    /// The moments that have come, at most `most`; and how many were given up.
    pub(super) fn due(&mut self, now: Instant, most: usize) -> (Vec<Instant>, u64) {
        let mut due = Vec::new();
        if self.per_second <= 0.0 {
            return (due, 0);
        }
        let step = Duration::from_secs_f64((1.0 / self.per_second).min(86_400.0));
        while self.next <= now && due.len() < most.min(BURST) {
            due.push(self.next);
            self.next += step;
        }
        let behind = now.saturating_duration_since(self.next);
        let over = behind.saturating_sub(MOST_BEHIND);
        if over.is_zero() {
            return (due, 0);
        }
        let given_up = (over.as_secs_f64() * self.per_second).floor();
        self.next += over;
        (due, given_up as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_write_has_its_moment_even_after_a_stall() {
        let start = Instant::now();
        let mut pace = Pace::new(10.0, start);
        assert_eq!(pace.due(start, 99).0, [start]);
        assert!(pace.due(start + Duration::from_millis(50), 99).0.is_empty());
        let (due, given_up) = pace.due(start + Duration::from_secs(1), 99);
        assert_eq!((due.len(), given_up), (10, 0), "a stall of a second is caught up");
        assert_eq!(due[0], start + Duration::from_millis(100), "and measured from the intended times");
    }

    #[test]
    fn what_cannot_be_caught_up_is_given_up_and_counted() {
        let start = Instant::now();
        let mut pace = Pace::new(1_000.0, start);
        let (due, given_up) = pace.due(start + Duration::from_secs(20), usize::MAX);
        assert_eq!(due.len(), BURST);
        assert_eq!(given_up, 20_000 - 5_000 - BURST as u64);
        pace.restart(start + Duration::from_secs(60));
        assert_eq!(pace.due(start + Duration::from_secs(60), 99).0.len(), 1, "a pause is no stall");
    }
}
