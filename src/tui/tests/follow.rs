//! Edits from the view that follows a document: what is asked of the engine, and what its answers do.

use crossterm::event::{KeyCode, KeyModifiers};

use super::fixture::{self, document, keys, model, press, tell, text};
use crate::{
    engine::{Command, Edit, EditEnd, EditOrder, EditOutcome, Event},
    tui::{
        Model,
        keymap::Context,
        update::{Effect, Msg, update},
    },
};

fn following() -> Model {
    let mut model = model(120, 40);
    tell(&mut model, fixture::running());
    keys(&mut model, "jj");
    let asked = press(&mut model, KeyCode::Enter);
    tell(&mut model, [document(&asked, false)]);
    model
}

fn order(effects: &[Effect]) -> EditOrder {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Send(Command::Edit(order)) => Some(order.clone()),
        _ => None,
    });
    found.expect("an edit was asked for")
}

fn ended(request: u64, end: EditEnd) -> Event {
    Event::Edited(Box::new(EditOutcome { request, name: "p-000044".to_owned(), end }))
}

/// Types a field before the closing brace of the document.
fn type_a_field(model: &mut Model) {
    update(model, Msg::Key(crossterm::event::KeyEvent::new(KeyCode::Right, KeyModifiers::NONE)));
    update(model, Msg::Paste("\n  \"sold\": true,".to_owned()));
}

#[test]
fn an_edit_is_written_over_the_version_that_was_seen() {
    let mut model = following();
    keys(&mut model, "e");
    assert_eq!(model.context(), Context::Edit);
    assert!(!text(&model).contains("_ts"), "what Cosmos sets is not for editing");
    type_a_field(&mut model);
    let EditOrder { request, edit } = order(&press(&mut model, KeyCode::F(2)));
    let Edit::Document { id, json, if_match, partition_key } = edit else { panic!("{edit:?}") };
    assert_eq!((id.as_str(), if_match.as_deref()), ("p-000044", Some("\"0000-44\"")));
    assert_eq!(partition_key.as_deref(), Some("\"p-000044\""));
    assert!(json.starts_with("{\n  \"sold\": true,\n  \"id\": \"p-000044\","), "{json}");
    assert!(press(&mut model, KeyCode::F(2)).is_empty(), "not twice while it is under way");
    tell(&mut model, [ended(request, EditEnd::Saved { etag: "\"2\"".into() })]);
    assert_eq!(model.context(), Context::Follow);
    assert!(model.notice().unwrap().contains("saved p-000044"));
}

#[test]
fn a_concurrent_change_is_told_and_nothing_typed_is_lost() {
    let mut model = following();
    keys(&mut model, "e");
    type_a_field(&mut model);
    let request = order(&press(&mut model, KeyCode::F(2))).request;
    let asked = tell(&mut model, [ended(request, EditEnd::ChangedMeanwhile)]);
    assert_eq!(model.context(), Context::Edit);
    let shown = text(&model);
    assert!(
        shown.contains("somebody else has changed it meanwhile") && shown.contains("\"sold\": true"),
        "{shown}"
    );
    // What is there now was asked for; reload takes it.
    tell(&mut model, [document(&asked, false)]);
    press(&mut model, KeyCode::F(5));
    assert!(!text(&model).contains("\"sold\""));
}

#[test]
fn wrong_json_is_told_with_its_place_and_escape_asks_once() {
    let mut model = following();
    keys(&mut model, "e{");
    assert!(press(&mut model, KeyCode::F(2)).is_empty());
    assert!(text(&model).contains("line 1, column 2: key must be a string"), "{}", text(&model));
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.context(), Context::Edit, "what was typed is not thrown away by one key");
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.context(), Context::Follow);
}

#[test]
fn another_editor_comes_back_with_its_text_or_its_failure() {
    let mut model = following();
    let effects = keys(&mut model, "o");
    let Some(Effect::EditText(before)) = effects.first() else { panic!("{effects:?}") };
    let after = before.replace("12.00", "13.00");
    let saved = order(&update(&mut model, Msg::TextEdited(Ok(format!("{after}\n")))));
    assert!(matches!(saved.edit, Edit::Document { json, .. } if json == after));
    tell(&mut model, [ended(saved.request, EditEnd::Saved { etag: String::new() })]);

    keys(&mut model, "o");
    assert!(update(&mut model, Msg::TextEdited(Ok("{ no".to_owned()))).is_empty());
    assert_eq!(model.context(), Context::Edit, "a wrong text stays to be mended");
    assert!(text(&model).contains("{ no"));
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "o");
    update(&mut model, Msg::TextEdited(Ok(before.clone())));
    assert_eq!(model.context(), Context::Follow, "unchanged: nothing to save");
    keys(&mut model, "o");
    update(&mut model, Msg::TextEdited(Err("cannot start the editor `x`".to_owned())));
    assert!(text(&model).contains("cannot start the editor"));
}

#[test]
fn an_entry_is_written_again_and_deleted_only_after_a_question_by_its_exact_key() {
    let mut model = following();
    let again = order(&keys(&mut model, "w"));
    assert!(matches!(again.edit, Edit::WriteEntry { ref id, .. } if id == "p-000044"));
    let kept = EditEnd::Written { keys: vec!["price:p-000044".into()], kept: true };
    let asked = tell(&mut model, [ended(again.request, kept)]);
    assert!(model.notice().unwrap().contains("keeps a newer version"));
    assert!(!asked.is_empty(), "the view looks again");

    assert!(keys(&mut model, "d").is_empty(), "asks first");
    let shown = text(&model);
    assert!(shown.contains("price:p-000044") && shown.contains("UNLINK"), "{shown}");
    press(&mut model, KeyCode::Esc);
    keys(&mut model, "d");
    let deleted = order(&press(&mut model, KeyCode::Enter));
    assert_eq!(deleted.edit, Edit::DeleteEntry { key: "price:p-000044".to_owned() });
    tell(&mut model, [ended(deleted.request, EditEnd::Deleted { existed: true })]);
    assert!(model.notice().unwrap().contains("deleted"));
}

#[test]
fn versions_are_compared_with_the_one_before() {
    let mut model = following();
    keys(&mut model, "[");
    let shown = text(&model);
    assert!(shown.contains("version #2") && shown.contains("version #3"), "{shown}");
    assert!(
        shown.contains("write 0.9 · feed 2.1 · lease 0.4 · cache 1.1 ms") && shown.contains("lease 25–50%"),
        "{shown}"
    );
    let line = shown.lines().find(|line| line.contains("\"current\": 14.00")).unwrap();
    assert!(line.contains('~') && line.contains("\"current\": 12.00"), "the older on the left: {line}");
    keys(&mut model, "[[[");
    assert!(text(&model).contains("no version before it in this run"));
    keys(&mut model, "]]]");
    assert!(text(&model).contains("entry price:p-000044"), "after the newest the entry again");
}

#[test]
fn bytes_are_shown_with_escapes_and_hidden_under_the_mask() {
    let mut model = following();
    keys(&mut model, "x");
    assert!(text(&model).contains("00000000  7b 22 69 64 22 3a 22 70  2d"), "{}", text(&model));
    model.masked = true;
    assert!(text(&model).contains("00000000  •• ••") && !text(&model).contains("Rain"));
    keys(&mut model, "e");
    assert_eq!(model.context(), Context::Follow, "no editing blind");
}
