//! Inserts of many documents: a batch, a rate, a scenario, a file, an undo. Each gives what is due.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::engine::event::JobStatus;
use crate::seed::{Scenario, SeedDocument, Timeline, Traffic};
use crate::wording::counted;

use super::file::{Next, Rows};
use super::ledger::Written;
use super::pace::{BURST, Pace};

/// Documents of a chunk of what is not rated.
const CHUNK: usize = 500;
/// Wrong lines of a file told one by one; the rest is only counted.
const TOLD: u64 = 5;

/// A document that is due, and when it was meant to be written.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) document: SeedDocument,
    /// `None` = whenever the source was ready.
    pub(super) intended: Option<Instant>,
}

impl Due {
    pub(super) fn now(document: SeedDocument) -> Self {
        Self { document, intended: None }
    }
}

/// What a job does.
pub(super) enum Work {
    Batch { left: u64 },
    Rated { left: u64, pace: Pace },
    Scenario { scenario: Box<Scenario>, timeline: Option<Timeline>, passed: Duration, last: Option<Instant> },
    File { rows: Rows },
    Undo { left: Vec<Written> },
}

/// One of them under way.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) status: JobStatus,
    /// Its writes are probes.
    pub(super) timed: bool,
    /// Its writes can be undone.
    pub(super) recorded: bool,
}

/// What is to be done now.
#[derive(Default)]
pub(super) struct Share {
    pub(super) due: Vec<Due>,
    /// To be taken back.
    pub(super) back: Vec<Written>,
    /// Rated writes given up.
    pub(super) given_up: u64,
    /// Words for the log.
    pub(super) told: Vec<String>,
    pub(super) ended: bool,
}

impl Job {
    pub(super) fn new(number: u64, label: String, total: Option<u64>, work: Work) -> Self {
        let status = JobStatus {
            number,
            label,
            done: 0,
            failed: 0,
            total,
            share: None,
            since: Timestamp::now(),
            stopped: false,
            problem: None,
        };
        Self { work, status, timed: true, recorded: true }
    }

    /// It goes by the clock and is held by a pause.
    pub(super) fn is_rated(&self) -> bool {
        matches!(self.work, Work::Rated { .. } | Work::Scenario { .. })
    }

    /// It writes as fast as the source takes it.
    pub(super) fn is_eager(&self) -> bool {
        matches!(self.work, Work::Batch { .. } | Work::Undo { .. })
    }

    /// A pause is over.
    pub(super) fn resume(&mut self, now: Instant) {
        match &mut self.work {
            Work::Rated { pace, .. } => pace.restart(now),
            Work::Scenario { last, .. } => *last = Some(now),
            Work::Batch { .. } | Work::File { .. } | Work::Undo { .. } => {}
        }
    }

    /// What is due now.
    pub(super) fn share(&mut self, traffic: &mut Traffic, now: Instant) -> Share {
        let mut share = Share::default();
        match &mut self.work {
            Work::Batch { left } => {
                let count = (*left).min(CHUNK as u64);
                *left -= count;
                share.due.extend((0..count).map(|_| Due::now(traffic.new_product())));
                share.ended = *left == 0;
            }
            Work::Rated { left, pace } => {
                let most = usize::try_from(*left).unwrap_or(BURST).min(BURST);
                let (moments, given_up) = pace.due(now, most);
                *left -= moments.len() as u64;
                share.given_up = given_up;
                share.due.extend(
                    moments.into_iter().map(|at| Due { document: traffic.new_product(), intended: Some(at) }),
                );
                share.ended = *left == 0;
            }
            Work::Scenario { scenario, timeline, passed, last } => {
                let existing = traffic.existing();
                let timeline = timeline.get_or_insert_with(|| {
                    self.status.total = Some(scenario.writes(existing));
                    scenario.timeline(existing)
                });
                *passed += last.replace(now).map_or(Duration::ZERO, |last| now.duration_since(last));
                while share.due.len() < BURST
                    && let Some((due, deed)) = timeline.next(*passed)
                {
                    let late = passed.saturating_sub(due);
                    match traffic.deed(deed) {
                        Some(document) => {
                            share.due.push(Due { document, intended: now.checked_sub(late) });
                        }
                        None => self.status.failed += 1,
                    }
                }
                share.ended = timeline.next_due().is_none();
                if share.ended && self.status.failed > 0 {
                    share.told.push(format!(
                        "left out {}: there is no product yet; insert some first",
                        counted(self.status.failed, "change")
                    ));
                }
            }
            Work::File { rows } => {
                while share.due.len() < CHUNK {
                    match rows.next() {
                        Next::NotYet => break,
                        Next::End => {
                            share.ended = true;
                            break;
                        }
                        Next::Row(Ok(document)) => share.due.push(Due::now(document)),
                        Next::Row(Err(error)) => {
                            self.status.failed += 1;
                            if self.status.failed <= TOLD {
                                share.told.push(format!("{}: {error}", rows.name()));
                            }
                            if error.ends {
                                self.status.problem = Some(error.to_string());
                            }
                        }
                    }
                }
                self.status.share = rows.share();
                if share.ended && self.status.failed > TOLD {
                    share.told.push(format!(
                        "{}: no documents in {}",
                        rows.name(),
                        counted(self.status.failed - TOLD, "more line")
                    ));
                }
            }
            Work::Undo { left } => {
                let from = left.len().saturating_sub(CHUNK);
                share.back = left.split_off(from);
                share.ended = left.is_empty();
            }
        }
        share
    }
}
