//! The physical ranges of one container: which one holds a key, and commits.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use super::super::document::{Document, Key};
use super::super::keys::Epk;
use super::log::{Operation, Range};

/// A write that has been checked.
#[derive(Debug)]
pub(in super::super) enum Change {
    /// Created or replaced.
    Put {
        /// Where it lives.
        key: Key,
        /// The whole document.
        text: Bytes,
        /// Its new etag, in quotes.
        etag: Box<str>,
        /// Commit time, seconds since 1970.
        ts: u64,
        /// Its own time to live.
        ttl: Option<i64>,
        /// The end of its rid.
        ordinal: u64,
    },
    /// Deleted or expired.
    Remove {
        /// Where it lived.
        key: Key,
        /// Commit time, seconds since 1970.
        ts: u64,
        /// By whom.
        operation: Operation,
    },
}

/// Range and lsn of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Commit {
    pub(in super::super) range: u32,
    pub(in super::super) lsn: u64,
}

/// All ranges of a container, by their lower bound.
#[derive(Debug)]
pub(in super::super) struct Ranges {
    pub(super) live: Vec<Range>,
    pub(super) next_id: u32,
    /// Counts the changes of the layout; the etag of the list of ranges.
    pub(in super::super) generation: u64,
    /// `DefaultTimeToLive` of the container: `None` = off, -1 = on without a default.
    pub(super) default_ttl: Option<i64>,
    /// When documents expire, seconds since 1970.
    pub(super) expiries: BTreeSet<(u64, Key)>,
    /// Documents created so far; numbers their rids.
    pub(super) created: u64,
}

impl Ranges {
    /// Empty ranges with these inner bounds, ascending.
    pub(in super::super) fn new(bounds: &[Epk], default_ttl: Option<i64>) -> Self {
        let mut live: Vec<Range> = Vec::with_capacity(bounds.len() + 1);
        let mut min = Epk::MIN.clone();
        for (id, max) in (0_u32..).zip(bounds.iter().chain([&Epk::MAX])) {
            live.push(Range::new(id, min, max.clone()));
            min = max.clone();
        }
        let next_id = u32::try_from(live.len()).unwrap_or(u32::MAX);
        Self { live, next_id, generation: 1, default_ttl, expiries: BTreeSet::new(), created: 0 }
    }

    /// The ranges in order of their keys.
    pub(in super::super) fn live(&self) -> &[Range] {
        &self.live
    }

    /// The range of this id, if it still lives.
    pub(in super::super) fn by_id(&self, id: &str) -> Option<&Range> {
        let id: u32 = id.parse().ok()?;
        self.live.iter().find(|range| range.id == id)
    }

    /// The range that holds a key. Ranges cover the whole space, so the last one is the rest.
    pub(in super::super) fn of(&self, epk: &Epk) -> Option<&Range> {
        self.live.get(self.index(epk))
    }

    /// The latest version of a document.
    pub(in super::super) fn get(&self, key: &Key) -> Option<&Arc<Document>> {
        self.of(&key.0).and_then(|range| range.get(key))
    }

    pub(super) fn index(&self, epk: &Epk) -> usize {
        self.live.partition_point(|range| range.max <= *epk).min(self.live.len().saturating_sub(1))
    }

    /// Records changes of one logical partition as one transaction.
    pub(in super::super) fn commit(
        &mut self,
        epk: &Epk,
        changes: impl IntoIterator<Item = Change>,
    ) -> Commit {
        let index = self.index(epk);
        let Some(range) = self.live.get_mut(index) else { return Commit { range: 0, lsn: 0 } };
        range.lsn += 1;
        let lsn = range.lsn;
        for (part, change) in (0_u32..).zip(changes) {
            let (previous, new) = match change {
                Change::Put { key, text, etag, ts, ttl, ordinal } => {
                    let document = Arc::new(Document { key, text, etag, ts, ttl, lsn, part, ordinal });
                    (range.put(Arc::clone(&document)), Some(document))
                }
                Change::Remove { key, ts, operation } => (range.remove(&key, ts, operation), None),
            };
            if let Some(at) = previous.as_ref().and_then(|d| expiry(d, self.default_ttl)) {
                let key = previous.as_ref().map(|d| d.key.clone());
                key.map(|key| self.expiries.remove(&(at, key)));
            }
            if let Some((at, document)) =
                new.as_ref().and_then(|d| expiry(d, self.default_ttl).map(|at| (at, d)))
            {
                self.expiries.insert((at, document.key.clone()));
            }
        }
        Commit { range: range.id, lsn }
    }

    /// The ordinal of a new document.
    pub(in super::super) fn next_ordinal(&mut self) -> u64 {
        self.created += 1;
        self.created
    }

    /// Whether a document's time is over.
    pub(in super::super) fn has_expired(&self, now: u64) -> bool {
        self.expiries.first().is_some_and(|(at, _)| *at <= now)
    }

    /// Documents whose time is over.
    pub(in super::super) fn expired(&self, now: u64) -> Vec<Arc<Document>> {
        self.expiries
            .iter()
            .take_while(|(at, _)| *at <= now)
            .filter_map(|(_, key)| self.get(key).cloned())
            .collect()
    }

    /// `DefaultTimeToLive`.
    pub(in super::super) fn default_ttl(&self) -> Option<i64> {
        self.default_ttl
    }

    /// A new `DefaultTimeToLive`: it holds for what is already there too.
    pub(in super::super) fn set_default_ttl(&mut self, default_ttl: Option<i64>) {
        if self.default_ttl == default_ttl {
            return;
        }
        self.default_ttl = default_ttl;
        self.expiries = self
            .live
            .iter()
            .flat_map(|range| range.by_key(None))
            .filter_map(|d| expiry(d, default_ttl).map(|at| (at, d.key.clone())))
            .collect();
    }
}

/// When a document expires; a `ttl` of its own counts only where the container has the feature on.
pub(super) fn expiry(document: &Document, default_ttl: Option<i64>) -> Option<u64> {
    let default = default_ttl?;
    let seconds = u64::try_from(document.ttl.unwrap_or(default)).ok().filter(|s| *s > 0)?;
    Some(document.ts.saturating_add(seconds))
}
