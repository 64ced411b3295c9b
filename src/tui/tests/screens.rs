//! Every screen and dialog at three sizes, as snapshots.

use std::path::Path;

use crossterm::event::KeyCode;

use super::{
    fixture::{self, keys, press, tell},
    follow, mouse, views,
};
use crate::{
    engine::RebuildPhase,
    tui::{
        Model, svg,
        update::{Effect, Msg, update},
    },
};

pub(super) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (240, 60)];

pub(super) type Scene = fn(&mut Model);

/// The scenes, by name.
pub(super) const SCENES: &[(&str, Scene)] = &[
    ("empty", |_| {}),
    ("running", |model| drop(tell(model, fixture::running()))),
    ("selected", |model| {
        tell(model, fixture::running());
        keys(model, "jj");
    }),
    ("folded", |model| {
        tell(model, fixture::running());
        let versions = |delivered, written| crate::engine::Versions {
            written,
            delivered,
            folded: written.saturating_sub(delivered),
        };
        let rows = [(100, 1, 9), (101, 2, 33), (102, 3, 50)].map(|(seq, delivered, written)| {
            let row = fixture::change(seq, "p-000812", 30.0 + seq as f64 / 10.0, Some(0.1), 1, 0);
            crate::engine::ChangeRow { versions: versions(delivered, written), ..row }
        });
        tell(model, [crate::engine::Event::Changes(rows.to_vec())]);
        // The answers to the last writes came after the feed had delivered them.
        tell(model, [crate::engine::Event::Versions(vec![("p-000812".to_owned(), versions(3, 1_250))])]);
    }),
    ("redis_down", |model| {
        tell(model, fixture::running());
        tell(model, [fixture::redis_down()]);
    }),
    ("follow", |model| follow(model, false)),
    ("follow_in_step", |model| follow(model, true)),
    ("follow_large", |model| {
        let asked = open(model);
        tell(model, [follow::large(&asked)]);
        press(model, KeyCode::Tab);
        press(model, KeyCode::Tab);
    }),
    ("follow_source", |model| {
        let asked = open(model);
        tell(model, [follow::mapped(&asked)]);
        keys(model, "s");
    }),
    ("follow_mapped", |model| {
        let asked = open(model);
        tell(model, [follow::mapped(&asked)]);
    }),
    ("follow_version", |model| {
        follow(model, false);
        keys(model, "[");
    }),
    ("follow_bytes", |model| {
        follow(model, false);
        keys(model, "x");
    }),
    ("follow_entries", |model| {
        let asked = open(model);
        tell(model, [mouse::two_entries(&asked)]);
    }),
    ("follow_delete", |model| {
        follow(model, false);
        keys(model, "d");
    }),
    ("edit", |model| {
        follow(model, false);
        keys(model, "e{");
        press(model, KeyCode::F(2));
    }),
    ("insert", |model| {
        tell(model, fixture::running());
        keys(model, "i");
    }),
    ("scenario", |model| {
        tell(model, fixture::running());
        keys(model, "i");
        press(model, KeyCode::PageUp);
        press(model, KeyCode::PageUp);
    }),
    ("copy", |model| {
        tell(model, fixture::running());
        press(model, KeyCode::Down);
        press(model, KeyCode::Down);
        let asked = keys(model, "I");
        tell(model, [fixture::document(&asked, true)]);
    }),
    ("undo", |model| {
        tell(model, fixture::running());
        tell(model, [fixture::inserting()]);
        keys(model, "u");
    }),
    ("export", |model| {
        tell(model, fixture::running());
        keys(model, "4fE");
    }),
    ("rebuild", |model| {
        tell(model, fixture::running());
        keys(model, "b");
        tell(model, [crate::engine::Event::RebuildPlan(Box::new(fixture::plan()))]);
    }),
    ("rebuilding", |model| {
        tell(model, fixture::running());
        keys(model, "b");
        tell(model, [crate::engine::Event::RebuildPlan(Box::new(fixture::plan()))]);
        keys(model, "\n");
        tell(model, [fixture::rebuild(RebuildPhase::Replaying, 812)]);
    }),
    ("rebuild_flush_owned", |model| {
        tell(model, fixture::running());
        keys(model, "b");
        press(model, KeyCode::Down);
        tell(model, [fixture::flush_plan()]);
    }),
    ("rebuild_leases", |model| {
        tell(model, fixture::running());
        keys(model, "2jb");
        press(model, KeyCode::Up);
        tell(model, [fixture::leases_plan(model)]);
    }),
    ("rebuilt", |model| {
        tell(model, fixture::running());
        keys(model, "b");
        tell(model, [crate::engine::Event::RebuildPlan(Box::new(fixture::plan()))]);
        keys(model, "\n");
        tell(model, [fixture::rebuilt()]);
    }),
    ("lease_release", |model| {
        tell(model, fixture::running());
        keys(model, "L");
        press(model, KeyCode::Tab);
        tell(model, [fixture::lease_plan(crate::engine::LeaseOrder::default())]);
    }),
    ("lease_reset", |model| {
        tell(model, fixture::running());
        keys(model, "2jjj");
        keys(model, "L");
        press(model, KeyCode::Up);
        press(model, KeyCode::Tab);
        let deed = crate::engine::LeaseDeed::Reset;
        tell(model, [fixture::lease_plan(crate::engine::LeaseOrder { deed, ..Default::default() })]);
    }),
    ("bookmarks_none", |model| {
        tell(model, fixture::running());
        let asked = views::asked(&keys(model, ":bookmarks of lease\n"));
        let told = crate::engine::BookmarkTold::List(crate::engine::BookmarkList::default());
        let answer = crate::engine::BookmarkAnswer { request: asked.request, told };
        tell(model, [crate::engine::Event::Bookmarks(Box::new(answer))]);
    }),
    ("bookmarks", views::bookmarks),
    ("bookmark_unreadable", |model| {
        views::bookmarks(model);
        keys(model, "G");
    }),
    ("bookmark_saved", |model| {
        views::bookmarks(model);
        let asked = keys(model, "B");
        tell(model, [views::saved(&asked, Ok(7))]);
    }),
    ("bookmark_delete", |model| {
        views::bookmarks(model);
        keys(model, "d");
    }),
    ("restore_plan", views::going_back),
    ("restore_plan_one", |model| {
        views::going_back(model);
        let asked = press(model, KeyCode::Tab);
        views::answer_bookmarks(model, &asked);
    }),
    ("restored", |model| {
        views::going_back(model);
        let asked = keys(model, "t\n");
        views::answer_bookmarks(model, &asked);
    }),
    ("leases_zoomed", |model| {
        tell(model, fixture::running());
        keys(model, "2jf");
    }),
    ("cache_zoomed", |model| {
        tell(model, fixture::running());
        tell(model, [views::drift(), views::cache_figures()]);
        keys(model, "3f");
    }),
    ("dead_letters", |model| {
        tell(model, fixture::running());
        keys(model, "D");
        tell(model, [views::dead_letters()]);
    }),
    ("key_tree", |model| {
        tell(model, fixture::running());
        keys(model, "W");
    }),
    ("preview", |model| {
        tell(model, fixture::running());
        keys(model, "P");
        update(model, Msg::Paste(views::WIDE_DOCUMENT.to_owned()));
        tell(model, [views::previewed(model)]);
    }),
    ("preview_fault", |model| {
        tell(model, fixture::running());
        keys(model, "P");
        update(model, Msg::Paste("{\"id\": \"p-1\",\n \"price\" 12}".to_owned()));
        tell(model, [views::preview_fault(model)]);
    }),
    ("verify", |model| {
        tell(model, fixture::running());
        keys(model, "v");
        tell(model, fixture::verified());
    }),
    ("verify_waiting", |model| {
        tell(model, fixture::running());
        tell(model, [fixture::redis_down()]);
        keys(model, "v");
    }),
    ("help", |model| {
        tell(model, fixture::running());
        keys(model, "?");
    }),
    ("palette", |model| {
        tell(model, fixture::running());
        keys(model, ":tra");
    }),
    ("palette_all", |model| {
        tell(model, fixture::running());
        keys(model, "m:mask\n:");
    }),
    ("palette_over_follow", |model| {
        follow(model, false);
        fixture::chord(model, 'p');
        keys(model, "ent");
    }),
    ("layout_feed", |model| layout(model, "p")),
    ("layout_cache", |model| layout(model, "pp")),
    ("layout_leases", |model| layout(model, "ppp2jj")),
    ("layout_latency", |model| layout(model, "pppp")),
    ("layout_reading", |model| layout(model, "ppppp")),
    ("layout_hidden", |model| {
        layout(model, "2c5c3c");
        tell(model, [fixture::redis_down()]);
    }),
    ("latency", |model| {
        tell(model, fixture::running());
        keys(model, "4f");
    }),
    ("stage", |model| {
        tell(model, fixture::running());
        keys(model, "z");
    }),
    ("health", |model| {
        tell(model, fixture::running());
        tell(model, [fixture::redis_down()]);
        keys(model, "H");
    }),
    ("connecting", |model| {
        for server in [crate::engine::Server::Cosmos, crate::engine::Server::Redis] {
            let address = "127.0.0.1:8081".to_owned();
            let state = crate::engine::ConnectionState::Connecting { address };
            tell(model, [crate::engine::Event::Connection(server, state)]);
        }
    }),
    ("flooded", |model| {
        tell(model, fixture::running());
        tell(model, [crate::engine::Event::Dropped(1_234_567)]);
        keys(model, "jj");
        let rows = (0..6_000).map(|i| fixture::change(i, &format!("p-{i:06}"), 1.0, Some(1.0), 0, 0));
        tell(model, [crate::engine::Event::Changes(rows.collect())]);
    }),
    ("wide", |model| {
        tell(model, fixture::running());
        let ids = ["価格価格価格価格価格価格", "🛒🛒🛒-1", "مرحبا بالعالم", "👩‍👩‍👧‍👦-2", "é́́́-3"];
        let rows = (0..).zip(ids).map(|(i, id)| fixture::change(900 + i, id, 12.0, None, 1, 0));
        tell(model, [crate::engine::Event::Changes(rows.collect())]);
        let entries = ids.map(|id| fixture::entry(id, crate::engine::EntryState::InStep, 0));
        tell(model, [crate::engine::Event::Entries(entries.to_vec())]);
        keys(model, "jj");
    }),
    ("found", |model| {
        tell(model, fixture::running());
        keys(model, "/p04 kettle\nn3/price:p044\n2/host\n1");
    }),
    ("found_marked", |model| {
        tell(model, fixture::running());
        keys(model, "/name=coat\n*nn");
    }),
    ("found_by_jq", |model| {
        tell(model, fixture::running());
        keys(model, "/.price.current > 60 and .price.sale\nnn");
    }),
    ("filter_typed", |model| {
        tell(model, fixture::running());
        keys(model, "/");
    }),
    ("filter_fault", |model| {
        tell(model, fixture::running());
        keys(model, "/.price.current > 60 | nothing");
    }),
    ("filter_not_judged", |model| {
        tell(model, fixture::running());
        keys(model, "/.name.first");
    }),
    ("sorted", |model| {
        tell(model, fixture::running());
        keys(model, "4oO2ooooo3ooo5o1oo");
    }),
    ("verify_sorted", |model| {
        tell(model, fixture::running());
        keys(model, "v");
        tell(model, fixture::verified());
        keys(model, "joo");
    }),
    ("activity_of_a_room", |model| {
        tell(model, fixture::running());
        keys(model, "5frw");
    }),
    ("tour", |model| {
        fixture::tour(model);
        keys(model, "nnnn");
    }),
    ("tour_rebuild", |model| {
        fixture::tour(model);
        keys(model, "nnnnnnn");
        tell(model, [crate::engine::Event::RebuildPlan(Box::new(fixture::plan()))]);
    }),
];

fn layout(model: &mut Model, typed: &str) {
    tell(model, fixture::running());
    keys(model, typed);
}

fn open(model: &mut Model) -> Vec<Effect> {
    tell(model, fixture::running());
    press(model, KeyCode::Down);
    press(model, KeyCode::Down);
    press(model, KeyCode::Enter)
}

fn follow(model: &mut Model, in_step: bool) {
    let asked = open(model);
    tell(model, [fixture::document(&asked, in_step)]);
}

#[test]
fn every_scene_at_every_size() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots");
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, scene) in SCENES {
            for (width, height) in SIZES {
                let mut model = fixture::model(width, height);
                scene(&mut model);
                insta::assert_snapshot!(format!("{name}_{width}x{height}"), fixture::text(&model));
            }
        }
    });
}

#[test]
fn too_small_says_how_large_it_wants_to_be() {
    let mut model = fixture::model(59, 15);
    tell(&mut model, fixture::running());
    let text = fixture::text(&model);
    assert!(text.contains("60×15") && text.contains("59×15"), "{text}");
    assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 1);
}

/// The pictures of the README: `cargo test --lib -- --ignored screenshots` writes them again.
#[test]
#[ignore = "writes assets/*.svg"]
fn screenshots() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    for (picture, scene) in [
        ("screen", "selected"),
        ("follow", "follow"),
        ("rebuild", "rebuild"),
        ("stage", "stage"),
        ("tour", "tour"),
        ("health", "health"),
        ("latency", "latency"),
    ] {
        let mut model = fixture::model(120, 40);
        let (_, act) = SCENES.iter().find(|(name, _)| *name == scene).unwrap();
        act(&mut model);
        let svg = svg::render(&fixture::draw(&model), &format!("syncscope: {picture}"), svg::DARK);
        std::fs::write(assets.join(format!("{picture}.svg")), svg).unwrap();
    }
}

/// Writes all scenes with their colours for eyes: `cargo test --lib -- --ignored show_scenes`.
#[test]
#[ignore = "writes pictures to look at, checks nothing"]
fn show_scenes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/scenes");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, scene) in SCENES {
        for (width, height) in SIZES {
            let mut model = fixture::model(width, height);
            scene(&mut model);
            let file = folder.join(format!("{name}_{width}x{height}.ansi"));
            std::fs::write(file, fixture::ansi(&model)).unwrap();
        }
    }
}
