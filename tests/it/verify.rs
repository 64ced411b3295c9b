//! Verify and repair as a user runs them: every kind of fault found, no false alarm, mended.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use syncscope::cache::CacheWrite;

use crate::support::pair::{Pair, Ran};

/// A filled source and a cache in step with it.
async fn in_step(documents: u32) -> Pair {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", &documents.to_string()]).await.code(0);
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    pair
}

/// Findings by key: kind and reason.
fn findings(ran: &Ran) -> BTreeMap<String, (String, String)> {
    let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["finding"].is_string())
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            assert!(!text("evidence").is_empty(), "{line}");
            (text("key"), (text("finding"), text("reason")))
        })
        .collect()
}

/// Writes a string into the cache behind the sync's back.
async fn set(pair: &Pair, key: &str, value: &str, ttl: Option<Duration>) {
    let (key, value) = (key.to_owned().into(), value.to_owned().into());
    let written = pair.redis().await.write(&[CacheWrite::Set { key, value, ttl }]).await.unwrap();
    assert!(written[0].is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_in_step_is_told_so_and_drift_is_an_exit_code() {
    let pair = in_step(300).await;
    let ran = pair.run(&["verify", "--json"]).await.code(0);
    assert_eq!((&ran.json()["documents"], &ran.json()["inStep"]), (&json!(300), &json!(300)));
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);

    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    pair.redis().await.delete(&keys[..2]).await.unwrap();
    set(&pair, &keys[2], r#"{"id":"?"}"#, None).await;
    set(&pair, "gone", r#"{"id":"gone"}"#, None).await;
    set(&pair, "session:17", "somebody else's", None).await;
    let ran = pair.run(&["verify", "--json"]).await.code(1);
    let expected = [
        (keys[0].as_str(), "missing", "never-written"),
        (&keys[1], "missing", "never-written"),
        (&keys[2], "stale", "somebody-else"),
        ("gone", "orphan", "document-gone"),
        ("session:17", "orphan", "somebody-else"),
    ];
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(key, kind, reason)| ((*key).to_owned(), ((*kind).to_owned(), (*reason).to_owned())))
        .collect();
    assert_eq!(findings(&ran), expected, "{}", ran.stdout);
    assert_eq!(ran.json()["inStep"], 297);

    let table = pair.run(&["verify"]).await.code(1);
    assert!(table.stdout.contains("missing") && table.stdout.contains("297 of 300"), "{}", table.stdout);

    // What nobody knows to be ours is left alone.
    let ran = pair.run(&["verify", "--repair", "--yes", "--json"]).await.code(1);
    assert_eq!(
        (&ran.json()["written"], &ran.json()["deleted"], &ran.json()["left"]),
        (&json!(3), &json!(1), &json!(1))
    );
    assert!(pair.redis().await.entry("session:17", 100).await.unwrap().is_some());
    pair.redis().await.delete(&["session:17".to_owned()]).await.unwrap();
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_compared_exits_with_2() {
    let pair = Pair::start().await;
    let ran = pair.run(&["verify", "--container", "nothing-here"]).await.code(2);
    assert!(ran.stderr.contains("nothing-here"), "{}", ran.stderr);
}
