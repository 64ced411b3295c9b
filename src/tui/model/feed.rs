//! The feed pane: the newest changes, and where each document was seen last.

use std::collections::{HashMap, VecDeque};

use super::{
    ring::Ring,
    sort::{Column, SortKey, Sorted},
};
use crate::engine::{ChangeRow, FeedStatus, Versions};

/// Bytes of documents kept for questions about them; beyond it the oldest are forgotten, and a question
/// about those is answered with "not judged".
const DOCUMENTS: usize = 32 << 20;

/// Rows and figures of the change feed.
#[derive(Debug, Clone)]
pub(crate) struct FeedPane {
    pub(crate) ring: Ring<ChangeRow>,
    pub(crate) status: FeedStatus,
    /// Number of the newest row of each document that has a row.
    newest: HashMap<String, u64>,
    /// Rows that have their document, oldest first, with its length.
    documents: VecDeque<(u64, usize)>,
    document_bytes: usize,
}

impl FeedPane {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            ring: Ring::new(capacity),
            status: FeedStatus::default(),
            newest: HashMap::new(),
            documents: VecDeque::new(),
            document_bytes: 0,
        }
    }

    pub(crate) fn push(&mut self, row: ChangeRow) {
        let id = row.id.clone();
        let bytes = row.json.as_ref().map(|json| json.len());
        let (number, gone) = self.ring.push(row);
        if let Some(bytes) = bytes {
            self.documents.push_back((number, bytes));
            self.document_bytes += bytes;
        }
        self.forget_documents(gone.as_ref().map(|(number, _)| *number));
        self.newest.insert(id, number);
        if let Some((old, row)) = gone
            && self.newest.get(&row.id) == Some(&old)
        {
            self.newest.remove(&row.id);
        }
    }

    /// Forgets the documents of rows that are gone, and the oldest beyond what may be kept.
    fn forget_documents(&mut self, gone: Option<u64>) {
        while let Some((number, bytes)) = self.documents.front().copied()
            && (self.document_bytes > DOCUMENTS || gone.is_some_and(|gone| number <= gone))
        {
            self.documents.pop_front();
            self.document_bytes -= bytes;
            if let Some(row) = self.ring.get_mut(number) {
                row.json = None;
            }
        }
    }

    /// More versions of a document were written than its newest row knows.
    pub(crate) fn count(&mut self, id: &str, versions: Versions) {
        let row = self.newest.get(id).and_then(|number| self.ring.get_mut(*number));
        if let Some(row) = row {
            row.versions = versions;
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

impl Sorted for ChangeRow {
    const COLUMNS: &'static [Column] = &[
        Column::falling("time"),
        Column::rising("id"),
        Column::falling("value"),
        Column::falling("change"),
        Column::rising("key"),
        Column::falling("lsn"),
    ];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            1 => SortKey::Text(&self.id),
            2 => self.fields.first().map_or(SortKey::Nothing, |field| SortKey::number_or_text(&field.value)),
            3 => SortKey::number(self.fields.iter().find_map(|field| field.delta)),
            4 => SortKey::text(self.keys.first().map(String::as_str)),
            5 => SortKey::number(self.lsn.map(|lsn| lsn as f64)),
            _ => SortKey::Number(self.seq as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tests::fixture;

    #[test]
    fn documents_are_kept_up_to_a_bound_and_go_with_their_rows() {
        let mut feed = FeedPane::new(100);
        for seq in 0..250 {
            let mut row = fixture::change(seq, &format!("p-{seq}"), 1.0, None, 0, 0);
            row.json = Some("x".repeat(DOCUMENTS / 50).into());
            feed.push(row);
        }
        let kept = feed.ring.iter().filter(|(_, row)| row.json.is_some()).count();
        assert_eq!((feed.ring.len(), kept), (100, 50));
        for seq in 250..350 {
            feed.push(fixture::change(seq, "small", 1.0, None, 0, 0));
        }
        assert!(feed.document_bytes < 100_000 && feed.documents.len() == 100);
    }
}
