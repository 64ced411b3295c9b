//! Subcommands as a user runs them: exit codes, stdout, stderr.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::support::cosmos::put;
use crate::support::pair::{Pair, finish, gather, program, signal};
use crate::support::wait::within;

/// Reads lines of a running program's stdout.
fn lines(child: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(child.stdout.take().unwrap()).lines()
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    tokio::time::timeout(Duration::from_secs(20), lines.next_line())
        .await
        .expect("a line within 20 s")
        .unwrap()
        .expect("not the end")
}

async fn answers(address: &str) -> bool {
    tokio::net::TcpStream::connect(address).await.is_ok()
}

async fn until_gone(address: &str) {
    within(Duration::from_secs(5), &format!("{address} is silent"), async || !answers(address).await).await;
}

fn emulator(args: &[&str]) -> tokio::process::Command {
    let mut command = program();
    command.args(["emulator", "--cosmos-port", "0", "--redis-port", "0", "--json"]).args(args);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_tells_its_addresses_and_leaves_nothing_behind() {
    for name in ["TERM", "INT", "KILL"] {
        let started = Instant::now();
        let mut child = emulator(&[]).spawn().unwrap();
        let mut out = lines(&mut child);
        let told: Value = serde_json::from_str(&line(&mut out).await).unwrap();
        assert!(started.elapsed() < Duration::from_secs(2), "ready after {:?}", started.elapsed());
        let cosmos = told["cosmos"].as_str().unwrap();
        let redis = told["redis"].as_str().unwrap().strip_prefix("redis://").unwrap().to_owned();
        let address = cosmos.strip_prefix("AccountEndpoint=http://").unwrap().split('/').next().unwrap();
        let address = address.to_owned();
        assert!(answers(&address).await && answers(&redis).await);
        let asked = Instant::now();
        signal(&child, name).await;
        let status = child.wait().await.unwrap();
        if name != "KILL" {
            assert!(status.success(), "{name}: {status}");
            assert!(asked.elapsed() < Duration::from_secs(1), "{name}: {:?}", asked.elapsed());
        }
        until_gone(&address).await;
        until_gone(&redis).await;
        assert!(out.next_line().await.unwrap().is_none(), "more than one line on stdout");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_told_in_one_line() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--cosmos-port", "--redis-port"] {
        let mut command = program();
        command.args(["emulator", flag, &port]);
        let ran = finish(command).await.code(2);
        assert!(ran.stderr.contains(&port), "{ran:#?}");
        assert_eq!(ran.stderr.trim().lines().count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_ends_a_run_with_its_reason_and_never_shows_itself() {
    let pair = Pair::start().await;
    let key = "d3JvbmcgYnV0IGdvb2QgYmFzZTY0IHRleHQ=";
    let wrong = format!("AccountEndpoint={};AccountKey={key};", pair.emulator.endpoint());
    for args in [&["sync", "--until-idle"][..], &["seed", "--count", "1"], &["rebuild", "--yes"], &["sync"]] {
        let mut command = pair.program();
        command.env("SYNCSCOPE_COSMOS", &wrong).args(args).arg("-v");
        let ran = finish(command).await.code(2);
        assert!(ran.stderr.contains("key") && ran.stderr.contains("AccountKey"), "{args:?}: {ran:#?}");
        assert!(!ran.stderr.contains(key) && !ran.stdout.contains(key), "{args:?} shows the key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_to_hosts_elsewhere_need_to_be_allowed() {
    for args in [
        &["seed", "--cosmos", "AccountEndpoint=https://shop.documents.azure.com/;AccountKey=YQ==;"][..],
        &["sync", "--redis", "redis://cache.example.com:6379"],
    ] {
        let mut command = program();
        command.args(args);
        let ran = finish(command).await.code(2);
        assert!(ran.stderr.contains("--allow-remote"), "{args:?}: {ran:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_the_feed_prints_each_change_as_a_line_of_json() {
    let pair = Pair::start().await;
    put(&pair.prices, "first", &json!({ "price": 1.5 })).await;
    let args = ["watch", "feed", "--from", "beginning", "--json"];
    let mut child = pair.program().args(args).spawn().unwrap();
    let mut out = lines(&mut child);
    let first: Value = serde_json::from_str(&line(&mut out).await).unwrap();
    assert_eq!((&first["id"], &first["fields"]["price"]), (&json!("first"), &json!("1.5")));
    put(&pair.prices, "second", &json!({})).await;
    let second: Value = serde_json::from_str(&line(&mut out).await).unwrap();
    assert_eq!(second["id"], "second");
    signal(&child, "TERM").await;
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_leases_and_cache_shows_what_a_sync_does() {
    let pair = Pair::start().await;
    put(&pair.prices, "one", &json!({})).await;
    pair.run(&["sync", "--start", "beginning", "--until-idle", "--instance-name", "here"]).await.code(0);

    let mut child = pair.program().args(["watch", "cache", "--json"]).spawn().unwrap();
    let entry: Value = serde_json::from_str(&line(&mut lines(&mut child)).await).unwrap();
    assert_eq!((&entry["key"], &entry["type"]), (&json!("one"), &json!("string")));

    let mut child = pair.program().args(["watch", "leases", "--json"]).spawn().unwrap();
    let leases: Value = serde_json::from_str(&line(&mut lines(&mut child)).await).unwrap();
    let rows = leases["leases"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row["owner"].is_null() && row["kind"] == "EpkRange"), "{leases}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_the_watch_in_peace() {
    let pair = Pair::start().await;
    put(&pair.prices, "a", &json!({})).await;
    let mut child =
        pair.program().args(["watch", "feed", "--from", "beginning"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = lines(&mut child);
    line(&mut out).await;
    drop(out);
    for n in 0..10 {
        put(&pair.prices, &format!("b{n}"), &json!({})).await;
    }
    let ran = gather(child).await.code(0);
    assert_eq!(ran.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_the_same_numbers_twice_changes_nothing_but_versions() {
    let pair = Pair::start().await;
    for _ in 0..2 {
        let ran = pair.run(&["seed", "--count", "50", "--rate", "1000/s", "--json"]).await.code(0);
        assert_eq!((ran.json()["written"].as_u64(), ran.json()["refused"].as_u64()), (Some(50), Some(0)));
        assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    }
    assert_eq!(pair.documents().await.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_printed_as_bound_and_a_wrong_file_is_told_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.toml");
    std::fs::write(&file, "[main]\ninsert = ['f5', 'a']\n").unwrap();
    let run = async |more: &[&str]| {
        let mut command = program();
        command.arg("keys").arg("--keymap").arg(&file).args(more);
        command.output().await.unwrap()
    };
    let told = run(&["--json"]).await;
    assert!(told.status.success());
    let rows: Value = serde_json::from_slice(&told.stdout).unwrap();
    let row =
        rows.as_array().unwrap().iter().find(|row| row["context"] == "main" && row["action"] == "insert");
    assert_eq!(row.unwrap()["keys"], json!(["f5", "a"]));
    let text = String::from_utf8(run(&[]).await.stdout).unwrap();
    assert!(
        text.lines().any(|line| line.starts_with("  f5 a") && line.ends_with("insert documents")),
        "{text}"
    );
    let toml = run(&["--toml"]).await.stdout;
    std::fs::write(&file, &toml).unwrap();
    assert_eq!(run(&["--toml"]).await.stdout, toml, "what it writes can be read");

    std::fs::write(&file, "[main]\ninsrt = 'a'\n").unwrap();
    let refused = run(&[]).await;
    assert_eq!(refused.status.code(), Some(2));
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("keys.toml:2:1: [main] has no action `insrt`: did you mean `insert`?"), "{words}");
}

/// A shell that starts must not stumble over a configuration of ours that is broken.
#[tokio::test]
async fn completions_are_scripts_that_their_shell_reads() {
    let nowhere = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let broken = nowhere.join("completions-broken.toml");
    std::fs::write(&broken, "not = [").unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let mut command = program();
        command.args(["completions", shell, "--config"]).arg(&broken);
        let out = command.output().await.unwrap();
        assert!(out.status.success(), "{shell}: {}", String::from_utf8_lossy(&out.stderr));
        let script = String::from_utf8(out.stdout).unwrap();
        for word in ["dead-letters", "until-idle", "lease-prefix"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
        if shell == "bash" {
            let file = nowhere.join("completions.bash");
            std::fs::write(&file, &script).unwrap();
            let asked = "source \"$1\"; COMP_WORDS=(syncscope reb); COMP_CWORD=1; \
                         _syncscope syncscope reb syncscope; echo \"${COMPREPLY[@]}\"";
            let answer = std::process::Command::new("bash").args(["-c", asked, "-"]).arg(&file).output();
            // Systems without bash have nothing to complete for.
            if let Ok(answer) = answer {
                assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "rebuild");
            }
        }
    }
}
