//! One document beside its cache entry.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::cosmos::EpkRange;
use crate::latency::ProbeTiming;
use crate::sync::{Diff, Difference};

use super::EntryState;
/// A document beside its cache entry.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentDetail {
    /// The question this answers: the receiver discards answers to older ones.
    pub request: u64,
    /// The document's id.
    pub id: String,
    /// The document as it is in the source now; `None` = not there.
    pub source: Result<Option<SourceDocument>, String>,
    /// The entry as it is in the cache now; `None` = not there.
    pub entry: Result<Option<EntryDetail>, String>,
    /// The key looked at: the one asked for, else the first that the mapping makes.
    pub key: Option<String>,
    /// All keys that the mapping makes of the document.
    pub keys: Vec<String>,
    /// The value that the mapping would write under the key, if the document is there.
    pub expected: Option<String>,
    /// Comparison of the two.
    pub state: EntryState,
    /// How the entry is wrong, by the judge of verify; `None` = in step, or not to be told.
    pub difference: Option<Difference>,
    /// What the mapping would write beside what the entry holds.
    pub diff: Arc<Diff>,
    /// Versions seen in this run, newest first, capped.
    pub versions: Vec<VersionSeen>,
    /// How many were written and how many the feed delivered.
    pub counts: Versions,
    /// Milliseconds of each stage of the newest probe of this document.
    pub timing: Option<ProbeTiming>,
}

/// A document of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDocument {
    /// JSON text as Cosmos sent it.
    pub json: String,
    /// `_etag` with quotes.
    pub etag: String,
    /// `_ts`: last write in seconds since 1970.
    pub ts: i64,
    /// `_lsn`, where known.
    pub lsn: Option<u64>,
}

/// A cache entry in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDetail {
    /// Redis type.
    pub kind: String,
    /// The value as text, decoded by its encoding; lossy where it is not UTF-8.
    pub value: String,
    /// The same as bytes: the string, or the `data` of a hash as .NET writes it.
    pub raw: Bytes,
    /// Bytes.
    pub size: u64,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
}

/// One version of a document as the feed brought it.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionSeen {
    /// When.
    pub seen_at: Timestamp,
    /// `_etag`.
    pub etag: String,
    /// `_lsn`.
    pub lsn: Option<u64>,
    /// The first shown field.
    pub summary: String,
    /// Range of the page that brought it; links it to its lease.
    pub range: EpkRange,
    /// The document, while the newest bodies are kept.
    pub json: Option<Arc<str>>,
    /// How long each stage took, where it was a probe.
    pub timing: Option<ProbeTiming>,
}

/// Versions of a document in this run. The feed brings only the latest version that it has at each
/// read: those before are folded into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Versions {
    /// Written by this program.
    pub written: u64,
    /// Delivered by the feed, also those of other writers.
    pub delivered: u64,
    /// Written by this program and never delivered, because a later one was.
    pub folded: u64,
}
