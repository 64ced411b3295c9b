//! Events per second over the last seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back the rate looks.
const WINDOW: Duration = Duration::from_secs(3);

/// A running count read now and then, turned into a rate.
#[derive(Debug, Default)]
pub(super) struct Rate {
    readings: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Notes the count at a moment and gives the rate over the window, in units per second.
    pub(super) fn read(&mut self, now: Instant, count: u64) -> f64 {
        self.readings.push_back((now, count));
        while self.readings.len() > 2 && now.duration_since(self.readings[0].0) > WINDOW {
            self.readings.pop_front();
        }
        let (first, start) = self.readings[0];
        let seconds = now.duration_since(first).as_secs_f64();
        if seconds > 0.0 { count.saturating_sub(start) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_back_a_few_seconds() {
        let start = Instant::now();
        let mut rate = Rate::default();
        assert!(rate.read(start, 100) < f64::EPSILON);
        assert!((rate.read(start + Duration::from_secs(1), 150) - 50.0).abs() < 0.01);
        for second in 2..20 {
            rate.read(start + Duration::from_secs(second), 150);
        }
        assert!(rate.read(start + Duration::from_secs(20), 150) < 0.01);
    }
}
