//! Servers that live inside this program: the Cosmos emulator's listener, the RESP server, a private redis-server.

mod cache;
pub mod cosmos;
mod redis_server;
mod resp;
pub mod state;

pub use cache::{CacheOptions, EmbeddedCache, EmbeddedCacheError};
