//! Keys and passwords are planted wherever one can be given, and looked for in everything that comes out.

use std::path::{Path, PathBuf};
use std::process::Command;

use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};
use syncscope::embedded::{CacheOptions, EmbeddedCache};

use crate::support::cosmos::put;
use crate::support::pair::{Pair, finish};
use crate::support::tty::Tty;

/// An account key as it may be: base64.
const KEY: &str = "cGxhbnRlZC1hY2NvdW50LWtleQ==";
const PASSWORD: &str = "pl4nted-s3cret";

/// Parts that would give one of them away, also cut, quoted or percent-encoded.
const TRACES: [&str; 4] = ["cGxhbnRlZC1hY2Nv", "pl4nted", "s3cret", "planted-account-key"];

/// Parts of the key that every emulator has, where a run has to succeed with the key that was given.
const EMULATOR_TRACES: [&str; 4] = ["C2y6yDjf5", "nDuVTqobD4", "cQy67XIw", "AccountKey="];

/// As [`assert_clean`], of a run whose servers took what they were given.
fn assert_clean_of_all(place: &str, output: &[u8]) {
    assert_clean(place, output);
    let text = String::from_utf8_lossy(output);
    for trace in EMULATOR_TRACES {
        assert!(!text.contains(trace), "{trace} in {place}:\n{text}");
    }
}

/// A Redis without passwords takes any of the default user.
fn with_password(pair: &Pair) -> String {
    format!("redis://default:{PASSWORD}@127.0.0.1:{}/0", pair.cache.port())
}

fn assert_clean(place: &str, output: &[u8]) {
    let text = String::from_utf8_lossy(output);
    for trace in TRACES {
        assert!(!text.contains(trace), "{trace} in {place}:\n{text}");
    }
}

/// A source that knows another key, and a cache that asks for no password.
async fn servers() -> (Emulator, EmbeddedCache) {
    let options = EmulatorOptions { port: PortChoice::Free, ..EmulatorOptions::default() };
    let emulator = Emulator::start(options).await.unwrap();
    (emulator, EmbeddedCache::start(CacheOptions::default()).await.unwrap())
}

fn port(url: &str) -> u16 {
    url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

/// The ways to write the two connections.
fn connections(cosmos: u16, redis: u16) -> [(String, String); 3] {
    let account = |endpoint: &str| format!("AccountEndpoint={endpoint};AccountKey={KEY};");
    [
        (
            account(&format!("http://127.0.0.1:{cosmos}/")),
            format!("redis://me:{PASSWORD}@127.0.0.1:{redis}/0"),
        ),
        (
            account(&format!("http://127.0.0.1:{cosmos}/")),
            format!("127.0.0.1:{redis},password={PASSWORD},user=me"),
        ),
        // What cannot be read at all is not told back either.
        (account("http://[nowhere"), format!("redis://me:{PASSWORD}@[nowhere/0")),
    ]
}

/// How settings are given.
#[derive(Debug, Clone, Copy)]
enum By {
    Flags,
    Variables,
    File,
}

fn run(by: By, (cosmos, redis): &(String, String), directory: &Path, args: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncscope"));
    command.current_dir(directory).stdin(std::process::Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
        command.env(name, directory);
    }
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").env("RUST_LIB_BACKTRACE", "0").args(args);
    match by {
        By::Flags => command.args(["--cosmos", cosmos, "--redis", redis]),
        By::Variables => command.env("SYNCSCOPE_COSMOS", cosmos).env("SYNCSCOPE_REDIS", redis),
        By::File => {
            let file = directory.join("planted.toml");
            std::fs::write(&file, format!("cosmos = {cosmos:?}\nredis = {redis:?}\n")).unwrap();
            command.arg("--config").arg(file)
        }
    };
    let output = command.output().unwrap();
    [output.stdout, output.stderr].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_subcommand_tells_a_key_or_password() {
    let (emulator, cache) = servers().await;
    let (cosmos, redis) = (port(emulator.endpoint().as_str()), port(&cache.url()));
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        for planted in connections(cosmos, redis) {
            for by in [By::Flags, By::Variables, By::File] {
                for args in [&["config", "show"][..], &["config", "show", "--json"]] {
                    let output = run(by, &planted, directory.path(), args);
                    assert!(!output.is_empty());
                    assert_clean(&format!("{args:?} by {by:?}"), &output);
                }
            }
            for args in [
                &["verify", "-vv"][..],
                &["rebuild", "--yes", "-vv"],
                &["seed", "--count", "1", "-vv"],
                &["leases", "list", "-vv"],
                &["dead-letters", "list"],
                &["verify", "--json"],
            ] {
                assert_clean(&format!("{args:?}"), &run(By::Variables, &planted, directory.path(), args));
            }
        }
    })
    .await
    .unwrap();
    emulator.stop().await;
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_its_picture_and_its_recording_tell_none() {
    let (emulator, cache) = servers().await;
    let (cosmos, redis) = (port(emulator.endpoint().as_str()), port(&cache.url()));
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let [planted, ..] = connections(cosmos, redis);
        let cast = directory.path().join("planted.cast");
        let state = directory.path().to_str().unwrap();
        let mut tty = Tty::start_with(
            &["--sync", "--cosmos", &planted.0, "--redis", &planted.1, "--record", cast.to_str().unwrap()],
            160,
            50,
            &[("XDG_STATE_HOME", state), ("RUST_LOG", "trace")],
        );
        // The key is wrong: the screen says so, and where to look.
        tty.wait_text("check AccountKey");
        for (key, opened) in [
            ("H", "lease observer"),
            ("b", "Rebuild the cache"),
            ("L", "Leases of"),
            ("P", "Mapping preview"),
        ] {
            tty.type_in(key);
            tty.wait_text(opened);
            tty.type_in("\x1b");
            tty.wait_for("the dialog to go", |screen| !screen.contains(opened));
        }
        tty.type_in("\x13");
        tty.wait_text("syncscope-");
        let picture = || {
            let nowhere = std::fs::read_dir(env!("CARGO_TARGET_TMPDIR")).unwrap().flatten();
            let mut pictures: Vec<_> = nowhere.map(|file| file.path()).collect();
            pictures.retain(|path| {
                path.extension().is_some_and(|e| e == "svg") && path.metadata().is_ok_and(|m| m.len() > 0)
            });
            pictures.sort();
            pictures.pop()
        };
        tty.wait_for("the picture", |_| picture().is_some());
        let svg = picture().unwrap();
        assert_clean("the picture", &std::fs::read(&svg).unwrap());
        std::fs::remove_file(svg).unwrap();
        let output = tty.output();
        tty.type_in("q");
        assert!(tty.ended().success());
        assert_clean("the screen", &output);
        assert_clean("the recording", &std::fs::read(&cast).unwrap());
    })
    .await
    .unwrap();
    emulator.stop().await;
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_export_of_a_subcommand_tells_a_key_or_password() {
    let pair = Pair::start().await;
    let directory = tempfile::tempdir().unwrap();
    let run = async |args: &[&str]| {
        let mut command = pair.program();
        command.env("SYNCSCOPE_REDIS", with_password(&pair)).env("XDG_STATE_HOME", directory.path());
        command.env("RUST_LOG", "trace").current_dir(directory.path()).args(args);
        finish(command).await
    };
    let key = ["--key", "k:{name}"];
    let mut args = vec!["latency", "--for", "2s", "--rate", "20", "--slo", "60s", "--sync", "--json", "-vv"];
    args.extend(key);
    let forms = ["html", "json", "csv", "hlog"];
    let names = forms.map(|form| format!("run.{form}"));
    for name in &names {
        args.extend(["--report", name]);
    }
    let ran = run(&args).await.code(0);
    assert_clean_of_all("the latency on stdout and stderr", [ran.stdout, ran.stderr].concat().as_bytes());
    for name in &names {
        let report = std::fs::read(directory.path().join(name)).unwrap();
        assert!(report.len() > 100, "{name}");
        assert_clean_of_all(name, &report);
    }
    // A document without the field of its key is set aside.
    put(&pair.prices, "aside-1", &serde_json::json!({ "price": 1 })).await;
    let ran = run(&[&["sync", "--start", "beginning", "--until-idle", "-vv"], &key[..]].concat()).await;
    assert_clean_of_all("the sync", ran.stderr.as_bytes());
    let ran = run(&[&["dead-letters", "export", "-vv"], &key[..]].concat()).await.code(0);
    assert!(ran.stdout.contains("aside-1"), "{ran:#?}");
    assert_clean_of_all("the dead letters", [ran.stdout, ran.stderr].concat().as_bytes());
}

/// Files of these endings in a directory, of which each has something in it.
fn written(directory: &Path, endings: &[&str]) -> Option<Vec<PathBuf>> {
    let files: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().flatten().map(|file| file.path()).collect();
    let of = |ending: &&str| {
        let found = files.iter().find(|file| file.extension().is_some_and(|e| e == *ending))?;
        found.metadata().is_ok_and(|about| about.len() > 0).then(|| found.clone())
    };
    endings.iter().map(of).collect()
}

/// Exports the latencies in every form, and takes a picture of the screen.
fn export_all(tty: &mut Tty, directory: &Path) -> Vec<PathBuf> {
    for form in 0..4 {
        tty.type_in("E");
        tty.wait_text("Export the latencies");
        tty.type_in(&"j".repeat(form));
        tty.type_in("\r");
        tty.wait_for("the dialog to go", |screen| !screen.contains("Export the latencies"));
    }
    tty.type_in("\x13");
    let endings = ["html", "json", "csv", "hlog", "svg"];
    tty.wait_for("the files", |_| written(directory, &endings).is_some());
    written(directory, &endings).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_export_of_the_screen_tells_a_secret_or_under_the_mask_an_id() {
    let pair = Pair::start().await;
    put(&pair.prices, "aside-planted", &serde_json::json!({ "price": 1 })).await;
    let (cosmos, redis) = (pair.emulator.connection_string(), with_password(&pair));
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let args = [
            "--sync",
            "--start",
            "beginning",
            "--key",
            "k:{name}",
            "--cosmos",
            &cosmos,
            "--redis",
            &redis,
            "--record",
            "planted.cast",
        ];
        let mut tty = Tty::start_at(&args, 160, 50, directory.path());
        tty.wait_text("sync 4/4");
        tty.wait_text("1 set aside");
        tty.type_in("i");
        tty.wait_text("Insert into shop/prices");
        tty.type_in("\x15probe-planted\r");
        tty.wait_text("k:");
        tty.wait_text("write  p50");
        for file in export_all(&mut tty, directory.path()) {
            assert_clean_of_all(&file.display().to_string(), &std::fs::read(&file).unwrap());
            std::fs::remove_file(file).unwrap();
        }
        tty.type_in("D");
        // The id alone is in the feed, too, and an escape before the dialog is drawn would be waited for in vain.
        tty.wait_text("Dead letters · 1");
        tty.type_in("x");
        tty.wait_for("the letters", |_| written(directory.path(), &["ndjson"]).is_some());
        for file in written(directory.path(), &["ndjson"]).unwrap() {
            let letters = std::fs::read(&file).unwrap();
            assert!(String::from_utf8_lossy(&letters).contains("aside-planted"));
            assert_clean_of_all("the letters", &letters);
            std::fs::remove_file(file).unwrap();
        }
        tty.type_in("\x1b");
        tty.wait_for("the letters to go", |screen| !screen.contains("Dead letters"));

        tty.type_in("m");
        tty.wait_for("the mask", |screen| !screen.contains("planted"));
        for file in export_all(&mut tty, directory.path()) {
            let export = std::fs::read(&file).unwrap();
            assert_clean_of_all(&file.display().to_string(), &export);
            assert!(!String::from_utf8_lossy(&export).contains("planted"), "an id in {}", file.display());
        }
        // Letters are whole documents: there is no masked form of them.
        tty.type_in("D");
        tty.wait_text("Dead letters");
        tty.type_in("x");
        tty.wait_text("values are masked");
        assert_eq!(written(directory.path(), &["ndjson"]), None);
        tty.type_in("\x1b");
        tty.wait_for("the letters to go", |screen| !screen.contains("Dead letters"));
        let output = tty.output();
        tty.type_in("q");
        assert!(tty.ended().success());
        assert_clean_of_all("the screen", &output);
        let cast = std::fs::read(directory.path().join("planted.cast")).unwrap();
        assert!(cast.len() > 1_000);
        assert_clean_of_all("the recording", &cast);
    })
    .await
    .unwrap();
}
