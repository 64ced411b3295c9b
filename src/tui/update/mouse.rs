//! Clicks and the wheel: the same layout that was drawn says what is under the pointer.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{Effect, act, arrange, find, mouse_over, panes, typing};
use crate::tui::{
    keymap::Action,
    layout::{self, Line, Place},
    model::{Model, Overlay, Pane},
    view::{self, clickable, shelf::Spot},
};

/// Two clicks on one place within this time are one double click.
const DOUBLE_CLICK_MILLIS: i128 = 400;
/// Rows that one notch of the wheel moves.
const WHEEL_ROWS: isize = 3;

/// Takes a mouse event in.
pub(super) fn on_mouse(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    let at = Position { x: mouse.column, y: mouse.row };
    match mouse.kind {
        MouseEventKind::ScrollUp => wheel(model, at, true),
        MouseEventKind::ScrollDown => wheel(model, at, false),
        MouseEventKind::Down(MouseButton::Left) => {
            model.dragged = None;
            click(model, at)
        }
        MouseEventKind::Drag(MouseButton::Left) => {
            if let Some(splitter) = model.dragged {
                arrange::drag(model, splitter, at);
            }
            Vec::new()
        }
        MouseEventKind::Up(MouseButton::Left) => {
            model.dragged = None;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn wheel(model: &mut Model, at: Position, up: bool) -> Vec<Effect> {
    if !model.overlays.is_empty() {
        return mouse_over::wheel(model, at, up);
    }
    if let Some(pane) = layout::frame(model).hit(at) {
        model.focus = pane;
        panes::step(model, pane, if up { -WHEEL_ROWS } else { WHEEL_ROWS });
    }
    Vec::new()
}

/// The second click on one place within a short time.
fn is_double(model: &mut Model, at: Position) -> bool {
    let double = model.last_click.take().is_some_and(|(before, when)| {
        before == at && model.now.duration_since(when).as_millis() <= DOUBLE_CLICK_MILLIS
    });
    if !double {
        model.last_click = Some((at, model.now));
    }
    double
}

fn click(model: &mut Model, at: Position) -> Vec<Effect> {
    let frame = layout::frame(model);
    let context = model.context();
    if let Some((context, action)) = clickable::hint(model, at) {
        return act::act(model, context, action);
    }
    if frame.footer.contains(at) {
        if let Some((hidden, column)) = view::filter_line::hit(model, frame.footer, at) {
            typing::point(&mut model.filters[model.focus.index()].input, hidden, column);
        }
        return Vec::new();
    }
    if frame.tour.contains(at) {
        return Vec::new();
    }
    if let Some(Overlay::Verify(_)) = model.overlays.last()
        && let Some(column) = view::verify::title_at(model, frame.body, at)
    {
        find::click_findings(model, column);
        return Vec::new();
    }
    if !model.overlays.is_empty() {
        let double = is_double(model, at);
        return mouse_over::click(model, at, double);
    }
    if frame.tabs.contains(at) {
        if let Some(pane) = view::tabs::hit(model, frame.tabs, at.x) {
            model.focus = pane;
        }
        return Vec::new();
    }
    if frame.shelf.contains(at) {
        match view::shelf::hit(model, &frame, at.x) {
            Some(Spot::Pane(pane)) => {
                arrange::show(model, pane, true);
                model.focus = pane;
            }
            Some(Spot::All) => arrange::act(model, Action::ShowAll),
            None => {}
        }
        return Vec::new();
    }
    let Some(Place { pane, line }) = frame.place(model, at) else { return Vec::new() };
    if view::closing_mark(model, pane, frame.pane(pane)) == Some(at) {
        return act::act(model, context, if model.zoomed { Action::Zoom } else { Action::Hide });
    }
    model.dragged = frame.splitter(at);
    model.focus = pane;
    if let Some(column) = view::title_at(model, &frame, pane, at) {
        find::click(model, pane, column);
        return Vec::new();
    }
    if let Line::Row(row) = line {
        panes::click(model, &frame, pane, row);
    }
    let slow = view::latency::slow_at(model, frame.pane(Pane::Latency), at);
    if let Some(place) = slow {
        panes::point_at_slowest(model, place);
    }
    let rows = matches!(pane, Pane::Feed | Pane::Leases | Pane::Cache) && matches!(line, Line::Row(_));
    let opens = rows || slow.is_some();
    if is_double(model, at) && opens {
        return act::act(model, context, Action::Open);
    }
    Vec::new()
}
