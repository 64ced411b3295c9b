//! syncscope: the change feed of a Cosmos DB container, the leases of its processor and the Redis
//! cache that they fill, side by side.
//!
//! The rooms, from the bottom up: [`config`], [`cosmos`], [`lease`], [`processor`], [`cache`],
//! [`sync`], [`latency`], [`seed`], [`embedded`]; the [`engine`] owns their tasks; [`tui`] and [`cli`]
//! are its two faces.

mod beat;
pub mod cache;
pub mod cli;
pub mod config;
pub mod cosmos;
pub mod embedded;
pub mod engine;
pub mod latency;
pub mod lease;
pub mod processor;
pub mod seed;
pub mod sync;
pub mod tui;
mod wording;
