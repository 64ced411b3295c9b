//! Keys and answers of the dialog of deeds on leases.

use super::Effect;
use crate::{
    engine::{Bookmarked, Command, LeaseDeed, LeaseOutcome, LeasePlan, LeaseRow},
    tui::{
        keymap::Action,
        model::{LeaseDialog, Marking, Model, Overlay},
        view,
    },
};

/// Opens the dialog on the selected lease, and asks for its plan.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let dialog = LeaseDialog::new(selected(model));
    let effects = ask(&dialog);
    model.overlays.push(Overlay::Leases(Box::new(dialog)));
    effects
}

/// The lease under the cursor of its pane, else that of the selected document.
pub(super) fn selected(model: &Model) -> Option<&LeaseRow> {
    let rows = &model.leases.snapshot.rows;
    let pointed = model.leases.cursor.as_ref().and_then(|id| rows.iter().find(|row| row.id == *id));
    pointed.or_else(|| rows.iter().find(|row| model.thread.marks_lease(row)))
}

/// Makes a choice in the open dialog.
pub(super) fn choose(model: &mut Model, deed: LeaseDeed, all: bool) -> Vec<Effect> {
    let Some(Overlay::Leases(dialog)) = model.overlays.last_mut() else { return Vec::new() };
    dialog.set(deed, all);
    let effects = ask(dialog);
    if !all && dialog.lease.is_none() {
        model.say("no lease is selected: select one in the pane first");
    }
    effects
}

fn ask(dialog: &LeaseDialog) -> Vec<Effect> {
    vec![Effect::Send(Command::PlanLeases(dialog.order()))]
}

/// A key in the dialog; `false` = it closes.
pub(super) fn act(model: &mut Model, dialog: &mut LeaseDialog, action: Action) -> (bool, Vec<Effect>) {
    const PAGE: usize = 6;
    if dialog.agreement.started {
        return (!matches!(action, Action::Back | Action::Submit), Vec::new());
    }
    match action {
        Action::Back => return (false, Vec::new()),
        Action::Up | Action::PreviousChoice => {
            dialog.choose(-1);
            return (true, ask(dialog));
        }
        Action::Down | Action::NextChoice => {
            dialog.choose(1);
            return (true, ask(dialog));
        }
        Action::NextField => {
            if dialog.lease.is_none() {
                model.say("select a lease in the pane first");
                return (true, Vec::new());
            }
            dialog.toggle_all();
            return (true, ask(dialog));
        }
        Action::PageUp => dialog.scroll = dialog.scroll.saturating_sub(PAGE),
        Action::PageDown => {
            dialog.scroll = (dialog.scroll + PAGE).min(view::lease_dialog::overflow(model, dialog));
        }
        Action::TakeOver => dialog.agreement.toggle_take_over(),
        Action::SaveBookmark => {
            let name = bookmark_name(model);
            if dialog.mark(&name) {
                return (true, vec![save(name)]);
            }
            model.say("a bookmark is still being saved");
        }
        Action::Copy => {
            model.say("copied the command line");
            return (true, vec![Effect::Copy(view::lease_dialog::same_as(model, dialog))]);
        }
        Action::Submit => {
            if let Some(reason) = dialog.agreement.hindrance() {
                model.say(reason);
            } else {
                dialog.agreement.started = true;
                return (true, vec![Effect::Send(Command::DoLeases(dialog.order()))]);
            }
        }
        _ => {}
    }
    (true, Vec::new())
}

/// An answer to the question what would happen.
pub(super) fn planned(model: &mut Model, plan: Box<LeasePlan>) {
    if let Some(dialog) = dialog(model) {
        dialog.answer(plan);
    }
}

/// What became of it: in the dialog, or as a notice where that is closed.
pub(super) fn done(model: &mut Model, outcome: LeaseOutcome) {
    match dialog(model) {
        Some(dialog) => dialog.outcome = Some(outcome),
        None => model.say(outcome.words()),
    }
}

/// Keeps the positions of all leases under a name.
pub(super) fn save(name: String) -> Effect {
    Effect::Send(Command::SaveBookmark { name })
}

/// A name that tells when, in the time of the screen, and that sorts by it.
pub(in crate::tui) fn bookmark_name(model: &Model) -> String {
    let now = model.options.zone.to_datetime(model.now);
    format!(
        "screen-{:04}{:02}{:02}-{:02}{:02}{:02}",
        now.year(),
        now.month(),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    )
}

/// What became of a bookmark: as a notice, and in the dialog that asked for it.
pub(super) fn bookmarked(model: &mut Model, told: Bookmarked) {
    model.say(told.words());
    if let Some(dialog) = dialog(model)
        && dialog.bookmark == Some(Marking::Saving(told.name.clone()))
    {
        dialog.bookmark = Some(Marking::Told(told));
    }
}

fn dialog(model: &mut Model) -> Option<&mut LeaseDialog> {
    model.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Leases(dialog) => Some(&mut **dialog),
        _ => None,
    })
}
