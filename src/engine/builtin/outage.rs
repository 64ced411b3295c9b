//! What fails for every lease is told once, not for each lease and each of its attempts: at its start with the
//! cause, and at its end with how long it was, what came late and that nothing was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::engine::event::Level;
use crate::processor::ProcessorEvent;
use crate::wording::counted;

/// A cause that was not heard for so long is news again.
const QUIET: Duration = Duration::from_secs(30);
/// Causes remembered; servers can word each failure differently.
const CAUSES: usize = 8;
/// What is not caught up with so long after the return is not waited for any more: changes may come all the time.
const CATCH_UP: Duration = Duration::from_secs(10);

/// The outages that are under way.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Causes that were told, and when each was heard last.
    told: Vec<(String, Instant)>,
    /// Batches are refused: the cache is away.
    refused: Refused,
    /// Nothing is read: the source is away.
    unread: Unread,
}

/// Leases whose batches the cache does not take.
#[derive(Debug, Default)]
struct Refused {
    failing: BTreeSet<String>,
    /// All that were part of it.
    leases: usize,
    attempts: u64,
    since: Option<Instant>,
}

/// Leases that the source does not answer.
#[derive(Debug, Default)]
struct Unread {
    /// Those that were part of it, and where each is in it; without an id, the listing of leases.
    parts: BTreeMap<Option<String>, Part>,
    attempts: u64,
    since: Option<Instant>,
    /// When the last of them was answered again.
    back: Option<Instant>,
    /// Documents that came between the answer and the end of what was there.
    late: u64,
    leases: usize,
    lost: usize,
}

/// How far one lease is in an outage of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Away,
    /// Answered, and not yet at the end of what came meanwhile.
    Behind,
}

impl Outage {
    /// What an event is worth in the activity; `None` = nothing.
    pub(super) fn note(&mut self, event: &ProcessorEvent, now: Instant) -> Option<(Level, String)> {
        let end = self.unread.note(event, now);
        match event {
            ProcessorEvent::HandlerFailed { lease_id, cause, .. } => {
                let first = self.refused.fails(lease_id, now);
                let news = self.is_news(cause, now) || first;
                news.then(|| {
                    (Level::Warning, format!("not written: {cause}; every batch comes again by itself"))
                })
            }
            ProcessorEvent::Problem { cause, lease_id: Some(_), .. }
            | ProcessorEvent::Interrupted { cause, .. } => {
                self.is_news(cause, now).then(|| (Level::Warning, event.to_string()))
            }
            ProcessorEvent::BatchDelivered { lease_id, .. } => {
                self.refused.ends(lease_id, now).or(end).or_else(|| plain(event))
            }
            ProcessorEvent::Released { lease_id } | ProcessorEvent::Lost { lease_id, .. } => {
                self.refused.given_up(lease_id, now, end.or_else(|| plain(event)))
            }
            _ => end.or_else(|| plain(event)),
        }
    }

    /// A cause that was not told lately.
    fn is_news(&mut self, cause: &str, now: Instant) -> bool {
        self.told.retain(|(_, heard)| now.duration_since(*heard) < QUIET);
        if let Some((_, heard)) = self.told.iter_mut().find(|(told, _)| told == cause) {
            *heard = now;
            return false;
        }
        if self.told.len() >= CAUSES {
            self.told.remove(0);
        }
        self.told.push((cause.to_owned(), now));
        true
    }
}

impl Refused {
    /// Tells whether an outage begins with it.
    fn fails(&mut self, lease_id: &str, now: Instant) -> bool {
        let first = self.since.is_none();
        self.since.get_or_insert(now);
        if self.failing.insert(lease_id.to_owned()) {
            self.leases += 1;
        }
        self.attempts += 1;
        first
    }

    fn ends(&mut self, lease_id: &str, now: Instant) -> Option<(Level, String)> {
        if !self.failing.remove(lease_id) || !self.failing.is_empty() {
            return None;
        }
        Some((Level::Info, self.end(now)))
    }

    /// A lease is no longer ours, which is `told` in these words. Whether its next owner can write is not ours to
    /// tell.
    fn given_up(
        &mut self,
        lease_id: &str,
        now: Instant,
        told: Option<(Level, String)>,
    ) -> Option<(Level, String)> {
        if !self.failing.remove(lease_id) {
            return told;
        }
        self.leases -= 1;
        if !self.failing.is_empty() {
            return told;
        }
        if self.leases == 0 {
            *self = Self::default();
            return told;
        }
        let written = self.end(now);
        told.map(|(level, words)| (level, format!("{words}; {written}")))
    }

    fn end(&mut self, now: Instant) -> String {
        let seconds = seconds(self.since, now);
        let (leases, attempts) = (counted(self.leases, "lease"), counted(self.attempts, "attempt"));
        *self = Self::default();
        format!("written again after {seconds:.1} s: {leases}, {attempts}, nothing lost")
    }
}

impl Unread {
    /// Takes an event in; gives the line that ends an outage.
    fn note(&mut self, event: &ProcessorEvent, now: Instant) -> Option<(Level, String)> {
        match event {
            ProcessorEvent::Interrupted { lease_id, .. } => {
                self.since.get_or_insert(now);
                self.back = None;
                self.attempts += 1;
                let known = self.parts.insert(lease_id.clone(), Part::Away);
                self.leases += usize::from(known.is_none() && lease_id.is_some());
                return None;
            }
            ProcessorEvent::Resumed { lease_id: None } => drop(self.parts.remove(&None)),
            ProcessorEvent::Resumed { lease_id } => {
                if let Some(part) = self.parts.get_mut(lease_id) {
                    *part = Part::Behind;
                }
            }
            ProcessorEvent::BatchDelivered { lease_id, documents, .. } => {
                // Words of a return can be missed: what is delivered was read.
                if let Some(part) = self.parts.get_mut(&Some(lease_id.clone())) {
                    *part = Part::Behind;
                    self.late += *documents as u64;
                }
            }
            ProcessorEvent::CaughtUp { lease_id }
            | ProcessorEvent::Released { lease_id }
            | ProcessorEvent::Split { lease_id, .. } => drop(self.parts.remove(&Some(lease_id.clone()))),
            ProcessorEvent::Lost { lease_id, .. } | ProcessorEvent::WorkerPanicked { lease_id } => {
                self.lost += usize::from(self.parts.remove(&Some(lease_id.clone())).is_some());
            }
            _ => {}
        }
        self.since?;
        if self.parts.values().any(|part| *part == Part::Away) {
            return None;
        }
        let back = *self.back.get_or_insert(now);
        if !self.parts.is_empty() && now.duration_since(back) < CATCH_UP {
            return None;
        }
        Some((Level::Info, std::mem::take(self).end(back)))
    }

    fn end(&self, back: Instant) -> String {
        let seconds = seconds(self.since, back);
        let late = match self.late {
            0 => "no change came late".to_owned(),
            n => format!("{} came late", counted(n, "change")),
        };
        let kept = match self.leases.saturating_sub(self.lost) {
            0 => None,
            1 => Some("1 lease goes on where it stood".to_owned()),
            n => Some(format!("{} go on where they stood", counted(n, "lease"))),
        };
        let others = match self.lost {
            0 => "nothing lost".to_owned(),
            n => format!("{} went to others", counted(n, "lease")),
        };
        let stands = kept.map_or_else(|| others.clone(), |kept| format!("{kept}, {others}"));
        let attempts = counted(self.attempts, "attempt");
        format!("the source answers again after {seconds:.1} s ({attempts}): {late}; {stands}")
    }
}

fn seconds(since: Option<Instant>, now: Instant) -> f64 {
    since.map_or(0.0, |since| now.duration_since(since).as_secs_f64())
}

/// An event as it tells itself, unless it is routine.
fn plain(event: &ProcessorEvent) -> Option<(Level, String)> {
    let level = if event.is_problem() { Level::Warning } else { Level::Info };
    (!event.is_routine()).then(|| (level, event.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(lease: &str, cause: &str, attempt: u32) -> ProcessorEvent {
        ProcessorEvent::HandlerFailed {
            lease_id: lease.to_owned(),
            cause: cause.to_owned(),
            attempt,
            retry_in: Duration::from_millis(100),
        }
    }

    fn delivered(lease: &str) -> ProcessorEvent {
        ProcessorEvent::BatchDelivered { lease_id: lease.to_owned(), documents: 3, took: Duration::ZERO }
    }

    #[test]
    fn an_outage_of_all_leases_is_two_lines() {
        let start = Instant::now();
        let mut outage = Outage::default();
        let mut lines = Vec::new();
        for attempt in 1..=20_u32 {
            for lease in ["a", "b", "c", "d"] {
                let now = start + Duration::from_millis(u64::from(attempt) * 600);
                lines.extend(outage.note(&failed(lease, "connection refused", attempt), now));
            }
        }
        for lease in ["a", "b", "c", "d"] {
            lines.extend(outage.note(&delivered(lease), start + Duration::from_secs(13)));
        }
        let lines: Vec<String> = lines.into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            lines,
            [
                "not written: connection refused; every batch comes again by itself",
                "written again after 12.4 s: 4 leases, 80 attempts, nothing lost"
            ]
        );
        assert!(outage.note(&delivered("a"), start + Duration::from_secs(14)).is_none(), "routine");
    }

    #[test]
    fn a_lease_that_is_given_up_is_not_told_as_written() {
        let start = Instant::now();
        let after = start + Duration::from_secs(2);
        let released = |lease: &str| ProcessorEvent::Released { lease_id: lease.to_owned() };
        let told = |outage: &mut Outage, event: &ProcessorEvent| outage.note(event, after).unwrap().1;
        let mut outage = Outage::default();
        outage.note(&failed("a", "connection refused", 1), start);
        assert_eq!(told(&mut outage, &released("a")), "lease a released");
        assert!(outage.note(&failed("a", "connection refused", 1), after).is_some(), "another outage");

        let mut outage = Outage::default();
        for lease in ["a", "b", "c"] {
            outage.note(&failed(lease, "connection refused", 1), start);
        }
        let lost = ProcessorEvent::Lost { lease_id: "a".to_owned(), to: Some("other".to_owned()) };
        assert_eq!(told(&mut outage, &lost), "lease a lost to other");
        assert!(outage.note(&delivered("b"), after).is_none());
        assert_eq!(
            told(&mut outage, &released("c")),
            "lease c released; written again after 2.0 s: 1 lease, 3 attempts, nothing lost"
        );
    }

    #[test]
    fn another_cause_and_another_outage_are_told() {
        let start = Instant::now();
        let mut outage = Outage::default();
        assert!(outage.note(&failed("a", "connection refused", 1), start).is_some());
        assert!(outage.note(&failed("a", "out of memory", 2), start).is_some());
        assert!(outage.note(&failed("a", "connection refused", 3), start).is_none());
        assert!(outage.note(&delivered("a"), start).is_some());
        assert!(outage.note(&failed("a", "connection refused", 1), start).is_some());
        // The end was missed; silence is an end, too.
        let later = start + QUIET + Duration::from_secs(1);
        assert!(outage.note(&failed("a", "connection refused", 2), later).is_some());
    }

    fn interrupted(lease: Option<&str>) -> ProcessorEvent {
        ProcessorEvent::Interrupted {
            lease_id: lease.map(str::to_owned),
            cause: "127.0.0.1:8081 cannot be reached: connection refused".to_owned(),
            remedy: "start the emulator".to_owned(),
            retry_in: Duration::from_millis(100),
        }
    }

    fn resumed(lease: Option<&str>) -> ProcessorEvent {
        ProcessorEvent::Resumed { lease_id: lease.map(str::to_owned) }
    }

    fn caught_up(lease: &str) -> ProcessorEvent {
        ProcessorEvent::CaughtUp { lease_id: lease.to_owned() }
    }

    /// The lines that events come to, each so many tenths of a second after the start.
    fn lines(events: &[(u64, ProcessorEvent)]) -> Vec<String> {
        let start = Instant::now();
        let mut outage = Outage::default();
        let mut note = |(tenths, event): &(u64, ProcessorEvent)| {
            outage.note(event, start + Duration::from_millis(tenths * 100)).map(|(_, text)| text)
        };
        events.iter().filter_map(&mut note).collect()
    }

    #[test]
    fn an_outage_of_the_source_ends_with_how_long_it_was_and_what_came_late() {
        let told = lines(&[
            (0, interrupted(Some("x..a"))),
            (1, interrupted(Some("x..b"))),
            (2, interrupted(None)),
            (9, interrupted(Some("x..a"))),
            (30, resumed(Some("x..a"))),
            (31, delivered("x..a")),
            (32, delivered("x..a")),
            (33, caught_up("x..a")),
            (40, resumed(None)),
            (124, resumed(Some("x..b"))),
            (125, delivered("x..b")),
            (126, caught_up("x..b")),
            (127, delivered("x..b")),
        ]);
        assert_eq!(
            told,
            [
                "lease a: 127.0.0.1:8081 cannot be reached: connection refused; start the emulator",
                "the source answers again after 12.4 s (4 attempts): 9 changes came late; 2 leases go on where they \
                 stood, nothing lost"
            ]
        );
    }

    #[test]
    fn leases_that_others_took_meanwhile_are_told_and_endless_changes_are_not_waited_for() {
        let lost = ProcessorEvent::Lost { lease_id: "x..b".to_owned(), to: Some("host-b".to_owned()) };
        let told = lines(&[
            (0, interrupted(Some("x..a"))),
            (0, interrupted(Some("x..b"))),
            (50, lost),
            (60, resumed(Some("x..a"))),
            (61, delivered("x..a")),
            (159, delivered("x..a")),
            (160, delivered("x..a")),
        ]);
        assert_eq!(told[1], "lease b lost to host-b");
        assert_eq!(
            told[2],
            "the source answers again after 6.0 s (2 attempts): 9 changes came late; 1 lease goes on where it stood, \
             1 lease went to others"
        );
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn rounds_that_failed_and_go_on_are_an_outage_too() {
        let told = lines(&[(0, interrupted(None)), (5, interrupted(None)), (20, resumed(None))]);
        assert_eq!(
            told[1..],
            ["the source answers again after 2.0 s (2 attempts): no change came late; nothing lost"]
        );
    }
}
