//! How the panes share the screen: presets, borders that are moved, panes that are hidden.

use ratatui::layout::Position;

use crate::tui::{
    keymap::Action,
    layout::{self, LOWER, Shape, Splitter, UPPER},
    model::{Arrangement, Model, Pane, Preset},
};

/// Columns that a key moves a border.
const COLUMNS: i32 = 4;
/// Lines that a key moves the border between the rows.
const ROWS: i32 = 2;

/// Does one of the actions of this room; others do nothing.
pub(super) fn act(model: &mut Model, action: Action) {
    match action {
        Action::Layout(preset) => set(model, preset),
        Action::NextLayout => set(model, model.arrangement.next()),
        Action::Toggle(pane) => show(model, pane, model.arrangement.is_hidden(pane)),
        Action::Hide => show(model, model.focus, false),
        Action::ShowAll => {
            model.zoomed = false;
            for pane in Pane::ALL {
                model.arrangement.set_hidden(pane, false);
            }
            model.say("all panes are shown");
        }
        Action::Wider => widen(model, COLUMNS),
        Action::Narrower => widen(model, -COLUMNS),
        Action::Taller => heighten(model, ROWS),
        Action::Lower => heighten(model, -ROWS),
        _ => {}
    }
}

fn set(model: &mut Model, preset: Preset) {
    model.arrangement = Arrangement::of(preset);
    model.zoomed = preset == Preset::Reading;
    let narrow = if layout::frame(model).shape == Shape::Tabs { ", once the screen is wider" } else { "" };
    model.say(format!("layout {}{narrow}", preset.name()));
}

/// Shows a pane or hides it; the focus goes to one that is in sight.
pub(super) fn show(model: &mut Model, pane: Pane, shown: bool) {
    if !model.arrangement.set_hidden(pane, !shown) {
        model.say("the last pane stays");
        return;
    }
    let title = pane.title();
    if shown {
        model.say(format!("{title} is shown"));
        return;
    }
    if model.focus == pane {
        let next = Pane::ALL.into_iter().find(|pane| !model.arrangement.is_hidden(*pane));
        model.focus = next.unwrap_or(pane);
    }
    let key = model.key(Action::ShowAll);
    model.say(format!("{title} is hidden: {key} shows all panes"));
}

/// Moves the border at the right of the focused pane, or at its left where it is the last of its row.
fn widen(model: &mut Model, by: i32) {
    let frame = layout::frame(model);
    let row = frame.row(model.focus);
    let place = row.iter().position(|(pane, _)| *pane == model.focus).unwrap_or(0);
    let (first, second, by) = match (row.get(place), row.get(place + 1)) {
        (Some(this), Some(next)) => (*this, *next, by),
        (Some(this), None) if place > 0 => (row[place - 1], *this, -by),
        _ => return model.say("there is no pane beside this one"),
    };
    let columns = u16::try_from((i32::from(first.1) + by).max(0)).unwrap_or(0);
    model.arrangement.set_columns(&row, first.0, second.0, columns);
}

/// Moves the border between the rows.
fn heighten(model: &mut Model, by: i32) {
    let frame = layout::frame(model);
    let Some(lower) = lower(&frame).filter(|_| frame.shape == Shape::Wide) else {
        return model.say("there is no row above or below this one");
    };
    let by = if UPPER.contains(&model.focus) { -by } else { by };
    let lines = u16::try_from((i32::from(lower) + by).max(0)).unwrap_or(0);
    model.arrangement.set_lower(lines, frame.body.height);
}

/// Lines of the lower row, where there are both.
fn lower(frame: &layout::Frame) -> Option<u16> {
    let of = |panes: &[Pane]| panes.iter().map(|pane| frame.pane(*pane).height).max().unwrap_or(0);
    let (upper, lower) = (of(&UPPER), of(&LOWER));
    (upper > 0 && lower > 0).then_some(lower)
}

/// The mouse moves a border to a place.
pub(super) fn drag(model: &mut Model, splitter: Splitter, at: Position) {
    let frame = layout::frame(model);
    match splitter {
        Splitter::Columns(first, second) => {
            let area = frame.pane(first);
            if !area.is_empty() && !frame.pane(second).is_empty() {
                let columns = at.x.saturating_add(1).saturating_sub(area.x);
                model.arrangement.set_columns(&frame.row(first), first, second, columns);
            }
        }
        Splitter::Rows => {
            if frame.shape == Shape::Wide && lower(&frame).is_some() {
                let lines = frame.body.bottom().saturating_sub(at.y);
                model.arrangement.set_lower(lines, frame.body.height);
            }
        }
    }
}
