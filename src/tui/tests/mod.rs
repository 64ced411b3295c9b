//! Tests of the screen: what is drawn, and what keys and events make of the model.

mod arrange;
mod entry_strip;
mod find;
pub(super) mod fixture;
mod follow;
mod fuzz;
mod inserts;
mod keys;
mod leases;
mod live;
mod mouse;
mod palette;
mod reducer;
mod same_as;
mod screens;
mod themes;
mod tour;
mod urgency;
mod views;
