//! Filters, steps from match to match, sorting: what a user sees of them.

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::{buffer::Buffer, style::Modifier};

use super::{
    fixture::{self, change, entry, keys, place, press, tell, text},
    running,
};
use crate::{
    engine::{EntryState, Event, Level, LogLine},
    tui::{
        Model,
        model::Pane,
        update::{Effect, Msg, update},
    },
};

fn click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    let kind = MouseEventKind::Down(MouseButton::Left);
    update(model, Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

/// The underlined text of a row from a column on, up to the right border of the feed.
fn underlined(buf: &Buffer, row: u16) -> String {
    let cells = (1..49).map(|x| &buf[(x, row)]);
    let found = cells.filter(|cell| cell.modifier.contains(Modifier::UNDERLINED));
    // The second cell of a wide character holds a blank that no terminal shows.
    found.map(ratatui::buffer::Cell::symbol).collect::<String>().replace(' ', "")
}

#[test]
fn what_is_wrong_is_told_while_typing_and_the_last_filter_goes_on() {
    let mut model = running();
    keys(&mut model, "/lsn>20050");
    assert!(text(&model).contains("/lsn>20050 9 of 60"), "{}", text(&model));
    keys(&mut model, "x");
    assert!(text(&model).contains("! column 5: lsn: 20050x is no number"), "{}", text(&model));
    assert!(text(&model).contains("/lsn>20050 9 of 60"));
    press(&mut model, KeyCode::Enter);
    assert!(model.typing_filter, "a wrong filter is not taken");
    press(&mut model, KeyCode::Backspace);
    press(&mut model, KeyCode::Enter);
    assert!(!model.typing_filter && text(&model).contains("/lsn>20050 9 of 60"));
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.feed.ring.shown(), 60);
    // The line remembers.
    keys(&mut model, "/");
    press(&mut model, KeyCode::Up);
    assert_eq!(model.feed.ring.shown(), 9);
    press(&mut model, KeyCode::Down);
    assert_eq!(model.feed.ring.shown(), 60);
}

#[test]
fn jq_narrows_the_feed_and_counts_what_it_cannot_judge() {
    let mut model = running();
    keys(&mut model, "/.price.current > 60\n");
    let before = model.feed.ring.shown();
    assert!(before > 5 && before < 30, "{before}\n{}", text(&model));
    assert!(text(&model).contains(&format!("/.price.current > 60 {before} of 60 ")), "{}", text(&model));
    let mut rows: Vec<_> = (100..103).map(|i| change(i, "p-9", 70.0, None, 0, 0)).collect();
    rows[0].json = None;
    rows[1].json = Some("{\"price\":7}".into());
    tell(&mut model, [Event::Changes(rows)]);
    assert_eq!(model.feed.ring.shown(), before + 1);
    assert!(text(&model).contains("~ 2 not judged"), "{}", text(&model));
    keys(&mut model, "/");
    assert!(text(&model).contains("not judged: the jq expression failed: cannot index"), "{}", text(&model));
    press(&mut model, KeyCode::Esc);
    assert!(!text(&model).contains("not judged"));
}

#[test]
fn an_expression_that_takes_long_holds_up_nothing() {
    let mut model = running();
    let began = std::time::Instant::now();
    keys(&mut model, "/.price | [range(1e12)] | length > 0\n");
    for _ in 0..60 {
        update(&mut model, Msg::Tick(fixture::start()));
    }
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    assert!(text(&model).contains("0 of 60"), "{}", text(&model));
    assert!(text(&model).contains("not judged"), "{}", text(&model));
}

#[test]
fn n_goes_from_match_to_match_and_round() {
    let mut model = running();
    keys(&mut model, "n");
    assert!(text(&model).contains("nothing is looked for: / asks"));
    keys(&mut model, "/\"p-0000\n");
    let all: Vec<String> =
        (0..model.feed.ring.shown()).map(|i| model.feed.ring.at(i).unwrap().1.id.clone()).collect();
    assert!(all.len() > 2);
    let mut seen = Vec::new();
    for _ in &all {
        keys(&mut model, "n");
        seen.push(model.thread.name().unwrap().to_owned());
        assert!(!text(&model).contains("went on"));
    }
    assert_eq!(seen, all);
    keys(&mut model, "n");
    assert_eq!(model.thread.name(), Some(all[0].as_str()));
    assert!(text(&model).contains("went on at the top"));
    keys(&mut model, "N");
    assert!(text(&model).contains("went on at the bottom"));
    assert_eq!(model.thread.name(), all.last().map(String::as_str));
    for (pane, filter) in [("3", "/p-000044\n"), ("2", "/lag>0\n")] {
        keys(&mut model, pane);
        keys(&mut model, filter);
        keys(&mut model, "n");
        assert!(!model.thread.is_none());
    }
    keys(&mut model, "1/zzz\nn");
    assert!(text(&model).contains("nothing passes the filter"));
}

#[test]
fn all_rows_can_be_shown_with_the_matches_marked() {
    let mut model = fixture::model(200, 40);
    tell(&mut model, fixture::running());
    keys(&mut model, "/name=kettle\n");
    assert_eq!(model.feed.ring.shown(), 15);
    keys(&mut model, "*");
    assert_eq!(model.feed.ring.shown(), 60);
    assert!(text(&model).contains("15 of 60 marked"), "{}", text(&model));
    assert_eq!(text(&model).matches('›').count(), text(&model).matches("Kettle").count());
    keys(&mut model, "nn");
    let row = model.feed.ring.cursor().and_then(|number| model.feed.ring.get(number)).unwrap();
    assert_eq!(row.fields[2].value, "Kettle");
    keys(&mut model, "*");
    assert_eq!(model.feed.ring.shown(), 15);
}

#[test]
fn what_was_found_is_underlined_in_its_own_cells_and_never_under_the_mask() {
    let mut model = running();
    let ids = ["価格-042", "مرحبا-042", "👩‍👩‍👧‍👦-042"];
    tell(
        &mut model,
        [Event::Changes((0..).zip(ids).map(|(i, id)| change(900 + i, id, 12.0, None, 1, 0)).collect())],
    );
    keys(&mut model, "/\"-042\n");
    let buf = fixture::draw(&model);
    for row in 3..6 {
        assert_eq!(underlined(&buf, row), "-042", "row {row}\n{}", text(&model));
    }
    keys(&mut model, "j");
    assert_eq!(underlined(&fixture::draw(&model), 3), "-042", "also in the selected row");
    keys(&mut model, "m");
    let buf = fixture::draw(&model);
    assert!((0..40).all(|row| underlined(&buf, row).is_empty()));
    assert!(!text(&model).contains("042"), "the title tells no id either\n{}", text(&model));
    keys(&mut model, "m");
    press(&mut model, KeyCode::Esc);
    keys(&mut model, "/格\n");
    let buf = fixture::draw(&model);
    assert_eq!(underlined(&buf, 3), "格");
    keys(&mut model, "/\u{1b}");
}

#[test]
fn a_click_on_a_title_sorts_and_the_next_one_reverses() {
    let mut model = running();
    let first = |model: &Model| model.feed.ring.at(0).unwrap().1.id.clone();
    let (x, y) = place(&model, "id   ");
    click(&mut model, x, y);
    assert_eq!(first(&model), "p-000000");
    assert!(text(&model).contains("id ▲"), "{}", text(&model));
    click(&mut model, x, y);
    assert_eq!(first(&model), "p-000812");
    assert!(text(&model).contains("id ▼"));
    let (x, y) = place(&model, "key   ");
    click(&mut model, x, y);
    assert_eq!(model.focus, Pane::Cache);
    assert_eq!(model.cache.window(1)[0].0, "price:p-000000");
    keys(&mut model, "O");
    assert_eq!(model.cache.window(1)[0].0, "price:p-000986");
    let (x, y) = place(&model, "lag│");
    click(&mut model, x, y);
    let lags: Vec<_> = model.leases.shown().map(|row| row.lag).collect();
    assert_eq!(lags, [Some(120), Some(14), Some(0), Some(0)]);
    // Back to how they come by themselves.
    keys(&mut model, "o");
    assert!(model.leases.order().is_own());
}

#[test]
fn a_held_pane_keeps_its_row_and_counts_only_what_passes() {
    let mut model = running();
    keys(&mut model, "/name=kettle\nojj");
    let cursor = model.feed.ring.cursor();
    let id = model.thread.name().map(str::to_owned);
    let rows = |model: &Model| (0..5).map(|i| model.feed.ring.at(i).unwrap().0).collect::<Vec<_>>();
    let before = rows(&model);
    tell(&mut model, [Event::Changes((100..120).map(|i| change(i, "p-000000", 1.0, None, 0, 0)).collect())]);
    update(&mut model, Msg::Tick(fixture::start() + jiff::SignedDuration::from_secs(30)));
    assert_eq!((model.feed.ring.cursor(), rows(&model)), (cursor, before));
    assert_eq!(model.thread.name().map(str::to_owned), id);
    assert!(text(&model).contains("▲ 5 new"), "{}", text(&model));

    keys(&mut model, "3/id=p-0000\noojj");
    let key = model.cache.cursor().unwrap().to_owned();
    let fresh = |id: &str| entry(id, EntryState::InStep, 0);
    tell(&mut model, [Event::Entries(vec![fresh("p-000001"), fresh("p-900000"), fresh("p-000002")])]);
    update(&mut model, Msg::Tick(fixture::start() + jiff::SignedDuration::from_secs(60)));
    assert_eq!(model.cache.cursor(), Some(key.as_str()));
    assert_eq!(model.cache.waiting(), Some(2), "p-900000 does not pass");
    keys(&mut model, "G");
    assert!(model.cache.window(9).iter().any(|(key, _)| *key == "price:p-000001"));
}

#[test]
fn the_time_to_live_is_looked_at_again_as_it_passes() {
    let mut model = running();
    keys(&mut model, "3/ttl<1h\n");
    assert_eq!(model.cache.shown(), 0);
    update(&mut model, Msg::Tick(fixture::start() + jiff::SignedDuration::from_secs(130)));
    assert_eq!(model.cache.shown(), 1, "3,725 s were left");
}

#[test]
fn the_activity_is_narrowed_by_level_and_by_room() {
    let mut model = fixture::model(120, 40);
    let line =
        |level, room| Event::Log(LogLine { at: fixture::start(), level, room, text: format!("of {room}") });
    tell(&mut model, [line(Level::Info, "cache"), line(Level::Warning, "lease"), line(Level::Info, "lease")]);
    let shown = |model: &Model| model.log.shown();
    keys(&mut model, "r");
    assert_eq!(shown(&model), 1);
    assert!(text(&model).contains("/room=cache 1 of 3"), "{}", text(&model));
    keys(&mut model, "r");
    assert_eq!(shown(&model), 2);
    keys(&mut model, "w");
    assert_eq!(shown(&model), 1);
    assert!(text(&model).contains("/room=lease level>=war"), "{}", text(&model));
    keys(&mut model, "r");
    assert_eq!(shown(&model), 1, "the level stays");
    keys(&mut model, "ww");
    assert_eq!(shown(&model), 3);
}

#[test]
fn the_slowest_and_the_findings_are_sorted_and_keep_their_cursor() {
    let mut model = running();
    keys(&mut model, "4fj");
    let id = |model: &Model| model.latency.slowest[model.slow_cursor.unwrap()].id.clone();
    let before = id(&model);
    let (x, y) = place(&model, "the slowest");
    click(&mut model, x, y);
    assert!(model.latency.slowest.windows(2).all(|pair| pair[0].id <= pair[1].id));
    assert_eq!(id(&model), before);

    keys(&mut model, "fv");
    tell(&mut model, fixture::verified());
    keys(&mut model, "j");
    let selected = |model: &Model| match model.overlays.last() {
        Some(crate::tui::model::Overlay::Verify(dialog)) => {
            model.verification.row(dialog.cursor).unwrap().key.clone()
        }
        _ => String::new(),
    };
    let before = selected(&model);
    let (x, y) = place(&model, "kind    ");
    click(&mut model, x, y);
    let sorted: Vec<_> =
        (0..).map_while(|row| model.verification.row(row)).map(|row| row.kind.word()).collect();
    assert!(sorted.is_sorted() && sorted.len() > 1, "{sorted:?}");
    assert_eq!(selected(&model), before);
}
