//! The cache pane: a window of entries, the ones that changed last on top. While somebody scrolls,
//! or when sorted otherwise, a listing of keys stands still and only the values in it change.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::filter::{Filter, Filtered};
use crate::engine::{CacheStatus, EntryRow, EntryState};

/// In which order entries are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CacheOrder {
    /// Changed last on top, live.
    #[default]
    Recent,
    /// By key.
    Key,
    /// What needs somebody on top: stale, missing, orphan, pending, then the rest.
    State,
    /// Largest on top.
    Size,
}

impl CacheOrder {
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Recent => Self::Key,
            Self::Key => Self::State,
            Self::State => Self::Size,
            Self::Size => Self::Recent,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::Key => "by key",
            Self::State => "by state",
            Self::Size => "by size",
        }
    }
}

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
}

/// Rows and figures of the cache.
#[derive(Debug, Clone)]
pub(crate) struct CachePane {
    pub(crate) status: CacheStatus,
    pub(crate) order: CacheOrder,
    filter: Filter,
    capacity: usize,
    slots: HashMap<Arc<str>, Slot>,
    ranks: BTreeMap<Rank, Arc<str>>,
    /// The part of `ranks` that passes the filter; used only while there is one.
    hits: BTreeMap<Rank, Arc<str>>,
    listing: Option<Listing>,
    /// Changes taken in, so that equal times keep their order.
    arrivals: u64,
    /// When the server was emptied under us.
    pub(crate) flushed: bool,
}

/// How often a sorted listing is made again while entries change.
const RESORT_SECONDS: i64 = 1;

impl CachePane {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            status: CacheStatus::default(),
            order: CacheOrder::Recent,
            filter: Filter::None,
            capacity: capacity.max(1),
            slots: HashMap::new(),
            ranks: BTreeMap::new(),
            hits: BTreeMap::new(),
            listing: None,
            arrivals: 0,
            flushed: false,
        }
    }

    /// Takes an entry in; the one that did not change for longest goes when there are too many.
    pub(crate) fn upsert(&mut self, row: EntryRow) {
        self.flushed = false;
        self.arrivals += 1;
        let (key, rank) = match self.slots.get_key_value(row.key.as_str()) {
            Some((key, slot)) => {
                let same = slot.row.changed_at == row.changed_at;
                let key = Arc::clone(key);
                let rank = if same { slot.rank } else { (row.changed_at, self.arrivals) };
                let old = slot.rank;
                self.ranks.remove(&old);
                self.hits.remove(&old);
                (key, rank)
            }
            None => (Arc::from(row.key.as_str()), (row.changed_at, self.arrivals)),
        };
        if !self.filter.is_none() && row.passes(&self.filter) {
            self.hits.insert(rank, Arc::clone(&key));
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

    /// Entries that pass the filter.
    pub(crate) fn shown(&self) -> usize {
        self.live().len()
    }

    fn live(&self) -> &BTreeMap<Rank, Arc<str>> {
        if self.filter.is_none() { &self.ranks } else { &self.hits }
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

    /// Entries that changed since the listing stands still; `None` while the pane is live.
    pub(crate) fn waiting(&self) -> Option<u64> {
        let listing = self.listing.as_ref().filter(|_| self.order == CacheOrder::Recent)?;
        Some(self.arrivals - listing.made_at)
    }

    pub(crate) fn set_filter(&mut self, filter: Filter, now: Timestamp) {
        if filter == self.filter {
            return;
        }
        self.filter = filter;
        self.hits.clear();
        if !self.filter.is_none() {
            for (rank, key) in &self.ranks {
                if self.slots.get(key).is_some_and(|slot| slot.row.passes(&self.filter)) {
                    self.hits.insert(*rank, Arc::clone(key));
                }
            }
        }
        self.listing = None;
        self.resort(now, true);
    }

    pub(crate) fn set_order(&mut self, order: CacheOrder, now: Timestamp) {
        self.order = order;
        self.listing = None;
        self.resort(now, true);
    }

    /// Follows what changes (or, when sorted, forgets the cursor).
    pub(crate) fn follow(&mut self, now: Timestamp) {
        self.listing = None;
        self.resort(now, true);
    }

    /// Makes a sorted listing again when it is due; keeps the cursor on its key.
    pub(crate) fn resort(&mut self, now: Timestamp, at_once: bool) {
        if self.order == CacheOrder::Recent {
            return;
        }
        if let Some(listing) = &self.listing {
            let due = now.as_second().saturating_sub(listing.at.as_second()) >= RESORT_SECONDS;
            if listing.made_at == self.arrivals || !(due || at_once) {
                return;
            }
        }
        let cursor_key = self.cursor().map(str::to_owned);
        let top = self.listing.as_ref().map_or(0, |listing| listing.top);
        let keys = self.sorted();
        let cursor = cursor_key.and_then(|key| keys.iter().position(|k| **k == *key));
        let top = top.min(keys.len().saturating_sub(1));
        self.listing = Some(Listing { keys, cursor, top, made_at: self.arrivals, at: now });
    }

    fn sorted(&self) -> Vec<Arc<str>> {
        let mut keys: Vec<Arc<str>> = self.live().values().rev().map(Arc::clone).collect();
        let row = |key: &Arc<str>| self.slots.get(key).map(|slot| &slot.row);
        match self.order {
            CacheOrder::Recent => {}
            CacheOrder::Key => keys.sort_unstable(),
            CacheOrder::State => keys.sort_by_key(|key| row(key).map_or(9, |row| urgency(row.state))),
            CacheOrder::Size => {
                keys.sort_by_key(|key| std::cmp::Reverse(row(key).and_then(|row| row.size).unwrap_or(0)));
            }
        }
        keys
    }

    fn stop(&mut self, now: Timestamp) -> &mut Listing {
        if self.listing.is_none() {
            let keys = self.sorted();
            self.listing = Some(Listing { keys, cursor: None, top: 0, made_at: self.arrivals, at: now });
        }
        self.listing.get_or_insert_with(|| Listing {
            keys: Vec::new(),
            cursor: None,
            top: 0,
            made_at: 0,
            at: now,
        })
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
        let live = self.listing.is_none();
        let recent = self.order == CacheOrder::Recent;
        let listing = self.stop(now);
        let last = listing.keys.len().checked_sub(1)?;
        if live && listing.cursor.is_none() {
            listing.cursor = from.and_then(|key| listing.keys.iter().position(|k| **k == *key));
        }
        let place = match listing.cursor {
            Some(0) if rows < 0 && recent => {
                let key = listing.keys.first().map(ToString::to_string);
                self.listing = None;
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
        let listing = self.stop(now);
        let place = listing.top + line;
        let key = listing.keys.get(place)?.to_string();
        listing.place(place, height);
        Some(key)
    }
}

impl Listing {
    fn place(&mut self, place: usize, height: usize) {
        self.cursor = Some(place);
        self.top = self.top.clamp((place + 1).saturating_sub(height.max(1)), place);
    }
}

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
