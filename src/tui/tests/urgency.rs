//! Which events are worth a frame.

use jiff::SignedDuration;

use super::fixture;
use crate::{
    engine::{ConnectionState, Event, Level, LogLine, Server, SyncPhase},
    tui::{
        Model,
        update::{Msg, update},
        urgency::{Urgency, of},
    },
};

fn live() -> Model {
    let mut model = fixture::model(120, 40);
    fixture::tell(&mut model, fixture::up());
    fixture::tell(&mut model, fixture::running());
    model
}

/// What the screen holds, as the engine tells it again and again.
fn told(model: &Model) -> Vec<Event> {
    vec![
        Event::Feed(model.feed.status.clone()),
        Event::Cache(model.cache.status.clone()),
        Event::Sync(model.sync.clone()),
        Event::Leases(model.leases.snapshot.clone()),
        Event::Latency(model.latency.clone()),
        Event::Traffic(model.traffic.clone()),
        Event::Dropped(model.dropped),
    ]
}

#[test]
fn what_is_on_the_screen_already_is_worth_no_frame() {
    let model = live();
    for event in told(&model) {
        assert_eq!(of(&model, &event), Urgency::Never, "{event:?}");
    }
}

#[test]
fn another_reading_of_the_same_waits_for_the_next_frame() {
    let model = live();
    let later = model.now + SignedDuration::from_secs(1);
    for mut event in told(&model) {
        match &mut event {
            Event::Feed(status) => status.read_at = Some(later),
            Event::Cache(status) => (status.read_at, status.ops_per_sec) = (Some(later), 7),
            Event::Sync(status) => status.rate += 1.0,
            Event::Leases(snapshot) => {
                snapshot.read_at = Some(later);
                snapshot.rows[0].heartbeat = Some(later);
            }
            Event::Latency(snapshot) => snapshot.open += 1,
            Event::Dropped(total) => *total += 1,
            _ => continue,
        }
        assert_eq!(of(&model, &event), Urgency::Soon, "{event:?}");
    }
}

#[test]
fn what_happened_is_seen_at_once() {
    let mut model = live();
    for mut event in told(&model) {
        match &mut event {
            Event::Feed(status) => status.problem = Some("gone".into()),
            Event::Cache(status) => status.keys = Some(99),
            Event::Sync(status) => status.phase = SyncPhase::Paused,
            Event::Leases(snapshot) => snapshot.rows[0].owner = None,
            Event::Traffic(status) => status.paused = !status.paused,
            _ => continue,
        }
        assert_eq!(of(&model, &event), Urgency::Now, "{event:?}");
    }
    let line = LogLine { at: model.now, level: Level::Info, room: "x", text: "y".into() };
    assert_eq!(of(&model, &Event::Log(line)), Urgency::Now);
    let down = |cause: &str, seconds| {
        Event::Connection(
            Server::Redis,
            ConnectionState::Down {
                address: "127.0.0.1:1".into(),
                cause: cause.into(),
                remedy: "start it".into(),
                retry_at: Some(fixture::start() + SignedDuration::from_secs(seconds)),
            },
        )
    };
    assert_eq!(of(&model, &down("refused", 1)), Urgency::Now);
    update(&mut model, Msg::Engine(down("refused", 1)));
    assert_eq!(of(&model, &down("refused", 3)), Urgency::Soon, "its next try has another time");
    assert_eq!(of(&model, &down("timed out", 3)), Urgency::Now);
}
