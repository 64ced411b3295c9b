//! Entries as RedisJSON, on a server that has the module. No package of it exists for most systems,
//! so this runs by hand, with the module's path in `SYNCSCOPE_REDISJSON`:
//! `SYNCSCOPE_REDISJSON=/path/librejson.so cargo test --test it redis_json -- --ignored`

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use redis::AsyncCommands as _;
use serde_json::{Value, json};
use syncscope::cache::{CacheClient, Encoding};
use syncscope::config::{Guard, RedisConnection, ValueEncoding};
use syncscope::sync::compare;
use tokio::process::{Child, Command};

use super::encodings::{any_document, documents, entry_of, mapping, written};

fn server() -> (Child, String) {
    let module = std::env::var("SYNCSCOPE_REDISJSON").expect("the module's path in SYNCSCOPE_REDISJSON");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1", "--loadmodule", &module])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    (child, format!("redis://127.0.0.1:{port}"))
}

async fn connected(url: &str) -> CacheClient {
    let connection = RedisConnection::parse(url).unwrap();
    let found = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match CacheClient::connect(&connection).await {
                Ok(client) => return client,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
    found.await.expect("the server with the module answers")
}

#[tokio::test]
#[ignore = "needs RedisJSON's module; see the head of the file"]
async fn documents_come_back_from_a_real_module() {
    let (_server, url) = server();
    let client = connected(&url).await;
    let mut raw = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut runner = TestRunner::deterministic();
    let random = (0..64).map(|n| {
        let mut document = any_document().new_tree(&mut runner).unwrap().current();
        document["id"] = json!(format!("r-{n}"));
        document
    });
    let all: Vec<Value> = documents().into_iter().chain(random).collect();
    for guard in [Guard::Off, Guard::On] {
        let mapping = mapping(ValueEncoding::Json, guard, Some(Duration::from_secs(60)));
        for document in &all {
            // Whatever was there is replaced, with its type.
            let id = document["id"].as_str().unwrap();
            let _: () = raw.set(id, "old").await.unwrap();
            let now = Timestamp::now();
            let found = written(&client, entry_of(&mapping, document)).await;
            let wrong = compare(&entry_of(&mapping, document), Some(&found), now);
            assert_eq!(wrong, None, "guard {guard}: {document}");
            assert_eq!((found.encoding, found.kind.as_str()), (Encoding::Json, "ReJSON-RL"));
            assert!(found.expires_at.is_some(), "guard {guard}: its TTL");
        }
    }
}

#[tokio::test]
#[ignore = "needs RedisJSON's module; see the head of the file"]
async fn the_guard_holds_on_a_real_module() {
    let (_server, url) = server();
    let client = connected(&url).await;
    let mapping = mapping(ValueEncoding::Json, Guard::On, None);
    for (ts, price, held) in [(5, 10, 10), (4, 9, 10), (6, 11, 11), (6, 12, 12), (5, 1, 12)] {
        let entry = entry_of(&mapping, &json!({"id": "p", "price": price, "_ts": ts, "_lsn": price}));
        let found = written(&client, entry).await;
        let value: Value = serde_json::from_slice(&found.value).unwrap();
        assert_eq!(value["price"], held, "after _ts {ts}");
    }
}
