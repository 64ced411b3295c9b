//! Inserting, scenarios, undo, files, copies, and what was measured: keys in, commands out.

use crossterm::event::KeyCode;

use super::{
    fixture::{self, keys, press, tell, text},
    running, sent,
};
use crate::engine::{Command, Event, ExportForm, Insert, TrafficStatus, Undoable};

#[test]
fn an_undo_asks_with_exact_counts() {
    let mut model = running();
    assert!(sent(&keys(&mut model, "u")).is_empty(), "there is nothing to undo");
    tell(&mut model, [fixture::inserting()]);
    assert!(sent(&keys(&mut model, "u")).is_empty(), "it asks first");
    let shown = text(&model).split_whitespace().collect::<Vec<_>>().join(" ").replace("│ │ ", "");
    for words in ["exactly 1,250 documents", "of 12 documents that", "300 oldest inserts can"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(sent(&keys(&mut model, "y")), [&Command::UndoInserts]);
    tell(&mut model, [fixture::inserting()]);
    keys(&mut model, "u");
    assert!(sent(&press(&mut model, KeyCode::Esc)).is_empty());
}

#[test]
fn a_scenario_runs_shows_its_progress_and_can_be_stopped() {
    let mut model = running();
    let effects = keys(&mut model, ":sale starts\n");
    let [Command::Insert(Insert::Scenario(scenario))] = sent(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(scenario.name, "sale-starts");
    model.notice = None;
    assert!(sent(&keys(&mut model, "X")).is_empty(), "nothing is under way yet");
    model.notice = None;
    tell(&mut model, [fixture::scenario_under_way()]);
    let footer = text(&model).lines().last().unwrap().to_owned();
    assert!(footer.contains("scenario sale-starts: 212 of 400"), "{footer}");
    assert!(sent(&keys(&mut model, "u")).is_empty() && model.overlays.is_empty(), "not while it runs");
    assert_eq!(sent(&keys(&mut model, "X")), [&Command::StopInserts]);
}

#[test]
fn a_copy_of_the_selected_document_is_a_new_document() {
    let mut model = running();
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Down);
    let asked = keys(&mut model, "I");
    assert!(model.overlays.is_empty(), "the document is read first");
    tell(&mut model, [fixture::document(&asked, true)]);
    let effects = keys(&mut model, "\n");
    let [Command::Insert(Insert::One { json })] = sent(&effects)[..] else { panic!("{effects:?}") };
    assert!(json.contains("-copy\"") && !json.contains("_etag"), "{json}");
}

#[test]
fn a_file_is_found_as_it_is_typed() {
    let mut model = running();
    keys(&mut model, "i");
    press(&mut model, KeyCode::PageUp);
    keys(&mut model, "da");
    let asked = press(&mut model, KeyCode::Tab);
    assert_eq!(sent(&asked), [&Command::FindFiles { typed: "da".to_owned() }]);
    let found = vec!["data/a.csv".to_owned(), "data/b.ndjson".to_owned()];
    tell(&mut model, [Event::Files { typed: "da".to_owned(), found }]);
    assert!(text(&model).contains("data/b.ndjson"));
    let effects = keys(&mut model, "a.csv\n");
    assert_eq!(sent(&effects), [&Command::Insert(Insert::File { path: "data/a.csv".to_owned() })]);
}

#[test]
fn the_slowest_can_be_followed() {
    let mut model = running();
    keys(&mut model, "4fj");
    let slowest = model.latency.slowest[1].id.clone();
    let effects = keys(&mut model, "j\n");
    let [Command::ShowDocument { id, .. }] = sent(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(*id, slowest);
}

#[test]
fn what_was_measured_is_exported_in_the_chosen_form() {
    let mut model = running();
    keys(&mut model, "Ejj");
    let effects = keys(&mut model, "\n");
    let [Command::ExportLatency { form, name, masked: false }] = sent(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((*form, name.as_str()), (ExportForm::Csv, "latency-2026-11-23-140212.csv"));
    let mut idle = fixture::model(120, 40);
    keys(&mut idle, "E");
    assert!(idle.overlays.is_empty(), "nothing is measured yet");
}

#[test]
fn a_missed_target_says_so_in_words() {
    let mut model = running();
    assert!(text(&model).contains("slo 25 ms !"), "{}", text(&model));
    keys(&mut model, "4f");
    let shown = text(&model);
    assert!(shown.contains("the slowest") && shown.contains("!37.5"), "{shown}");
}

#[test]
fn forgotten_inserts_are_told_when_nothing_is_left() {
    let mut model = running();
    let undoable = Undoable { forgotten: 7, ..Undoable::default() };
    tell(&mut model, [Event::Traffic(TrafficStatus { undoable, ..TrafficStatus::default() })]);
    keys(&mut model, "u");
    assert_eq!(model.notice(), Some("nothing to undo any more: 7 inserts forgotten"));
}
