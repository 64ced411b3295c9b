//! The terminal screen: model, update, view. Draws [`Event`](crate::engine::Event)s, sends
//! [`Command`](crate::engine::Command)s, does no I/O of its own but the terminal's.

mod background;
mod cast;
mod fuzzy;
pub(crate) mod keymap;
mod layout;
pub mod model;
mod options;
mod pretty;
mod run;
mod same_as;
mod signals;
mod svg;
mod terminal;
mod theme;
pub mod update;
mod urgency;
pub mod view;
mod wake;
mod widgets;

#[cfg(test)]
mod tests;

pub use background::Background;
pub use cast::recording;
pub use keymap::{Keymap, KeymapError};
pub use model::{Arrangement, Model, Preset};
pub use options::ScreenOptions;
pub use run::{TuiError, run};
pub use theme::{ColourDepth, FileTheme, ThemeError, ThemeName};
