//! The log of one physical range: the latest version of each document in order of its commit, and a
//! bounded history of all versions and deletes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::super::document::{Document, Key};
use super::super::keys::Epk;
use super::ranges::Commit;

/// Versions kept per range for the all-versions feed; the oldest go first. Bounds the memory that
/// replaced documents may hold.
const HISTORY: usize = 20_000;

/// What happened to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Operation {
    /// It was not there before.
    Create,
    /// It was.
    Replace,
    /// It is gone, by a client.
    Delete,
    /// It is gone, by its time to live.
    Expire,
}

/// One entry of the all-versions feed.
#[derive(Debug, Clone)]
pub(in super::super) struct Version {
    pub(in super::super) lsn: u64,
    pub(in super::super) operation: Operation,
    /// Commit time, seconds since 1970.
    pub(in super::super) ts: u64,
    /// The document after the change.
    pub(in super::super) current: Option<Arc<Document>>,
    /// The document before it.
    pub(in super::super) previous: Option<Arc<Document>>,
}

/// A physical range: `[min, max)` of the key space and what was committed in it.
#[derive(Debug)]
pub(in super::super) struct Range {
    pub(in super::super) id: u32,
    pub(in super::super) min: Epk,
    pub(in super::super) max: Epk,
    /// Ids of the ranges that this one came from, the oldest first.
    pub(in super::super) parents: Vec<u32>,
    /// The last commit.
    pub(in super::super) lsn: u64,
    /// Latest versions by (lsn, place in the transaction, document): after a merge two documents may
    /// share the first two.
    pub(super) log: BTreeMap<(u64, u32, Key), Arc<Document>>,
    pub(super) documents: BTreeMap<Key, Arc<Document>>,
    pub(super) history: VecDeque<Version>,
    /// Commits up to this one are no longer in the history.
    pub(super) forgotten: u64,
}

impl Range {
    /// An empty range.
    pub(super) fn new(id: u32, min: Epk, max: Epk) -> Self {
        Self {
            id,
            min,
            max,
            parents: Vec::new(),
            lsn: 0,
            log: BTreeMap::new(),
            documents: BTreeMap::new(),
            history: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Whether documents of this key live here.
    pub(in super::super) fn holds(&self, epk: &Epk) -> bool {
        self.min <= *epk && *epk < self.max
    }

    /// The latest version.
    pub(in super::super) fn get(&self, key: &Key) -> Option<&Arc<Document>> {
        self.documents.get(key)
    }

    /// Latest versions by key, from `after` (exclusive).
    pub(in super::super) fn by_key<'a>(
        &'a self,
        after: Option<&'a Key>,
    ) -> impl Iterator<Item = &'a Arc<Document>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.documents.range((from, Unbounded)).map(|(_, document)| document)
    }

    /// Latest versions in commit order after `lsn`.
    pub(in super::super) fn since(&self, lsn: u64) -> impl Iterator<Item = &Arc<Document>> {
        let from = (lsn.saturating_add(1), 0, (Epk::MIN.clone(), Box::from("")));
        self.log.range(from..).map(|(_, document)| document)
    }

    /// Latest versions of one logical partition in commit order after `lsn`.
    pub(in super::super) fn since_of_key(&self, epk: &Epk, lsn: u64) -> Vec<&Arc<Document>> {
        let from = (epk.clone(), Box::from(""));
        let mut found: Vec<_> = self
            .documents
            .range(from..)
            .map(|(_, document)| document)
            .take_while(|document| document.key.0 == *epk)
            .filter(|document| document.lsn > lsn)
            .collect();
        found.sort_by_key(|document| (document.lsn, document.part));
        found
    }

    /// All versions after `lsn`, or `None` if some of them are no longer kept.
    pub(in super::super) fn versions_since(&self, lsn: u64) -> Option<impl Iterator<Item = &Version>> {
        let from = self.history.partition_point(|version| version.lsn <= lsn);
        (lsn >= self.forgotten).then(|| self.history.range(from..))
    }

    /// Where this range stands.
    pub(in super::super) fn commit_now(&self) -> Commit {
        Commit { range: self.id, lsn: self.lsn }
    }

    /// Records a version under the current lsn; `Some` = what was replaced.
    pub(super) fn put(&mut self, document: Arc<Document>) -> Option<Arc<Document>> {
        let previous = self.documents.insert(document.key.clone(), Arc::clone(&document));
        if let Some(previous) = &previous {
            self.log.remove(&place(previous));
        }
        self.log.insert(place(&document), Arc::clone(&document));
        self.remember(Version {
            lsn: document.lsn,
            operation: if previous.is_some() { Operation::Replace } else { Operation::Create },
            ts: document.ts,
            current: Some(document),
            previous: previous.clone(),
        });
        previous
    }

    /// Records a deletion under the current lsn; `None` = there was nothing.
    pub(super) fn remove(&mut self, key: &Key, ts: u64, operation: Operation) -> Option<Arc<Document>> {
        let previous = self.documents.remove(key)?;
        self.log.remove(&place(&previous));
        self.remember(Version {
            lsn: self.lsn,
            operation,
            ts,
            current: None,
            previous: Some(Arc::clone(&previous)),
        });
        Some(previous)
    }

    fn remember(&mut self, version: Version) {
        self.history.push_back(version);
        while self.history.len() > HISTORY {
            if let Some(oldest) = self.history.pop_front() {
                self.forgotten = oldest.lsn;
            }
        }
    }
}

/// Where a document stands in the log.
pub(super) fn place(document: &Document) -> (u64, u32, Key) {
    (document.lsn, document.part, document.key.clone())
}
