//! Deeds on documents, entries and leases, from the keyboard to the servers and back.

use super::{DEMO, demo, demo_with_cache_at, free_port, in_cache, leave, outside, quit};
use crate::support::tty::Tty;

/// Follows a document of the feed.
fn follow(tty: &mut Tty, id: &str) {
    tty.type_in(&format!("/{id}\r"));
    tty.wait_text(&format!("/{id} 1 of 20"));
    tty.type_in("j");
    tty.wait_for("the selected row", |screen| {
        screen.lines().any(|line| line.contains('▌') && line.contains(&format!("  {id} ")))
    });
    tty.type_in("\r");
    tty.wait_text("source shop/prices");
}

#[test]
fn every_view_opens_and_goes_back() {
    let mut tty = demo(120, 40);
    for (key, opened) in [
        ("L", "Leases of shop/prices in shop/leases"),
        ("W", "Keys as a tree · 20"),
        ("D", "nothing was set aside"),
        ("P", "Mapping preview: nothing is written"),
        ("H", "cache observer"),
        ("?", "open the document beside its entry"),
    ] {
        tty.type_in(key);
        tty.wait_text(opened);
        leave(&mut tty, opened);
    }
    // On this machine it runs from the start, once the sync has caught up.
    tty.type_in("3f");
    tty.wait_text("compared in the last minute");
    tty.type_in("f");
    tty.type_in("V");
    tty.wait_text("no longer comparing in the background");
    tty.type_in("V");
    tty.wait_text("comparing in the background, 100 documents a second");
    quit(tty);
}

#[test]
fn leases_reset_from_the_screen_replay_the_feed_into_an_emptied_cache() {
    let redis = free_port().to_string();
    let mut tty = demo_with_cache_at(&redis, 120, 40);
    let mut cache = outside(&redis);
    let () = redis::cmd("FLUSHALL").query(&mut cache).unwrap();
    tty.wait_text("the cache was emptied");
    tty.type_in("L");
    tty.wait_text("free exactly 4 documents in shop/leases");
    tty.type_in("jj");
    tty.wait_text("delete exactly 5 documents in shop/leases");
    // The owner is alive, though it is us: that has to be agreed to.
    tty.wait_text("live owners of 4 would lose them");
    tty.type_in("t");
    tty.wait_text("enter reset");
    tty.type_in("\r");
    tty.wait_text("esc close");
    leave(&mut tty, "Leases of shop/prices");
    tty.wait_for("the cache to be filled again", |screen| in_cache(screen, "p-000001"));
    tty.wait_text("100% in step");
    let keys: usize = redis::cmd("DBSIZE").query(&mut cache).unwrap();
    assert_eq!(keys, 20);
    quit(tty);
}

#[test]
fn a_corrupted_entry_shows_beside_its_document_and_is_written_again() {
    let redis = free_port().to_string();
    let mut tty = demo_with_cache_at(&redis, 120, 40);
    let mut cache = outside(&redis);
    let () = redis::cmd("SET").arg("p-000007").arg(r#"{"id":"spoiled"}"#).query(&mut cache).unwrap();
    tty.wait_for("the stale entry", |screen| screen.contains("! p-000007"));
    follow(&mut tty, "p-000007");
    tty.wait_text("spoiled");
    tty.wait_text("! stale");
    tty.type_in("w");
    tty.wait_text("✓ in step");
    tty.wait_for("the spoiled value to go", |screen| !screen.contains("spoiled"));
    leave(&mut tty, "source shop/prices");
    tty.wait_for("the entry in step", |screen| in_cache(screen, "p-000007"));
    let value: String = redis::cmd("GET").arg("p-000007").query(&mut cache).unwrap();
    assert!(value.contains(r#""sku""#), "{value}");
    quit(tty);
}

#[test]
fn a_document_edited_in_the_users_own_editor_is_saved_and_arrives() {
    let redis = free_port().to_string();
    let mut args = DEMO.to_vec();
    args.extend(["--redis-port", &redis]);
    // As an editor would: the file is replaced by another text.
    let editor = r#"f() { sed 's/"brand": *"[^"]*"/"brand": "Written elsewhere"/' "$1" > "$1.new" && cat "$1.new" > "$1"; rm "$1.new"; }; f"#;
    let mut tty = Tty::start_with(&args, 120, 40, &[("EDITOR", editor)]);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    follow(&mut tty, "p-000003");
    tty.type_in("o");
    tty.wait_text("saved p-000003");
    // Once in the source, once in the entry.
    tty.wait_for("the new text on both sides", |screen| screen.matches("Written elsewhere").count() == 2);
    tty.wait_text("✓ in step");
    assert!(tty.is_full_screen());
    let value: String = redis::cmd("GET").arg("p-000003").query(&mut outside(&redis)).unwrap();
    assert!(value.contains("Written elsewhere"), "{value}");
    leave(&mut tty, "source shop/prices");
    quit(tty);
}

#[test]
fn leases_go_back_to_a_bookmark_from_the_screen_and_what_came_since_comes_again() {
    let redis = free_port().to_string();
    let state = tempfile::tempdir().unwrap();
    let mut args = DEMO.to_vec();
    args.extend(["--redis-port", &redis]);
    let mut tty = Tty::start_in(&args, 120, 40, state.path());
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty.type_in("Lb");
    tty.wait_text("no bookmark of shop/prices yet");
    tty.type_in("B");
    tty.wait_text("keeps the positions of 4 leases");
    tty.wait_text("leases are where they were");
    leave(&mut tty, "Bookmarks of");
    leave(&mut tty, "Leases of");
    for id in ["new-1", "new-2"] {
        tty.type_in("i");
        tty.wait_text("Insert into shop/prices");
        tty.type_in(&format!("\x15{id}\r"));
        tty.wait_for("the entry in the cache", |screen| in_cache(screen, id));
    }
    let mut cache = outside(&redis);
    let () = redis::cmd("FLUSHALL").query(&mut cache).unwrap();
    tty.wait_text("the cache was emptied");
    // The way of the palette, this time.
    tty.type_in("\x10");
    tty.wait_text("Commands · ");
    tty.type_in("bookmarks of lease positions");
    tty.wait_text("Commands · 2 of");
    tty.type_in("\r");
    tty.wait_text("going back delivers 2 LSNs again");
    tty.type_in("\r");
    tty.wait_text("live owner");
    tty.wait_text("2 LSNs and what comes meanwhile are delivered again");
    tty.type_in("t");
    tty.wait_text("enter go back");
    tty.type_in("\r");
    tty.wait_text("back at bookmark");
    leave(&mut tty, "back at bookmark");
    tty.type_in("d");
    tty.wait_text("Delete the bookmark?");
    tty.type_in("\r");
    tty.wait_text("no bookmark of shop/prices yet");
    leave(&mut tty, "Bookmarks of");
    for id in ["new-1", "new-2"] {
        tty.wait_for("what came since the bookmark", |screen| in_cache(screen, id));
    }
    let keys: usize = redis::cmd("DBSIZE").query(&mut cache).unwrap();
    assert_eq!(keys, 2, "and nothing that came before it");
    quit(tty);
}
