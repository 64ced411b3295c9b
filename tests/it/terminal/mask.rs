//! What the mask hides, on the whole screen, and in what is made of it.

use super::{demo_with_cache_at, free_port, leave, outside, quit};
use crate::support::tty::Tty;

/// Ids, keys and values of the demo's documents.
fn readable(screen: &str) -> Option<&str> {
    screen.lines().find(|line| {
        ["p-0000", " EUR", " USD", " GBP", "Kestrel", "spoiled"].iter().any(|secret| line.contains(secret))
    })
}

fn assert_hidden(tty: &Tty, place: &str) {
    let screen = tty.text();
    assert_eq!(readable(&screen), None, "in {place}:\n{screen}");
}

#[test]
fn under_the_mask_no_id_or_value_can_be_read_anywhere() {
    let redis = free_port().to_string();
    let mut tty = demo_with_cache_at(&redis, 120, 40);
    assert!(readable(&tty.text()).is_some(), "the test looks for what is there");
    let mut cache = outside(&redis);
    let () = redis::cmd("SET").arg("p-000007").arg(r#"{"id":"spoiled"}"#).query(&mut cache).unwrap();
    tty.wait_for("the stale entry", |screen| screen.contains("! p-000007"));
    // The comparing in the background tells of it in the activity pane.
    tty.wait_text("p-000007\" is stale");
    tty.type_in("m");
    tty.wait_for("nothing readable", |screen| readable(screen).is_none());
    for (keys, opened, place) in [
        ("v", "stale 1", "verify"),
        ("W", "Keys as a tree", "the tree"),
        ("L", "Leases of", "leases"),
        ("H", "cache observer", "health"),
        ("z", "last change", "large figures"),
        ("b", "Rebuild the cache", "rebuild"),
    ] {
        tty.type_in(keys);
        tty.wait_text(opened);
        assert_hidden(&tty, place);
        leave(&mut tty, opened);
        assert_hidden(&tty, "the panes");
    }
    tty.type_in("j\r");
    tty.wait_text("source shop/prices");
    for (keys, opened, place) in
        [("", "lsn", "follow"), ("x", "bytes", "bytes"), ("P", "Mapping preview", "preview")]
    {
        tty.type_in(keys);
        tty.wait_text(opened);
        assert_hidden(&tty, place);
    }
    leave(&mut tty, "Mapping preview");
    tty.type_in("w");
    tty.wait_text("wrote the entry of");
    assert_hidden(&tty, "the notice");
    leave(&mut tty, "source shop/prices");
    // All that the pane of activity has.
    tty.type_in("5f");
    tty.wait_for("the activity alone", |screen| !screen.contains("Change feed"));
    assert_hidden(&tty, "the activity");
    tty.type_in("fm");
    tty.wait_for("everything again", |screen| readable(screen).is_some());
    quit(tty);
}
