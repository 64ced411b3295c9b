//! Edits from the view that follows a document: what is asked of the engine, and what its answers do.

use crossterm::event::{KeyCode, KeyModifiers};

use super::fixture::{self, document, keys, model, press, tell, text};
use crate::{
    engine::{Command, Diff, Edit, EditEnd, EditOrder, EditOutcome, Event, TextPair},
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

/// A document with many offers, of which the entry has an older state: a price, a description, one offer
/// that is gone by now and one that is new.
pub(super) fn large(asked: &[Effect]) -> Event {
    let offer = |n: usize, price: f64| format!(r#"{{"id":"sku-{n:03}","price":{price:.2},"stock":{n}}}"#);
    let text =
        |season: &str| format!("{} for {season} {}", "A warm coat ".repeat(12), "and more. ".repeat(20));
    let list = |skip: usize, until: usize, changed: f64| {
        let offers = (0..until).filter(|n| *n != skip);
        let offers: Vec<String> = offers.map(|n| offer(n, if n == 120 { changed } else { 9.5 })).collect();
        offers.join(",")
    };
    let json = |season: &str, offers: String| {
        format!(
            r#"{{"id":"p-000044","name":"Rain coat","market":"GB","text":"{}","offers":[{offers}],"_ts":1795442531}}"#,
            text(season)
        )
    };
    let (source, held) = (json("autumn", list(7, 201, 12.0)), json("summer", list(999, 200, 14.0)));
    with_values(asked, &source, &source, &held)
}

/// A document of which a jq expression makes a small entry.
pub(super) fn mapped(asked: &[Effect]) -> Event {
    let source =
        r#"{"id":"p-000044","name":"Rain coat","price":{"current":12.00,"currency":"GBP"},"_ts":1795442531}"#;
    with_values(
        asked,
        source,
        r#"{"id":"p-000044","price":12.00}"#,
        r#"{"price":14,"id":"p-000044","old":true}"#,
    )
}

fn with_values(asked: &[Effect], source: &str, expected: &str, held: &str) -> Event {
    let Event::Document(mut detail) = document(asked, false) else { unreachable!() };
    detail.diff = std::sync::Arc::new(Diff::of(Some(expected.as_bytes()), Some(held.as_bytes())));
    detail.expected = Some(expected.to_owned());
    if let Ok(Some(found)) = &mut detail.source {
        source.clone_into(&mut found.json);
    }
    if let Ok(Some(entry)) = &mut detail.entry {
        (entry.value, entry.size) = (held.to_owned(), held.len() as u64);
        entry.raw = held.to_owned().into();
    }
    Event::Document(detail)
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
    assert!(
        shown.contains("price:p-000044") && shown.contains("syncscope document delete-entry price:p-000044"),
        "{shown}"
    );
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

#[test]
fn equal_parts_are_folded_with_their_count_and_differences_jumped_to() {
    let mut model = following();
    let asked = keys(&mut model, "p");
    tell(&mut model, [large(&asked)]);
    let shown = text(&model);
    let names = "4 fields differ: text, -offers[id=sku-007], offers[id=sku-120].price, +offers[id=sku-200]";
    assert!(shown.contains(names), "{shown}");
    assert!(shown.contains("112 equal elements") && shown.contains("for autumn and"), "{shown}");
    let counted = |model: &Model| text(model).matches("equal element").count();
    assert!(counted(&model) > 0);
    press(&mut model, KeyCode::Tab);
    assert!(text(&model).contains("1 of 4 · 4 fields differ"), "{}", text(&model));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Tab);
    let shown = text(&model);
    let line = shown.lines().find(|line| line.contains("▸")).unwrap();
    assert!(line.contains("\"price\": 12.00") && line.contains("\"price\": 14.00"), "{line}");
    keys(&mut model, "a");
    assert_eq!(counted(&model), 0, "all of it is shown");
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Tab);
    assert!(text(&model).contains("1 of 4"), "around the end");
    press(&mut model, KeyCode::BackTab);
    assert!(text(&model).contains("4 of 4"));
}

/// The question of a comparison among effects.
fn comparison(effects: Vec<Effect>) -> (u64, TextPair) {
    let found = effects.into_iter().find_map(|effect| match effect {
        Effect::Send(Command::Compare { request, comparison }) => Some((request, comparison)),
        _ => None,
    });
    found.expect("the engine is asked to compare")
}

#[test]
fn versions_of_two_megabytes_are_not_compared_on_the_thread_of_the_screen() {
    let mut model = following();
    let asked = keys(&mut model, "p");
    let Event::Document(mut detail) = document(&asked, false) else { unreachable!() };
    let filler: Vec<String> =
        (0..60_000).map(|n| format!("{{\"id\":\"sku-{n:05}\",\"stock\":{n}}}")).collect();
    let filler = filler.join(",");
    for (n, version) in detail.versions.iter_mut().enumerate() {
        let json = format!("{{\"id\":\"p-000044\",\"price\":{n},\"offers\":[{filler}]}}");
        assert!(json.len() > 1_900_000, "{}", json.len());
        version.json = Some(json.into());
    }
    let again = detail.clone();
    tell(&mut model, [Event::Document(detail)]);
    let (first, _) = comparison(keys(&mut model, "["));
    let shown = text(&model);
    assert_eq!(shown.matches("comparing …").count(), 2, "in place of the rows and of what differs:\n{shown}");
    assert!(shown.contains("version #3") && shown.contains("version #2"), "{shown}");
    // Another pair is looked at before the answer to the first one comes.
    let (second, wanted) = comparison(keys(&mut model, "["));
    tell(&mut model, [Event::Compared { request: first, diff: std::sync::Arc::default() }]);
    assert!(text(&model).contains("comparing …"), "an answer to an older question is none");
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.notice(), Some("still comparing"));
    let diff = std::sync::Arc::new(wanted.diff());
    tell(&mut model, [Event::Compared { request: second, diff }]);
    let shown = text(&model);
    assert!(shown.contains("1 field differs: price") && !shown.contains("comparing …"), "{shown}");
    // The document is read again, with the same versions: nothing is compared again.
    let effects = tell(&mut model, [Event::Changes(vec![fixture::change(900, &again.id, 1.0, None, 1, 0)])]);
    let Event::Document(mut detail) = document(&effects, false) else { unreachable!() };
    detail.versions = again.versions;
    let effects = tell(&mut model, [Event::Document(detail)]);
    assert!(effects.is_empty(), "{effects:?}");
    assert!(text(&model).contains("1 field differs: price"));
    // Where the engine has no room for the question, one is back where there is something to see.
    let (request, comparison) = comparison(keys(&mut model, "]"));
    update(&mut model, Msg::Refused(Command::Compare { request, comparison }));
    assert!(!text(&model).contains("comparing …"));
}

#[test]
fn what_the_mapping_writes_is_compared_and_the_source_shown_beside_it() {
    let mut model = following();
    let asked = keys(&mut model, "p");
    tell(&mut model, [mapped(&asked)]);
    let shown = text(&model);
    assert!(shown.contains("as the mapping writes it"), "{shown}");
    assert!(shown.contains("2 fields differ: -old, price"), "{shown}");
    assert!(!shown.contains("Rain coat\""), "{shown}");
    keys(&mut model, "s");
    let shown = text(&model);
    assert!(
        shown.contains("\"name\": \"Rain coat\"") && shown.contains("what it would write now"),
        "{shown}"
    );
    keys(&mut model, "s");
    assert!(text(&model).contains("2 fields differ"));
}

#[test]
fn a_document_of_several_entries_shows_each_by_a_key() {
    let mut model = following();
    let asked = keys(&mut model, "p");
    let Event::Document(mut detail) = document(&asked, true) else { unreachable!() };
    let key = detail.key.clone().unwrap();
    detail.keys = vec![key.clone(), "offer:a".into(), "offer:b".into()];
    tell(&mut model, [Event::Document(detail)]);
    assert!(text(&model).contains(&format!("entry {key}  offer:a  offer:b")), "{}", text(&model));
    let wanted = |effects: &[Effect]| match effects {
        [Effect::Send(Command::ShowDocument { key, .. })] => key.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wanted(&keys(&mut model, ")")).as_deref(), Some("offer:a"));
    let mut model = following();
    keys(&mut model, ")");
    assert!(model.notice().unwrap().contains("one entry"));
}
