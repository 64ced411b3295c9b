//! Keys of the view that follows a document.

use ratatui::layout::Position;

use super::{Effect, act, overlay::scroll_by, panes};
use crate::{
    engine::{Command, DocumentDetail, Edit, EditOrder},
    tui::{
        keymap::Action,
        layout,
        model::{DocumentEditor, Follow, Look, Model, Overlay, Pane, Question},
        view::{self, follow::Spot},
        widgets::text,
    },
};

/// Does an action; `false` = the view goes.
pub(super) fn act(model: &mut Model, follow: &mut Follow, action: Action) -> (bool, Vec<Effect>) {
    let page = view::follow::diff_height(model, follow, layout::frame(model).body);
    let most = view::follow::overflow(model, follow);
    scroll_by(&mut follow.scroll, action, page, most);
    let request = model.next_request();
    let send = |command: Option<Command>| command.map(Effect::Send).into_iter().collect();
    let effects = match action {
        Action::Back => return (false, Vec::new()),
        Action::NextChoice => return walk(model, follow, 1),
        Action::PreviousChoice => return walk(model, follow, -1),
        Action::EditDocument => return edit(model, follow, false),
        Action::OpenEditor => return edit(model, follow, true),
        Action::DeleteEntry => return ask_to_delete(model, follow),
        Action::OlderVersion => send(follow.older(request)),
        Action::NewerVersion => send(follow.newer(request)),
        Action::RawBytes => {
            let look = if follow.look == Look::Raw { Look::Entry } else { Look::Raw };
            send(follow.look_at(look, request))
        }
        Action::SourceBeside => send(beside_source(model, follow, request)),
        Action::Fold => {
            follow.fold_or_show(page);
            Vec::new()
        }
        Action::NextDifference | Action::PreviousDifference => {
            let step = if action == Action::NextDifference { 1 } else { -1 };
            if follow.comparing.is_some() {
                model.say("still comparing");
            } else if follow.jump(step, page).is_none() {
                model.say("nothing differs here");
            }
            Vec::new()
        }
        Action::NextEntry | Action::PreviousEntry => other_entry(model, follow, action),
        Action::WriteEntry => write_entry(model, follow),
        Action::Copy => copy(model, "the document", source(follow).map(|source| source.json.clone())),
        Action::CopyKey => {
            let key = follow.detail.as_ref().and_then(|detail| detail.key.clone());
            copy(model, "the key", key)
        }
        Action::CopyValue => {
            let entry = follow.detail.as_ref().and_then(|detail| detail.entry.as_ref().ok()?.as_ref());
            copy(model, "the entry's value", entry.map(|entry| entry.value.clone()))
        }
        _ => Vec::new(),
    };
    (true, effects)
}

/// A click.
pub(super) fn click(model: &mut Model, follow: &mut Follow, at: Position) -> Vec<Effect> {
    let body = layout::frame(model).body;
    let request = model.next_request();
    let command = match view::follow::hit(model, follow, body, at) {
        // The one that is looked at: back to the entry.
        Some(Spot::Version(place)) if follow.look == Look::Version(place) => {
            follow.look_at(Look::Entry, request)
        }
        Some(Spot::Version(place)) => follow.look_at(Look::Version(place), request),
        Some(Spot::Entry(place)) => follow.entry_at(place, request),
        Some(Spot::Row(row)) => {
            let height = view::follow::diff_height(model, follow, body);
            follow.unfold(row, height);
            None
        }
        None => None,
    };
    command.map(Effect::Send).into_iter().collect()
}

/// The document itself beside what the mapping writes, and back.
fn beside_source(model: &mut Model, follow: &mut Follow, request: u64) -> Option<Command> {
    if follow.look == Look::Source {
        return follow.look_at(Look::Entry, request);
    }
    let verbatim = source(follow).is_some_and(|source| {
        follow.detail.as_ref().is_some_and(|detail| detail.expected.as_deref() == Some(source.json.as_str()))
    });
    if verbatim {
        model.say("the mapping writes the document as it is: the left is the source");
    }
    follow.look_at(Look::Source, request)
}

/// The entry of another key that the mapping makes.
fn other_entry(model: &mut Model, follow: &mut Follow, action: Action) -> Vec<Effect> {
    let request = model.next_request();
    let step = if action == Action::NextEntry { 1 } else { -1 };
    let command = follow.other_entry(step, request);
    if command.is_none() {
        model.say("the mapping makes one entry of this document");
    }
    command.map(Effect::Send).into_iter().collect()
}

fn source(follow: &Follow) -> Option<&crate::engine::SourceDocument> {
    follow.detail.as_ref()?.source.as_ref().ok()?.as_ref()
}

fn copy(model: &mut Model, what: &str, text: Option<String>) -> Vec<Effect> {
    let Some(text) = text else {
        model.say(format!("there is nothing to copy: {what} is not there"));
        return Vec::new();
    };
    model.say(format!("copied {what}: {}", text::bytes(text.len() as u64)));
    vec![Effect::Copy(text)]
}

/// The next or previous change of the feed.
fn walk(model: &mut Model, follow: &Follow, rows: isize) -> (bool, Vec<Effect>) {
    panes::step(model, Pane::Feed, rows);
    if model.thread.document.as_ref().is_some_and(|id| *id != follow.id) {
        return (false, act::open(model));
    }
    model.say(if rows > 0 {
        "the feed has no change below this one"
    } else {
        "the feed has no change above this one"
    });
    (true, Vec::new())
}

/// Opens the editor over this view; with the user's own program on top of it.
fn edit(model: &mut Model, follow: &Follow, outside: bool) -> (bool, Vec<Effect>) {
    if model.masked {
        model.say_masked();
        return (true, Vec::new());
    }
    let found = match follow.detail.as_ref().map(|detail| &detail.source) {
        Some(Ok(Some(source))) => source,
        Some(Ok(None)) => {
            model.say("there is no document to edit any more");
            return (true, Vec::new());
        }
        Some(Err(_)) | None => {
            model.say("the document is not read yet");
            return (true, Vec::new());
        }
    };
    let editor = DocumentEditor::new(
        follow.id.clone(),
        follow.partition_key.clone(),
        &found.json,
        Some(found.etag.clone()),
    );
    let effects = if outside { vec![Effect::EditText(editor.json())] } else { Vec::new() };
    // The view stays below; the caller puts only the topmost overlay back.
    model.overlays.push(Overlay::Follow(Box::new(follow.clone())));
    model.overlays.push(Overlay::Edit(Box::new(editor)));
    (false, effects)
}

fn write_entry(model: &mut Model, follow: &mut Follow) -> Vec<Effect> {
    let request = model.next_request();
    follow.edit = Some(request);
    model.say(format!("writing the entry of {}", model.shown_name(&follow.id)));
    let edit = Edit::WriteEntry { id: follow.id.clone(), partition_key: follow.partition_key.clone() };
    vec![Effect::Send(Command::Edit(EditOrder { request, edit }))]
}

fn ask_to_delete(model: &mut Model, follow: &mut Follow) -> (bool, Vec<Effect>) {
    let there = |detail: &DocumentDetail| matches!(detail.entry, Ok(Some(_)));
    let Some(key) =
        follow.detail.as_ref().filter(|detail| there(detail)).and_then(|detail| detail.key.clone())
    else {
        model.say("there is no entry to delete");
        return (true, Vec::new());
    };
    follow.doomed = Some(key);
    model.overlays.push(Overlay::Follow(Box::new(follow.clone())));
    model.overlays.push(Overlay::Confirm(Question::DeleteEntry));
    (false, Vec::new())
}

/// The question was answered with yes: deletes exactly the key that it named.
pub(super) fn delete(model: &mut Model) -> Vec<Effect> {
    let request = model.next_request();
    let Some(key) = model.follow_mut().and_then(|follow| {
        follow.edit = Some(request);
        follow.doomed.take()
    }) else {
        return Vec::new();
    };
    vec![Effect::Send(Command::Edit(EditOrder { request, edit: Edit::DeleteEntry { key } }))]
}
