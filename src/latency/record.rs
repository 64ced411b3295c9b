//! The measurements of one stage: a histogram of everything, and the median of each recent second.

use std::collections::VecDeque;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Stage, StageSummary};

/// Seconds kept for sparklines.
const SECONDS: usize = 120;
/// Samples kept of the second under way; a median of the first thousand is a median.
const SAMPLES: usize = 1_024;
/// Longest latency told apart, in microseconds; far beyond the time limit of probes.
const LONGEST_MICROS: u64 = 600_000_000;

pub(super) struct Record {
    histogram: Histogram<u64>,
    /// Medians of closed seconds in microseconds, oldest first.
    recent: VecDeque<Option<u64>>,
    second: u64,
    samples: Vec<u64>,
}

impl Record {
    #[expect(clippy::expect_used, reason = "constant bounds that every test passes")]
    pub(super) fn new() -> Self {
        Self {
            histogram: Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("good bounds"),
            recent: VecDeque::with_capacity(SECONDS),
            second: 0,
            samples: Vec::new(),
        }
    }

    /// Notes a latency that became known in this second since the start.
    pub(super) fn note(&mut self, latency: Duration, second: u64) {
        self.advance(second);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_MICROS).max(1);
        self.histogram.saturating_record(micros);
        if self.samples.len() < SAMPLES {
            self.samples.push(micros);
        }
    }

    /// Closes the seconds before this one.
    pub(super) fn advance(&mut self, second: u64) {
        let gap = second.saturating_sub(self.second);
        for _ in 0..gap.min(SECONDS as u64 + 1) {
            if self.recent.len() == SECONDS {
                self.recent.pop_front();
            }
            self.recent.push_back(median(&mut self.samples));
            self.samples.clear();
        }
        self.second = self.second.max(second);
    }

    pub(super) fn count(&self) -> u64 {
        self.histogram.len()
    }

    pub(super) fn histogram(&self) -> Histogram<u64> {
        self.histogram.clone()
    }

    pub(super) fn summary(&self, stage: Stage) -> StageSummary {
        let at = |quantile| millis(self.histogram.value_at_quantile(quantile));
        // The histogram rounds up within its precision; a quantile above the greatest value would puzzle.
        let max = millis(self.histogram.max());
        StageSummary {
            stage,
            count: self.histogram.len(),
            p50: at(0.50).min(max),
            p95: at(0.95).min(max),
            p99: at(0.99).min(max),
            max,
            recent: self.recent.iter().map(|micros| micros.map(millis)).collect(),
        }
    }
}

fn median(samples: &mut [u64]) -> Option<u64> {
    if samples.is_empty() {
        return None;
    }
    let middle = samples.len() / 2;
    Some(*samples.select_nth_unstable(middle).1)
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_their_median_and_gaps_are_empty() {
        let mut record = Record::new();
        for micros in [1_000, 9_000, 2_000] {
            record.note(Duration::from_micros(micros), 0);
        }
        record.note(Duration::from_millis(4), 2);
        record.advance(3);
        assert_eq!(record.summary(Stage::Feed).recent, [Some(2.0), None, Some(4.0)]);
        record.advance(1_000_000);
        let recent = record.summary(Stage::Feed).recent;
        assert!(recent.len() == SECONDS && recent.iter().all(Option::is_none));
        assert_eq!(record.count(), 4);
    }

    #[test]
    fn late_samples_count_in_the_second_under_way() {
        let mut record = Record::new();
        record.note(Duration::from_millis(1), 5);
        record.note(Duration::from_millis(1), 3);
        record.advance(6);
        assert_eq!(record.summary(Stage::Write).recent.last(), Some(&Some(1.0)));
        assert_eq!(record.summary(Stage::Write).count, 2);
    }
}
