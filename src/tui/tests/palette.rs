//! The command palette: lists everything, opens everywhere, and does what was chosen where that works.

use crossterm::event::KeyCode;

use super::{
    fixture::{self, chord, keys, model, press, tell, text},
    running,
};
use crate::{
    engine::{Command, LeaseDeed},
    tui::{
        Model,
        keymap::{Action, Context, Keymap},
        model::{Deed, InsertMode, ONLY_KEYS, Overlay, Pane, RebuildChoice, Which},
        update::Effect,
    },
};

/// Opens the palette, types, and takes the first entry.
fn choose(model: &mut Model, typed: &str) -> Vec<Effect> {
    chord(model, 'p');
    keys(model, typed);
    keys(model, "\n")
}

/// The variants as they stand in the source.
fn variants() -> Vec<String> {
    let source = include_str!("../keymap/action.rs");
    let body = source.split("pub(crate) enum Action {").nth(1).unwrap().split("\n}").next().unwrap();
    let name = |line: &str| line.split(['(', ',']).next().unwrap().to_owned();
    body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).map(name).collect()
}

#[test]
fn every_action_is_listed_somewhere_or_has_a_reason_not_to_be() {
    let keymap = Keymap::default();
    let mut listed: Vec<String> = Vec::new();
    let name = |action: Action| format!("{action:?}").split('(').next().unwrap().to_owned();
    // Over each place in turn, with what can be open there.
    for scene in super::screens::SCENES {
        let mut model = model(120, 40);
        scene.1(&mut model);
        chord(&mut model, 'p');
        for entry in model.palette_entries() {
            if let Deed::Act(_, action) = entry.deed {
                listed.push(name(action));
            }
        }
    }
    let excused: Vec<String> = ONLY_KEYS.iter().map(|(action, _)| name(*action)).collect();
    let variants = variants();
    assert!(variants.len() > 80, "{variants:?}");
    for variant in variants {
        let is_listed = listed.contains(&variant);
        assert!(is_listed != excused.contains(&variant), "{variant}: listed {is_listed}");
        let bound = keymap
            .contexts()
            .into_iter()
            .any(|context| keymap.rows(context).any(|row| name(row.action) == variant));
        assert!(bound, "{variant} has no row: no key file can name it");
    }
}

#[test]
fn from_the_panes_every_place_can_be_found() {
    let model = running();
    let entries = model.palette_entries();
    for context in [
        Context::Main,
        Context::Global,
        Context::Follow,
        Context::Edit,
        Context::Insert,
        Context::Rebuild,
        Context::Leases,
        Context::Bookmarks,
        Context::Restore,
        Context::Letters,
        Context::Tree,
        Context::Preview,
        Context::Verify,
        Context::Export,
    ] {
        let any = entries.iter().any(|entry| matches!(entry.deed, Deed::Act(of, _) if of == context));
        assert!(any, "{context:?}");
    }
    for deed in [
        Deed::Insert(InsertMode::Scenario),
        Deed::Rebuild(RebuildChoice::Flush),
        Deed::Leases(LeaseDeed::Reset, Which::All),
    ] {
        assert!(entries.iter().any(|entry| entry.deed == deed), "{deed:?}");
    }
    for (i, entry) in entries.iter().enumerate() {
        assert!(entries[..i].iter().all(|other| other.deed != entry.deed), "{:?} twice", entry.deed);
    }
}

#[test]
fn it_opens_over_everything_and_lists_that_place_first() {
    for (name, scene) in super::screens::SCENES {
        let mut model = model(120, 40);
        scene(&mut model);
        let here = model.context();
        if here == Context::Palette {
            continue;
        }
        chord(&mut model, 'p');
        assert_eq!(model.context(), Context::Palette, "{name}");
        let first = model.palette_entries().remove(0).deed;
        assert!(matches!(first, Deed::Act(of, _) if of == here), "{name}: {first:?}");
        press(&mut model, KeyCode::Esc);
        assert_eq!(model.context(), here, "{name}: esc leaves it as it was");
    }
}

#[test]
fn an_action_of_where_one_is_is_done_there() {
    let mut model = running();
    press(&mut model, KeyCode::Down);
    let asked = keys(&mut model, "\n");
    tell(&mut model, [fixture::document(&asked, false)]);
    let effects = choose(&mut model, "copy the cache key");
    assert!(matches!(effects[..], [Effect::Copy(_)]), "{effects:?}");
    assert_eq!(model.context(), Context::Follow);
}

#[test]
fn an_action_of_another_place_goes_there_first() {
    let mut model = running();
    let asked = choose(&mut model, "delete its entry");
    assert!(matches!(asked[..], [Effect::Send(Command::ShowDocument { .. })]), "{asked:?}");
    assert_eq!(model.context(), Context::Follow);
    tell(&mut model, [fixture::document(&asked, false)]);
    assert_eq!(model.context(), Context::Confirm, "still asks");
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Esc);

    let asked = choose(&mut model, "save unless somebody");
    assert_eq!(model.notice(), Some("here f2: save, unless somebody changed it meanwhile"));
    tell(&mut model, [fixture::document(&asked, false)]);
    assert_eq!(model.context(), Context::Edit);
}

#[test]
fn what_was_to_be_done_after_reading_is_forgotten_with_the_view() {
    let mut model = running();
    let asked = choose(&mut model, "delete its entry");
    press(&mut model, KeyCode::Esc);
    tell(&mut model, [fixture::document(&asked, false)]);
    let asked = keys(&mut model, "\n");
    tell(&mut model, [fixture::document(&asked, false)]);
    assert_eq!(model.context(), Context::Follow, "not asked for any more");
}

#[test]
fn without_a_document_it_says_what_is_missing() {
    let mut model = model(120, 40);
    let effects = choose(&mut model, "delete its entry");
    assert!(effects.is_empty());
    assert_eq!(model.context(), Context::Main);
    assert_eq!(model.notice(), Some("nothing to follow yet: select a row"));
}

#[test]
fn lease_deeds_open_with_the_choice_made() {
    let mut model = running();
    let effects = choose(&mut model, "reset all leases");
    let Some(Overlay::Leases(dialog)) = model.overlays.last() else { panic!("{:?}", model.context()) };
    assert_eq!((dialog.deed, dialog.all, dialog.agreement.started), (LeaseDeed::Reset, true, false));
    assert!(
        matches!(&effects[..], [Effect::Send(Command::PlanLeases(order))] if order.deed == LeaseDeed::Reset),
        "{effects:?}"
    );
    press(&mut model, KeyCode::Esc);
    choose(&mut model, "release selected");
    assert_eq!(model.notice(), Some("no lease is selected: select one in the pane first"));
    press(&mut model, KeyCode::Esc);
    keys(&mut model, "2j");
    choose(&mut model, "delete selected lease");
    let Some(Overlay::Leases(dialog)) = model.overlays.last() else { panic!("{:?}", model.context()) };
    assert_eq!((dialog.deed, dialog.all), (LeaseDeed::Delete, false));
}

#[test]
fn modes_of_dialogs_are_entries_and_nothing_begins_from_afar() {
    let mut model = running();
    choose(&mut model, "rebuild flush");
    let Some(Overlay::Rebuild(dialog)) = model.overlays.last() else { panic!("{:?}", model.context()) };
    assert_eq!((dialog.choice, dialog.started), (RebuildChoice::Flush, false));
    choose(&mut model, "insert batch");
    let Some(Overlay::Insert(form)) = model.overlays.last() else { panic!("{:?}", model.context()) };
    assert_eq!(form.mode, InsertMode::Batch);
    assert_eq!(model.overlays.len(), 1, "dialogs are not piled up");
    choose(&mut model, "theme light");
    assert_eq!((model.theme_title(), model.context()), ("light", Context::Insert), "what is open stays");
}

#[test]
fn what_was_typed_is_not_lost_by_a_choice() {
    let mut model = running();
    keys(&mut model, "ix");
    let effects = choose(&mut model, "rebuild the cache");
    assert!(effects.is_empty());
    assert_eq!(model.context(), Context::Insert);
    let notice = model.notice().unwrap();
    assert_eq!(notice, "what was typed in the insert form would be lost: esc leaves it first");
    press(&mut model, KeyCode::Esc);
    choose(&mut model, "rebuild the cache");
    assert_eq!(model.context(), Context::Rebuild);
}

#[test]
fn a_filter_that_is_typed_stays_and_the_panes_take_keys_again() {
    let mut model = running();
    keys(&mut model, "/p-0");
    choose(&mut model, "pane on the whole screen");
    assert!(model.zoomed);
    assert_eq!(model.context(), Context::Main);
    assert_eq!(model.filters[0].value(), "p-0");
}

#[test]
fn matches_are_marked_without_colour_and_counted() {
    let mut model = running();
    keys(&mut model, ":traffic");
    let all = model.palette_entries().len();
    let found = model.palette_rows("traffic").len();
    let text = text(&model);
    assert!(text.contains(&format!("Commands · {found} of {all}")), "{text}");
    let buf = fixture::draw(&model);
    let underlined: String = buf
        .content()
        .iter()
        .filter(|cell| cell.modifier.contains(ratatui::style::Modifier::UNDERLINED))
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    assert_eq!(underlined, "traffic".repeat(found), "{text}");
}

#[test]
fn keys_are_shown_as_they_are_bound() {
    let options = crate::tui::ScreenOptions {
        keymap: Keymap::parse("k", "[main]\ntoggle_sync = 'f9'\n[global]\npalette = 'f1'").unwrap().into(),
        ..crate::tui::ScreenOptions::default()
    };
    let mut model = Model::new(options, model(120, 40).size, fixture::start());
    press(&mut model, KeyCode::F(1));
    keys(&mut model, "built-in sync");
    let text = text(&model);
    let row = text.lines().find(|line| line.contains("start or stop the built-in sync")).unwrap();
    assert!(row.contains("f9"), "{row}");
}

#[test]
fn every_column_of_every_pane_is_an_entry_that_sorts_and_again_the_other_way() {
    let mut model = running();
    let mut columns = 0;
    for pane in Pane::ALL {
        let name = pane.title().to_lowercase();
        for (column, of) in pane.columns().iter().enumerate() {
            columns += 1;
            let title = format!("sort {name} by {}", of.name);
            let row = model.palette_rows(&title).remove(0);
            assert_eq!((row.title.as_str(), row.deed), (title.as_str(), Deed::Sort(pane, column)));
            // From over another place: it goes to the panes first.
            keys(&mut model, "?");
            choose(&mut model, &title);
            assert_eq!((model.context(), model.focus), (Context::Main, pane), "{title}");
            let first = model.notice().unwrap().to_owned();
            choose(&mut model, &title);
            let second = model.notice().unwrap().to_owned();
            assert_ne!(first, second, "{title}: the other way round");
            for (told, way) in [(&first, ["▲", "▼"]), (&second, ["▼", "▲"])] {
                let by = format!("{name}: by {} ", of.name);
                let newest = told.ends_with("the newest first");
                assert!(newest || way.iter().any(|way| *told == format!("{by}{way}")), "{told}");
            }
        }
    }
    let listed = model.palette_entries().into_iter().filter(|row| matches!(row.deed, Deed::Sort(..)));
    assert_eq!(listed.count(), columns);
}

#[test]
fn sorting_by_name_puts_the_rows_in_order() {
    let mut model = running();
    let keys_shown = |model: &Model| -> Vec<String> {
        model.cache.window(20).into_iter().map(|(key, _)| key.to_owned()).collect()
    };
    choose(&mut model, "sort cache by key");
    let rising = keys_shown(&model);
    assert!(rising.is_sorted() && rising.len() == 20, "{rising:?}");
    choose(&mut model, "sort cache by key");
    assert!(keys_shown(&model).iter().rev().is_sorted(), "{:?}", keys_shown(&model));
}
