//! The embedded Cosmos emulator over HTTP, client and server in one process: `cargo bench --bench emulator`.
//!
//! Prints the rate of a raw reader of the feed at 10,000 and at 100,000 documents (pages of 1,000, from the
//! beginning, range by range), of writes with 64 at once, the time of an idle read, the rate of point reads, of a
//! query that looks at every document, of saving and loading nothing but documents, and memory per document.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something fails, and prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use sha2::Sha256;
use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice, WELL_KNOWN_KEY};
use syncscope::seed::Generator;

const DOCS: &str = "/dbs/shop/colls/prices/docs";
const WRITERS: usize = 64;
const WRITES: u64 = 40_000;
const IDLE_READS: usize = 2_000;

/// A client that signs.
#[derive(Clone)]
struct Raw {
    http: Client,
    base: String,
    key: Arc<Vec<u8>>,
}

impl Raw {
    fn new(emulator: &Emulator) -> Self {
        let base = emulator.endpoint().as_str().trim_end_matches('/').to_owned();
        Self { http: Client::new(), base, key: Arc::new(STANDARD.decode(WELL_KNOWN_KEY).unwrap()) }
    }

    fn request(&self, method: Method, path: &str, kind: &str, link: &str) -> RequestBuilder {
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let verb = method.as_str().to_lowercase();
        let plain = format!("{verb}\n{kind}\n{link}\n{}\n\n", date.to_lowercase());
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).unwrap();
        mac.update(plain.as_bytes());
        let token = format!("type=master&ver=1.0&sig={}", STANDARD.encode(mac.finalize().into_bytes()));
        let token = utf8_percent_encode(&token, NON_ALPHANUMERIC).to_string();
        self.http
            .request(method, format!("{}{path}", self.base))
            .header("x-ms-date", date)
            .header("authorization", token)
    }

    fn docs(&self, method: Method) -> RequestBuilder {
        self.request(method, DOCS, "docs", "dbs/shop/colls/prices")
    }

    /// A page of the feed: documents and the next etag.
    async fn page(&self, range: u32, etag: Option<&str>) -> (usize, String, usize) {
        let mut request = self
            .docs(Method::GET)
            .header("a-im", "Incremental feed")
            .header("x-ms-max-item-count", "1000")
            .header("x-ms-documentdb-partitionkeyrangeid", range);
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        let page = request.send().await.unwrap();
        let text = |name| page.headers()[name].to_str().unwrap().to_owned();
        let (count, etag) = (text("x-ms-item-count").parse().unwrap(), text("etag"));
        let bytes = page.bytes().await.unwrap();
        (count, etag, bytes.len())
    }
}

/// Kilobytes of this process in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

async fn filled(documents: u64) -> Emulator {
    let options = EmulatorOptions { port: PortChoice::Free, ..EmulatorOptions::default() };
    let emulator = Emulator::start(options).await.unwrap();
    emulator.ensure_container("shop", "prices", "/id", None).await.unwrap();
    let generator = Generator::default();
    for n in 1..=documents {
        emulator.put("shop", "prices", generator.document(n).json).await.unwrap();
    }
    emulator
}

/// Documents a second from the beginning, and of how many bytes each.
async fn read_all(raw: &Raw, expected: u64) -> (f64, usize) {
    let started = Instant::now();
    let (mut documents, mut bytes) = (0, 0);
    for range in 0..4 {
        let mut etag: Option<String> = None;
        loop {
            let (count, next, length) = raw.page(range, etag.as_deref()).await;
            if count == 0 {
                break;
            }
            documents += count;
            bytes += length;
            etag = Some(next);
        }
    }
    assert_eq!(documents as u64, expected);
    (documents as f64 / started.elapsed().as_secs_f64(), bytes / documents)
}

/// The best and the middle of several readings.
async fn feed(emulator: &Emulator, documents: u64) -> f64 {
    let raw = Raw::new(emulator);
    let mut rates = Vec::new();
    let mut size = 0;
    for _ in 0..7 {
        let (rate, bytes) = read_all(&raw, documents).await;
        rates.push(rate);
        size = bytes;
    }
    rates.sort_by(f64::total_cmp);
    let (middle, best) = (rates[rates.len() / 2], rates[rates.len() - 1]);
    println!("feed     {documents:>7} documents of {size} B: {middle:>9.0}/s (best {best:.0}/s)");
    middle
}

async fn writes(raw: &Raw) {
    let generator = Arc::new(Generator::default());
    let started = Instant::now();
    let tasks: Vec<_> = (0..WRITERS as u64)
        .map(|writer| {
            let (raw, generator) = (raw.clone(), Arc::clone(&generator));
            tokio::spawn(async move {
                for n in (writer..WRITES).step_by(WRITERS) {
                    let document = generator.document(n + 1);
                    let written = raw
                        .docs(Method::POST)
                        .header("x-ms-documentdb-is-upsert", "True")
                        .header("x-ms-documentdb-partitionkey", format!("[\"{}\"]", document.id))
                        .header("prefer", "return=minimal")
                        .body(document.json)
                        .send()
                        .await
                        .unwrap();
                    assert!(written.status().is_success());
                    written.bytes().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    println!("writes   {WRITERS} at once: {:.0}/s", WRITES as f64 / started.elapsed().as_secs_f64());
}

fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name}: p50 {:.2?}, p99 {:.2?}", at(0.5), at(0.99));
}

async fn idle(raw: &Raw) {
    let mut etag = None;
    loop {
        let (count, next, _) = raw.page(0, etag.as_deref()).await;
        etag = Some(next);
        if count == 0 {
            break;
        }
    }
    let mut times = Vec::with_capacity(IDLE_READS);
    for _ in 0..IDLE_READS {
        let asked = Instant::now();
        let (count, ..) = raw.page(0, etag.as_deref()).await;
        assert_eq!(count, 0);
        times.push(asked.elapsed());
    }
    percentiles("idle     read of the feed, one after the other", times);
}

async fn points(raw: &Raw) {
    let mut times = Vec::with_capacity(IDLE_READS);
    for n in 1..=IDLE_READS {
        let id = format!("p-{n:06}");
        let (path, link) = (format!("{DOCS}/{id}"), format!("dbs/shop/colls/prices/docs/{id}"));
        let asked = Instant::now();
        let request = raw.request(Method::GET, &path, "docs", &link);
        let read =
            request.header("x-ms-documentdb-partitionkey", format!("[\"{id}\"]")).send().await.unwrap();
        assert_eq!(read.status(), StatusCode::OK);
        read.bytes().await.unwrap();
        times.push(asked.elapsed());
    }
    percentiles("points   read, one after the other", times);
}

async fn query(raw: &Raw, sql: &str) {
    let asked = Instant::now();
    let body = serde_json::json!({ "query": sql, "parameters": [] }).to_string();
    let request = raw.docs(Method::POST).header("x-ms-documentdb-isquery", "True");
    let found = request.header("content-type", "application/query+json").body(body).send().await.unwrap();
    assert_eq!(found.status(), StatusCode::OK);
    found.bytes().await.unwrap();
    println!("query    {sql}: {:.2?}", asked.elapsed());
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let small = filled(10_000).await;
        let at_ten = feed(&small, 10_000).await;
        small.stop().await;
        let before = resident();
        let started = Instant::now();
        let large = filled(100_000).await;
        println!("filled   100000 documents from inside in {:.2?}", started.elapsed());
        println!("memory   {} B a document", (resident().saturating_sub(before)) * 1024 / 100_000);
        let at_hundred = feed(&large, 100_000).await;
        println!("feed     100,000 against 10,000 documents: {:+.1} %", (at_hundred / at_ten - 1.0) * 100.0);
        let raw = Raw::new(&large);
        idle(&raw).await;
        points(&raw).await;
        query(&raw, "SELECT VALUE COUNT(1) FROM c").await;
        query(&raw, "SELECT VALUE COUNT(1) FROM c WHERE STARTSWITH(c.id, 'p-00')").await;
        query(&raw, "SELECT c.market, COUNT(1) AS n FROM c GROUP BY c.market").await;
        writes(&raw).await;
        large.stop().await;
    });
}
