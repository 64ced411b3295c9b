//! The feed pane: the newest changes, and where each document was seen last.

use std::collections::HashMap;

use super::ring::Ring;
use crate::engine::{ChangeRow, FeedStatus};

/// Rows and figures of the change feed.
#[derive(Debug, Clone)]
pub(crate) struct FeedPane {
    pub(crate) ring: Ring<ChangeRow>,
    pub(crate) status: FeedStatus,
    /// Number of the newest row of each document that has a row.
    newest: HashMap<String, u64>,
}

impl FeedPane {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { ring: Ring::new(capacity), status: FeedStatus::default(), newest: HashMap::new() }
    }

    pub(crate) fn push(&mut self, row: ChangeRow) {
        let id = row.id.clone();
        let (number, gone) = self.ring.push(row);
        self.newest.insert(id, number);
        if let Some((old, row)) = gone
            && self.newest.get(&row.id) == Some(&old)
        {
            self.newest.remove(&row.id);
        }
    }

    /// Number of the newest row of a document.
    pub(crate) fn newest_of(&self, id: &str) -> Option<u64> {
        self.newest.get(id).copied()
    }

    /// Documents that have a row: never more than rows.
    #[cfg(test)]
    pub(crate) fn documents(&self) -> usize {
        self.newest.len()
    }
}
