//! The first thing that happens after a rest: nobody looks at a clock then, so it is news that has to wake the
//! program.

use std::time::{Duration, Instant};

use serde_json::json;
use syncscope::config::CosmosConnection;
use syncscope::cosmos::{Account, Container};

use super::{DEMO, free_port, outside, quit};
use crate::support::cosmos::put;
use crate::support::tty::Tty;

/// How long nothing happens. Polled ever more seldom, a range would be read only every sixteenth of it by then.
const REST: Duration = Duration::from_secs(6);
/// How much later than one that comes while things move.
const LATER: Duration = Duration::from_millis(300);

/// Waits until the screen has stood still for a while, but for ages that are told on it.
fn at_rest(tty: &Tty) {
    let still = || tty.text().replace(|c: char| c.is_ascii_digit(), "");
    let start = Instant::now();
    let (mut shown, mut since) = (still(), Instant::now());
    while since.elapsed() < REST {
        assert!(start.elapsed() < Duration::from_secs(90), "never at rest:\n{}", tty.text());
        std::thread::sleep(Duration::from_millis(50));
        let now = still();
        if now != shown {
            (shown, since) = (now, Instant::now());
        }
    }
}

/// How long after this a text is on the screen.
fn shown(tty: &Tty, text: &str) -> Duration {
    let start = Instant::now();
    tty.wait_text(text);
    start.elapsed()
}

/// The first after a rest is seen as soon as the next one, which comes while things move. Both meet the same
/// machine, however busy it is.
fn assert_prompt(tty: &Tty, names: [[&str; 2]; 2], mut write: impl FnMut(&str)) {
    for [first, next] in names {
        at_rest(tty);
        write(first);
        let first = shown(tty, first);
        write(next);
        let next = shown(tty, next);
        assert!(first <= next + LATER, "{first:?} after a rest, {next:?} else");
    }
}

#[test]
fn the_first_write_after_a_rest_is_in_the_feed_at_once() {
    let port = free_port().to_string();
    let args = ["demo", "--count", "20", "--no-traffic", "--cosmos-port", port.as_str()];
    let mut tty = Tty::start(&args, 120, 40);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty.type_in("1f");
    tty.wait_for("the feed alone", |screen| !screen.contains("Activity"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let prices: Container = runtime.block_on(async {
        let connection = CosmosConnection::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let account = Account::connect(&connection).await.unwrap();
        account.container("shop", "prices").await.unwrap()
    });
    assert_prompt(&tty, [["rest-1", "next-1"], ["rest-2", "next-2"]], |id| {
        runtime.block_on(put(&prices, id, &json!({ "price": { "current": 1.5 } })));
    });
    quit(tty);
}

#[test]
fn the_first_entry_after_a_rest_is_in_the_cache_pane_at_once() {
    let port = free_port().to_string();
    let mut args = DEMO.to_vec();
    args.extend(["--redis-port", &port]);
    let mut tty = Tty::start(&args, 120, 40);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty.type_in("3f");
    tty.wait_for("the cache alone", |screen| !screen.contains("Activity"));
    let mut cache = outside(&port);
    assert_prompt(&tty, [["rest-1", "next-1"], ["rest-2", "next-2"]], |key| {
        let () = redis::cmd("SET").arg(key).arg("{}").query(&mut cache).unwrap();
    });
    quit(tty);
}
