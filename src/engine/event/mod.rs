//! What the engine tells: one enum, in our own types only, so that a screen, a table
//! and an NDJSON line can all be made from it without knowing a server.

mod bookmarks;
mod cache;
mod document;
mod drift;
mod edit;
mod feed;
mod leases;
mod mapping;
mod rebuild;
mod traffic;
mod verify;

use std::sync::Arc;

use jiff::Timestamp;

pub use crate::latency::{
    ExportForm, HeatMap, LatencyExport, LatencySnapshot, ProbeTiming, SlowProbe, Stage, StageSummary,
    TargetFigures, band_edge,
};
pub use crate::lease::{
    Bookmark, Change, ComparedLease, Comparison, LeaseDeed, LeaseOrder, LeaseOutcome, LeasePlan, LeaseStep,
    PlannedLease, RestoreOrder, RestoreOutcome, RestorePlan,
};
pub use crate::sync::verify::{Cause, Finding, FindingKind, Summary};
pub use crate::sync::{Diff, DiffKind, DiffLine, DiffRow, Difference, Folded, Side};
pub use bookmarks::{BookmarkAnswer, BookmarkList, BookmarkRow, BookmarkTold, Bookmarked, KeptPositions};
pub use cache::{CacheStatus, EntryRow, EntryState, EntryValue, FollowMode};
pub use document::{DocumentDetail, EntryDetail, SourceDocument, VersionSeen, Versions};
pub use drift::{DriftStatus, DriftWindow};
pub use edit::{EditEnd, EditOutcome};
pub use feed::{ChangeRow, FeedStatus, Field, Novelty};
pub use leases::{LeaseRow, LeaseSnapshot, SyncPhase, SyncStatus};
pub use mapping::{DeadLetterList, DeadLetterRow, MappingPreview, PreviewEntry, PreviewFault, RetryCounts};
pub use rebuild::{
    ForeignOwner, ProofKind, ProofStatus, RebuildPhase, RebuildPlan, RebuildReport, RebuildStatus,
};
pub use traffic::{JobStatus, TrafficStatus, Undoable};
pub use verify::{RepairCounts, VerifyPhase, VerifyStatus};

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
    /// Documents with folded versions of which more were written since their newest change was told.
    Versions(Vec<(String, Versions)>),
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
    /// Answer to [`super::Command::PlanLeases`].
    LeasePlan(Box<LeasePlan>),
    /// Answer to [`super::Command::DoLeases`].
    LeasesDone(LeaseOutcome),
    /// Answer to [`super::Command::SaveBookmark`].
    Bookmarked(Bookmarked),
    /// Answer to [`super::Command::Bookmarks`].
    Bookmarks(Box<BookmarkAnswer>),
    /// Progress or end of a verification or repair.
    Verify(VerifyStatus),
    /// A wrong entry that a verification has found.
    Finding(Box<Finding>),
    /// How much of what the continuous verification has sampled is in step.
    Drift(Box<DriftStatus>),
    /// Answer to [`super::Command::PreviewMapping`].
    MappingPreview(Box<MappingPreview>),
    /// Answer to [`super::Command::DeadLetters`].
    DeadLetters(Box<DeadLetterList>),
    /// State of the sample traffic (and of rated inserts).
    Traffic(TrafficStatus),
    /// Answer to [`super::Command::ShowDocument`].
    Document(Box<DocumentDetail>),
    /// Answer to [`super::Command::Compare`].
    Compared {
        /// The question this answers.
        request: u64,
        /// The two texts beside each other.
        diff: Arc<Diff>,
    },
    /// Answer to [`super::Command::ReportLatency`].
    LatencyReport(Box<LatencyExport>),
    /// Answer to [`super::Command::FindFiles`].
    Files {
        /// The text that was asked about.
        typed: String,
        /// Paths that begin with it, directories with a slash; capped.
        found: Vec<String>,
    },
    /// Answer to [`super::Command::Edit`].
    Edited(Box<EditOutcome>),
    /// What follows a subcommand so that it means the servers of this run, where they were not known at
    /// the start.
    SameAs(String),
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
    /// Not usable; tried again by itself.
    Down {
        /// `host:port`, without secrets.
        address: String,
        /// What failed, in one line.
        cause: String,
        /// What the user can do, in one line.
        remedy: String,
        /// When the next attempt starts; `None` = what is wrong does not pass by itself, such as a wrong key, and
        /// is looked at seldom.
        retry_at: Option<Timestamp>,
    },
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
