//! Changes of the source as rows, and how the feed is doing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cosmos::EpkRange;

use super::Versions;

/// One change of the feed as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// Counts up with every change seen in this run.
    pub seq: u64,
    /// When our observer received it.
    pub seen_at: Timestamp,
    /// The document's `id`.
    pub id: String,
    /// JSON text of the partition key value (`"p-1"`, `7`, `null`), if it could be told.
    pub partition_key: Option<String>,
    /// The document's `_etag`, quotes included.
    pub etag: String,
    /// The document's `_lsn`, where the source delivers it.
    pub lsn: Option<u64>,
    /// Range of the key space that the page came from; links the change to its lease.
    pub range: EpkRange,
    /// Cache keys that the mapping makes of it (mostly one).
    pub keys: Vec<String>,
    /// Fields to show, in order: those that the template names, else the first scalars.
    pub fields: Vec<Field>,
    /// What is known of the version before.
    pub novelty: Novelty,
    /// Versions of this document so far, this one included.
    pub versions: Versions,
    /// The document's JSON, for questions about it; `None` where it is too large to be kept in a row.
    pub json: Option<Arc<str>>,
}

/// A field of a document, ready to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Path in the document, e.g. `price.current`.
    pub name: String,
    /// The value as text, as it is written in the document.
    pub value: String,
    /// It is a number there, not text that happens to be made of digits.
    pub number: bool,
    /// For numbers: the difference to the version seen before.
    pub delta: Option<f64>,
}

/// What is known of a change's version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// First version of a document that came while the feed was live.
    New,
    /// Another version was seen before in this run.
    Replaced,
    /// Not known (read while catching up).
    Unknown,
}

/// How the feed observer is doing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeedStatus {
    /// Every range answered "nothing new" at its last read.
    pub live: bool,
    /// Changes seen in this run.
    pub seen: u64,
    /// Changes seen but not sent on as rows, because there were too many.
    pub skipped: u64,
    /// Versions written by this program that the feed did not bring, because a later one came instead.
    pub folded: u64,
    /// Changes per second over the last seconds.
    pub rate: f64,
    /// Number of feed ranges read.
    pub ranges: usize,
    /// Documents in the source, when counted.
    pub documents: Option<u64>,
    /// When the range that has been silent longest answered last.
    pub read_at: Option<Timestamp>,
    /// Longest time between two reads of an idle range.
    pub poll_interval: Duration,
    /// What keeps it from reading, in one line.
    pub problem: Option<String>,
}
