//! What a person can ask of the engine, by key or by subcommand.

use std::time::Duration;

use jiff::Timestamp;

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
    /// Write documents to the source.
    Insert(Insert),
    /// Hold all sample traffic and rated inserts.
    PauseTraffic,
    /// Let it flow again.
    ResumeTraffic,
    /// Writes per second of the sample traffic; `0.0` ends it.
    SetTraffic(f64),
    /// Find out what a rebuild would do; answered by `Event::RebuildPlan`.
    PlanRebuild,
    /// Do it.
    StartRebuild(RebuildOrder),
    /// Read a document and its entry; answered by `Event::Document`.
    ShowDocument {
        /// Given back in the answer.
        request: u64,
        /// The document's id.
        id: String,
        /// JSON text of its partition key value; `None` = look it up.
        partition_key: Option<String>,
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

/// Which rebuild.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RebuildOrder {
    /// How.
    pub mode: RebuildMode,
    /// Go on although another processor owns leases now: they may lose them.
    pub take_over: bool,
    /// Only these leases (id or token) instead of all of the prefix.
    pub only: Vec<String>,
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
}
