//! Write to feed to lease to Redis, restarts and failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use syncscope::cosmos::{Container, PartitionKey};
use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinHandle;

use crate::support::cosmos::put;
use crate::support::pair::{Pair, gather, signal};
use crate::support::wait::eventually;

/// Short intervals: a dead owner's lease is free after two seconds.
const IMPATIENT: [&str; 6] =
    ["--expiration-interval", "2s", "--renew-interval", "500ms", "--acquire-interval", "500ms"];

/// Keeps changing documents until stopped.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    pub(crate) written: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Traffic {
    pub(crate) fn start(prices: &Container, products: u64) -> Self {
        Self::paced(prices, products, 1_000_000)
    }

    /// At most so many writes a second.
    pub(crate) fn paced(prices: &Container, products: u64, per_second: u64) -> Self {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (prices, stopped, count) = (prices.clone(), Arc::clone(&stop), Arc::clone(&written));
        let task = tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_micros(1_000_000 / per_second));
            while !stopped.load(Ordering::Relaxed) {
                beat.tick().await;
                let n = count.fetch_add(1, Ordering::Relaxed);
                put(&prices, &format!("t-{}", n % products), &json!({ "n": n })).await;
            }
        });
        Self { stop, written, task }
    }

    pub(crate) async fn written(&self, at_least: u64) {
        eventually("documents written", async || self.written.load(Ordering::Relaxed) >= at_least).await;
    }

    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_until_idle_brings_everything_and_a_second_one_nothing() {
    let pair = Pair::start().await;
    let seeded = pair.run(&["seed", "--count", "300", "--json"]).await.code(0);
    assert_eq!(seeded.json()["written"], 300);
    let first = pair.run(&["sync", "--start", "beginning", "--until-idle", "--json"]).await.code(0);
    assert_eq!(first.json()["delivered"], 300);
    assert_eq!(pair.differences().await, [""; 0]);
    let second = pair.run(&["sync", "--start", "beginning", "--until-idle", "--json"]).await.code(0);
    assert_eq!(second.json()["delivered"], 0, "{second:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sync_loses_nothing() {
    let pair = Pair::start().await;
    let traffic = Traffic::start(&pair.prices, 200);
    traffic.written(100).await;
    for round in 1..=3 {
        let mut args = vec!["sync", "--start", "beginning"];
        args.extend(IMPATIENT);
        let mut child = pair.program().args(&args).spawn().unwrap();
        // Killed in the middle of its work: after it has written some of what is coming.
        let redis = pair.redis().await;
        let some = Some(20 * round);
        eventually("some delivered", async || redis.status().await.unwrap().keys >= some).await;
        let so_far = traffic.written.load(Ordering::Relaxed);
        traffic.written(so_far + 50).await;
        child.kill().await.unwrap();
    }
    traffic.stop().await;
    let mut args = vec!["sync", "--until-idle"];
    args.extend(IMPATIENT);
    pair.run(&args).await.code(0);
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_sync_releases_its_leases_within_a_second() {
    let pair = Pair::start().await;
    put(&pair.prices, "a", &json!({})).await;
    for name in ["TERM", "INT", "HUP"] {
        let child = pair.program().args(["sync", "--start", "beginning"]).spawn().unwrap();
        let redis = pair.redis().await;
        redis.delete(&["a".to_owned()]).await.unwrap();
        put(&pair.prices, "a", &json!({ "signal": name })).await;
        eventually("delivered", async || redis.status().await.unwrap().keys == Some(1)).await;
        let asked = Instant::now();
        signal(&child, name).await;
        gather(child).await.code(0);
        assert!(asked.elapsed() < Duration::from_secs(1), "{name}: {:?}", asked.elapsed());
        let account = pair.prices.account();
        let leases = account.container("shop", "leases").await.unwrap();
        let owned = leases.query("SELECT * FROM c WHERE IS_STRING(c.Owner)", &[]).await.unwrap();
        assert!(owned.is_empty(), "{name}: {} leases still owned", owned.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_ids_and_large_documents_arrive_as_they_are() {
    let pair = Pair::start().await;
    let ids = ["with space", "it's \"quoted\"", "🦀 crab", "مرحبا بالعالم", "100%", "a:b*c[d]", "日本語"];
    for id in ids {
        put(&pair.prices, id, &json!({ "text": format!("{id}\n\t\u{1}") })).await;
    }
    let large = json!({ "id": "large", "text": "x".repeat(1_990_000) }).to_string();
    pair.prices.upsert(&PartitionKey::from("large"), large.as_bytes()).await.unwrap();
    let ran = pair.run(&["sync", "--start", "beginning", "--until-idle", "--json"]).await.code(0);
    assert_eq!(ran.json()["delivered"], ids.len() + 1);
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_makes_no_key_is_set_aside_and_told() {
    let pair = Pair::start().await;
    put(&pair.prices, "good", &json!({ "market": "UK" })).await;
    put(&pair.prices, "bad", &json!({ "market": null })).await;
    let args = ["sync", "--start", "beginning", "--until-idle", "--json", "--key", "{market}:{id}"];
    let ran = pair.run(&args).await.code(1);
    assert_eq!((ran.json()["delivered"].as_u64(), ran.json()["setAside"].as_u64()), (Some(1), Some(1)));
    assert!(ran.stderr.contains("market") && ran.stderr.contains("bad"), "{}", ran.stderr);
    assert!(pair.redis().await.entry("UK:good", 1_000).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_goes_and_comes_back_costs_nothing() {
    let Pair { emulator, cache, prices } = Pair::start().await;
    let port = cache.port();
    let traffic = Traffic::start(&prices, 100);
    let pair = Pair { emulator, cache, prices };
    let mut child = pair.program().args(["sync", "--start", "beginning"]).spawn().unwrap();
    traffic.written(200).await;
    let Pair { emulator, cache, prices } = pair;
    cache.stop().await;
    // The cause is told while it lasts.
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = async {
        while let Some(line) = said.next_line().await.unwrap() {
            if line.contains("not reachable") || line.contains("connection lost") {
                return;
            }
        }
        panic!("the lost Redis was not told");
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("told within 20 s");
    // The data of the old server is gone with it: what was written before has to come again.
    let options = CacheOptions { port: Some(port), ..CacheOptions::default() };
    let cache = EmbeddedCache::start(options).await.unwrap();
    let pair = Pair { emulator, cache, prices };
    let so_far = traffic.written.load(Ordering::Relaxed);
    traffic.written(so_far + 300).await;
    traffic.stop().await;
    pair.in_step(Duration::from_secs(20)).await;
    signal(&child, "TERM").await;
    gather(child).await.code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_comes_back_empty_is_synced_from_its_new_container() {
    let Pair { emulator, cache, prices } = Pair::start().await;
    put(&prices, "old", &json!({})).await;
    let pair = Pair { emulator, cache, prices };
    let child = pair.program().args(["sync", "--start", "beginning"]).spawn().unwrap();
    pair.in_step(Duration::from_secs(20)).await;
    let Pair { emulator, cache, .. } = pair;
    let port = emulator.endpoint().port().unwrap();
    emulator.stop().await;
    let options = EmulatorOptions { port: PortChoice::Fixed(port), ..EmulatorOptions::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let prices = crate::support::cosmos::prices(&emulator).await;
    let pair = Pair { emulator, cache, prices };
    pair.redis().await.delete(&["old".to_owned()]).await.unwrap();
    put(&pair.prices, "new", &json!({})).await;
    pair.in_step(Duration::from_secs(30)).await;
    signal(&child, "TERM").await;
    gather(child).await.code(0);
}
