//! A rebuild: plan, progress, report.

use std::time::Duration;

use crate::sync::verify::Summary;
/// What a rebuild would do: shown before it is done.
#[derive(Debug, Clone, PartialEq)]
pub struct RebuildPlan {
    /// `database/container` of the source.
    pub source: String,
    /// `database/container` of the leases.
    pub lease_container: String,
    /// Processor prefix as the user gave it.
    pub prefix: String,
    /// Ids of the documents to be deleted: leases and the `.info` marker.
    pub delete: Vec<String>,
    /// How many of them are leases.
    pub leases: usize,
    /// Live owners that are not ours, with the age of their heartbeat in seconds.
    pub foreign_owners: Vec<(String, u64)>,
    /// Documents to replay, if counted.
    pub documents: Option<u64>,
    /// Leases of other prefixes that stay.
    pub other_leases: usize,
    /// Keys now in the cache.
    pub cache_keys: Option<u64>,
    /// Of them, those that the mapping could have made; the others are never touched.
    pub mapping_keys: Option<u64>,
    /// What should be known beforehand, a line each.
    pub warnings: Vec<String>,
    /// Where the entries go: `host:port db N`.
    pub cache: String,
    /// Why it cannot be done now, if so.
    pub refused: Option<String>,
    /// The command line that does the same.
    pub same_as: String,
}

/// Progress of a rebuild.
#[derive(Debug, Clone, PartialEq)]
pub struct RebuildStatus {
    /// Where it is.
    pub phase: RebuildPhase,
    /// Documents delivered by it so far.
    pub done: u64,
    /// Documents expected, if counted.
    pub total: Option<u64>,
    /// Documents per second.
    pub rate: f64,
    /// Time left, if it can be told.
    pub left: Option<Duration>,
    /// Time since the start.
    pub elapsed: Duration,
    /// What the verification at the end found.
    pub report: Option<RebuildReport>,
}

/// The end of a rebuild: everything compared once more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RebuildReport {
    /// What was found before mending.
    pub verified: Summary,
    /// Orphans deleted.
    pub swept: u64,
    /// Entries written once more.
    pub mended: u64,
    /// Findings that stay.
    pub left: u64,
}

/// Phase of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RebuildPhase {
    /// Stopping our workers.
    Stopping,
    /// Deleting lease documents.
    Deleting,
    /// Deleting the keys of the mapping.
    Flushing,
    /// Replaying the feed.
    Replaying,
    /// Every lease has caught up: comparing everything, sweeping orphans.
    Verifying,
    /// Through; see the report.
    Done,
    /// Ended early.
    Failed {
        /// What happened and what to do, in one line.
        reason: String,
    },
}
