//! What a document would become, and what was set aside.

use jiff::Timestamp;

pub use crate::sync::{PreviewEntry, PreviewFault};

/// Answer to [`crate::engine::Command::PreviewMapping`].
#[derive(Debug, Clone, PartialEq)]
pub struct MappingPreview {
    /// As in the request.
    pub request: u64,
    /// The entries (none: the mapping gives no value for it), or why there are none.
    pub outcome: Result<Vec<PreviewEntry>, PreviewFault>,
}

/// The documents that were set aside.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeadLetterList {
    /// Oldest first.
    pub letters: Vec<DeadLetterRow>,
    /// Where they are kept; empty if the platform has no such place.
    pub directory: String,
    /// What became of those that were tried again, if that was asked for.
    pub retried: Option<RetryCounts>,
    /// Why it could not be done, in one line with what to do.
    pub problem: Option<String>,
}

/// One document that was set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetterRow {
    /// What it is named by in a retry.
    pub name: String,
    /// When.
    pub set_aside_at: Timestamp,
    /// Its `id`, where it could be read.
    pub id: Option<String>,
    /// Why, in one line; after a retry that did not help, what that said.
    pub reason: String,
    /// Its JSON, cut after 16 KiB.
    pub document: String,
    /// Length of the whole JSON in bytes.
    pub bytes: usize,
}

/// What a retry brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetryCounts {
    /// In the cache now.
    pub written: u64,
    /// No longer in the source.
    pub gone: u64,
    /// Still set aside.
    pub left: u64,
}
