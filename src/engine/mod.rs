//! The engine owns every task: connections, observers, the built-in sync, traffic, rebuilds.
//! It takes [`Command`]s and tells [`Event`]s; it knows neither the screen nor the command line.

mod command;
mod event;

pub use command::{Command, Insert};
pub use event::*;
