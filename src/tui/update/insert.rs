//! Inserting, running scenarios, taking inserts back, and the export of what was measured.

use super::Effect;
use crate::{
    engine::{Command, DocumentDetail, Insert},
    seed::Scenario,
    tui::{
        keymap::Action,
        model::{ExportDialog, InsertForm, Model, Overlay, Question, Thread},
        widgets::text,
    },
};

/// Does one of the actions of this room.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Insert => {
            let form = InsertForm::new(model.now, model.options.template);
            model.overlays.push(Overlay::Insert(Box::new(form)));
        }
        Action::InsertCopy => return copy(model),
        Action::UndoInserts if !model.traffic.jobs.is_empty() => {
            model.say(format!("an insert is under way: {} stops it first", model.key(Action::StopInserts)));
        }
        Action::UndoInserts if model.traffic.undoable.count() == 0 => {
            model.say(match model.traffic.undoable.forgotten {
                0 => "nothing to undo: no insert in this session".to_owned(),
                n => format!("nothing to undo any more: {} forgotten", text::counted(n, "insert")),
            });
        }
        Action::UndoInserts => model.overlays.push(Overlay::Confirm(Question::UndoInserts)),
        Action::StopInserts if model.traffic.jobs.is_empty() => model.say("no insert is under way"),
        Action::StopInserts => {
            model.say("stopping; what is written stays");
            return vec![Effect::Send(Command::StopInserts)];
        }
        Action::Export if model.latency.stages.is_empty() => {
            model.say("nothing is measured yet: insert something first");
        }
        Action::Export => {
            let dialog = ExportDialog::new(model.now, model.options.zone.clone());
            model.overlays.push(Overlay::Export(dialog));
        }
        Action::RunSale => return scenario(model, "sale-starts"),
        Action::RunDrip => return scenario(model, "drip"),
        Action::RunBurst => return scenario(model, "burst"),
        Action::RunSameProduct => return scenario(model, "same-product"),
        _ => {}
    }
    Vec::new()
}

fn scenario(model: &mut Model, name: &str) -> Vec<Effect> {
    let Some(scenario) = Scenario::named(name) else { return Vec::new() };
    model.say(format!("scenario {name}"));
    vec![Effect::Send(Command::Insert(Insert::Scenario(Box::new(scenario))))]
}

/// Reads the selected document; the form opens when it is there.
fn copy(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.thread.document.clone() else {
        model.say("nothing is selected to copy");
        return Vec::new();
    };
    if model.masked {
        model.say_masked();
        return Vec::new();
    }
    let request = model.next_request();
    model.copying = Some(request);
    let partition_key = model.thread.partition_key.clone();
    vec![Effect::Send(Command::ShowDocument { request, id, partition_key, key: None })]
}

/// The document to copy was read.
pub(super) fn copied(model: &mut Model, detail: &DocumentDetail) {
    model.copying = None;
    let form = match &detail.source {
        Ok(Some(source)) => InsertForm::copy_of(&source.json, model.now, model.options.template),
        Ok(None) => Err("the document is not in the source any more".to_owned()),
        Err(problem) => Err(problem.clone()),
    };
    match form {
        Ok(form) => {
            model.overlays.retain(|overlay| !matches!(overlay, Overlay::Insert(_)));
            model.overlays.push(Overlay::Insert(Box::new(form)));
        }
        Err(problem) => model.say(format!("not copied: {problem}")),
    }
}

/// Files were found for the path that is typed.
pub(super) fn found(model: &mut Model, typed: &str, found: Vec<String>) {
    for overlay in &mut model.overlays {
        if let Overlay::Insert(form) = overlay {
            form.complete(typed, found);
            return;
        }
    }
}

/// Does an action of the insert form.
pub(super) fn in_form(model: &mut Model, form: &mut InsertForm, action: Action) -> (bool, Vec<Effect>) {
    match action {
        Action::Back => return (false, Vec::new()),
        // One line has no next: there the key completes a path.
        Action::NextField if form.path().is_some() => {
            let typed = form.path().unwrap_or_default().to_owned();
            return (true, vec![Effect::Send(Command::FindFiles { typed })]);
        }
        Action::NextField => form.move_focus(1),
        Action::PreviousField => form.move_focus(-1),
        Action::NextChoice => form.move_mode(1),
        Action::PreviousChoice => form.move_mode(-1),
        Action::NextShape => form.next_template(),
        Action::Copy => {
            if let Some(text) = form.same_as(&model.options.same_as) {
                model.say("copied the command line");
                return (true, vec![Effect::Copy(text)]);
            }
        }
        Action::Submit => match form.request() {
            Ok(insert) => {
                model.say(match &insert {
                    Insert::One { .. } => format!("writing {}", text::middle(form.id(), 40)),
                    Insert::Generated { count } => format!("writing {}", text::counted(*count, "document")),
                    Insert::Rated { count, per_second } => {
                        format!("writing {} at {per_second}/s", text::counted(*count, "document"))
                    }
                    Insert::Scenario(scenario) => format!("scenario {}: {}", scenario.name, scenario.about),
                    Insert::ScenarioFile { path } => format!("scenario {}", text::middle(path, 40)),
                    Insert::File { path } => format!("reading {}", text::middle(path, 40)),
                });
                if let Insert::One { .. } = insert {
                    // The eye can follow it from the moment it is written.
                    model.feed.ring.follow();
                    model.cache.follow(model.now);
                    model.thread = Thread::awaiting(form.id(), &model.options.key_template);
                }
                return (false, vec![Effect::Send(Command::Insert(insert))]);
            }
            Err(place) => form.focus = place,
        },
        _ => {}
    }
    (true, Vec::new())
}

/// Does an action of the export dialog.
pub(super) fn in_export(model: &mut Model, dialog: &mut ExportDialog, action: Action) -> (bool, Vec<Effect>) {
    match action {
        Action::Up => dialog.step(-1),
        Action::Down => dialog.step(1),
        Action::Copy => {
            model.say("copied the command line");
            let line = dialog.same_as(&model.options.same_as, model.options.slo_ms, model.options.slo_share);
            return (true, vec![Effect::Copy(line)]);
        }
        Action::Submit => {
            let (form, name) = (dialog.form(), dialog.name());
            model.say(format!("writing {name}"));
            return (false, vec![Effect::Send(Command::ExportLatency { form, name, masked: model.masked })]);
        }
        Action::Back => return (false, Vec::new()),
        _ => {}
    }
    (true, Vec::new())
}
