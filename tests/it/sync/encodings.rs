//! Entries in every encoding, written and read back from real servers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use redis::AsyncCommands;
use serde_json::{Value, json};
use syncscope::cache::{CacheClient, CacheWrite, Encoding, Entry, Refusal};
use syncscope::config::{Guard, MappingSettings, RedisConnection, Settings, ValueEncoding};
use syncscope::sync::{MappedEntry, Mapping};

use super::caches;

pub(super) fn mapping(encoding: ValueEncoding, guard: Guard, ttl: Option<Duration>) -> Mapping {
    let mapping = MappingSettings { encoding, guard, ttl, ..MappingSettings::default() };
    Mapping::from_settings(&Settings { mapping, ..Settings::default() }).unwrap()
}

pub(super) fn entry_of(mapping: &Mapping, document: &Value) -> MappedEntry {
    mapping.entries(&Bytes::from(document.to_string())).unwrap().remove(0)
}

pub(super) async fn written(client: &CacheClient, entry: MappedEntry) -> Entry {
    let key = entry.key.clone();
    let outcome = client.write(&[entry.into_write(Timestamp::now())]).await.unwrap();
    assert_eq!(outcome, [Ok(())]);
    client.entry(&key, 1 << 20).await.unwrap().unwrap()
}

/// Documents that are awkward in one way or another.
pub(super) fn documents() -> Vec<Value> {
    vec![
        json!({"id": "plain", "price": 39.90, "_ts": 1}),
        json!({"id": "nested", "o": {"a": [1, {"b": null}]}, "n": null, "t": true, "_ts": 1}),
        json!({"id": "texts", "quote": "a\"b\\c", "lines": "1\r\n2", "crab": "🦀", "empty": "", "_ts": 1}),
        json!({"id": "big", "text": "x".repeat(100_000), "_ts": 1}),
        json!({"id": "names", "data": 1, "absexp": "2", "a b": 3, "": 4, "é": 5, "_ts": 1}),
    ]
}

#[tokio::test]
async fn what_is_written_is_read_back_in_every_encoding() {
    for (_cache, client) in caches().await {
        for encoding in [ValueEncoding::String, ValueEncoding::DistributedCache, ValueEncoding::Fields] {
            for guard in [Guard::On, Guard::Off] {
                let mapping = mapping(encoding, guard, None);
                for document in documents() {
                    let entry = entry_of(&mapping, &document);
                    let wanted = entry.value.clone().unwrap();
                    let found = written(&client, entry).await;
                    let (wanted_value, value): (Value, Value) = (
                        serde_json::from_slice(&wanted.as_read()).unwrap(),
                        serde_json::from_slice(&found.value).unwrap(),
                    );
                    let case = format!("{encoding} guard {guard} {} {}", document["id"], client.product());
                    assert_eq!(value, wanted_value, "{case}");
                    assert_eq!((found.encoding, found.expires_at), (wanted.encoding, None), "{case}");
                    if encoding != ValueEncoding::Fields {
                        assert_eq!(found.value, wanted.as_read(), "{case}");
                    }
                }
            }
        }
    }
}

/// Any JSON object with an id and one field that is not null.
pub(super) fn any_document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::hash_map("[^\\x00]{0,8}", value, 0..6).prop_map(|members| {
        let mut document: serde_json::Map<String, Value> = members.into_iter().collect();
        document.insert("_ts".to_owned(), json!(1));
        Value::Object(document)
    })
}

#[tokio::test]
async fn decoding_gives_back_what_was_encoded_of_any_document() {
    const DOCUMENTS: usize = 256;
    let mut runner = TestRunner::deterministic();
    let documents: Vec<Value> = (0..DOCUMENTS)
        .map(|n| {
            let mut document = any_document().new_tree(&mut runner).unwrap().current();
            document["id"] = json!(format!("p-{n}"));
            document
        })
        .collect();
    for (_cache, client) in caches().await {
        for encoding in [ValueEncoding::String, ValueEncoding::DistributedCache, ValueEncoding::Fields] {
            for guard in [Guard::On, Guard::Off] {
                let mapping = mapping(encoding, guard, None);
                let entries: Vec<MappedEntry> =
                    documents.iter().map(|document| entry_of(&mapping, document)).collect();
                let keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
                let wanted: Vec<Bytes> =
                    entries.iter().map(|entry| entry.value.as_ref().unwrap().as_read()).collect();
                let writes: Vec<CacheWrite> =
                    entries.into_iter().map(|entry| entry.into_write(Timestamp::now())).collect();
                let outcomes = client.write(&writes).await.unwrap();
                assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
                let found = client.entries(&keys, 1 << 20).await.unwrap();
                for ((wanted, found), document) in wanted.iter().zip(found).zip(&documents) {
                    let found: Value = serde_json::from_slice(&found.unwrap().value).unwrap();
                    let wanted: Value = serde_json::from_slice(wanted).unwrap();
                    let case = format!("{encoding} guard {guard} {}: {document}", client.product());
                    assert_eq!(found, wanted, "{case}");
                    if encoding != ValueEncoding::Fields {
                        assert_eq!(&found, document, "{case}");
                    }
                }
                client.delete(&keys).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn each_write_replaces_whatever_was_there_with_its_ttl() {
    let encodings = [ValueEncoding::String, ValueEncoding::DistributedCache, ValueEncoding::Fields];
    for (_cache, client) in caches().await {
        for guard in [Guard::On, Guard::Off] {
            for before in encodings {
                for after in encodings {
                    let id = format!("{guard}{before}{after}");
                    let old = mapping(before, guard, Some(Duration::from_secs(50)));
                    let found =
                        written(&client, entry_of(&old, &json!({"id": id, "old": 1, "_ts": 1}))).await;
                    assert!(found.expires_at.is_some(), "{before}");
                    let new = entry_of(&mapping(after, guard, None), &json!({"id": id, "new": 2, "_ts": 2}));
                    let wanted = new.value.clone().unwrap();
                    let found = written(&client, new).await;
                    let case = format!("{before} then {after}, guard {guard}, {}", client.product());
                    assert_eq!((found.encoding, found.expires_at), (wanted.encoding, None), "{case}");
                    assert!(!String::from_utf8_lossy(&found.value).contains("old"), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_distributed_cache_hash_is_byte_for_byte_what_dotnet_writes() {
    for (cache, client) in caches().await {
        let mut raw =
            redis::Client::open(cache.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let before = Timestamp::now();
        let settings = MappingSettings {
            encoding: ValueEncoding::DistributedCache,
            cache_instance: "shop:".to_owned(),
            ttl: Some(Duration::from_secs(90)),
            guard: Guard::Off,
            ..MappingSettings::default()
        };
        let mapping = Mapping::from_settings(&Settings { mapping: settings, ..Settings::default() }).unwrap();
        let entry = entry_of(&mapping, &json!({"id": "p-1"}));
        client.write(&[entry.into_write(Timestamp::now())]).await.unwrap();
        let hash: BTreeMap<String, String> = raw.hgetall("shop:p-1").await.unwrap();
        let names: Vec<_> = hash.keys().map(String::as_str).collect();
        assert_eq!(names, ["absexp", "data", "sldexp"]);
        assert_eq!((hash["data"].as_str(), hash["sldexp"].as_str()), (r#"{"id":"p-1"}"#, "-1"));
        // Ticks of 100 ns since the year 1: 621,355,968,000,000,000 of them lie before 1970.
        let ticks: i64 = hash["absexp"].parse().unwrap();
        let millis = (ticks - 621_355_968_000_000_000) / 10_000;
        let left = millis - before.as_millisecond();
        assert!((89_999..=95_000).contains(&left), "{left}");
        let ttl: i64 = raw.pttl("shop:p-1").await.unwrap();
        assert!((85_000..=90_000).contains(&ttl), "{ttl}");
    }
}

#[tokio::test]
async fn a_server_without_redisjson_says_so_and_keeps_what_it_has() {
    for (_cache, client) in caches().await {
        let set = CacheWrite::Set { key: "p".into(), value: "old".into(), ttl: None };
        client.write(&[set]).await.unwrap();
        for guard in [Guard::Off, Guard::On] {
            let entry = entry_of(&mapping(ValueEncoding::Json, guard, None), &json!({"id": "p", "_ts": 1}));
            let outcome = client.write(&[entry.into_write(Timestamp::now())]).await.unwrap();
            let refused = outcome[0].as_ref().unwrap_err();
            assert_eq!(refused.refusal, Refusal::UnknownCommand, "guard {guard}: {refused}");
            assert!(refused.remedy().contains("RedisJSON"));
            assert_eq!(client.entry("p", 10).await.unwrap().unwrap().value, "old", "guard {guard}");
        }
    }
}

#[tokio::test]
async fn a_reader_never_sees_half_a_hash() {
    for (cache, client) in caches().await {
        let mapping = mapping(ValueEncoding::Fields, Guard::Off, None);
        let document = |n: u64| json!({"id": "p", "a": n, "b": n, format!("only{n}"): n});
        written(&client, entry_of(&mapping, &document(0))).await;
        let mut raw =
            redis::Client::open(cache.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let reader = tokio::spawn(async move {
            for _ in 0..2_000 {
                let hash: BTreeMap<String, String> = raw.hgetall("p").await.unwrap();
                assert_eq!(hash.len(), 4, "{hash:?}");
                assert_eq!(hash["a"], hash["b"]);
            }
        });
        let mut n = 1;
        while !reader.is_finished() {
            written(&client, entry_of(&mapping, &document(n))).await;
            n += 1;
        }
        reader.await.unwrap();
        assert_eq!(Encoding::Fields, client.entry("p", 100).await.unwrap().unwrap().encoding);
    }
}

#[tokio::test]
async fn a_user_who_may_not_set_keys_together_sets_them_one_by_one() {
    for (cache, client) in caches().await {
        let server = redis::Client::open(cache.url()).unwrap();
        let mut server = server.get_multiplexed_async_connection().await.unwrap();
        let mut user = redis::cmd("ACL");
        user.arg(["SETUSER", "setter", "on", ">secret", "~a*", "+@all", "-mset"].as_slice());
        if user.query_async::<()>(&mut server).await.is_err() {
            assert!(!client.product().starts_with("redis"), "a real Redis has users");
            continue;
        }
        let url = format!("redis://setter:secret@127.0.0.1:{}", cache.port());
        let client = CacheClient::connect(&RedisConnection::parse(&url).unwrap()).await.unwrap();
        for round in 0..2 {
            let set = |key: &str| CacheWrite::Set {
                key: key.to_owned().into(),
                value: format!("{key}{round}").into(),
                ttl: None,
            };
            let outcomes = client.write(&[set("a1"), set("b"), set("a2")]).await.unwrap();
            assert!(outcomes[0].is_ok() && outcomes[1].is_err() && outcomes[2].is_ok(), "{outcomes:?}");
            let entry = client.entry("a2", 10).await.unwrap().unwrap();
            assert_eq!(entry.value, format!("a2{round}"));
        }
    }
}
