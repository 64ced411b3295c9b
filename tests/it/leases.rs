//! Bookmarks of lease positions, as a user saves, compares and restores them.

use std::ops::Deref;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syncscope::cosmos::{Container, PartitionKey};
use tempfile::TempDir;

use crate::support::cosmos::{container, put};
use crate::support::emulator::client;
use crate::support::pair::{Pair, Ran, finish};
use crate::support::tty::Tty;

const UNTIL_IDLE: [&str; 5] = ["sync", "--start", "beginning", "--until-idle", "--json"];

/// A pair whose bookmarks are in a directory of their own: ports come again, and with them old bookmarks.
struct Marked {
    pair: Pair,
    state: TempDir,
}

impl Deref for Marked {
    type Target = Pair;

    fn deref(&self) -> &Pair {
        &self.pair
    }
}

impl Marked {
    async fn start() -> Self {
        Self { pair: Pair::start().await, state: tempfile::tempdir().unwrap() }
    }

    async fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.program();
        command.args(args).env("XDG_STATE_HOME", self.state.path());
        finish(command).await
    }
}

/// A pair with documents, drained by a sync.
async fn drained(documents: usize) -> Marked {
    let pair = Marked::start().await;
    write(&pair, "old", documents).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    pair
}

async fn write(pair: &Pair, name: &str, count: usize) {
    for number in 0..count {
        put(&pair.prices, &format!("{name}-{number}"), &json!({ "price": number })).await;
    }
}

pub(crate) async fn leases(pair: &Pair) -> Container {
    pair.prices.account().container("shop", "leases").await.unwrap()
}

/// The lease documents of a prefix, in order of their ids.
pub(crate) async fn documents(pair: &Pair, prefix: &str) -> Vec<Value> {
    let sql = "SELECT * FROM c WHERE STARTSWITH(c.id, @p) AND IS_DEFINED(c.LeaseToken)";
    let rows = leases(pair).await.query(sql, &[("@p", json!(prefix))]).await.unwrap();
    let mut found: Vec<Value> = rows.iter().map(|row| serde_json::from_slice(row).unwrap()).collect();
    found.sort_by_key(|lease| lease["id"].to_string());
    found
}

pub(crate) fn field(leases: &[Value], name: &str) -> Vec<Value> {
    leases.iter().map(|lease| lease[name].clone()).collect()
}

fn rows(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sum(rows: &[Value]) -> u64 {
    rows.iter().map(|row| row["lsns"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_bookmark_replays_exactly_what_came_after_it() {
    let pair = drained(40).await;
    let saved = pair.run(&["leases", "save", "before", "--json"]).await.code(0).json();
    let count = documents(&pair, "").await.len();
    assert_eq!((&saved["name"], &saved["leases"]), (&json!("before"), &json!(count)));
    let again = pair.run(&["leases", "save", "before"]).await.code(2);
    assert!(again.stderr.contains("--replace"), "{again:?}");
    pair.run(&["leases", "save", "before", "--replace"]).await.code(0);
    let list = pair.run(&["leases", "list", "--json"]).await.code(0);
    let list = rows(&list);
    assert_eq!(list.len(), 1, "only those of this source: {list:?}");
    assert!(list[0]["source"].as_str().unwrap().starts_with("shop/prices at "), "{list:?}");
    pair.run(&["leases", "diff", "before"]).await.code(0);

    let before = documents(&pair, "").await;
    write(&pair, "new", 25).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    let diff = pair.run(&["leases", "diff", "before", "--json"]).await.code(1);
    let diff = rows(&diff);
    assert_eq!((diff.len(), sum(&diff)), (count, 25), "{diff:?}");

    let moved = documents(&pair, "").await;
    let refused = pair.run(&["leases", "restore", "before"]).await.code(2);
    assert!(refused.stderr.contains("--yes") && refused.stderr.contains("replays"), "{refused:?}");
    assert_eq!(documents(&pair, "").await, moved, "without an answer nothing is written");
    let restored = pair.run(&["leases", "restore", "before", "--yes", "--json"]).await.code(0).json();
    assert_eq!(sum(restored["leases"].as_array().unwrap()), 25, "{restored}");
    let now = documents(&pair, "").await;
    assert_eq!(field(&now, "ContinuationToken"), field(&before, "ContinuationToken"));
    assert_eq!(pair.run(&UNTIL_IDLE).await.code(0).json()["delivered"], 25);
    assert_eq!(pair.run(&UNTIL_IDLE).await.code(0).json()["delivered"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_bookmark_is_gone_and_nothing_else() {
    let pair = drained(10).await;
    for name in ["kept", "old"] {
        pair.run(&["leases", "save", name]).await.code(0);
    }
    let before = documents(&pair, "").await;
    let asked = pair.run(&["leases", "forget", "old"]).await.code(2);
    assert!(asked.stderr.contains("--yes") && asked.stderr.contains("no lease is touched"), "{asked:?}");
    assert_eq!(rows(&pair.run(&["leases", "list", "--json"]).await).len(), 2, "without an answer both stay");
    let forgotten = pair.run(&["leases", "forget", "old", "--yes", "--json"]).await.code(0).json();
    assert_eq!(forgotten, json!({ "forgotten": "old" }));
    let left = rows(&pair.run(&["leases", "list", "--json"]).await);
    assert_eq!(field(&left, "name"), [json!("kept")]);
    let missing = pair.run(&["leases", "forget", "old", "--yes"]).await.code(2);
    assert!(missing.stderr.contains("no bookmark old"), "{missing:?}");
    assert_eq!(documents(&pair, "").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_lease_alone_goes_back_and_keeps_what_others_wrote_into_it() {
    let pair = drained(20).await;
    pair.run(&["leases", "save", "one"]).await.code(0);
    write(&pair, "new", 40).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    for mut lease in documents(&pair, "").await {
        lease["note"] = json!({ "of": "somebody" });
        let id = lease["id"].as_str().unwrap().to_owned();
        leases(&pair).await.upsert(&PartitionKey::from(id), lease.to_string().as_bytes()).await.unwrap();
    }
    let before = documents(&pair, "").await;
    let diff = rows(&pair.run(&["leases", "diff", "one", "--json"]).await.code(1));
    let chosen = diff.iter().find(|row| row["change"] == "replays").unwrap();
    let (token, lsns) = (chosen["lease"].as_str().unwrap(), chosen["lsns"].as_u64().unwrap());
    assert!((1..40).contains(&lsns), "one of several: {diff:?}");

    pair.run(&["leases", "restore", "one", "--lease", "nobody", "--yes"]).await.code(2);
    assert_eq!(documents(&pair, "").await, before);
    let ran = pair.run(&["leases", "restore", "one", "--lease", token, "--yes", "--json"]).await.code(0);
    assert_eq!(ran.json()["restored"], 1, "{ran:?}");
    let now = documents(&pair, "").await;
    let changed: Vec<_> = now.iter().zip(&before).filter(|(now, before)| now != before).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!((&changed[0].0["id"], &changed[0].0["note"]), (&chosen["id"], &json!({ "of": "somebody" })));
    assert_eq!(pair.run(&UNTIL_IDLE).await.code(0).json()["delivered"], lsns);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_prefix_stays_and_has_bookmarks_of_its_own() {
    let pair = Marked::start().await;
    write(&pair, "old", 10).await;
    for prefix in ["ours-", "theirs-"] {
        pair.run(&[&UNTIL_IDLE[..], &["--lease-prefix", prefix]].concat()).await.code(0);
    }
    let ours = ["--lease-prefix", "ours-"];
    pair.run(&[&["leases", "save", "mark"], &ours[..]].concat()).await.code(0);
    write(&pair, "new", 10).await;
    for prefix in ["ours-", "theirs-"] {
        pair.run(&[&UNTIL_IDLE[..], &["--lease-prefix", prefix]].concat()).await.code(0);
    }
    let theirs = documents(&pair, "theirs-").await;
    assert!(!theirs.is_empty());
    let other = ["leases", "restore", "mark", "--yes", "--lease-prefix", "theirs-"];
    assert!(pair.run(&other).await.code(2).stderr.contains("no bookmark mark"));
    pair.run(&[&["leases", "restore", "mark", "--yes"], &ours[..]].concat()).await.code(0);
    assert_eq!(documents(&pair, "theirs-").await, theirs, "another prefix was touched");
    let ran = pair.run(&[&UNTIL_IDLE[..], &ours].concat()).await.code(0);
    assert_eq!(ran.json()["delivered"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_owner_keeps_its_leases_until_they_are_taken_over() {
    let pair = drained(10).await;
    pair.run(&["leases", "save", "live"]).await.code(0);
    let saved = documents(&pair, "").await;
    let mut other = pair.program().args(["sync", "--instance-name", "somebody-else"]).spawn().unwrap();
    write(&pair, "new", 30).await;
    let start = Instant::now();
    while sum(&rows(&pair.run(&["leases", "diff", "live", "--json"]).await)) < 30 {
        assert!(start.elapsed() < Duration::from_secs(60), "no progress");
    }
    let refused = pair.run(&["leases", "restore", "live", "--yes", "--json"]).await.code(1);
    assert!(refused.stderr.contains("somebody-else"), "{refused:?}");
    assert!(refused.stderr.contains("--take-over"), "{refused:?}");
    assert_eq!(refused.json()["restored"], 0);
    assert_eq!(sum(&rows(&pair.run(&["leases", "diff", "live", "--json"]).await.code(1))), 30);
    // Dead, but its heartbeats still count.
    other.kill().await.unwrap();
    pair.run(&["leases", "restore", "live", "--yes"]).await.code(1);
    let ran = pair.run(&["leases", "restore", "live", "--yes", "--take-over", "--json"]).await.code(0);
    assert!(ran.stderr.contains("somebody-else"), "{ran:?}");
    let now = documents(&pair, "").await;
    assert_eq!(field(&now, "ContinuationToken"), field(&saved, "ContinuationToken"));
    let restored: Vec<_> =
        ran.json()["leases"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    for lease in now.iter().filter(|lease| restored.contains(&lease["id"])) {
        assert_eq!(lease["Owner"], Value::Null, "{lease}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn children_of_a_split_go_back_to_the_position_of_their_parent() {
    let pair = drained(20).await;
    pair.run(&["leases", "save", "whole"]).await.code(0);
    let count = documents(&pair, "").await.len();
    pair.emulator.split("shop", "prices", 0).unwrap();
    write(&pair, "new", 40).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    assert_eq!(documents(&pair, "").await.len(), count + 1);
    let ran = pair.run(&["leases", "restore", "whole", "--yes", "--json"]).await.code(0);
    assert!(ran.stderr.contains("split since from"), "{ran:?}");
    assert_eq!(pair.run(&UNTIL_IDLE).await.code(0).json()["delivered"], 40);
    assert_eq!(pair.differences().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_of_java_and_positions_ahead_are_refused() {
    let pair = drained(10).await;
    pair.run(&["leases", "save", "start"]).await.code(0);
    write(&pair, "new", 20).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    pair.run(&["leases", "save", "end"]).await.code(0);
    pair.run(&["leases", "restore", "start", "--yes"]).await.code(0);
    let before = documents(&pair, "").await;
    let ahead = pair.run(&["leases", "restore", "end", "--yes"]).await.code(1);
    assert!(ahead.stderr.contains("would skip"), "{ahead:?}");
    assert_eq!(documents(&pair, "").await, before);

    let mut java = before[0].clone();
    java["feedRange"] = java["FeedRange"].clone();
    let id = java["id"].as_str().unwrap().to_owned();
    leases(&pair).await.upsert(&PartitionKey::from(id), java.to_string().as_bytes()).await.unwrap();
    for args in [&["leases", "save", "java"][..], &["leases", "restore", "start", "--yes"]] {
        assert!(pair.run(args).await.code(2).stderr.contains("Java"), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_written_while_the_question_stands_is_told_and_left() {
    let pair = drained(10).await;
    pair.run(&["leases", "save", "asked"]).await.code(0);
    write(&pair, "new", 20).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    let before = documents(&pair, "").await;
    let connection = pair.emulator.connection_string();
    let args = ["leases", "restore", "asked", "--cosmos", &connection];
    let mut tty = Tty::start_in(&args, 200, 40, pair.state.path());
    tty.wait_text("Go on? [y/N]");
    let diff = rows(&pair.run(&["leases", "diff", "asked", "--json"]).await.code(1));
    let id = diff.iter().find(|row| row["change"] == "replays").unwrap()["id"].as_str().unwrap();
    let mut theirs = before.iter().find(|lease| lease["id"] == id).unwrap().clone();
    theirs["note"] = "written meanwhile".into();
    leases(&pair).await.upsert(&PartitionKey::from(id), theirs.to_string().as_bytes()).await.unwrap();
    tty.type_in("y\n");
    tty.wait_text("(412)");
    tty.wait_text("1 refused");
    assert_eq!(tty.ended().exit_code(), 1);
    let now = documents(&pair, "").await;
    let left = now.iter().find(|lease| lease["id"] == id).unwrap();
    assert_eq!(left["note"], "written meanwhile", "{left}");
    assert_eq!(left["ContinuationToken"], theirs["ContinuationToken"], "{left}");
    let diff = rows(&pair.run(&["leases", "diff", "asked", "--json"]).await.code(1));
    assert_eq!(diff.iter().filter(|row| row["change"] == "replays").count(), 1, "the others went back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bookmark_of_the_screen_is_one_of_the_command_line() {
    let pair = drained(10).await;
    let count = documents(&pair, "").await.len();
    let before = documents(&pair, "").await;
    let (cosmos, redis) = (pair.emulator.connection_string(), pair.cache.url());
    let mut tty = Tty::start_in(&["--cosmos", &cosmos, "--redis", &redis], 200, 50, pair.state.path());
    tty.wait_text("100% in step");
    tty.type_in("L");
    tty.wait_text("Leases of shop/prices");
    tty.type_in("B");
    tty.wait_text(&format!("keeps the positions of {count} leases"));
    tty.type_in("\x1b");
    tty.wait_for("the dialog to go", |screen| !screen.contains("Leases of shop/prices"));
    tty.type_in("q");
    assert!(tty.ended().success());

    let listed = rows(&pair.run(&["leases", "list", "--json"]).await.code(0));
    let name = listed[0]["name"].as_str().unwrap();
    assert_eq!((listed.len(), &listed[0]["leases"]), (1, &json!(count)), "{listed:?}");
    assert!(name.starts_with("screen-"), "{name}");
    pair.run(&["leases", "diff", name]).await.code(0);
    assert_eq!(documents(&pair, "").await, before, "no lease was touched");
    write(&pair, "new", 25).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    assert_eq!(sum(&rows(&pair.run(&["leases", "diff", name, "--json"]).await.code(1))), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_processor_goes_on_from_a_position_that_was_taken_over() {
    let pair = drained(10).await;
    pair.run(&["leases", "save", "back"]).await.code(0);
    let quick = ["--acquire-interval", "1s", "--renew-interval", "1s", "--poll-interval", "1s"];
    let mut running = pair.program();
    let mut running = running.arg("sync").args(quick).spawn().unwrap();
    write(&pair, "new", 30).await;
    let replayed = async || sum(&rows(&pair.run(&["leases", "diff", "back", "--json"]).await));
    let start = Instant::now();
    while replayed().await < 30 {
        assert!(start.elapsed() < Duration::from_secs(60), "no progress");
    }
    // Only a second delivery brings these back.
    let keys: Vec<String> = (0..30).map(|number| format!("new-{number}")).collect();
    assert_eq!(pair.redis().await.delete(&keys).await.unwrap(), 30);
    // Between the look and the write a heartbeat may come: told as 412, and asked again.
    loop {
        let ran = pair.run(&["leases", "restore", "back", "--yes", "--take-over"]).await;
        if ran.status.success() {
            break;
        }
        assert!(ran.stderr.contains("(412)"), "{ran:?}");
        assert!(start.elapsed() < Duration::from_secs(60), "never taken over");
    }
    pair.in_step(Duration::from_secs(30)).await;
    running.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bookmark_of_a_container_that_was_made_again_is_refused() {
    let pair = drained(10).await;
    pair.run(&["leases", "save", "former"]).await.code(0);
    let database = client(&pair.emulator).await.database_client("shop");
    database.container_client("prices", None).await.unwrap().delete(None).await.unwrap();
    let again = container(&pair.emulator, "prices", "/id").await;
    put(&again, "a", &json!({})).await;
    pair.run(&UNTIL_IDLE).await.code(0);
    let before = documents(&pair, "").await;
    for args in [&["leases", "diff", "former"][..], &["leases", "restore", "former", "--yes"]] {
        let ran = pair.run(args).await.code(2);
        assert!(ran.stderr.contains("deleted and created again"), "{ran:?}");
    }
    assert_eq!(documents(&pair, "").await, before);
}
