//! Keys and answers of the views beside the panes: dead letters, keys as a tree, mapping preview.

use crossterm::event::KeyEvent;

use super::{Effect, act, typing};
use crate::{
    config::is_loopback,
    engine::{
        Command, ConnectionState, DeadLetterList, DeadLetterOrder, DeadLetterRow, DriftWatch, MappingPreview,
        SyncPhase,
    },
    tui::{
        keymap::Action,
        model::{KeyTree, Letters, Model, Overlay, Preview, Sorted, Thread},
        view,
    },
};

/// Rows or lines that a page moves.
const PAGE: isize = 10;

/// Starts or ends the comparing in the background.
pub(super) fn toggle_drift(model: &mut Model) -> Vec<Effect> {
    model.drift_decided = true;
    let watch = !model.drift.as_ref().is_some_and(|drift| drift.watching);
    let key = model.key(Action::WatchDrift);
    model.say(if watch {
        format!("comparing in the background, 100 documents a second at most: {key} ends it")
    } else {
        "no longer comparing in the background".to_owned()
    });
    vec![Effect::Send(Command::WatchDrift(watch.then(DriftWatch::default)))]
}

/// Comparing begins by itself once both servers are there, if the source is on this machine: elsewhere its
/// reads may cost money, and `V` starts it.
pub(super) fn begin_drift(model: &mut Model) -> Vec<Effect> {
    let (Some(ConnectionState::Up { address, .. }), Some(ConnectionState::Up { .. })) =
        (&model.cosmos, &model.redis)
    else {
        return Vec::new();
    };
    // What a sync that has just begun has not brought yet is no drift.
    let catches_up = matches!(model.sync.phase, SyncPhase::Joining | SyncPhase::Running)
        && model.sync.lag.is_none_or(|lag| lag as f64 > model.sync.rate);
    if model.drift_decided || catches_up {
        return Vec::new();
    }
    let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
    model.drift_decided = true;
    if is_loopback(host) {
        vec![Effect::Send(Command::WatchDrift(Some(DriftWatch::default())))]
    } else {
        Vec::new()
    }
}

/// Opens the list of what was set aside.
pub(super) fn open_letters(model: &mut Model) -> Vec<Effect> {
    model.overlays.push(Overlay::Letters(Box::default()));
    vec![Effect::Send(Command::DeadLetters(DeadLetterOrder::List))]
}

/// A key in the list; `false` = it closes.
pub(super) fn in_letters(model: &mut Model, letters: &mut Letters, action: Action) -> (bool, Vec<Effect>) {
    let send = |order| vec![Effect::Send(Command::DeadLetters(order))];
    match action {
        Action::Back => return (false, Vec::new()),
        Action::Up => letters.step(-1),
        Action::Down => letters.step(1),
        Action::Sort => letters.set_order(letters.order().next(DeadLetterRow::COLUMNS)),
        Action::SortReversed => letters.set_order(letters.order().turned()),
        Action::PageUp => letters.scroll = letters.scroll.saturating_sub(PAGE.unsigned_abs()),
        Action::PageDown => {
            let most = letters.selected().map_or(0, |row| view::letters::lines(row).len());
            letters.scroll = (letters.scroll + PAGE.unsigned_abs()).min(most.saturating_sub(1));
        }
        Action::Retry | Action::RetryAll => {
            let names = match (action, letters.selected()) {
                (_, None) => {
                    model.say("there is nothing to try again");
                    return (true, Vec::new());
                }
                (Action::Retry, Some(row)) => Some(vec![row.name.clone()]),
                _ => None,
            };
            letters.busy = true;
            return (true, send(DeadLetterOrder::Retry { names }));
        }
        // Whole documents, of which there is no masked form.
        Action::Export if model.masked => model.say_masked(),
        Action::Export => {
            let at = model.now.as_second();
            let file = format!("syncscope-dead-letters-{at}.ndjson");
            model.say(format!("writing {file}"));
            return (true, send(DeadLetterOrder::Export { file }));
        }
        Action::Copy => {
            if let Some(row) = letters.selected() {
                model.say("copied the JSON");
                return (true, vec![Effect::Copy(row.document.clone())]);
            }
        }
        _ => {}
    }
    (true, Vec::new())
}

/// An answer about what was set aside.
pub(super) fn letters(model: &mut Model, list: Box<DeadLetterList>) {
    if let Some(counts) = list.retried {
        model.say(format!(
            "tried again: {} written, {} gone, {} still set aside",
            counts.written, counts.gone, counts.left
        ));
    }
    let open = model.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Letters(letters) => Some(letters),
        _ => None,
    });
    if let Some(letters) = open {
        letters.answer(list);
    }
}

/// Opens the tree of keys.
pub(super) fn open_tree(model: &mut Model) -> Vec<Effect> {
    let tree = KeyTree::of(&model.cache);
    model.overlays.push(Overlay::Tree(Box::new(tree)));
    Vec::new()
}

/// A key in the tree; `false` = it closes, and the key under the cursor may be followed.
pub(super) fn in_tree(model: &mut Model, tree: &mut KeyTree, action: Action) -> (bool, Vec<Effect>) {
    match action {
        Action::Back => return (false, Vec::new()),
        Action::Up => tree.step(-1),
        Action::Down => tree.step(1),
        Action::PageUp => tree.step(-PAGE),
        Action::PageDown => tree.step(PAGE),
        Action::First => tree.step(isize::MIN / 2),
        Action::Last => tree.step(isize::MAX / 2),
        Action::NextChoice => tree.set_open(true, &model.cache),
        Action::PreviousChoice => tree.set_open(false, &model.cache),
        Action::Submit => match tree.selected().map(|row| (row.branch, row.path.clone())) {
            Some((Some(open), _)) => tree.set_open(!open, &model.cache),
            Some((None, key)) => {
                if let Some(row) = model.cache.get(&key) {
                    model.thread = Thread::of_entry(row);
                    return (true, act::open(model));
                }
            }
            None => {}
        },
        Action::Copy => {
            if let Some(row) = tree.selected() {
                model.say("copied");
                return (true, vec![Effect::Copy(row.path.clone())]);
            }
        }
        _ => {}
    }
    (true, Vec::new())
}

/// Opens the preview of this document, or of what will be pasted.
pub(super) fn open_preview(model: &mut Model, document: String) -> Vec<Effect> {
    let mut preview = Preview::new(document, &model.options.key_template);
    let request = model.next_request();
    let asked = preview.ask(request);
    model.overlays.push(Overlay::Preview(Box::new(preview)));
    asked.map(Effect::Send).into_iter().collect()
}

/// A key in the preview; `false` = it closes.
pub(super) fn in_preview(model: &mut Model, preview: &mut Preview, action: Action) -> (bool, Vec<Effect>) {
    match action {
        Action::Back => return (false, Vec::new()),
        Action::NextField => preview.on_jq = !preview.on_jq,
        Action::PageUp => preview.scroll = preview.scroll.saturating_sub(PAGE.unsigned_abs() / 2),
        Action::PageDown => {
            let most = view::preview::overflow(model, preview);
            preview.scroll = (preview.scroll + PAGE.unsigned_abs() / 2).min(most);
        }
        Action::Copy => {
            model.say("copied the command line");
            return (true, vec![Effect::Copy(view::preview::same_as(preview))]);
        }
        _ => {}
    }
    (true, Vec::new())
}

/// A letter of the template or the expression.
pub(super) fn type_in_preview(model: &mut Model, key: &KeyEvent) -> Vec<Effect> {
    let request = model.next_request();
    let Some(Overlay::Preview(preview)) = model.overlays.last_mut() else { return Vec::new() };
    typing::edit(preview.focused(), key);
    preview.ask(request).map(Effect::Send).into_iter().collect()
}

/// What is pasted is the document.
pub(super) fn paste_document(model: &mut Model, pasted: &str) -> Vec<Effect> {
    const LONGEST: usize = 256 << 10;
    let request = model.next_request();
    let Some(Overlay::Preview(preview)) = model.overlays.last_mut() else { return Vec::new() };
    preview.document = pasted.chars().take(LONGEST).collect();
    preview.ask(request).map(Effect::Send).into_iter().collect()
}

/// An answer of the mapping.
pub(super) fn previewed(model: &mut Model, answer: Box<MappingPreview>) {
    let open = model.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Preview(preview) => Some(preview),
        _ => None,
    });
    if let Some(preview) = open {
        preview.take(answer);
    }
}
