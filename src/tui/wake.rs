//! When the screen changes although nothing came in: ages, countdowns, rows that settle.

use std::time::Duration;

use super::model::{Model, Overlay};
use crate::engine::ConnectionState;

/// Time until the next frame is worth drawing; `None` = nothing ages.
pub(crate) fn next(model: &Model) -> Option<Duration> {
    if model.feed.ring.to_judge() > 0 || model.log.to_judge() > 0 {
        return Some(Duration::from_millis(16));
    }
    if travelling(model) {
        return Some(Duration::from_millis(50));
    }
    if connecting(model) {
        return Some(Duration::from_millis(250));
    }
    if fresh(model) {
        return Some(Duration::from_millis(200));
    }
    ageing(model).then_some(Duration::from_secs(1))
}

/// A document moves on the line of stage mode.
fn travelling(model: &Model) -> bool {
    matches!(model.overlays.last(), Some(Overlay::Stage)) && fresh(model)
}

fn connecting(model: &Model) -> bool {
    [&model.cosmos, &model.redis]
        .into_iter()
        .any(|state| matches!(state, Some(ConnectionState::Connecting { .. })))
}

/// A row is still bright.
fn fresh(model: &Model) -> bool {
    let newest = model.feed.ring.newest().map(|row| row.seen_at).max(model.cache.newest());
    newest.is_some_and(|at| model.now.duration_since(at).as_millis() < 1_000)
}

/// A heartbeat, a countdown or a notice is on the screen.
fn ageing(model: &Model) -> bool {
    let down = [&model.cosmos, &model.redis]
        .into_iter()
        .any(|state| matches!(state, Some(ConnectionState::Down { retry_at: Some(_), .. })));
    down || model.notice().is_some()
        || matches!(model.overlays.last(), Some(Overlay::Health { .. }))
        || model.tour.as_ref().is_some_and(|tour| tour.auto)
        || model.leases.snapshot.rows.iter().any(|row| row.heartbeat.is_some())
        || model.cache.has_expiry()
        || model.cache.filter().ages()
}
