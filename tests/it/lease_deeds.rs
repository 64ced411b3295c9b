//! Release, delete and reset of leases, as a user orders them on the command line.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syncscope::cosmos::PartitionKey;

use crate::leases::{documents, field, leases};
use crate::support::cosmos::put;
use crate::support::pair::Pair;
use crate::support::tty::Tty;

const UNTIL_IDLE: [&str; 5] = ["sync", "--start", "beginning", "--until-idle", "--json"];

/// A pair with 20 documents, drained.
async fn drained() -> Pair {
    let pair = Pair::start().await;
    for number in 0..20 {
        put(&pair.prices, &format!("old-{number}"), &json!({ "price": number })).await;
    }
    pair.run(&UNTIL_IDLE).await.code(0);
    pair
}

/// Everything in the lease container, leases and markers, in order of their ids.
async fn everything(pair: &Pair) -> Vec<Value> {
    let rows = leases(pair).await.query("SELECT * FROM c", &[]).await.unwrap();
    let mut found: Vec<Value> = rows.iter().map(|row| serde_json::from_slice(row).unwrap()).collect();
    found.sort_by_key(|document| document["id"].to_string());
    found
}

async fn store(pair: &Pair, document: &Value) {
    let id = document["id"].as_str().unwrap().to_owned();
    leases(pair).await.upsert(&PartitionKey::from(id), document.to_string().as_bytes()).await.unwrap();
}

/// Gives a lease an owner whose last heartbeat is so many seconds old.
async fn own(pair: &Pair, lease: &Value, owner: &str, age: i64) {
    let mut owned = lease.clone();
    owned["Owner"] = owner.into();
    let beat = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(age);
    owned["timestamp"] = beat.to_string().into();
    store(pair, &owned).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn release_frees_exactly_what_is_owned_and_asks_for_live_owners() {
    let pair = drained().await;
    let before = documents(&pair, "").await;
    let nothing = pair.run(&["leases", "release", "--yes"]).await.code(2);
    assert!(nothing.stderr.contains("nothing to release"), "{nothing:?}");
    own(&pair, &before[0], "dead-host", 600).await;
    own(&pair, &before[1], "live-host", 1).await;

    let refused = pair.run(&["leases", "release", "--yes", "--json"]).await.code(1);
    assert!(refused.stderr.contains("live-host (live") && refused.stderr.contains("dead-host (expired"));
    assert_eq!((&refused.json()["done"], &refused.json()["refused"]), (&json!(0), &json!(2)), "{refused:?}");
    assert_eq!(field(&documents(&pair, "").await, "Owner")[..2], [json!("dead-host"), json!("live-host")]);

    let token = before[0]["LeaseToken"].as_str().unwrap();
    let one = pair.run(&["leases", "release", "--lease", token, "--yes", "--json"]).await.code(0);
    assert_eq!(one.json()["done"], 1, "{one:?}");
    assert_eq!(field(&documents(&pair, "").await, "Owner")[..2], [Value::Null, json!("live-host")]);
    pair.run(&["leases", "release", "--yes", "--take-over"]).await.code(0);
    let now = documents(&pair, "").await;
    assert!(now.iter().all(|lease| lease["Owner"].is_null()), "{now:?}");
    assert_eq!(field(&now, "ContinuationToken"), field(&before, "ContinuationToken"), "positions stay");
    assert_eq!(pair.run(&UNTIL_IDLE).await.code(0).json()["delivered"], 0, "it goes on where it stood");
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_of_one_lease_replays_its_range_and_keeps_what_others_wrote_into_it() {
    let pair = drained().await;
    let before = everything(&pair).await;
    let mut lease = documents(&pair, "").await[0].clone();
    lease["note"] = json!({ "of": "somebody" });
    store(&pair, &lease).await;
    let token = lease["LeaseToken"].as_str().unwrap();

    let asked = pair.run(&["leases", "reset", "--lease", token]).await.code(2);
    assert!(asked.stderr.contains("exactly 1 document in shop/leases back to the start"), "{asked:?}");
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    pair.run(&["leases", "reset", "--lease", "nobody", "--yes"]).await.code(2);
    pair.run(&["leases", "reset", "--lease", token, "--yes"]).await.code(0);
    let after = everything(&pair).await;
    for (was, is) in before.iter().zip(&after) {
        if is["id"] == lease["id"] {
            assert_eq!((&is["ContinuationToken"], &is["note"]["of"]), (&Value::Null, &json!("somebody")));
        } else {
            assert_eq!(was, is, "another document was touched");
        }
    }
    let delivered = pair.run(&UNTIL_IDLE).await.code(0).json()["delivered"].as_u64().unwrap();
    assert!((1..20).contains(&delivered), "one of several ranges: {delivered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_and_reset_of_all_take_the_marker_along_and_no_other_prefix() {
    let pair = Pair::start().await;
    put(&pair.prices, "a", &json!({})).await;
    for prefix in ["ours-", "theirs-"] {
        pair.run(&[&UNTIL_IDLE[..], &["--lease-prefix", prefix]].concat()).await.code(0);
    }
    let theirs = |all: &[Value]| -> Vec<Value> {
        all.iter().filter(|d| d["id"].as_str().unwrap().starts_with("theirs-")).cloned().collect()
    };
    let before = everything(&pair).await;
    let ours = before.len() - theirs(&before).len();
    assert!(ours > documents(&pair, "ours-").await.len(), "leases and a marker");
    for deed in ["reset", "delete"] {
        let ran = pair.run(&["leases", deed, "--yes", "--json", "--lease-prefix", "ours-"]).await.code(0);
        assert!(ran.stderr.contains(&format!("delete exactly {ours} documents")), "{ran:?}");
        assert_eq!(ran.json()["done"], ours, "{ran:?}");
        assert_eq!(everything(&pair).await, theirs(&before), "exactly ours are gone");
        let again = pair.run(&[&UNTIL_IDLE[..], &["--lease-prefix", "ours-"]].concat()).await.code(0);
        assert_eq!(again.json()["delivered"], 1, "made again, from the start option");
    }
    let one = documents(&pair, "ours-").await[0]["id"].as_str().unwrap().to_owned();
    let ran =
        pair.run(&["leases", "delete", "--yes", "--lease", &one, "--lease-prefix", "ours-"]).await.code(0);
    assert!(ran.stderr.contains("delete exactly 2 documents"), "the marker would hide the hole: {ran:?}");
    assert_eq!(everything(&pair).await.len(), before.len() - 2);
    pair.run(&[&UNTIL_IDLE[..], &["--lease-prefix", "ours-"]].concat()).await.code(0);
    assert_eq!(everything(&pair).await.len(), before.len(), "the hole was filled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_processor_loses_its_leases_only_when_they_are_taken_over() {
    let pair = drained().await;
    let quick = ["--acquire-interval", "1s", "--renew-interval", "1s", "--poll-interval", "1s"];
    let mut running = pair.program().args(["sync", "--instance-name", "busy"]).args(quick).spawn().unwrap();
    let start = Instant::now();
    while field(&documents(&pair, "").await, "Owner").iter().any(|owner| owner != "busy") {
        assert!(start.elapsed() < Duration::from_secs(60), "never owned");
    }
    for deed in ["release", "delete", "reset"] {
        let refused = pair.run(&["leases", deed, "--yes"]).await.code(1);
        assert!(refused.stderr.contains("live owner"), "{refused:?}");
    }
    // Heartbeats come every second: a document that was just written by its owner is tried again.
    let taken = pair.run(&["leases", "release", "--yes", "--take-over", "--json"]).await.code(0);
    assert_eq!(taken.json()["done"], documents(&pair, "").await.len(), "{taken:?}");
    put(&pair.prices, "new", &json!({})).await;
    pair.in_step(Duration::from_secs(30)).await;
    running.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_taken_while_the_question_stands_is_left() {
    let pair = drained().await;
    let lease = documents(&pair, "").await[0].clone();
    let token = lease["LeaseToken"].as_str().unwrap();
    let connection = pair.emulator.connection_string();
    let args = ["leases", "reset", "--lease", token, "--cosmos", &connection];
    let mut tty = Tty::start(&args, 200, 40);
    tty.wait_text("Go on? [y/N]");
    own(&pair, &lease, "quicker", 0).await;
    tty.type_in("y\n");
    tty.wait_text("(412)");
    assert_eq!(tty.ended().exit_code(), 1);
    let now = documents(&pair, "").await[0].clone();
    assert_eq!((&now["Owner"], &now["ContinuationToken"]), (&json!("quicker"), &lease["ContinuationToken"]));
}
