//! Redis: connection, pipelined writes, entry reading, observer, scan. Knows no Cosmos. The only room with the `redis` crate's types.

mod client;
mod entry;
mod error;
mod link;
mod status;
mod write;

pub use client::CacheClient;
pub use entry::{Encoding, Entry};
pub use error::{CacheError, EntryError, Refusal};
pub use status::ServerStatus;
pub use write::CacheWrite;
