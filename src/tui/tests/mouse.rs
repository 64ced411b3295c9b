//! The mouse: rows, choices, hints, tabs, the wheel, and the world outside of a dialog.

use crossterm::event::{KeyCode, MouseEventKind};

use super::{
    arrange::{click, mouse},
    fixture::{self, keys, model, place, press, tell, text},
    follow, running, views,
};
use crate::{
    engine::{Command, Event, LeaseDeed},
    tui::{
        Model,
        keymap::Context,
        model::{Follow, InsertMode, Look, Overlay, Pane, RebuildChoice},
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
}

/// A model of a size that follows a document.
fn following(size: (u16, u16), answer: fn(&[Effect]) -> Event) -> Model {
    let mut model = model(size.0, size.1);
    tell(&mut model, fixture::running());
    keys(&mut model, "jj");
    let asked = keys(&mut model, "\n");
    tell(&mut model, [answer(&asked)]);
    model
}

fn followed(model: &Model) -> &Follow {
    let Some(Overlay::Follow(follow)) = model.overlays.last() else { panic!("{}", text(model)) };
    follow
}

#[test]
fn the_slowest_are_selected_and_followed() {
    for (size, zoom) in [((80, 24), "4"), ((120, 40), "4f"), ((240, 60), "4f")] {
        let mut model = model(size.0, size.1);
        tell(&mut model, fixture::running());
        keys(&mut model, zoom);
        let (x, y) = place(&model, "the slowest");
        let id = model.latency.slowest[1].id.clone();
        click(&mut model, x, y + 2);
        assert_eq!((model.focus, model.slow_cursor), (Pane::Latency, Some(1)), "{}", text(&model));
        assert_eq!(model.thread.document.as_deref(), Some(id.as_str()));
        let effects = click(&mut model, x, y + 2);
        let [Effect::Send(Command::ShowDocument { id: asked, .. })] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(*asked, id);
    }
    let mut model = running();
    let before = model.slow_cursor;
    click_on(&mut model, "Latency ──");
    assert_eq!(model.slow_cursor, before, "its title is none of them");
}

#[test]
fn versions_of_a_document_are_chosen_by_a_click() {
    for size in [(80, 24), (120, 40)] {
        let mut model = following(size, |asked| fixture::document(asked, false));
        click_on(&mut model, "#2 14:01");
        assert_eq!(followed(&model).look, Look::Version(1), "{}", text(&model));
        let (x, y) = place(&model, "versions #");
        // The newest one, whatever is looked at.
        click(&mut model, x + 9, y);
        assert_eq!(followed(&model).look, Look::Version(0));
        click(&mut model, x + 9, y);
        assert_eq!(followed(&model).look, Look::Entry, "again: back to the entry");
        click(&mut model, x, y);
        assert_eq!(followed(&model).look, Look::Entry, "a word");
    }
}

/// A document of which the mapping makes two entries.
pub(super) fn two_entries(asked: &[Effect]) -> Event {
    let Event::Document(mut detail) = fixture::document(asked, false) else { unreachable!() };
    detail.keys.push("price:GB:p-000044:outdoor".to_owned());
    Event::Document(detail)
}

#[test]
fn other_entries_of_a_document_are_tabs() {
    let asks = |effects: &[Effect]| match effects {
        [Effect::Send(Command::ShowDocument { key, .. })] => key.clone(),
        other => panic!("{other:?}"),
    };
    let mut model = following((120, 40), two_entries);
    assert!(click_on(&mut model, "source shop").is_empty());
    let effects = click_on(&mut model, "price:GB:p-000044");
    assert_eq!(asks(&effects).as_deref(), Some("price:GB:p-000044:outdoor"));
    // Where they have no room beside each other, a click goes to the next one.
    let mut model = following((80, 24), two_entries);
    let effects = click_on(&mut model, "1 of 2");
    assert_eq!(asks(&effects).as_deref(), Some("price:GB:p-000044:outdoor"));
}

#[test]
fn a_fold_opens_where_it_is_and_the_wheel_scrolls_both_sides() {
    let mut model = following((120, 40), follow::large);
    let (x, y) = place(&model, "equal elements");
    click(&mut model, x, y);
    assert!(!text(&model).contains("equal elements"), "{}", text(&model));
    assert!(text(&model).lines().nth(usize::from(y) + 1).unwrap().contains("sku-000"), "{}", text(&model));
    let before = followed(&model).scroll;
    for (i, words) in ["source shop", "entry price"].into_iter().enumerate() {
        wheel(&mut model, words, true);
        assert_eq!(followed(&model).scroll, before + 3 * (i + 1));
    }
    assert!(click(&mut model, x, y).is_empty(), "a line that is none");
}

#[test]
fn a_click_in_the_editor_puts_the_cursor_there_and_the_wheel_scrolls() {
    let cursor = |model: &Model| match model.overlays.last() {
        Some(Overlay::Edit(editor)) => editor.text.cursor(),
        _ => panic!("{}", text(model)),
    };
    let mut model = following((120, 40), |asked| fixture::document(asked, false));
    keys(&mut model, "e");
    click_on(&mut model, "Rain coat");
    update(&mut model, Msg::Paste("long ".to_owned()));
    assert!(text(&model).contains("\"name\": \"long Rain coat\""), "{}", text(&model));
    let before = text(&model);
    wheel(&mut model, "\"market\"", true);
    assert_eq!(text(&model), before, "all of it is in sight");
    let (x, y) = place(&model, "\"market\"");
    click(&mut model, 118, y);
    let end = cursor(&model);
    click(&mut model, x, y);
    assert_eq!(
        (cursor(&model).0, cursor(&model).1 + "\"market\": \"GB\",".len()),
        end,
        "behind its last letter"
    );

    let mut model = following((80, 24), follow::large);
    keys(&mut model, "e");
    let (_, y) = place(&model, "\"id\"");
    wheel(&mut model, "\"id\"", true);
    assert!(!text(&model).contains("\"id\": \"p-000044\""), "{}", text(&model));
    assert_eq!(cursor(&model).0, 3, "never out of sight");
    click(&mut model, 10, y + 2);
    let shown = text(&model);
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Down);
    assert_eq!(text(&model), shown, "a click moves no line");
    for _ in 0..1_000 {
        wheel(&mut model, "Edit p-", true);
    }
    assert!(text(&model).contains("\n│ 1023 }") || text(&model).contains(" }  "), "{}", text(&model));
    // A line that is wider than the window is shown from where the cursor needs it.
    for _ in 0..1_000 {
        wheel(&mut model, "Edit p-", false);
    }
    click_on(&mut model, "\"text\"");
    press(&mut model, KeyCode::End);
    let end = cursor(&model).1;
    let (x, y) = place(&model, "and more. \",");
    click(&mut model, x, y);
    assert_eq!(cursor(&model).1, end - "and more. \",".len(), "{}", text(&model));
}

#[test]
fn a_click_in_a_line_that_is_typed_puts_the_cursor_there() {
    let mut model = running();
    keys(&mut model, "/kettle");
    click(&mut model, 5, 39);
    keys(&mut model, "_");
    assert_eq!(model.filters[0].value(), "ket_tle");
    keys(&mut model, "\n\u{1b}");
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "i");
    click_on(&mut model, "ice  ");
    let value = |model: &Model| match model.overlays.last() {
        Some(Overlay::Insert(form)) => (form.focus, form.lines()[form.focus].input.value().to_owned()),
        _ => panic!("{}", text(model)),
    };
    let (line, price) = value(&model);
    let (x, y) = place(&model, &price);
    click(&mut model, x + 1, y);
    keys(&mut model, "7");
    assert_eq!(value(&model), (line, format!("{}7{}", &price[..1], &price[1..])));
    press(&mut model, KeyCode::Esc);

    keys(&mut model, ":theme");
    click_on(&mut model, "heme  ");
    keys(&mut model, "x");
    let Some(Overlay::Palette(palette)) = model.overlays.last() else { panic!() };
    assert_eq!(palette.input.value(), "txheme");
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "P");
    click_on(&mut model, "jq    ");
    keys(&mut model, ".price");
    click_on(&mut model, "ice:{id}");
    keys(&mut model, "x");
    let Some(Overlay::Preview(preview)) = model.overlays.last() else { panic!() };
    assert_eq!((preview.key.value(), preview.jq.value()), ("prxice:{id}", ".price"));
    press(&mut model, KeyCode::Esc);

    keys(&mut model, "b");
    click_on(&mut model, "( ) since");
    keys(&mut model, "30m");
    let (x, y) = place(&model, "1h30m");
    click(&mut model, x + 2, y);
    press(&mut model, KeyCode::Backspace);
    press(&mut model, KeyCode::Backspace);
    let Some(Overlay::Rebuild(dialog)) = model.overlays.last() else { panic!() };
    assert_eq!((dialog.choice, dialog.since.value()), (RebuildChoice::Since, "30m"));
}

#[test]
fn a_hidden_pane_is_shown_by_its_tab() {
    let mut model = running();
    keys(&mut model, "3c2c1");
    update(&mut model, Msg::Resize(80, 24));
    for (tab, pane) in [("3 Cache", Pane::Cache), ("2 Leases", Pane::Leases), ("5 Log", Pane::Log)] {
        click_on(&mut model, tab);
        assert_eq!(model.focus, pane);
        assert!(text(&model).contains(match pane {
            Pane::Cache => "price:p-",
            Pane::Leases => "host-b",
            _ => "inserted 50",
        }));
    }
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
