//! Tests of the screen: what is drawn, and what keys and events make of the model.

mod arrange;
mod bookmarks;
mod entry_strip;
mod find;
pub(super) mod fixture;
mod follow;
mod fuzz;
mod hints;
mod inserts;
mod keys;
mod leases;
mod live;
mod mouse;
mod numbers;
mod palette;
mod reducer;
mod same_as;
mod screens;
mod themes;
mod tour;
mod urgency;
mod views;

use self::fixture::{model, tell};
use super::{Model, update::Effect};
use crate::engine::Command;

/// Ids that terminals find hard: wide, right to left, combining, hostile, empty, long.
const HOSTILE_IDS: [&str; 10] = [
    "🛒🛒🛒",
    "مرحبا بالعالم",
    "a\tb\nc",
    "\u{202E}evil",
    "é́́́",
    "価格価格価格価格価格価格価格",
    "",
    "\x1b[2J\x07",
    "👩‍👩‍👧‍👦-1",
    "an-id-that-is-longer-than-any-column-that-a-terminal-has-for-it-0000000000000000000000000000000000000042",
];

/// A screen of the middle size that shows the run of the fixture.
fn running() -> Model {
    let mut model = model(120, 40);
    tell(&mut model, fixture::running());
    model
}

/// What the engine was asked.
fn sent(effects: &[Effect]) -> Vec<&Command> {
    let commands =
        effects.iter().map(|effect| if let Effect::Send(command) = effect { Some(command) } else { None });
    commands.flatten().collect()
}
