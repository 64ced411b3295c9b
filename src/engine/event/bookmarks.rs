//! Bookmarks of lease positions: which there are, one beside the leases of now, and going back to one.

use jiff::Timestamp;

use crate::lease::{Comparison, RestoreOutcome, RestorePlan};
use crate::wording::counted;

/// What became of a bookmark that was to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmarked {
    /// Its name.
    pub name: String,
    /// How many leases are in it; else in one line why it was not saved.
    pub outcome: Result<usize, String>,
}

impl Bookmarked {
    /// In one line.
    pub fn words(&self) -> String {
        match &self.outcome {
            Ok(1) => format!("bookmark {} keeps the position of 1 lease", self.name),
            Ok(n) => format!("bookmark {} keeps the positions of {}", self.name, counted(*n, "lease")),
            Err(reason) => format!("bookmark {} was not saved: {reason}", self.name),
        }
    }
}

/// An answer about bookmarks.
#[derive(Debug, Clone, PartialEq)]
pub struct BookmarkAnswer {
    /// That of the question.
    pub request: u64,
    /// What was found or done.
    pub told: BookmarkTold,
}

/// What is answered to a question about bookmarks.
#[derive(Debug, Clone, PartialEq)]
pub enum BookmarkTold {
    /// Those that there are; also what is left after one was deleted.
    List(BookmarkList),
    /// One beside the leases of now; else in one line why it cannot be.
    Compared(Result<Comparison, String>),
    /// What going back would do.
    Plan(RestorePlan),
    /// What became of it.
    Restored(RestoreOutcome),
}

/// The bookmarks of this source and prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookmarkList {
    /// Where they are kept.
    pub directory: String,
    /// Newest first, then those that cannot be read.
    pub rows: Vec<BookmarkRow>,
    /// One that was to be deleted, and if it was not, in one line why.
    pub deleted: Option<(String, Result<(), String>)>,
    /// Why there is no list, in one line.
    pub problem: Option<String>,
}

/// One bookmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookmarkRow {
    /// Its name.
    pub name: String,
    /// What it keeps; else in one line why it cannot be read.
    pub kept: Result<KeptPositions, String>,
}

/// What a bookmark keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPositions {
    /// When it was saved.
    pub saved_at: Timestamp,
    /// The source, in words.
    pub source: String,
    /// How many leases are in it.
    pub leases: usize,
}
