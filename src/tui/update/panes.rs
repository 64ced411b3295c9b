//! Moving in the panes: cursors, and the one thread that goes with them.

use crate::tui::{
    layout::{self, Frame},
    model::{Model, Pane, Thread},
};

/// Rows that a pane shows at once.
pub(super) fn height(model: &Model, pane: Pane) -> usize {
    usize::from(layout::frame(model).rows(pane, model).height).max(1)
}

/// Moves the cursor of the focused pane by rows and the thread with it.
pub(super) fn step(model: &mut Model, pane: Pane, rows: isize) {
    let height = height(model, pane);
    match pane {
        Pane::Feed => {
            let from = model.thread.document.as_deref().and_then(|id| model.feed.newest_of(id));
            if let Some(number) = model.feed.ring.step(rows, from, height) {
                thread_from_change(model, number);
            }
        }
        Pane::Leases => {
            if let Some(id) = model.leases.step(rows, height).map(|row| row.id.clone()) {
                thread_from_lease(model, &id);
            }
        }
        Pane::Cache => {
            let from = model.thread.keys.first().cloned();
            if let Some(key) = model.cache.step(rows, from.as_deref(), height, model.now) {
                thread_from_key(model, &key);
            }
        }
        Pane::Log => drop(model.log.step(rows, None, height)),
        Pane::Latency => step_slowest(model, rows),
    }
}

/// A click on a row of a pane.
pub(super) fn click(model: &mut Model, frame: &Frame, pane: Pane, line: usize) {
    let height = usize::from(frame.rows(pane, model).height).max(1);
    match pane {
        Pane::Feed => {
            let place = model.feed.ring.top() + line;
            if let Some(number) = model.feed.ring.at(place).map(|(number, _)| number) {
                model.feed.ring.stop_at(number, height);
                thread_from_change(model, number);
            }
        }
        Pane::Leases => {
            let id =
                model.leases.shown().nth(model.leases.first_shown(height) + line).map(|row| row.id.clone());
            if let Some(id) = id {
                model.leases.stop_at(&id, height);
                thread_from_lease(model, &id);
            }
        }
        Pane::Cache => {
            if let Some(key) = model.cache.click(line, height, model.now) {
                thread_from_key(model, &key);
            }
        }
        Pane::Log => {
            if let Some(number) = model.log.at(model.log.top() + line).map(|(number, _)| number) {
                model.log.stop_at(number, height);
            }
        }
        Pane::Latency => {}
    }
}

/// First row: in a live pane the newest one, which follows.
pub(super) fn first(model: &mut Model, pane: Pane) {
    match pane {
        Pane::Leases => step(model, pane, isize::MIN / 2),
        Pane::Feed | Pane::Cache | Pane::Log | Pane::Latency => follow(model, pane),
    }
}

/// Follows again; the lease list, which does not move, goes to its end.
pub(super) fn last(model: &mut Model, pane: Pane) {
    match pane {
        Pane::Leases => step(model, pane, isize::MAX / 2),
        Pane::Feed | Pane::Cache | Pane::Log | Pane::Latency => follow(model, pane),
    }
}

pub(super) fn follow(model: &mut Model, pane: Pane) {
    match pane {
        Pane::Feed => model.feed.ring.follow(),
        Pane::Cache => model.cache.follow(model.now),
        Pane::Log => model.log.follow(),
        Pane::Leases | Pane::Latency => {}
    }
}

/// After a change of size or of rows: what the cursor is on stays visible.
pub(super) fn keep_cursors_in_view(model: &mut Model) {
    let frame = layout::frame(model);
    // A pane behind a tab has no height now and gets its turn when it is shown.
    let height = |model: &Model, pane| Some(usize::from(frame.rows(pane, model).height)).filter(|n| *n > 0);
    if let Some(height) = height(model, Pane::Feed) {
        model.feed.ring.keep_in_view(height);
    }
    if let Some(height) = height(model, Pane::Log) {
        model.log.keep_in_view(height);
    }
    if let (Some(cursor), Some(height)) = (model.leases.cursor.clone(), height(model, Pane::Leases)) {
        model.leases.stop_at(&cursor, height);
    }
    if let Some(height) = height(model, Pane::Cache) {
        model.cache.keep_in_view(height);
    }
}

pub(super) fn thread_from_change(model: &mut Model, number: u64) {
    if let Some(row) = model.feed.ring.get(number) {
        model.thread = Thread::of_change(row);
        lease_follows(model);
    }
}

pub(super) fn thread_from_key(model: &mut Model, key: &str) {
    let Some(row) = model.cache.get(key) else { return };
    let change = row.document_id.as_deref().and_then(|id| model.feed.newest_of(id));
    model.thread = match change.and_then(|number| model.feed.ring.get(number)) {
        Some(change) => Thread::of_change(change),
        None => Thread::of_entry(row),
    };
    lease_follows(model);
}

/// A lease stands for the newest change that came through it.
pub(super) fn thread_from_lease(model: &mut Model, id: &str) {
    let Some(row) = model.leases.snapshot.rows.iter().find(|row| row.id == id) else { return };
    let newest = row.range.as_ref().and_then(|range| {
        model.feed.ring.iter().map(|(_, change)| change).find(|change| range.contains(&change.range))
    });
    model.thread = match newest {
        Some(change) => Thread::of_change(change).through_lease(row),
        None => Thread::of_lease(row),
    };
}

/// The lease cursor goes to the lease of the thread, so that it is in view.
fn lease_follows(model: &mut Model) {
    let height = height(model, Pane::Leases);
    let lease = model.leases.shown().find(|row| model.thread.marks_lease(row)).map(|row| row.id.clone());
    match lease {
        Some(id) => model.leases.stop_at(&id, height),
        None => model.leases.cursor = None,
    }
}

/// Moves among the slowest documents; up from the first leaves them.
fn step_slowest(model: &mut Model, rows: isize) {
    let Some(last) = model.latency.slowest.len().checked_sub(1) else { return };
    model.slow_cursor = match model.slow_cursor {
        Some(0) if rows < 0 => None,
        Some(cursor) => Some(cursor.saturating_add_signed(rows).min(last)),
        None if rows > 0 => Some(usize::try_from(rows - 1).unwrap_or(0).min(last)),
        None => None,
    };
    thread_from_slowest(model);
}

/// A click on one of the slowest documents.
pub(super) fn point_at_slowest(model: &mut Model, place: usize) {
    model.slow_cursor = Some(place);
    thread_from_slowest(model);
}

fn thread_from_slowest(model: &mut Model) {
    if let Some(slow) = model.slow_cursor.and_then(|cursor| model.latency.slowest.get(cursor)) {
        model.thread = thread_of(model, &slow.id);
        lease_follows(model);
    }
}

/// The thread through a document of which only the id is known.
pub(super) fn thread_of(model: &Model, id: &str) -> Thread {
    match model.feed.newest_of(id).and_then(|number| model.feed.ring.get(number)) {
        Some(change) => Thread::of_change(change),
        None => Thread::awaiting(id, &model.options.key_template),
    }
}
