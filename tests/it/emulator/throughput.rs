//! Request units: what operations cost, and 429s where throughput is limited.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};

use crate::support::emulator::{CONTAINER, DATABASE, client, emulator};
use crate::support::raw::Raw;

const DOCS: &str = "/dbs/shop/colls/prices/docs";

async fn limited(throughput: u32) -> Emulator {
    let options = EmulatorOptions {
        port: PortChoice::Free,
        partitions: 1,
        throughput: Some(throughput),
        ..EmulatorOptions::default()
    };
    let emulator = Emulator::start(options).await.unwrap();
    emulator.ensure_container(DATABASE, CONTAINER, "/id", None).await.unwrap();
    emulator
}

fn charge(answer: &reqwest::Response) -> f64 {
    answer.headers()["x-ms-request-charge"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn charges_follow_operation_and_size() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let of = |kilobytes: usize| format!("{{\"id\":\"a\",\"text\":\"{}\"}}", "x".repeat(kilobytes * 1_000));
    let created = raw.upsert(DOCS, "a", &of(0)).await;
    let replaced = raw.upsert(DOCS, "a", &of(0)).await;
    let large = raw.upsert(DOCS, "a", &of(100)).await;
    let key = [("x-ms-documentdb-partitionkey", r#"["a"]"#)];
    let read = raw.send("GET", &format!("{DOCS}/a"), &key, "").await;
    assert!((5.0..6.0).contains(&charge(&created)), "{}", charge(&created));
    assert!(charge(&replaced) > charge(&created) && charge(&large) > 5.0 * charge(&replaced));
    assert!((8.0..12.0).contains(&charge(&read)), "100 KB are about 10 RU: {}", charge(&read));
    raw.upsert(DOCS, "a", &of(0)).await;
    let read = raw.send("GET", &format!("{DOCS}/a"), &key, "").await;
    assert!((charge(&read) - 1.0).abs() < f64::EPSILON, "{}", charge(&read));
    let feed = raw.send("GET", DOCS, &[("a-im", "Incremental feed")], "").await;
    assert!(charge(&feed) >= 2.0);
}

#[tokio::test]
async fn beyond_the_throughput_is_429_until_the_debt_is_paid() {
    let emulator = limited(100).await;
    let raw = Raw::new(&emulator);
    let mut refused = None;
    for n in 0..1_000 {
        let answer = raw.upsert(DOCS, "a", &format!("{{\"id\":\"a\",\"n\":{n}}}")).await;
        if answer.status() == 429 {
            refused = Some((n, answer));
            break;
        }
    }
    let (n, refused) = refused.expect("100 RU/s are not enough for a thousand writes at once");
    assert!(n >= 9, "a second's worth may be spent at once, not {n} writes");
    assert_eq!(refused.headers()["x-ms-substatus"], "3200");
    let wait: u64 = refused.headers()["x-ms-retry-after-ms"].to_str().unwrap().parse().unwrap();
    assert!((1..=1_000).contains(&wait), "{wait}");
    let body: Value = serde_json::from_slice(&refused.bytes().await.unwrap()).unwrap();
    assert_eq!(body["code"], "TooManyRequests");
    // What was refused was not done, and the list of ranges is never refused.
    assert_eq!(raw.send("GET", "/dbs/shop/colls/prices/pkranges", &[], "").await.status(), 200);
    // Time is the subject: just as long as the answer has told.
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let key = [("x-ms-documentdb-partitionkey", r#"["a"]"#)];
    let read = raw.send("GET", &format!("{DOCS}/a"), &key, "").await;
    let read: Value = serde_json::from_slice(&read.bytes().await.unwrap()).unwrap();
    assert_eq!(read["n"], n - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_gets_over_throttling() {
    let emulator = limited(400).await;
    let prices =
        client(&emulator).await.database_client(DATABASE).container_client(CONTAINER, None).await.unwrap();
    let started = Instant::now();
    for n in 0..150 {
        let id = format!("p-{n}");
        prices.upsert_item(id.clone(), &id, &json!({ "id": id }), None).await.unwrap();
    }
    // 825 RU at 400 a second, the first 400 at once.
    assert!(started.elapsed() > Duration::from_millis(900), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_container_has_the_throughput_of_its_offer() {
    let emulator = limited(20).await;
    let raw = Raw::new(&emulator);
    let large = json!({"id": "large", "partitionKey": {"paths": ["/id"], "kind": "Hash", "version": 2}});
    let offer = [("x-ms-offer-throughput", "100000")];
    assert_eq!(raw.send("POST", "/dbs/shop/colls", &offer, large.to_string()).await.status(), 201);
    let docs = "/dbs/shop/colls/large/docs";
    for _ in 0..30 {
        assert!(raw.upsert(docs, "a", r#"{"id":"a"}"#).await.status().is_success());
    }
    // Scaled down while it runs.
    let offers = raw.send("GET", "/offers", &[], "").await;
    let offers: Value = serde_json::from_slice(&offers.bytes().await.unwrap()).unwrap();
    let mut offer = offers["Offers"][0].clone();
    offer["content"]["offerThroughput"] = 400.into();
    let path = format!("/offers/{}", offer["id"].as_str().unwrap());
    let replaced = raw.send("PUT", &path, &[], offer.to_string()).await;
    assert_eq!(replaced.status(), 200);
    let mut statuses = Vec::new();
    for _ in 0..150 {
        statuses.push(raw.upsert(docs, "a", r#"{"id":"a"}"#).await.status().as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}
