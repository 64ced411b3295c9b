//! The cache room against a real redis-server and the in-process one.

use std::time::Duration;

use bytes::Bytes;
use syncscope::cache::{CacheClient, CacheError, CacheWrite, DistributedExpiry, Encoding, Refusal};
use syncscope::config::{RedisConnection, Secret};
use syncscope::embedded::{CacheOptions, EmbeddedCache, EmbeddedCacheError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::servers::servers;
use crate::support::wait::within;

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

/// A command that no room of ours sends.
async fn raw(server: &EmbeddedCache, line: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn entries_are_written_and_read_back() {
    for server in servers().await {
        written_and_read_back(&server).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn keys_that_are_not_utf8_are_listed_read_and_deleted() {
    for server in servers().await {
        let client = CacheClient::connect(&target(server.port())).await.unwrap();
        let keys = [&b"\xff\xfe:1"[..], b"caf\xe9", b"caf\xef\xbf\xbd", "café".as_bytes()];
        let batch: Vec<CacheWrite> = keys
            .iter()
            .map(|key| CacheWrite::Set {
                key: Bytes::from_static(key),
                value: Bytes::from_static(key),
                ttl: None,
            })
            .collect();
        assert!(client.write(&batch).await.unwrap().iter().all(Result::is_ok));
        let (_, listed) = client.scan(0, None, 100).await.unwrap();
        assert_eq!(listed.len(), keys.len());
        let entries = client.entries(&listed, 100).await.unwrap();
        let mut values: Vec<Bytes> = entries.into_iter().map(|entry| entry.unwrap().value).collect();
        values.sort_unstable();
        let mut wanted = keys.map(Bytes::from_static).to_vec();
        wanted.sort_unstable();
        assert_eq!(values, wanted);
        assert_eq!(client.delete(&listed).await.unwrap(), 4);
        assert_eq!(client.status().await.unwrap().keys, Some(0));
        server.stop().await;
    }
}

async fn written_and_read_back(server: &EmbeddedCache) {
    let client = CacheClient::connect(&target(server.port())).await.unwrap();
    assert!(server.product() == "in-process" || client.product() == server.product());

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
}

#[tokio::test]
async fn hashes_are_decoded_by_how_they_were_written() {
    for server in servers().await {
        let client = CacheClient::connect(&target(server.port())).await.unwrap();
        raw(&server, "HSET net absexp 638000000000000000 sldexp -1 data '{\"a\":1}'").await;
        raw(&server, "HSET fields price 39.9 name \"a b\"").await;
        let net = client.entry("net", 1024).await.unwrap().unwrap();
        assert_eq!((net.kind.as_str(), net.encoding), ("hash", Encoding::DistributedCache));
        assert_eq!(net.value, "{\"a\":1}");
        let fields = client.entry("fields", 1024).await.unwrap().unwrap();
        assert_eq!(fields.encoding, Encoding::Fields);
        assert_eq!(fields.value, r#"{"name":"a b","price":"39.9"}"#);
        assert_eq!(fields.size, 16);
        let both = client.entries(&["net".into(), "none".into(), "fields".into()], 1024).await.unwrap();
        assert_eq!(both, [Some(net), None, Some(fields)]);
        server.stop().await;
    }
}

#[tokio::test]
async fn each_encoding_is_read_back_as_it_was_written() {
    for server in servers().await {
        let client = CacheClient::connect(&target(server.port())).await.unwrap();
        raw(&server, "HSET fields gone 1").await;
        raw(&server, "SET text string").await;
        let expiry = DistributedExpiry {
            absolute: Some(jiff::Timestamp::from_second(4_102_444_800).unwrap()),
            sliding: Some(Duration::from_secs(1200)),
        };
        let hash = |key: &str, expiry| CacheWrite::DistributedCache {
            key: Bytes::from(key.to_owned()),
            data: r#"{"id":"a"}"#.into(),
            expiry,
        };
        let outcomes = client
            .write(&[
                hash("net", expiry),
                set("between", "1"),
                hash("text", expiry),
                CacheWrite::Fields {
                    key: "fields".into(),
                    fields: vec![("price".into(), "39.9".into()), ("name".into(), "🦀".into())],
                    ttl: Some(Duration::from_secs(50)),
                },
                CacheWrite::Fields { key: "between".into(), fields: Vec::new(), ttl: None },
                CacheWrite::Json { key: "json".into(), document: "{}".into(), ttl: None },
                hash("ever", DistributedExpiry::default()),
            ])
            .await
            .unwrap();
        let refused: Vec<_> =
            outcomes.iter().map(|outcome| outcome.as_ref().err().map(|error| error.refusal)).collect();
        let unknown = Some(Refusal::UnknownCommand);
        assert_eq!(refused, [None, None, None, None, None, unknown, None], "{}", server.product());
        let replaced = client.entry("text", 1024).await.unwrap().unwrap();
        assert_eq!(replaced.encoding, Encoding::DistributedCache);

        let net = client.entry("net", 1024).await.unwrap().unwrap();
        assert_eq!((net.encoding, &net.value[..]), (Encoding::DistributedCache, &br#"{"id":"a"}"#[..]));
        let left = net.expires_at.unwrap().duration_since(jiff::Timestamp::now()).as_secs();
        assert!((1150..=1200).contains(&left), "{left}");
        let wire = raw(&server, "HMGET net absexp sldexp data").await;
        // 2100-01-01 in .NET ticks; 20 minutes in .NET ticks
        assert!(wire.contains("662380416000000000") && wire.contains("12000000000"), "{wire}");
        let fields = client.entry("fields", 1024).await.unwrap().unwrap();
        assert_eq!(fields.value, r#"{"name":"🦀","price":"39.9"}"#);
        assert!(fields.expires_at.is_some());
        assert_eq!(client.entry("between", 1024).await.unwrap(), None);
        assert_eq!(client.entry("ever", 1024).await.unwrap().unwrap().expires_at, None);

        client.write(&[hash("net", DistributedExpiry::default())]).await.unwrap();
        assert_eq!(client.entry("net", 1024).await.unwrap().unwrap().expires_at, None);
        server.stop().await;
    }
}

#[tokio::test]
async fn scan_status_and_delete() {
    for server in servers().await {
        let client = CacheClient::connect(&target(server.port())).await.unwrap();
        let batch: Vec<_> = (0..300).map(|n| set(&format!("k:{n}"), "v")).collect();
        client.write(&batch).await.unwrap();
        client.write(&[set("other", "v")]).await.unwrap();
        let (mut cursor, mut found) = (0, std::collections::BTreeSet::new());
        loop {
            let (next, keys) = client.scan(cursor, Some("k:*"), 50).await.unwrap();
            found.extend(keys);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(found.len(), 300, "{}", server.product());
        let status = client.status().await.unwrap();
        assert_eq!((status.keys, status.role.as_str()), (Some(301), "master"));
        assert!(status.used_memory.unwrap() > 0 && !status.loading && status.snapshot_ok);
        let doomed: Vec<String> = vec!["k:1".into(), "k:2".into(), "none".into()];
        assert_eq!(client.delete(&doomed).await.unwrap(), 2);
        assert_eq!(client.status().await.unwrap().keys, Some(299));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_full_server_refuses_each_entry_and_takes_them_later() {
    for server in servers().await {
        let client = CacheClient::connect(&target(server.port())).await.unwrap();
        raw(&server, "SET there 1").await;
        raw(&server, "SET stays 1").await;
        raw(&server, "CONFIG SET maxmemory 1").await;
        let batch = [set("a", "1"), CacheWrite::Delete { key: "there".into() }, set("b", "2")];
        let outcomes = client.write(&batch).await.unwrap();
        for refused in [&outcomes[0], &outcomes[2]] {
            let error = refused.as_ref().unwrap_err();
            assert_eq!(error.refusal, Refusal::OutOfMemory, "{}: {error}", server.product());
            assert!(error.is_passing() && error.remedy().contains("maxmemory"));
        }
        assert_eq!(outcomes[1], Ok(()), "deleting needs no memory");
        raw(&server, "CONFIG SET maxmemory 0").await;
        assert!(client.write(&batch).await.unwrap().iter().all(Result::is_ok));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_client_comes_back_when_its_server_does() {
    for in_process in [true, false] {
        let start = |port| EmbeddedCache::start(CacheOptions { port, in_process });
        let server = start(None).await.unwrap();
        let port = server.port();
        let client = CacheClient::connect(&target(port)).await.unwrap();
        server.stop().await;
        let error = client.write(&[set("a", "1")]).await.unwrap_err();
        assert!(error.is_passing(), "{error}");
        let server = start(Some(port)).await.unwrap();
        assert_eq!(client.write(&[set("a", "1")]).await.unwrap(), [Ok(())]);
        raw(&server, "CLIENT KILL TYPE normal").await;
        assert_eq!(client.write(&[set("a", "2")]).await.unwrap(), [Ok(())], "it notices by itself");
        server.stop().await;
    }
}

#[tokio::test]
async fn passwords_replicas_and_permissions_are_told_apart() {
    for server in servers().await {
        if server.product() == "in-process" {
            let with_password = RedisConnection { password: Secret::new("x"), ..target(server.port()) };
            let error = CacheClient::connect(&with_password).await.unwrap_err();
            assert_eq!(error.refusal(), Some(Refusal::PasswordNotExpected), "{error}");
            continue; // it has no passwords, replicas and ACL
        }
        let client = CacheClient::connect(&target(server.port())).await.unwrap();
        raw(&server, "REPLICAOF 127.0.0.1 1").await;
        let outcomes = client.write(&[set("a", "1")]).await.unwrap();
        let error = outcomes[0].as_ref().unwrap_err();
        assert_eq!(error.refusal, Refusal::ReadOnly, "{error}");
        raw(&server, "REPLICAOF NO ONE").await;

        raw(&server, "ACL SETUSER reader on >secret ~* +@read +ping +client +select +info").await;
        let reader = RedisConnection {
            username: Some("reader".into()),
            password: Secret::new("secret"),
            database: 3,
            ..target(server.port())
        };
        let reader = CacheClient::connect(&reader).await.unwrap();
        let outcomes = reader.write(&[set("a", "1")]).await.unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap_err().refusal, Refusal::NoPermission);

        raw(&server, "CONFIG SET requirepass right").await;
        let error = CacheClient::connect(&target(server.port())).await.unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::PasswordNeeded), "{error}");
        let wrong = RedisConnection { password: Secret::new("wrong"), ..target(server.port()) };
        let error = CacheClient::connect(&wrong).await.unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::PasswordWrong), "{error}");
        assert!(!error.is_passing() && !error.cause().contains("wrong"), "{}", error.cause());
        let right = RedisConnection { password: Secret::new("right"), ..target(server.port()) };
        CacheClient::connect(&right).await.unwrap();
        server.stop().await;
    }
}

#[tokio::test]
async fn what_is_no_redis_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 64];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let error = CacheClient::connect(&target(port)).await.unwrap_err();
    assert!(matches!(error, CacheError::Unreachable { .. }), "{error:?}");
    assert!(error.cause().contains("is it Redis?"), "{}", error.cause());
    serving.await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for in_process in [true, false] {
        let error = EmbeddedCache::start(CacheOptions { port: Some(port), in_process }).await.unwrap_err();
        assert!(matches!(error, EmbeddedCacheError::PortTaken { .. }), "{error}");
        assert!(error.to_string().contains(&port.to_string()));
    }
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
        if by_drop {
            drop(server);
        } else {
            server.stop().await;
        }
        gone_soon(port).await;
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
    TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    child.kill().await.unwrap(); // SIGKILL: no destructor runs
    gone_soon(port).await;
}

/// It takes some 10 ms; on a machine where all tests run at once it may take far longer.
async fn gone_soon(port: u16) {
    let limit = Duration::from_secs(4);
    within(limit, "the server ends", async || TcpStream::connect(("127.0.0.1", port)).await.is_err()).await;
}

#[tokio::test]
async fn tls_to_a_plain_server_is_told() {
    for server in servers().await {
        let with_tls = RedisConnection { tls: true, ..target(server.port()) };
        let error = CacheClient::connect(&with_tls).await.unwrap_err();
        // Ours refuses the handshake, real Redis waits for the end of a line.
        let (told, product) = (error.cause() + &error.remedy(), server.product());
        assert!(told.contains("TLS") && told.contains("redis://"), "{product}: {error:?}");
        assert_eq!(matches!(error, CacheError::Tls { .. }), product == "in-process", "{error:?}");
    }
}
