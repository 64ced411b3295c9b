//! The cache side of the screen: what the cache observer sees is paired with what the feed brought.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::beat::beat;
use crate::cache::{CacheObserver, Follow, Observation, ObservedEntry, ObserverOptions, ServerStatus};
use crate::engine::Shared;
use crate::engine::decoded::decoded;
use crate::engine::event::{
    CacheStatus, ChangeRow, ConnectionState, EntryRow, Event, FollowMode, Level, ProbeTiming, Server,
};
use crate::engine::pairing::{Arrival, Pairing, SeenEntry};
use crate::sync::Digest;
use crate::wording::counted;

/// Observations on their way; each is a batch.
const OBSERVATIONS: usize = 64;
/// How often ages are looked at and figures told.
const TICK: Duration = Duration::from_millis(500);

/// The pairs, shared by the feed and the cache side.
#[derive(Clone)]
pub(in crate::engine) struct Pairs {
    shared: Arc<Shared>,
    pairing: Arc<Mutex<Pairing>>,
    /// Nobody looks at the cache: there is nothing to pair with.
    idle: bool,
}

impl Pairs {
    pub(in crate::engine) fn new(shared: Arc<Shared>, cache_is_watched: bool) -> Self {
        let pairing = Arc::new(Mutex::new(Pairing::new(shared.settings.view.cache_rows)));
        Self { shared, pairing, idle: !cache_is_watched }
    }

    /// Versions seen in the feed.
    pub(in crate::engine) async fn documents(&self, changes: Vec<(Bytes, ChangeRow)>, at: Instant) {
        if self.idle {
            return;
        }
        let mut rows = Vec::with_capacity(changes.len());
        {
            let mut pairing = self.pairing.lock().await;
            for (document, change) in changes {
                // What makes no entry is set aside by the sync, which says why.
                for entry in self.shared.mapping.entries(&document).unwrap_or_default() {
                    let digest = entry.value.map(|value| Digest::of(&value.as_read()));
                    let version = (change.id.clone(), change.etag.clone());
                    if let Some((row, arrival)) = pairing.document(&entry.key, version, digest, at) {
                        rows.push(self.arrived(row, arrival));
                    }
                }
            }
        }
        self.tell(rows);
    }

    async fn entries(&self, seen: Vec<ObservedEntry>) {
        let mut rows = Vec::with_capacity(seen.len());
        {
            let mut pairing = self.pairing.lock().await;
            for seen in seen {
                let held = &seen.entry;
                let shown = decoded(held.encoding, &held.value, held.cut, held.distributed);
                let (row, arrival) = pairing.entry(SeenEntry {
                    shown: Arc::new(shown),
                    value: Digest::of(&seen.entry.value),
                    key: seen.key,
                    kind: seen.entry.kind,
                    size: seen.entry.size,
                    expires_at: seen.entry.expires_at,
                    changed_at: seen.seen_at,
                    notified: seen.notified_at,
                    scanned: seen.scanned,
                });
                rows.push(self.arrived(row, arrival));
            }
        }
        self.tell(rows);
    }

    async fn removed(&self, keys: Vec<String>) {
        let now = Instant::now();
        let mut gone = Vec::new();
        let mut rows = Vec::new();
        {
            let mut pairing = self.pairing.lock().await;
            for key in keys {
                match pairing.removed(&key, now) {
                    Some(row) => rows.push(row),
                    None => gone.push(key),
                }
            }
        }
        self.tell(rows);
        if !gone.is_empty() {
            let weight = gone.len() as u64;
            self.shared.report.telemetry(Event::EntriesRemoved(gone), weight);
        }
    }

    /// A version has reached the cache: ends its probe, whose timing is the better figure.
    fn arrived(&self, mut row: EntryRow, arrival: Option<Arrival>) -> EntryRow {
        let Some(arrival) = arrival else { return row };
        if self.shared.latency.has_open() {
            self.shared.latency.in_cache(&arrival.id, &arrival.etag, arrival.at);
        }
        if let Some(ProbeTiming { feed: Some(feed), cache: Some(cache), .. }) =
            self.shared.latency.timing_of(&arrival.id)
        {
            row.delay_ms = Some(feed + cache);
        }
        row
    }

    fn tell(&self, rows: Vec<EntryRow>) {
        if !rows.is_empty() {
            let weight = rows.len() as u64;
            self.shared.report.telemetry(Event::Entries(rows), weight);
        }
    }
}

/// Runs until cancelled.
pub(in crate::engine) async fn run(shared: Arc<Shared>, pairs: Pairs, cancel: CancellationToken) {
    let connection = shared.settings.redis.clone();
    let address = format!("{}:{}", connection.host, connection.port);
    shared.report.connection(Server::Redis, ConnectionState::Connecting { address: address.clone() }).await;
    let options = ObserverOptions {
        window: shared.settings.view.cache_rows,
        channel: OBSERVATIONS,
        ..ObserverOptions::default()
    };
    let mut status = CacheStatus { database: connection.database, ..CacheStatus::default() };
    let (mut observations, task) = CacheObserver::start(connection, options, cancel.clone());
    let mut tick = beat(TICK);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = tick.tick() => {
                let (aged, figures) = {
                    let mut pairing = pairs.pairing.lock().await;
                    (pairing.aged(Instant::now()), pairing.figures())
                };
                pairs.tell(aged);
                (status.in_step, status.compared) = figures;
                shared.report.state(Event::Cache(status.clone())).await;
            }
            observation = observations.recv() => match observation {
                None => break,
                Some(observation) => take(&shared, &pairs, &address, &mut status, observation).await,
            }
        }
    }
    let _ = task.await;
}

async fn take(
    shared: &Arc<Shared>,
    pairs: &Pairs,
    address: &str,
    status: &mut CacheStatus,
    observation: Observation,
) {
    match observation {
        Observation::Connected { product } => {
            status.problem = None;
            status.scanned = false;
            let state = ConnectionState::Up { address: address.to_owned(), product };
            shared.report.connection(Server::Redis, state).await;
        }
        Observation::Down { cause, remedy, retry_in } => {
            status.problem = Some(format!("{cause}; {remedy}"));
            let state = ConnectionState::Down {
                address: address.to_owned(),
                cause,
                remedy,
                retry_at: retry_in.map(|pause| Timestamp::now() + pause),
            };
            shared.report.connection(Server::Redis, state).await;
        }
        Observation::Follow(follow) => {
            status.follow = match follow {
                Follow::Tracking => FollowMode::Tracking,
                Follow::Notifications => FollowMode::Notifications,
                Follow::Polling { reason } => {
                    shared
                        .report
                        .log(Level::Warning, "cache", format!("changes are found by SCAN only: {reason}"))
                        .await;
                    FollowMode::Polling { reason }
                }
            };
        }
        Observation::Entries(entries) => pairs.entries(entries).await,
        Observation::Removed(keys) => pairs.removed(keys).await,
        Observation::Flushed => {
            let rows = pairs.pairing.lock().await.flushed(Instant::now());
            shared.report.state(Event::CacheFlushed).await;
            shared.report.log(Level::Warning, "cache", "the cache was emptied (FLUSHDB or FLUSHALL)").await;
            pairs.tell(rows);
        }
        Observation::ScanDone => {
            status.scanned = true;
            pairs.pairing.lock().await.set_scanned(true);
        }
        Observation::Status(server) => server_figures(status, &server),
        Observation::Overflowed(changes) => {
            status.missed += changes;
            status.scanned = false;
            let text = format!(
                "{} came too fast to be noted: looking through all keys again",
                counted(changes, "change")
            );
            shared.report.log(Level::Warning, "cache", text).await;
        }
        Observation::Dropped(sum) => status.beyond_window = sum,
    }
}

fn server_figures(status: &mut CacheStatus, server: &ServerStatus) {
    status.keys = server.keys;
    status.used_memory = server.used_memory;
    status.maxmemory = server.maxmemory;
    status.maxmemory_policy.clone_from(&server.maxmemory_policy);
    status.evicted_keys = server.evicted_keys;
    status.expired_keys = server.expired_keys;
    (status.hits, status.misses) = (server.keyspace_hits, server.keyspace_misses);
    status.ops_per_sec = server.ops_per_sec;
    status.read_at = Some(Timestamp::now());
}
