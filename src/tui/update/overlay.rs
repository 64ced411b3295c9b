//! Keys of what lies over the panes: follow, insert, rebuild, help, filter, palette, questions.

use crossterm::event::KeyEvent;
use tui_input::InputRequest;

use super::{
    Effect, act, bookmarks, edit, find, follow, insert, lease_deeds, palette, rebuild, typing, views,
};
use crate::{
    engine::{Command, Finding},
    tui::{
        keymap::Action,
        model::{Model, Overlay, Question, Sorted, Thread, VerifyDialog},
        same_as, view,
    },
};

/// Most characters that a paste adds to a field.
const MAX_PASTE: usize = 4_096;

/// Closes the topmost overlay.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    model.overlays.pop();
    Vec::new()
}

/// Does an action of the topmost overlay, or of the filter line.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::Help {
        let of = model.context();
        model.overlays.push(Overlay::Help { of, scroll: 0 });
        return Vec::new();
    }
    let Some(mut top) = model.overlays.pop() else { return find::in_line(model, action) };
    let (keep, effects) = match &mut top {
        Overlay::Follow(follow) if action == Action::Preview => {
            let source = follow.detail.as_ref().and_then(|detail| detail.source.as_ref().ok()?.as_ref());
            let document = source.map(|source| source.json.clone()).unwrap_or_default();
            model.overlays.push(top);
            return views::open_preview(model, document);
        }
        Overlay::Follow(follow) => follow::act(model, follow, action),
        Overlay::Edit(editor) => edit::act(model, editor, action),
        Overlay::Insert(form) => insert::in_form(model, form, action),
        Overlay::Rebuild(dialog) => rebuild::act(model, dialog, action),
        Overlay::Leases(_) if action == Action::Bookmarks => {
            model.overlays.push(top);
            return bookmarks::open(model);
        }
        Overlay::Leases(dialog) => lease_deeds::act(model, dialog, action),
        Overlay::Bookmarks(_) if matches!(action, Action::Submit | Action::DeleteBookmark) => {
            model.overlays.push(top);
            return match action {
                Action::Submit => bookmarks::open_restore(model),
                _ => bookmarks::ask_to_delete(model),
            };
        }
        Overlay::Bookmarks(dialog) => bookmarks::in_list(model, dialog, action),
        Overlay::Restore(dialog) => bookmarks::in_restore(model, dialog, action),
        Overlay::Letters(letters) if action == Action::Preview => {
            let document = letters.selected().map(|row| row.document.clone()).unwrap_or_default();
            model.overlays.push(top);
            return views::open_preview(model, document);
        }
        Overlay::Letters(letters) => views::in_letters(model, letters, action),
        Overlay::Tree(tree) => views::in_tree(model, tree, action),
        Overlay::Preview(preview) => views::in_preview(model, preview, action),
        Overlay::Verify(dialog) if action == Action::Submit && !dialog.asking => {
            return follow_finding(model, top);
        }
        Overlay::Verify(_) if action == Action::Verify => return act::verify(model),
        Overlay::Verify(dialog) => in_verify(model, dialog, action),
        Overlay::Help { of, scroll } => {
            let height = usize::from(view::help::area(model).height.saturating_sub(2));
            scroll_by(scroll, action, height, view::help::overflow(model, *of));
            (action != Action::Back, Vec::new())
        }
        Overlay::Palette(state) => return palette::act(model, state, action),
        Overlay::Confirm(question) => match (action, *question) {
            (Action::Submit, Question::StopSync) => (false, vec![Effect::Send(Command::StopSync)]),
            (Action::Submit, Question::UndoInserts) => {
                model.say("taking the inserts back");
                (false, vec![Effect::Send(Command::UndoInserts)])
            }
            (Action::Submit, Question::DeleteEntry) => (false, follow::delete(model)),
            (Action::Submit, Question::DeleteBookmark) => (false, bookmarks::delete(model)),
            (Action::Submit, Question::KillInstance) => (false, vec![Effect::Send(Command::KillInstance)]),
            _ => (false, Vec::new()),
        },
        Overlay::Export(dialog) => insert::in_export(model, dialog, action),
        Overlay::Health { scroll } => {
            let height = usize::from(view::health::area(model).height.saturating_sub(2));
            scroll_by(scroll, action, height, view::health::overflow(model));
            (action != Action::Back, Vec::new())
        }
        Overlay::Stage => (action != Action::Back, Vec::new()),
    };
    if keep {
        model.overlays.push(top);
    }
    effects
}

/// What is scrolled may have become shorter, or its window higher: no further than to its end. `told` = only the
/// time or rows have come, on which texts of documents do not hang.
pub(super) fn keep_scrolls(model: &mut Model, told: bool) {
    let Some(mut top) = model.overlays.pop() else { return };
    // Finding the end out costs something; mostly nobody has scrolled.
    match &mut top {
        Overlay::Rebuild(dialog) if dialog.scroll > 0 => {
            dialog.scroll = dialog.scroll.min(view::rebuild::overflow(model, dialog));
        }
        Overlay::Leases(dialog) if dialog.scroll > 0 => {
            dialog.scroll = dialog.scroll.min(view::lease_dialog::overflow(model, dialog));
        }
        Overlay::Preview(preview) if preview.scroll > 0 && !told => {
            preview.scroll = preview.scroll.min(view::preview::overflow(model, preview));
        }
        Overlay::Letters(letters) if letters.scroll > 0 && !told => {
            let lines = letters.selected().map_or(0, |row| view::letters::lines(row).len());
            letters.scroll = letters.scroll.min(lines.saturating_sub(1));
        }
        Overlay::Help { of, scroll } if *scroll > 0 => {
            *scroll = (*scroll).min(view::help::overflow(model, *of));
        }
        Overlay::Health { scroll } if *scroll > 0 => *scroll = (*scroll).min(view::health::overflow(model)),
        Overlay::Follow(follow) if follow.scroll > 0 => {
            follow.scroll = follow.scroll.min(view::follow::overflow(model, follow));
        }
        Overlay::Palette(palette) if palette.cursor > 0 && !told => {
            let rows = model.palette_rows(palette.input.value());
            palette.cursor = palette.cursor.min(rows.len().saturating_sub(1));
        }
        _ => {}
    }
    model.overlays.push(top);
}

pub(super) fn scroll_by(scroll: &mut usize, action: Action, page: usize, most: usize) {
    let page = page.max(2) - 1;
    *scroll = match action {
        Action::Up => scroll.saturating_sub(1),
        Action::Down => *scroll + 1,
        Action::PageUp => scroll.saturating_sub(page),
        Action::PageDown => *scroll + page,
        Action::First => 0,
        Action::Last => most,
        _ => *scroll,
    }
    .min(most);
}

fn in_verify(model: &mut Model, dialog: &mut VerifyDialog, action: Action) -> (bool, Vec<Effect>) {
    const PAGE: usize = 10;
    if dialog.asking {
        dialog.asking = false;
        return match action {
            Action::Submit => {
                let keys = dialog.only.take().map(|key| vec![key]);
                (true, vec![Effect::Send(Command::Repair { keys })])
            }
            _ => (true, Vec::new()),
        };
    }
    scroll_by(&mut dialog.cursor, action, PAGE, model.verification.findings.len().saturating_sub(1));
    match action {
        Action::Back => return (false, Vec::new()),
        Action::Repair if model.verification.repairable() => (dialog.asking, dialog.only) = (true, None),
        Action::RepairOne if model.verification.repairable() => {
            dialog.only = model.verification.row(dialog.cursor).map(|finding| finding.key.clone());
            dialog.asking = dialog.only.is_some();
        }
        Action::Repair | Action::RepairOne => model.say("nothing to repair now"),
        Action::Sort | Action::SortReversed => {
            let order = model.verification.order();
            let order = if action == Action::Sort { order.next(Finding::COLUMNS) } else { order.turned() };
            dialog.cursor = model.verification.set_order(order, dialog.cursor);
        }
        Action::StopVerify if model.verification.running() => {
            return (true, vec![Effect::Send(Command::StopVerify)]);
        }
        Action::Copy => {
            model.say("copied the command line");
            let line = same_as::verify(model, dialog.asking, dialog.only.as_deref());
            return (true, vec![Effect::Copy(line)]);
        }
        _ => {}
    }
    (true, Vec::new())
}

/// Opens the document of the selected finding; the dialog waits below it.
fn follow_finding(model: &mut Model, dialog: Overlay) -> Vec<Effect> {
    let Overlay::Verify(VerifyDialog { cursor, .. }) = dialog else { return Vec::new() };
    model.overlays.push(dialog);
    let Some(finding) = model.verification.row(cursor) else { return Vec::new() };
    model.thread = Thread::of_finding(finding);
    act::open(model)
}

/// A key that is text where it was typed.
pub(super) fn type_key(model: &mut Model, key: &KeyEvent) -> Vec<Effect> {
    if let Some(Overlay::Edit(editor)) = model.overlays.last_mut() {
        edit::type_key(editor, key);
        return Vec::new();
    }
    if let Some(Overlay::Preview(_)) = model.overlays.last() {
        return views::type_in_preview(model, key);
    }
    if let Some(Overlay::Rebuild(_)) = model.overlays.last()
        && let Some(Overlay::Rebuild(mut dialog)) = model.overlays.pop()
    {
        let effects = rebuild::typed(model, &mut dialog, key);
        model.overlays.push(Overlay::Rebuild(dialog));
        return effects;
    }
    if let Some(input) = focused_input(model) {
        typing::edit(input, key);
    }
    typed(model);
    Vec::new()
}

/// Pasted text goes where keys go, in one line.
pub(super) fn paste(model: &mut Model, pasted: &str) -> Vec<Effect> {
    if let Some(Overlay::Edit(editor)) = model.overlays.last_mut() {
        edit::paste(editor, pasted);
        return Vec::new();
    }
    if let Some(Overlay::Preview(_)) = model.overlays.last() {
        return views::paste_document(model, pasted);
    }
    if model.context().takes_text()
        && let Some(input) = focused_input(model)
    {
        for c in pasted.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_PASTE) {
            input.handle(InputRequest::InsertChar(c));
        }
        typed(model);
    }
    Vec::new()
}

fn focused_input(model: &mut Model) -> Option<&mut tui_input::Input> {
    match model.overlays.last_mut() {
        Some(Overlay::Insert(form)) => form.focused(),
        Some(Overlay::Palette(palette)) => Some(&mut palette.input),
        Some(_) => None,
        None => Some(&mut model.filters[model.focus.index()].input),
    }
}

fn typed(model: &mut Model) {
    match model.overlays.last_mut() {
        Some(Overlay::Palette(palette)) => palette.cursor = 0,
        Some(_) => {}
        None => find::apply(model, model.focus),
    }
}
