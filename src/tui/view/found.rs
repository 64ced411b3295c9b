//! What a filter found, marked in the rows: underlined and bold, so not by colour alone.

use ratatui::style::Style;

use super::masked;
use crate::tui::{
    model::{Filter, Model, Place, columns},
    widgets::{
        pen::{Align, Pen},
        text,
    },
};

/// Writes texts of a row and marks in them what its filter found.
pub(super) struct Finder<'m> {
    model: &'m Model,
    /// `None` where the row does not pass, or nothing may be told.
    filter: Option<&'m Filter>,
}

/// A cell of a row.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    /// The text as it is in the data.
    pub(super) written: &'a str,
    /// The whole text as it is shown, before mask and cut.
    pub(super) whole: &'a str,
    pub(super) place: Place<'a>,
    pub(super) columns: usize,
    pub(super) align: Align,
    pub(super) style: Style,
}

impl<'m> Finder<'m> {
    /// For a row that passes `filter`, or not. Under the mask nothing is marked: a mark would tell where
    /// the letters are that somebody looked for.
    pub(super) fn new(model: &'m Model, filter: &'m Filter, passes: bool) -> Self {
        Self { model, filter: Some(filter).filter(|filter| passes && !model.masked && !filter.is_none()) }
    }

    /// A text of a fixed number of columns: ids and keys are cut in the middle, values at the end.
    pub(super) fn cell(&self, pen: &mut Pen<'_>, cell: Cell<'_>) {
        let masked = masked(self.model, cell.whole);
        let shown = match cell.place {
            Place::Name(_) => text::middle(&masked, cell.columns),
            Place::Value(_) => text::end(&masked, cell.columns),
        };
        let start = pen.x();
        let columns = cell.columns.min(pen.rest());
        pen.cell(&shown, cell.columns, cell.align, cell.style);
        let pad = match cell.align {
            Align::Left => 0,
            Align::Right => columns.saturating_sub(text::width(&shown)),
        };
        let from = start.saturating_add(u16::try_from(pad).unwrap_or(u16::MAX));
        self.mark_number(pen, from, (cell.written, cell.whole), &shown, cell.place);
    }

    /// Marks in a text that was written from a column on.
    pub(super) fn mark(&self, pen: &mut Pen<'_>, from: u16, whole: &str, shown: &str, place: Place<'_>) {
        self.mark_number(pen, from, (whole, whole), shown, place);
    }

    /// The same where the whole text has separators that the data do not have.
    pub(super) fn mark_number(
        &self,
        pen: &mut Pen<'_>,
        from: u16,
        (written, whole): (&str, &str),
        shown: &str,
        place: Place<'_>,
    ) {
        let Some(filter) = self.filter else { return };
        let mut found = filter.found_in(written, place);
        if found.is_empty() {
            return;
        }
        if written != whole {
            found = among_separators(whole, &found);
        }
        for (column, width) in columns(whole, shown, &found) {
            pen.paint(from.saturating_add(column), width, self.model.theme.found);
        }
    }
}

/// Where characters of a number are, once it has separators.
fn among_separators(whole: &str, found: &[usize]) -> Vec<usize> {
    let places: Vec<usize> = whole.chars().enumerate().filter(|(_, c)| *c != ',').map(|(at, _)| at).collect();
    found.iter().filter_map(|at| places.get(*at).copied()).collect()
}

/// The first column of a row: the thread's mark, else that of a match where all rows are shown.
pub(super) fn gutter(model: &Model, pen: &mut Pen<'_>, marked: bool, hit: bool) {
    let sign = match (marked, hit) {
        (true, _) => "▌",
        (false, true) => "›",
        (false, false) => " ",
    };
    pen.put(sign, model.theme.accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_in_a_number_is_marked_around_its_separators() {
        // `28` and `99` of 1028.99; all of 1028.
        assert_eq!(among_separators("1,028.99", &[2, 3, 5, 6]), [3, 4, 6, 7]);
        assert_eq!(among_separators("1,028", &[0, 1, 2, 3]), [0, 2, 3, 4]);
    }
}
