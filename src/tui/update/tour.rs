//! Steps of the guided tour: the keys that lead through it, and what each step does. It does what a
//! person could do by key, with one exception: the corruption is nobody's wish.

use super::{Effect, act, overlay};
use crate::{
    engine::{Command, Insert, RebuildOrder},
    seed::{FormField, FormFields, Generator, Template},
    tui::{
        keymap::Action,
        model::{Model, Overlay, Pane, Step, Thread, Tour},
    },
};

/// Product number that the tour's document is made of.
const PRODUCT: u64 = 815;

/// Begins, or begins again.
pub(super) fn begin(model: &mut Model, auto: bool) -> Vec<Effect> {
    if !model.options.demo {
        model.say("the tour breaks things on purpose: it needs `syncscope demo`");
        return Vec::new();
    }
    model.tour = Some(Tour::new(auto, model.now));
    show(model)
}

/// An action of the tour's own keys; `None` = not one of them.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::TourNext => go(model, 1),
        Action::TourBack => go(model, -1),
        Action::TourAuto => {
            let now = model.now;
            if let Some(tour) = &mut model.tour {
                tour.auto = !tour.auto;
                tour.since = now;
            }
            Vec::new()
        }
        Action::TourEnd => {
            model.tour = None;
            model.say("the tour is over; the demo goes on");
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Time went on.
pub(super) fn tick(model: &mut Model) -> Vec<Effect> {
    if model.tour_is_due() { go(model, 1) } else { Vec::new() }
}

fn go(model: &mut Model, steps: isize) -> Vec<Effect> {
    // The deed of the next step is to start what is planned.
    if steps > 0
        && model.tour.as_ref().is_some_and(|tour| tour.step() == Step::Plan)
        && model.overlays.iter().any(|o| matches!(o, Overlay::Rebuild(d) if d.plan().is_none()))
    {
        model.say("the plan is still being made");
        return Vec::new();
    }
    let now = model.now;
    let Some(tour) = &mut model.tour else { return Vec::new() };
    if tour.is_last() && steps > 0 {
        return act(model, Action::TourEnd);
    }
    if tour.go(steps, now) { show(model) } else { Vec::new() }
}

/// Shows a step, and does its deed the first time.
fn show(model: &mut Model) -> Vec<Effect> {
    let Some(tour) = &mut model.tour else { return Vec::new() };
    let (step, deed, id) = (tour.step(), tour.take_deed(), tour.id.clone());
    if !(step == Step::Rebuild && deed) {
        model.overlays.clear();
    }
    model.zoomed = false;
    model.typing_filter = false;
    if let Some(pane) = step.pane() {
        model.focus = pane;
    }
    if !matches!(step, Step::Welcome | Step::Insert) {
        mark(model, &id);
    }
    match step {
        Step::Follow => return act::open(model),
        Step::Figures => {
            model.overlays.push(Overlay::Stage);
            return Vec::new();
        }
        Step::Plan => return act::in_panes(model, Action::Rebuild),
        _ if !deed => return Vec::new(),
        _ => {}
    }
    match step {
        Step::Insert => insert(model, &id),
        Step::Corruption => match model.thread.keys.first() {
            Some(key) => vec![Effect::Send(Command::SpoilEntry { key: key.clone() })],
            None => Vec::new(),
        },
        Step::Rebuild => start_rebuild(model),
        Step::Split => vec![Effect::Send(Command::SplitPartition)],
        Step::Join => vec![Effect::Send(Command::AddInstance)],
        Step::Failover => vec![Effect::Send(Command::KillInstance)],
        Step::Welcome
        | Step::Feed
        | Step::Lease
        | Step::Cache
        | Step::Follow
        | Step::Plan
        | Step::Figures => Vec::new(),
    }
}

/// The mark goes to the tour's document, as far as it is known.
fn mark(model: &mut Model, id: &str) {
    let change = model.feed.newest_of(id).and_then(|number| model.feed.ring.get(number));
    model.thread = match change {
        Some(change) => Thread::of_change(change),
        None => Thread::awaiting(id, &model.options.key_template),
    };
}

fn insert(model: &mut Model, id: &str) -> Vec<Effect> {
    let generator = Generator::new(Template::named(model.options.template), 1);
    let mut fields = FormFields::suggested(&generator, PRODUCT);
    id.clone_into(fields.get_mut(FormField::Id));
    let Ok(json) = fields.to_json(&generator, model.now) else {
        model.say("the tour's document could not be made");
        return Vec::new();
    };
    model.feed.ring.follow();
    model.cache.follow(model.now);
    super::find::clear(model, Pane::Feed);
    model.thread = Thread::awaiting(id, &model.options.key_template);
    vec![Effect::Send(Command::Insert(Insert::One { json }))]
}

/// Starts the rebuild of the open dialog, or the same one where somebody closed it.
fn start_rebuild(model: &mut Model) -> Vec<Effect> {
    model.rebuild = None;
    while model.overlays.last().is_some_and(|overlay| !matches!(overlay, Overlay::Rebuild(_))) {
        model.overlays.pop();
    }
    if model.overlays.is_empty() {
        return vec![Effect::Send(Command::StartRebuild(RebuildOrder::default()))];
    }
    overlay::act(model, Action::Submit)
}
