//! Keys and answers of the rebuild dialog.

use super::{Effect, typing};
use crate::{
    engine::{Command, RebuildPhase, RebuildPlan, RebuildStatus},
    tui::{
        keymap::Action,
        model::{Model, Overlay, RebuildChoice, RebuildDialog},
        view,
        widgets::text,
    },
};

/// Lines that a page moves.
const PAGE: usize = 8;

/// Opens the dialog, on the rebuild that is under way if there is one.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    if model.rebuilding().is_some() {
        model.overlays.push(Overlay::Rebuild(Box::new(RebuildDialog::under_way())));
        return Vec::new();
    }
    let dialog = RebuildDialog::new(&model.leases.snapshot.rows, model.leases.cursor.as_deref());
    let effects = ask(model, &dialog);
    model.overlays.push(Overlay::Rebuild(Box::new(dialog)));
    effects
}

/// Makes a choice in the open dialog.
pub(super) fn choose(model: &mut Model, choice: RebuildChoice) -> Vec<Effect> {
    let Some(Overlay::Rebuild(dialog)) = model.overlays.last_mut() else { return Vec::new() };
    if dialog.started {
        return Vec::new();
    }
    dialog.choice = choice;
    dialog.forget();
    let dialog = dialog.clone();
    ask(model, &dialog)
}

fn ask(model: &Model, dialog: &RebuildDialog) -> Vec<Effect> {
    let order = dialog.order(model.now, &model.options.zone);
    order.map(|order| Effect::Send(Command::PlanRebuild(order))).into_iter().collect()
}

/// A key in the dialog; `false` = it closes.
pub(super) fn act(model: &mut Model, dialog: &mut RebuildDialog, action: Action) -> (bool, Vec<Effect>) {
    match action {
        Action::Back => return (false, Vec::new()),
        Action::Submit if dialog.started => {
            let over = model.rebuild.as_ref().is_some_and(|status| {
                matches!(status.phase, RebuildPhase::Done | RebuildPhase::Failed { .. })
            });
            return (!over, Vec::new());
        }
        _ if dialog.started => return (true, Vec::new()),
        Action::Up | Action::Down => {
            dialog.choose(if action == Action::Up { -1 } else { 1 });
            return (true, ask(model, dialog));
        }
        Action::PreviousChoice => dialog.cursor = dialog.cursor.saturating_sub(1),
        Action::NextChoice => dialog.cursor = (dialog.cursor + 1).min(dialog.leases.len().saturating_sub(1)),
        Action::Tick if dialog.choice == RebuildChoice::Leases => {
            if let Some(lease) = dialog.leases.get_mut(dialog.cursor) {
                lease.ticked = !lease.ticked;
            }
            dialog.forget();
            return (true, ask(model, dialog));
        }
        Action::TakeOver => {
            dialog.take_over = !dialog.take_over;
            dialog.wait = false;
        }
        Action::Wait => {
            dialog.wait = !dialog.wait;
            dialog.take_over = false;
        }
        Action::PageUp => dialog.scroll = dialog.scroll.saturating_sub(PAGE),
        Action::PageDown => {
            dialog.scroll = (dialog.scroll + PAGE).min(view::rebuild::overflow(model, dialog));
        }
        Action::Copy => {
            if let Some(plan) = dialog.plan() {
                model.say("copied the command line");
                return (true, vec![Effect::Copy(view::rebuild::same_as(plan, dialog))]);
            }
        }
        Action::Submit => match (dialog.hindrance(), dialog.agreed()) {
            (None, Some(order)) => {
                dialog.started = true;
                model.rebuild = None;
                return (true, vec![Effect::Send(Command::StartRebuild(order))]);
            }
            (Some(reason), _) => model.say(reason),
            (None, None) => {}
        },
        _ => {}
    }
    (true, Vec::new())
}

/// The time that is typed has changed: another plan.
pub(super) fn typed(
    model: &Model,
    dialog: &mut RebuildDialog,
    key: &crossterm::event::KeyEvent,
) -> Vec<Effect> {
    let before = dialog.since.value().to_owned();
    typing::edit(&mut dialog.since, key);
    if before == dialog.since.value() {
        return Vec::new();
    }
    dialog.forget();
    ask(model, dialog)
}

/// An answer to the question what would happen.
pub(super) fn planned(model: &mut Model, plan: Box<RebuildPlan>) {
    let (now, zone) = (model.now, model.options.zone.clone());
    for overlay in &mut model.overlays {
        if let Overlay::Rebuild(dialog) = overlay {
            dialog.answer(plan, now, &zone);
            return;
        }
    }
}

/// Progress or end; where the dialog is closed the end is a notice.
pub(super) fn told(model: &mut Model, status: RebuildStatus) {
    let dialog_open = model.overlays.iter().any(|overlay| matches!(overlay, Overlay::Rebuild(_)));
    if !dialog_open {
        match &status.phase {
            RebuildPhase::Done => {
                model.say(format!("rebuild done: {}", text::counted(status.done, "document")));
            }
            RebuildPhase::Failed { reason } => model.say(format!("rebuild failed: {reason}")),
            _ => {}
        }
    }
    model.rebuild = Some(status);
}
