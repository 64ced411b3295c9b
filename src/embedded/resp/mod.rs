//! A small in-process server that speaks RESP2 and RESP3: strings and hashes with expiry, in 16 databases,
//! keyspace notifications and client tracking. For a machine without redis-server, and for tests.
//!
//! All state sits behind one lock that is held for one batch of commands at a time, never over I/O.
//! Nothing is kept on disk. Texts and semantics follow Redis 7.0 as seen from outside.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one signature, also those that cannot fail")]

mod admin;
mod clients;
mod commands;
mod connection;
mod framing;
mod glob;
mod hashes;
mod info;
mod keys;
mod numbers;
mod pubsub;
#[cfg(test)]
mod random;
mod reply;
mod scan;
mod scripts;
mod server;
mod state;
mod store;
mod strings;
mod tracking;
mod transactions;

pub(super) use server::RespServer;
