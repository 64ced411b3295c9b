//! The cache observer against the in-process server and real Redis: what was there, what changes, what goes away.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use syncscope::cache::{CacheClient, CacheObserver, CacheWrite, Follow, Observation, ObserverOptions};
use syncscope::config::RedisConnection;
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
                Observation::Status(_) | Observation::Dropped(_) | Observation::Overflowed(_) => {}
            }
        }
    }
}

/// The in-process server, and a real one where there is one (it must be there where CI=true).
async fn caches() -> Vec<(EmbeddedCache, CacheClient)> {
    let mut caches = Vec::new();
    for in_process in [true, false] {
        let cache = EmbeddedCache::start(CacheOptions { port: None, in_process }).await.unwrap();
        if !in_process && cache.product() == "in-process" {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs redis-server on the PATH");
            continue;
        }
        let client = connect(&cache).await;
        caches.push((cache, client));
    }
    caches
}

async fn connect(cache: &EmbeddedCache) -> CacheClient {
    CacheClient::connect(&RedisConnection::parse(&cache.url()).unwrap()).await.unwrap()
}

fn write(key: &str, value: &str) -> CacheWrite {
    CacheWrite::Set { key: key.to_owned().into(), value: value.to_owned().into(), ttl: None }
}

async fn set(client: &CacheClient, key: &str, value: &str) {
    client.write(&[write(key, value)]).await.unwrap()[0].clone().unwrap();
}

/// A command that no room of ours sends.
async fn raw(cache: &EmbeddedCache, line: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", cache.port())).await.unwrap();
    stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_what_changes_and_what_goes_away() {
    for (cache, client) in caches().await {
        let old: Vec<_> = (0..1_500).map(|n| write(&format!("k{n}"), "old")).collect();
        client.write(&old).await.unwrap();
        let mut watched = Watched::start(&cache);
        watched.until("a scan", |seen| seen.scans == 1).await;
        assert_eq!(watched.entries.len(), 1_500);
        assert_eq!(watched.follow, Some(Follow::Tracking), "{}", cache.product());

        let before = Instant::now();
        set(&client, "k7", "new").await;
        watched.until("the change", |seen| seen.entries["k7"] == b"new").await;
        assert!(watched.notified.unwrap() >= before);
        client.delete(&["k8".to_owned()]).await.unwrap();
        watched.until("the deletion", |seen| !seen.entries.contains_key("k8")).await;
        raw(&cache, "SET k9 brief PX 30").await;
        watched.until("the expiry", |seen| !seen.entries.contains_key("k9")).await;
        raw(&cache, "HSET k9 absexp -1 sldexp -1 data again").await;
        watched.until("the hash", |seen| seen.entries.get("k9").is_some_and(|value| value == b"again")).await;
        raw(&cache, "FLUSHALL").await;
        watched.until("the flush", |seen| seen.flushed == 1).await;
        set(&client, "last", "1").await;
        watched.until("the first after it", |seen| seen.entries.contains_key("last")).await;
        assert_eq!(watched.entries.len(), 1);
        cache.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_change_is_seen_at_once() {
    for (cache, client) in caches().await {
        let mut watched = Watched::start(&cache);
        watched.until("a scan", |seen| seen.scans == 1).await;
        let mut delays = Vec::new();
        for n in 0..51 {
            let value = n.to_string();
            set(&client, "k", &value).await;
            let acknowledged = Instant::now();
            watched
                .until("the change", |seen| seen.entries.get("k").is_some_and(|v| v == value.as_bytes()))
                .await;
            delays.push(acknowledged.elapsed());
        }
        delays.sort();
        println!(
            "{}: write acknowledged to entry seen, p50 {:?} max {:?}",
            cache.product(),
            delays[25],
            delays[50]
        );
        // Far more than it takes, because tests share the machine; a poll or a debounce would not pass.
        assert!(delays[25] < Duration::from_millis(50), "{:?}", delays[25]);
        cache.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_ends_in_the_newest_values() {
    for (cache, client) in caches().await {
        let mut watched = Watched::start(&cache);
        for round in 0..10 {
            let batch: Vec<_> = (0..2_000).map(|n| write(&format!("k{n}"), &round.to_string())).collect();
            assert!(client.write(&batch).await.unwrap().iter().all(Result::is_ok));
        }
        watched
            .until("the last round", |seen| {
                seen.entries.len() == 2_000 && seen.entries.values().all(|value| value == b"9")
            })
            .await;
        watched.until("the scan, all the same", |seen| seen.scans == 1).await;
        cache.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_looked_through_again() {
    for in_process in [true, false] {
        let start = |port| EmbeddedCache::start(CacheOptions { port, in_process });
        let cache = start(None).await.unwrap();
        let client = connect(&cache).await;
        set(&client, "before", "1").await;
        let mut watched = Watched::start(&cache);
        watched.until("a scan", |seen| seen.scans == 1).await;
        let port = cache.port();
        cache.stop().await;
        watched.until("the loss", |seen| seen.down > 0).await;
        let cache = start(Some(port)).await.unwrap();
        // The same client: it comes back by itself too.
        set(&client, "after", "2").await;
        watched
            .until("the return", |seen| {
                seen.connected == 2 && seen.scans == 2 && seen.entries.contains_key("after")
            })
            .await;
        let keys: Vec<_> = watched.entries.keys().cloned().collect();
        assert_eq!(keys, ["after"], "what did not come back is gone from view");
        cache.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_killed_come_back() {
    for (cache, client) in caches().await {
        let mut watched = Watched::start(&cache);
        watched.until("a scan", |seen| seen.scans == 1).await;
        raw(&cache, "CLIENT KILL TYPE normal").await;
        set(&client, "k", "1").await;
        watched.until("the entry", |seen| seen.connected == 2 && seen.entries.contains_key("k")).await;
        cache.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tracking_there_are_notifications_and_without_them_there_is_scan() {
    for (cache, client) in caches().await {
        if cache.product() == "in-process" {
            continue; // it has no ACL to forbid tracking with
        }
        let answer = raw(&cache, "ACL SETUSER default -client|tracking").await;
        assert!(answer.starts_with("+OK"), "{answer}");
        set(&client, "old", "1").await;

        let mut polled = Watched::start(&cache);
        polled.until("a scan", |seen| seen.scans == 1).await;
        let Some(Follow::Polling { reason }) = &polled.follow else { panic!("{:?}", polled.follow) };
        assert!(reason.contains("NOPERM"), "{reason}");
        let untouched = raw(&cache, "CONFIG GET notify-keyspace-events").await;
        assert!(untouched.contains("$0"), "set without being asked: {untouched}");
        set(&client, "new", "2").await;
        client.delete(&["old".to_owned()]).await.unwrap();
        polled
            .until("the change", |seen| seen.entries.contains_key("new") && !seen.entries.contains_key("old"))
            .await;

        raw(&cache, "CONFIG SET notify-keyspace-events KEA").await;
        let mut notified = Watched::start(&cache);
        notified.until("a scan", |seen| seen.scans == 1).await;
        assert_eq!(notified.follow, Some(Follow::Notifications));
        set(&client, "new", "3").await;
        notified.until("the change", |seen| seen.entries["new"] == b"3").await;
        client.delete(&["new".to_owned()]).await.unwrap();
        notified.until("the deletion", |seen| seen.entries.is_empty()).await;
        cache.stop().await;
    }
}
