//! Poison documents: what cannot be mapped or written is kept here with its reason, so that it
//! neither blocks its lease nor vanishes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Most documents kept; older ones only stay counted.
const KEPT: usize = 200;

/// One document that was set aside.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// Its `id`, where it could be read.
    pub id: Option<String>,
    /// Why, in one line.
    pub reason: String,
    /// The document as Cosmos sent it.
    pub document: Bytes,
}

/// The newest documents that were set aside, and how many there were in all.
#[derive(Debug, Default)]
pub struct SetAsideList {
    count: AtomicU64,
    newest: Mutex<VecDeque<SetAside>>,
}

impl SetAsideList {
    /// Adds a document; beyond the cap the oldest one is let go (and stays counted).
    pub fn add(&self, item: SetAside) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.len() == KEPT {
            newest.pop_front();
        }
        newest.push_back(SetAside { document: Bytes::copy_from_slice(&item.document), ..item });
    }

    /// How many documents were set aside since the start.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The newest ones, oldest first.
    pub fn newest(&self) -> Vec<SetAside> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
