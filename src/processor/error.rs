//! Why a processor cannot start at all. What passes by itself is an event instead.

use thiserror::Error;

use crate::cosmos::CosmosError;
use crate::wording::counted;

/// A start that waiting cannot help.
#[derive(Debug, Clone, Error)]
pub enum ProcessorError {
    /// No instance name was given.
    #[error("a processor needs an instance name; give --instance-name")]
    NoInstanceName,
    /// The lease container cannot hold leases.
    #[error(transparent)]
    LeaseContainer(CosmosError),
    /// Leases of Java's processor are under this prefix: writing them as .NET does would damage them.
    #[error(
        "{prefix} has {} of Java's processor, left alone; use another --lease-prefix", counted(*count, "lease")
    )]
    JavaLeases {
        /// The prefix of the ids.
        prefix: String,
        /// How many.
        count: usize,
    },
    /// The leases belong to a processor of all versions and deletes.
    #[error(
        "the leases under {prefix} are of another mode (all versions and deletes); use another --lease-prefix"
    )]
    OtherMode {
        /// The prefix of the ids.
        prefix: String,
    },
}
