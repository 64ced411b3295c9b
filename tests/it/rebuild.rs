//! Rebuilds under traffic.

use std::time::Duration;

use serde_json::json;

use crate::end_to_end::Traffic;
use crate::support::cosmos::put;
use crate::support::pair::Pair;

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
