//! Everything behind the lock: data, clients, subscriptions, tracking, settings, counters. And the one
//! place where a change of a key becomes known to those who follow it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::clients::Client;
use super::pubsub::{NotifyFlags, Subscriptions};
use super::store::{DATABASES, Store};
use super::tracking::Tracking;

/// Default of `maxmemory`: an in-process cache must not take the whole machine.
const DEFAULT_MAXMEMORY: usize = 1024 * 1024 * 1024;
/// Keys expired in one go, so that the lock is never held for long.
const EXPIRE_BATCH: usize = 1000;

/// Who caused a change, when nobody did (expiry).
pub(super) const NOBODY: u64 = 0;

/// Kinds of keyspace events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Generic,
    String,
    Hash,
    Expired,
}

/// What CONFIG SET can change.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) notify: NotifyFlags,
    /// Bytes; 0 = no limit.
    pub(super) maxmemory: usize,
}

/// Counters of INFO.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) connections: u64,
    pub(super) refused: u64,
    pub(super) commands: u64,
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) expired: u64,
    /// Commands per second, from the newest tick.
    pub(super) ops_per_sec: u64,
    ticked: Option<(Instant, u64)>,
}

/// All state of the server.
#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) clients: BTreeMap<u64, Client>,
    pub(super) subscriptions: Subscriptions,
    pub(super) tracking: Tracking,
    /// Who watches which key.
    pub(super) watched: HashMap<(usize, Bytes), BTreeSet<u64>>,
    pub(super) config: Config,
    pub(super) stats: Stats,
    pub(super) started: Instant,
    pub(super) port: u16,
    /// Milliseconds since 1970, read once a batch.
    pub(super) now: u64,
    newest_client: u64,
}

impl State {
    pub(super) fn new(port: u16) -> Self {
        Self {
            store: Store::new(),
            clients: BTreeMap::new(),
            subscriptions: Subscriptions::default(),
            tracking: Tracking::default(),
            watched: HashMap::new(),
            config: Config { notify: NotifyFlags::default(), maxmemory: DEFAULT_MAXMEMORY },
            stats: Stats::default(),
            started: Instant::now(),
            port,
            now: 0,
            newest_client: NOBODY,
        }
    }

    /// Called at the start of each batch.
    pub(super) fn read_clock(&mut self) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    }

    pub(super) fn admit(&mut self, mut client: Client) -> u64 {
        self.newest_client += 1;
        client.id = self.newest_client;
        self.stats.connections += 1;
        self.clients.insert(self.newest_client, client);
        self.newest_client
    }

    /// Forgets a client and all that it followed.
    pub(super) fn dismiss(&mut self, id: u64) {
        self.unwatch(id);
        self.unsubscribe_all(id);
        self.clients.remove(&id);
        self.tracking_target_gone(id);
    }

    /// A key has changed: tells those who watch, track or are subscribed.
    pub(super) fn touch(&mut self, db: usize, key: &Bytes, class: Class, event: &'static str, actor: u64) {
        self.changed(db, key, actor);
        self.notify(db, key, class, event);
    }

    /// Only the part for WATCH and tracking, for changes without an event.
    fn changed(&mut self, db: usize, key: &Bytes, actor: u64) {
        if !self.watched.is_empty()
            && let Some(watchers) = self.watched.get(&(db, key.clone()))
        {
            for id in watchers {
                if let Some(client) = self.clients.get_mut(id) {
                    client.watch_failed = true;
                }
            }
        }
        self.track_change(key, actor);
    }

    pub(super) fn unwatch(&mut self, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.watch_failed = false;
        for watched in std::mem::take(&mut client.watching) {
            if let Some(watchers) = self.watched.get_mut(&watched) {
                watchers.remove(&id);
                if watchers.is_empty() {
                    self.watched.remove(&watched);
                }
            }
        }
    }

    /// Removes the key if its time is over.
    pub(super) fn expire_if_due(&mut self, db: usize, key: &Bytes) {
        if self.store.is_due(db, key, self.now) {
            self.expire(db, key);
        }
    }

    fn expire(&mut self, db: usize, key: &Bytes) {
        if self.store.remove(db, key).is_some() {
            self.stats.expired += 1;
            self.touch(db, key, Class::Expired, "expired", NOBODY);
        }
    }

    /// The periodic work: expiry of keys that nobody asks for, and the rate of commands.
    pub(super) fn tick(&mut self) {
        self.read_clock();
        for db in 0..DATABASES {
            for key in self.store.due(db, self.now, EXPIRE_BATCH) {
                self.expire(db, &key);
            }
        }
        self.flush_tracking();
        let now = Instant::now();
        if let Some((then, commands)) = self.stats.ticked
            && now > then
        {
            let rate = (self.stats.commands - commands) as f64 / (now - then).as_secs_f64();
            self.stats.ops_per_sec = rate as u64;
        }
        self.stats.ticked = Some((now, self.stats.commands));
    }

    /// Empties databases: no event, but watchers fail and trackers get a null.
    pub(super) fn flush(&mut self, databases: std::ops::Range<usize>) {
        for db in databases {
            let lost: Vec<(usize, Bytes)> = self
                .watched
                .keys()
                .filter(|(watched, key)| *watched == db && self.store.get(db, key).is_some())
                .cloned()
                .collect();
            for watched in lost {
                for id in &self.watched[&watched] {
                    if let Some(client) = self.clients.get_mut(id) {
                        client.watch_failed = true;
                    }
                }
            }
            self.store.clear(db);
        }
        self.track_flush();
    }
}
