//! What keys and events make of the model, without a terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{
    HOSTILE_IDS,
    fixture::{self, change, document, keys, model, press, tell},
    running, sent,
};
use crate::{
    engine::{
        Command, EntryState, Event, ForeignOwner, Insert, RebuildOrder, RebuildPhase, SyncPhase, SyncStatus,
    },
    tui::{
        Model,
        model::{Overlay, Pane},
        update::{Effect, Msg, update},
    },
};

#[test]
fn one_selection_goes_through_all_panes() {
    let mut model = running();
    keys(&mut model, "jj");
    assert_eq!(model.thread.name(), Some("p-000044"));
    let marked: Vec<String> =
        fixture::text(&model).lines().filter(|line| line.contains('▌')).map(str::to_owned).collect();
    let all = marked.join("\n");
    assert!(all.contains("▌14:02:11.550  p-000044"), "{all}");
    assert!(all.contains("▌~ price:p-000044"), "{all}");
    assert!(all.contains("▌50─75"), "the lease whose range the page came from\n{all}");
    // From the cache side, with the cursor going on from the selected entry.
    keys(&mut model, "3j");
    assert_eq!(model.thread.name(), Some("p-000731"));
    // From the lease side: the newest change that came through it.
    keys(&mut model, "2");
    press(&mut model, KeyCode::Home);
    assert!(model.thread.document.is_some());
    assert!(fixture::text(&model).contains("▌0─25"));
}

#[test]
fn a_pane_behind_a_tab_shows_all_its_rows_when_it_comes() {
    let mut model = model(80, 24);
    tell(&mut model, fixture::running());
    keys(&mut model, "jj2");
    let text = fixture::text(&model);
    for range in ["0─25", "25─50", "▌50─75", "75─100"] {
        assert!(text.contains(range), "{range} in\n{text}");
    }
}

#[test]
fn a_scrolled_feed_stands_still_and_counts() {
    let mut model = running();
    keys(&mut model, "j");
    let row = |model: &Model| fixture::text(model).lines().nth(3).unwrap()[..50].to_owned();
    let before = row(&model);
    tell(&mut model, [Event::Changes((100..137).map(|i| change(i, "p-9", 1.0, None, 0, 0)).collect())]);
    assert_eq!(row(&model), before);
    assert!(fixture::text(&model).contains("▲ 37 new"));
    keys(&mut model, "G");
    assert!(!fixture::text(&model).contains("▲ 37 new"));
    assert!(row(&model).contains("p-9"));
}

#[test]
fn filter_narrows_as_typed_and_escape_clears_it() {
    let mut model = running();
    keys(&mut model, "/\"p-00004");
    assert!(fixture::text(&model).contains("/\"p-00004 1 of 60"));
    keys(&mut model, "\n");
    assert!(!model.typing_filter);
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.feed.ring.shown(), 60);
    keys(&mut model, "/currency=eur\n");
    assert_eq!(model.feed.ring.shown(), 20);
    assert!(sent(&keys(&mut model, "q")).is_empty());
}

#[test]
fn enter_asks_for_the_document_and_discards_answers_to_older_questions() {
    let mut model = running();
    let first = keys(&mut model, "j\n");
    press(&mut model, KeyCode::Esc);
    let second = keys(&mut model, "j\n");
    tell(&mut model, [document(&first, true)]);
    assert!(fixture::text(&model).contains("reading the document"));
    tell(&mut model, [document(&second, false)]);
    assert!(fixture::text(&model).contains("1 field differs: price.current"));
}

#[test]
fn a_followed_document_is_read_again_when_it_changes_one_question_at_a_time() {
    let mut model = running();
    let asked = keys(&mut model, "jj\n");
    let event = || Event::Changes(vec![change(200, "p-000044", 1.0, None, 1, 0)]);
    assert!(tell(&mut model, [event(), event()]).is_empty(), "the first question is not answered yet");
    let again = tell(&mut model, [document(&asked, true)]);
    assert!(matches!(sent(&again)[..], [Command::ShowDocument { .. }]));
    assert!(tell(&mut model, [document(&again, true)]).is_empty(), "nothing changed since");
    assert_eq!(sent(&tell(&mut model, [event()])).len(), 1);
}

#[test]
fn the_form_writes_a_document_and_the_eye_can_follow_it() {
    let mut model = running();
    keys(&mut model, "i");
    for _ in 0..40 {
        press(&mut model, KeyCode::Backspace);
    }
    keys(&mut model, "a/b\n");
    assert!(fixture::text(&model).contains("must not contain /"), "told at the field, nothing is sent");
    for _ in 0..3 {
        press(&mut model, KeyCode::Backspace);
    }
    let effects = keys(&mut model, "p-new\n");
    let [Command::Insert(Insert::One { json })] = sent(&effects)[..] else { panic!("{effects:?}") };
    assert!(json.contains("\"p-new\""));
    assert!(model.overlays.is_empty());
    tell(&mut model, [Event::Changes(vec![change(300, "p-new", 39.99, None, 0, 0)])]);
    tell(&mut model, [Event::Entries(vec![fixture::entry("p-new", EntryState::InStep, 0)])]);
    let text = fixture::text(&model);
    assert!(text.contains("▌✓ price:p-new") && text.contains("p-new "), "{text}");
}

#[test]
fn rebuild_shows_the_plan_and_starts_only_on_enter() {
    let mut model = running();
    assert_eq!(sent(&keys(&mut model, "b")), [&Command::PlanRebuild(RebuildOrder::default())]);
    assert!(sent(&keys(&mut model, "\n")).is_empty(), "there is no plan yet");
    let mut plan = fixture::plan();
    plan.foreign_owners =
        vec![ForeignOwner { name: "host-b".into(), leases: 2, heartbeat_age: 3, since: None }];
    tell(&mut model, [Event::RebuildPlan(Box::new(plan))]);
    assert!(sent(&keys(&mut model, "\n")).is_empty(), "a foreign owner is alive");
    let effects = keys(&mut model, "t\n");
    assert_eq!(
        sent(&effects),
        [&Command::StartRebuild(RebuildOrder { take_over: true, ..RebuildOrder::default() })]
    );
    tell(&mut model, [fixture::rebuild(RebuildPhase::Replaying, 642)]);
    assert!(fixture::text(&model).contains("642 of 1,284"));
    tell(&mut model, [fixture::rebuild(RebuildPhase::Done, 1_284)]);
    assert!(fixture::text(&model).contains("✓ done: 1,284 documents"));
    keys(&mut model, "\n");
    assert!(model.overlays.is_empty());
}

#[test]
fn a_repair_asks_and_says_what_it_does() {
    let mut model = running();
    assert_eq!(sent(&keys(&mut model, "v")), [&Command::Verify { sample: None, grace: None }]);
    assert!(sent(&keys(&mut model, "r")).is_empty(), "nothing is known yet");
    tell(&mut model, fixture::verified());
    assert!(sent(&keys(&mut model, "r")).is_empty());
    let text = fixture::text(&model);
    assert!(text.contains("Repair writes 2 entries from the source and deletes 1 orphan,"), "{text}");
    assert_eq!(sent(&keys(&mut model, "\n")), [&Command::Repair { keys: None }]);
    let effects = keys(&mut model, "j\n");
    let [Command::ShowDocument { id, .. }] = sent(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(id, "p-000555", "enter follows the finding");
    press(&mut model, KeyCode::Esc);
    assert!(fixture::text(&model).contains("p-000555"), "and escape comes back to the findings");
}

#[test]
fn instances_come_with_a_key_and_die_only_after_a_question() {
    let mut model = running();
    assert_eq!(sent(&keys(&mut model, "+")), [&Command::AddInstance]);
    assert!(sent(&keys(&mut model, "-")).is_empty(), "the last one is not taken away");
    assert!(sent(&keys(&mut model, "K")).is_empty());
    assert_eq!(sent(&keys(&mut model, "y")), [&Command::KillInstance]);
    assert_eq!(sent(&keys(&mut model, ">>")), [&Command::SetTraffic(100.0), &Command::SetTraffic(200.0)]);
}

#[test]
fn stopping_the_sync_asks_first_and_starting_does_not() {
    let mut model = running();
    assert!(sent(&keys(&mut model, "s")).is_empty());
    assert_eq!(sent(&keys(&mut model, "y")), [&Command::StopSync]);
    tell(&mut model, [Event::Sync(SyncStatus::default())]);
    assert_eq!(sent(&keys(&mut model, "s")), [&Command::StartSync]);
    tell(&mut model, [Event::Sync(SyncStatus { phase: SyncPhase::Paused, ..SyncStatus::default() })]);
    assert_eq!(sent(&keys(&mut model, " ")), [&Command::ResumeSync]);
}

#[test]
fn quit_keys_quit_from_everywhere() {
    let ctrl_c = || Msg::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    for opened in ["", "i", "b", "?", ":", "/", "z", "j\n", "s"] {
        let mut model = running();
        keys(&mut model, opened);
        assert_eq!(update(&mut model, ctrl_c()), [Effect::Quit], "after {opened:?}");
    }
    assert_eq!(keys(&mut running(), "q"), [Effect::Quit]);
}

#[test]
fn clicks_select_what_is_under_them() {
    let mut model = running();
    let at = |kind, column, row| Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
    let down = MouseEventKind::Down(MouseButton::Left);
    update(&mut model, at(down, 90, 4));
    assert_eq!((model.focus, model.thread.name()), (Pane::Cache, Some("p-000044")));
    let effects = update(&mut model, at(down, 90, 4));
    assert!(matches!(sent(&effects)[..], [Command::ShowDocument { .. }]), "a double click opens");
    press(&mut model, KeyCode::Esc);
    let footer = fixture::text(&model).lines().last().unwrap().to_owned();
    let column = footer.find("i insert").unwrap();
    update(&mut model, at(down, u16::try_from(column).unwrap(), 39));
    assert!(matches!(model.overlays.last(), Some(Overlay::Insert(_))));
}

#[test]
fn hostile_texts_do_not_break_the_frame() {
    for (width, height) in [(60, 15), (80, 24), (120, 40)] {
        let mut model = model(width, height);
        tell(&mut model, fixture::running());
        for (i, id) in HOSTILE_IDS.iter().enumerate() {
            tell(
                &mut model,
                [
                    Event::Changes(vec![change(i as u64, id, 1.0, None, 0, 0)]),
                    Event::Entries(vec![fixture::entry(id, EntryState::InStep, 0)]),
                ],
            );
        }
        let buf = fixture::draw(&model);
        for cell in buf.content() {
            assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
        }
        // The right border of the feed pane is where it belongs in every row.
        let border = if width >= 100 { 49 } else { width - 1 };
        for y in 6..12 {
            assert_eq!(buf[(border, y)].symbol(), "│", "row {y} at {width}");
        }
    }
}
