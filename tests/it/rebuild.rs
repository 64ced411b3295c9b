//! Rebuilds under traffic.

use std::time::Duration;

use serde_json::json;
use syncscope::cache::CacheWrite;
use syncscope::cosmos::PartitionKey;

use crate::end_to_end::Traffic;
use crate::support::cosmos::put;
use crate::support::pair::Pair;
use crate::support::wait::{eventually, lines_until};

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_cache_is_filled_again_while_traffic_goes_on() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "500"]).await.code(0);
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    pair.redis().await.delete(&keys).await.unwrap();
    let traffic = Traffic::start(&pair.prices, 50);
    traffic.written(20).await;
    let ran = pair.run(&["rebuild", "--yes", "--json"]).await.code(0);
    assert!(ran.json()["documents"].as_u64() >= Some(500), "{ran:#?}");
    traffic.stop().await;
    pair.run(&["sync", "--until-idle"]).await.code(0);
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_deletes_the_leases_of_its_own_prefix_only() {
    let pair = Pair::start().await;
    put(&pair.prices, "a", &json!({})).await;
    for prefix in ["ours-", "theirs-"] {
        pair.run(&["sync", "--lease-prefix", prefix, "--start", "beginning", "--until-idle"]).await.code(0);
    }
    let leases = pair.prices.account().container("shop", "leases").await.unwrap();
    let of = |prefix: &'static str| {
        let leases = leases.clone();
        async move {
            let sql = "SELECT * FROM c WHERE STARTSWITH(c.id, @p)";
            let mut found = leases.query(sql, &[("@p", json!(prefix))]).await.unwrap();
            found.sort();
            found
        }
    };
    let theirs = of("theirs-").await;
    assert!(theirs.len() > 1);
    let ran = pair.run(&["rebuild", "--yes", "--json", "--lease-prefix", "ours-"]).await.code(0);
    assert_eq!(ran.json()["documents"], 1);
    assert_eq!(of("theirs-").await, theirs, "another prefix was touched");
    assert_eq!(of("ours-").await.len(), theirs.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_a_rebuild_needs_yes_and_does_nothing_else() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "10"]).await.code(0);
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    let leases = pair.prices.account().container("shop", "leases").await.unwrap();
    let before = leases.count().await.unwrap();
    let ran = pair.run(&["rebuild", "--json"]).await.code(2);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    assert!(ran.stderr.contains("delete exactly"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert_eq!(leases.count().await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_of_a_live_foreign_owner_are_not_deleted_unasked() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "10"]).await.code(0);
    let mut other = pair
        .program()
        .args(["sync", "--start", "beginning", "--instance-name", "somebody-else"])
        .spawn()
        .unwrap();
    pair.in_step(Duration::from_secs(20)).await;
    let ran = pair.run(&["rebuild", "--yes"]).await.code(2);
    assert!(ran.stderr.contains("somebody-else"), "{}", ran.stderr);
    other.kill().await.unwrap();
}

/// Writes a string into the cache behind the sync's back.
async fn set(pair: &Pair, key: &str, value: &str) {
    let write = CacheWrite::Set { key: key.to_owned().into(), value: value.to_owned().into(), ttl: None };
    assert!(pair.redis().await.write(&[write]).await.unwrap()[0].is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refill_sweeps_and_mends_and_no_reader_ever_misses() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "1000"]).await.code(0);
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    set(&pair, "gone", r#"{"id":"gone"}"#).await;
    set(&pair, "session:1", "not ours").await;
    set(&pair, &keys[500], r#"{"id":"wrong"}"#).await;

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (redis, watched) = (pair.redis().await, keys[..100].to_vec());
    let reader = tokio::spawn(async move {
        let (mut misses, mut polls) = (0, 0);
        let mut stopped = stopped;
        while stopped.try_recv().is_err() {
            let entries = redis.entries(&watched, 1 << 20).await.unwrap();
            misses += entries.iter().filter(|entry| entry.is_none()).count();
            polls += 1;
        }
        (misses, polls)
    });
    let ran = pair.run(&["rebuild", "--yes", "--json"]).await.code(1);
    stop.send(()).unwrap();
    let (misses, polls) = reader.await.unwrap();
    assert!(polls > 10, "{polls} polls prove nothing");
    assert_eq!(misses, 0, "of {polls} polls");
    let told = ran.json();
    assert_eq!(told["documents"], 1_000, "{told}");
    // The wrong value is written over by the replay itself; what is not ours stays.
    assert_eq!((&told["swept"], &told["left"]), (&json!(1), &json!(1)), "{told}");
    let redis = pair.redis().await;
    assert_eq!(redis.delete(&["gone".to_owned(), "session:1".to_owned()]).await.unwrap(), 1);
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn flush_first_deletes_exactly_the_keys_of_the_mapping() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "300"]).await.code(0);
    let args = ["sync", "--start", "beginning", "--until-idle", "--key", "price:{id}"];
    pair.run(&args).await.code(0);
    set(&pair, "price:gone", "of a product that is no more").await;
    set(&pair, "prices", "not of the mapping").await;
    let ran =
        pair.run(&["rebuild", "--yes", "--json", "--mode", "flush", "--key", "price:{id}"]).await.code(0);
    assert!(ran.stderr.contains("delete exactly the 301 keys"), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 key that the mapping cannot make"), "{}", ran.stderr);
    assert_eq!((&ran.json()["documents"], &ran.json()["left"]), (&json!(300), &json!(0)), "{ran:#?}");
    let redis = pair.redis().await;
    assert_eq!(redis.status().await.unwrap().keys, Some(301));
    assert!(redis.entry("prices", 100).await.unwrap().is_some());
    assert!(redis.entry("price:gone", 100).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_lease_and_a_time_replay_only_their_part() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "400"]).await.code(0);
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    let leases = pair.prices.account().container("shop", "leases").await.unwrap();
    let tokens =
        leases.query("SELECT VALUE c.LeaseToken FROM c WHERE IS_STRING(c.LeaseToken)", &[]).await.unwrap();
    let token: String = serde_json::from_slice(&tokens[0]).unwrap();
    let ran = pair.run(&["rebuild", "--yes", "--json", "--lease", &token]).await.code(0);
    let replayed = ran.json()["documents"].as_u64().unwrap();
    assert!((1..400).contains(&replayed), "{ran:#?}");
    assert_eq!(ran.json()["verified"]["inStep"], 400);
    pair.run(&["rebuild", "--yes", "--lease", "nobody"]).await.code(2);

    let ran = pair.run(&["rebuild", "--yes", "--json", "--since", "2100-01-01T00:00:00Z"]).await.code(0);
    assert_eq!(ran.json()["documents"], 0, "{ran:#?}");
    // What the shorter replay leaves out is told.
    let keys: Vec<String> = pair.documents().await.into_keys().collect();
    pair.redis().await.delete(&keys[..3]).await.unwrap();
    let ran = pair.run(&["rebuild", "--yes", "--json", "--since", "2100-01-01T00:00:00Z"]).await.code(1);
    assert_eq!((&ran.json()["left"], &ran.json()["mended"]), (&json!(3), &json!(0)), "{ran:#?}");
}

/// Ids of the markers that are in the source, and keys of theirs in the cache.
async fn markers(pair: &Pair) -> (Vec<String>, Vec<String>) {
    let sql = "SELECT VALUE c.id FROM c WHERE STARTSWITH(c.id, 'syncscope.marker.')";
    let found = pair.prices.query(sql, &[]).await.unwrap();
    let ids = found.iter().map(|id| serde_json::from_slice(id).unwrap()).collect();
    let client = redis::Client::open(pair.cache.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys = redis::cmd("KEYS").arg("*syncscope*").query_async(&mut connection).await.unwrap();
    (ids, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_in_every_range_proves_the_rebuild_and_is_removed() {
    let pair = Pair::start().await;
    for n in 0..50 {
        put(&pair.prices, &format!("p-{n}"), &json!({ "market": "UK" })).await;
    }
    // Nothing of this mapping can be made of a marker: it must matter to nobody.
    let mapping = ["--jq", "if .market then {id, market} else error(\"no market\") end", "--key"];
    let run = async |args: &[&str]| pair.run(&[args, &mapping, &["{.market}:{id}"]].concat()).await;
    let ran = run(&["rebuild", "--yes", "--json"]).await.code(0);
    let ranges = pair.prices.feed_ranges(true).await.unwrap().len();
    assert_eq!((&ran.json()["markers"], &ran.json()["documents"]), (&json!(ranges), &json!(50)), "{ran:#?}");
    assert!(ran.stderr.contains("marker"), "the plan says nothing of it: {}", ran.stderr);
    assert_eq!(markers(&pair).await, (vec![], vec![]));
    assert_eq!(run(&["dead-letters", "list"]).await.code(0).stdout, "");
    assert_eq!(pair.redis().await.status().await.unwrap().keys, Some(50));

    let ran = run(&["rebuild", "--yes", "--json", "--proof", "lsn"]).await.code(0);
    assert_eq!((&ran.json()["markers"], &ran.json()["proof"]), (&json!(0), &json!("lsn")));
    // The sync writes none unless it is told to.
    let sync = ["sync", "--until-idle", "--start", "beginning"];
    run(&[&sync[..], &["--proof", "marker", "--lease-prefix", "other"]].concat()).await.code(0);
    assert_eq!(markers(&pair).await, (vec![], vec![]));
    run(&["verify"]).await.code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_not_done_before_its_markers_are_in_the_cache() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "200"]).await.code(0);
    let client = redis::Client::open(pair.cache.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut limit = async |bytes: &str| {
        let mut command = redis::cmd("CONFIG");
        command.arg("SET").arg("maxmemory").arg(bytes).exec_async(&mut connection).await.unwrap();
    };
    limit("1").await;
    let mut child = pair.program().args(["rebuild", "--yes", "--json"]).spawn().unwrap();
    eventually("a marker in the source", async || !markers(&pair).await.0.is_empty()).await;
    let waiting = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
    assert!(waiting.is_err(), "done although nothing can be written");
    limit("0").await;
    crate::support::pair::gather(child).await.code(0);
    assert_eq!(markers(&pair).await, (vec![], vec![]));
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_that_a_killed_rebuild_has_left_are_nobodys_document_and_go_with_the_next() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "3000"]).await.code(0);
    let mut child = pair.program().args(["rebuild", "--yes", "--max-items", "20"]).spawn().unwrap();
    eventually("a marker in each range", async || {
        assert!(child.try_wait().unwrap().is_none(), "done before it could be killed");
        markers(&pair).await.0.len() >= 4
    })
    .await;
    child.kill().await.unwrap();
    let left = markers(&pair).await.0;
    assert!(!left.is_empty());
    // Another sync meets them, and writes no entries for them.
    let other = ["--lease-prefix", "other", "--start", "beginning"];
    pair.run(&[&["sync", "--until-idle"], &other[..]].concat()).await.code(0);
    assert!(markers(&pair).await.1.iter().all(|key| key.starts_with("syncscope:marker:")));
    let ran = pair.run(&["verify", "--json", "--lease-prefix", "other"]).await.code(0);
    assert_eq!(ran.json()["documents"], 3_000, "{}", ran.stdout);

    // A function of somebody else would have written one as if it was a document.
    set(&pair, &left[0], &format!(r#"{{"id":"{}"}}"#, left[0])).await;
    let ran = pair.run(&["rebuild", "--yes", "--take-over", "--json"]).await.code(0);
    assert_eq!(ran.json()["left"], 0, "{ran:#?}");
    assert_eq!(markers(&pair).await, (vec![], vec![]));
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_that_somebody_removes_before_it_arrives_holds_nothing_up() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "3000"]).await.code(0);
    let mut child = pair.program().args(["rebuild", "--yes", "--json", "--max-items", "20"]).spawn().unwrap();
    let mut removed = 0;
    while removed < 4 {
        assert!(child.try_wait().unwrap().is_none(), "done before enough could be removed");
        for id in markers(&pair).await.0 {
            removed +=
                usize::from(pair.prices.delete(&id, &PartitionKey::from(id.as_str()), None).await.is_ok());
        }
    }
    crate::support::pair::gather(child).await.code(0);
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_waits_for_another_processor_to_stop_if_told_to() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "100"]).await.code(0);
    let other = pair
        .program()
        .args(["sync", "--start", "beginning", "--instance-name", "somebody-else"])
        .spawn()
        .unwrap();
    pair.in_step(Duration::from_secs(20)).await;
    let mut waiting = pair.program().args(["rebuild", "--yes", "--wait", "--json"]).spawn().unwrap();
    let stderr = waiting.stderr.as_mut().unwrap();
    let told = lines_until(stderr, "it waits", |line| line.starts_with("waiting for somebody-else")).await;
    assert!(told.iter().any(|line| line.contains("StartFromBeginning")), "{told:#?}");
    assert!(markers(&pair).await.0.is_empty(), "it began although somebody else owns the leases");
    crate::support::pair::signal(&other, "TERM").await;
    crate::support::pair::gather(other).await.code(0);
    let ran = crate::support::pair::gather(waiting).await.code(0);
    assert_eq!(ran.json()["documents"], 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_that_are_taken_over_are_proven_although_their_owner_comes_back() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "500"]).await.code(0);
    let args =
        ["sync", "--start", "beginning", "--instance-name", "somebody-else", "--acquire-interval", "200ms"];
    let mut other = pair.program().args(args).spawn().unwrap();
    pair.in_step(Duration::from_secs(20)).await;
    let ran = pair.run(&["rebuild", "--yes", "--take-over", "--json"]).await.code(0);
    assert_eq!(ran.json()["left"], 0, "{ran:#?}");
    other.kill().await.unwrap();
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_killed_at_any_moment_ends_in_step_when_started_again() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "1500"]).await.code(0);
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    let rounds = std::env::var("SYNCSCOPE_KILLS").map_or(4, |text| text.parse().unwrap());
    for (round, mode) in ["refill", "flush"].into_iter().cycle().take(rounds).enumerate() {
        let args = ["rebuild", "--yes", "--take-over", "--mode", mode, "--max-items", "50"];
        let mut child = pair.program().args(args).spawn().unwrap();
        let moment = rand::random_range(0..1_200);
        // Time is the subject: killed at any moment.
        tokio::time::sleep(Duration::from_millis(moment)).await;
        child.kill().await.unwrap();
        let ran = pair.run(&["rebuild", "--yes", "--take-over", "--mode", mode, "--json"]).await;
        assert!(ran.status.success(), "round {round}, {mode}, killed after {moment} ms: {ran:#?}");
        assert_eq!(pair.differences().await, [""; 0], "round {round}, {mode}, killed after {moment} ms");
        assert_eq!(markers(&pair).await, (vec![], vec![]), "round {round}, {mode}, killed after {moment} ms");
    }
}
