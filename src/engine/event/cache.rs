//! Entries of the cache as rows, and how the cache is doing.

use std::sync::Arc;

use jiff::Timestamp;

use crate::cache::{DistributedExpiry, Encoding};

/// One cache entry as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryRow {
    /// Redis key, as text; where it is not UTF-8, a text that leads back to it.
    pub key: String,
    /// Id of the document that the entry belongs to, where the mapping can tell.
    pub document_id: Option<String>,
    /// Redis type: `string`, `hash`, …
    pub kind: String,
    /// Length of the value in bytes (sum of fields for hashes), if known.
    pub size: Option<u64>,
    /// When it expires; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// What it holds, decoded; `None` where nothing was read.
    pub value: Option<Arc<EntryValue>>,
    /// Compared with the newest version of its document that was seen.
    pub state: EntryState,
    /// For an entry in step: how long after the change it got there. For our own writes from the
    /// acknowledgement, for others from the moment the change was seen in the feed.
    pub delay_ms: Option<f64>,
    /// When we saw it change last.
    pub changed_at: Timestamp,
}

/// What an entry holds, decoded by its encoding: enough for a few lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryValue {
    /// How it is kept.
    pub encoding: Encoding,
    /// The beginning of the payload, at most 400 characters; bytes that are no text in hexadecimal.
    pub text: Box<str>,
    /// There is more of it.
    pub cut: bool,
    /// The end that .NET wrote beside it.
    pub expiry: Option<DistributedExpiry>,
}

/// An entry compared with its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryState {
    /// Equal to the newest version seen.
    InStep,
    /// Changed in the source a moment ago, not in the cache yet.
    Pending,
    /// Different from the source for longer than a moment.
    Stale,
    /// A document without an entry.
    Missing,
    /// An entry without a document.
    Orphan,
    /// Not compared: the document has not been seen in this run.
    Unknown,
}

impl EntryState {
    /// In one word or two, as `watch cache --json` tells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InStep => "in step",
            Self::Pending => "pending",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Orphan => "orphan",
            Self::Unknown => "unknown",
        }
    }
}

/// Figures of the cache server and of our view on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CacheStatus {
    /// Keys in the database (DBSIZE).
    pub keys: Option<u64>,
    /// Bytes used by the server.
    pub used_memory: Option<u64>,
    /// Its limit in bytes; `None` = none.
    pub maxmemory: Option<u64>,
    /// What it does at the limit, e.g. `noeviction`.
    pub maxmemory_policy: Option<String>,
    /// Keys evicted since it started.
    pub evicted_keys: u64,
    /// Keys expired since it started.
    pub expired_keys: u64,
    /// Lookups since it started that found a key; ours count, too.
    pub hits: u64,
    /// Lookups since it started that found nothing.
    pub misses: u64,
    /// Commands per second, as it measures them.
    pub ops_per_sec: u64,
    /// When these figures were read.
    pub read_at: Option<Timestamp>,
    /// Changes that came too fast to be noted one by one: everything is looked through again.
    pub missed: u64,
    /// Number of the database.
    pub database: i64,
    /// How changes reach us.
    pub follow: FollowMode,
    /// The first SCAN is through.
    pub scanned: bool,
    /// Entries known in step, out of those compared.
    pub in_step: u64,
    /// Entries compared with a document.
    pub compared: u64,
    /// Entries that exist but are beyond our window and not shown.
    pub beyond_window: u64,
    /// What keeps us from seeing, in one line.
    pub problem: Option<String>,
}

/// How changes of the cache reach us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FollowMode {
    /// Not yet decided.
    #[default]
    Unknown,
    /// `CLIENT TRACKING … BCAST` with RESP3.
    Tracking,
    /// Keyspace notifications.
    Notifications,
    /// Repeated SCAN only; changes show late.
    Polling {
        /// Why nothing better is possible.
        reason: String,
    },
}
