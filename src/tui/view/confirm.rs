//! A question with yes and no.

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{hints::Hints, sheet::Sheet, wrap};
use crate::tui::{
    keymap::{Action, Context},
    layout::{dialog, inner},
    model::{Model, Overlay, Question},
    same_as,
    widgets::{pane::Pane as Border, pen::Pen, text},
};

const WIDTH: u16 = 66;

/// What is asked, and what yes would do.
fn question_words(model: &Model, question: Question) -> (&'static str, String) {
    match question {
        Question::DeleteEntry => {
            let key = model.overlays.iter().find_map(|overlay| match overlay {
                Overlay::Follow(follow) => follow.doomed.as_deref(),
                _ => None,
            });
            let key = model.shown_name(key.unwrap_or_default());
            (
                "Delete the entry?",
                format!(
                    "Exactly one key goes from {}: {key}. The document stays in {}; its next change (or {}) writes \
                     the entry again, and readers miss until then.",
                    model.options.cache,
                    model.options.source,
                    model.key_in(Context::Follow, Action::WriteEntry)
                ),
            )
        }
        Question::DeleteBookmark => {
            let name = model.overlays.iter().find_map(|overlay| match overlay {
                Overlay::Bookmarks(dialog) => dialog.doomed.as_deref(),
                _ => None,
            });
            (
                "Delete the bookmark?",
                format!(
                    "Exactly one file goes: that of the bookmark {}. No lease is touched; its positions cannot be \
                     gone back to any more.",
                    name.unwrap_or_default()
                ),
            )
        }
        Question::StopSync => (
            "Stop the sync?",
            format!(
                "Batches under way are finished and {} of {} released. Until it is started again, \
                 changes of {} do not reach the cache.",
                model.sync.owned,
                text::counted(model.sync.leases, "lease"),
                model.options.source
            ),
        ),
        Question::KillInstance => (
            "Kill an instance?",
            format!(
                "{} ends as if its process had died: nothing is released, its leases have to expire before \
                 others take them over. Nothing is lost.",
                model.sync.instances.last().map_or("The newest instance", String::as_str)
            ),
        ),
        Question::UndoInserts => ("Undo the inserts of this session?", undo_words(model)),
    }
}

/// The lines of a question and of the command that does the same.
fn sheet(model: &Model, question: Question, words: &str, body: Rect) -> Sheet {
    let mut sheet = Sheet::new(usize::from(WIDTH.min(body.width)).saturating_sub(4));
    for line in wrap(words, sheet.columns()) {
        sheet.words(&line, model.theme.text);
    }
    if let Some((how, line)) = same_as::question(model, question) {
        sheet.blank().item("same as  ", format!("{how} {line}").trim_start(), model.theme.dim);
    }
    sheet
}

/// Where the question is.
pub(super) fn area(model: &Model, question: Question, body: Rect) -> Rect {
    let (_, words) = question_words(model, question);
    boxed(&sheet(model, question, &words, body), body)
}

/// A box around its lines, a gap, and the keys.
fn boxed(sheet: &Sheet, body: Rect) -> Rect {
    dialog(body, WIDTH, u16::try_from(sheet.len()).unwrap_or(u16::MAX).saturating_add(4))
}

/// Draws the question.
pub(super) fn draw(model: &Model, question: Question, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let (title, words) = question_words(model, question);
    let sheet = sheet(model, question, &words, body);
    let area = boxed(&sheet, body);
    super::backdrop(model, body, area, buf);
    let inner = Border::new(title).focused(true).draw(area, buf, theme);
    sheet.draw(0, Rect { height: inner.height.saturating_sub(2), ..inner }, buf, theme, None);
    let row = foot_row(area);
    let mut pen = Pen::new(buf, row, 0);
    for span in foot(model).spans(theme, usize::from(row.width)) {
        pen.put(&span.content, span.style);
    }
    None
}

/// The answers.
pub(super) fn foot(model: &Model) -> Hints<'_> {
    let mut hints = Hints::of(model, Context::Confirm);
    hints.key(Action::Submit, "yes").key(Action::Back, "no");
    hints
}

/// Where they stand: inside the box.
pub(super) fn foot_row(area: Rect) -> Rect {
    let inner = inner(area);
    Rect {
        x: inner.x + 1,
        y: inner.bottom().saturating_sub(1),
        width: inner.width.saturating_sub(1),
        height: inner.height.min(1),
    }
}

/// What an undo would do, in exact numbers.
fn undo_words(model: &Model) -> String {
    let undoable = model.traffic.undoable;
    let (created, replaced) =
        (text::counted(undoable.created, "document"), text::counted(undoable.replaced, "document"));
    let was = |n: u64, deed: &str| if n == 1 { format!("was {deed}") } else { format!("were {deed}") };
    let (made, changed) = (was(undoable.created, "created"), was(undoable.replaced, "replaced"));
    let mut words = format!("In {}: ", model.options.source);
    let deeds = match (undoable.created, undoable.replaced) {
        (_, 0) => format!("deletes exactly {created} that {made}."),
        (0, _) => format!("restores the earlier version of exactly {replaced} that {changed}."),
        _ => format!(
            "deletes exactly {created} that {made} and restores the earlier version of {replaced} that {changed}."
        ),
    };
    words.push_str(&deeds);
    words.push_str(" Under If-Match: what somebody else changed since stays as it is, and is told.");
    if undoable.forgotten > 0 {
        words.push_str(" The ");
        words.push_str(&text::counted(undoable.forgotten, "oldest insert"));
        words.push_str(" can no longer be undone.");
    }
    if undoable.created > 0 {
        let (verify, repair) = (model.key(Action::Verify), model.key_in(Context::Verify, Action::Repair));
        let _ = write!(
            words,
            " The change feed tells no deletions: entries of deleted documents stay in the cache until {verify}, \
             then {repair}, sweeps them."
        );
    }
    words.push_str(" There is no command line for this: only this session knows what it wrote.");
    words
}
