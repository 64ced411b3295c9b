//! Configuration: defaults < file < Functions project < environment < flags; connection strings; what may be
//! written to.
//! Knows no server and no screen; its values are checked once and then plain.

mod checked;
mod cosmos_string;
mod error;
mod file;
mod flags;
pub mod functions;
mod host;
mod key;
mod layer;
mod load;
mod mapping;
mod project;
mod redis_stackexchange;
mod redis_url;
mod secret;
mod settings;
mod share;
mod text_place;

pub use checked::{interval, start_position};
pub use cosmos_string::EMULATOR_KEY;
pub use error::ConfigError;
pub(crate) use flags::shell_word;
pub use host::is_loopback;
pub use key::Key;
pub use load::{Loaded, Origin, Overrides, Surroundings, load, load_in};
pub use mapping::{Guard, MappingSettings, ValueEncoding, ValueShape};
pub use secret::Secret;
pub use settings::{CosmosConnection, RedisConnection, Settings, StartPosition, SyncSettings, ViewSettings};
pub use share::Share;
pub(crate) use text_place::line_and_column;
