//! The embedded pair and the program itself, run on it as a user would.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use syncscope::cache::CacheClient;
use syncscope::config::RedisConnection;
use syncscope::cosmos::{Container, FeedPosition, FeedScope};
use syncscope::embedded::cosmos::Emulator;
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::process::{Child, Command};

use super::cosmos::prices;
use super::emulator::empty_emulator;

/// Emulator with `shop/prices`, and a cache; both outlive the programs under test.
pub(crate) struct Pair {
    pub(crate) emulator: Emulator,
    pub(crate) cache: EmbeddedCache,
    pub(crate) prices: Container,
}

impl Pair {
    /// Starts both; the cache is a real redis-server where there is one, and must be one in CI.
    pub(crate) async fn start() -> Self {
        let emulator = empty_emulator().await;
        let prices = prices(&emulator).await;
        let cache = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
        if std::env::var_os("CI").is_some() {
            assert!(cache.product().starts_with("redis"), "CI needs a real Redis, got {}", cache.product());
        }
        Self { emulator, cache, prices }
    }

    /// The program with the pair's addresses, ready for a subcommand.
    pub(crate) fn program(&self) -> Command {
        let mut command = program();
        command.env("SYNCSCOPE_COSMOS", self.emulator.connection_string());
        command.env("SYNCSCOPE_REDIS", self.cache.url());
        command
    }

    /// Runs a subcommand to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.program();
        command.args(args);
        finish(command).await
    }

    /// A client of the cache.
    pub(crate) async fn redis(&self) -> CacheClient {
        CacheClient::connect(&RedisConnection::parse(&self.cache.url()).unwrap()).await.unwrap()
    }

    /// Documents by id, as the feed delivers them.
    pub(crate) async fn documents(&self) -> BTreeMap<String, Bytes> {
        documents(&self.prices).await
    }

    /// How source and cache differ, in words; empty = byte for byte equal, and nothing too much.
    pub(crate) async fn differences(&self) -> Vec<String> {
        differences(&self.prices, &self.redis().await).await
    }

    /// Waits until source and cache are equal.
    pub(crate) async fn in_step(&self, within: Duration) {
        in_step(&self.prices, &self.redis().await, within).await;
    }
}

/// Waits until source and cache are equal.
pub(crate) async fn in_step(prices: &Container, redis: &CacheClient, within: Duration) {
    let start = Instant::now();
    loop {
        let found = differences(prices, redis).await;
        if found.is_empty() {
            return;
        }
        assert!(start.elapsed() < within, "after {within:?}: {} of {found:?}", found.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Documents by id, as the feed delivers them.
pub(crate) async fn documents(prices: &Container) -> BTreeMap<String, Bytes> {
    let mut documents = BTreeMap::new();
    for range in prices.feed_ranges(true).await.unwrap() {
        let mut from = FeedPosition::Beginning;
        let scope = FeedScope::Range(range.range);
        loop {
            let page = prices.feed_page(&scope, &from, Some(1_000)).await.unwrap();
            if page.not_modified {
                break;
            }
            for document in page.documents().unwrap() {
                let value: Value = serde_json::from_slice(&document).unwrap();
                documents.insert(value["id"].as_str().unwrap().to_owned(), document);
            }
            from = FeedPosition::Continuation(page.etag.clone().unwrap());
        }
    }
    documents
}

/// How source and cache differ, in words; empty = byte for byte equal, and nothing too much.
pub(crate) async fn differences(prices: &Container, redis: &CacheClient) -> Vec<String> {
    let documents = documents(prices).await;
    let keys: Vec<String> = documents.keys().cloned().collect();
    let mut found = Vec::new();
    for chunk in keys.chunks(1_000) {
        let entries = redis.entries(chunk, 16 << 20).await.unwrap();
        for (key, entry) in chunk.iter().zip(entries) {
            match entry {
                None => found.push(format!("{key:?} is missing")),
                Some(entry) if entry.value != documents[key] => found.push(format!("{key:?} differs")),
                Some(_) => {}
            }
        }
    }
    let total = redis.status().await.unwrap().keys;
    if total != Some(keys.len() as u64) && found.is_empty() {
        found.push(format!("{} documents, {total:?} keys", keys.len()));
    }
    found
}

/// The program in an environment of its own: no user configuration, no variables of this shell.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncscope"));
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("SYNCSCOPE_")) {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The last line of stdout as JSON.
    pub(crate) fn json(&self) -> Value {
        let last = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the exit code.
    pub(crate) fn code(self, wanted: i32) -> Self {
        assert_eq!(self.status.code(), Some(wanted), "{self:#?}");
        self
    }
}

/// Runs to the end, at most two minutes.
pub(crate) async fn finish(mut command: Command) -> Ran {
    let child = command.spawn().unwrap();
    gather(child).await
}

/// Waits for the end of a running program.
pub(crate) async fn gather(child: Child) -> Ran {
    let output = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output())
        .await
        .expect("ends within two minutes")
        .unwrap();
    Ran {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Sends a signal by name (`TERM`, `HUP`, `INT`) to a running program.
pub(crate) async fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("running").to_string();
    let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().await.unwrap();
    assert!(status.success());
}
