//! What an outage of the source made late in the feed. Each range is read on from its own position, so that
//! nothing is missing; told once, when everything that came meanwhile is here.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::cosmos::EpkRange;
use crate::wording::counted;

/// Changes may come all the time: what is not caught up with so long after the return is not waited for.
const CATCH_UP: Duration = Duration::from_secs(10);

/// The outage that is under way, or what is still late after it.
#[derive(Debug, Default)]
pub(super) struct Late {
    since: Option<Instant>,
    /// When the source answered again.
    back: Option<Instant>,
    /// Ranges that were read to their end since.
    caught_up: HashSet<EpkRange>,
    changes: u64,
}

impl Late {
    /// The source does not answer.
    pub(super) fn failed(&mut self, now: Instant) {
        self.since.get_or_insert(now);
        self.back = None;
        self.caught_up.clear();
    }

    /// A page came.
    pub(super) fn read(&mut self, changes: u64, now: Instant) -> Option<String> {
        self.since?;
        let back = *self.back.get_or_insert(now);
        self.changes += changes;
        if now.duration_since(back) < CATCH_UP { None } else { self.end() }
    }

    /// One of so many ranges has nothing more to read.
    pub(super) fn at_end(&mut self, range: &EpkRange, ranges: usize, now: Instant) -> Option<String> {
        self.since?;
        self.back.get_or_insert(now);
        self.caught_up.insert(range.clone());
        if self.caught_up.len() < ranges { None } else { self.end() }
    }

    fn end(&mut self) -> Option<String> {
        let Self { since, back, changes, .. } = std::mem::take(self);
        let away = back?.duration_since(since?).as_secs_f64();
        let late = match changes {
            0 => "no change came meanwhile".to_owned(),
            n => format!("{} came late", counted(n, "change")),
        };
        Some(format!("read on where it stood after {away:.1} s without the source: {late}, nothing lost"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges() -> [EpkRange; 2] {
        [EpkRange::new("", "80"), EpkRange::new("80", "FF")]
    }

    #[test]
    fn an_outage_is_told_once_everything_that_came_meanwhile_is_here() {
        let [a, b] = ranges();
        let start = Instant::now();
        let at = |tenths: u64| start + Duration::from_millis(tenths * 100);
        let mut late = Late::default();
        assert_eq!(late.read(5, at(0)), None, "no outage");
        late.failed(at(10));
        late.failed(at(60));
        assert_eq!(late.at_end(&a, 2, at(70)), None);
        late.failed(at(90));
        assert_eq!(late.read(30, at(134)), None);
        assert_eq!(late.at_end(&a, 2, at(135)), None, "the other range is still to come");
        assert_eq!(late.read(7, at(136)), None);
        let told = late.at_end(&b, 2, at(137)).unwrap();
        assert_eq!(
            told,
            "read on where it stood after 12.4 s without the source: 37 changes came late, nothing lost"
        );
        assert_eq!(late.at_end(&a, 2, at(140)), None, "once");
    }

    #[test]
    fn changes_without_an_end_are_not_waited_for() {
        let start = Instant::now();
        let mut late = Late::default();
        late.failed(start);
        let mut told = None;
        for tenths in 10..=110 {
            told = told.or(late.read(1, start + Duration::from_millis(tenths * 100)));
        }
        let told = told.unwrap();
        assert!(told.contains("after 1.0 s") && told.contains("101 changes came late"), "{told}");
    }
}
