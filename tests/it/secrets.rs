//! Keys and passwords are planted wherever one can be given, and looked for in everything that comes out.

use std::path::Path;
use std::process::Command;

use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};
use syncscope::embedded::{CacheOptions, EmbeddedCache};

use crate::support::tty::Tty;

/// An account key as it may be: base64.
const KEY: &str = "cGxhbnRlZC1hY2NvdW50LWtleQ==";
const PASSWORD: &str = "pl4nted-s3cret";

/// Parts that would give one of them away, also cut, quoted or percent-encoded.
const TRACES: [&str; 4] = ["cGxhbnRlZC1hY2Nv", "pl4nted", "s3cret", "planted-account-key"];

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
