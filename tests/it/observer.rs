//! The cache observer against real Redis: what was there, what changes, what goes away.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use syncscope::cache::{CacheClient, CacheObserver, CacheWrite, Follow, Observation, ObserverOptions};
use syncscope::config::RedisConnection;
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::{CancellationToken, DropGuard};

struct Watched {
    observations: Receiver<Observation>,
    entries: BTreeMap<String, Vec<u8>>,
    flushed: u32,
    scans: u32,
    follow: Option<Follow>,
    down: u32,
    connected: u32,
    notified: Option<Instant>,
    _guard: DropGuard,
}

impl Watched {
    fn start(cache: &EmbeddedCache) -> Self {
        let cancel = CancellationToken::new();
        let connection = RedisConnection::parse(&cache.url()).unwrap();
        let (observations, _) = CacheObserver::start(connection, ObserverOptions::default(), cancel.clone());
        Self {
            observations,
            entries: BTreeMap::new(),
            flushed: 0,
            scans: 0,
            follow: None,
            down: 0,
            connected: 0,
            notified: None,
            _guard: cancel.drop_guard(),
        }
    }

    /// Takes observations until the condition holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let within = Duration::from_secs(15);
        let start = Instant::now();
        while !holds(self) {
            let left = within.saturating_sub(start.elapsed());
            let observation = tokio::time::timeout(left, self.observations.recv())
                .await
                .unwrap_or_else(|_| panic!("not within {within:?}: {what}; have {:?}", self.entries.keys()));
            match observation.expect("the observer runs") {
                Observation::Entries(entries) => {
                    for seen in entries {
                        self.notified = Some(seen.notified_at);
                        self.entries.insert(seen.key, seen.entry.value.to_vec());
                    }
                }
                Observation::Removed(keys) => keys.iter().for_each(|key| {
                    self.entries.remove(key);
                }),
                Observation::Flushed => {
                    self.flushed += 1;
                    self.entries.clear();
                }
                Observation::ScanDone => self.scans += 1,
                Observation::Follow(follow) => self.follow = Some(follow),
                Observation::Down { .. } => self.down += 1,
                Observation::Connected { .. } => self.connected += 1,
                Observation::Status(_) | Observation::Dropped(_) => {}
            }
        }
    }
}

async fn cache() -> (EmbeddedCache, CacheClient) {
    let cache = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    let client = CacheClient::connect(&RedisConnection::parse(&cache.url()).unwrap()).await.unwrap();
    (cache, client)
}

async fn set(client: &CacheClient, key: &str, value: &str) {
    let write = CacheWrite::Set { key: key.to_owned().into(), value: value.to_owned().into(), ttl: None };
    client.write(&[write]).await.unwrap()[0].clone().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_what_changes_and_what_goes_away() {
    let (cache, client) = cache().await;
    for n in 0..1_500 {
        set(&client, &format!("k{n}"), "old").await;
    }
    let mut watched = Watched::start(&cache);
    watched.until("a scan", |seen| seen.scans == 1).await;
    assert_eq!(watched.entries.len(), 1_500);
    assert!(!matches!(watched.follow, Some(Follow::Polling { .. }) | None), "{:?}", watched.follow);

    let before = Instant::now();
    set(&client, "k7", "new").await;
    watched.until("the change", |seen| seen.entries["k7"] == b"new").await;
    assert!(watched.notified.unwrap() >= before);
    client.delete(&["k8".to_owned()]).await.unwrap();
    watched.until("the deletion", |seen| !seen.entries.contains_key("k8")).await;
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_looked_through_again() {
    let (cache, client) = cache().await;
    set(&client, "before", "1").await;
    let mut watched = Watched::start(&cache);
    watched.until("a scan", |seen| seen.scans == 1).await;
    let port = cache.port();
    cache.stop().await;
    watched.until("the loss", |seen| seen.down > 0).await;
    let cache =
        EmbeddedCache::start(CacheOptions { port: Some(port), ..CacheOptions::default() }).await.unwrap();
    let client = CacheClient::connect(&RedisConnection::parse(&cache.url()).unwrap()).await.unwrap();
    set(&client, "after", "2").await;
    watched.until("the return", |seen| seen.connected == 2 && seen.scans == 2).await;
    let keys: Vec<_> = watched.entries.keys().cloned().collect();
    assert_eq!(keys, ["after"], "what did not come back is gone from view");
    cache.stop().await;
}
