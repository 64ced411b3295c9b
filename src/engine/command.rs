//! What a person can ask of the engine, by key or by subcommand.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::latency::ExportForm;
use crate::lease::{LeaseOrder, RestoreOrder};
use crate::seed::Scenario;

use super::TextPair;

/// A request to the engine. Answers and progress come as [`super::Event`]s.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start the built-in sync, or join the owners that are there.
    StartSync,
    /// Finish the batches under way, release the leases, stop.
    StopSync,
    /// Keep the leases, deliver nothing.
    PauseSync,
    /// Deliver again.
    ResumeSync,
    /// Start one more instance of the built-in sync.
    AddInstance,
    /// Stop the newest instance; its leases are released and taken over at once.
    RemoveInstance,
    /// End the newest instance as if its process had died: its leases expire.
    KillInstance,
    /// Split the widest partition of the embedded emulator's source.
    SplitPartition,
    /// Write a wrong value over an entry of the embedded cache, past the sync: a demo of drift.
    SpoilEntry {
        /// The entry's key.
        key: String,
    },
    /// Write documents to the source.
    Insert(Insert),
    /// End all inserts under way; what is written stays.
    StopInserts,
    /// Take back what the inserts of this session wrote: delete what was created, restore what was
    /// replaced, under If-Match; what somebody else changed since stays.
    UndoInserts,
    /// Everything measured so far; answered by `Event::LatencyReport`.
    ReportLatency,
    /// Write everything measured so far to a file; the outcome is a line in the log.
    ExportLatency {
        /// How.
        form: ExportForm,
        /// Path, relative to the current directory.
        name: String,
        /// Without the ids of documents.
        masked: bool,
    },
    /// Files whose paths begin with this text; answered by `Event::Files`.
    FindFiles {
        /// What was typed.
        typed: String,
    },
    /// Hold all sample traffic and rated inserts.
    PauseTraffic,
    /// Let it flow again.
    ResumeTraffic,
    /// Writes per second of the sample traffic; `0.0` ends it.
    SetTraffic(f64),
    /// Find out what exactly this rebuild would do; answered by `Event::RebuildPlan`, which carries
    /// the order back.
    PlanRebuild(RebuildOrder),
    /// Do it.
    StartRebuild(RebuildOrder),
    /// Find out which lease documents an order would write or delete; answered by `Event::LeasePlan`.
    PlanLeases(LeaseOrder),
    /// Do it, if nothing is different from the plan that was told last; answered by `Event::LeasesDone`.
    DoLeases(LeaseOrder),
    /// Keep the positions of all leases of the prefix as a bookmark; answered by `Event::Bookmarked`.
    SaveBookmark {
        /// A name that no other bookmark has: see [`crate::lease::Bookmark::check_name`].
        name: String,
    },
    /// Something about the bookmarks that there are; answered by `Event::Bookmarks`.
    Bookmarks(BookmarkQuestion),
    /// Read a document and its entry; answered by `Event::Document`.
    ShowDocument {
        /// Given back in the answer.
        request: u64,
        /// The document's id.
        id: String,
        /// JSON text of its partition key value; `None` = look it up.
        partition_key: Option<String>,
        /// The key whose entry is wanted; `None` = the first that the mapping makes.
        key: Option<String>,
    },
    /// Compare two texts; answered by `Event::Compared`. A newer question ends the waiting for older ones.
    Compare {
        /// Given back in the answer.
        request: u64,
        /// Which.
        comparison: TextPair,
    },
    /// Compare every document with its entry; answered by `Event::Verify` and `Event::Finding`.
    /// Ends a verification or repair that is under way.
    Verify {
        /// About so many documents instead of all.
        sample: Option<u64>,
        /// How long a change may be on its way; `None` = somewhat longer than the poll interval.
        grace: Option<Duration>,
    },
    /// End a verification or repair.
    StopVerify,
    /// Mend what the last verification found: write from the source, delete orphans by exact key.
    Repair {
        /// Only the entries of these keys; `None` = all.
        keys: Option<Vec<String>>,
    },
    /// Sample source and cache in the background and tell the share in step (`Event::Drift`);
    /// `None` ends it.
    WatchDrift(Option<DriftWatch>),
    /// Show which entries a document would become; answered by `Event::MappingPreview`.
    PreviewMapping(MappingTrial),
    /// Look at the documents that were set aside, or do something with them; answered by
    /// `Event::DeadLetters`.
    DeadLetters(DeadLetterOrder),
    /// Change a document or its entry; answered by `Event::Edited`.
    Edit(super::EditOrder),
    /// Write a file (a picture of the screen, an export); the outcome is a line in the log.
    SaveFile {
        /// Path, relative to the current directory.
        name: String,
        /// Text.
        content: String,
    },
    /// Stop everything, release leases, end child processes.
    Shutdown,
}

/// A question about the bookmarks of this source and prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookmarkQuestion {
    /// Given back in the answer.
    pub request: u64,
    /// What is asked.
    pub ask: BookmarkAsk,
}

/// What can be asked about bookmarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookmarkAsk {
    /// Which there are.
    List,
    /// The one of this name beside the leases of now; given up for the next question.
    Compare(String),
    /// What going back would do.
    PlanRestore(RestoreOrder),
    /// Go back, if nothing is different from the plan that was told last.
    Restore(RestoreOrder),
    /// Delete the one of this name, be it one that cannot be read; answered by the list of those that are left.
    Delete(String),
}

/// Which rebuild.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RebuildOrder {
    /// How.
    pub mode: RebuildMode,
    /// Go on although another processor owns leases now: they may lose them.
    pub take_over: bool,
    /// Wait until other processors have stopped, instead of refusing while they own leases.
    pub wait: bool,
    /// Only these leases (id or token) instead of all of the prefix.
    pub only: Vec<String>,
    /// Write no marker documents into the source: the LSNs at the start are proof enough.
    pub without_markers: bool,
}

impl RebuildOrder {
    /// The flags of `syncscope rebuild` that say the same, each after a blank.
    pub fn as_flags(&self) -> String {
        let mut flags = match self.mode {
            RebuildMode::Refill => String::new(),
            RebuildMode::Flush => " --mode flush".to_owned(),
            RebuildMode::Since(time) => format!(" --since {time}"),
        };
        for lease in &self.only {
            // Writing to a text cannot fail.
            let _ = write!(flags, " --lease '{lease}'");
        }
        for (set, flag) in
            [(self.take_over, "--take-over"), (self.wait, "--wait"), (self.without_markers, "--proof lsn")]
        {
            if set {
                flags.push(' ');
                flags.push_str(flag);
            }
        }
        flags
    }
}

/// How a rebuild goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RebuildMode {
    /// Replay over the live cache, then sweep orphans: readers never see an empty cache.
    #[default]
    Refill,
    /// Delete exactly the keys of the mapping first, then replay: readers miss meanwhile.
    Flush,
    /// Replay only what changed after this time; nothing is swept.
    Since(Timestamp),
}

/// How the drift is watched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftWatch {
    /// Documents compared in a second, at most.
    pub per_second: u32,
    /// How long a change may be on its way; `None` = somewhat longer than the poll interval.
    pub grace: Option<Duration>,
}

impl Default for DriftWatch {
    /// A hundred documents a second: hardly to be felt by either server.
    fn default() -> Self {
        Self { per_second: 100, grace: None }
    }
}

/// A document for the mapping, and changes of the mapping to be tried on it; nothing is written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MappingTrial {
    /// Given back in the answer.
    pub request: u64,
    /// JSON text of one document.
    pub document: String,
    /// Another key template than that of the settings.
    pub key: Option<String>,
    /// Another jq expression; an empty one = the document itself.
    pub jq: Option<String>,
}

/// What to do with the documents that were set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterOrder {
    /// Read the list.
    List,
    /// Write what the source says now of these (by `DeadLetterRow::name`; `None` = all) into the
    /// cache; what succeeds leaves the list.
    Retry {
        /// Which.
        names: Option<Vec<String>>,
    },
    /// Write all of them with their documents to a file, one line of JSON each.
    Export {
        /// Path, relative to the current directory; an existing file is replaced.
        file: String,
    },
}

/// Documents to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Insert {
    /// One document, JSON text.
    One {
        /// A JSON object with an `id`.
        json: String,
    },
    /// Generated sample documents, as fast as the source takes them.
    Generated {
        /// How many.
        count: u64,
    },
    /// Generated sample documents at a rate, until all are written.
    Rated {
        /// How many.
        count: u64,
        /// Writes per second.
        per_second: f64,
    },
    /// Writes on a timeline.
    Scenario(Box<Scenario>),
    /// The same, from a file.
    ScenarioFile {
        /// Path, relative to the current directory.
        path: String,
    },
    /// The documents of a JSON, NDJSON or CSV file.
    File {
        /// Path, relative to the current directory; `-` is standard input.
        path: String,
    },
}
