//! Faults, as a client meets them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syncscope::embedded::cosmos::Fault;

use crate::support::emulator::emulator;
use crate::support::raw::Raw;
use crate::support::wait::eventually;

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

#[tokio::test]
async fn texts_do_what_fields_do_and_wrong_ones_are_told() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let http = reqwest::Client::new();
    let control = format!("{}_emulator/faults", emulator.endpoint());
    let post = |body: Value| {
        http.post(&control).header("content-type", "application/json").body(body.to_string()).send()
    };
    let both = json!(["410:sub=1007,next=1,path=/docs", {"status": 503, "next": 1}]);
    assert_eq!(post(both).await.unwrap().status(), 201);
    let gone = raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await;
    assert_eq!((gone.status().as_u16(), gone.headers()["x-ms-substatus"].to_str().unwrap()), (410, "1007"));
    assert_eq!(raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await.status(), 503);
    assert_eq!(raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await.status(), 201);
    // One that is wrong, and none is taken.
    let wrong = post(json!(["503:next=1", "429:rate=200%"])).await.unwrap();
    assert_eq!(wrong.status(), 400);
    let said: Value = serde_json::from_slice(&wrong.bytes().await.unwrap()).unwrap();
    assert!(said["message"].as_str().unwrap().contains("rate='200%'"), "{said}");
    assert_eq!(raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await.status(), 200);
    // A share of the requests: of 200 at 50 % neither none nor all.
    assert_eq!(post(json!("503:rate=50%,method=GET")).await.unwrap().status(), 201);
    let mut refused = 0;
    for _ in 0..200 {
        refused += u32::from(raw.send("GET", "/dbs/shop", &[], "").await.status() == 503);
    }
    assert!((50..150).contains(&refused), "{refused} of 200");
    assert_eq!(http.delete(&control).send().await.unwrap().status(), 204);
    // A page that has another name for this machine is not from this machine.
    let strange = http.get(&control).header("host", "attacker.example").send().await.unwrap();
    assert_eq!(strange.status(), 403);
    let port = emulator.endpoint().port().unwrap();
    let local = http.get(&control).header("host", format!("localhost:{port}")).send().await.unwrap();
    assert_eq!(local.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_asks_for_faults_splits_and_throughput() {
    use super::state::Running;
    let running = Running::start(&[
        "--seed",
        "20",
        "--partitions",
        "2",
        "--fault",
        "503:next=1,path=/docs",
        "--fault",
        "split:at=300ms",
        "--fault",
        "merge:ranges=2+3,at=600ms",
        "--throughput",
        "1000",
    ])
    .await;
    let raw = running.raw();
    assert_eq!(raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await.status(), 503);
    assert_eq!(raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await.status(), 201);
    // The range that comes of the merge tells what it came from.
    eventually("merged", async || {
        let list = raw.send("GET", "/dbs/shop/colls/prices/pkranges", &[], "").await.bytes().await.unwrap();
        let list: Value = serde_json::from_slice(&list).unwrap();
        let merged = list["PartitionKeyRanges"].as_array().unwrap().iter().find(|range| range["id"] == "4");
        let Some(merged) = merged else { return false };
        let parents = merged["parents"].as_array().unwrap();
        assert!(parents.contains(&json!("2")) && parents.contains(&json!("3")), "{merged}");
        true
    })
    .await;
    let mut throttled = false;
    for _ in 0..300 {
        throttled |= raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await.status() == 429;
    }
    assert!(throttled, "300 replacements are more than 1,000 RU");
    running.end().await;
    let mut wrong = crate::support::pair::program();
    wrong.args(["emulator", "--fault", "42"]);
    let ran = crate::support::pair::finish(wrong).await.code(2);
    assert!(ran.stderr.contains("no status from 400 to 599"), "{}", ran.stderr);
}
