//! What the engine answers, and what it tells of its own accord about leases, drift, edits, mapping and
//! exports: to the question that was asked, to an older one, or to none at all.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rand::{Rng, seq::IndexedRandom};

use super::chaos::Chaos;
use crate::{
    engine::{
        BookmarkAsk, BookmarkQuestion, BookmarkRow, BookmarkTold, Bookmarked, Cause, Change, Command,
        DeadLetterList, DeadLetterRow, DriftStatus, DriftWindow, EditEnd, EditOutcome, Event, Finding,
        FindingKind, KeptPositions, LeaseDeed, LeaseOrder, LeaseOutcome, MappingPreview, PreviewEntry,
        PreviewFault, RestoreOrder, RetryCounts, Versions,
    },
    latency::LatencyTracker,
    tui::{
        tests::{fixture, views},
        update::Effect,
    },
};

impl Chaos {
    /// Something of the kinds of this room.
    pub(super) fn told(&mut self) -> Event {
        match self.rng.random_range(0..15) {
            0 => self.lease_plan(None),
            1 => self.leases_done(),
            12 => self.bookmarked(),
            13 => self.bookmarks(None),
            2..4 => self.drift(),
            4 => self.preview(None),
            5 => self.letters(),
            6 => self.edited(None),
            7 => self.files(None),
            8 => Event::LatencyReport(Box::new(
                LatencyTracker::new().export(Instant::now(), Timestamp::UNIX_EPOCH),
            )),
            9 => Event::Versions(
                (0..self.rng.random_range(0..5))
                    .map(|_| {
                        let versions =
                            Versions { written: self.count(), delivered: self.count(), folded: self.count() };
                        (self.id(), versions)
                    })
                    .collect(),
            ),
            14 => Event::Compared { request: self.rng.random_range(0..64), diff: Arc::default() },
            10 => Event::SameAs(format!("--cosmos {}", self.plain())),
            _ => fixture::rebuilt(),
        }
    }

    /// An answer to a question of the screen, sometimes to one that it did not ask.
    pub(super) fn answer(&mut self) -> Event {
        match self.asked.pop_front() {
            Some(command @ Command::ShowDocument { .. }) => self.document(command),
            Some(Command::Compare { request, comparison }) => {
                Event::Compared { request, diff: Arc::new(comparison.diff()) }
            }
            Some(Command::PlanLeases(order)) => self.lease_plan(Some(order)),
            Some(Command::DoLeases(_)) => self.leases_done(),
            Some(Command::SaveBookmark { name }) if self.rng.random_bool(0.7) => {
                Event::Bookmarked(Bookmarked { name, outcome: Ok(4) })
            }
            Some(Command::SaveBookmark { .. }) => self.bookmarked(),
            Some(Command::Bookmarks(question)) => self.bookmarks(Some(question)),
            Some(Command::PreviewMapping(trial)) => self.preview(Some(trial.request)),
            Some(Command::DeadLetters(_)) => self.letters(),
            Some(Command::Edit(order)) => self.edited(Some(order.request)),
            Some(Command::FindFiles { typed }) => self.files(Some(typed)),
            Some(Command::PlanRebuild(_)) => match self.rng.random_range(0..2) {
                0 => fixture::flush_plan(),
                _ => Event::RebuildPlan(Box::new(fixture::plan())),
            },
            Some(Command::StartRebuild(_)) => fixture::rebuilt(),
            _ => {
                let command = Command::ShowDocument {
                    request: self.rng.random_range(0..64),
                    id: self.id(),
                    partition_key: None,
                    key: None,
                };
                self.document(command)
            }
        }
    }

    fn document(&mut self, question: Command) -> Event {
        let Event::Document(mut detail) = fixture::document(&[Effect::Send(question)], self.rng.random())
        else {
            unreachable!()
        };
        match self.rng.random_range(0..7) {
            0 => detail.source = Err(self.words()),
            1 => detail.source = Ok(None),
            2 => detail.entry = Ok(None),
            3 => {
                let words = self.values();
                if let Ok(Some(entry)) = &mut detail.entry {
                    entry.value = words;
                }
            }
            4 => {
                // Too large to be compared on the spot.
                for version in detail.versions.iter_mut().filter(|_| self.rng.random()) {
                    version.json = Some(format!("{{\"a\":\"{}\"}}", "x".repeat(40_000)).into());
                }
                let count = self.rng.random_range(0..=detail.versions.len());
                detail.versions.truncate(count);
            }
            _ => {}
        }
        Event::Document(detail)
    }

    fn lease_plan(&mut self, order: Option<LeaseOrder>) -> Event {
        let order = order.unwrap_or_else(|| LeaseOrder {
            deed: self.deed(),
            only: (0..self.rng.random_range(0..3)).map(|_| self.plain()).collect(),
            take_over: self.rng.random(),
        });
        fixture::lease_plan(order)
    }

    fn deed(&mut self) -> LeaseDeed {
        *[LeaseDeed::Release, LeaseDeed::Delete, LeaseDeed::Reset].choose(&mut self.rng).unwrap()
    }

    fn leases_done(&mut self) -> Event {
        Event::LeasesDone(LeaseOutcome {
            deed: self.deed(),
            done: (0..self.rng.random_range(0..70)).map(|_| self.plain()).collect(),
            refused: (0..self.rng.random_range(0..9)).map(|_| (self.plain(), self.words())).collect(),
        })
    }

    fn bookmarked(&mut self) -> Event {
        let outcome = if self.rng.random() { Ok(self.rng.random_range(0..9)) } else { Err(self.words()) };
        Event::Bookmarked(Bookmarked { name: self.plain(), outcome })
    }

    /// An answer about bookmarks: to what was asked, to an older question, or of another kind.
    fn bookmarks(&mut self, question: Option<BookmarkQuestion>) -> Event {
        let question = question.unwrap_or_else(|| {
            let order = RestoreOrder { name: self.plain(), only: Vec::new(), take_over: self.rng.random() };
            let ask = match self.rng.random_range(0..5) {
                0 => BookmarkAsk::List,
                1 => BookmarkAsk::Compare(self.plain()),
                2 => BookmarkAsk::PlanRestore(order),
                3 => BookmarkAsk::Restore(order),
                _ => BookmarkAsk::Delete(self.plain()),
            };
            BookmarkQuestion { request: self.rng.random_range(0..64), ask }
        });
        let Event::Bookmarks(mut answer) = views::bookmark_answer(&question) else { unreachable!() };
        match &mut answer.told {
            BookmarkTold::List(list) => {
                for _ in 0..self.rng.random_range(0..30) {
                    // What a file holds that is no bookmark may be a document.
                    let kept = if self.rng.random() {
                        Err(self.values())
                    } else {
                        Ok(KeptPositions {
                            saved_at: fixture::before(self.age()),
                            source: self.words(),
                            leases: self.rng.random_range(0..99),
                        })
                    };
                    let name = self.plain();
                    if list.rows.iter().all(|row| row.name != name) {
                        list.rows.push(BookmarkRow { name, kept });
                    }
                }
                list.problem = self.problem();
            }
            BookmarkTold::Compared(found) => match found {
                Ok(found) => {
                    let at = self.rng.random_range(0..=found.leases.len());
                    found.leases.truncate(at);
                    for lease in &mut found.leases {
                        (lease.owner, lease.then) = (self.problem(), self.problem());
                        if self.rng.random_bool(0.3) {
                            lease.change = Change::Replays(self.rng.random_bool(0.5).then_some(u64::MAX / 8));
                        }
                    }
                }
                Err(why) => *why = self.words(),
            },
            BookmarkTold::Plan(plan) if self.rng.random_bool(0.2) => plan.refused = Some(self.words()),
            BookmarkTold::Plan(_) => {}
            BookmarkTold::Restored(outcome) => {
                outcome.refused =
                    (0..self.rng.random_range(0..40)).map(|_| (self.plain(), self.words())).collect();
            }
        }
        Event::Bookmarks(answer)
    }

    fn drift(&mut self) -> Event {
        let windows = [60, 300, 600].map(|seconds| {
            // More may be wrong than was compared: an orphan counts, and a broken engine may tell anything.
            let (compared, wrong) = (self.count(), self.count());
            DriftWindow { length: Duration::from_secs(seconds), compared, wrong, full: self.rng.random() }
        });
        Event::Drift(Box::new(DriftStatus {
            watching: self.rng.random_bool(0.8),
            per_second: self.rng.random_range(0..2_000),
            windows,
            passes: self.count(),
            pass_share: self.rng.random_bool(0.7).then(|| self.figure()),
            compared: self.count(),
            wrong: self.count(),
            newest: (0..self.rng.random_range(0..17)).map(|_| self.found()).collect(),
            problem: self.problem(),
        }))
    }

    /// A wrong entry.
    pub(super) fn found(&mut self) -> Finding {
        Finding {
            kind: *FindingKind::ALL.choose(&mut self.rng).unwrap(),
            key: self.id(),
            id: Some(self.id()),
            partition_key: None,
            details: (0..self.rng.random_range(0..5)).map(|_| self.values()).collect(),
            cause: Cause::Unknown,
            evidence: self.values(),
            lsn: Some(self.count()),
            lease_lsn: None,
        }
    }

    fn preview(&mut self, request: Option<u64>) -> Event {
        let request = request.unwrap_or_else(|| self.rng.random_range(0..64));
        let outcome = if self.rng.random_bool(0.3) {
            let place = self.rng.random_bool(0.5).then(|| self.rng.random_range(0..usize::MAX));
            let setting = self.rng.random_bool(0.5).then_some("mapping.key");
            Err(PreviewFault { what: self.words(), line: place, column: place, setting })
        } else {
            Ok((0..self.rng.random_range(0..40))
                .map(|_| PreviewEntry {
                    key: self.id(),
                    deletes: self.rng.random_bool(0.2),
                    encoding: "distributed-cache",
                    expiry: self.words(),
                    ttl: self.rng.random_bool(0.5).then(|| Duration::from_millis(self.count())),
                    value: self.values(),
                    guarded: self.rng.random(),
                })
                .collect())
        };
        Event::MappingPreview(Box::new(MappingPreview { request, outcome }))
    }

    fn letters(&mut self) -> Event {
        let letters = (0..self.rng.random_range(0..30))
            .map(|_| {
                let document = self.values();
                DeadLetterRow {
                    name: self.id(),
                    set_aside_at: fixture::before(self.age()),
                    id: self.rng.random_bool(0.8).then(|| self.id()),
                    reason: self.words(),
                    bytes: document.len(),
                    document,
                }
            })
            .collect();
        Event::DeadLetters(Box::new(DeadLetterList {
            letters,
            directory: self.words(),
            retried: self.rng.random_bool(0.3).then(|| RetryCounts {
                written: self.count(),
                gone: self.count(),
                left: self.count(),
            }),
            problem: self.problem(),
        }))
    }

    fn edited(&mut self, request: Option<u64>) -> Event {
        let end = match self.rng.random_range(0..5) {
            0 => EditEnd::Saved { etag: self.id() },
            1 => EditEnd::ChangedMeanwhile,
            2 => EditEnd::Written {
                keys: (0..self.rng.random_range(0..4)).map(|_| self.id()).collect(),
                kept: self.rng.random(),
            },
            3 => EditEnd::Deleted { existed: self.rng.random() },
            _ => EditEnd::Refused { reason: self.words() },
        };
        let request = request.unwrap_or_else(|| self.rng.random_range(0..64));
        Event::Edited(Box::new(EditOutcome { request, name: self.id(), end }))
    }

    fn files(&mut self, typed: Option<String>) -> Event {
        let typed = typed.unwrap_or_else(|| self.words());
        let found = (0..self.rng.random_range(0..9)).map(|_| format!("{typed}{}", self.plain())).collect();
        Event::Files { typed, found }
    }
}
