//! What the engine tells: one enum, in our own types only, so that a screen, a table
//! and an NDJSON line can all be made from it without knowing a server.

use std::time::Duration;

use jiff::Timestamp;

use crate::cosmos::EpkRange;
pub use crate::latency::{LatencySnapshot, ProbeTiming, Stage, StageSummary};
use crate::lease::LeaseKind;
pub use crate::sync::verify::{Cause, Finding, FindingKind, Summary};

/// Something that happened, or the newest state of something.
///
/// Rows come in batches: one event per page or poll, never one per document.
#[derive(Debug, Clone)]
pub enum Event {
    /// A connection changed its state.
    Connection(Server, ConnectionState),
    /// State of the built-in sync.
    Sync(SyncStatus),
    /// Changes seen by the feed observer, oldest first.
    Changes(Vec<ChangeRow>),
    /// How the feed observer is doing.
    Feed(FeedStatus),
    /// All leases of the observed prefix; replaces the snapshot before.
    Leases(LeaseSnapshot),
    /// Cache entries that appeared or changed (also in state or TTL).
    Entries(Vec<EntryRow>),
    /// Keys that are gone from the cache.
    EntriesRemoved(Vec<String>),
    /// The whole cache was emptied (FLUSHDB, FLUSHALL).
    CacheFlushed,
    /// Figures of the cache server and of our view on it.
    Cache(CacheStatus),
    /// Newest latency figures.
    Latency(LatencySnapshot),
    /// The plan that was asked for with [`super::Command::PlanRebuild`].
    RebuildPlan(Box<RebuildPlan>),
    /// Progress or end of a rebuild.
    Rebuild(RebuildStatus),
    /// Progress or end of a verification or repair.
    Verify(VerifyStatus),
    /// A wrong entry that a verification has found.
    Finding(Box<Finding>),
    /// State of the sample traffic (and of rated inserts).
    Traffic(TrafficStatus),
    /// Answer to [`super::Command::ShowDocument`].
    Document(Box<DocumentDetail>),
    /// A line for the activity pane.
    Log(LogLine),
    /// Telemetry events dropped so far because the receiver was slow (sum since start).
    Dropped(u64),
}

/// The two servers that syncscope talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// Cosmos DB, emulator or account.
    Cosmos,
    /// Redis or a server that speaks its protocol.
    Redis,
}

/// State of one connection, as shown in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    /// First attempt under way.
    Connecting {
        /// `host:port`, without secrets.
        address: String,
    },
    /// Usable.
    Up {
        /// `host:port`, without secrets.
        address: String,
        /// What answered, e.g. `embedded`, `redis 7.0.15`.
        product: String,
    },
    /// Not usable; tried again by itself unless `retry_at` is `None`.
    Down {
        /// `host:port`, without secrets.
        address: String,
        /// What failed, in one line.
        cause: String,
        /// What the user can do, in one line.
        remedy: String,
        /// When the next attempt starts.
        retry_at: Option<Timestamp>,
    },
}

/// State of the built-in sync.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncStatus {
    /// What it is doing.
    pub phase: SyncPhase,
    /// Leases owned by our instances.
    pub owned: usize,
    /// Leases of the prefix.
    pub leases: usize,
    /// Documents delivered and acknowledged by Redis since the sync started.
    pub delivered: u64,
    /// Documents per second, over the last seconds.
    pub rate: f64,
    /// Changes not passed yet, over all leases; `None` when not known.
    pub lag: Option<u64>,
    /// Documents set aside because they cannot be mapped or written.
    pub set_aside: u64,
    /// Every lease is ours, drained and checkpointed.
    pub idle: bool,
    /// Names of our instances, as they stand in the leases' `Owner`.
    pub instances: Vec<String>,
    /// The newest error that keeps the sync from going on, in one line.
    pub problem: Option<String>,
}

/// What the built-in sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncPhase {
    /// Not asked for: we only watch.
    #[default]
    Off,
    /// Asked for; waits for servers or leases.
    Joining,
    /// Delivers changes.
    Running,
    /// Holds its leases, delivers nothing.
    Paused,
    /// Finishes batches and releases its leases.
    Stopping,
    /// Stopped for a rebuild that is under way.
    Rebuilding,
}

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
}

/// A field of a document, ready to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Path in the document, e.g. `price.current`.
    pub name: String,
    /// The value as text.
    pub value: String,
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
    /// Changes per second over the last seconds.
    pub rate: f64,
    /// Number of feed ranges read.
    pub ranges: usize,
    /// Documents in the source, when counted.
    pub documents: Option<u64>,
    /// What keeps it from reading, in one line.
    pub problem: Option<String>,
}

/// All leases of one prefix at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaseSnapshot {
    /// Full prefix of the lease ids (processor name, host and rids).
    pub prefix: String,
    /// `database/container` of the leases.
    pub container: String,
    /// In order of their range.
    pub rows: Vec<LeaseRow>,
    /// Other prefixes in the same container, with the number of their leases.
    pub other_prefixes: Vec<(String, usize)>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// Why there is nothing to show, in one line with what to do next.
    pub problem: Option<String>,
}

/// One lease as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseRow {
    /// Document id.
    pub id: String,
    /// `LeaseToken`: range id or `min-max`.
    pub token: String,
    /// Who wrote it, in which form.
    pub kind: LeaseKind,
    /// The range, where the document tells it.
    pub range: Option<EpkRange>,
    /// The range as fractions of the key space, `0.0..=1.0`.
    pub share: Option<(f64, f64)>,
    /// Instance name of the owner; `None` when free.
    pub owner: Option<String>,
    /// The owner is one of our instances.
    pub mine: bool,
    /// Time of the owner's last write, by the owner's clock.
    pub heartbeat: Option<Timestamp>,
    /// No heartbeat within the expiration interval.
    pub expired: bool,
    /// Continuation, as shown: an LSN, or raw.
    pub continuation: Option<String>,
    /// Changes not passed yet (estimator's formula); `None` when not known.
    pub lag: Option<u64>,
}

/// One cache entry as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryRow {
    /// Redis key, as text (lossy where it is not UTF-8).
    pub key: String,
    /// Id of the document that the entry belongs to, where the mapping can tell.
    pub document_id: Option<String>,
    /// Redis type: `string`, `hash`, …
    pub kind: String,
    /// Length of the value in bytes (sum of fields for hashes), if known.
    pub size: Option<u64>,
    /// When it expires; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// Compared with the newest version of its document that was seen.
    pub state: EntryState,
    /// For an entry in step: how long after the change it got there. For our own writes from the
    /// acknowledgement, for others from the moment the change was seen in the feed.
    pub delay_ms: Option<f64>,
    /// When we saw it change last.
    pub changed_at: Timestamp,
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

/// Figures of the cache server and of our view on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CacheStatus {
    /// Keys in the database (DBSIZE).
    pub keys: Option<u64>,
    /// Bytes used by the server.
    pub used_memory: Option<u64>,
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

/// Progress of a verification, and of the repair after it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerifyStatus {
    /// Where it is.
    pub phase: VerifyPhase,
    /// Only about so many documents are compared.
    pub sample: Option<u64>,
    /// What was found so far.
    pub summary: Summary,
    /// What was repaired so far.
    pub repair: RepairCounts,
}

/// Phase of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum VerifyPhase {
    /// Documents and keys are read.
    #[default]
    Comparing,
    /// Everything was compared.
    Done,
    /// Findings are being mended.
    Repairing,
    /// The repair is through.
    Repaired,
    /// Ended early.
    Failed {
        /// What happened and what to do, in one line.
        reason: String,
    },
}

/// What became of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RepairCounts {
    /// Findings to mend.
    pub total: u64,
    /// Written from the source.
    pub written: u64,
    /// Orphans deleted.
    pub deleted: u64,
    /// Right by the time of the repair.
    pub was_right: u64,
    /// Left alone; the log says why.
    pub left: u64,
}

/// State of the sample traffic.
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
}

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
    /// The key that the mapping makes.
    pub key: Option<String>,
    /// The value that the mapping would write, if the document is there.
    pub expected: Option<String>,
    /// Comparison of the two.
    pub state: EntryState,
    /// Versions seen in this run, newest first, capped.
    pub versions: Vec<VersionSeen>,
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
}

/// A line of the activity pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How bad.
    pub level: Level,
    /// Which room speaks: `sync`, `lease`, `cache`, …
    pub room: &'static str,
    /// One line, no secrets.
    pub text: String,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something went as it should.
    Info,
    /// Worth a look; goes on by itself.
    Warning,
    /// Needs somebody.
    Error,
}
