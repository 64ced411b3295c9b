//! Configuration: defaults < file < environment < flags; connection strings.

mod secret;
mod settings;

pub use secret::Secret;
pub use settings::{CosmosConnection, RedisConnection, Settings, StartPosition, SyncSettings, ViewSettings};
