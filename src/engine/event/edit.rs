//! What became of an edit.

/// Answer to [`super::super::Command::Edit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditOutcome {
    /// The question this answers.
    pub request: u64,
    /// The document's id, or the key.
    pub name: String,
    /// How it ended.
    pub end: EditEnd,
}

/// How an edit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditEnd {
    /// The document is written.
    Saved {
        /// Its new `_etag`.
        etag: String,
    },
    /// Somebody else wrote (or deleted) it after it was read: nothing was written.
    ChangedMeanwhile,
    /// The mapping's entries were sent to the cache.
    Written {
        /// Their keys; none where the mapping makes no entry of the document.
        keys: Vec<String>,
        /// At least one holds something else afterwards: the guard kept a newer version, or somebody wrote.
        kept: bool,
    },
    /// The key is gone.
    Deleted {
        /// It was there before.
        existed: bool,
    },
    /// Nothing was done.
    Refused {
        /// Why, and what to do next, in one line.
        reason: String,
    },
}
