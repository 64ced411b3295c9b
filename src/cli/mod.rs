//! The command line: one file a subcommand, tables, NDJSON, progress.
