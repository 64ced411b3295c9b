//! Finding rows: the line of a filter, stepping from match to match, sorting by a column.

use jiff::Timestamp;

use super::{Effect, panes};
use crate::tui::{
    keymap::Action,
    model::{Filter, Floor, Model, Order, Overlay, Pane},
};

/// How a term of the level in a filter of the activity begins.
const LEVEL: &str = "level>=";

/// Time passes for filters and sorted lists.
pub(super) fn tick(model: &mut Model, now: Timestamp) {
    model.feed.ring.tick(now);
    model.log.tick(now);
    model.leases.tick(now);
    model.cache.tick(now);
}

/// Begins to type the filter of the focused pane.
pub(super) fn open(model: &mut Model) {
    if model.focus == Pane::Latency {
        model.say("the latencies have no filter");
    } else {
        model.typing_filter = true;
    }
}

/// A key of the filter line that is no text.
pub(super) fn in_line(model: &mut Model, action: Action) -> Vec<Effect> {
    let pane = model.focus;
    let line = &mut model.filters[pane.index()];
    match action {
        Action::Up => line.older(),
        Action::Down => line.newer(),
        Action::Back => {
            line.reset();
            model.typing_filter = false;
        }
        // What is wrong stays in the line, which tells it.
        Action::Submit if line.fault.is_some() => return Vec::new(),
        Action::Submit => {
            line.keep();
            model.typing_filter = false;
            return Vec::new();
        }
        _ => return Vec::new(),
    }
    apply(model, pane);
    Vec::new()
}

/// Takes the text of a pane's filter over; one that is none leaves the last in force.
pub(super) fn apply(model: &mut Model, pane: Pane) {
    let line = &mut model.filters[pane.index()];
    let filter = match Filter::parse(line.value(), pane, model.now, &model.options.zone) {
        Ok(filter) => filter,
        Err(fault) => {
            line.fault = Some(fault);
            return;
        }
    };
    line.fault = None;
    match pane {
        Pane::Feed => model.feed.ring.set_filter(filter),
        Pane::Leases => model.leases.set_filter(filter),
        Pane::Cache => model.cache.set_filter(filter, model.now),
        Pane::Log => model.log.set_filter(filter),
        Pane::Latency => {}
    }
}

/// Takes the filter of a pane away; `false` when it has none.
pub(super) fn clear(model: &mut Model, pane: Pane) -> bool {
    if model.filters[pane.index()].value().is_empty() {
        return false;
    }
    model.filters[pane.index()].reset();
    apply(model, pane);
    true
}

/// Goes to the next match in the focused pane, or to the one before.
pub(super) fn step(model: &mut Model, forward: bool) {
    let pane = model.focus;
    if model.filters[pane.index()].value().is_empty() {
        let words = match pane {
            Pane::Latency => "the latencies have no filter".to_owned(),
            _ => format!("nothing is looked for: {} asks", model.key(Action::Filter)),
        };
        model.say(words);
        return;
    }
    let height = panes::height(model, pane);
    let round = match pane {
        Pane::Feed => {
            let from = model.thread.document.as_deref().and_then(|id| model.feed.newest_of(id));
            model.feed.ring.find(forward, from, height).map(|(number, round)| {
                panes::thread_from_change(model, number);
                round
            })
        }
        Pane::Leases => model.leases.find(forward, height).map(|(id, round)| {
            panes::thread_from_lease(model, &id);
            round
        }),
        Pane::Cache => {
            let from = model.thread.keys.first().cloned();
            model.cache.find(forward, from.as_deref(), height, model.now).map(|(key, round)| {
                panes::thread_from_key(model, &key);
                round
            })
        }
        Pane::Log => model.log.find(forward, None, height).map(|(_, round)| round),
        Pane::Latency => None,
    };
    match round {
        None => model.say("nothing passes the filter"),
        Some(true) if forward => model.say("went on at the top"),
        Some(true) => model.say("went on at the bottom"),
        Some(false) => {}
    }
}

/// All rows with the matches marked, or only the matches.
pub(super) fn toggle_narrowing(model: &mut Model) {
    let pane = model.focus;
    if pane == Pane::Latency {
        model.say("the latencies have no filter");
        return;
    }
    let line = &mut model.filters[pane.index()];
    line.narrows = !line.narrows;
    let narrows = line.narrows;
    match pane {
        Pane::Feed => model.feed.ring.set_narrows(narrows),
        Pane::Leases => model.leases.set_narrows(narrows),
        Pane::Cache => model.cache.set_narrows(narrows, model.now),
        Pane::Log => model.log.set_narrows(narrows),
        Pane::Latency => {}
    }
    let keys = (model.key(Action::FindNext), model.key(Action::FindPrevious));
    model.say(if narrows {
        "only what passes the filter is shown".to_owned()
    } else {
        format!("all rows are shown, matches are marked: {} {} step through them", keys.0, keys.1)
    });
}

/// How a pane is sorted.
pub(super) fn order(model: &Model, pane: Pane) -> Order {
    match pane {
        Pane::Feed => model.feed.ring.order(),
        Pane::Leases => model.leases.order(),
        Pane::Cache => model.cache.order(),
        Pane::Latency => model.slow_order,
        Pane::Log => model.log.order(),
    }
}

/// Sorts the focused pane by its next column.
pub(super) fn next_column(model: &mut Model) {
    let pane = model.focus;
    sort(model, pane, order(model, pane).next(pane.columns()));
}

/// Sorts the focused pane the other way round.
pub(super) fn reverse(model: &mut Model) {
    let pane = model.focus;
    sort(model, pane, order(model, pane).turned());
}

/// Sorts a pane by a column, and again the other way round: a click on its title, or a choice by name.
pub(super) fn click(model: &mut Model, pane: Pane, column: usize) {
    sort(model, pane, order(model, pane).clicked(column));
}

/// A click on the title of a column of the findings.
pub(super) fn click_findings(model: &mut Model, column: usize) {
    let order = model.verification.order().clicked(column);
    if let Some(Overlay::Verify(dialog)) = model.overlays.last_mut() {
        dialog.cursor = model.verification.set_order(order, dialog.cursor);
    }
}

fn sort(model: &mut Model, pane: Pane, order: Order) {
    match pane {
        Pane::Feed => model.feed.ring.set_order(order),
        Pane::Leases => model.leases.set_order(order),
        Pane::Cache => model.cache.set_order(order, model.now),
        Pane::Latency => model.sort_slowest(order),
        Pane::Log => model.log.set_order(order),
    }
    let live = order.is_own() && matches!(pane, Pane::Feed | Pane::Cache | Pane::Log);
    let name = pane.title().to_lowercase();
    model.say(if live {
        format!("{name}: the newest first")
    } else {
        format!("{name}: {}", order.words(pane.columns()))
    });
}

/// The activity from the next level on: everything, warnings, errors.
pub(super) fn next_log_level(model: &mut Model) {
    let now = term(model, LEVEL);
    let place = Floor::ALL.iter().position(|floor| floor.level() == now.as_deref());
    let next = place.map_or(Floor::Warnings, |place| Floor::ALL[(place + 1) % Floor::ALL.len()]);
    show_activity(model, next);
}

/// The activity from a level on.
pub(super) fn show_activity(model: &mut Model, floor: Floor) {
    replace_term(model, LEVEL, floor.level());
    model.say(floor.words());
}

/// The activity of the next room that has a line, at last of all.
pub(super) fn next_log_room(model: &mut Model) {
    let mut rooms: Vec<&str> = model.log.iter().map(|(_, line)| line.room).collect();
    rooms.sort_unstable();
    rooms.dedup();
    let now = term(model, "room=");
    let next = rooms.iter().find(|room| now.as_deref().is_none_or(|now| **room > now)).copied();
    replace_term(model, "room=", next);
    model.say(match next {
        Some(room) => format!("activity: {room}"),
        None => "activity: every room".to_owned(),
    });
}

/// The value of a term such as `room=` in the filter of the activity.
fn term(model: &Model, start: &str) -> Option<String> {
    let text = model.filters[Pane::Log.index()].value();
    text.split_whitespace().find_map(|term| term.strip_prefix(start)).map(str::to_owned)
}

/// Puts another value there, or takes the term away; the rest of the filter stays.
fn replace_term(model: &mut Model, start: &str, value: Option<&str>) {
    let line = &mut model.filters[Pane::Log.index()];
    let kept = line.value().split_whitespace().filter(|term| !term.starts_with(start)).map(str::to_owned);
    let terms: Vec<String> = kept.chain(value.map(|value| format!("{start}{value}"))).collect();
    line.set(&terms.join(" "));
    model.log.follow();
    apply(model, Pane::Log);
}
