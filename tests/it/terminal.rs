//! The real binary in a pseudo-terminal.

use std::time::Duration;

use crate::support::tty::Tty;

const DEMO: [&str; 6] = ["demo", "--count", "20", "--no-traffic", "--cosmos-port", "0"];

/// A demo whose sync runs and whose cache is filled.
fn demo(columns: u16, rows: u16) -> Tty {
    let tty = Tty::start(&DEMO, columns, rows);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty
}

/// The key of a document in the cache pane, in step.
fn in_cache(screen: &str, key: &str) -> bool {
    screen.lines().any(|line| line.contains(&format!("✓ {key} ")))
}

#[test]
fn the_first_frame_does_not_wait_for_the_servers() {
    let mut tty = Tty::start(&DEMO, 120, 40);
    let first = tty.wait_text("Change feed");
    // 100 ms is the promise for a release build on an idle machine; here others work at the same time.
    assert!(first < Duration::from_secs(3), "{first:?}");
    tty.type_in("q");
    assert!(tty.ended().success());
}

#[test]
fn every_way_out_restores_the_terminal() {
    let mut tty = demo(120, 40);
    tty.type_in("q");
    assert!(tty.ended().success());
    let mut tty = demo(100, 30);
    tty.type_in("i\x03");
    assert!(tty.ended().success(), "ctrl-c, also from a form");
    for signal in ["INT", "TERM", "HUP"] {
        let tty = Tty::start(&DEMO, 120, 40);
        tty.wait_text("sync 4/4");
        tty.signal(signal);
        assert!(tty.ended().success(), "{signal}");
    }
}

#[test]
fn a_document_of_the_form_goes_through_all_panes() {
    let mut tty = demo(120, 40);
    tty.type_in("i");
    tty.wait_text("Insert into shop/prices");
    // To the start of the line is deleted, then the id typed; the other fields are suggestions.
    tty.type_in("\x15tty-1\r");
    let feed = |screen: &str| screen.lines().any(|line| line.contains("▌") && line.contains("  tty-1 "));
    tty.wait_for("the change in the feed", feed);
    tty.wait_for("the entry in the cache", |screen| in_cache(screen, "tty-1"));
    tty.wait_for("its lease", |screen| screen.matches('▌').count() >= 3);
    tty.type_in("\r");
    tty.wait_text("no difference");
    tty.wait_text("total");
    tty.wait_text("✓ in step");
    tty.type_in("\x1b");
    tty.wait_text("Change feed");
    tty.type_in("/tty\r");
    tty.wait_text("/tty 1 of 21");
    tty.type_in("q");
    assert!(tty.ended().success());
}

#[test]
fn rebuild_shows_what_it_will_delete_and_then_its_end() {
    let mut tty = demo(120, 40);
    tty.type_in("b");
    tty.wait_text("delete exactly 5 documents in shop/leases");
    tty.type_in("\r");
    tty.wait_text("✓ done: 20 documents");
    tty.type_in("\x1b");
    // Escape and a letter that come at once would be alt and the letter.
    tty.wait_for("the dialog to go", |screen| !screen.contains("Rebuild the cache"));
    tty.type_in("q");
    assert!(tty.ended().success());
}

#[test]
fn resizing_moves_between_panes_tabs_and_a_request_for_room() {
    let mut tty = demo(120, 40);
    tty.resize(80, 24);
    tty.wait_text("1 Feed   2 Leases   3 Cache   4 Latency   5 Log");
    tty.resize(50, 10);
    tty.wait_text("wants 60×15");
    tty.resize(240, 60);
    tty.wait_for("all panes", |screen| {
        ["Change feed", "Leases · 4", "Cache · 20"].iter().all(|t| screen.contains(t))
    });
    tty.type_in("q");
    assert!(tty.ended().success());
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_syncscope"))
        .args(DEMO)
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("not a terminal") && words.contains("--json"), "{words}");
    assert!(output.stdout.is_empty());
}
