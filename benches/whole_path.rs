//! The whole path over HTTP: feed server with prepared pages → our processor with its leases → mapping → a real
//! redis-server, in documents a second.
//!
//! - `cargo bench --bench whole_path`: 200,000 documents of about 420 bytes in 4 ranges, pages of 1,000. The feed
//!   server runs in a process of its own, as it does for the loops of other languages that are to be compared.
//! - `cargo bench --bench whole_path -- --serve`: only the feed server. Prints one line of JSON, `{"cosmos": "…",
//!   "redis": "…", "database": "shop", "container": "prices", "documents": 200000, "ranges": 4}`, with a private
//!   redis-server of its own, and serves until its standard input is closed. Any Cosmos SDK can read the feed of
//!   `shop/prices` from there; ranges have the ids 0 to 3, and `p-0000000` is the id of the first document.
//!
//! - `cargo bench --bench whole_path -- --memory`: peak memory and time of `sync --until-idle`, `verify` and `rebuild`
//!   at each of `SIZES` (10000,1000000) documents; `SYNCSCOPE_BIN` names another binary than the one just built.
//!
//! Variables: `DOCUMENTS` (200000), `RANGES` (4), `PAGE` (1000), `ROUNDS` (5), `PORT` of the feed server (0 = any).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a measuring program, not a library

mod feed_server;
mod memory;

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use feed_server::{FeedServer, Shape};
use syncscope::cache::CacheClient;
use syncscope::config::{CosmosConnection, RedisConnection, StartPosition};
use syncscope::cosmos::{Account, Container};
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use syncscope::latency::LatencyTracker;
use syncscope::lease::LeasePrefix;
use syncscope::processor::{Processor, ProcessorOptions};
use syncscope::sync::{CacheWriter, Mapping};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

fn shape() -> Shape {
    Shape {
        documents: number("DOCUMENTS", 200_000),
        ranges: number("RANGES", 4),
        page: number("PAGE", 1_000),
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let wants = |mode| std::env::args().any(|argument| argument == mode);
    if wants("--serve") {
        runtime.block_on(serve());
    } else if wants("--memory") {
        let binary =
            std::env::var_os("SYNCSCOPE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_syncscope").into());
        let sizes = std::env::var("SIZES").unwrap_or_else(|_| "10000,1000000".to_owned());
        let sizes: Vec<u64> = sizes.split(',').map(|size| size.parse().expect("SIZES")).collect();
        memory::measure(Path::new(&binary), &sizes);
    } else {
        runtime.block_on(measure());
    }
}

async fn serve() {
    let shape = shape();
    let server = FeedServer::start(shape, u16::try_from(number("PORT", 0)).unwrap()).await;
    let cache = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    let told = serde_json::json!({
        "cosmos": server.connection_string(),
        "redis": cache.url(),
        "database": "shop",
        "container": "prices",
        "documents": shape.documents,
        "ranges": shape.ranges,
    });
    println!("{told}");
    let end = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(end).await.unwrap().unwrap();
    cache.stop().await;
}

/// The feed server in a process of its own; ends with it.
struct Served {
    child: Child,
    told: serde_json::Value,
}

impl Served {
    fn start(documents: Option<u64>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--serve")
            .envs(documents.map(|documents| ("DOCUMENTS", documents.to_string())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        Self { told: serde_json::from_str(&line).unwrap(), child }
    }

    fn text(&self, name: &str) -> String {
        self.told[name].as_str().unwrap().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

async fn measure() {
    let shape = shape();
    let served = Served::start(None);
    let redis = RedisConnection::parse(&served.text("redis")).unwrap();
    let account = Account::connect(&CosmosConnection::parse(&served.text("cosmos")).unwrap()).await.unwrap();
    let source = account.container("shop", "prices").await.unwrap();
    let leases = account.container("shop", "leases").await.unwrap();
    let size = shape.document(source.rid(), 0).len();
    println!(
        "{} documents of {size} bytes in {} ranges, pages of {}",
        shape.documents, shape.ranges, shape.page
    );
    let (mut whole, mut moving) = (Vec::new(), Vec::new());
    for round in 0..=number("ROUNDS", 5) {
        let (seconds, after_first) = sync(&source, &leases, &redis, shape, round).await;
        let (a, b) = (shape.documents as f64 / seconds, shape.documents as f64 / after_first);
        println!("round {round}: {a:8.0} documents/s, {b:8.0} without the start of the processor");
        // The first one warms up and fills Redis.
        if round > 0 {
            whole.push(a);
            moving.push(b);
        }
    }
    check(&redis, &source, shape).await;
    println!("whole path: {:.0} documents/s with the start of the processor", median(whole));
    println!("whole path: {:.0} documents/s from the first lease on", median(moving));
}

/// Seconds from the start of a processor, and from its first lease on, until everything is in Redis and
/// every position is stored.
async fn sync(
    source: &Container,
    leases: &Container,
    redis: &RedisConnection,
    shape: Shape,
    round: u64,
) -> (f64, f64) {
    let name = format!("whole-path-{round}-");
    let prefix = LeasePrefix::new(&name, source.account().host(), source.database_rid(), source.rid());
    let mapping = Arc::new(Mapping::new("{id}").unwrap());
    let writer = Arc::new(CacheWriter::new(redis.clone(), mapping, LatencyTracker::default()));
    let options = ProcessorOptions {
        instance_name: "bench".into(),
        start: StartPosition::Beginning,
        max_items: Some(u32::try_from(shape.page).unwrap()),
        ..ProcessorOptions::default()
    };
    let (events, _) = tokio::sync::mpsc::channel(1);
    let began = Instant::now();
    let running =
        Processor::start(source.clone(), leases.clone(), prefix, Arc::clone(&writer), options, events)
            .await
            .unwrap();
    let mut status = running.status();
    status.wait_for(|status| !status.leases.is_empty()).await.unwrap();
    let owned = Instant::now();
    let done = status.wait_for(|status| status.delivered == shape.documents && status.is_idle());
    tokio::time::timeout(Duration::from_secs(600), done).await.unwrap().unwrap();
    let (seconds, after_first) = (began.elapsed(), owned.elapsed());
    running.stop().await;
    assert_eq!(writer.delivered(), shape.documents);
    assert_eq!(writer.set_aside().count(), 0);
    (seconds.as_secs_f64(), after_first.as_secs_f64())
}

/// Every document is there, byte for byte (of all keys the number, of 1,000 the value).
async fn check(redis: &RedisConnection, source: &Container, shape: Shape) {
    let cache = CacheClient::connect(redis).await.unwrap();
    assert_eq!(cache.status().await.unwrap().keys, Some(shape.documents));
    let step = usize::try_from((shape.documents / 1_000).max(1)).unwrap();
    let numbers: Vec<u64> = (0..shape.documents).step_by(step).collect();
    let keys: Vec<String> = numbers.iter().map(|number| Shape::id(*number)).collect();
    let entries = cache.entries(&keys, 4_096).await.unwrap();
    for (number, entry) in numbers.iter().zip(entries) {
        assert_eq!(entry.unwrap().value, shape.document(source.rid(), *number));
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
