//! The command palette: moving in it, and doing what was chosen, wherever that works.

use super::{Effect, act, find, insert, lease_deeds, overlay, rebuild, tour};
use crate::tui::{
    keymap::{Action, Context},
    model::{Deed, Model, Overlay, Palette, Which},
    view,
};

/// Opens it over whatever is there; while it is open, its key goes up as in a shell.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    if let Some(Overlay::Palette(palette)) = model.overlays.last_mut() {
        palette.cursor = palette.cursor.saturating_sub(1);
    } else {
        model.overlays.push(Overlay::Palette(Box::default()));
    }
    Vec::new()
}

/// A key in it; it was taken off the overlays.
pub(super) fn act(model: &mut Model, state: &Palette, action: Action) -> Vec<Effect> {
    let mut state = state.clone();
    if action == Action::Back {
        return Vec::new();
    }
    let rows = model.palette_rows(state.input.value());
    if action == Action::Submit {
        return rows.get(state.cursor).map_or_else(Vec::new, |row| choose(model, row.deed));
    }
    let page = view::palette::page(model);
    overlay::scroll_by(&mut state.cursor, action, page, rows.len().saturating_sub(1));
    model.overlays.push(Overlay::Palette(Box::new(state)));
    Vec::new()
}

/// Does what was chosen; the palette is closed by now.
pub(super) fn choose(model: &mut Model, deed: Deed) -> Vec<Effect> {
    model.remember(deed);
    match deed {
        Deed::Act(context, action) => act_in(model, context, action),
        Deed::OwnTheme(place) => {
            model.use_own_theme(place);
            model.say(format!("theme {}", model.theme_title()));
            Vec::new()
        }
        Deed::Insert(mode) => in_dialog(model, Action::Insert, |model| {
            if let Some(Overlay::Insert(form)) = model.overlays.last_mut() {
                form.set_mode(mode);
            }
            Vec::new()
        }),
        Deed::Rebuild(choice) => in_dialog(model, Action::Rebuild, |model| rebuild::choose(model, choice)),
        Deed::Leases(deed, which) => {
            in_dialog(model, Action::Leases, |model| lease_deeds::choose(model, deed, which == Which::All))
        }
        Deed::Sort(pane, column) => {
            if to_panes(model) {
                model.focus = pane;
                find::click(model, pane, column);
            }
            Vec::new()
        }
        Deed::Export(form) => in_dialog(model, Action::Export, |model| {
            if let Some(Overlay::Export(dialog)) = model.overlays.last_mut() {
                dialog.choose(form);
            }
            Vec::new()
        }),
    }
}

/// Opens a dialog from the panes, then makes a choice in it. The last question counts: the plan of the
/// choice that the dialog opens with is not asked for.
fn in_dialog(
    model: &mut Model,
    opens: Action,
    choice: impl FnOnce(&mut Model) -> Vec<Effect>,
) -> Vec<Effect> {
    if !to_panes(model) {
        return Vec::new();
    }
    let opened = act::in_panes(model, opens);
    if model.overlays.is_empty() {
        return opened;
    }
    let chosen = choice(model);
    if chosen.is_empty() { opened } else { chosen }
}

/// Does an action in its place, and goes there first if need be.
fn act_in(model: &mut Model, context: Context, action: Action) -> Vec<Effect> {
    let here = model.context();
    if context == here || context == Context::Global {
        return act::act(model, here, action);
    }
    if context == Context::Tour && model.tour.is_some() {
        return tour::act(model, action);
    }
    if context == Context::Main {
        if leaves_all_open(action) || to_panes(model) {
            return act::in_panes(model, action);
        }
        return Vec::new();
    }
    // It may lie below what is open.
    if let Some(place) = model.overlays.iter().rposition(|overlay| overlay.context() == context)
        && model.overlays[place + 1..].iter().all(|overlay| overlay.unsaved().is_none())
    {
        model.overlays.truncate(place + 1);
        return act::act(model, context, action);
    }
    if !to_panes(model) {
        return Vec::new();
    }
    match context {
        Context::Follow => follow_to(model, action),
        Context::Edit => {
            let by = if action == Action::OpenEditor { action } else { Action::EditDocument };
            let effects = follow_to(model, by);
            if action != by && !model.overlays.is_empty() {
                tell_key(model, context, action);
            }
            effects
        }
        _ => {
            let effects = open_place(model, context);
            if model.context() == context {
                tell_key(model, context, action);
            }
            effects
        }
    }
}

/// Opens the selected document; the rest comes when it is read.
fn follow_to(model: &mut Model, action: Action) -> Vec<Effect> {
    let effects = act::open(model);
    if !model.overlays.is_empty() {
        model.after_reading = Some(action);
    }
    effects
}

/// The followed document is read: does what it was opened for.
pub(super) fn after_reading(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Follow(follow)) = model.overlays.last() else {
        // Something else was opened meanwhile: not over that.
        model.after_reading = None;
        return Vec::new();
    };
    let is_read = follow.detail.is_some();
    match model.after_reading.take_if(|_| is_read) {
        Some(action) => overlay::act(model, action),
        None => Vec::new(),
    }
}

/// Opens the place where an action works. What it does there is decided there: nothing is written by a
/// choice made from afar.
fn open_place(model: &mut Model, context: Context) -> Vec<Effect> {
    let opens = match context {
        Context::Insert => return insert::act(model, Action::Insert),
        Context::Rebuild => Action::Rebuild,
        Context::Leases => Action::Leases,
        Context::Bookmarks | Context::Restore => Action::Bookmarks,
        Context::Letters => Action::DeadLetters,
        Context::Tree => Action::Tree,
        Context::Preview => Action::Preview,
        Context::Verify if model.verification.status.is_some() => {
            model.overlays.push(Overlay::Verify(crate::tui::model::VerifyDialog::default()));
            return Vec::new();
        }
        Context::Verify => Action::Verify,
        Context::Export => Action::Export,
        Context::Health => Action::Health,
        Context::Stage => Action::Stage,
        Context::Help => Action::Help,
        Context::Filter => Action::Filter,
        Context::Tour => Action::Tour,
        Context::Global
        | Context::Main
        | Context::Follow
        | Context::Edit
        | Context::RebuildSince
        | Context::Palette
        | Context::Confirm => return Vec::new(),
    };
    act::in_panes(model, opens)
}

/// Says which key does it here.
fn tell_key(model: &mut Model, context: Context, action: Action) {
    let row = model.options.keymap.rows(context).find(|row| row.action == action);
    let words = row.map(|row| match row.chords.first() {
        Some(chord) => format!("here {}: {}", chord.text(), row.help),
        None => format!("here, in the palette: {}", row.help),
    });
    if let Some(words) = words {
        model.say(words);
    }
}

/// Closes all that lies over the panes, unless that would lose something: then says what.
fn to_panes(model: &mut Model) -> bool {
    if let Some(what) = model.unsaved() {
        let back = model.key_in(model.context(), Action::Back);
        model.say(format!("{what} would be lost: {back} leaves it first"));
        return false;
    }
    model.overlays.clear();
    model.typing_filter = false;
    true
}

/// Needs neither the panes nor a dialog: what is open stays.
fn leaves_all_open(action: Action) -> bool {
    matches!(
        action,
        Action::TogglePause
            | Action::ToggleTraffic
            | Action::TrafficUp
            | Action::TrafficDown
            | Action::StopInserts
            | Action::RunSale
            | Action::RunDrip
            | Action::RunBurst
            | Action::RunSameProduct
            | Action::AddInstance
            | Action::RemoveInstance
            | Action::SplitPartition
            | Action::WatchDrift
            | Action::Mask
            | Action::NextTheme
            | Action::Theme(_)
            | Action::Activity(_)
            | Action::LogLevel
    )
}
