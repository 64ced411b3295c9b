//! Keys and answers of the bookmarks of lease positions, and of going back to one.

use super::{Effect, lease_deeds, overlay};
use crate::{
    engine::{BookmarkAnswer, BookmarkList, BookmarkTold, Bookmarked, LeaseSnapshot, RestoreOutcome},
    tui::{
        keymap::Action,
        model::{BookmarkDialog, Marking, Model, Overlay, Question, RestoreDialog},
        same_as, view,
    },
};

/// Lines that a page moves.
const PAGE: usize = 6;

/// Opens the list, over the dialog of leases where that is open.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let mut dialog = BookmarkDialog::default();
    let asked = dialog.ask_list(model.next_request());
    model.overlays.retain(|overlay| !matches!(overlay, Overlay::Bookmarks(_)));
    model.overlays.push(Overlay::Bookmarks(Box::new(dialog)));
    vec![Effect::Send(asked)]
}

/// A key in the list; `false` = it closes.
pub(super) fn in_list(model: &mut Model, dialog: &mut BookmarkDialog, action: Action) -> (bool, Vec<Effect>) {
    let place = dialog.place();
    let moved = match action {
        Action::Back => return (false, Vec::new()),
        Action::Up => dialog.go(place.saturating_sub(1)),
        Action::Down => dialog.go(place + 1),
        Action::First => dialog.go(0),
        Action::Last => dialog.go(usize::MAX),
        Action::PageUp => {
            dialog.scroll = dialog.scroll.saturating_sub(PAGE);
            false
        }
        Action::PageDown => {
            dialog.scroll = (dialog.scroll + PAGE).min(view::bookmarks::overflow(model, dialog));
            false
        }
        Action::Reload => return (true, vec![Effect::Send(dialog.ask_list(model.next_request()))]),
        Action::SaveBookmark => {
            let name = lease_deeds::bookmark_name(model);
            if dialog.mark(&name) {
                return (true, vec![lease_deeds::save(name)]);
            }
            model.say("a bookmark is still being saved");
            false
        }
        Action::Copy => {
            model.say("copied the command line");
            return (true, vec![Effect::Copy(same_as::bookmarks(model, dialog))]);
        }
        _ => false,
    };
    (true, if moved { compare(model, dialog) } else { Vec::new() })
}

/// Asks before the selected one is deleted; the list stays below the question.
pub(super) fn ask_to_delete(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Bookmarks(dialog)) = model.overlays.last_mut() else { return Vec::new() };
    dialog.doomed = dialog.selected().map(|row| row.name.clone());
    if dialog.doomed.is_some() {
        model.overlays.push(Overlay::Confirm(Question::DeleteBookmark));
    } else {
        model.say("there is no bookmark to delete");
    }
    Vec::new()
}

/// The answer was yes.
pub(super) fn delete(model: &mut Model) -> Vec<Effect> {
    let request = model.next_request();
    let asked = list(model).and_then(|dialog| dialog.ask_to_delete(request));
    asked.map(Effect::Send).into_iter().collect()
}

/// Plans to go back to the selected one; the list waits below.
pub(super) fn open_restore(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Bookmarks(dialog)) = model.overlays.last() else { return Vec::new() };
    let name = match dialog.selected() {
        Some(row) if row.kept.is_ok() => row.name.clone(),
        Some(row) => {
            let words = format!("the bookmark {} cannot be read: there is nothing to go back to", row.name);
            model.say(words);
            return Vec::new();
        }
        None => {
            model.say("there is no bookmark to go back to");
            return Vec::new();
        }
    };
    let mut dialog = RestoreDialog::new(name, lease_deeds::selected(model));
    let asked = dialog.ask_plan(model.next_request());
    model.overlays.push(Overlay::Restore(Box::new(dialog)));
    vec![Effect::Send(asked)]
}

/// Takes the selected lease alone, or all of the bookmark.
pub(super) fn take_one(model: &mut Model, one: bool) -> Vec<Effect> {
    let request = model.next_request();
    let Some(Overlay::Restore(dialog)) = model.overlays.last_mut() else { return Vec::new() };
    if one && dialog.lease.is_none() {
        model.say("select a lease in the pane first");
        return Vec::new();
    }
    dialog.take_one(one);
    vec![Effect::Send(dialog.ask_plan(request))]
}

/// A key in the plan or its outcome; `false` = it closes.
pub(super) fn in_restore(
    model: &mut Model,
    dialog: &mut RestoreDialog,
    action: Action,
) -> (bool, Vec<Effect>) {
    match action {
        // The leases have moved: the list below is compared again.
        Action::Back if dialog.agreement.started => return (false, compare_again(model)),
        Action::Submit if dialog.agreement.started => {
            let over = dialog.outcome.is_some();
            return (!over, if over { compare_again(model) } else { Vec::new() });
        }
        Action::Back => return (false, Vec::new()),
        Action::Up | Action::Down | Action::PageUp | Action::PageDown => {
            let most = view::restore::overflow(model, dialog);
            overlay::scroll_by(&mut dialog.scroll, action, PAGE, most);
        }
        _ if dialog.agreement.started => {}
        Action::NextField => {
            if dialog.lease.is_none() {
                model.say("select a lease in the pane first");
                return (true, Vec::new());
            }
            dialog.take_one(!dialog.one);
            return (true, vec![Effect::Send(dialog.ask_plan(model.next_request()))]);
        }
        Action::TakeOver => dialog.agreement.toggle_take_over(),
        Action::Copy => {
            model.say("copied the command line");
            return (true, vec![Effect::Copy(same_as::restore(model, dialog))]);
        }
        Action::Submit => {
            if let Some(reason) = dialog.agreement.hindrance() {
                model.say(reason);
            } else {
                return (true, vec![Effect::Send(dialog.ask_to_restore(model.next_request()))]);
            }
        }
        _ => {}
    }
    (true, Vec::new())
}

/// A question that the engine was too busy to take: nobody waits for its answer.
pub(super) fn refused(model: &mut Model, request: u64) {
    if let Some(dialog) = list(model) {
        dialog.refused(request);
    }
    if let Some(dialog) = restoring(model) {
        dialog.refused(request);
    }
}

/// An answer about bookmarks.
pub(super) fn told(model: &mut Model, answer: BookmarkAnswer) -> Vec<Effect> {
    let BookmarkAnswer { request, told } = answer;
    match told {
        BookmarkTold::List(found) => return listed(model, request, found),
        BookmarkTold::Compared(found) => {
            if let Some(dialog) = list(model) {
                dialog.compared(request, found);
            }
        }
        BookmarkTold::Plan(plan) => {
            if let Some(dialog) = restoring(model) {
                dialog.planned(request, plan);
            }
        }
        BookmarkTold::Restored(outcome) => restored(model, request, &outcome),
    }
    Vec::new()
}

fn listed(model: &mut Model, request: u64, found: BookmarkList) -> Vec<Effect> {
    match &found.deleted {
        Some((name, Ok(()))) => model.say(format!("deleted the bookmark {name}; no lease was touched")),
        Some((name, Err(why))) => model.say(format!("the bookmark {name} was not deleted: {why}")),
        None => {}
    }
    let taken = list(model).is_some_and(|dialog| dialog.listed(request, found));
    if taken { compare_again(model) } else { Vec::new() }
}

/// What became of it: in the dialog, or as a notice where that is closed.
fn restored(model: &mut Model, request: u64, outcome: &RestoreOutcome) {
    let shown = restoring(model).is_some_and(|dialog| dialog.restored(request, outcome));
    if !shown {
        model.say(outcome.words());
    }
}

/// A bookmark was saved, or was not: the list is read again, and stands on the new one.
pub(super) fn bookmarked(model: &mut Model, told: &Bookmarked) -> Vec<Effect> {
    let request = model.next_request();
    let Some(dialog) = list(model) else { return Vec::new() };
    if dialog.saved != Some(Marking::Saving(told.name.clone())) {
        return Vec::new();
    }
    dialog.saved = Some(Marking::Told(told.clone()));
    if told.outcome.is_err() {
        return Vec::new();
    }
    dialog.select(told.name.clone());
    vec![Effect::Send(dialog.ask_list(request))]
}

/// The leases were read: where one of them has moved, the comparison that is looked at is made again.
pub(super) fn leases_read(model: &mut Model, before: &LeaseSnapshot) -> Vec<Effect> {
    match model.overlays.last() {
        Some(Overlay::Bookmarks(dialog)) if dialog.is_outdated_by(before, &model.leases.snapshot) => {
            compare_again(model)
        }
        _ => Vec::new(),
    }
}

/// Compares the selected one of the open list.
pub(super) fn compare_again(model: &mut Model) -> Vec<Effect> {
    let request = model.next_request();
    let asked = list(model).and_then(|dialog| dialog.ask_comparison(request));
    asked.map(Effect::Send).into_iter().collect()
}

fn compare(model: &mut Model, dialog: &mut BookmarkDialog) -> Vec<Effect> {
    let request = model.next_request();
    dialog.ask_comparison(request).map(Effect::Send).into_iter().collect()
}

/// Selects a row by a click.
pub(super) fn click(model: &mut Model, place: usize) -> Vec<Effect> {
    let moved = list(model).is_some_and(|dialog| dialog.go(place));
    if moved { compare_again(model) } else { Vec::new() }
}

fn list(model: &mut Model) -> Option<&mut BookmarkDialog> {
    model.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Bookmarks(dialog) => Some(&mut **dialog),
        _ => None,
    })
}

fn restoring(model: &mut Model) -> Option<&mut RestoreDialog> {
    model.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Restore(dialog) => Some(&mut **dialog),
        _ => None,
    })
}
