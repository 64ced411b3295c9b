//! Bookmarks of lease positions: the list, the comparison, going back, deleting; by keys and by mouse.

use crossterm::event::{KeyCode, MouseEventKind};

use super::{
    arrange::{click, mouse},
    fixture::{self, chord, keys, model, press, tell, text},
    views::{self, answer_bookmarks, asked, bookmark_answer},
};
use crate::{
    engine::{BookmarkAsk, Command, Event, RestoreOrder},
    tui::{
        Model,
        keymap::Context,
        model::Overlay,
        update::{Effect, Msg, update},
    },
};

fn opened(width: u16, height: u16) -> Model {
    let mut model = model(width, height);
    views::bookmarks(&mut model);
    model
}

fn place(model: &Model, words: &str) -> (u16, u16) {
    let text = text(model);
    let found =
        text.lines().enumerate().find_map(|(y, line)| Some((line[..line.find(words)?].chars().count(), y)));
    let (x, y) = found.unwrap_or_else(|| panic!("no `{words}` in\n{text}"));
    (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
}

fn sent(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Send(_))).count()
}

#[test]
fn the_list_opens_over_the_leases_and_from_the_palette_and_compares_what_is_selected() {
    let mut model = model(120, 40);
    tell(&mut model, fixture::running());
    chord(&mut model, 'p');
    let question = asked(&keys(&mut model, "bookmarks of lease\n"));
    assert_eq!((model.context(), &question.ask), (Context::Bookmarks, &BookmarkAsk::List));
    press(&mut model, KeyCode::Esc);
    let list = asked(&keys(&mut model, "Lb"));
    assert_eq!((model.context(), model.overlays.len()), (Context::Bookmarks, 2));
    assert!(tell(&mut model, [bookmark_answer(&question)]).is_empty(), "the answer to an older question");
    assert!(text(&model).contains("reading the bookmarks"), "{}", text(&model));

    let compare = tell(&mut model, [bookmark_answer(&list)]);
    assert_eq!(asked(&compare).ask, BookmarkAsk::Compare("before-sale".to_owned()));
    assert!(text(&model).contains("◐ comparing with the leases of now"), "{}", text(&model));
    tell(&mut model, [bookmark_answer(&asked(&compare))]);
    let shown = text(&model);
    for words in [
        "2026-11-23 13:57       5m       6",
        "! unreadable: it is no bookmark: EOF",
        "7 of 8 leases differ; going back delivers 1,300 LSNs again",
        "20,000        21,284      +1,284",
        "-10  behind it: would stay",
        "+14  moved on; part of",
        "gone since",
        "new since",
        "same as  syncscope leases diff before-sale --cosmos",
    ] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }

    let other = press(&mut model, KeyCode::Down);
    assert_eq!(asked(&other).ask, BookmarkAsk::Compare("screen-20261120-091244".to_owned()));
    tell(&mut model, [bookmark_answer(&asked(&compare))]);
    assert!(text(&model).contains("◐ comparing"), "the one before is not looked at any more");
    tell(&mut model, [bookmark_answer(&asked(&other))]);
    assert!(text(&model).contains("cannot be compared: Cosmos is not connected"), "{}", text(&model));
    assert!(press(&mut model, KeyCode::Down).is_empty(), "what cannot be read is not compared");
    assert!(text(&model).contains("it cannot be read: it is no bookmark"), "{}", text(&model));
    assert!(press(&mut model, KeyCode::Enter).is_empty());
    assert!(model.notice().unwrap().contains("cannot be read"), "{:?}", model.notice());
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.context(), Context::Leases, "back to where it was opened");
}

#[test]
fn a_lease_that_moves_is_compared_again_and_one_that_only_beats_is_not() {
    let mut model = opened(120, 40);
    let mut snapshot = fixture::leases();
    snapshot.rows[0].heartbeat = Some(model.now);
    assert!(tell(&mut model, [Event::Leases(snapshot.clone())]).is_empty(), "a heartbeat moves nothing");
    snapshot.rows[0].continuation = Some("20119".to_owned());
    let again = tell(&mut model, [Event::Leases(snapshot.clone())]);
    assert_eq!(asked(&again).ask, BookmarkAsk::Compare("before-sale".to_owned()));
    assert!(text(&model).contains("+1,284"), "what was known stays until the answer comes");
    snapshot.rows[0].continuation = Some("20120".to_owned());
    assert!(tell(&mut model, [Event::Leases(snapshot.clone())]).is_empty(), "one question at a time");
    tell(&mut model, [bookmark_answer(&asked(&again))]);
    keys(&mut model, "d");
    snapshot.rows[0].continuation = Some("20121".to_owned());
    assert!(tell(&mut model, [Event::Leases(snapshot)]).is_empty(), "nobody looks at it now");
}

#[test]
fn going_back_is_planned_agreed_to_and_told() {
    let mut model = opened(120, 40);
    let plan = asked(&press(&mut model, KeyCode::Enter));
    let order = RestoreOrder { name: "before-sale".to_owned(), ..RestoreOrder::default() };
    assert_eq!((model.context(), &plan.ask), (Context::Restore, &BookmarkAsk::PlanRestore(order.clone())));
    assert!(keys(&mut model, "\n").is_empty(), "there is no plan yet");
    tell(&mut model, [bookmark_answer(&plan)]);
    let shown = text(&model);
    for words in [
        "! a live owner would lose them",
        "send exactly 3 leases in shop/leases back to before-sale",
        "back   acct_shop_prices..-0F",
        "21,284 → 20,000, 1,284 LSNs again  ● host-b, beat 9s",
        "◐ host-a, expired",
        "stays  acct_shop_prices..0F-1F  it is there already",
        "stays  acct_shop_prices..2F-37  going forward would lose changes",
        "stays  acct_shop_prices..3D-FF  it is not in the bookmark",
        "Not touched: 4 other leases of this prefix, 3 leases of 1 other prefix, the source",
        "1,300 LSNs and what comes meanwhile are delivered again",
        "same as  syncscope leases restore before-sale --cosmos",
    ] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    assert!(keys(&mut model, "\n").is_empty(), "host-b is alive");
    let done = asked(&keys(&mut model, "t\n"));
    assert_eq!(done.ask, BookmarkAsk::Restore(RestoreOrder { take_over: true, ..order }));
    assert!(keys(&mut model, "\n").is_empty(), "once");
    update(&mut model, Msg::Refused(Command::Bookmarks(done)));
    let done = asked(&keys(&mut model, "\n"));
    assert!(matches!(done.ask, BookmarkAsk::Restore(_)), "the engine was busy: asked again");
    tell(&mut model, [bookmark_answer(&done)]);
    let shown = text(&model);
    assert!(shown.contains("! 2 leases back at bookmark before-sale"), "{shown}");
    assert!(shown.contains("left: acct_shop_prices..27-2F: quicker owns it now"), "{shown}");
    let back = press(&mut model, KeyCode::Esc);
    assert_eq!(model.context(), Context::Bookmarks);
    assert_eq!(asked(&back).ask, BookmarkAsk::Compare("before-sale".to_owned()), "the leases have moved");
    tell(&mut model, [bookmark_answer(&done)]);
    assert!(model.notice().is_some_and(|notice| notice.contains("1 left")), "told although it is closed");
}

#[test]
fn the_selected_lease_alone_can_go_back() {
    let mut model = model(120, 40);
    views::going_back(&mut model);
    let id = model.leases.cursor.clone().unwrap();
    keys(&mut model, "t");
    let plan = asked(&press(&mut model, KeyCode::Tab));
    let only = RestoreOrder { name: "before-sale".to_owned(), only: vec![id], take_over: false };
    assert_eq!(plan.ask, BookmarkAsk::PlanRestore(only), "what was agreed to for all is not for one");
    tell(&mut model, [bookmark_answer(&plan)]);
    let shown = text(&model);
    assert!(shown.contains("send exactly 1 lease in") && shown.contains("Not touched: 6 other"), "{shown}");
    assert!(shown.contains("syncscope leases restore before-sale --lease '"), "{shown}");
    let (x, y) = place(&model, "( ) all");
    let all = asked(&click(&mut model, x, y));
    assert!(matches!(all.ask, BookmarkAsk::PlanRestore(order) if order.only.is_empty()));
}

#[test]
fn a_bookmark_is_saved_and_deleted_from_the_list() {
    let mut model = opened(120, 40);
    let saving = keys(&mut model, "B");
    assert_eq!(sent(&saving), 1);
    assert_eq!(sent(&keys(&mut model, "B")), 0, "the first is still being saved");
    let list = tell(&mut model, [views::saved(&saving, Ok(7))]);
    assert_eq!(asked(&list).ask, BookmarkAsk::List, "it comes into the list");
    let shown = text(&model);
    assert!(shown.contains("✓ bookmark screen-20261123-140212 keeps the positions of 7 leases"), "{shown}");
    let Some(Effect::Copy(line)) = keys(&mut model, "y").pop() else { panic!() };
    assert!(line.starts_with("syncscope leases save screen-20261123-140212 --cosmos"), "{line}");
    answer_bookmarks(&mut model, &list);
    press(&mut model, KeyCode::Down);
    let Some(Effect::Copy(line)) = keys(&mut model, "y").pop() else { panic!() };
    assert!(line.starts_with("syncscope leases diff screen-20261120-091244"), "{line}");

    assert!(keys(&mut model, "d").is_empty(), "it asks first");
    let shown = text(&model);
    assert!(shown.contains("│ screen-20261120-091244. No lease is touched"), "{shown}");
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.context(), Context::Bookmarks);
    keys(&mut model, "d");
    let gone = keys(&mut model, "\n");
    assert_eq!(asked(&gone).ask, BookmarkAsk::Delete("screen-20261120-091244".to_owned()));
    answer_bookmarks(&mut model, &gone);
    let Some(Overlay::Bookmarks(dialog)) = model.overlays.last() else { panic!() };
    assert_eq!((dialog.rows().len(), dialog.place()), (2, 1), "the cursor stays at its place");
    assert!(model.notice().unwrap().contains("deleted the bookmark screen-20261120-091244"));
}

#[test]
fn the_mouse_selects_scrolls_and_takes_hints() {
    let mut model = opened(120, 24);
    let (x, y) = place(&model, "screen-20261120");
    let other = click(&mut model, x, y);
    assert_eq!(asked(&other).ask, BookmarkAsk::Compare("screen-20261120-091244".to_owned()));
    let back = mouse(&mut model, MouseEventKind::ScrollUp, x, y);
    assert_eq!(asked(&back).ask, BookmarkAsk::Compare("before-sale".to_owned()), "over the list it selects");
    answer_bookmarks(&mut model, &back);
    model.size.height = 18;
    let (x, y) = place(&model, "leases differ");
    assert!(mouse(&mut model, MouseEventKind::ScrollDown, x, y).is_empty());
    let Some(Overlay::Bookmarks(dialog)) = model.overlays.last() else { panic!() };
    assert!(dialog.scroll > 0, "over the comparison it scrolls\n{}", text(&model));
    let (x, y) = place(&model, "enter go back");
    let plan = click(&mut model, x, y);
    assert!(matches!(asked(&plan).ask, BookmarkAsk::PlanRestore(_)));
    answer_bookmarks(&mut model, &plan);
    let (x, y) = place(&model, "esc cancel");
    click(&mut model, x, y);
    assert_eq!(model.context(), Context::Bookmarks);
    click(&mut model, 60, 0);
    assert_eq!(model.context(), Context::Leases, "a click outside closes it");
}

#[test]
fn under_the_mask_what_a_file_holds_is_hidden_and_names_and_positions_are_not() {
    let mut model = opened(120, 40);
    keys(&mut model, "G");
    chord(&mut model, 'p');
    keys(&mut model, "mask ids\n");
    let shown = text(&model);
    assert!(shown.contains("cut-short") && !shown.contains("EOF"), "{shown}");
    keys(&mut model, "g");
    assert!(text(&model).contains("before-sale"), "{}", text(&model));
}
