//! The data: 16 databases of strings and hashes with expiry times, and what they weigh.
//!
//! Keys are ordered by a hash of theirs. A SCAN cursor is a position in that order, so a key that stays
//! throughout a scan is found by it, whatever comes and goes meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::ops::Bound;

use bytes::Bytes;
use indexmap::IndexMap;

/// As Redis has by default.
pub(super) const DATABASES: usize = 16;
/// What an entry weighs beside its key and value: tree slot, expiry, allocations. Estimated.
const ENTRY_OVERHEAD: usize = 112;
/// The same for a field of a hash.
const FIELD_OVERHEAD: usize = 80;
/// Cursors stay exact in clients whose numbers are doubles.
const HASH_BITS: u32 = 53;

/// A value of one of the types that this server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    String(Bytes),
    Hash(Fields),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Hash(_) => "hash",
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.len(),
            Self::Hash(fields) => fields.weight,
        }
    }
}

/// The fields of a hash, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    map: IndexMap<Bytes, Bytes>,
    weight: usize,
}

impl Fields {
    pub(super) fn get(&self, name: &Bytes) -> Option<&Bytes> {
        self.map.get(name)
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.map.iter()
    }

    /// Whether the field is new. Copies, for the reason given at [`Store::put`].
    pub(super) fn set(&mut self, name: &Bytes, value: &Bytes) -> bool {
        let value = Bytes::copy_from_slice(value);
        if let Some(old) = self.map.get_mut(name) {
            self.weight = self.weight + value.len() - old.len();
            *old = value;
            return false;
        }
        self.weight += name.len() + value.len() + FIELD_OVERHEAD;
        self.map.insert(Bytes::copy_from_slice(name), value);
        true
    }

    /// Whether the field was there.
    pub(super) fn remove(&mut self, name: &Bytes) -> bool {
        let removed = self.map.shift_remove(name);
        if let Some(value) = &removed {
            self.weight -= name.len() + value.len() + FIELD_OVERHEAD;
        }
        removed.is_some()
    }
}

/// A value with its expiry time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) value: Value,
    /// Milliseconds since 1970; `None` = never.
    pub(super) expires_at: Option<u64>,
}

impl Item {
    /// Bytes, estimated.
    pub(super) fn weight(&self, key: &Bytes) -> usize {
        key.len() + self.value.weight() + ENTRY_OVERHEAD
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    hash: u64,
    key: Bytes,
}

impl Slot {
    fn of(key: &Bytes) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(key);
        // 0 is the cursor of "start" and "done", so no key has it.
        let hash = (hasher.finish() >> (u64::BITS - HASH_BITS)).max(1);
        Self { hash, key: key.clone() }
    }
}

#[derive(Debug, Default)]
struct Database {
    items: BTreeMap<Slot, Item>,
    /// Expiry time and key of all items that have one.
    expiries: BTreeSet<(u64, Bytes)>,
}

/// All databases.
#[derive(Debug)]
pub(super) struct Store {
    databases: Vec<Database>,
    used: usize,
}

impl Store {
    pub(super) fn new() -> Self {
        Self { databases: (0..DATABASES).map(|_| Database::default()).collect(), used: 0 }
    }

    /// Bytes, estimated.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// [`Store::used`] counted anew, with all expiry times looked up.
    #[cfg(test)]
    pub(super) fn weighed(&self) -> usize {
        let mut weight = 0;
        for database in &self.databases {
            let timed =
                database.items.iter().filter_map(|(slot, item)| Some((item.expires_at?, slot.key.clone())));
            assert_eq!(timed.collect::<BTreeSet<_>>(), database.expiries);
            for (slot, item) in &database.items {
                let value = match &item.value {
                    Value::String(bytes) => bytes.len(),
                    Value::Hash(fields) => {
                        fields.iter().map(|(name, value)| name.len() + value.len() + FIELD_OVERHEAD).sum()
                    }
                };
                weight += slot.key.len() + value + ENTRY_OVERHEAD;
            }
        }
        weight
    }

    /// Keys, and how many of them expire.
    pub(super) fn counts(&self, db: usize) -> (usize, usize) {
        let database = &self.databases[db];
        (database.items.len(), database.expiries.len())
    }

    pub(super) fn get(&self, db: usize, key: &Bytes) -> Option<&Item> {
        self.databases[db].items.get(&Slot::of(key))
    }

    /// Whether the key is there although its time is over.
    pub(super) fn is_due(&self, db: usize, key: &Bytes, now: u64) -> bool {
        !self.databases[db].expiries.is_empty()
            && self.get(db, key).and_then(|item| item.expires_at).is_some_and(|at| at <= now)
    }

    /// Puts an item in the place of whatever was there.
    pub(super) fn put(&mut self, db: usize, key: &Bytes, item: Item) {
        self.remove(db, key);
        // The arguments are slices of the connection's read buffer; kept, they would keep all of it.
        let key = Bytes::copy_from_slice(key);
        self.used += item.weight(&key);
        let database = &mut self.databases[db];
        if let Some(at) = item.expires_at {
            database.expiries.insert((at, key.clone()));
        }
        database.items.insert(Slot::of(&key), item);
    }

    pub(super) fn remove(&mut self, db: usize, key: &Bytes) -> Option<Item> {
        let database = &mut self.databases[db];
        let (slot, item) = database.items.remove_entry(&Slot::of(key))?;
        self.used = self.used.saturating_sub(item.weight(&slot.key));
        if let Some(at) = item.expires_at {
            database.expiries.remove(&(at, slot.key));
        }
        Some(item)
    }

    /// Changes the fields of the hash at `key` (made if it is missing); an empty hash goes away.
    /// `None` when another type is there.
    pub(super) fn with_hash<T>(
        &mut self,
        db: usize,
        key: &Bytes,
        change: impl FnOnce(&mut Fields) -> T,
    ) -> Option<T> {
        let slot = Slot::of(key);
        let database = &mut self.databases[db];
        let Some(item) = database.items.get_mut(&slot) else {
            let mut fields = Fields::default();
            let outcome = change(&mut fields);
            if fields.len() > 0 {
                self.put(db, key, Item { value: Value::Hash(fields), expires_at: None });
            }
            return Some(outcome);
        };
        let before = item.value.weight();
        let Value::Hash(fields) = &mut item.value else { return None };
        let outcome = change(fields);
        let empty = fields.len() == 0;
        self.used = (self.used + item.value.weight()).saturating_sub(before);
        if empty {
            self.remove(db, key);
        }
        Some(outcome)
    }

    /// Sets or takes away the expiry time of a key that is there.
    pub(super) fn set_expiry(&mut self, db: usize, key: &Bytes, at: Option<u64>) {
        let slot = Slot::of(key);
        let database = &mut self.databases[db];
        let Some((stored, _)) = database.items.get_key_value(&slot) else { return };
        let key = stored.key.clone();
        let Some(item) = database.items.get_mut(&slot) else { return };
        if let Some(old) = item.expires_at.take() {
            database.expiries.remove(&(old, key.clone()));
        }
        item.expires_at = at;
        if let Some(at) = at {
            database.expiries.insert((at, key));
        }
    }

    /// At most `limit` keys whose time is over.
    pub(super) fn due(&self, db: usize, now: u64, limit: usize) -> Vec<Bytes> {
        let over = self.databases[db].expiries.iter().take_while(|(at, _)| *at <= now);
        over.take(limit).map(|(_, key)| key.clone()).collect()
    }

    /// How many keys were dropped.
    pub(super) fn clear(&mut self, db: usize) -> usize {
        let database = std::mem::take(&mut self.databases[db]);
        for (slot, item) in &database.items {
            self.used = self.used.saturating_sub(item.weight(&slot.key));
        }
        database.items.len()
    }

    /// All keys of a database, in no order that means something.
    pub(super) fn keys(&self, db: usize) -> impl Iterator<Item = &Bytes> {
        self.databases[db].items.keys().map(|slot| &slot.key)
    }

    /// About `count` keys from the cursor on, and the next cursor (0 = done).
    pub(super) fn scan(&self, db: usize, cursor: u64, count: usize) -> (u64, Vec<Bytes>) {
        let start = Slot { hash: cursor, key: Bytes::new() };
        let mut keys = Vec::new();
        let mut last = 0;
        for slot in self.databases[db].items.range((Bound::Included(start), Bound::Unbounded)) {
            // Keys with the same hash share a cursor, so they stay in one step.
            if keys.len() >= count && slot.0.hash != last {
                return (slot.0.hash, keys);
            }
            last = slot.0.hash;
            keys.push(slot.0.key.clone());
        }
        (0, keys)
    }

    /// A key from somewhere in the database.
    pub(super) fn random_key(&self, db: usize, random: u64) -> Option<Bytes> {
        let start = Slot { hash: random >> (u64::BITS - HASH_BITS), key: Bytes::new() };
        let items = &self.databases[db].items;
        items.range(start..).next().or_else(|| items.first_key_value()).map(|(slot, _)| slot.key.clone())
    }
}
