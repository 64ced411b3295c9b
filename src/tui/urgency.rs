//! How soon an event has to be seen. Most of what comes at rest tells again what is on the screen
//! already, with another time of reading or a figure that drifts: that is worth no frame of its own.

use super::model::Model;
use crate::engine::{CacheStatus, ConnectionState, Event, FeedStatus, LeaseRow, Server, SyncStatus};

/// When the next frame is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Nothing on the screen changes.
    Never,
    /// Figures that drift: with the next frame that comes, within a second.
    Soon,
    /// Something happened.
    Now,
}

/// How soon this event has to be seen, by what the model holds before it is taken in.
pub(crate) fn of(model: &Model, event: &Event) -> Urgency {
    match event {
        Event::Feed(status) => {
            let quiet = |status: &FeedStatus| FeedStatus { rate: 0.0, read_at: None, ..status.clone() };
            judged(model.feed.status == *status, || quiet(&model.feed.status) == quiet(status))
        }
        Event::Cache(status) => {
            judged(model.cache.status == *status, || quiet_cache(&model.cache.status) == quiet_cache(status))
        }
        Event::Sync(status) => {
            let quiet = |status: &SyncStatus| SyncStatus { rate: 0.0, ..status.clone() };
            judged(model.sync == *status, || quiet(&model.sync) == quiet(status))
        }
        Event::Leases(snapshot) => {
            let known = &model.leases.snapshot;
            judged(known == snapshot, || {
                model.leases.known
                    && (&known.problem, &known.prefix, &known.container, &known.other_prefixes)
                        == (
                            &snapshot.problem,
                            &snapshot.prefix,
                            &snapshot.container,
                            &snapshot.other_prefixes,
                        )
                    && known.rows.len() == snapshot.rows.len()
                    && known.rows.iter().zip(&snapshot.rows).all(|(a, b)| same_but_for_its_heartbeat(a, b))
            })
        }
        Event::Latency(snapshot) => judged(model.latency == *snapshot, || true),
        Event::Drift(status) => {
            let known = model.drift.as_ref();
            judged(known == Some(status), || {
                known.is_some_and(|known| {
                    (known.watching, &known.problem, known.wrong)
                        == (status.watching, &status.problem, status.wrong)
                })
            })
        }
        Event::Connection(server, state) => {
            let known = match server {
                Server::Cosmos => model.cosmos.as_ref(),
                Server::Redis => model.redis.as_ref(),
            };
            judged(known == Some(state), || known.is_some_and(|known| still_down(known, state)))
        }
        Event::Traffic(status) if model.traffic == *status => Urgency::Never,
        Event::Dropped(total) if model.dropped == *total => Urgency::Never,
        Event::Dropped(_) => Urgency::Soon,
        _ => Urgency::Now,
    }
}

fn judged(same: bool, drifts: impl FnOnce() -> bool) -> Urgency {
    match same {
        true => Urgency::Never,
        false if drifts() => Urgency::Soon,
        false => Urgency::Now,
    }
}

fn quiet_cache(status: &CacheStatus) -> CacheStatus {
    CacheStatus {
        used_memory: None,
        hits: 0,
        misses: 0,
        ops_per_sec: 0,
        read_at: None,
        in_step: 0,
        compared: 0,
        ..status.clone()
    }
}

fn same_but_for_its_heartbeat(a: &LeaseRow, b: &LeaseRow) -> bool {
    (&a.id, &a.owner, a.expired, &a.continuation, a.lag)
        == (&b.id, &b.owner, b.expired, &b.continuation, b.lag)
}

/// Another attempt that ended as the one before.
fn still_down(known: &ConnectionState, state: &ConnectionState) -> bool {
    match (known, state) {
        (
            ConnectionState::Down { cause, remedy, .. },
            ConnectionState::Down { cause: again, remedy: advice, .. },
        ) => (cause, remedy) == (again, advice),
        _ => false,
    }
}
