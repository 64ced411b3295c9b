//! The Cosmos room against the embedded emulator over HTTP.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use syncscope::config::{CosmosConnection, Secret};
use syncscope::cosmos::{
    Account, Container, ContainerSpec, CosmosError, EpkRange, FeedPosition, FeedScope, PartitionKey,
};
use syncscope::embedded::cosmos::Emulator;

use crate::support::cosmos::{connection, prices, put};
use crate::support::emulator::empty_emulator as start;

async fn opened() -> (Emulator, Container) {
    let emulator = start().await;
    let container = prices(&emulator).await;
    (emulator, container)
}

#[tokio::test]
async fn creating_twice_is_no_error_and_what_is_missing_is_told() {
    let (emulator, container) = opened().await;
    let account = container.account();
    account.ensure_database("shop").await.unwrap();
    account.ensure_container("shop", &ContainerSpec::new("prices", "/id")).await.unwrap();
    assert_eq!(container.partition_key_paths(), ["/id"]);
    assert!(container.rid().starts_with(&container.database_rid()[..5]), "{}", container.rid());
    assert_eq!(account.product(), "embedded");
    assert_eq!(account.host(), emulator.endpoint().host_str().unwrap());
    for (database, name) in [("shop", "nothing"), ("nowhere", "prices")] {
        let error = account.container(database, name).await.unwrap_err();
        assert!(error.is_not_found(), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn documents_and_their_etags() {
    let (_emulator, container) = opened().await;
    let key = PartitionKey::from("p-1");
    assert!(container.read("p-1", &key).await.unwrap().is_none());
    let made = container.create(&key, br#"{"id":"p-1","price":1}"#).await.unwrap();
    assert!(matches!(container.create(&key, br#"{"id":"p-1"}"#).await, Err(CosmosError::Conflict(_))));
    let read = container.read("p-1", &key).await.unwrap().unwrap();
    assert_eq!(read.etag, made.etag);
    let body: Value = serde_json::from_slice(&read.body).unwrap();
    assert_eq!((&body["price"], body["_etag"].as_str()), (&json!(1), Some(read.etag.as_str())));

    let replaced =
        container.replace("p-1", &key, br#"{"id":"p-1","price":2}"#, Some(&made.etag)).await.unwrap();
    assert_ne!(replaced.etag, made.etag);
    let stale = container.replace("p-1", &key, br#"{"id":"p-1"}"#, Some(&made.etag)).await;
    assert!(matches!(stale, Err(CosmosError::PreconditionFailed(_))), "{stale:?}");
    let stale = container.delete("p-1", &key, Some(&made.etag)).await;
    assert!(matches!(stale, Err(CosmosError::PreconditionFailed(_))), "{stale:?}");
    container.delete("p-1", &key, Some(&replaced.etag)).await.unwrap();
    assert!(matches!(container.delete("p-1", &key, None).await, Err(CosmosError::NotFound(_))));
}

#[tokio::test]
async fn odd_ids_live_and_dangerous_ones_are_refused() {
    let (_emulator, container) = opened().await;
    for id in ["a b", "it's", "\"quoted\"", "100%25", "🦀", "مرحبا", "a+b&c;,<>"] {
        put(&container, id, &json!({ "n": 1 })).await;
        let read = container.read(id, &PartitionKey::from(id)).await.unwrap();
        let body: Value = serde_json::from_slice(&read.expect(id).body).unwrap();
        assert_eq!(body["id"], id);
    }
    for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b"] {
        let answer = container.delete(id, &PartitionKey::from(id), None).await;
        assert!(matches!(answer, Err(CosmosError::BadRequest(_))), "{id:?}: {answer:?}");
    }
    assert_eq!(container.count().await.unwrap(), 7);
}

#[tokio::test]
async fn queries_reach_all_partitions() {
    let (_emulator, container) = opened().await;
    for n in 0..50 {
        put(&container, &format!("p-{n:02}"), &json!({ "n": n })).await;
    }
    assert!(container.feed_ranges(false).await.unwrap().len() > 1);
    assert_eq!(container.count().await.unwrap(), 50);
    let rows = container
        .query("SELECT * FROM c WHERE STARTSWITH(c.id, @p) ORDER BY c.id", &[("@p", json!("p-4"))])
        .await
        .unwrap();
    let ids: Vec<String> = rows
        .iter()
        .map(|r| serde_json::from_slice::<Value>(r).unwrap()["id"].as_str().unwrap().into())
        .collect();
    assert_eq!(ids, (40..50).map(|n| format!("p-{n}")).collect::<Vec<_>>());
    let error = container.query("SELECT FROM WHERE", &[]).await.unwrap_err();
    assert!(matches!(error, CosmosError::BadRequest(_)), "{error:?}");
}

async fn drain(
    container: &Container,
    range: &EpkRange,
    from: FeedPosition,
    page: u32,
) -> (Vec<String>, String) {
    let scope = FeedScope::Range(range.clone());
    let (mut at, mut seen) = (from, Vec::new());
    loop {
        let page = container.feed_page(&scope, &at, Some(page)).await.unwrap();
        let etag = page.etag.clone().unwrap();
        if page.not_modified {
            assert!(page.is_empty());
            return (seen, etag);
        }
        for document in page.documents().unwrap() {
            seen.push(serde_json::from_slice::<Value>(&document).unwrap()["id"].as_str().unwrap().to_owned());
        }
        at = FeedPosition::Continuation(etag);
    }
}

#[tokio::test]
async fn the_feed_of_every_range_together_is_everything_once() {
    let (_emulator, container) = opened().await;
    for n in 0..40 {
        put(&container, &format!("p-{n}"), &json!({})).await;
    }
    let mut all = Vec::new();
    for range in container.feed_ranges(false).await.unwrap() {
        let (ids, etag) = drain(&container, &range.range, FeedPosition::Beginning, 7).await;
        let by_id = container
            .feed_page(&FeedScope::PartitionKeyRange(range.id.clone()), &FeedPosition::Beginning, None)
            .await
            .unwrap();
        assert_eq!(by_id.len(), ids.len());
        assert!(drain(&container, &range.range, FeedPosition::Continuation(etag), 7).await.0.is_empty());
        all.extend(ids);
    }
    assert_eq!(all.len(), 40);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 40);
}

#[tokio::test]
async fn now_brings_only_what_comes_after() {
    let (_emulator, container) = opened().await;
    put(&container, "before", &json!({})).await;
    let mut etags = Vec::new();
    for range in container.feed_ranges(false).await.unwrap() {
        let (ids, etag) = drain(&container, &range.range, FeedPosition::Now, 10).await;
        assert!(ids.is_empty(), "{ids:?}");
        etags.push((range.range, etag));
    }
    put(&container, "after", &json!({})).await;
    let mut seen = Vec::new();
    for (range, etag) in etags {
        seen.extend(drain(&container, &range, FeedPosition::Continuation(etag), 10).await.0);
    }
    assert_eq!(seen, ["after"]);
}

#[tokio::test]
async fn a_scope_over_several_ranges_is_told_and_a_part_of_one_is_read() {
    let (_emulator, container) = opened().await;
    for n in 0..40 {
        put(&container, &format!("p-{n}"), &json!({})).await;
    }
    let answer =
        container.feed_page(&FeedScope::Range(EpkRange::full()), &FeedPosition::Beginning, None).await;
    let Err(CosmosError::Split(ranges)) = answer else { panic!("{answer:?}") };
    assert_eq!(ranges, container.feed_ranges(true).await.unwrap());

    let whole = &ranges[0].range;
    let (ids, _) = drain(&container, whole, FeedPosition::Beginning, 100).await;
    let middle = "08000000000000000000000000000000";
    let (low, _) =
        drain(&container, &EpkRange::new(whole.min.clone(), middle), FeedPosition::Beginning, 100).await;
    let (high, _) =
        drain(&container, &EpkRange::new(middle, whole.max.clone()), FeedPosition::Beginning, 100).await;
    assert!(!low.is_empty() && !high.is_empty());
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), low.into_iter().chain(high).collect());

    let gone = FeedScope::PartitionKeyRange("77".into());
    let answer = container.feed_page(&gone, &FeedPosition::Beginning, None).await;
    assert!(matches!(answer, Err(CosmosError::Gone(_))), "{answer:?}");
}

#[tokio::test]
async fn a_wrong_key_is_told() {
    let emulator = start().await;
    let key = Secret::new("d3Jvbmc=");
    let wrong = CosmosConnection { key, ..connection(&emulator) };
    let error = Account::connect(&wrong).await.unwrap_err();
    assert!(matches!(error, CosmosError::WrongKey { .. }), "{error:?}");
    assert!(!error.to_string().contains("d3Jvbmc=") && !error.is_passing());
    assert!(error.remedy().contains("AccountKey"), "{}", error.remedy());
}

#[tokio::test]
async fn a_server_that_is_away_is_told_and_comes_back() {
    let (emulator, container) = opened().await;
    put(&container, "p-1", &json!({})).await;
    let connection = connection(&emulator);
    emulator.stop().await;
    let error = container.read("p-1", &PartitionKey::from("p-1")).await.unwrap_err();
    assert!(matches!(error, CosmosError::Unreachable { .. } | CosmosError::Dropped { .. }), "{error:?}");
    assert!(error.is_passing());
    let before = std::time::Instant::now();
    let error = Account::connect(&connection).await.unwrap_err();
    assert!(matches!(error, CosmosError::Unreachable { .. }), "{error:?}");
    assert!(before.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_scheme_is_found_when_nobody_gave_it() {
    let emulator = start().await;
    let mut open = connection(&emulator);
    let port = open.endpoint.port().unwrap();
    open.endpoint = format!("https://127.0.0.1:{port}/").parse().unwrap();
    open.probe_scheme = true;
    let account = Account::connect(&open).await.unwrap();
    assert_eq!(account.endpoint().scheme(), "http");
    assert_eq!(account.endpoint().port(), Some(port));
}
