//! Keys of the document editor, and what became of an edit.

use crossterm::event::KeyEvent;

use super::Effect;
use crate::{
    engine::{Command, EditEnd, EditOrder, EditOutcome},
    tui::{
        keymap::Action,
        layout,
        model::{DocumentEditor, Model, Overlay},
        view,
        widgets::text,
    },
};

/// Most characters that a paste adds: Cosmos takes documents of 2 MB.
const MAX_PASTE: usize = 2 << 20;

/// Lines that a page moves by.
const PAGE: usize = 15;

/// Does an action; `false` = the editor goes.
pub(super) fn act(model: &mut Model, editor: &mut DocumentEditor, action: Action) -> (bool, Vec<Effect>) {
    match action {
        Action::Back if editor.is_changed() && !editor.leaving => {
            editor.leaving = true;
            editor.problem = Some("what was typed is not saved: once more leaves without it".to_owned());
        }
        Action::Back => return (false, Vec::new()),
        Action::Submit if editor.saving.is_some() => {}
        Action::Submit => return (true, save(model, editor)),
        Action::OpenEditor => return (true, vec![Effect::EditText(editor.json())]),
        Action::Reload => {
            let source = model.follow_mut().and_then(|follow| {
                let source = follow.detail.as_ref()?.source.as_ref().ok()?.as_ref()?;
                Some((follow.partition_key.clone(), source.json.clone(), source.etag.clone()))
            });
            if let Some((key, json, etag)) = source {
                *editor = DocumentEditor::new(editor.id.clone(), key, &json, Some(etag));
            }
        }
        _ => {}
    }
    (true, Vec::new())
}

fn save(model: &mut Model, editor: &mut DocumentEditor) -> Vec<Effect> {
    match editor.order() {
        Ok(edit) => {
            let request = model.next_request();
            editor.saving = Some(request);
            editor.problem = None;
            vec![Effect::Send(Command::Edit(EditOrder { request, edit }))]
        }
        Err(problem) => {
            editor.problem = Some(problem);
            Vec::new()
        }
    }
}

/// What another editor left, or why it left nothing. A text that is right is saved at once.
pub(super) fn edited(model: &mut Model, outcome: Result<String, String>) -> Vec<Effect> {
    let Some(Overlay::Edit(mut editor)) = model.overlays.pop_if(|top| matches!(top, Overlay::Edit(_))) else {
        return Vec::new();
    };
    let before = editor.json();
    let mut effects = Vec::new();
    match outcome {
        Err(reason) => editor.problem = Some(reason),
        Ok(text) => {
            editor.replace(&text);
            if editor.json() == before && !editor.is_changed() {
                model.say("nothing was changed");
                return Vec::new();
            }
            effects = save(model, &mut editor);
        }
    }
    model.overlays.push(Overlay::Edit(editor));
    effects
}

/// A key that is text, or moves in it.
pub(super) fn type_key(editor: &mut DocumentEditor, key: &KeyEvent) {
    if editor.text.key(key, PAGE) {
        editor.typed();
    }
}

/// A notch of the wheel.
pub(super) fn scroll(model: &mut Model, lines: isize) {
    if let Some(height) = height(model)
        && let Some(Overlay::Edit(editor)) = model.overlays.last_mut()
    {
        editor.scroll(lines, height);
    }
}

/// After keys, clicks and changes of size: the cursor stays in sight.
pub(super) fn keep_in_view(model: &mut Model) {
    if let Some(height) = height(model)
        && let Some(Overlay::Edit(editor)) = model.overlays.last_mut()
    {
        editor.keep_in_view(height);
    }
}

/// Lines of the text that are in sight, where the editor is what is typed into.
fn height(model: &Model) -> Option<usize> {
    let Some(Overlay::Edit(editor)) = model.overlays.last() else { return None };
    let area = view::editor::text_area(model, editor, layout::frame(model).body);
    Some(usize::from(area.height))
}

/// Pasted text keeps its lines.
pub(super) fn paste(editor: &mut DocumentEditor, pasted: &str) {
    let clean: String = pasted
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .take(MAX_PASTE)
        .collect();
    if editor.text.insert(&clean) {
        editor.typed();
    }
}

/// What became of an edit.
pub(super) fn on_outcome(model: &mut Model, outcome: &EditOutcome) -> Vec<Effect> {
    let mut done = None;
    let mut ours = false;
    for (place, overlay) in model.overlays.iter_mut().enumerate() {
        match overlay {
            Overlay::Edit(editor) if editor.saving == Some(outcome.request) => {
                ours = true;
                if editor.answer(&outcome.end) {
                    done = Some(place);
                }
            }
            Overlay::Follow(follow) if follow.edit == Some(outcome.request) => {
                ours = true;
                follow.edit = None;
            }
            _ => {}
        }
    }
    if let Some(place) = done {
        model.overlays.remove(place);
    }
    if !ours {
        return Vec::new();
    }
    let name = text::middle(&model.shown_name(&outcome.name), 40).into_owned();
    let words = match &outcome.end {
        EditEnd::Saved { .. } => format!("saved {name}"),
        EditEnd::ChangedMeanwhile => format!("{name} was not saved: it was changed meanwhile"),
        EditEnd::Written { keys, .. } if keys.is_empty() => format!("the mapping makes no entry of {name}"),
        EditEnd::Written { kept: true, .. } => format!("{name}: the cache keeps a newer version"),
        EditEnd::Written { keys, .. } if keys.len() == 1 => format!("wrote the entry of {name}"),
        EditEnd::Written { keys, .. } => format!("wrote {} of {name}", text::counted(keys.len(), "entry")),
        EditEnd::Deleted { existed: true } => format!("deleted {name}"),
        EditEnd::Deleted { .. } => format!("{name} was not there any more"),
        EditEnd::Refused { reason } => format!("not done: {reason}"),
    };
    model.say(words);
    super::telemetry::ask_again(model)
}
