//! How the panes share the screen: borders that are dragged, panes that are hidden, presets.

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::fixture::{self, keys, model, press, tell, text};
use crate::tui::{
    Arrangement, Model, Preset, ScreenOptions,
    layout::{self, Shape},
    model::Pane,
    update::{Effect, Msg, update},
};

fn running(width: u16, height: u16) -> Model {
    let mut model = model(width, height);
    tell(&mut model, fixture::running());
    model
}

pub(super) fn mouse(model: &mut Model, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    update(model, Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

pub(super) fn click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    let effects = mouse(model, MouseEventKind::Down(MouseButton::Left), column, row);
    mouse(model, MouseEventKind::Up(MouseButton::Left), column, row);
    effects
}

fn drag(model: &mut Model, from: (u16, u16), to: (u16, u16)) {
    mouse(model, MouseEventKind::Down(MouseButton::Left), from.0, from.1);
    mouse(model, MouseEventKind::Drag(MouseButton::Left), to.0, to.1);
    mouse(model, MouseEventKind::Up(MouseButton::Left), to.0, to.1);
}

fn widths(model: &Model) -> [u16; 5] {
    let frame = layout::frame(model);
    Pane::ALL.map(|pane| frame.pane(pane).width)
}

#[test]
fn the_border_between_columns_goes_where_it_is_dragged() {
    let mut model = running(120, 40);
    let frame = layout::frame(&model);
    let feed = frame.pane(Pane::Feed);
    drag(&mut model, (feed.right() - 1, feed.y + 5), (59, feed.y + 9));
    let after = widths(&model);
    assert_eq!(after[0], 60, "the border lies under the pointer");
    assert_eq!(after[0] + after[1] + after[2], 120);
    assert_eq!(after[2], frame.pane(Pane::Cache).width, "only its neighbours give and take");
    // From the other side of the border, and beyond what the neighbour can give.
    let leases = layout::frame(&model).pane(Pane::Leases);
    drag(&mut model, (leases.x, leases.y + 5), (500, 5));
    assert!(widths(&model)[1] >= 18, "{:?}", widths(&model));
    // Elsewhere nothing is dragged.
    let before = widths(&model);
    drag(&mut model, (10, 10), (60, 20));
    mouse(&mut model, MouseEventKind::Drag(MouseButton::Left), 30, 9);
    assert_eq!(widths(&model), before);
}

#[test]
fn the_border_between_the_rows_goes_where_it_is_dragged() {
    let mut model = running(120, 40);
    let strip = layout::frame(&model).pane(Pane::Latency);
    drag(&mut model, (20, strip.y), (20, 20));
    assert_eq!(layout::frame(&model).pane(Pane::Latency).y, 20);
    drag(&mut model, (20, 19), (20, 0));
    let frame = layout::frame(&model);
    assert_eq!(frame.pane(Pane::Feed).height, 5, "what is above keeps its least");
    drag(&mut model, (20, frame.pane(Pane::Latency).y), (20, 200));
    assert_eq!(layout::frame(&model).pane(Pane::Latency).height, 5);
}

#[test]
fn keys_move_the_borders() {
    let mut model = running(120, 40);
    let before = widths(&model);
    keys(&mut model, "]");
    assert_eq!(widths(&model)[0], before[0] + 4);
    keys(&mut model, "3]");
    assert_eq!(widths(&model)[2], before[2] + 4, "the last one takes from the left");
    keys(&mut model, "[");
    assert_eq!(widths(&model)[2], before[2]);
    let height = |model: &Model| layout::frame(model).pane(Pane::Cache).height;
    let before = height(&model);
    keys(&mut model, "{");
    assert_eq!(height(&model), before - 2);
    keys(&mut model, "5{");
    assert_eq!(height(&model), before, "the lower row lower is the upper one taller");
}

#[test]
fn a_hidden_pane_leaves_its_room_and_comes_back() {
    let mut model = running(120, 40);
    keys(&mut model, "2c");
    assert_eq!(widths(&model)[1], 0);
    assert_eq!(widths(&model)[0] + widths(&model)[2], 120);
    assert_ne!(model.focus, Pane::Leases, "keys go to what is in sight");
    assert!(text(&model).contains("not shown  2 Leases"), "{}", text(&model));
    for _ in 0..10 {
        press(&mut model, KeyCode::Tab);
        assert_ne!(model.focus, Pane::Leases);
    }
    keys(&mut model, "2");
    assert!(widths(&model)[1] > 0, "who goes to it sees it");
    keys(&mut model, "1");
    assert_eq!(widths(&model)[1], 0);
    keys(&mut model, "0");
    assert_eq!(widths(&model), widths(&running(120, 40)));
    keys(&mut model, "cccccccc");
    assert!(widths(&model).iter().any(|width| *width > 0), "the last one stays");
}

#[test]
fn marks_hide_and_show() {
    let mut model = running(120, 40);
    let feed = layout::frame(&model).pane(Pane::Feed);
    click(&mut model, feed.right() - 3, feed.bottom() - 1);
    assert_eq!(widths(&model)[0], 0);
    let shelf = layout::frame(&model).shelf;
    let column = text(&model).lines().nth(usize::from(shelf.y)).unwrap().find("1 Feed").unwrap();
    click(&mut model, u16::try_from(column).unwrap(), shelf.y);
    assert_eq!((widths(&model)[0] > 0, model.focus), (true, Pane::Feed));
    assert_eq!(model.arrangement.hidden().count(), 0, "for good");
    keys(&mut model, "f");
    let last = layout::frame(&model).body.bottom() - 1;
    click(&mut model, 120 - 3, last);
    assert!(!model.zoomed);
}

#[test]
fn what_is_not_shown_still_tells_its_trouble() {
    let mut model = running(120, 40);
    keys(&mut model, "3c1");
    tell(&mut model, [fixture::redis_down()]);
    let all = text(&model);
    assert!(all.contains("3 Cache ! no Redis at 127.0.0.1:6379"), "{all}");
    let mut model = running(120, 40);
    keys(&mut model, "1f");
    assert!(layout::frame(&model).shelf.is_empty(), "nothing to tell");
    tell(&mut model, [fixture::redis_down()]);
    assert!(text(&model).contains("3 Cache ! no Redis at"), "{}", text(&model));
    let mut model = running(80, 24);
    tell(&mut model, [fixture::redis_down()]);
    assert!(text(&model).contains("3 Cache !"), "{}", text(&model));
}

#[test]
fn the_key_goes_through_the_presets_and_names_them() {
    let mut model = running(120, 40);
    let mut seen = Vec::new();
    for _ in Preset::ALL {
        keys(&mut model, "p");
        seen.push(model.notice().unwrap().to_owned());
    }
    assert_eq!(
        seen,
        [
            "layout feed",
            "layout cache",
            "layout leases",
            "layout latency",
            "layout reading",
            "layout balanced"
        ]
    );
    assert_eq!(model.arrangement, Arrangement::default());
}

#[test]
fn it_begins_as_it_was_left_and_narrow_screens_have_tabs() {
    let mut before = running(120, 40);
    keys(&mut before, "]]5c");
    let kept = before.arrangement.to_string();
    let options = ScreenOptions { arrangement: Arrangement::parse(&kept).unwrap(), ..before.options.clone() };
    let mut after = Model::new(options, before.size, fixture::start());
    tell(&mut after, fixture::running());
    assert_eq!(widths(&after), widths(&before), "{kept}");
    update(&mut after, Msg::Resize(80, 24));
    assert_eq!(layout::frame(&after).shape, Shape::Tabs);
    let tabs = text(&after);
    assert!(tabs.contains("5 Log"), "{tabs}");
}
