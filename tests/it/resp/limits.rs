//! What is too much, too broken or too long for a server.

use std::time::Duration;

use redis_protocol::resp3::types::OwnedFrame;
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{LIMIT, Wire, show};
use crate::support::servers::servers;

#[tokio::test]
async fn protocol_errors_close_the_connection() {
    for server in servers().await {
        for (bytes, answer) in [
            (&b"*a\r\n"[..], "-ERR Protocol error: invalid multibulk length"),
            (b"*1\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'"),
            (b"*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length"),
            (b"GET \"a\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ] {
            let mut wire = Wire::open(&server).await;
            wire.stream.write_all(bytes).await.unwrap();
            assert_eq!(wire.text().await, answer, "{}", server.product());
            assert_eq!(wire.text().await, "(closed)", "{}", server.product());
        }
        let mut wire = Wire::open(&server).await;
        wire.stream.write_all(b"SET \"a b\" 'x'\r\nGET \"a b\"\r\n*1\r\n$4\r\nPING\r\n").await.unwrap();
        assert_eq!(wire.text().await, "OK");
        assert_eq!(wire.text().await, "\"x\"");
        assert_eq!(wire.text().await, "PONG");
    }
}

#[tokio::test]
async fn a_full_server_refuses_what_needs_more() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        assert_eq!(wire.ask("SET a 1").await, "OK");
        wire.ask("CONFIG SET maxmemory 1").await;
        let full = "-OOM command not allowed when used memory > 'maxmemory'.";
        assert_eq!(wire.ask("SET b 1").await, full, "{}", server.product());
        assert_eq!(wire.ask("GET a").await, "\"1\"");
        assert_eq!(wire.ask("DEL a").await, ":1");
        wire.ask("CONFIG SET maxmemory 0").await;
        assert_eq!(wire.ask("SET b 1").await, "OK");
    }
}

#[tokio::test]
async fn a_scan_finds_all_that_stays() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        for number in 0..500 {
            wire.ask(&format!("SET stays:{number} 1")).await;
            wire.ask(&format!("SET goes:{number} 1")).await;
        }
        let mut found = std::collections::BTreeSet::new();
        let (mut cursor, mut step) = ("0".to_owned(), 0);
        loop {
            wire.send(&[b"SCAN", cursor.as_bytes(), b"COUNT", b"20", b"MATCH", b"stays:*"]).await;
            let Some(OwnedFrame::Array { data, .. }) = wire.frame().await else { panic!("no array") };
            let [OwnedFrame::BlobString { data: next, .. }, OwnedFrame::Array { data: keys, .. }] = &data[..]
            else {
                panic!("{data:?}")
            };
            found.extend(keys.iter().map(show));
            cursor = String::from_utf8(next.clone()).unwrap();
            if cursor == "0" {
                break;
            }
            wire.ask(&format!("DEL goes:{step}")).await;
            wire.ask(&format!("SET new:{step} 1")).await;
            step += 1;
        }
        assert_eq!(found.len(), 500, "{}", server.product());
    }
}

#[tokio::test]
async fn long_pipelines_are_answered_although_nobody_reads_meanwhile() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        let value = vec![b'v'; 10_000];
        wire.send(&[b"SET", b"big", &value]).await;
        assert_eq!(wire.text().await, "OK");
        // 40 MB of answers, asked for in one piece before the first is read.
        let count = 4_000;
        wire.stream.write_all(&b"GET big\r\n".repeat(count)).await.unwrap();
        for _ in 0..count {
            assert!(matches!(wire.frame().await, Some(OwnedFrame::BlobString { data, .. }) if data == value));
        }
    }
}

#[tokio::test]
async fn clients_are_listed_and_killed() {
    for server in servers().await {
        let mut victim = Wire::open(&server).await;
        let mut other = Wire::open(&server).await;
        victim.ask("CLIENT SETNAME victim").await;
        let list = other.ask("CLIENT LIST").await;
        assert!(list.contains("name=victim") && list.contains("resp=") || server.product() != "in-process");
        let id = victim.ask("CLIENT ID").await;
        assert_eq!(other.ask(&format!("CLIENT KILL ID {}", &id[1..])).await, ":1");
        assert_eq!(victim.text().await, "(closed)", "{}", server.product());
        assert_eq!(other.ask("CLIENT KILL ID 9999").await, ":0");
    }
}

#[tokio::test]
async fn random_bytes_neither_crash_nor_hang_the_server() {
    use rand::{Rng, SeedableRng};
    let server = EmbeddedCache::start(CacheOptions { port: None, in_process: true }).await.unwrap();
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let alphabet = b"*$:+-0123456789\r\n\r\n SETGETclient\"'\\x";
    for _ in 0..300 {
        let mut wire = Wire::open(&server).await;
        let bytes: Vec<u8> = (0..random.random_range(1..600))
            .map(|_| {
                if random.random_bool(0.9) {
                    alphabet[random.random_range(0..alphabet.len())]
                } else {
                    random.random()
                }
            })
            .collect();
        let _ = wire.stream.write_all(&bytes).await;
        let _ = wire.stream.shutdown().await;
        let mut rest = Vec::new();
        timeout(LIMIT, wire.stream.read_to_end(&mut rest)).await.expect("the server hangs").ok();
    }
    assert_eq!(Wire::open(&server).await.ask("PING").await, "PONG");
    let began = std::time::Instant::now();
    let _open = Wire::open(&server).await;
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(1));
}
