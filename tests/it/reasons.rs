//! The reason that a verification gives for a wrong entry, each produced as it happens in life. Those of
//! faults under traffic, of late leases and of expiry are in `verify`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syncscope::cache::CacheWrite;
use syncscope::embedded::cosmos::Fault;
use syncscope::lease::{LeasePrefix, LeaseStore};
use syncscope::sync::Mapping;
use syncscope::sync::verify::{Cause, Verifier, VerifyNews, VerifyOptions};

use crate::support::cosmos::put;
use crate::support::pair::{Pair, Ran};
use crate::support::servers::left_out;

/// Kind, reason and evidence of the finding under a key.
fn finding(ran: &Ran, key: &str) -> (String, String, String) {
    let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found = lines.into_iter().find(|line| line["key"] == key);
    let found = found.unwrap_or_else(|| panic!("nothing is said of {key}: {}", ran.stdout));
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("finding"), text("reason"), text("evidence"))
}

async fn ask(pair: &Pair, words: &[&str]) -> Result<(), redis::RedisError> {
    let client = redis::Client::open(pair.cache.url())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.exec_async(&mut connection).await
}

const SYNC: [&str; 4] = ["sync", "--start", "beginning", "--until-idle"];

#[tokio::test(flavor = "multi_thread")]
async fn evicted() {
    let pair = Pair::start().await;
    if !pair.cache.product().starts_with("redis") {
        left_out("redis-server");
        return;
    }
    put(&pair.prices, "a", &json!({})).await;
    pair.run(&SYNC).await.code(0);
    ask(&pair, &["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]).await.unwrap();
    ask(&pair, &["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    // Refused in the end, but not before everything else is gone.
    assert!(ask(&pair, &["SET", "other", "1"]).await.is_err());
    ask(&pair, &["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    let ran = pair.run(&["verify", "--json", "--grace", "300ms"]).await.code(1);
    let (kind, reason, evidence) = finding(&ran, "a");
    assert_eq!((kind.as_str(), reason.as_str()), ("missing", "evicted"), "{}", ran.stdout);
    assert!(evidence.contains("evicted 1 key ") && evidence.contains("allkeys-random"), "{evidence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mapping_and_what_nothing_tells() {
    let pair = Pair::start().await;
    for id in ["other-fields", "other-form", "changed"] {
        put(&pair.prices, id, &json!({ "n": "1", "m": "2" })).await;
    }
    let written = ["--jq", "{id, n}"];
    pair.run(&[&SYNC[..], &written].concat()).await.code(0);
    // By somebody whose mapping keeps another field, or a hash; and by somebody unknown.
    let set = |key: &'static str, value: &'static str| CacheWrite::Set {
        key: key.into(),
        value: value.into(),
        ttl: None,
    };
    let hash = CacheWrite::Fields {
        key: "other-form".into(),
        fields: vec![("id".into(), "other-form".into()), ("n".into(), "1".into())],
        ttl: None,
    };
    let writes = [
        set("other-fields", r#"{"id":"other-fields","m":"2"}"#),
        hash,
        set("changed", r#"{"id":"changed","n":"3"}"#),
    ];
    assert!(pair.redis().await.write(&writes).await.unwrap().iter().all(Result::is_ok));
    let ran = pair.run(&[&["verify", "--json", "--grace", "300ms"], &written[..]].concat()).await.code(1);
    let told = |key| {
        let (kind, reason, _) = finding(&ran, key);
        (kind, reason)
    };
    let pairs = |kind: &str, reason: &str| (kind.to_owned(), reason.to_owned());
    assert_eq!(told("other-fields"), pairs("stale", "other-mapping"), "{}", ran.stdout);
    assert_eq!(told("other-form"), pairs("wrong-encoding", "other-mapping"), "{}", ran.stdout);
    assert_eq!(told("changed"), pairs("stale", "unknown"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_key_tells_which_one_its_document_makes_now() {
    let pair = Pair::start().await;
    put(&pair.prices, "p", &json!({ "market": "UK" })).await;
    let mapping = ["--key", "{market}:{id}"];
    pair.run(&[&SYNC[..], &mapping].concat()).await.code(0);
    put(&pair.prices, "p", &json!({ "market": "FR" })).await;
    pair.run(&[&SYNC[..], &mapping].concat()).await.code(0);
    let ran = pair.run(&[&["verify", "--json", "--grace", "300ms"], &mapping[..]].concat()).await.code(1);
    let (kind, reason, evidence) = finding(&ran, "UK:p");
    assert_eq!((kind.as_str(), reason.as_str()), ("orphan", "document-gone"));
    assert!(evidence.contains("FR:p"), "{evidence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn not_in_the_feed_yet() {
    let pair = Pair::start().await;
    put(&pair.prices, "late", &json!({ "n": 1 })).await;
    pair.run(&SYNC).await.code(0);
    pair.redis().await.delete(&["late".to_owned()]).await.unwrap();
    let leases = pair.prices.account().container("shop", "leases").await.unwrap();
    let prefix = LeasePrefix::new("", "127.0.0.1", pair.prices.database_rid(), pair.prices.rid());
    let verifier = Verifier {
        source: pair.prices.clone(),
        cache: pair.redis().await,
        mapping: Arc::new(Mapping::new("{id}").unwrap()),
        leases: Some((LeaseStore::new(leases).unwrap(), prefix)),
        expiration: Duration::from_secs(60),
    };
    let (news, mut told) = tokio::sync::mpsc::channel(64);
    let options = VerifyOptions { sample: None, grace: Duration::from_secs(1) };
    let run = tokio::spawn(async move { verifier.run(options, news).await });
    let began = Instant::now();
    // Once the pass has read the document, it is written again, and the feed falls silent.
    let mut written = false;
    let found = loop {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing found");
        match told.recv().await.expect("ended without a finding") {
            VerifyNews::Progress(summary) if summary.documents > 0 && !written => {
                written = true;
                pair.emulator.inject(Fault { feed: true, status: Some(304), ..Fault::default() });
                put(&pair.prices, "late", &json!({ "n": 2 })).await;
            }
            VerifyNews::Found(finding) => break finding,
            _ => {}
        }
    };
    assert_eq!(found.cause, Cause::NotInFeed, "{found:?}");
    assert!(found.evidence.contains("feed"), "{}", found.evidence);
    run.abort();
}
