//! What the engine tells, taken into the model.

use super::{Effect, bookmarks, insert, lease_deeds, palette, rebuild, views};
use crate::{
    engine::{Command, Event, Finding, Level, Server},
    tui::model::{Model, Overlay},
};

/// Takes an event in.
pub(super) fn on_event(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Connection(server, state) => {
            match server {
                Server::Cosmos => model.cosmos = Some(state),
                Server::Redis => model.redis = Some(state),
            }
            return views::begin_drift(model);
        }
        Event::Sync(status) => {
            model.sync = status;
            return views::begin_drift(model);
        }
        Event::Feed(status) => model.feed.status = status,
        Event::Versions(news) => news.into_iter().for_each(|(id, versions)| model.feed.count(&id, versions)),
        Event::Leases(snapshot) => {
            let before = model.leases.snapshot.clone();
            model.leases.replace(snapshot, model.now);
            return bookmarks::leases_read(model, &before);
        }
        Event::Cache(status) => model.cache.status = status,
        Event::CacheFlushed => model.cache.flush(),
        Event::Latency(snapshot) => model.take_latency(snapshot),
        Event::Traffic(status) => model.traffic = status,
        Event::SameAs(flags) => model.options.same_as = flags,
        Event::Dropped(total) => model.dropped = total,
        Event::Log(line) => {
            // An error is never told in the log alone.
            if line.level == Level::Error {
                model.say(model.shown_line(&line).into_owned());
            }
            drop(model.log.push(line));
        }
        Event::Changes(rows) => {
            let touched = followed_id(model).is_some_and(|id| rows.iter().any(|row| row.id == id));
            for row in rows {
                model.thread.complete(&row);
                model.feed.push(row);
            }
            return if touched { ask_again(model) } else { Vec::new() };
        }
        Event::Entries(rows) => {
            let touched = followed_id(model)
                .is_some_and(|id| rows.iter().any(|row| row.document_id.as_deref() == Some(id.as_str())));
            for row in rows {
                model.cache.upsert(row);
            }
            return if touched { ask_again(model) } else { Vec::new() };
        }
        Event::EntriesRemoved(keys) => {
            for key in &keys {
                model.cache.remove(key);
            }
            let touched = followed_key(model).is_some_and(|key| keys.contains(&key));
            return if touched { ask_again(model) } else { Vec::new() };
        }
        Event::RebuildPlan(plan) => rebuild::planned(model, plan),
        Event::Rebuild(status) => rebuild::told(model, status),
        Event::LeasePlan(plan) => lease_deeds::planned(model, plan),
        Event::LeasesDone(outcome) => lease_deeds::done(model, outcome),
        Event::Bookmarked(told) => {
            let effects = bookmarks::bookmarked(model, &told);
            lease_deeds::bookmarked(model, told);
            return effects;
        }
        Event::Bookmarks(answer) => return bookmarks::told(model, *answer),
        Event::Verify(status) => model.verification.status = Some(status),
        Event::Drift(status) => model.drift = Some(status),
        Event::MappingPreview(answer) => views::previewed(model, answer),
        Event::DeadLetters(list) => views::letters(model, list),
        // Answered on the command line.
        Event::LatencyReport(_) => {}
        Event::Finding(finding) => found(model, *finding),
        Event::Files { typed, found } => insert::found(model, &typed, found),
        Event::Compared { request, diff } => {
            if let Some(follow) = model.follow_mut() {
                follow.compared(request, diff);
            }
        }
        Event::Document(detail) if model.copying == Some(detail.request) => insert::copied(model, &detail),
        Event::Edited(outcome) => return super::edit::on_outcome(model, &outcome),
        Event::Document(detail) => {
            let request = model.next_request();
            let next = model.follow_mut().map(|follow| follow.answer(detail, request)).unwrap_or_default();
            let mut effects: Vec<Effect> = next.into_iter().map(Effect::Send).collect();
            effects.extend(palette::after_reading(model));
            return effects;
        }
    }
    Vec::new()
}

/// A finding comes into the list; the cursor stays on its own.
fn found(model: &mut Model, finding: Finding) {
    let dialog = model.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Verify(dialog) => Some(dialog),
        _ => None,
    });
    let place = dialog.as_ref().and_then(|dialog| model.verification.place_of(dialog.cursor));
    model.verification.found(finding);
    if let Some(dialog) = dialog
        && let Some(row) = model.verification.row_of(place)
    {
        dialog.cursor = row;
    }
}

fn followed_id(model: &mut Model) -> Option<String> {
    model.follow_mut().map(|follow| follow.id.clone())
}

fn followed_key(model: &mut Model) -> Option<String> {
    model.follow_mut()?.detail.as_ref()?.key.clone()
}

pub(super) fn ask_again(model: &mut Model) -> Vec<Effect> {
    let request = model.next_request();
    let command: Option<Command> = model.follow_mut().and_then(|follow| follow.touch(request));
    command.map(Effect::Send).into_iter().collect()
}
