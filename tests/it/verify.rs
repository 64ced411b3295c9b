//! Verify and repair as a user runs them: every kind of fault found, no false alarm, mended.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use syncscope::cache::CacheWrite;
use syncscope::embedded::{CacheOptions, EmbeddedCache};

use crate::support::cosmos::put;
use crate::support::pair::{Pair, Ran, gather, signal};
use crate::support::wait::{eventually, lines_until};

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

/// A command that the program itself would never send.
async fn redis_cmd(pair: &Pair, args: &[&str]) {
    let client = redis::Client::open(pair.cache.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(args[0]);
    command.arg(&args[1..]);
    command.exec_async(&mut connection).await.unwrap();
}

/// About 100 writes a second to documents of its own, until dropped.
struct Gentle(tokio::task::JoinHandle<()>);

impl Gentle {
    fn start(pair: &Pair) -> Self {
        let prices = pair.prices.clone();
        Self(tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(10));
            for n in 0_u64.. {
                beat.tick().await;
                put(&prices, &format!("t-{}", n % 40), &json!({ "n": n })).await;
            }
        }))
    }
}

impl Drop for Gentle {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A number from the environment: `SYNCSCOPE_FAULTS_AMONG=10000` and `SYNCSCOPE_CALM_RUNS=20` for the
/// whole proof.
fn figure(name: &str, small: u32) -> u32 {
    std::env::var(name).map_or(small, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_faults_of_all_kinds_are_found_under_traffic_without_a_false_alarm() {
    let documents = figure("SYNCSCOPE_FAULTS_AMONG", 2_000);
    let pair = in_step(documents).await;
    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    let old = pair.redis().await.entries(&keys[..100], 1 << 20).await.unwrap();
    for key in &keys[..3] {
        put(&pair.prices, key, &json!({ "price": "new" })).await;
    }
    let mut sync = pair.program().args(["sync", "--start", "beginning"]).spawn().unwrap();
    let traffic = Gentle::start(&pair);
    for _ in 0..figure("SYNCSCOPE_CALM_RUNS", 3) {
        let ran = pair.run(&["verify", "--json", "--grace", "20s"]).await;
        assert!(ran.status.success(), "a false alarm: {}", ran.stdout);
        assert!(ran.json()["documents"].as_u64() >= Some(documents.into()), "{}", ran.stdout);
    }

    let mut planted = BTreeMap::new();
    let mut plant = |key: &str, kind: &str, reason: &str| {
        assert!(planted.insert(key.to_owned(), (kind.to_owned(), reason.to_owned())).is_none());
    };
    // The version from before the sync delivered a newer one.
    for (key, entry) in keys.iter().zip(&old).take(3) {
        let value = std::str::from_utf8(&entry.as_ref().unwrap().value).unwrap();
        set(&pair, key, value, None).await;
        plant(key, "stale", "older-version");
    }
    // The newest version with a field changed by hand.
    for (key, entry) in keys.iter().zip(&old).skip(3).take(3) {
        let mut value: Value = serde_json::from_slice(&entry.as_ref().unwrap().value).unwrap();
        value["surprise"] = json!(1);
        set(&pair, key, &value.to_string(), None).await;
        plant(key, "stale", "somebody-else");
    }
    for key in &keys[6..11] {
        redis_cmd(&pair, &["DEL", key]).await;
        plant(key, "missing", "never-written");
    }
    for key in &keys[11..14] {
        redis_cmd(&pair, &["PEXPIRE", key, "3600000"]).await;
        plant(key, "wrong-ttl", "somebody-else");
    }
    for key in &keys[14..16] {
        redis_cmd(&pair, &["DEL", key]).await;
        redis_cmd(&pair, &["HSET", key, "price", "1"]).await;
        plant(key, "wrong-encoding", "somebody-else");
    }
    for n in 0..4 {
        let key = format!("gone-{n}");
        set(&pair, &key, &json!({ "id": key }).to_string(), None).await;
        plant(&key, "orphan", "document-gone");
    }
    assert_eq!(planted.len(), 20);

    let ran = pair.run(&["verify", "--json", "--grace", "20s"]).await.code(1);
    assert_eq!(findings(&ran), planted, "{}", ran.stdout);
    let mended = pair.run(&["verify", "--repair", "--yes", "--json", "--grace", "20s"]).await.code(0);
    let counts = mended.json();
    assert_eq!((&counts["written"], &counts["deleted"], &counts["left"]), (&json!(16), &json!(4), &json!(0)));
    let ran = pair.run(&["verify", "--json", "--grace", "20s"]).await;
    assert!(ran.status.success(), "not mended: {}", ran.stdout);
    drop(traffic);
    pair.in_step(Duration::from_secs(20)).await;
    sync.kill().await.unwrap();
}

/// The last line of a continuous verification.
fn drift(ran: &Ran) -> Value {
    let mut lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.rfind(|line| line["windows"].is_array()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_found_in_the_background_at_a_bounded_rate() {
    let pair = in_step(200).await;
    let watch = ["verify", "--watch", "--json", "--grace", "300ms", "--for"];
    let ran = pair.run(&[&watch[..], &["3s", "--rate", "50/s"]].concat()).await.code(0);
    let told = drift(&ran);
    let compared = told["compared"].as_u64().unwrap();
    assert!((25..=200).contains(&compared), "50 a second for 3 s: {told}");
    assert_eq!(told["windows"][0]["inStep"], "100%", "{told}");
    assert_eq!((&told["windows"][0]["full"], &told["windows"][2]["seconds"]), (&json!(false), &json!(600)));

    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    pair.redis().await.delete(&keys[..2]).await.unwrap();
    set(&pair, "gone", r#"{"id":"gone"}"#, None).await;
    // Long enough for a pass over everything even on a busy machine; every pass finds them again.
    let ran = pair.run(&[&watch[..], &["8s", "--rate", "1000/s"]].concat()).await.code(1);
    let told = drift(&ran);
    assert!(told["passes"].as_u64() >= Some(1), "{told}");
    let found = findings(&ran);
    let found: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(found, ["gone", &keys[0], &keys[1]], "{}", ran.stdout);
    let share = told["windows"][0]["share"].as_f64().unwrap();
    assert!((0.95..1.0).contains(&share), "3 of 201 are wrong: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_goes_away_while_drift_is_watched_is_told_and_waited_for() {
    let mut pair = in_step(50).await;
    let port = pair.cache.port();
    let args = ["verify", "--watch", "--json", "--rate", "500/s"];
    let mut child = pair.program().args(args).spawn().unwrap();
    let stdout = child.stdout.as_mut().unwrap();
    let parsed = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let compared = |line: &str| parsed(line)["compared"].as_u64();
    lines_until(stdout, "it compares", |line| compared(line) > Some(0)).await;
    let entries = pair.redis().await;
    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    let kept = entries.entries(&keys, 1 << 20).await.unwrap();
    let nothing = EmbeddedCache::start(CacheOptions { in_process: true, port: None }).await.unwrap();
    std::mem::replace(&mut pair.cache, nothing).stop().await;
    let told = lines_until(stdout, "the loss is told", |line| parsed(line)["problem"].is_string()).await;
    let before = told.last().and_then(|line| compared(line));
    pair.cache =
        EmbeddedCache::start(CacheOptions { port: Some(port), ..CacheOptions::default() }).await.unwrap();
    for (key, entry) in keys.iter().zip(kept) {
        set(&pair, key, std::str::from_utf8(&entry.unwrap().value).unwrap(), None).await;
    }
    lines_until(stdout, "it goes on", |line| parsed(line)["problem"].is_null() && compared(line) > before)
        .await;
    signal(&child, "TERM").await;
    gather(child).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_lease_has_passed_is_told_as_such() {
    let pair = in_step(20).await;
    put(&pair.prices, "late", &json!({})).await;
    let ran = pair.run(&["verify", "--json", "--grace", "300ms"]).await.code(1);
    let expected = ("missing".to_owned(), "lease-behind".to_owned());
    assert_eq!(findings(&ran), BTreeMap::from([("late".to_owned(), expected)]), "{}", ran.stdout);

    let fresh = Pair::start().await;
    put(&fresh.prices, "never", &json!({})).await;
    let ran = fresh.run(&["verify", "--json", "--grace", "300ms"]).await.code(1);
    let expected = ("missing".to_owned(), "no-lease".to_owned());
    assert_eq!(findings(&ran), BTreeMap::from([("never".to_owned(), expected)]), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_reads_few_entries_and_still_finds_what_is_everywhere() {
    let pair = in_step(500).await;
    let ran = pair.run(&["verify", "--json", "--sample", "50"]).await.code(0);
    let (documents, keys) = (ran.json()["documents"].as_u64().unwrap(), ran.json()["keys"].as_u64().unwrap());
    assert!((20..=50).contains(&documents) && keys <= 50, "{}", ran.stdout);
    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    pair.redis().await.delete(&keys).await.unwrap();
    let ran = pair.run(&["verify", "--json", "--sample", "50"]).await.code(1);
    assert_eq!(ran.json()["missing"], ran.json()["documents"], "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_a_document_had_before_is_an_orphan() {
    let pair = Pair::start().await;
    for n in 0..10 {
        put(&pair.prices, &format!("p-{n}"), &json!({ "market": "UK" })).await;
    }
    let sync = ["sync", "--start", "beginning", "--until-idle", "--key", "{market}:{id}"];
    pair.run(&sync).await.code(0);
    put(&pair.prices, "p-3", &json!({ "market": "FR" })).await;
    pair.run(&sync).await.code(0);
    let verify = ["verify", "--json", "--grace", "300ms", "--key", "{market}:{id}"];
    let ran = pair.run(&verify).await.code(1);
    let expected = ("orphan".to_owned(), "document-gone".to_owned());
    assert_eq!(findings(&ran), BTreeMap::from([("UK:p-3".to_owned(), expected)]), "{}", ran.stdout);
    let mut mend = verify.to_vec();
    mend.extend(["--repair", "--yes"]);
    pair.run(&mend).await.code(0);
    pair.run(&verify).await.code(0);
    assert_eq!(pair.redis().await.status().await.unwrap().keys, Some(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_mappings_are_verified_and_mended_as_they_write() {
    let mappings: [&[&str]; 3] = [
        &["--key", "a:{id}", "--encoding", "distributed-cache", "--ttl", "1h"],
        &["--key", "b:{id}", "--jq", "{id, n: .n}", "--encoding", "fields"],
        &["--key", "c:{id}", "--value", "stripped", "--ttl", "1h", "--guard=on"],
    ];
    let pair = Pair::start().await;
    for n in 0..20 {
        put(&pair.prices, &format!("p-{n:02}"), &json!({ "n": n })).await;
    }
    for mapping in mappings {
        let run = async |args: &[&str]| pair.run(&[args, mapping].concat()).await;
        let prefix = mapping[1].trim_end_matches("{id}").trim_end_matches(':');
        let sync = ["sync", "--start", "beginning", "--until-idle", "--lease-prefix", prefix];
        let verify = ["verify", "--json", "--lease-prefix", prefix];
        run(&sync).await.code(0);
        let ran = run(&verify).await.code(0);
        assert_eq!(ran.json()["inStep"], 20, "{mapping:?}: {}", ran.stdout);

        let key = |n: u32| format!("{prefix}:p-{n:02}");
        redis_cmd(&pair, &["PEXPIRE", &key(1), "90000000"]).await;
        redis_cmd(&pair, &["DEL", &key(2)]).await;
        redis_cmd(&pair, &["DEL", &key(3)]).await;
        // Of another type than the mapping's.
        if pair.redis().await.entry(&key(4), 100).await.unwrap().unwrap().kind == "string" {
            redis_cmd(&pair, &["HSET", &key(3), "x", "x"]).await;
        } else {
            redis_cmd(&pair, &["SET", &key(3), "x"]).await;
        }
        set(&pair, &format!("{prefix}:gone"), "1", None).await;
        let found = findings(&run(&verify).await.code(1));
        let kinds: Vec<(&str, &str)> =
            found.iter().map(|(key, (kind, _))| (key.as_str(), kind.as_str())).collect();
        let (one, two, three, gone) = (key(1), key(2), key(3), format!("{prefix}:gone"));
        let expected =
            [(&*gone, "orphan"), (&*one, "wrong-ttl"), (&*two, "missing"), (&*three, "wrong-encoding")];
        assert_eq!(kinds, expected, "{mapping:?}");
        let mend = [&verify[..], &["--repair", "--yes"]].concat();
        run(&mend).await.code(0);
        run(&verify).await.code(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_deleted_and_of_outlived_documents_are_told_apart() {
    let pair = Pair::start().await;
    put(&pair.prices, "sold", &json!({})).await;
    put(&pair.prices, "kept", &json!({})).await;
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    put(&pair.prices, "sold", &json!({ "deleted": true })).await;
    let verify = ["verify", "--json", "--grace", "300ms", "--delete-field", "deleted"];
    let ran = pair.run(&verify).await.code(1);
    let expected = ("orphan".to_owned(), "document-gone".to_owned());
    assert_eq!(findings(&ran), BTreeMap::from([("sold".to_owned(), expected)]), "{}", ran.stdout);
    pair.run(&[&verify[..], &["--repair", "--yes"]].concat()).await.code(0);
    assert!(pair.redis().await.entry("sold", 10).await.unwrap().is_none());

    let short = ["--ttl", "1s", "--key", "short:{id}", "--lease-prefix", "short"];
    pair.run(&[&["sync", "--start", "beginning", "--until-idle"], &short[..]].concat()).await.code(0);
    let redis = pair.redis().await;
    eventually("expired", async || redis.entry("short:kept", 10).await.unwrap().is_none()).await;
    // Time is the subject: `_ts` has whole seconds, and one must have passed by it, too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ran = pair.run(&[&["verify", "--json"], &short[..]].concat()).await.code(1);
    let found = findings(&ran);
    assert_eq!(found["short:kept"], ("missing".to_owned(), "expired".to_owned()), "{}", ran.stdout);
}
