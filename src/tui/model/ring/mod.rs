//! A bounded list of newest-first rows that can be filtered and sorted, and that stands still while
//! somebody scrolls in it. Rows are known by a number that never changes, so rows that come or go do not
//! move the cursor to another row.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{
    filter::{Filter, Filtered, Verdict},
    sort::{Order, Sorted, arrange, round},
};

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

/// Rows in the order of a column: a picture of a moment.
#[derive(Debug, Clone)]
struct Listing {
    numbers: Vec<u64>,
    /// Number of the first row that is not in it.
    next: u64,
    /// When it was made; `None` = to be made again at the next moment.
    at: Option<Timestamp>,
}

/// Rows that documents are read for between two frames, in [`super::filter::Judgement::cost`].
const JUDGED_AT_ONCE: u64 = 2_000_000;
/// Rows sorted while nobody scrolls: more than any screen shows.
const IN_SIGHT: usize = 500;
/// Rows sorted at most.
const SORTED: usize = 20_000;
/// A sorted list that changes is sorted again once a second, when this much of it has passed, in
/// milliseconds: the cache's is sorted when a second begins, and no frame shall bear both.
const RESORT_AT: i64 = 500;

/// Rows, newest first when shown.
#[derive(Debug, Clone)]
pub(crate) struct Ring<T> {
    rows: VecDeque<T>,
    /// Number of the oldest row kept.
    first: u64,
    capacity: usize,
    filter: Filter,
    /// Rows that do not pass are hidden; else those that pass are only marked.
    narrows: bool,
    /// Numbers of the rows that pass; used only while there is a filter.
    hits: VecDeque<u64>,
    /// Numbers of the rows whose turn has not come yet.
    waiting: VecDeque<u64>,
    /// Numbers of the rows of which the filter cannot tell, and why of the last one.
    unknown: VecDeque<u64>,
    why: Option<String>,
    /// Cost of judging left until the next moment.
    room: u64,
    order: Order,
    listing: Option<Listing>,
    hold: Option<Hold>,
}

impl<T: Filtered + Sorted> Ring<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            first: 0,
            capacity: capacity.max(1),
            filter: Filter::default(),
            narrows: true,
            hits: VecDeque::new(),
            waiting: VecDeque::new(),
            unknown: VecDeque::new(),
            why: None,
            room: JUDGED_AT_ONCE,
            order: Order::default(),
            listing: None,
            hold: None,
        }
    }

    /// Adds the newest row; gives back its number and the oldest row if that had to go.
    pub(crate) fn push(&mut self, row: T) -> (u64, Option<(u64, T)>) {
        let number = self.next();
        self.rows.push_back(row);
        if !self.filter.is_none() {
            if self.waiting.is_empty() && self.room > 0 {
                self.judge(number);
            } else {
                self.waiting.push_back(number);
            }
        }
        let mut gone = None;
        if self.rows.len() > self.capacity {
            gone = self.rows.pop_front().map(|row| (self.first, row));
            self.first += 1;
            self.forget(self.first - 1);
        }
        (number, gone)
    }

    /// A row is gone: so is what was known of it.
    fn forget(&mut self, gone: u64) {
        for numbers in [&mut self.hits, &mut self.waiting, &mut self.unknown] {
            if numbers.front() == Some(&gone) {
                numbers.pop_front();
            }
        }
        let Some(listing) = &mut self.listing else { return };
        let Some(place) = listing.numbers.iter().position(|number| *number == gone) else { return };
        listing.numbers.remove(place);
        let instead = listing.numbers.get(place.min(listing.numbers.len().saturating_sub(1))).copied();
        if let (Some(hold), Some(instead)) = (&mut self.hold, instead) {
            for held in [&mut hold.cursor, &mut hold.top] {
                if *held == gone {
                    *held = instead;
                }
            }
        }
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

    /// The same, to be changed in what is not shown.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        self.rows.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The newest row, filter or not.
    pub(crate) fn newest(&self) -> Option<&T> {
        self.rows.back()
    }

    /// All rows, newest first, filter or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.rows.iter().enumerate().rev().map(|(i, row)| (self.first + i as u64, row))
    }

    /// Only the rows that pass are shown.
    fn is_narrowed(&self) -> bool {
        self.narrows && !self.filter.is_none()
    }

    /// Rows that can be scrolled to.
    pub(crate) fn shown(&self) -> usize {
        if self.is_narrowed() { self.hits.len() } else { self.rows.len() }
    }

    /// Rows that pass the filter.
    pub(crate) fn passing(&self) -> usize {
        if self.filter.is_none() { self.rows.len() } else { self.hits.len() }
    }

    /// Whether a filter found this row.
    pub(crate) fn is_hit(&self, number: u64) -> bool {
        !self.filter.is_none() && self.hits.binary_search(&number).is_ok()
    }

    /// Whether rows that pass have to be told from others.
    pub(crate) fn marks_hits(&self) -> bool {
        !self.narrows && !self.filter.is_none()
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Rows whose turn has not come yet.
    pub(crate) fn to_judge(&self) -> usize {
        self.waiting.len()
    }

    /// Rows of which the filter cannot tell, and why of the last one.
    pub(crate) fn unknown(&self) -> (usize, Option<&str>) {
        (self.unknown.len(), self.why.as_deref().filter(|_| !self.unknown.is_empty()))
    }

    /// Rows that can be reached by their place.
    fn listed(&self) -> usize {
        self.listing.as_ref().map_or_else(|| self.shown(), |listing| listing.numbers.len())
    }

    /// The row at a place of what is shown, 0 = top.
    pub(crate) fn at(&self, place: usize) -> Option<(u64, &T)> {
        let number = if let Some(listing) = &self.listing {
            *listing.numbers.get(place)?
        } else {
            let back = self.shown().checked_sub(place + 1)?;
            if self.is_narrowed() { *self.hits.get(back)? } else { self.first + back as u64 }
        };
        Some((number, self.get(number)?))
    }

    /// The place of a number among the shown rows, or the nearest newer one.
    pub(crate) fn place(&self, number: u64) -> usize {
        if let Some(listing) = &self.listing {
            return listing.numbers.iter().position(|listed| *listed == number).unwrap_or(0);
        }
        let older = if self.is_narrowed() {
            self.hits.partition_point(|hit| *hit < number)
        } else {
            usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
        };
        self.shown().saturating_sub(1).saturating_sub(older)
    }

    pub(crate) fn set_filter(&mut self, filter: Filter) {
        if filter == self.filter {
            return;
        }
        self.filter = filter;
        self.hits.clear();
        self.waiting.clear();
        self.unknown.clear();
        self.why = None;
        if !self.filter.is_none() {
            self.waiting.extend(self.first..self.next());
            if self.filter.reads_documents() {
                self.judge_some();
            } else {
                while let Some(number) = self.waiting.pop_front() {
                    self.judge(number);
                }
            }
        }
        self.sort_now();
    }

    /// Hides the rows that do not pass, or only marks those that do.
    pub(crate) fn set_narrows(&mut self, narrows: bool) {
        self.narrows = narrows;
        self.sort_now();
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    pub(crate) fn set_order(&mut self, order: Order) {
        self.order = order;
        self.hold = None;
        self.sort_now();
    }

    /// Time passes: some rows more are judged, a sorted list that changed is sorted again.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.room = JUDGED_AT_ONCE;
        let judged = self.judge_some();
        let next = self.next();
        let Some(listing) = &mut self.listing else { return };
        let turn = |at: Timestamp| (at.as_millisecond() - RESORT_AT).div_euclid(1_000);
        let due = listing.at.is_none_or(|at| turn(at) != turn(now));
        if listing.at.is_none() {
            listing.at = Some(now);
        }
        // Rows that were there when the list was stopped belong into it, whenever they are judged.
        let stale = if self.hold.is_some() { judged } else { listing.next != next };
        if due && stale {
            self.sort(if self.hold.is_some() { SORTED } else { IN_SIGHT }, Some(now));
        }
    }

    /// Judges what waits, the newest first, as far as there is room; `true` if there was any.
    fn judge_some(&mut self) -> bool {
        let any = !self.waiting.is_empty();
        while self.room > 0
            && let Some(number) = self.waiting.pop_back()
        {
            self.judge(number);
        }
        any
    }

    fn judge(&mut self, number: u64) {
        let Some(row) = self.get(number) else { return };
        let judgement = self.filter.judge(row);
        if self.filter.reads_documents() {
            self.room = self.room.saturating_sub(judgement.cost);
        }
        match judgement.verdict {
            Verdict::Passes => insert(&mut self.hits, number),
            Verdict::Fails => {}
            Verdict::Unknown => {
                insert(&mut self.unknown, number);
                self.why = judgement.why;
            }
        }
    }

    /// Sorts anew because something else is shown.
    fn sort_now(&mut self) {
        self.sort(if self.hold.is_some() { SORTED } else { IN_SIGHT }, None);
    }

    fn sort(&mut self, most: usize, at: Option<Timestamp>) {
        self.listing = None;
        if self.order.is_own() {
            return;
        }
        // What came since the list was stopped waits outside.
        let next = self.hold.map_or_else(|| self.next(), |hold| hold.stopped_at);
        let rows = (0..self.shown()).filter_map(|place| self.at(place)).filter(|(number, _)| *number < next);
        let keyed = rows.map(|(number, row)| (row.sort_key(self.order.column), number));
        let numbers = arrange(keyed, self.order, T::COLUMNS, most);
        self.listing = Some(Listing { numbers, next, at });
    }

    /// Rows that came since the list was stopped; `None` while it follows.
    pub(crate) fn waiting(&self) -> Option<usize> {
        let hold = self.hold?;
        Some(if self.is_narrowed() {
            self.hits.len() - self.hits.partition_point(|hit| *hit < hold.stopped_at)
        } else {
            usize::try_from(self.next() - hold.stopped_at).unwrap_or(usize::MAX).min(self.rows.len())
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
        if self.hold.take().is_some() {
            self.sort_now();
        }
    }

    /// Stops the list with the cursor on a row, keeping it in a window of `height` rows.
    pub(crate) fn stop_at(&mut self, number: u64, height: usize) {
        let Some((cursor, _)) = self.at(self.place(number)) else { return };
        let (top, stopped_at) = self.hold.map_or((cursor, self.next()), |hold| (hold.top, hold.stopped_at));
        let top = if self.hold.is_none() { self.at(0).map_or(top, |(number, _)| number) } else { top };
        let began = self.hold.replace(Hold { cursor, top, stopped_at }).is_none();
        if began && self.listing.is_some() {
            self.sort_now();
        }
        self.keep_in_view(height);
    }

    /// Moves the window so that the row under the cursor, or the one in its place, is within.
    pub(crate) fn keep_in_view(&mut self, height: usize) {
        let Some(hold) = self.hold else { return };
        let height = height.max(1);
        let (place, top) = (self.place(hold.cursor), self.top());
        // A list that could fill the window does: rows that a filter hid may have come back above it.
        let top = top.min(self.listed().saturating_sub(height));
        let top = top.clamp((place + 1).saturating_sub(height), place);
        if let Some((top, _)) = self.at(top) {
            self.hold = Some(Hold { top, ..hold });
        }
    }

    /// Moves the cursor by rows (negative = to newer ones); a step beyond the newest follows again.
    /// `from` is where the cursor starts when the list follows. Gives the row that it is on now.
    pub(crate) fn step(&mut self, rows: isize, from: Option<u64>, height: usize) -> Option<u64> {
        if self.listed() == 0 {
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
                target.min(self.listed() - 1)
            }
            None if rows > 0 => usize::try_from(rows - 1).unwrap_or(0).min(self.listed() - 1),
            None => 0,
        };
        let (number, _) = self.at(place)?;
        self.stop_at(number, height);
        Some(number)
    }

    /// Goes to the next row (or the one before) that passes the filter, round at the end. Gives it, and
    /// whether it went round; `None` when no row passes.
    pub(crate) fn find(&mut self, forward: bool, from: Option<u64>, height: usize) -> Option<(u64, bool)> {
        let held = self.hold.is_some();
        let from = self.cursor().or(from).filter(|number| self.get(*number).is_some());
        if !held && let Some((first, _)) = self.at(0) {
            // Now all rows can be reached, not only those in sight.
            self.stop_at(first, height);
        }
        let count = self.listed();
        // A row that is hidden is not among them: the one in its place comes first.
        let place = from.map(|number| self.place(number)).filter(|place| *place < count);
        let hidden = place.is_some_and(|place| self.at(place).map(|(number, _)| number) != from);
        let start = if hidden && forward { place.and_then(|place| place.checked_sub(1)) } else { place };
        let found = round(start, count, forward)
            .filter_map(|place| Some((place, self.at(place)?.0)))
            .find(|(_, number)| self.is_hit(*number));
        let Some((found, number)) = found else {
            if !held {
                self.follow();
            }
            return None;
        };
        self.stop_at(number, height);
        let round = start.is_some_and(|start| if forward { found <= start } else { found >= start });
        Some((number, round))
    }
}

/// Puts a number into a list that ascends; mostly at one of its ends.
fn insert(numbers: &mut VecDeque<u64>, number: u64) {
    match (numbers.front(), numbers.back()) {
        (_, Some(back)) if *back > number => {
            let place = numbers.partition_point(|other| *other < number);
            numbers.insert(place, number);
        }
        _ => numbers.push_back(number),
    }
}

#[cfg(test)]
mod tests;
