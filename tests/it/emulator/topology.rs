//! Splits and merges in the middle of a feed.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use serde_json::{Value, json};
use syncscope::embedded::cosmos::TopologyError;

use crate::support::emulator::{emulator, paged, sdk_feed};
use crate::support::raw::Raw;

#[tokio::test]
async fn the_sdk_loses_nothing_across_splits_and_merges() {
    let (emulator, prices) = emulator().await;
    let write = |round: u32| {
        let prices = prices.clone();
        async move {
            for i in 0..60 {
                let id = format!("p-{i}");
                let document = json!({"id": id, "round": round});
                prices.upsert_item(id.clone(), &id, &document, None).await.unwrap();
            }
        }
    };
    let mut pages = sdk_feed(&prices, paged(2)).await;
    let mut seen: BTreeMap<(String, u64), u32> = BTreeMap::new();
    for round in 0..5 {
        write(round).await;
        match round {
            1 => assert_eq!(emulator.split("shop", "prices", 0), Ok([4, 5])),
            2 => assert_eq!(emulator.split("shop", "prices", 5), Ok([6, 7])),
            3 => assert_eq!(emulator.merge("shop", "prices", [7, 1]), Ok(8)),
            _ => {}
        }
        let mut idle = 0;
        // Not drained to the end in between: cursors stand somewhere inside.
        for _ in 0..if round < 4 { 12 } else { 2_000 } {
            let page = pages.next().await.unwrap().unwrap();
            idle = if page.items().is_empty() { idle + 1 } else { 0 };
            for item in page.items() {
                let document = item.current().unwrap();
                let key = (document["id"].as_str().unwrap().to_owned(), document["round"].as_u64().unwrap());
                *seen.entry(key).or_default() += 1;
            }
            if idle > 12 {
                break;
            }
        }
    }
    for i in 0..60 {
        assert_eq!(seen.get(&(format!("p-{i}"), 4)), Some(&1), "p-{i}");
    }
    assert!(seen.values().all(|times| *times == 1), "delivered twice");
    assert_eq!(emulator.split("shop", "prices", 0), Err(TopologyError::NoRange(0)));
    assert_eq!(emulator.merge("shop", "prices", [4, 3]), Err(TopologyError::NotNeighbours(4, 3)));
}

#[tokio::test]
async fn all_versions_and_deletes_come_with_their_images() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let docs = "/dbs/shop/colls/prices/docs";
    let key = ("x-ms-documentdb-partitionkey", r#"["a"]"#);
    let mode = ("a-im", "Full-Fidelity Feed");
    let now = raw.send("GET", docs, &[mode, ("if-none-match", "*")], "").await;
    assert_eq!(now.status(), 304);
    let etag = now.headers()["etag"].to_str().unwrap().to_owned();
    raw.upsert(docs, "a", r#"{"id":"a","v":1}"#).await;
    raw.upsert(docs, "a", r#"{"id":"a","v":2}"#).await;
    raw.send("DELETE", &format!("{docs}/a"), &[key], "").await;
    let page = raw.send("GET", docs, &[mode, ("if-none-match", &etag)], "").await;
    let body: Value = serde_json::from_slice(&page.bytes().await.unwrap()).unwrap();
    let seen: Vec<_> = body["Documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (d["metadata"]["operationType"].clone(), d["current"]["v"].clone(), d["previous"]["v"].clone())
        })
        .collect();
    assert_eq!(
        seen,
        [
            (json!("create"), json!(1), Value::Null),
            (json!("replace"), json!(2), json!(1)),
            (json!("delete"), Value::Null, json!(2)),
        ]
    );
    let deleted = &body["Documents"][2]["metadata"];
    assert_eq!((&deleted["id"], &deleted["partitionKey"]), (&json!("a"), &json!(["a"])));
}
