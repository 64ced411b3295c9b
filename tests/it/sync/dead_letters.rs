//! Documents that were set aside, after the sync that did it has ended.

use serde_json::{Value, json};

use crate::support::cosmos::put;
use crate::support::pair::Pair;

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_exported_and_tried_again() {
    let pair = Pair::start().await;
    put(&pair.prices, "good", &json!({ "market": "UK" })).await;
    put(&pair.prices, "mends", &json!({ "market": null })).await;
    put(&pair.prices, "stays", &json!({ "market": [] })).await;
    let args = ["sync", "--start", "beginning", "--until-idle", "--key", "{market}:{id}"];
    pair.run(&args).await.code(1);

    let listed = pair.run(&["dead-letters", "list", "--json"]).await.code(0);
    let mut found: Vec<Value> =
        listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    found.sort_by_key(|letter| letter["id"].to_string());
    let ids: Vec<_> = found.iter().map(|letter| letter["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["mends", "stays"]);
    assert!(found[0]["reason"].as_str().unwrap().contains("market"), "{found:?}");
    let exported = pair.run(&["dead-letters", "export"]).await.code(0);
    assert!(
        exported
            .stdout
            .lines()
            .all(|line| { serde_json::from_str::<Value>(line).unwrap()["document"]["id"].is_string() })
    );
    assert_eq!(exported.stdout.lines().count(), 2);

    // Another processor's prefix has a list of its own.
    let other = pair.run(&["dead-letters", "list", "--json", "--lease-prefix", "other"]).await.code(0);
    assert_eq!(other.stdout, "");

    put(&pair.prices, "mends", &json!({ "market": "FR" })).await;
    let retry = ["dead-letters", "retry", "--json", "--key", "{market}:{id}"];
    let tried = pair.run(&retry).await.code(1);
    assert_eq!(tried.json(), json!({ "written": 1, "gone": 0, "left": 1 }));
    assert!(tried.stderr.contains("stays"), "{}", tried.stderr);
    assert!(pair.redis().await.entry("FR:mends", 1_000).await.unwrap().is_some());
    let left = pair.run(&["dead-letters", "list"]).await.code(0);
    assert!(left.stdout.contains("stays") && !left.stdout.contains("mends"), "{}", left.stdout);
}
