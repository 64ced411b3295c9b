//! Whole runs of the sync with mappings other than the plain one, judged by `verify`.

use serde_json::{Value, json};
use syncscope::cosmos::PartitionKey;

use crate::support::cosmos::put;
use crate::support::pair::Pair;

async fn synced_and_in_step(pair: &Pair, mapping: &[&str]) {
    let sync = [&["sync", "--start", "beginning", "--until-idle"], mapping].concat();
    pair.run(&sync).await.code(0);
    pair.run(&[&["verify"], mapping].concat()).await.code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_document_makes_none_one_or_several_entries_in_any_encoding() {
    for encoding in ["string", "fields", "distributed-cache"] {
        let pair = Pair::start().await;
        put(&pair.prices, "two", &json!({ "offers": [{"sku": "a", "p": 1.5}, {"sku": "b", "p": 2}] })).await;
        put(&pair.prices, "none", &json!({ "offers": [] })).await;
        let jq = ".id as $id | .offers[] | {id: $id, sku, p}";
        let mapping = ["--jq", jq, "--key", "offer:{id}:{.sku}", "--encoding", encoding, "--ttl", "1h"];
        synced_and_in_step(&pair, &mapping).await;
        let redis = pair.redis().await;
        let keys = ["offer:two:a".to_owned(), "offer:two:b".to_owned()];
        for (entry, price) in redis.entries(&keys, 1_000).await.unwrap().into_iter().zip(["1.5", "2"]) {
            let entry = entry.unwrap();
            let value: Value = serde_json::from_slice(&entry.value).unwrap();
            assert_eq!(value["p"].to_string().trim_matches('"'), price, "{encoding}");
            assert!(entry.expires_at.is_some(), "{encoding}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_marked_deleted_loses_its_entry() {
    let pair = Pair::start().await;
    let mapping = ["--key", "price:{id}", "--delete-field", "gone", "--guard=on", "--value", "stripped"];
    for id in ["stays", "goes"] {
        put(&pair.prices, id, &json!({ "n": 1 })).await;
    }
    synced_and_in_step(&pair, &mapping).await;
    let redis = pair.redis().await;
    assert_eq!(redis.entry("price:stays", 100).await.unwrap().unwrap().value, r#"{"id":"stays","n":1}"#);
    assert!(redis.entry("price:goes", 100).await.unwrap().is_some());
    put(&pair.prices, "goes", &json!({ "gone": true })).await;
    synced_and_in_step(&pair, &mapping).await;
    assert!(redis.entry("price:goes", 100).await.unwrap().is_none());
    assert!(redis.entry("price:stays", 100).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_any_characters_come_back() {
    let pair = Pair::start().await;
    // Characters that Unicode promises never to use, in which keys that are no text are told elsewhere.
    let ids = ["a\u{FDD8}\u{FDE3}", "\u{FDD0}", "\u{FDE5}\u{FDD1} b", "価格", "é \u{FFFD}"];
    for id in ids {
        put(&pair.prices, id, &json!({ "p": 1 })).await;
    }
    synced_and_in_step(&pair, &["--key", "price:{id}"]).await;
    let server = redis::Client::open(pair.cache.url()).unwrap();
    let mut server = server.get_multiplexed_async_connection().await.unwrap();
    let mut exists = async |id: &str| {
        let mut command = redis::cmd("EXISTS");
        command.arg(format!("price:{id}")).query_async::<bool>(&mut server).await.unwrap()
    };
    for id in ids {
        assert!(exists(id).await, "{id:?}");
    }
    // A document that is gone leaves an orphan, which is swept by its very key.
    pair.prices.delete(ids[0], &PartitionKey::from(ids[0]), None).await.unwrap();
    pair.run(&["verify", "--repair", "--yes", "--key", "price:{id}"]).await.code(0);
    assert!(!exists(ids[0]).await);
}
