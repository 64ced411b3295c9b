//! The change feed on the wire and through the SDK.

use std::collections::{BTreeMap, HashSet};

use azure_data_cosmos::options::ChangeFeedOptions;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::support::emulator::{emulator, paged, sdk_feed};
use crate::support::raw::Raw;

const DOCS: &str = "/dbs/shop/colls/prices/docs";
const FEED: (&str, &str) = ("A-IM", "Incremental feed");

fn header(response: &reqwest::Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

async fn range_ids(raw: &Raw) -> Vec<String> {
    let list: Value = json_of(raw.send("GET", "/dbs/shop/colls/prices/pkranges", &[], "").await).await;
    list["PartitionKeyRanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn json_of(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// Reads a range to its end; documents and the etag.
async fn drain(raw: &Raw, range: &str, mut etag: Option<String>, page: &str) -> (Vec<Value>, String) {
    let mut documents = Vec::new();
    loop {
        let mut headers =
            vec![FEED, ("x-ms-documentdb-partitionkeyrangeid", range), ("x-ms-max-item-count", page)];
        if let Some(etag) = &etag {
            headers.push(("if-none-match", etag));
        }
        let response = raw.send("GET", DOCS, &headers, "").await;
        let next = header(&response, "etag");
        if response.status() == 304 {
            return (documents, next);
        }
        assert_eq!(response.status(), 200);
        let body = json_of(response).await;
        documents.extend(body["Documents"].as_array().unwrap().iter().cloned());
        etag = Some(next);
    }
}

#[tokio::test]
async fn pages_follow_the_order_of_commits_and_carry_lsns() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    for i in 0..40 {
        let id = format!("p-{}", i % 25);
        let written = raw.upsert(DOCS, &id, &format!("{{\"id\":\"{id}\",\"n\":{i}}}")).await;
        assert!(written.status().is_success());
        assert_eq!(header(&written, "lsn"), header(&written, "x-ms-item-lsn"));
    }
    let mut seen = BTreeMap::new();
    for range in range_ids(&raw).await {
        let (documents, etag) = drain(&raw, &range, None, "3").await;
        let lsns: Vec<u64> = documents.iter().map(|d| d["_lsn"].as_u64().unwrap()).collect();
        assert!(lsns.is_sorted() && lsns.iter().collect::<HashSet<_>>().len() == lsns.len());
        assert!(etag.trim_matches('"').parse::<u64>().unwrap() >= lsns.last().copied().unwrap_or(0));
        seen.extend(documents.into_iter().map(|d| (d["id"].as_str().unwrap().to_owned(), d["n"].clone())));
    }
    // The latest version of each, once.
    assert_eq!(seen.len(), 25);
    assert_eq!((seen["p-0"].clone(), seen["p-20"].clone()), (json!(25), json!(20)));
}

#[tokio::test]
async fn an_etag_resumes_and_now_starts_at_the_end() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let written = raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await;
    let range = header(&written, "x-ms-documentdb-partitionkeyrangeid");
    let (_, end) = drain(&raw, &range, None, "-1").await;
    let (nothing, now) = drain(&raw, &range, Some("*".into()), "-1").await;
    assert!(nothing.is_empty());
    assert_eq!(now, end);
    raw.upsert(DOCS, "a", r#"{"id":"a","v":2}"#).await;
    let (one, later) = drain(&raw, &range, Some(end), "-1").await;
    assert_eq!((one.len(), &one[0]["v"]), (1, &json!(2)));
    assert_ne!(later, now);
    // A delete is invisible in this mode, but moves the etag.
    let key = r#"["a"]"#;
    let gone = raw.send("DELETE", &format!("{DOCS}/a"), &[("x-ms-documentdb-partitionkey", key)], "").await;
    assert_eq!(gone.status(), 204);
    let (none, after) = drain(&raw, &range, Some(later.clone()), "-1").await;
    assert!(none.is_empty() && after != later);
}

#[tokio::test]
async fn a_start_time_is_exclusive_by_the_second() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let first = raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await;
    let range = header(&first, "x-ms-documentdb-partitionkeyrangeid");
    let ts = json_of(first).await["_ts"].as_i64().unwrap();
    let at = |second: i64| {
        jiff::Timestamp::from_second(second).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    for (second, expected) in [(ts - 1, 200), (ts, 304)] {
        let since = at(second);
        let headers =
            [FEED, ("x-ms-documentdb-partitionkeyrangeid", range.as_str()), ("if-modified-since", &since)];
        assert_eq!(raw.send("GET", DOCS, &headers, "").await.status(), expected, "{second}");
    }
}

#[tokio::test]
async fn reads_by_key_by_bounds_and_of_everything_agree() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    for i in 0..30 {
        raw.upsert(DOCS, &format!("p-{i}"), &format!("{{\"id\":\"p-{i}\"}}")).await;
    }
    let whole = json_of(raw.send("GET", DOCS, &[FEED], "").await).await;
    assert_eq!(whole["_count"], 30);
    let key = [FEED, ("x-ms-documentdb-partitionkey", r#"["p-7"]"#)];
    let one = json_of(raw.send("GET", DOCS, &key, "").await).await;
    assert_eq!((one["_count"].clone(), one["Documents"][0]["id"].clone()), (json!(1), json!("p-7")));
    let mut by_bounds = 0;
    let cuts = ["", "08", "10", "18", "20", "30", "FF"];
    for pair in cuts.windows(2) {
        let headers = [
            FEED,
            ("x-ms-read-key-type", "EffectivePartitionKeyRange"),
            ("x-ms-start-epk", pair[0]),
            ("x-ms-end-epk", pair[1]),
        ];
        let response = raw.send("GET", DOCS, &headers, "").await;
        if response.status() == 200 {
            by_bounds += json_of(response).await["_count"].as_u64().unwrap();
        }
    }
    assert_eq!(by_bounds, 30);
    let gone = [FEED, ("x-ms-documentdb-partitionkeyrangeid", "99")];
    let refused = raw.send("GET", DOCS, &gone, "").await;
    assert_eq!((refused.status().as_u16(), header(&refused, "x-ms-substatus")), (410, "1002".into()));
}

#[tokio::test]
async fn no_change_is_lost_under_concurrent_writers() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let ranges = range_ids(&raw).await;
    let writers = tokio::spawn({
        let raw = raw.clone();
        async move {
            let mut running = FuturesUnordered::new();
            for i in 0..1_500_u32 {
                let raw = raw.clone();
                running.push(async move {
                    let id = format!("d-{}", i % 300);
                    let written = raw.upsert(DOCS, &id, &format!("{{\"id\":\"{id}\",\"n\":{i}}}")).await;
                    assert!(written.status().is_success());
                });
                if running.len() >= 64 {
                    running.next().await;
                }
            }
            while running.next().await.is_some() {}
        }
    });
    let mut etags: Vec<Option<String>> = vec![None; ranges.len()];
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut done = false;
    while !done {
        done = writers.is_finished();
        for (range, etag) in ranges.iter().zip(&mut etags) {
            let (documents, next) = drain(&raw, range, etag.take(), "7").await;
            for document in documents {
                last.insert(document["id"].as_str().unwrap().into(), document["n"].as_u64().unwrap());
            }
            *etag = Some(next);
        }
    }
    writers.await.unwrap();
    // What the feed said last of each document is what is stored.
    let stored = json_of(raw.send("GET", DOCS, &[("x-ms-max-item-count", "1000")], "").await).await;
    let stored: BTreeMap<String, u64> = stored["Documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["id"].as_str().unwrap().to_owned(), d["n"].as_u64().unwrap()))
        .collect();
    assert_eq!(stored.len(), 300);
    assert_eq!(last, stored);
}

#[tokio::test]
async fn the_sdk_reads_the_feed_and_resumes() {
    let (_emulator, prices) = emulator().await;
    for i in 0..20 {
        let id = format!("p-{i}");
        prices.upsert_item(id.clone(), &id, &json!({"id": id, "n": i}), None).await.unwrap();
    }
    let mut pages = sdk_feed(&prices, paged(3)).await;
    let mut seen = HashSet::new();
    let mut idle = 0;
    while idle < 4 {
        let page = pages.next().await.unwrap().unwrap();
        idle = if page.items().is_empty() { idle + 1 } else { 0 };
        for item in page.items() {
            let document = item.current().unwrap();
            assert_eq!(
                document["_lsn"].as_u64().unwrap(),
                u64::try_from(item.metadata().unwrap().lsn().unwrap().value()).unwrap()
            );
            seen.insert(document["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen.len(), 20);
    let token = pages.to_continuation_token().unwrap();
    prices.upsert_item("p-3", "p-3", &json!({"id": "p-3", "n": 100}), None).await.unwrap();
    let options = ChangeFeedOptions::default().with_continuation_token(token);
    let mut pages = sdk_feed(&prices, options).await;
    let mut resumed = Vec::new();
    for _ in 0..4 {
        let page = pages.next().await.unwrap().unwrap();
        resumed.extend(page.items().iter().map(|item| item.current().unwrap()["n"].clone()));
    }
    assert_eq!(resumed, [json!(100)]);
}
