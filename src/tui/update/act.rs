//! What a person means, done: one arm per action, each a line or a call.

use super::{
    Effect, arrange, bookmarks, find, insert, lease_deeds, look, overlay, palette, panes, rebuild, tour,
    views,
};
use crate::{
    engine::{Command, SyncPhase},
    tui::{
        keymap::{Action, Context},
        layout::{self, Shape},
        model::{Follow, Model, Overlay, Pane, Question, Thread, VerifyDialog},
        widgets::text,
    },
};

/// Writes per second that `+` begins with.
const FIRST_RATE: f64 = 5.0;

/// Does an action in a context.
pub(super) fn act(model: &mut Model, context: Context, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Screenshot => return vec![Effect::Screenshot],
        Action::Palette => return palette::open(model),
        _ => {}
    }
    match context {
        Context::Main | Context::Global => in_panes(model, action),
        Context::Stage => match action {
            Action::Back => overlay::close(model),
            other => in_panes(model, other),
        },
        Context::Tour => tour::act(model, action),
        Context::Follow
        | Context::Edit
        | Context::Health
        | Context::Insert
        | Context::Rebuild
        | Context::RebuildSince
        | Context::Leases
        | Context::Bookmarks
        | Context::Restore
        | Context::Letters
        | Context::Tree
        | Context::Preview
        | Context::Verify
        | Context::Help
        | Context::Filter
        | Context::Palette
        | Context::Confirm
        | Context::Export => overlay::act(model, action),
    }
}

/// An action of the main screen.
pub(super) fn in_panes(model: &mut Model, action: Action) -> Vec<Effect> {
    let pane = model.focus;
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Screenshot => return vec![Effect::Screenshot],
        Action::Focus(pane) => model.focus = pane,
        Action::FocusNext | Action::FocusRight => move_focus(model, 1),
        Action::FocusPrevious | Action::FocusLeft => move_focus(model, -1),
        Action::Up => panes::step(model, pane, -1),
        Action::Down => panes::step(model, pane, 1),
        Action::PageUp => panes::step(model, pane, -page(model, pane)),
        Action::PageDown => panes::step(model, pane, page(model, pane)),
        Action::First => panes::first(model, pane),
        Action::Last => panes::last(model, pane),
        Action::Open => return open(model),
        Action::Insert
        | Action::InsertCopy
        | Action::UndoInserts
        | Action::StopInserts
        | Action::Export
        | Action::RunSale
        | Action::RunDrip
        | Action::RunBurst
        | Action::RunSameProduct => return insert::act(model, action),
        Action::Rebuild => return rebuild::open(model),
        Action::Verify => return verify(model),
        Action::Leases => return lease_deeds::open(model),
        Action::Bookmarks => return bookmarks::open(model),
        Action::WatchDrift => return views::toggle_drift(model),
        Action::DeadLetters => return views::open_letters(model),
        Action::Tree => return views::open_tree(model),
        Action::Preview => return views::open_preview(model, String::new()),
        Action::AddInstance => return vec![Effect::Send(Command::AddInstance)],
        Action::RemoveInstance => return fewer(model, Action::RemoveInstance),
        Action::KillInstance => return fewer(model, Action::KillInstance),
        Action::SplitPartition => {
            model.say("splitting the widest partition");
            return vec![Effect::Send(Command::SplitPartition)];
        }
        Action::ToggleSync => return toggle_sync(model),
        Action::TogglePause => return toggle_pause(model),
        Action::ToggleTraffic => return toggle_traffic(model),
        Action::TrafficUp => return change_traffic(model, true),
        Action::TrafficDown => return change_traffic(model, false),
        Action::Filter => find::open(model),
        Action::FindNext => find::step(model, true),
        Action::FindPrevious => find::step(model, false),
        Action::Narrow => find::toggle_narrowing(model),
        Action::ClearFilter => clear(model),
        Action::Sort => find::next_column(model),
        Action::SortReversed => find::reverse(model),
        Action::Health => model.overlays.push(Overlay::Health { scroll: 0 }),
        Action::LogRoom => find::next_log_room(model),
        Action::Tour => return tour::begin(model, false),
        Action::LogLevel
        | Action::Zoom
        | Action::Mask
        | Action::NextTheme
        | Action::Theme(_)
        | Action::Activity(_) => look::act(model, action),
        Action::Layout(_)
        | Action::NextLayout
        | Action::Toggle(_)
        | Action::Hide
        | Action::ShowAll
        | Action::Wider
        | Action::Narrower
        | Action::Taller
        | Action::Lower => arrange::act(model, action),
        Action::Stage => model.overlays.push(Overlay::Stage),
        Action::CopyKey | Action::Copy => return copy_name(model),
        Action::Palette => return palette::open(model),
        Action::Help => {
            let of = model.context();
            model.overlays.push(Overlay::Help { of, scroll: 0 });
        }
        // Means something in other places alone.
        _ => {}
    }
    Vec::new()
}

fn page(model: &Model, pane: Pane) -> isize {
    isize::try_from(panes::height(model, pane)).unwrap_or(1).max(2) - 1
}

fn move_focus(model: &mut Model, by: isize) {
    let count = Pane::ALL.len();
    let from = model.focus.index();
    // Tabs show every pane; beside each other, those that are hidden are passed over.
    let hides = layout::frame(model).shape != Shape::Tabs;
    for step in 1..=count {
        let by = by * isize::try_from(step).unwrap_or(1);
        let pane = Pane::ALL[(from + count * count).saturating_add_signed(by) % count];
        if !(hides && model.arrangement.is_hidden(pane)) {
            model.focus = pane;
            return;
        }
    }
}

/// Escape on the main screen takes back one thing at a time: filter, scroll, selection, zoom.
fn clear(model: &mut Model) {
    let pane = model.focus;
    if find::clear(model, pane) {
        return;
    }
    if model.thread.is_none() {
        model.zoomed = false;
        panes::last(model, pane);
    } else {
        model.thread = Thread::default();
        model.leases.cursor = None;
        model.feed.ring.follow();
        model.cache.follow(model.now);
    }
}

/// Opens the selected document, or the newest change when nothing is selected.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    if model.focus == Pane::Latency
        && let Some(slow) = model.slow_cursor.and_then(|cursor| model.latency.slowest.get(cursor))
    {
        model.thread = panes::thread_of(model, &slow.id);
    }
    if model.thread.document.is_none()
        && let Some((_, row)) = model.feed.ring.at(model.feed.ring.top())
    {
        model.thread = Thread::of_change(row);
    }
    let Some(id) = model.thread.document.clone() else {
        model.say(match model.thread.keys.first() {
            Some(_) => "this key belongs to no document that the mapping can tell",
            None => "nothing to follow yet: select a row",
        });
        return Vec::new();
    };
    model.after_reading = None;
    let request = model.next_request();
    let key = pointed_key(model);
    let (follow, command) = Follow::open(request, id, model.thread.partition_key.clone(), key);
    model.overlays.retain(|overlay| !matches!(overlay, Overlay::Follow(_)));
    model.overlays.push(Overlay::Follow(Box::new(follow)));
    vec![Effect::Send(command)]
}

/// The key that was pointed at, where it was a key and not a document.
fn pointed_key(model: &Model) -> Option<String> {
    let thread = &model.thread;
    if model.overlays.iter().any(|overlay| matches!(overlay, Overlay::Verify(_))) {
        return thread.keys.first().cloned();
    }
    let cursor = model.cache.cursor().filter(|_| model.focus == Pane::Cache)?;
    thread.marks_key(cursor).then(|| cursor.to_owned())
}

/// Opens the dialog, and begins unless a verification is under way.
pub(super) fn verify(model: &mut Model) -> Vec<Effect> {
    model.overlays.retain(|overlay| !matches!(overlay, Overlay::Verify(_)));
    model.overlays.push(Overlay::Verify(VerifyDialog::default()));
    if model.verification.running() {
        return Vec::new();
    }
    model.verification.begin();
    vec![Effect::Send(Command::Verify { sample: None, grace: None })]
}

/// One instance of the sync fewer: politely, or after a question as if its process had died.
fn fewer(model: &mut Model, action: Action) -> Vec<Effect> {
    if matches!(model.sync.phase, SyncPhase::Off) {
        return sync_is_off(model);
    }
    if action == Action::KillInstance {
        model.overlays.push(Overlay::Confirm(Question::KillInstance));
        return Vec::new();
    }
    if model.sync.instances.len() <= 1 {
        let words = format!("one instance is left: {} stops the sync", model.key(Action::ToggleSync));
        return said(model, &words);
    }
    vec![Effect::Send(Command::RemoveInstance)]
}

fn toggle_sync(model: &mut Model) -> Vec<Effect> {
    match model.sync.phase {
        SyncPhase::Off => {
            model.say("starting the sync");
            vec![Effect::Send(Command::StartSync)]
        }
        SyncPhase::Joining | SyncPhase::Running | SyncPhase::Paused => {
            model.overlays.push(Overlay::Confirm(Question::StopSync));
            Vec::new()
        }
        SyncPhase::Stopping => said(model, "the sync is stopping already"),
        SyncPhase::Rebuilding => said(model, "a rebuild is under way"),
    }
}

fn toggle_pause(model: &mut Model) -> Vec<Effect> {
    match model.sync.phase {
        SyncPhase::Running | SyncPhase::Joining => vec![Effect::Send(Command::PauseSync)],
        SyncPhase::Paused => vec![Effect::Send(Command::ResumeSync)],
        SyncPhase::Off => sync_is_off(model),
        SyncPhase::Stopping => said(model, "the sync is stopping"),
        SyncPhase::Rebuilding => said(model, "a rebuild is under way"),
    }
}

fn toggle_traffic(model: &mut Model) -> Vec<Effect> {
    if model.traffic.paused {
        vec![Effect::Send(Command::ResumeTraffic)]
    } else if model.traffic.target_rate > 0.0 {
        vec![Effect::Send(Command::PauseTraffic)]
    } else {
        let words = format!("there is no sample traffic: {} starts it", model.key(Action::TrafficUp));
        said(model, &words)
    }
}

fn change_traffic(model: &mut Model, up: bool) -> Vec<Effect> {
    const STEPS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];
    let now = model.traffic.target_rate;
    let rate = if up {
        if now <= 0.0 { FIRST_RATE } else { STEPS.into_iter().find(|step| *step > now).unwrap_or(now) }
    } else {
        STEPS.into_iter().rev().find(|step| *step < now).unwrap_or(0.0)
    };
    // Shown at once, so that three quick presses are three steps; the engine's word follows.
    model.traffic.target_rate = rate;
    model.say(format!("sample traffic {}", text::rate(rate)));
    vec![Effect::Send(Command::SetTraffic(rate))]
}

fn copy_name(model: &mut Model) -> Vec<Effect> {
    let name = match model.focus {
        Pane::Cache => model.thread.keys.first().map(String::as_str).or(model.thread.name()),
        _ => model.thread.name(),
    };
    match name.map(str::to_owned) {
        Some(name) => {
            model.say(format!("copied {}", text::middle(&name, 40)));
            vec![Effect::Copy(name)]
        }
        None => said(model, "nothing is selected"),
    }
}

fn sync_is_off(model: &mut Model) -> Vec<Effect> {
    let words = format!("the sync is off: {} starts it", model.key(Action::ToggleSync));
    said(model, &words)
}

fn said(model: &mut Model, text: &str) -> Vec<Effect> {
    model.say(text);
    Vec::new()
}
