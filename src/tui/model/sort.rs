//! Sorting of a pane by one of its columns.

use std::cmp::Ordering;

use itertools::Itertools as _;

use super::Pane;
use crate::engine::{ChangeRow, EntryRow, LeaseRow, LogLine, SlowProbe};

/// A column that rows can be sorted by.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its title.
    pub(crate) name: &'static str,
    /// The largest first, unless reversed.
    falling: bool,
}

impl Column {
    /// The largest first.
    pub(crate) const fn falling(name: &'static str) -> Self {
        Self { name, falling: true }
    }

    /// The smallest first.
    pub(crate) const fn rising(name: &'static str) -> Self {
        Self { name, falling: false }
    }
}

impl Pane {
    /// The columns that its rows can be sorted by.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Feed => ChangeRow::COLUMNS,
            Self::Leases => LeaseRow::COLUMNS,
            Self::Cache => EntryRow::COLUMNS,
            Self::Latency => SlowProbe::COLUMNS,
            Self::Log => LogLine::COLUMNS,
        }
    }
}

/// By which column a pane is sorted, and which way round. The default is how rows come by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Order {
    /// Place among the columns of its rows.
    pub(crate) column: usize,
    pub(crate) reversed: bool,
}

impl Order {
    /// As rows come by themselves.
    pub(crate) fn is_own(self) -> bool {
        self == Self::default()
    }

    /// The next column in its own direction.
    pub(crate) fn next(self, columns: &[Column]) -> Self {
        Self { column: (self.column + 1) % columns.len().max(1), reversed: false }
    }

    /// The other way round.
    pub(crate) fn turned(self) -> Self {
        Self { reversed: !self.reversed, ..self }
    }

    /// What a click on a column's title means: that column, and again: the other way round.
    pub(crate) fn clicked(self, column: usize) -> Self {
        if self.column == column { self.turned() } else { Self { column, reversed: false } }
    }

    fn is_falling(self, columns: &[Column]) -> bool {
        columns.get(self.column).is_some_and(|column| column.falling) != self.reversed
    }

    /// `▲` for the smallest first, `▼` for the largest.
    pub(crate) fn mark(self, columns: &[Column]) -> &'static str {
        if self.is_falling(columns) { "▼" } else { "▲" }
    }

    /// `by lag ▼`.
    pub(crate) fn words(self, columns: &[Column]) -> String {
        let name = columns.get(self.column).map_or("", |column| column.name);
        format!("by {name} {}", self.mark(columns))
    }
}

/// A row that can be sorted.
pub(crate) trait Sorted {
    /// Its columns; the first is how rows come by themselves.
    const COLUMNS: &'static [Column];

    /// What the row has in a column.
    fn sort_key(&self, column: usize) -> SortKey<'_>;
}

/// What a row is sorted by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SortKey<'a> {
    Number(f64),
    Text(&'a str),
    /// Comes last, whichever way round.
    Nothing,
}

impl<'a> SortKey<'a> {
    pub(crate) fn number(number: Option<f64>) -> Self {
        number.filter(|number| !number.is_nan()).map_or(Self::Nothing, Self::Number)
    }

    pub(crate) fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }

    /// A text that is mostly a number.
    pub(crate) fn number_or_text(text: &'a str) -> Self {
        match text.parse::<f64>() {
            Ok(number) if !number.is_nan() => Self::Number(number),
            _ => Self::Text(text),
        }
    }

    fn compare(&self, other: &Self, falling: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Nothing, Self::Nothing) => Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if falling { order.reverse() } else { order }
    }
}

/// Puts rows in order, equal ones as they are given; only the first `most`, which costs less.
pub(crate) fn arrange<'a, T>(
    rows: impl Iterator<Item = (SortKey<'a>, T)>,
    order: Order,
    columns: &[Column],
    most: usize,
) -> Vec<T> {
    arrange_by(rows.enumerate().map(|(place, (key, row))| (key, place, row)), order, columns, most)
}

/// The same of rows that come in any order, equal ones by what stands in the middle.
pub(crate) fn arrange_by<'a, P: Ord, T>(
    rows: impl Iterator<Item = (SortKey<'a>, P, T)>,
    order: Order,
    columns: &[Column],
    most: usize,
) -> Vec<T> {
    let falling = order.is_falling(columns);
    let compare = |a: &(SortKey<'a>, P, T), b: &(SortKey<'a>, P, T)| {
        a.0.compare(&b.0, falling).then_with(|| a.1.cmp(&b.1))
    };
    // Most rows are farther down than the last of the first ones: to see that takes one look at each.
    let sorted =
        if most == usize::MAX { rows.sorted_unstable_by(compare) } else { rows.k_smallest_by(most, compare) };
    sorted.map(|(_, _, row)| row).collect()
}

/// The places of a list of `count` rows behind (or before) one of them, round at the end and back to it;
/// without one, all from the top (or the bottom).
pub(crate) fn round(start: Option<usize>, count: usize, forward: bool) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| match (start, forward) {
        (Some(start), true) => (start + 1 + step) % count,
        (Some(start), false) => (start + 2 * count - 1 - step) % count,
        (None, true) => step,
        (None, false) => count - 1 - step,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::falling("time"), Column::rising("name")];

    #[test]
    fn nothing_comes_last_and_equal_rows_keep_their_order() {
        let keys = [
            SortKey::Nothing,
            SortKey::Text("b"),
            SortKey::Number(2.0),
            SortKey::Text("a"),
            SortKey::Text("b"),
        ];
        let sorted = |order, most| arrange(keys.into_iter().zip(0..), order, COLUMNS, most);
        let rising = Order { column: 1, reversed: false };
        assert_eq!(sorted(rising, 9), [2, 3, 1, 4, 0]);
        assert_eq!(sorted(rising.turned(), 9), [1, 4, 3, 2, 0]);
        assert_eq!(sorted(rising, 2), [2, 3]);
        assert_eq!(sorted(rising, 0), [0; 0]);
    }

    #[test]
    fn a_click_sorts_and_the_next_one_reverses() {
        let order = Order::default().clicked(1);
        assert_eq!(
            (order.words(COLUMNS), order.clicked(1).words(COLUMNS)),
            ("by name ▲".into(), "by name ▼".into())
        );
        assert!(order.next(COLUMNS).is_own() && !Order::default().clicked(0).is_own());
    }
}
