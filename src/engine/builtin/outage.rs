//! What fails for every lease is told once, not for each lease and each of its attempts: at its start with the
//! cause, and at its end with how many leases and attempts it took.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::engine::event::Level;
use crate::processor::ProcessorEvent;

/// A cause that was not heard for so long is news again.
const QUIET: Duration = Duration::from_secs(30);
/// Causes remembered; servers can word each failure differently.
const CAUSES: usize = 8;

/// The outage that is under way, if one is.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Causes that were told, and when each was heard last.
    told: Vec<(String, Instant)>,
    /// Leases whose batch is refused.
    failing: BTreeSet<String>,
    /// All that were part of it.
    leases: usize,
    attempts: u64,
    since: Option<Instant>,
}

impl Outage {
    /// What an event is worth in the activity; `None` = nothing.
    pub(super) fn note(&mut self, event: &ProcessorEvent, now: Instant) -> Option<(Level, String)> {
        match event {
            ProcessorEvent::HandlerFailed { lease_id, cause, .. } => {
                let since = self.since.get_or_insert(now);
                if self.failing.insert(lease_id.clone()) {
                    self.leases += 1;
                }
                self.attempts += 1;
                let first = *since == now && self.attempts == 1;
                let news = self.is_news(cause, now) || first;
                news.then(|| {
                    (Level::Warning, format!("not written: {cause}; every batch comes again by itself"))
                })
            }
            ProcessorEvent::Problem { cause, lease_id: Some(_), .. } => {
                self.is_news(cause, now).then(|| (Level::Warning, event.to_string()))
            }
            ProcessorEvent::BatchDelivered { lease_id, .. }
            | ProcessorEvent::Released { lease_id }
            | ProcessorEvent::Lost { lease_id, .. } => {
                if self.failing.remove(lease_id) && self.failing.is_empty() {
                    return Some((Level::Info, self.end(now)));
                }
                plain(event)
            }
            _ => plain(event),
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

    fn end(&mut self, now: Instant) -> String {
        let seconds = self.since.map_or(0.0, |since| now.duration_since(since).as_secs_f64());
        let leases = if self.leases == 1 { "1 lease".to_owned() } else { format!("{} leases", self.leases) };
        let attempts = match self.attempts {
            1 => "1 attempt".to_owned(),
            n => format!("{n} attempts"),
        };
        *self = Self::default();
        format!("written again after {seconds:.1} s: {leases}, {attempts}, nothing lost")
    }
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
}
