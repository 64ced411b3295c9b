//! `syncscope … | head -1`: whoever has read enough leaves, and the program ends without a word about it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::end_to_end::Traffic;
use crate::support::cosmos::put;
use crate::support::pair::{Pair, Ran, gather};

/// Runs a pipeline into `head -1` in a shell; the status is that of the program, not of `head`.
async fn head(pair: &Pair, args: &[&str]) -> Ran {
    let program = pair.program();
    let mut command = tokio::process::Command::new("bash");
    for (name, value) in program.as_std().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let line = "\"$@\" | head -1; exit ${PIPESTATUS[0]}";
    command.args(["-c", line, "bash", env!("CARGO_BIN_EXE_syncscope")]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    gather(command.spawn().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_printed_may_be_read_in_part() {
    let pair = Pair::start().await;
    put(&pair.prices, "one", &json!({ "price": 1 })).await;
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    for args in [
        &["keys"][..],
        &["keys", "--json"],
        &["keys", "--toml"],
        &["config", "show"],
        &["completions", "bash"],
        &["leases", "list"],
        &["dead-letters", "export"],
        &["document", "show", "one"],
        &["verify"],
        &["verify", "--json"],
    ] {
        // Words on stderr are another matter.
        let ran = head(&pair, &[args, &["--quiet"]].concat()).await;
        assert_eq!((ran.stderr.as_str(), ran.status.code()), ("", Some(0)), "{args:?}: {ran:#?}");
        assert!(ran.stdout.lines().count() <= 1, "{args:?}");
    }
}

/// Nothing more is written here: they must not wait for their next line to find that nobody reads it.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_for_ever_ends_with_its_reader_although_nothing_happens() {
    let pair = Pair::start().await;
    put(&pair.prices, "one", &json!({ "price": 1 })).await;
    pair.run(&["sync", "--start", "beginning", "--until-idle"]).await.code(0);
    for (args, first) in [
        (&["watch", "feed", "--from", "beginning"][..], "one"),
        (&["watch", "feed", "--from", "beginning", "--json"], "\"id\":\"one\""),
        (&["watch", "cache"], "one"),
        (&["watch", "leases", "--json"], "\"leases\""),
    ] {
        let ran = head(&pair, args).await.code(0);
        assert!(ran.stdout.contains(first), "{args:?}: {ran:#?}");
        assert_eq!(ran.stderr, "", "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_without_a_reader_releases_its_leases() {
    let pair = Pair::start().await;
    let traffic = Traffic::paced(&pair.prices, 20, 20);
    let ran = head(&pair, &["sync", "--start", "beginning", "--json"]).await.code(0);
    traffic.stop().await;
    let line: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(line["delivered"].as_u64() > Some(0), "{ran:#?}");
    for word in ["panicked", "rror", "pipe"] {
        assert!(!ran.stderr.contains(word), "{ran:#?}");
    }
    let leases = pair.prices.account().container("shop", "leases").await.unwrap();
    let owned = leases.query("SELECT * FROM c WHERE IS_STRING(c.Owner)", &[]).await.unwrap();
    assert!(owned.is_empty(), "{} leases are still owned", owned.len());
    // And the next one takes them up at once.
    pair.run(&["sync", "--until-idle"]).await.code(0);
    pair.in_step(Duration::from_secs(10)).await;
}
