//! A bounded list of newest-first rows that can be filtered, and that stands still while somebody
//! scrolls in it. Rows are known by a number that never changes, so rows that come or go do not move
//! the cursor to another row.

use std::collections::VecDeque;

use super::filter::{Filter, Filtered};

/// Where a list that was scrolled stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Number of the row under the cursor.
    pub(crate) cursor: u64,
    /// Number of the first row shown.
    top: u64,
    /// Number that the next row had when the list was stopped.
    stopped_at: u64,
}

/// Rows, newest first when shown.
#[derive(Debug, Clone)]
pub(crate) struct Ring<T> {
    rows: VecDeque<T>,
    /// Number of the oldest row kept.
    first: u64,
    capacity: usize,
    filter: Filter,
    /// Numbers of the rows that pass; used only while there is a filter.
    hits: VecDeque<u64>,
    hold: Option<Hold>,
}

impl<T: Filtered> Ring<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            first: 0,
            capacity: capacity.max(1),
            filter: Filter::None,
            hits: VecDeque::new(),
            hold: None,
        }
    }

    /// Adds the newest row; gives back its number and the oldest row if that had to go.
    pub(crate) fn push(&mut self, row: T) -> (u64, Option<(u64, T)>) {
        let number = self.next();
        if !self.filter.is_none() && row.passes(&self.filter) {
            self.hits.push_back(number);
        }
        self.rows.push_back(row);
        let mut gone = None;
        if self.rows.len() > self.capacity {
            gone = self.rows.pop_front().map(|row| (self.first, row));
            self.first += 1;
            while self.hits.front().is_some_and(|hit| *hit < self.first) {
                self.hits.pop_front();
            }
        }
        (number, gone)
    }

    fn next(&self) -> u64 {
        self.first + self.rows.len() as u64
    }

    /// Rows kept.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row of a number, if it is still kept.
    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        self.rows.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The newest row, filter or not.
    pub(crate) fn newest(&self) -> Option<&T> {
        self.rows.back()
    }

    /// All rows, newest first, filter or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.rows.iter().enumerate().rev().map(|(i, row)| (self.first + i as u64, row))
    }

    /// Rows that pass the filter.
    pub(crate) fn shown(&self) -> usize {
        if self.filter.is_none() { self.rows.len() } else { self.hits.len() }
    }

    /// The shown row at a place, 0 = newest.
    pub(crate) fn at(&self, place: usize) -> Option<(u64, &T)> {
        let back = self.shown().checked_sub(place + 1)?;
        let number = if self.filter.is_none() { self.first + back as u64 } else { *self.hits.get(back)? };
        Some((number, self.get(number)?))
    }

    /// The place of a number among the shown rows, or the nearest newer one.
    pub(crate) fn place(&self, number: u64) -> usize {
        let older = if self.filter.is_none() {
            usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
        } else {
            self.hits.partition_point(|hit| *hit < number)
        };
        self.shown().saturating_sub(1).saturating_sub(older)
    }

    pub(crate) fn set_filter(&mut self, filter: Filter) {
        if filter == self.filter {
            return;
        }
        self.hits.clear();
        if !filter.is_none() {
            let first = self.first;
            let passing = self.rows.iter().enumerate().filter(|(_, row)| row.passes(&filter));
            self.hits.extend(passing.map(|(i, _)| first + i as u64));
        }
        self.filter = filter;
    }

    /// Rows that came since the list was stopped; `None` while it follows.
    pub(crate) fn waiting(&self) -> Option<usize> {
        let hold = self.hold?;
        Some(if self.filter.is_none() {
            usize::try_from(self.next() - hold.stopped_at).unwrap_or(usize::MAX).min(self.rows.len())
        } else {
            self.hits.len() - self.hits.partition_point(|hit| *hit < hold.stopped_at)
        })
    }

    /// Number of the row under the cursor; `None` while the list follows.
    pub(crate) fn cursor(&self) -> Option<u64> {
        self.hold.map(|hold| hold.cursor)
    }

    /// Place of the first row to show.
    pub(crate) fn top(&self) -> usize {
        self.hold.map_or(0, |hold| self.place(hold.top))
    }

    /// Goes on following the newest row.
    pub(crate) fn follow(&mut self) {
        self.hold = None;
    }

    /// Stops the list with the cursor on a row, keeping it in a window of `height` rows.
    pub(crate) fn stop_at(&mut self, number: u64, height: usize) {
        let place = self.place(number);
        let Some((cursor, _)) = self.at(place) else { return };
        let height = height.max(1);
        let mut top = self.top();
        if place < top {
            top = place;
        } else if place >= top + height {
            top = place + 1 - height;
        }
        let top = self.at(top).map_or(cursor, |(number, _)| number);
        let stopped_at = self.hold.map_or_else(|| self.next(), |hold| hold.stopped_at);
        self.hold = Some(Hold { cursor, top, stopped_at });
    }

    /// Moves the cursor by rows (negative = to newer ones); a step beyond the newest follows again.
    /// `from` is where the cursor starts when the list follows. Gives the row that it is on now.
    pub(crate) fn step(&mut self, rows: isize, from: Option<u64>, height: usize) -> Option<u64> {
        if self.shown() == 0 {
            return None;
        }
        let start = match (self.cursor(), from) {
            (Some(cursor), _) => Some(self.place(cursor)),
            (None, Some(from)) if self.get(from).is_some() => Some(self.place(from)),
            _ => None,
        };
        let place = match start {
            Some(place) => {
                let target = place.saturating_add_signed(rows);
                if rows < 0 && place == 0 {
                    self.follow();
                    return self.at(0).map(|(number, _)| number);
                }
                target.min(self.shown() - 1)
            }
            None if rows > 0 => usize::try_from(rows - 1).unwrap_or(0).min(self.shown() - 1),
            None => 0,
        };
        let (number, _) = self.at(place)?;
        self.stop_at(number, height);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Filtered for u32 {
        fn passes(&self, filter: &Filter) -> bool {
            match filter {
                Filter::Text(text) => self.to_string().contains(text.as_str()),
                _ => true,
            }
        }
    }

    fn shown(ring: &Ring<u32>, height: usize) -> Vec<u32> {
        (ring.top()..ring.top() + height).filter_map(|place| ring.at(place)).map(|(_, row)| *row).collect()
    }

    #[test]
    fn stands_still_while_scrolled_and_counts_what_came() {
        let mut ring = Ring::new(10);
        (0..5).for_each(|n| {
            ring.push(n);
        });
        assert_eq!(shown(&ring, 3), [4, 3, 2]);
        assert_eq!(ring.step(1, None, 3), Some(4));
        ring.step(3, None, 3);
        assert_eq!(shown(&ring, 3), [3, 2, 1]);
        (5..9).for_each(|n| {
            ring.push(n);
        });
        assert_eq!(shown(&ring, 3), [3, 2, 1], "new rows do not move it");
        assert_eq!((ring.waiting(), ring.cursor()), (Some(4), Some(1)));
        ring.follow();
        assert_eq!((shown(&ring, 3), ring.waiting()), (vec![8, 7, 6], None));
    }

    #[test]
    fn a_held_row_that_is_pushed_out_gives_way_to_the_oldest() {
        let mut ring = Ring::new(4);
        (0..4).for_each(|n| {
            ring.push(n);
        });
        ring.step(4, None, 2);
        (4..20).for_each(|n| {
            ring.push(n);
        });
        assert_eq!(shown(&ring, 2), [16]);
        assert!(ring.step(1, None, 2).is_some());
    }

    #[test]
    fn filters_what_is_there_and_what_comes() {
        let mut ring = Ring::new(30);
        (0..25).for_each(|n| {
            ring.push(n);
        });
        ring.set_filter(Filter::Text("2".into()));
        assert_eq!(shown(&ring, 9), [24, 23, 22, 21, 20, 12, 2]);
        (25..33).for_each(|n| {
            ring.push(n);
        });
        assert_eq!(shown(&ring, 2), [32, 29]);
        assert_eq!(ring.shown(), 12, "2 was pushed out, 25 to 29 and 32 came");
        ring.set_filter(Filter::None);
        assert_eq!(ring.shown(), 30);
    }

    #[test]
    fn up_from_the_newest_follows_again() {
        let mut ring = Ring::new(4);
        (0..3).for_each(|n| {
            ring.push(n);
        });
        ring.step(1, None, 2);
        assert!(ring.cursor().is_some());
        ring.step(-1, None, 2);
        assert!(ring.cursor().is_none());
    }
}
