//! The engine owns every task: connections, observers, the built-in sync, traffic, rebuilds.
//! It takes [`Command`]s and tells [`Event`]s; it knows neither the screen nor the command line.

mod bookmark_files;
mod bookmarks;
mod builtin;
mod command;
mod compared;
mod decoded;
mod detail;
mod drift;
mod edit;
mod editor;
mod event;
mod files;
mod history;
mod observe;
mod pairing;
mod predicate;
mod proof;
mod rate;
mod reporter;
mod rows;
mod run;
mod set_aside;
mod shared;
mod source;
mod split;
mod spoil;
mod traffic;
mod verify;

pub use crate::cache::{DistributedExpiry, Encoding};
pub use bookmark_files::{BookmarkFileError, BookmarkFiles};
pub use command::{
    BookmarkAsk, BookmarkQuestion, Command, DeadLetterOrder, DriftWatch, Insert, MappingTrial, RebuildMode,
    RebuildOrder,
};
pub use compared::TextPair;
pub use edit::{Edit, EditOrder};
pub use editor::{EditorError, edit_text, editor};
pub use event::*;
pub use predicate::{Predicate, Scalar, any_field, first_fields, is_named};
pub use run::{Engine, EngineError, EngineOptions, Face, Inside, Watch, channels};
pub use source::Create;

use shared::Shared;

/// How an answer begins that came before the source was found.
pub const NOT_CONNECTED: &str = "Cosmos is not connected";
/// Why something that needs the source is not done.
const NO_SOURCE: &str = "the source is not connected; try again when it is";
/// Why something that needs leases is not done.
const NO_LEASE_CONTAINER: &str = "there is no lease container yet; starting the sync makes it";
