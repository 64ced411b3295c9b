//! Integration tests: one binary, a module per subject, because each binary links the whole SDK.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a failing test is a panic

mod architecture;
mod bookmarks;
mod cache;
mod cli;
mod closed_pipe;
mod config;
mod cosmos;
mod edits;
mod emulator;
mod end_to_end;
mod inserts;
mod lease_deeds;
mod leases;
mod observer;
mod processor;
mod reasons;
mod rebuild;
mod resp;
mod secrets;
mod support;
mod sync;
mod terminal;
mod verify;
