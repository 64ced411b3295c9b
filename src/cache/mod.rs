//! Redis: connection, pipelined writes, entry reading, observer, scan. Knows no Cosmos. The only room with the `redis` crate's types.

mod client;
mod distributed;
mod entry;
mod error;
mod guard;
mod inbox;
mod key_text;
mod link;
mod observer;
mod reconnects;
mod reserved;
mod state;
mod status;
mod write;

pub use client::CacheClient;
pub use distributed::DistributedExpiry;
pub use entry::{Encoding, Entry};
pub use error::{CacheError, EntryError, Refusal};
pub(crate) use guard::{SCRIPT, VERSION_FIELD, script_sha1};
pub use guard::{TOMBSTONE, Version, is_version_key};
pub use key_text::{key_bytes, key_text};
pub use observer::{CacheObserver, Follow, Observation, ObservedEntry, ObserverOptions};
pub use reconnects::{Reconnected, Reconnects};
pub use reserved::{MARKER_TTL, is_reserved_key, marker_key};
pub use state::CacheStateError;
pub(crate) use state::{EntryReader, EntryWriter};
pub use status::ServerStatus;
pub use write::CacheWrite;
