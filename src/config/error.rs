//! What can be wrong with a configuration. One line each, and never a value: it may be a secret.

use std::path::PathBuf;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("cannot read the configuration file {path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A file is not TOML, has an unknown key or a value that cannot be.
    #[error("{path}:{line}:{column}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A profile that no file has.
    #[error("there is no profile \"{name}\" (asked for by {origin}): {known}")]
    NoProfile {
        /// As asked for.
        name: String,
        /// Where it was asked for.
        origin: String,
        /// Which file was searched and which profiles it has.
        known: String,
    },
    /// A value of the environment or of a flag, or several values that do not fit together.
    #[error("{origin} {message}")]
    Value {
        /// The variable, the flag or the keys.
        origin: String,
        /// What is wrong with it.
        message: String,
    },
    /// A write to a host that is neither loopback nor named by `--allow-remote`.
    #[error("will not write to {host}: it is not this machine; --allow-remote {host} permits it")]
    RemoteWrite {
        /// The host.
        host: String,
    },
}
