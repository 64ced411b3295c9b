//! The cache room against a real redis-server and the in-process one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use syncscope::cache::{CacheClient, CacheError, CacheWrite, Encoding, Refusal};
use syncscope::config::{RedisConnection, Secret};
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::io::{AsyncBufReadExt, BufReader};

fn target(port: u16) -> RedisConnection {
    RedisConnection {
        host: "127.0.0.1".into(),
        port,
        tls: false,
        username: None,
        password: Secret::default(),
        database: 0,
    }
}

fn set(key: &str, value: &str) -> CacheWrite {
    CacheWrite::Set { key: Bytes::from(key.to_owned()), value: Bytes::from(value.to_owned()), ttl: None }
}

#[tokio::test]
async fn entries_are_written_and_read_back() {
    let server = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    let client = CacheClient::connect(&target(server.port())).await.unwrap();

    let keys = ["plain", "with space", "sla/sh", "quo\"te", "emoji 🦀", "שלום", ""];
    let mut batch: Vec<CacheWrite> = keys.iter().map(|key| set(key, &format!("value of {key}"))).collect();
    batch.push(CacheWrite::Set {
        key: "brief".into(),
        value: "x".into(),
        ttl: Some(Duration::from_secs(100)),
    });
    let outcomes = client.write(&batch).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");

    for key in keys {
        let entry = client.entry(key, 1024).await.unwrap().unwrap();
        assert_eq!(entry.value, format!("value of {key}"));
        assert_eq!((entry.kind.as_str(), entry.encoding, entry.cut), ("string", Encoding::Text, false));
        assert_eq!(entry.size, entry.value.len() as u64);
        assert_eq!(entry.expires_at, None);
    }
    let brief = client.entry("brief", 1024).await.unwrap().unwrap();
    let left = brief.expires_at.unwrap().duration_since(jiff::Timestamp::now()).as_secs_f64();
    assert!((95.0..=100.5).contains(&left), "{left}");

    let cut = client.entry("plain", 5).await.unwrap().unwrap();
    assert_eq!((&cut.value[..], cut.cut, cut.size), (&b"value"[..], true, 14));

    assert_eq!(client.entry("nobody", 10).await.unwrap(), None);
    let deleted = client.write(&[CacheWrite::Delete { key: "plain".into() }]).await.unwrap();
    assert_eq!(deleted, vec![Ok(())]);
    assert_eq!(client.entry("plain", 10).await.unwrap(), None);
    server.stop().await;
}

#[tokio::test]
async fn nobody_there_is_told_with_what_to_do() {
    let error = CacheClient::connect(&target(1)).await.unwrap_err();
    assert!(matches!(error, CacheError::Unreachable { .. }), "{error}");
    assert!(error.is_passing() && error.cause().contains("127.0.0.1:1"), "{}", error.cause());
    assert!(error.remedy().contains("start Redis"));
}

#[tokio::test]
async fn a_wrong_database_is_told() {
    let server = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    let target = RedisConnection { database: 99, ..target(server.port()) };
    let error = CacheClient::connect(&target).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::DbIndex), "{error}");
}

#[tokio::test]
async fn the_private_server_ends_when_stopped_and_when_dropped() {
    for by_drop in [false, true] {
        let server = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
        let port = server.port();
        assert_eq!(server.url(), format!("redis://127.0.0.1:{port}"));
        let began = Instant::now();
        if by_drop {
            drop(server);
        } else {
            server.stop().await;
        }
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            assert!(began.elapsed() < Duration::from_secs(5), "still there");
            tokio::task::yield_now().await;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

/// Not a test of its own: the process that the next test kills.
#[tokio::test]
#[ignore = "started by the_private_server_does_not_outlive_a_kill"]
async fn hold_a_private_server() {
    let server = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    println!("port={}", server.port());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn the_private_server_does_not_outlive_a_kill() {
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "cache::hold_a_private_server", "--nocapture"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port: u16 = loop {
        let line = lines.next_line().await.unwrap().expect("the child tells its port");
        if let Some((_, port)) = line.split_once("port=") {
            break port.parse().unwrap();
        }
    };
    tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    child.kill().await.unwrap(); // SIGKILL: no destructor runs
    gone_within(port, Duration::from_secs(1)).await;
}

async fn gone_within(port: u16, limit: Duration) {
    let began = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        assert!(began.elapsed() < limit, "still there after {limit:?}");
        tokio::task::yield_now().await;
    }
}
