//! Subcommands as a user runs them: exit codes, stdout, stderr.
