//! The cache pane: a window of entries, the ones that changed last on top. While somebody scrolls,
//! or when sorted otherwise, a listing of keys stands still and only the values in it change.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    filter::Filter,
    sort::{Column, Order, SortKey, Sorted, arrange_by, round},
};
use crate::engine::{CacheStatus, EntryRow, EntryState};

type Rank = (Timestamp, u64);

#[derive(Debug, Clone)]
struct Slot {
    row: EntryRow,
    rank: Rank,
}

/// A list of keys that does not move.
#[derive(Debug, Clone)]
struct Listing {
    keys: Vec<Arc<str>>,
    cursor: Option<usize>,
    top: usize,
    /// Entries that had come when it was made.
    made_at: u64,
    at: Timestamp,
    /// Entries that changed since and pass the filter.
    waiting: u64,
}

/// Rows and figures of the cache.
#[derive(Debug, Clone)]
pub(crate) struct CachePane {
    pub(crate) status: CacheStatus,
    order: Order,
    filter: Filter,
    /// Entries that do not pass are hidden; else those that pass are only marked.
    narrows: bool,
    capacity: usize,
    slots: HashMap<Arc<str>, Slot>,
    ranks: BTreeMap<Rank, Arc<str>>,
    /// The part of `ranks` that passes the filter; used only while there is one.
    hits: BTreeMap<Rank, Arc<str>>,
    listing: Option<Listing>,
    /// Changes taken in, so that equal times keep their order.
    arrivals: u64,
    /// The second in which a filter of ages was asked last.
    aged_at: i64,
    /// When the server was emptied under us.
    pub(crate) flushed: bool,
}

/// How often a sorted listing is made again while entries change.
const RESORT_SECONDS: i64 = 1;
/// Entries sorted while nobody scrolls: more than any screen shows.
const IN_SIGHT: usize = 500;

impl CachePane {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            status: CacheStatus::default(),
            order: Order::default(),
            filter: Filter::default(),
            narrows: true,
            capacity: capacity.max(1),
            slots: HashMap::new(),
            ranks: BTreeMap::new(),
            hits: BTreeMap::new(),
            listing: None,
            arrivals: 0,
            aged_at: 0,
            flushed: false,
        }
    }

    /// Takes an entry in; the one that did not change for longest goes when there are too many.
    pub(crate) fn upsert(&mut self, row: EntryRow) {
        self.flushed = false;
        self.arrivals += 1;
        let mut same = false;
        let (key, rank) = match self.slots.get_key_value(row.key.as_str()) {
            Some((key, slot)) => {
                same = slot.row.changed_at == row.changed_at;
                let key = Arc::clone(key);
                let rank = if same { slot.rank } else { (row.changed_at, self.arrivals) };
                let old = slot.rank;
                self.ranks.remove(&old);
                self.hits.remove(&old);
                (key, rank)
            }
            None => (Arc::from(row.key.as_str()), (row.changed_at, self.arrivals)),
        };
        let passes = self.filter.is_none() || self.filter.passes(&row);
        if passes && !self.filter.is_none() {
            self.hits.insert(rank, Arc::clone(&key));
        }
        if let Some(listing) = self.listing.as_mut().filter(|_| !same && (passes || !self.narrows)) {
            listing.waiting += 1;
        }
        self.ranks.insert(rank, Arc::clone(&key));
        self.slots.insert(key, Slot { row, rank });
        if self.slots.len() > self.capacity
            && let Some((_, key)) = self.ranks.first_key_value()
        {
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(slot) = self.slots.remove(key) {
            self.arrivals += 1;
            self.ranks.remove(&slot.rank);
            self.hits.remove(&slot.rank);
        }
    }

    pub(crate) fn flush(&mut self) {
        self.slots.clear();
        self.ranks.clear();
        self.hits.clear();
        self.listing = None;
        self.flushed = true;
    }

    pub(crate) fn get(&self, key: &str) -> Option<&EntryRow> {
        self.slots.get(key).map(|slot| &slot.row)
    }

    /// Entries kept here.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Keys with the sizes of their values, as far as known.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.slots.iter().map(|(key, slot)| (&**key, slot.row.size.unwrap_or(0)))
    }

    /// When an entry changed last.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.ranks.last_key_value().map(|((at, _), _)| *at)
    }

    /// Some entry near the top expires, so that its time to live has to be drawn again.
    pub(crate) fn has_expiry(&self) -> bool {
        const NEAR: usize = 100;
        self.window(NEAR).iter().any(|(_, row)| row.is_some_and(|row| row.expires_at.is_some()))
    }

    /// Entries that can be scrolled to.
    pub(crate) fn shown(&self) -> usize {
        self.live().len()
    }

    /// Entries that pass the filter.
    pub(crate) fn passing(&self) -> usize {
        if self.filter.is_none() { self.ranks.len() } else { self.hits.len() }
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// Whether a filter found this entry.
    pub(crate) fn is_hit(&self, key: &str) -> bool {
        !self.filter.is_none() && self.slots.get(key).is_some_and(|slot| self.hits.contains_key(&slot.rank))
    }

    /// Whether entries that pass have to be told from others.
    pub(crate) fn marks_hits(&self) -> bool {
        !self.narrows && !self.filter.is_none()
    }

    /// Only what passes the filter is shown.
    fn is_narrowed(&self) -> bool {
        self.narrows && !self.filter.is_none()
    }

    fn live(&self) -> &BTreeMap<Rank, Arc<str>> {
        if self.is_narrowed() { &self.hits } else { &self.ranks }
    }

    /// The rows of a window of `height` rows: the key, and the entry unless it is gone.
    pub(crate) fn window(&self, height: usize) -> Vec<(&str, Option<&EntryRow>)> {
        match &self.listing {
            Some(listing) => listing
                .keys
                .iter()
                .skip(listing.top)
                .take(height)
                .map(|key| (&**key, self.get(key)))
                .collect(),
            None => self.live().values().rev().take(height).map(|key| (&**key, self.get(key))).collect(),
        }
    }

    /// The key under the cursor; `None` while the pane follows.
    pub(crate) fn cursor(&self) -> Option<&str> {
        let listing = self.listing.as_ref()?;
        listing.keys.get(listing.cursor?).map(|key| &**key)
    }

    /// Entries that changed since the listing stands still and pass the filter; `None` while the pane is
    /// live.
    pub(crate) fn waiting(&self) -> Option<u64> {
        let listing = self.listing.as_ref()?;
        (self.order.is_own() || listing.cursor.is_some()).then_some(listing.waiting)
    }

    pub(crate) fn set_filter(&mut self, filter: Filter, now: Timestamp) {
        if filter == self.filter {
            return;
        }
        self.filter = filter;
        self.find_hits();
        self.rearrange(now);
    }

    fn find_hits(&mut self) {
        self.hits.clear();
        if self.filter.is_none() {
            return;
        }
        for (rank, key) in &self.ranks {
            if self.slots.get(key).is_some_and(|slot| self.filter.passes(&slot.row)) {
                self.hits.insert(*rank, Arc::clone(key));
            }
        }
    }

    /// Hides the entries that do not pass, or only marks those that do.
    pub(crate) fn set_narrows(&mut self, narrows: bool, now: Timestamp) {
        self.narrows = narrows;
        self.rearrange(now);
    }

    pub(crate) fn set_order(&mut self, order: Order, now: Timestamp) {
        self.order = order;
        self.follow(now);
    }

    /// Follows what changes (or, when sorted, forgets the cursor).
    pub(crate) fn follow(&mut self, now: Timestamp) {
        self.listing = None;
        self.resort(now);
    }

    /// Something else is shown: the cursor stays on its key, where that is among it.
    fn rearrange(&mut self, now: Timestamp) {
        let cursor = self.cursor().map(str::to_owned);
        self.listing = None;
        self.resort(now);
        if let Some(key) = cursor {
            let listing = self.stop(now);
            match listing.keys.iter().position(|listed| **listed == *key) {
                Some(place) => listing.place(place, 1),
                None => self.follow(now),
            }
        }
    }

    /// Time passes: what depends on it is looked at again, a sorted listing that changed and that
    /// nobody scrolls in is made again.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let seconds = now.as_second();
        self.filter.set_now(now);
        if self.filter.ages() && self.aged_at != seconds {
            self.aged_at = seconds;
            self.find_hits();
            // A sorted listing is made anew, as if something had come.
            self.arrivals += 1;
        }
        self.resort(now);
    }

    fn resort(&mut self, now: Timestamp) {
        if self.order.is_own() {
            return;
        }
        if let Some(listing) = &self.listing {
            let age = now.as_second().saturating_sub(listing.at.as_second());
            // A clock that was set back must not stop it.
            let due = age.abs() >= RESORT_SECONDS;
            if listing.cursor.is_some() || listing.made_at == self.arrivals || !due {
                return;
            }
        }
        self.listing = Some(self.list(now, IN_SIGHT));
    }

    fn list(&self, now: Timestamp, most: usize) -> Listing {
        let keys = if self.order.is_own() {
            self.live().values().rev().take(most).map(Arc::clone).collect()
        } else {
            let column = self.order.column;
            // In the order of the slots, whichever that is: to find each entry by its key costs far more.
            let all = self.slots.iter().filter(|_| !self.is_narrowed());
            let found = self.hits.values().filter(|_| self.is_narrowed());
            let rows = all.chain(found.filter_map(|key| self.slots.get_key_value(key)));
            let keyed = rows.map(|(key, slot)| (slot.row.sort_key(column), Reverse(slot.rank), key));
            let keys = arrange_by(keyed, self.order, EntryRow::COLUMNS, most);
            keys.into_iter().map(Arc::clone).collect()
        };
        Listing { keys, cursor: None, top: 0, made_at: self.arrivals, at: now, waiting: 0 }
    }

    /// The listing stands still from now on, with all its keys.
    fn stop(&mut self, now: Timestamp) -> &mut Listing {
        let held = self.listing.take().filter(|listing| listing.cursor.is_some());
        let listing = held.unwrap_or_else(|| self.list(now, usize::MAX));
        self.listing.insert(listing)
    }

    /// Moves the cursor by rows; a step up from the top follows again. `from` is the key to start from
    /// while the pane is live. Gives the key that the cursor is on now.
    pub(crate) fn step(
        &mut self,
        rows: isize,
        from: Option<&str>,
        height: usize,
        now: Timestamp,
    ) -> Option<String> {
        let listing = self.stop(now);
        let Some(last) = listing.keys.len().checked_sub(1) else {
            self.follow(now);
            return None;
        };
        if listing.cursor.is_none() {
            listing.cursor = from.and_then(|key| listing.keys.iter().position(|k| **k == *key));
        }
        let place = match listing.cursor {
            Some(0) if rows < 0 => {
                let key = listing.keys.first().map(ToString::to_string);
                self.follow(now);
                return key;
            }
            Some(place) => place.saturating_add_signed(rows).min(last),
            None => usize::try_from(rows - 1).unwrap_or(0).min(last),
        };
        listing.place(place, height);
        listing.keys.get(place).map(ToString::to_string)
    }

    /// After a change of size or order: the row under the cursor stays in a window of `height` rows.
    pub(crate) fn keep_in_view(&mut self, height: usize) {
        if let Some(listing) = &mut self.listing
            && let Some(cursor) = listing.cursor
        {
            listing.place(cursor, height);
        }
    }

    /// Puts the cursor on row `line` of the window.
    pub(crate) fn click(&mut self, line: usize, height: usize, now: Timestamp) -> Option<String> {
        // The key that is seen there, whatever has come to its place since the listing was made.
        let key = self.window(line + 1).get(line).map(|(key, _)| (*key).to_owned())?;
        let listing = self.stop(now);
        let place = listing.keys.iter().position(|listed| **listed == *key)?;
        listing.place(place, height);
        Some(key)
    }

    /// Goes to the next entry (or the one before) that passes the filter, round at the end. Gives its
    /// key, and whether it went round; `None` when no entry passes.
    pub(crate) fn find(
        &mut self,
        forward: bool,
        from: Option<&str>,
        height: usize,
        now: Timestamp,
    ) -> Option<(String, bool)> {
        let held = self.cursor().is_some();
        let listing = self.stop(now);
        let count = listing.keys.len();
        let start = listing
            .cursor
            .or_else(|| from.and_then(|key| listing.keys.iter().position(|listed| **listed == *key)));
        let found = round(start, count, forward).find_map(|place| {
            let key = self.listing.as_ref()?.keys.get(place)?;
            self.is_hit(key).then(|| (place, key.to_string()))
        });
        let Some((place, key)) = found else {
            if !held {
                self.follow(now);
            }
            return None;
        };
        if let Some(listing) = &mut self.listing {
            listing.place(place, height);
        }
        let round = start.is_some_and(|start| if forward { place <= start } else { place >= start });
        Some((key, round))
    }
}

impl Listing {
    fn place(&mut self, place: usize, height: usize) {
        self.cursor = Some(place);
        self.top = self.top.clamp((place + 1).saturating_sub(height.max(1)), place);
    }
}

impl Sorted for EntryRow {
    const COLUMNS: &'static [Column] = &[
        Column::falling("age"),
        Column::rising("key"),
        Column::rising("type"),
        Column::falling("size"),
        Column::rising("ttl"),
        Column::rising("state"),
    ];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            1 => SortKey::Text(&self.key),
            2 => SortKey::Text(&self.kind),
            3 => SortKey::number(self.size.map(|size| size as f64)),
            4 => SortKey::number(self.expires_at.map(|at| at.as_millisecond() as f64)),
            5 => SortKey::Number(f64::from(urgency(self.state))),
            _ => SortKey::Number(self.changed_at.as_microsecond() as f64),
        }
    }
}

/// What needs somebody comes first: stale, missing, orphan, pending, then the rest.
fn urgency(state: EntryState) -> u8 {
    match state {
        EntryState::Stale => 0,
        EntryState::Missing => 1,
        EntryState::Orphan => 2,
        EntryState::Pending => 3,
        EntryState::Unknown => 4,
        EntryState::InStep => 5,
    }
}
