//! The command line: one file a subcommand, tables, NDJSON, progress.

pub mod args;
pub mod config;
pub mod discover;
