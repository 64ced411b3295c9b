//! Faults, as a client meets them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syncscope::embedded::cosmos::Fault;

use crate::support::emulator::emulator;
use crate::support::raw::Raw;

const DOCS: &str = "/dbs/shop/colls/prices/docs";

#[tokio::test]
async fn the_next_requests_meet_them_and_the_sdk_gets_over_it() {
    let (emulator, prices) = emulator().await;
    let raw = Raw::new(&emulator);
    emulator.inject(Fault { retry_after_ms: Some(5), ..Fault::status(429, 2) });
    let first = raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await;
    assert_eq!(first.status(), 429);
    assert_eq!(first.headers()["x-ms-retry-after-ms"], "5");
    assert_eq!(first.headers()["x-ms-substatus"], "3200");
    prices.upsert_item("a", "a", &json!({"id": "a"}), None).await.unwrap();
    emulator.inject(Fault { path: Some("/colls/leases/".into()), ..Fault::status(503, 9) });
    assert_eq!(raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await.status(), 200);
    let other = raw.upsert("/dbs/shop/colls/leases/docs", "a", r#"{"id":"a"}"#).await;
    assert_eq!(other.status(), 503);
    emulator.clear_faults();
    let other = raw.upsert("/dbs/shop/colls/leases/docs", "a", r#"{"id":"a"}"#).await;
    assert_eq!(other.status(), 201);
}

#[tokio::test]
async fn from_outside_delays_drops_and_lost_answers() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let control = format!("{}_emulator/", emulator.endpoint());
    let http = reqwest::Client::new();
    let post = |what: &str, body: Value| {
        http.post(format!("{control}{what}"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
    };
    let lost = json!([{"drop": true, "after": true, "next": 1, "method": "POST"}]);
    assert_eq!(post("faults", lost).await.unwrap().status(), 201);
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let token = crate::support::raw::token("POST", DOCS, &date);
    let gone = http
        .post(format!("{}{}", emulator.endpoint().as_str().trim_end_matches('/'), DOCS))
        .header("x-ms-date", &date)
        .header("authorization", token)
        .body(r#"{"id":"lost"}"#)
        .send()
        .await;
    assert!(gone.is_err());
    let by_key = [("x-ms-documentdb-partitionkey", r#"["lost"]"#)];
    let there = raw.send("GET", &format!("{DOCS}/lost"), &by_key, "").await;
    assert_eq!(there.status(), 200, "it was done before the connection broke");
    post("faults", json!({"delayMs": 150, "next": 1, "feed": true})).await.unwrap();
    let before = Instant::now();
    assert_eq!(raw.send("GET", DOCS, &[("a-im", "Incremental feed")], "").await.status(), 200);
    assert!(before.elapsed() >= Duration::from_millis(150));
    let split = post("split", json!({"database": "shop", "container": "prices", "range": 1})).await.unwrap();
    assert_eq!(split.status(), 200);
    assert_eq!(split.bytes().await.unwrap(), r#"{"ranges":[4,5]}"#);
    for wrong in [json!({"statuss": 1}), json!(7)] {
        assert_eq!(post("faults", wrong).await.unwrap().status(), 400);
    }
    let plain = http.post(format!("{control}faults")).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), 400);
    assert_eq!(http.get(format!("{control}faults")).send().await.unwrap().bytes().await.unwrap(), "[]");
}
