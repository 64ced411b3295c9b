//! The versions of documents as the feed brought them in this run: what "follow a document" shows,
//! and what price differences are made from. Bounded in documents and in versions of each.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use super::event::VersionSeen;

/// Documents remembered.
const DOCUMENTS: usize = 20_000;
/// Versions remembered of each.
const VERSIONS: usize = 20;

/// What is remembered of one document.
#[derive(Debug, Clone, Default)]
struct Past {
    versions: VecDeque<VersionSeen>,
    numbers: Vec<Option<f64>>,
    partition_key: Option<String>,
}

/// Shared between the feed observer, which writes it, and whoever shows a document.
#[derive(Debug, Clone)]
pub(super) struct History {
    documents: Arc<Mutex<LruCache<String, Past>>>,
}

impl Default for History {
    fn default() -> Self {
        let cap = NonZeroUsize::new(DOCUMENTS).unwrap_or(NonZeroUsize::MIN);
        Self { documents: Arc::new(Mutex::new(LruCache::new(cap))) }
    }
}

impl History {
    /// Adds a version; gives the numeric values of the version before, if one was seen.
    pub(super) fn add(
        &self,
        id: &str,
        partition_key: Option<&str>,
        version: VersionSeen,
        numbers: Vec<Option<f64>>,
    ) -> Option<Vec<Option<f64>>> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(past) = documents.get_mut(id) {
            if past.versions.len() == VERSIONS {
                past.versions.pop_back();
            }
            past.versions.push_front(version);
            past.partition_key = partition_key.map(str::to_owned);
            return Some(std::mem::replace(&mut past.numbers, numbers));
        }
        let past = Past {
            versions: VecDeque::from([version]),
            numbers,
            partition_key: partition_key.map(str::to_owned),
        };
        documents.put(id.to_owned(), past);
        None
    }

    /// Versions of a document, newest first.
    pub(super) fn versions(&self, id: &str) -> Vec<VersionSeen> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        documents.get(id).map(|past| past.versions.iter().cloned().collect()).unwrap_or_default()
    }

    /// JSON text of a document's partition key value, if it was seen.
    pub(super) fn partition_key(&self, id: &str) -> Option<String> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        documents.get(id).and_then(|past| past.partition_key.clone())
    }
}
