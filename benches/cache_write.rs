//! `CacheClient::write` beside `redis-benchmark`, on the same private server, in turns.
//!
//! `cargo bench --bench cache_write`: SETs a second of both, medians of the rounds, and their ratio.
//! Values of 420 bytes, pages of 1,000, four writers on one connection; redis-benchmark with -P 64 -c 4.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::process::Command;
use std::time::Instant;

use bytes::Bytes;
use syncscope::cache::{CacheClient, CacheWrite};
use syncscope::config::RedisConnection;
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const DOCUMENTS: usize = 400_000;
const KEYS: usize = 200_000;
const VALUE: usize = 420;
const PAGE: usize = 1_000;
const WRITERS: usize = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let server = EmbeddedCache::start(CacheOptions::default()).await?;
    let client = CacheClient::connect(&RedisConnection::parse(&server.url())?).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.extend(redis_benchmark(server.port()));
        ours.push(pages(&client).await?);
    }
    let ours = median(ours);
    println!("{}: {WRITERS} writers, pages of {PAGE}: {ours:.0} SET/s", server.product());
    if theirs.is_empty() {
        println!("redis-benchmark is not installed: nothing to compare with");
    } else {
        let theirs = median(theirs);
        println!("redis-benchmark -t set -P 64 -c 4 -r {KEYS} -d {VALUE}: {theirs:.0} SET/s");
        println!("ratio {:.2} (at least 0.70 is wanted)", ours / theirs);
    }
    server.stop().await;
    Ok(())
}

/// SETs a second, from pages in memory, as the sync writes them.
async fn pages(client: &CacheClient) -> Result<f64, Box<dyn std::error::Error>> {
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let client = client.clone();
        writers.spawn(async move {
            let page = Bytes::from(vec![b'x'; PAGE * VALUE]);
            for start in (0..DOCUMENTS / WRITERS).step_by(PAGE) {
                let batch: Vec<CacheWrite> = (0..PAGE)
                    .map(|n| CacheWrite::Set {
                        key: format!("key:{:012}", (writer * DOCUMENTS / WRITERS + start + n) % KEYS).into(),
                        value: page.slice(n * VALUE..(n + 1) * VALUE),
                        ttl: None,
                    })
                    .collect();
                for outcome in client.write(&batch).await? {
                    outcome.map_err(|error| std::io::Error::other(error.cause()))?;
                }
            }
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer?.map_err(|error| error.to_string())?;
    }
    Ok(DOCUMENTS as f64 / began.elapsed().as_secs_f64())
}

/// SETs a second as redis-benchmark tells them, if it is installed.
fn redis_benchmark(port: u16) -> Option<f64> {
    let (port, keys, size, count) =
        (port.to_string(), KEYS.to_string(), VALUE.to_string(), DOCUMENTS.to_string());
    let output = Command::new("redis-benchmark")
        .args([
            "-p", &port, "-t", "set", "-P", "64", "-c", "4", "-r", &keys, "-d", &size, "-n", &count, "--csv",
        ])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().last()?.split(',').nth(1)?.trim_matches('"').parse().ok()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
