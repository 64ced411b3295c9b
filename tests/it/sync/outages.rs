//! Redis goes away, fills up, turns read-only, or throws us out, each in mid-sync with 200 writes a
//! second: nothing is lost, the cause is told in one line, and it goes on by itself within two seconds.
//!
//! `SYNCSCOPE_OUTAGE=10` makes each trouble last ten seconds.

use std::time::{Duration, Instant};

use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::process::Child;

use crate::end_to_end::Traffic;
use crate::support::pair::{Pair, gather, signal};
use crate::support::servers::left_out;
use crate::support::wait::eventually;

const WRITES_A_SECOND: u64 = 200;

/// How long a trouble lasts, in seconds; the traffic changes every document meanwhile.
fn trouble() -> Duration {
    Duration::from_secs(std::env::var("SYNCSCOPE_OUTAGE").map_or(2, |text| text.parse().unwrap()))
}

/// How soon after its end everything must be in the cache.
const RECOVERY: Duration = Duration::from_secs(2);
/// The same among the other tests of a busy machine, which have their share of it.
const RECOVERY_IN_COMPANY: Duration = Duration::from_secs(8);
const PRODUCTS: u64 = 50;

struct Scene {
    pair: Pair,
    sync: Child,
    traffic: Traffic,
}

async fn scene() -> Scene {
    let pair = Pair::start().await;
    let traffic = Traffic::paced(&pair.prices, PRODUCTS, WRITES_A_SECOND);
    let sync = pair.program().args(["sync", "--start", "beginning"]).spawn().unwrap();
    let redis = pair.redis().await;
    let half = Some(PRODUCTS / 2);
    eventually("half delivered", async || redis.status().await.unwrap().keys >= half).await;
    Scene { pair, sync, traffic }
}

impl Scene {
    /// Sends one command to the server itself.
    async fn ask(&self, words: &[&str]) -> Result<redis::Value, redis::RedisError> {
        let client = redis::Client::open(self.pair.cache.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await
    }

    /// Lets the trouble last until every document has changed under it.
    async fn suffer(&self) {
        let so_far = self.traffic.written.load(std::sync::atomic::Ordering::Relaxed);
        tokio::time::sleep(trouble()).await;
        self.traffic.written(so_far + PRODUCTS).await;
    }

    /// The trouble has just ended: everything must come, and the cause must have been told.
    #[expect(clippy::print_stdout, reason = "the measurement, with --nocapture")]
    async fn recovers(self, trouble: &str, cause: &str) {
        let Self { pair, sync, traffic } = self;
        let over = Instant::now();
        traffic.stop().await;
        let alone = std::env::var_os("SYNCSCOPE_OUTAGE").is_some();
        pair.in_step(if alone { RECOVERY } else { RECOVERY_IN_COMPANY }).await;
        let took = over.elapsed();
        signal(&sync, "TERM").await;
        let ran = gather(sync).await.code(0);
        let told: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(cause)).collect();
        assert!(!told.is_empty(), "{cause:?} is not told: {}", ran.stderr);
        assert!(ran.stderr.contains(" 0 set aside"), "{}", ran.stderr);
        println!("{trouble}: in step {} ms after its end; told as: {}", took.as_millis(), told[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_stopped_and_started_again() {
    let mut scene = scene().await;
    let port = scene.pair.cache.port();
    let nothing = EmbeddedCache::start(CacheOptions { in_process: true, port: None }).await.unwrap();
    std::mem::replace(&mut scene.pair.cache, nothing).stop().await;
    scene.suffer().await;
    let again = CacheOptions { port: Some(port), ..CacheOptions::default() };
    scene.pair.cache = EmbeddedCache::start(again).await.unwrap();
    scene.recovers("stopped", "not reachable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_made_read_only() {
    let scene = scene().await;
    // Of nobody: a replica whose primary is not there.
    if scene.ask(&["REPLICAOF", "127.0.0.1", "1"]).await.is_err() {
        assert!(!scene.pair.cache.product().starts_with("redis"), "a real Redis can be a replica");
        left_out("redis-server");
        return;
    }
    scene.suffer().await;
    scene.ask(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    scene.recovers("read-only", "READONLY").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_without_enough_replicas() {
    let scene = scene().await;
    if scene.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await.is_err() {
        assert!(!scene.pair.cache.product().starts_with("redis"), "a real Redis can want replicas");
        left_out("redis-server");
        return;
    }
    scene.suffer().await;
    scene.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await.unwrap();
    scene.recovers("too few replicas", "NOREPLICAS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_out_of_memory() {
    let scene = scene().await;
    scene.ask(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    scene.suffer().await;
    scene.ask(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    scene.recovers("out of memory", "OOM").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_killed_again_and_again() {
    let scene = scene().await;
    let until = Instant::now() + trouble();
    while Instant::now() < until {
        scene.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.recovers("connections killed", "Redis closed the connection").await;
}
