//! The documents that were set aside, and which one is looked at.

use super::sort::{Column, Order, SortKey, Sorted, arrange};
use crate::engine::{DeadLetterList, DeadLetterRow};
use crate::tui::keymap::Action;

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
    order: Order,
}

impl Sorted for DeadLetterRow {
    const COLUMNS: &'static [Column] =
        &[Column::falling("time"), Column::rising("id"), Column::rising("reason"), Column::falling("size")];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            1 => SortKey::text(self.id.as_deref()),
            2 => SortKey::Text(&self.reason),
            3 => SortKey::Number(self.bytes as f64),
            _ => SortKey::Number(self.set_aside_at.as_microsecond() as f64),
        }
    }
}

impl Letters {
    /// Newest first unless sorted otherwise, as the newest is what somebody asks about.
    pub(crate) fn rows(&self) -> Vec<&DeadLetterRow> {
        let Some(list) = &self.list else { return Vec::new() };
        let rows = list.letters.iter().rev();
        if self.order.is_own() {
            return rows.collect();
        }
        let keyed = rows.map(|row| (row.sort_key(self.order.column), row));
        arrange(keyed, self.order, DeadLetterRow::COLUMNS, usize::MAX)
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// Sorts the list; the selected one stays so.
    pub(crate) fn set_order(&mut self, order: Order) {
        self.cursor = self.selected().map(|row| row.name.clone());
        self.order = order;
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

    /// Whether an action does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        match action {
            Action::Retry | Action::RetryAll | Action::Export | Action::Preview | Action::Copy => {
                self.selected().is_some()
            }
            _ => true,
        }
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
