//! Command lines that do the same as a dialog: for this very pair of servers, ready to copy.

use super::{
    model::{BookmarkDialog, DocumentEditor, Marking, Model, Overlay, Question, RestoreDialog},
    update::bookmark_name,
};
use crate::{
    config::shell_word,
    engine::{Bookmark, FindingKind},
};

/// A subcommand with the servers of this run.
pub(crate) fn line(model: &Model, order: &str) -> String {
    format!("syncscope {order} {}", model.options.same_as).trim_end().to_owned()
}

/// An id or key in a command line; hidden under the mask.
fn word(model: &Model, text: &str) -> String {
    shell_word(&model.shown_name(text))
}

/// What asks the same as the view of a document.
pub(crate) fn follow(model: &Model, id: &str) -> String {
    line(model, &format!("document show {}", word(model, id)))
}

/// What saves a document over the version that was edited.
pub(crate) fn editor(model: &Model, editor: &DocumentEditor) -> String {
    let version =
        editor.etag.as_deref().map_or(String::new(), |etag| format!(" --if-match {}", shell_word(etag)));
    line(model, &format!("document save FILE{version}"))
}

/// What does the same as "yes", and what has to be said before it; `None` = only this session can.
pub(crate) fn question(model: &Model, question: Question) -> Option<(&'static str, String)> {
    match question {
        Question::DeleteEntry => {
            let key = model.overlays.iter().find_map(|overlay| match overlay {
                Overlay::Follow(follow) => follow.doomed.as_deref(),
                _ => None,
            })?;
            Some(("", line(model, &format!("document delete-entry {}", word(model, key)))))
        }
        Question::DeleteBookmark => {
            let name = model.overlays.iter().find_map(|overlay| match overlay {
                Overlay::Bookmarks(dialog) => dialog.doomed.as_deref(),
                _ => None,
            })?;
            // A file that was put there by hand may have a name that no bookmark has.
            let known = Bookmark::check_name(name).is_ok();
            known.then(|| ("", line(model, &format!("leases forget {name}"))))
        }
        Question::StopSync => Some(("ctrl-c of", line(model, "sync"))),
        Question::KillInstance => {
            let name =
                model.sync.instances.last().map(|name| format!(" --instance-name {}", shell_word(name)));
            Some(("kill -9 of", line(model, &format!("sync{}", name.unwrap_or_default()))))
        }
        Question::UndoInserts => None,
    }
}

/// What does the same as the list of bookmarks: as the newest deed there, as the comparison that is looked
/// at, or as the bookmark that could be saved.
pub(crate) fn bookmarks(model: &Model, dialog: &BookmarkDialog) -> String {
    let order = match (&dialog.saved, dialog.selected()) {
        (Some(Marking::Told(told)), _) if told.outcome.is_ok() => format!("save {}", told.name),
        (_, Some(row)) if row.kept.is_ok() => format!("diff {}", row.name),
        (_, Some(_)) => "list".to_owned(),
        (_, None) => format!("save {}", bookmark_name(model)),
    };
    line(model, &format!("leases {order}"))
}

/// What goes back to a bookmark.
pub(crate) fn restore(model: &Model, dialog: &RestoreDialog) -> String {
    format!("{} {}", dialog.order().command(), model.options.same_as).trim_end().to_owned()
}

/// What does the same as a verification, or as the repair that it asks about.
pub(crate) fn verify(model: &Model, asking: bool, only: Option<&str>) -> String {
    let found = only.and_then(|key| model.verification.findings.iter().find(|finding| finding.key == key));
    let order = match (asking, found) {
        (false, _) => "verify".to_owned(),
        (true, None) => "verify --repair".to_owned(),
        (true, Some(finding)) => match &finding.id {
            Some(id) if finding.kind != FindingKind::Orphan => {
                format!("document write-entry {}", word(model, id))
            }
            _ => format!("document delete-entry {}", word(model, &finding.key)),
        },
    };
    line(model, &order)
}
