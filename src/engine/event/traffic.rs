//! How the writes to the source are doing: sample traffic, inserts under way, what can be undone.

use jiff::Timestamp;

/// State of the sample traffic and of inserts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrafficStatus {
    /// Writes per second asked for; `0` = none.
    pub target_rate: f64,
    /// Held by the user.
    pub paused: bool,
    /// Documents written since the start (traffic, batches and single inserts).
    pub written: u64,
    /// Writes refused or failed.
    pub failed: u64,
    /// Rated writes given up because the source fell behind by more than some seconds.
    pub behind: u64,
    /// Inserts under way.
    pub jobs: Vec<JobStatus>,
    /// The insert that ended last.
    pub last: Option<JobStatus>,
    /// What an undo would do.
    pub undoable: Undoable,
}

/// An insert of many documents under way, or ended.
#[derive(Debug, Clone, PartialEq)]
pub struct JobStatus {
    /// Counts up.
    pub number: u64,
    /// What it is, in a few words.
    pub label: String,
    /// Documents written (or taken back).
    pub done: u64,
    /// Documents refused, and lines of a file that are no documents.
    pub failed: u64,
    /// How many there will be, where known.
    pub total: Option<u64>,
    /// Part of the file that was read, from 0 to 1, where the length is known.
    pub share: Option<f64>,
    /// When it began.
    pub since: Timestamp,
    /// It was stopped before its end.
    pub stopped: bool,
    /// Why it could not go on, in one line.
    pub problem: Option<String>,
}

/// What an undo of this session's inserts would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undoable {
    /// Documents that were created: they would be deleted.
    pub created: u64,
    /// Documents that were replaced: their earlier version would be restored.
    pub replaced: u64,
    /// Inserts too old to be remembered.
    pub forgotten: u64,
}

impl Undoable {
    /// Documents that can be taken back.
    pub fn count(self) -> u64 {
        self.created.saturating_add(self.replaced)
    }
}
