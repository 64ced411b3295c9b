//! The ranges of a container taken out at one instant, and put back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::document::{Document, Key};
use super::super::keys::Epk;
use super::log::{Operation, Range, Version, place};
use super::ranges::{Ranges, expiry};

/// A range without its documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct RangeState {
    pub(in super::super) id: u32,
    /// Hexadecimal, as clients see it.
    pub(in super::super) min: String,
    pub(in super::super) max: String,
    #[serde(default)]
    pub(in super::super) parents: Vec<u32>,
    pub(in super::super) lsn: u64,
    #[serde(default)]
    pub(in super::super) forgotten: u64,
}

/// What is not in any one range.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct Layout {
    pub(in super::super) ranges: Vec<RangeState>,
    pub(in super::super) next_range: u32,
    pub(in super::super) generation: u64,
    /// Documents created so far.
    pub(in super::super) created: u64,
}

/// Documents and history of a container at one instant; shares them with the container.
#[derive(Debug)]
pub(in super::super) struct Content {
    pub(in super::super) layout: Layout,
    /// Latest versions that the history does not have, range by range.
    pub(in super::super) latest: Vec<Arc<Document>>,
    pub(in super::super) history: Vec<Version>,
}

impl Ranges {
    /// Takes everything out; what it costs is a pointer per document.
    pub(in super::super) fn content(&self) -> Content {
        let mut content = Content {
            layout: Layout {
                ranges: self.live.iter().map(state_of).collect(),
                next_range: self.next_id,
                generation: self.generation,
                created: self.created,
            },
            latest: Vec::new(),
            history: Vec::new(),
        };
        for range in &self.live {
            let told: HashSet<*const Document> = range
                .history
                .iter()
                .filter_map(|version| version.current.as_ref())
                .map(Arc::as_ptr)
                .collect();
            let latest = range.log.values().filter(|document| !told.contains(&Arc::as_ptr(document)));
            content.latest.extend(latest.cloned());
            content.history.extend(range.history.iter().cloned());
        }
        content
    }

    /// Empty ranges of this layout. `Err`: what is wrong with it.
    pub(in super::super) fn restored(layout: &Layout, default_ttl: Option<i64>) -> Result<Self, String> {
        let mut live = Vec::with_capacity(layout.ranges.len());
        let mut min = Epk::MIN.clone();
        let mut ids = HashSet::new();
        for state in &layout.ranges {
            let bound = |hex: &str| {
                Epk::try_from(hex.to_owned()).map_err(|_| format!("range {} has no bounds", state.id))
            };
            let max = bound(&state.max)?;
            if bound(&state.min)? != min || max <= min {
                return Err(format!("range {} does not begin where the one before it ends", state.id));
            }
            if !ids.insert(state.id) || state.id >= layout.next_range {
                return Err(format!("the id {} of a range is not its own", state.id));
            }
            let mut range = Range::new(state.id, min, max.clone());
            range.parents.clone_from(&state.parents);
            range.lsn = state.lsn;
            range.forgotten = state.forgotten;
            live.push(range);
            min = max;
        }
        if min != Epk::MAX {
            return Err("the ranges do not reach the end of the key space".to_owned());
        }
        let mut ranges = Self::new(&[], default_ttl);
        (ranges.live, ranges.next_id) = (live, layout.next_range);
        (ranges.generation, ranges.created) = (layout.generation, layout.created);
        Ok(ranges)
    }

    /// Puts a latest version in. `Err`: why it cannot have been there.
    pub(in super::super) fn put_back(&mut self, document: &Arc<Document>) -> Result<(), &'static str> {
        let default_ttl = self.default_ttl;
        self.created = self.created.max(document.ordinal);
        let range = self.range_of(&document.key.0, document.lsn)?;
        if range.log.insert(place(document), Arc::clone(document)).is_some() {
            return Err("another document has its place in the log");
        }
        if let Some(other) = range.documents.insert(document.key.clone(), Arc::clone(document)) {
            range.log.remove(&place(&other));
            self.forget_expiry(&other);
        }
        if let Some(at) = expiry(document, default_ttl) {
            self.expiries.insert((at, document.key.clone()));
        }
        Ok(())
    }

    /// Puts a version into the history, and what it did into the documents.
    pub(in super::super) fn replay(&mut self, key: &Key, version: Version) -> Result<(), &'static str> {
        let range = self.range_of(&key.0, version.lsn)?;
        if range.history.back().is_some_and(|last| last.lsn > version.lsn) {
            return Err("it is older than the version before it");
        }
        range.history.push_back(version.clone());
        match (version.operation, version.current) {
            (Operation::Create | Operation::Replace, Some(document)) => self.put_back(&document),
            (Operation::Delete | Operation::Expire, None) => {
                let range = self.range_of(&key.0, version.lsn)?;
                if let Some(gone) = range.documents.remove(key) {
                    range.log.remove(&place(&gone));
                    self.forget_expiry(&gone);
                }
                Ok(())
            }
            _ => Err("its operation and its document contradict each other"),
        }
    }

    fn forget_expiry(&mut self, document: &Document) {
        if let Some(at) = expiry(document, self.default_ttl) {
            self.expiries.remove(&(at, document.key.clone()));
        }
    }

    fn range_of(&mut self, epk: &Epk, lsn: u64) -> Result<&mut Range, &'static str> {
        let index = self.index(epk);
        let range = self.live.get_mut(index).ok_or("the container has no ranges")?;
        if lsn == 0 || lsn > range.lsn {
            return Err("its lsn is beyond its range's");
        }
        Ok(range)
    }
}

fn state_of(range: &Range) -> RangeState {
    RangeState {
        id: range.id,
        min: range.min.to_hex(),
        max: range.max.to_hex(),
        parents: range.parents.clone(),
        lsn: range.lsn,
        forgotten: range.forgotten,
    }
}

/// The last version of each document that a history has told so far: what the next one replaces is not
/// written twice.
#[derive(Debug, Default)]
pub(in super::super) struct Told(HashMap<Key, Arc<Document>>);

impl Told {
    /// The version of this document that was told last.
    pub(in super::super) fn last(&self, key: &Key) -> Option<&Arc<Document>> {
        self.0.get(key)
    }

    /// Keeps in mind what a version made of the document.
    pub(in super::super) fn tell(&mut self, key: Key, current: Option<&Arc<Document>>) {
        match current {
            Some(document) => self.0.insert(key, Arc::clone(document)),
            None => self.0.remove(&key),
        };
    }
}
