//! Mapping and pipeline beside `redis-benchmark`, on the same private server, in turns: pages in memory go through
//! `CacheWriter` as the processor hands them over.
//!
//! `cargo bench --bench cache_write`: documents a second of each mapping and SETs a second of
//! `redis-benchmark -t set -P 64 -c 4 -r 200000` with values of the same size, medians of the rounds, and their ratio.
//! Documents of about 420 bytes, pages of 1,000, four writers on one connection.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a measuring program, not a library

mod feed_server;

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use feed_server::Shape;
use syncscope::cache::CacheClient;
use syncscope::config::{Guard, MappingSettings, RedisConnection, Settings, ValueEncoding, ValueShape};
use syncscope::cosmos::FeedPage;
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use syncscope::latency::LatencyTracker;
use syncscope::sync::{CacheWriter, Mapping};
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const SHAPE: Shape = Shape { documents: 200_000, ranges: 4, page: 1_000 };
/// A projection as one would write it.
const JQ: &str = "{id, sku, currency, price: .price.current, was: .price.list}";

/// What is measured; the first one is the yardstick's counterpart.
fn mappings() -> [(&'static str, MappingSettings); 5] {
    let plain = MappingSettings::default();
    [
        ("verbatim string", plain.clone()),
        ("verbatim string, guarded", MappingSettings { guard: Guard::On, ..plain.clone() }),
        ("jq projection", MappingSettings { jq: Some(JQ.to_owned()), ..plain.clone() }),
        ("stripped string", MappingSettings { value: ValueShape::Stripped, ..plain.clone() }),
        (
            "IDistributedCache, guarded",
            MappingSettings { encoding: ValueEncoding::DistributedCache, ..plain },
        ),
    ]
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(run());
}

async fn run() {
    let server = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    let redis = RedisConnection::parse(&server.url()).unwrap();
    let starts = (0..SHAPE.documents).step_by(usize::try_from(SHAPE.page).unwrap());
    let pages: Arc<[FeedPage]> = starts.map(|first| page(first, SHAPE.page)).collect();
    let size = SHAPE.document("", 0).len();
    println!("{}: {} documents of {size} bytes, {} writers", server.product(), SHAPE.documents, SHAPE.ranges);
    let mappings = mappings().map(|(name, mapping)| {
        let settings = Settings { mapping, ..Settings::default() };
        (name, Arc::new(Mapping::from_settings(&settings).unwrap()), Vec::new())
    });
    let mut theirs = Vec::new();
    let mut measured = mappings;
    for _ in 0..ROUNDS {
        theirs.extend(redis_benchmark(server.port(), size));
        for (_, mapping, rates) in &mut measured {
            rates.push(write(&redis, mapping, &pages).await);
        }
    }
    check(&redis, &measured[0].1, &pages).await;
    let theirs = (!theirs.is_empty()).then(|| median(theirs));
    match theirs {
        Some(theirs) => println!("{theirs:9.0}/s redis-benchmark -t set -P 64 -c 4 -r 200000 -d {size}"),
        None => println!("redis-benchmark is not installed: nothing to compare with"),
    }
    for (name, _, rates) in measured {
        let ours = median(rates);
        let ratio =
            theirs.map(|theirs| format!("{:.2} of redis-benchmark", ours / theirs)).unwrap_or_default();
        println!("{ours:9.0}/s {name:28} {ratio}");
    }
    println!("at least 0.70 is wanted of the verbatim string");
    server.stop().await;
}

/// A page as it comes over the wire.
fn page(first: u64, count: u64) -> FeedPage {
    let documents: Vec<String> = (first..first + count).map(|number| SHAPE.document("", number)).collect();
    let body = format!(r#"{{"_rid":"","Documents":[{}],"_count":{count}}}"#, documents.join(","));
    FeedPage::from_body(Bytes::from(body), None).unwrap()
}

/// Documents a second from pages in memory; every writer has its quarter, as every lease has its range.
async fn write(redis: &RedisConnection, mapping: &Arc<Mapping>, pages: &Arc<[FeedPage]>) -> f64 {
    let writer = Arc::new(CacheWriter::new(redis.clone(), Arc::clone(mapping), LatencyTracker::default()));
    // Connects.
    writer.write(&pages[0].documents().unwrap()[..1]).await.unwrap();
    let began = Instant::now();
    let mut writers = JoinSet::new();
    let share = pages.len().div_ceil(usize::try_from(SHAPE.ranges).unwrap());
    for start in (0..pages.len()).step_by(share) {
        let (writer, pages) = (Arc::clone(&writer), Arc::clone(pages));
        writers.spawn(async move {
            for page in &pages[start..(start + share).min(pages.len())] {
                writer.write(&page.documents().unwrap()).await.unwrap();
            }
        });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!((writer.delivered(), writer.set_aside().count()), (SHAPE.documents + 1, 0));
    SHAPE.documents as f64 / seconds
}

/// What was written verbatim is there byte for byte.
async fn check(redis: &RedisConnection, mapping: &Arc<Mapping>, pages: &Arc<[FeedPage]>) {
    write(redis, mapping, pages).await;
    let cache = CacheClient::connect(redis).await.unwrap();
    for page in pages.iter().step_by(20) {
        let documents = page.documents().unwrap();
        let keys: Vec<String> =
            documents.iter().map(|document| mapping.keys(document).unwrap().remove(0)).collect();
        for (document, entry) in documents.iter().zip(cache.entries(&keys, 4_096).await.unwrap()) {
            assert_eq!(entry.unwrap().value, document);
        }
    }
}

/// SETs a second as redis-benchmark tells them, if it is installed.
fn redis_benchmark(port: u16, size: usize) -> Option<f64> {
    let (port, size, count) = (port.to_string(), size.to_string(), SHAPE.documents.to_string());
    let output = Command::new("redis-benchmark")
        .args(["-p", &port, "-t", "set", "-P", "64", "-c", "4", "-r", "200000"])
        .args(["-d", &size, "-n", &count, "--csv"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().last()?.split(',').nth(1)?.trim_matches('"').parse().ok()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
