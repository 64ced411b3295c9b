//! The documents that were set aside, and which one is looked at.

use crate::engine::{DeadLetterList, DeadLetterRow};

/// State of the view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Letters {
    /// The newest answer; `None` = still being read.
    pub(crate) list: Option<Box<DeadLetterList>>,
    /// Name of the selected one.
    cursor: Option<String>,
    /// First line shown of its document.
    pub(crate) scroll: usize,
    /// A retry is under way.
    pub(crate) busy: bool,
}

impl Letters {
    /// Newest first, as the newest is what somebody asks about.
    pub(crate) fn rows(&self) -> Vec<&DeadLetterRow> {
        self.list.as_ref().map(|list| list.letters.iter().rev().collect()).unwrap_or_default()
    }

    /// Place of the selected one in [`Letters::rows`].
    pub(crate) fn place(&self) -> usize {
        let rows = self.rows();
        let cursor = self.cursor.as_deref();
        rows.iter().position(|row| Some(row.name.as_str()) == cursor).unwrap_or(0)
    }

    pub(crate) fn selected(&self) -> Option<&DeadLetterRow> {
        let place = self.place();
        self.rows().get(place).copied()
    }

    pub(crate) fn step(&mut self, by: isize) {
        let last = self.rows().len().saturating_sub(1);
        let place = self.place().saturating_add_signed(by).min(last);
        self.cursor = self.rows().get(place).map(|row| row.name.clone());
        self.scroll = 0;
    }

    pub(crate) fn go(&mut self, place: usize) {
        self.step(isize::try_from(place).unwrap_or(0) - isize::try_from(self.place()).unwrap_or(0));
    }

    pub(crate) fn answer(&mut self, list: Box<DeadLetterList>) {
        let place = self.place();
        self.list = Some(list);
        self.busy = false;
        // What left the list leaves the cursor at its place.
        let gone = self.cursor.as_ref().is_some_and(|name| self.rows().iter().all(|row| row.name != *name));
        if gone {
            let rows = self.rows();
            self.cursor = rows.get(place.min(rows.len().saturating_sub(1))).map(|row| row.name.clone());
            self.scroll = 0;
        }
    }
}
