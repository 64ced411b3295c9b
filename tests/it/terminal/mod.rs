//! The real binary in a pseudo-terminal.

mod deeds;
mod flood;
mod job;
mod looks;
mod mask;
mod recording;
mod rest;

use std::time::Duration;

use syncscope::cache::CacheClient;
use syncscope::config::{CosmosConnection, RedisConnection};
use syncscope::cosmos::Account;
use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};
use syncscope::embedded::{CacheOptions, EmbeddedCache};

use crate::support::pair::in_step;
use crate::support::tty::Tty;

const DEMO: [&str; 6] = ["demo", "--count", "20", "--no-traffic", "--cosmos-port", "0"];

/// A demo whose sync runs and whose cache is filled.
fn demo(columns: u16, rows: u16) -> Tty {
    let tty = Tty::start(&DEMO, columns, rows);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty
}

/// Port arguments of a demo whose cache others can reach.
fn demo_with_cache_at(redis: &str, columns: u16, rows: u16) -> Tty {
    let mut args = DEMO.to_vec();
    args.extend(["--redis-port", redis]);
    let tty = Tty::start(&args, columns, rows);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty
}

/// A client of that cache.
fn outside(redis: &str) -> redis::Connection {
    redis::Client::open(format!("redis://127.0.0.1:{redis}")).unwrap().get_connection().unwrap()
}

/// Presses escape and waits until a text is gone: escape and a letter that come at once would be alt and the
/// letter.
fn leave(tty: &mut Tty, text: &str) {
    tty.type_in("\x1b");
    tty.wait_for(&format!("{text:?} to go"), |screen| !screen.contains(text));
}

fn quit(mut tty: Tty) {
    tty.type_in("q");
    assert!(tty.ended().success());
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
fn the_feed_is_filtered_by_jq_stepped_through_and_sorted_by_a_click() {
    let mut tty = demo(140, 40);
    let ids = |screen: &str| -> Vec<String> {
        // Rows of the feed: a time, then the id.
        let rows = screen.lines().filter_map(|line| line.split('│').nth(1));
        let words = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
        let times = words.filter(|words| words.first().is_some_and(|word| word.contains(':')));
        times.filter_map(|words| words.get(1).map(|id| (*id).to_owned())).collect()
    };
    let all = ids(&tty.text());
    assert_eq!(all.len(), 20, "{}", tty.text());
    let wanted = &all[7];
    tty.type_in(&format!("/.id == \"{wanted}\" or .id == \"{}\"", all[3]));
    tty.wait_text("2 of 20");
    tty.wait_for("only the rows that pass", |screen| ids(screen) == [all[3].clone(), wanted.clone()]);
    tty.type_in(" | foo");
    tty.wait_text("there is no");
    tty.wait_text("2 of 20");
    tty.type_in("\x7f\x7f\x7f\x7f\x7f\x7f\r");
    tty.wait_for("the line to close", |screen| !screen.contains("there is no"));
    let selected = |screen: &str, id: &str| screen.lines().any(|l| l.contains('▌') && l.contains(id));
    tty.type_in("n");
    tty.wait_for("the first match", |screen| selected(screen, &all[3]));
    tty.type_in("n");
    tty.wait_for("the second match", |screen| selected(screen, wanted));
    tty.type_in("n");
    tty.wait_text("went on at the top");
    tty.type_in("\x1b");
    tty.wait_for("all rows", |screen| ids(screen).len() == 20);
    let mut sorted = all.clone();
    sorted.sort();
    tty.click(" id ");
    tty.wait_text("id ▲");
    tty.wait_for("the feed by id", |screen| ids(screen) == sorted);
    tty.click(" id ▲");
    sorted.reverse();
    tty.wait_for("the other way round", |screen| ids(screen) == sorted);
    tty.type_in("q");
    assert!(tty.ended().success());
}

#[test]
fn rebuild_shows_what_it_will_delete_and_then_its_end() {
    let mut tty = demo(120, 40);
    tty.type_in("b");
    tty.wait_text("delete exactly 5 lease documents in shop/leases");
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

/// A port that nobody listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn an_emptied_cache_is_rebuilt_from_the_screen_while_traffic_goes_on() {
    let (cosmos, redis) = (free_port(), free_port());
    let (cosmos_port, redis_port) = (cosmos.to_string(), redis.to_string());
    let args = [
        "demo",
        "--count",
        "300",
        "--rate",
        "50",
        "--cosmos-port",
        &cosmos_port,
        "--redis-port",
        &redis_port,
    ];
    let mut tty = Tty::start(&args, 120, 40);
    tty.wait_text("sync 4/4");
    tty.wait_text("in step");

    let url = format!("redis://127.0.0.1:{redis}");
    let mut outside = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
    let () = redis::cmd("FLUSHALL").query(&mut outside).unwrap();
    tty.wait_text("the cache was emptied");
    tty.type_in("b");
    tty.wait_text("delete exactly 5 lease documents");
    tty.type_in("\r");
    tty.wait_text("✓ done");
    tty.type_in("\x1b");
    tty.wait_for("the dialog to go", |screen| !screen.contains("Rebuild the cache"));
    tty.type_in("t");
    tty.wait_for("the traffic to rest", |screen| {
        screen.lines().next().is_some_and(|header| header.contains(" 0/s"))
    });

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let connection = CosmosConnection::parse(&format!("http://127.0.0.1:{cosmos}")).unwrap();
        let account = Account::connect(&connection).await.unwrap();
        let prices = account.container("shop", "prices").await.unwrap();
        let cache = CacheClient::connect(&RedisConnection::parse(&url).unwrap()).await.unwrap();
        // What was written just before the pause may still be on its way.
        in_step(&prices, &cache, Duration::from_secs(20)).await;
    });
    tty.type_in("q");
    assert!(tty.ended().success());
}

#[test]
fn servers_that_come_up_later_join_and_the_first_document_makes_its_container() {
    let (cosmos, redis) = (free_port(), free_port());
    let (cosmos_url, redis_url) =
        (format!("http://127.0.0.1:{cosmos}"), format!("redis://127.0.0.1:{redis}"));
    let mut tty = Tty::start(&["--sync", "--cosmos", &cosmos_url, "--redis", &redis_url], 120, 40);
    tty.wait_text(&format!("no Cosmos at 127.0.0.1:{cosmos}"));
    tty.wait_text(&format!("no Redis at 127.0.0.1:{redis}"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (emulator, cache) = runtime.block_on(async {
        let options = EmulatorOptions { port: PortChoice::Fixed(cosmos), ..EmulatorOptions::default() };
        let emulator = Emulator::start(options).await.unwrap();
        let options = CacheOptions { port: Some(redis), ..CacheOptions::default() };
        (emulator, EmbeddedCache::start(options).await.unwrap())
    });
    tty.wait_text("no container shop/prices yet");
    tty.type_in("i");
    tty.wait_text("Insert into shop/prices");
    tty.type_in("\x15first-1\r");
    tty.wait_for("the entry in the cache", |screen| in_cache(screen, "first-1"));
    tty.type_in("q");
    assert!(tty.ended().success());
    runtime.block_on(async {
        emulator.stop().await;
        cache.stop().await;
    });
}

#[test]
fn the_palette_does_what_is_chosen_and_the_mouse_drags_a_border_that_is_kept() {
    let state = tempfile::tempdir().unwrap();
    let mut tty = Tty::start_in(&DEMO, 120, 40, state.path());
    tty.wait_text("sync 4/4");
    // ctrl-p, then what is wanted by letters of its name.
    tty.type_in("\x10");
    tty.wait_text("Commands · ");
    tty.type_in("large figures");
    tty.wait_text("Commands · 1 of");
    tty.type_in("\r");
    tty.wait_for("the large figures", |screen| {
        !screen.contains("Commands · ") && !screen.contains("Activity")
    });
    tty.type_in("\x1b");
    tty.wait_text("Activity");
    // The border at the right of the feed, 50 columns wide, to column 60: press, drag, release, from 1.
    let feed = |columns: usize| {
        move |screen: &str| {
            let top = screen.lines().find(|line| line.contains("Change feed")).unwrap_or_default();
            top.chars().position(|c| c == '╮') == Some(columns - 1)
        }
    };
    tty.wait_for("the feed as it is by default", feed(50));
    tty.type_in("\x1b[<0;50;10M\x1b[<32;60;12M\x1b[<0;60;12m");
    tty.wait_for("the feed wider", feed(60));
    tty.type_in("q");
    assert!(tty.ended().success());
    let mut tty = Tty::start_in(&DEMO, 120, 40, state.path());
    tty.wait_for("the feed as it was left", feed(60));
    tty.type_in("q");
    assert!(tty.ended().success());
}
