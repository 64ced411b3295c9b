//! The guided tour: its deeds are done once, in order, and it waits for what they bring.

use jiff::SignedDuration;

use super::fixture::{self, change, entry, keys, model, tell};
use crate::{
    engine::{Command, EntryState, Event, Insert, RebuildPhase},
    tui::{
        Model,
        model::{Overlay, Proof, Step},
        update::{Effect, Msg, update},
    },
};

fn started(auto: bool) -> Model {
    let mut model = model(120, 40);
    tell(&mut model, fixture::running());
    model.options.demo = true;
    assert!(update(&mut model, Msg::Tour { auto }).is_empty());
    model
}

fn step(model: &Model) -> Step {
    model.tour.as_ref().unwrap().step()
}

/// What the next step asks of the engine.
fn next(model: &mut Model) -> Vec<Command> {
    keys(model, "n")
        .into_iter()
        .filter_map(|effect| if let Effect::Send(command) = effect { Some(command) } else { None })
        .collect()
}

/// To a step, with the world answering.
fn walk(model: &mut Model, to: Step) {
    while step(model) != to {
        for command in next(model) {
            if let Command::PlanRebuild { .. } = command {
                tell(model, [Event::RebuildPlan(Box::new(fixture::plan()))]);
            }
        }
    }
}

#[test]
fn it_follows_its_own_document_through_the_panes() {
    let mut model = started(false);
    assert!(fixture::text(&model).contains("Tour 1/13 · welcome"));
    let asked = next(&mut model);
    let [Command::Insert(Insert::One { json })] = &asked[..] else { panic!("{asked:?}") };
    let id = model.tour.as_ref().unwrap().id.clone();
    assert!(json.contains(&id), "{json}");
    assert!(matches!(model.tour_proof(), Proof::Waiting(_)));
    tell(&mut model, [Event::Changes(vec![change(900, &id, 12.0, None, 1, 0)])]);
    assert!(matches!(model.tour_proof(), Proof::Seen(_)));
    assert!(next(&mut model).is_empty());
    next(&mut model);
    assert_eq!(step(&model), Step::Lease);
    assert!(fixture::text(&model).contains("▌25─50"), "{}", fixture::text(&model));
    next(&mut model);
    assert_eq!(model.tour_proof(), Proof::Waiting("on its way"));
    tell(&mut model, [Event::Entries(vec![entry(&id, EntryState::InStep, 0)])]);
    assert_eq!(model.tour_proof(), Proof::Seen("in step after 3.2 ms".into()));
    assert!(fixture::text(&model).contains("▌✓ price:"), "{}", fixture::text(&model));
    assert!(matches!(next(&mut model)[..], [Command::ShowDocument { .. }]));
    let spoiled = next(&mut model);
    assert_eq!(spoiled, [Command::SpoilEntry { key: format!("price:{id}") }]);
    tell(&mut model, [Event::Entries(vec![entry(&id, EntryState::Stale, 0)])]);
    assert!(matches!(model.tour_proof(), Proof::Seen(_)));
}

#[test]
fn the_rebuild_waits_for_its_plan_and_no_deed_is_done_twice() {
    let mut model = started(false);
    while step(&model) != Step::Plan {
        next(&mut model);
    }
    assert!(next(&mut model).is_empty(), "the plan is still being made");
    assert_eq!(step(&model), Step::Plan);
    tell(&mut model, [Event::RebuildPlan(Box::new(fixture::plan()))]);
    assert!(matches!(next(&mut model)[..], [Command::StartRebuild(_)]));
    tell(&mut model, [fixture::rebuild(RebuildPhase::Done, 1_284)]);
    assert!(matches!(model.tour_proof(), Proof::Seen(_)));
    assert_eq!(next(&mut model), [Command::SplitPartition]);
    keys(&mut model, "p");
    assert_eq!(step(&model), Step::Rebuild);
    assert!(next(&mut model).is_empty(), "split once");
    assert_eq!(next(&mut model), [Command::AddInstance]);
    assert_eq!(next(&mut model), [Command::KillInstance]);
    next(&mut model);
    assert!(matches!(model.overlays.last(), Some(Overlay::Stage)));
    next(&mut model);
    assert!(model.tour.is_none(), "and the demo goes on");
}

#[test]
fn it_plays_by_itself_and_stops_where_somebody_wants() {
    let mut model = started(true);
    let later = |model: &mut Model, seconds: i64| {
        let now = model.now + SignedDuration::from_secs(seconds);
        update(model, Msg::Tick(now))
    };
    assert!(later(&mut model, 5).is_empty());
    assert_eq!(step(&model), Step::Welcome);
    assert!(matches!(later(&mut model, 5)[..], [Effect::Send(Command::Insert(_))]));
    later(&mut model, 20);
    assert_eq!(step(&model), Step::Insert, "the feed has not brought it");
    later(&mut model, 30);
    assert_eq!(step(&model), Step::Feed, "but nobody waits for ever");
    keys(&mut model, "a");
    later(&mut model, 300);
    assert_eq!(step(&model), Step::Feed);
}

#[test]
fn letters_are_text_and_other_keys_work_as_ever() {
    let mut model = started(false);
    walk(&mut model, Step::Split);
    keys(&mut model, "i");
    keys(&mut model, "nnpx");
    assert_eq!(step(&model), Step::Split, "typed into the form");
    update(&mut model, Msg::Key(crossterm::event::KeyCode::Esc.into()));
    keys(&mut model, "T");
    assert!(model.notice().is_some_and(|notice| notice.starts_with("theme")));
    keys(&mut model, "x");
    assert!(model.tour.is_none());
}

#[test]
fn outside_of_a_demo_there_is_nothing_to_break() {
    let mut model = model(120, 40);
    assert!(update(&mut model, Msg::Tour { auto: false }).is_empty());
    assert!(model.tour.is_none() && model.notice().is_some_and(|notice| notice.contains("syncscope demo")));
}
