//! What a verification finds, as data: one finding an entry, one summary a run.

use std::time::Duration;

/// A difference between source and cache that has stood the second look.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// The Redis key.
    pub key: String,
    /// The document's id, where known.
    pub id: Option<String>,
    /// JSON text of its partition key, where known.
    pub partition_key: Option<String>,
    /// What differs: fields (first few), the form found, or the times to live.
    pub details: Vec<String>,
    /// Why, as far as the evidence goes.
    pub cause: Cause,
    /// The evidence in one line.
    pub evidence: String,
    /// The document's LSN, where known.
    pub lsn: Option<u64>,
    /// How far the lease of its range had got, where known.
    pub lease_lsn: Option<u64>,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// A document without an entry.
    Missing,
    /// An entry with another value than its document makes.
    Stale,
    /// An entry that expires otherwise than the mapping says.
    WrongTtl,
    /// An entry of another type than the mapping writes.
    WrongEncoding,
    /// An entry without a document.
    Orphan,
}

impl FindingKind {
    /// All kinds, in the order of their discriminants.
    pub const ALL: [Self; 5] =
        [Self::Missing, Self::Stale, Self::WrongTtl, Self::WrongEncoding, Self::Orphan];

    /// The word for it, as in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::WrongTtl => "wrong-ttl",
            Self::WrongEncoding => "wrong-encoding",
            Self::Orphan => "orphan",
        }
    }
}

/// Why an entry is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The lease of its range has not passed the document yet.
    LeaseBehind,
    /// It was written a moment ago, and the change feed does not bring it yet.
    NotInFeed,
    /// No processor keeps a position for its range.
    NoLease,
    /// The lease has passed it, but there is no entry.
    NeverWritten,
    /// The lease has passed it, but the entry is an older version.
    OlderVersion,
    /// The server evicts keys.
    Evicted,
    /// The entry's life was over.
    Expired,
    /// The value is no version of the document.
    SomebodyElse,
    /// The value comes from this document by another mapping.
    OtherMapping,
    /// The document is gone; the feed tells no deletions.
    DocumentGone,
    /// The evidence decides nothing.
    Unknown,
}

impl Cause {
    /// The word for it, as in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::LeaseBehind => "lease-behind",
            Self::NotInFeed => "not-in-feed",
            Self::NoLease => "no-lease",
            Self::NeverWritten => "never-written",
            Self::OlderVersion => "older-version",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
            Self::SomebodyElse => "somebody-else",
            Self::OtherMapping => "other-mapping",
            Self::DocumentGone => "document-gone",
            Self::Unknown => "unknown",
        }
    }

    /// The cause in words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::LeaseBehind => "lease behind",
            Self::NotInFeed => "not in the feed yet",
            Self::NoLease => "no lease for its range",
            Self::NeverWritten => "delivered, never written or deleted since",
            Self::OlderVersion => "an older version",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
            Self::SomebodyElse => "written by somebody else",
            Self::OtherMapping => "another mapping",
            Self::DocumentGone => "document gone",
            Self::Unknown => "unknown",
        }
    }
}

/// Counts of a verification, so far or at its end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Documents looked at; one that changed meanwhile may count twice.
    pub documents: u64,
    /// Documents in the source when it began.
    pub total: Option<u64>,
    /// Documents whose entry is right.
    pub in_step: u64,
    /// See [`FindingKind::Missing`].
    pub missing: u64,
    /// See [`FindingKind::Stale`].
    pub stale: u64,
    /// See [`FindingKind::WrongTtl`].
    pub wrong_ttl: u64,
    /// See [`FindingKind::WrongEncoding`].
    pub wrong_encoding: u64,
    /// See [`FindingKind::Orphan`].
    pub orphans: u64,
    /// Documents that changed at every look, with an entry that followed: not judged.
    pub unsettled: u64,
    /// Documents that make no key.
    pub unmapped: u64,
    /// Keys of the cache looked at.
    pub keys: u64,
    /// Keys that no document made, of which the document cannot be told: not judged.
    pub undecided: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// Wrong entries.
    pub fn findings(&self) -> u64 {
        self.missing + self.stale + self.wrong_ttl + self.wrong_encoding + self.orphans
    }

    /// Nothing wrong.
    pub fn is_in_step(&self) -> bool {
        self.findings() == 0 && self.unmapped == 0
    }
}
