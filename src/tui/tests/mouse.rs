//! The mouse: rows, choices, hints, tabs, the wheel, and the world outside of a dialog.

use crossterm::event::{KeyCode, MouseEventKind};

use super::{
    arrange::{click, mouse},
    fixture::{self, keys, model, place, press, tell, text},
    running, views,
};
use crate::{
    engine::{Command, Event, LeaseDeed},
    tui::{
        Model,
        keymap::Context,
        model::{InsertMode, Overlay, Pane, RebuildChoice},
        update::{Effect, Msg, update},
        view::clickable,
    },
};

fn click_on(model: &mut Model, words: &str) -> Vec<Effect> {
    let (x, y) = place(model, words);
    click(model, x, y)
}

fn wheel(model: &mut Model, words: &str, down: bool) -> Vec<Effect> {
    let (x, y) = place(model, words);
    mouse(model, if down { MouseEventKind::ScrollDown } else { MouseEventKind::ScrollUp }, x, y)
}

#[test]
fn hints_of_the_footer_and_of_dialogs_do_what_they_say() {
    let mut model = running();
    click_on(&mut model, "insert  b");
    assert_eq!(model.context(), Context::Insert);
    click_on(&mut model, "esc cancel");
    assert_eq!(model.context(), Context::Main);
    // With a notice the footer has fewer hints: what is drawn is what is clicked.
    model.say("x".repeat(70));
    click_on(&mut model, "quit");
    let effects = click_on(&mut model, "q quit");
    assert_eq!(effects, [Effect::Quit]);
    keys(&mut model, "L");
    tell(&mut model, [fixture::lease_plan(crate::engine::LeaseOrder::default())]);
    let effects = click_on(&mut model, "copy command");
    assert!(matches!(effects[..], [Effect::Copy(_)]), "{effects:?}");
    let (x, y) = place(&model, "esc cancel");
    assert!(clickable::area(&model).unwrap().contains((x, y).into()));
    click(&mut model, x + 5, y);
    assert_eq!(model.context(), Context::Main);
}

#[test]
fn a_question_is_answered_by_its_words() {
    let mut model = running();
    keys(&mut model, "s");
    click_on(&mut model, "esc no");
    assert_eq!(model.context(), Context::Main);
    keys(&mut model, "s");
    click_on(&mut model, "Stop the sync?");
    assert_eq!(model.context(), Context::Confirm, "its title is no answer");
    let effects = click_on(&mut model, "enter yes");
    assert_eq!(effects, [Effect::Send(Command::StopSync)]);
}

#[test]
fn a_click_outside_closes_unless_something_would_be_lost() {
    let mut model = running();
    for key in ["b", "L", "v", "E", "H", "?", ":", "s", "i", "P"] {
        keys(&mut model, key);
        assert_ne!(model.context(), Context::Main, "{key}");
        click(&mut model, 0, 0);
        assert_eq!(model.context(), Context::Main, "{key}");
    }
    keys(&mut model, "ix");
    click(&mut model, 0, 0);
    assert_eq!(model.context(), Context::Insert);
    assert_eq!(model.notice(), Some("what was typed in the insert form would be lost: esc leaves it"));
    press(&mut model, KeyCode::Esc);
    keys(&mut model, "P");
    update(&mut model, Msg::Paste("{\"id\": \"p-1\"}".to_owned()));
    click(&mut model, 0, 0);
    assert_eq!(model.context(), Context::Preview);
}

#[test]
fn choices_of_dialogs_are_clicked() {
    let mut model = running();
    keys(&mut model, "b");
    let effects = click_on(&mut model, "( ) flush");
    assert!(matches!(effects[..], [Effect::Send(Command::PlanRebuild(_))]), "{effects:?}");
    click_on(&mut model, "( ) leases");
    let Some(Overlay::Rebuild(dialog)) = model.overlays.last() else { panic!() };
    assert_eq!(dialog.choice, RebuildChoice::Leases);
    click_on(&mut model, "[ ] 25");
    let Some(Overlay::Rebuild(dialog)) = model.overlays.last() else { panic!() };
    let ticked: Vec<bool> = dialog.leases.iter().map(|lease| lease.ticked).collect();
    assert_eq!(ticked, [false, true, false, false]);
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "2jL");
    click_on(&mut model, "( ) reset");
    click_on(&mut model, "( ) all");
    let Some(Overlay::Leases(dialog)) = model.overlays.last() else { panic!() };
    assert_eq!((dialog.deed, dialog.all), (LeaseDeed::Reset, true));
    click_on(&mut model, "( ) this one");
    let Some(Overlay::Leases(dialog)) = model.overlays.last() else { panic!() };
    assert_eq!((dialog.deed, dialog.all), (LeaseDeed::Reset, false));
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "i");
    click_on(&mut model, "( ) a scenario");
    click_on(&mut model, "burst");
    let Some(Overlay::Insert(form)) = model.overlays.last() else { panic!() };
    assert_eq!((form.mode, form.chosen().unwrap().1.name.as_str()), (InsertMode::Scenario, "burst"));
    click_on(&mut model, "( ) at a rate");
    click_on(&mut model, "per second");
    let Some(Overlay::Insert(form)) = model.overlays.last() else { panic!() };
    assert_eq!((form.mode, form.focus), (InsertMode::Rate, 1));
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "E");
    click_on(&mut model, "( ) csv");
    let Some(Overlay::Export(dialog)) = model.overlays.last() else { panic!() };
    assert_eq!(dialog.form().extension(), "csv");
}

#[test]
fn rows_of_dialogs_are_selected_and_opened() {
    let mut model = running();
    keys(&mut model, "v");
    tell(&mut model, fixture::verified());
    // Four lines above the list; the second finding.
    let (x, y) = place(&model, "Verify shop/prices");
    click(&mut model, x, y + 6);
    let Some(Overlay::Verify(dialog)) = model.overlays.last() else { panic!("{}", text(&model)) };
    assert_eq!(dialog.cursor, 1);
    let effects = click(&mut model, x, y + 6);
    assert!(matches!(effects[..], [Effect::Send(Command::ShowDocument { .. })]), "{effects:?}");
    assert_eq!(model.context(), Context::Follow);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "W");
    let Some(Overlay::Tree(tree)) = model.overlays.last() else { panic!() };
    let path = tree.rows().last().unwrap().path.clone();
    let rows = tree.rows().len();
    let y = place(&model, "Keys as a tree").1 + u16::try_from(rows.min(35)).unwrap();
    click(&mut model, 20, y);
    let Some(Overlay::Tree(tree)) = model.overlays.last() else { panic!() };
    assert!(tree.place() > 0, "{path}");
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "D");
    tell(&mut model, [views::dead_letters()]);
    let Some(Overlay::Letters(letters)) = model.overlays.last() else { panic!() };
    let last = letters.rows().len() - 1;
    assert!(last > 0);
    let y = place(&model, "Dead letters").1 + 1 + u16::try_from(last).unwrap();
    click(&mut model, 20, y);
    let Some(Overlay::Letters(letters)) = model.overlays.last() else { panic!() };
    assert_eq!(letters.place(), last);
    click(&mut model, 20, y);
    assert_eq!(model.context(), Context::Preview, "a double click opens it");
}

#[test]
fn the_palette_takes_clicks() {
    let mut model = running();
    keys(&mut model, ":theme");
    click_on(&mut model, "theme: light");
    assert_eq!(model.theme_title(), "terminal", "the first click selects");
    click_on(&mut model, "theme: light");
    assert_eq!((model.theme_title(), model.context()), ("light", Context::Main));
}

#[test]
fn the_wheel_scrolls_what_is_under_the_pointer() {
    let mut model = running();
    wheel(&mut model, "Cache · ", true);
    assert_eq!(model.focus, Pane::Cache);
    assert!(model.cache.cursor().is_some());
    keys(&mut model, "?");
    wheel(&mut model, "Keys", true);
    let Some(Overlay::Help { scroll, .. }) = model.overlays.last() else { panic!() };
    assert_eq!(*scroll, 3);
    mouse(&mut model, MouseEventKind::ScrollDown, 0, 1);
    let Some(Overlay::Help { scroll, .. }) = model.overlays.last() else { panic!() };
    assert_eq!(*scroll, 3, "not what lies beside it");
    press(&mut model, KeyCode::Esc);
    keys(&mut model, ":");
    wheel(&mut model, "Commands", true);
    let Some(Overlay::Palette(palette)) = model.overlays.last() else { panic!() };
    assert_eq!(palette.cursor, 3);
    press(&mut model, KeyCode::Esc);
    keys(&mut model, "b");
    tell(&mut model, [Event::RebuildPlan(Box::new(fixture::plan()))]);
    let effects = wheel(&mut model, "Rebuild the cache", true);
    assert!(effects.is_empty(), "the wheel chooses no mode");
    press(&mut model, KeyCode::Esc);
    keys(&mut model, "j");
    let asked = keys(&mut model, "\n");
    tell(&mut model, [fixture::document(&asked, false)]);
    keys(&mut model, "e");
    let Some(Overlay::Edit(editor)) = model.overlays.last() else { panic!() };
    let before = editor.text.cursor();
    wheel(&mut model, "Edit p-", true);
    let Some(Overlay::Edit(editor)) = model.overlays.last() else { panic!() };
    assert_eq!(editor.text.cursor().0, before.0 + 3);
}

#[test]
fn tabs_are_clicked_and_rows_opened_by_two_clicks() {
    let mut model = model(80, 24);
    tell(&mut model, fixture::running());
    click_on(&mut model, "3 Cache");
    assert_eq!(model.focus, Pane::Cache);
    click_on(&mut model, "1 Feed");
    let (x, y) = place(&model, "p-000731");
    click(&mut model, x, y);
    assert_eq!(model.thread.name(), Some("p-000731"));
    let effects = click(&mut model, x, y);
    assert!(matches!(effects[..], [Effect::Send(Command::ShowDocument { .. })]), "{effects:?}");
}

#[test]
fn help_tells_what_the_mouse_does_where_it_does() {
    let mut model = running();
    keys(&mut model, "?G");
    keys(&mut model, &"j".repeat(60));
    assert!(text(&model).contains("double click"), "{}", text(&model));
    model.options.mouse = false;
    assert!(!text(&model).contains("double click"));
}
