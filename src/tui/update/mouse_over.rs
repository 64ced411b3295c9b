//! Clicks and the wheel over what lies over the panes: rows, choices, hints, and the world outside.

use ratatui::layout::Position;

use super::{Effect, act, bookmarks, edit, follow, lease_deeds, rebuild, typing};
use crate::{
    engine::LeaseDeed,
    tui::{
        keymap::{Action, Context},
        layout,
        model::{Model, Overlay, RebuildChoice},
        view::{self, clickable, insert, sheet::Spot},
    },
};

/// Rows that one notch of the wheel moves.
const WHEEL_ROWS: usize = 3;
/// The same, up or down.
const WHEEL_LINES: isize = 3;

/// A click; `double` = the second on one place.
pub(super) fn click(model: &mut Model, at: Position, double: bool) -> Vec<Effect> {
    let context = model.context();
    let Some(area) = clickable::area(model) else { return Vec::new() };
    if !area.contains(at) {
        return outside(model, context);
    }
    on_row(model, at, double)
}

/// A click beside a dialog closes it, as its own key would, unless something would be lost.
fn outside(model: &mut Model, context: Context) -> Vec<Effect> {
    if let Some(what) = model.overlays.last().and_then(Overlay::unsaved) {
        let back = model.key_in(context, Action::Back);
        model.say(format!("{what} would be lost: {back} leaves it"));
        return Vec::new();
    }
    act::act(model, context, Action::Back)
}

fn on_row(model: &mut Model, at: Position, double: bool) -> Vec<Effect> {
    let body = layout::frame(model).body;
    let context = model.context();
    let mut top = model.overlays.pop();
    let mut then = None;
    match &mut top {
        Some(Overlay::Follow(follow)) => {
            let effects = follow::click(model, follow, at);
            model.overlays.extend(top);
            return effects;
        }
        Some(Overlay::Edit(editor)) => {
            if let Some((row, column)) = view::editor::hit(model, editor, body, at) {
                editor.text.go(row, column);
            }
        }
        Some(Overlay::Preview(preview)) => {
            if let Some((on_jq, column)) = view::preview::hit(model, preview, body, at) {
                preview.on_jq = on_jq;
                typing::point(preview.focused(), 0, column);
            }
        }
        Some(Overlay::Palette(state)) => {
            if let Some((hidden, column)) = view::palette::typed_at(model, state, at) {
                typing::point(&mut state.input, hidden, column);
            }
            if let Some(row) = view::palette::hit(model, state, at) {
                // What is under the cursor is done by a click on it.
                then = (state.cursor == row).then_some(Action::Submit);
                state.cursor = row;
            }
        }
        Some(Overlay::Letters(letters)) => {
            if let Some(place) = view::letters::hit(model, letters, body, at) {
                letters.go(place);
                then = double.then_some(Action::Preview);
            }
        }
        Some(Overlay::Bookmarks(dialog)) => {
            if let Some(place) = view::bookmarks::hit(model, dialog, body, at) {
                model.overlays.extend(top);
                return bookmarks::click(model, place);
            }
        }
        Some(Overlay::Tree(tree)) => {
            if let Some(place) = view::tree::hit(tree, body, at) {
                let from = isize::try_from(tree.place()).unwrap_or(0);
                tree.step(isize::try_from(place).unwrap_or(0) - from);
                then = double.then_some(Action::Submit);
            }
        }
        Some(Overlay::Verify(dialog)) if !dialog.asking => {
            if let Some(place) = view::verify::hit(model, dialog, body, at) {
                dialog.cursor = place;
                then = double.then_some(Action::Submit);
            }
        }
        Some(Overlay::Export(dialog)) => {
            if let Some(form) = view::export::hit(body, at) {
                dialog.choose(form);
            }
        }
        Some(Overlay::Insert(form)) => match insert::hit(form, body, at) {
            Some(insert::Spot::Mode(mode)) => form.set_mode(mode),
            Some(insert::Spot::Line(line, text)) => {
                form.focus = line;
                if let (Some((hidden, column)), Some(input)) = (text, form.focused()) {
                    typing::point(input, hidden, column);
                }
            }
            Some(insert::Spot::Scenario(place)) => form.choose_scenario(place),
            None => {}
        },
        _ => {}
    }
    let spot = match &top {
        Some(Overlay::Rebuild(dialog)) if !dialog.started => view::rebuild::hit(model, dialog, body, at),
        Some(Overlay::Leases(dialog)) if !dialog.agreement.started => {
            view::lease_dialog::hit(model, dialog, body, at)
        }
        Some(Overlay::Restore(dialog)) if !dialog.agreement.started => {
            view::restore::hit(model, dialog, body, at)
        }
        _ => None,
    };
    model.overlays.extend(top);
    match (spot, then) {
        (Some(spot), _) => choose(model, spot, at),
        (None, Some(action)) => act::act(model, context, action),
        (None, None) => Vec::new(),
    }
}

/// Makes a choice in a dialog of choices.
fn choose(model: &mut Model, spot: Spot, at: Position) -> Vec<Effect> {
    match (model.overlays.last_mut(), spot) {
        (Some(Overlay::Rebuild(_)), Spot::Choice(place)) => match RebuildChoice::ALL.get(place) {
            // Where its time is typed already it is pointed at, and chosen no second time.
            Some(RebuildChoice::Since) if typed_time(model, at) => Vec::new(),
            Some(choice) => rebuild::choose(model, *choice),
            None => Vec::new(),
        },
        (Some(Overlay::Rebuild(dialog)), Spot::Tick(place)) => {
            dialog.cursor = view::rebuild::first_listed(dialog) + place;
            act::act(model, Context::Rebuild, Action::Tick)
        }
        (Some(Overlay::Leases(dialog)), Spot::Choice(place)) => {
            let (deed, all) = match (LeaseDeed::ALL.get(place), place - place.min(LeaseDeed::ALL.len())) {
                (Some(deed), _) => (*deed, dialog.all),
                (None, which) => (dialog.deed, which > 0),
            };
            lease_deeds::choose(model, deed, all)
        }
        (Some(Overlay::Restore(_)), Spot::Choice(place)) => bookmarks::take_one(model, place > 0),
        _ => Vec::new(),
    }
}

/// A click on the line of a time that is typed: the cursor goes there; `false` = none is typed.
fn typed_time(model: &mut Model, at: Position) -> bool {
    let body = layout::frame(model).body;
    let Some(Overlay::Rebuild(dialog)) = model.overlays.last().filter(|top| top.context().takes_text())
    else {
        return false;
    };
    let from = view::rebuild::time_column(model, dialog, body);
    if let Some(Overlay::Rebuild(dialog)) = model.overlays.last_mut() {
        typing::point(&mut dialog.since, 0, usize::from(at.x.saturating_sub(from)));
    }
    true
}

/// A notch of the wheel: moves the list or the page under the pointer.
pub(super) fn wheel(model: &mut Model, at: Position, up: bool) -> Vec<Effect> {
    let context = model.context();
    if clickable::area(model).is_none_or(|area| !area.contains(at)) {
        return Vec::new();
    }
    let body = layout::frame(model).body;
    let rows = |up: bool| if up { Action::Up } else { Action::Down };
    let on_letters = matches!(
        model.overlays.last(),
        Some(Overlay::Letters(letters)) if view::letters::hit(model, letters, body, at).is_some()
    );
    // Over the list the wheel selects; over the comparison it scrolls.
    let on_bookmarks = matches!(
        model.overlays.last(),
        Some(Overlay::Bookmarks(dialog)) if view::bookmarks::is_list(model, dialog, body, at)
    );
    let (action, times) = match model.overlays.last_mut() {
        Some(Overlay::Edit(_)) => {
            edit::scroll(model, if up { -WHEEL_LINES } else { WHEEL_LINES });
            return Vec::new();
        }
        // Another choice would ask for another plan: the wheel only looks.
        Some(Overlay::Rebuild(dialog)) => {
            dialog.scroll = dialog.scroll.saturating_add_signed(if up { -3 } else { 3 });
            let dialog = dialog.clone();
            let most = view::rebuild::overflow(model, &dialog);
            if let Some(Overlay::Rebuild(dialog)) = model.overlays.last_mut() {
                dialog.scroll = dialog.scroll.min(most);
            }
            return Vec::new();
        }
        Some(Overlay::Leases(dialog)) => {
            dialog.scroll = dialog.scroll.saturating_add_signed(if up { -3 } else { 3 });
            let dialog = dialog.clone();
            let most = view::lease_dialog::overflow(model, &dialog);
            if let Some(Overlay::Leases(dialog)) = model.overlays.last_mut() {
                dialog.scroll = dialog.scroll.min(most);
            }
            return Vec::new();
        }
        Some(Overlay::Letters(_)) if !on_letters => (if up { Action::PageUp } else { Action::PageDown }, 1),
        Some(Overlay::Bookmarks(_)) if on_bookmarks => (rows(up), 1),
        Some(Overlay::Bookmarks(_) | Overlay::Preview(_)) => {
            (if up { Action::PageUp } else { Action::PageDown }, 1)
        }
        Some(Overlay::Insert(_)) => (if up { Action::PreviousField } else { Action::NextField }, 1),
        Some(Overlay::Export(_)) => (rows(up), 1),
        Some(Overlay::Confirm(_)) | None => return Vec::new(),
        Some(_) => (rows(up), WHEEL_ROWS),
    };
    // Completing a path is nothing for a wheel.
    if matches!(model.overlays.last(), Some(Overlay::Insert(form)) if form.path().is_some() && action == Action::NextField)
    {
        return Vec::new();
    }
    (0..times).flat_map(|_| act::act(model, context, action)).collect()
}
