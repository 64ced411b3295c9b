//! What is written into the cache, and its commands.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Pipeline, Value};

use super::error::EntryError;
use super::link::error_line;

/// One change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheWrite {
    /// `SET`: replaces whatever was there, of any type, and its TTL.
    Set {
        /// The key, as bytes.
        key: Bytes,
        /// The value, as bytes; usually a slice of a feed page.
        value: Bytes,
        /// Time to live; `None` = for ever. Less than a millisecond counts as one.
        ttl: Option<Duration>,
    },
    /// `UNLINK`; a key that is not there is no error.
    Delete {
        /// The key, as bytes.
        key: Bytes,
    },
}

/// Room that a command needs besides key and value.
const COMMAND_OVERHEAD: usize = 32;

impl CacheWrite {
    fn command(&self) -> Cmd {
        match self {
            Self::Set { key, value, ttl } => {
                let mut command = Cmd::with_capacity(5, key.len() + value.len() + COMMAND_OVERHEAD);
                command.arg(b"SET").arg(&key[..]).arg(&value[..]);
                if let Some(ttl) = ttl {
                    let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, MAX_TTL_MILLIS);
                    command.arg(b"PX").arg(millis);
                }
                command
            }
            Self::Delete { key } => {
                let mut command = Cmd::with_capacity(2, key.len() + COMMAND_OVERHEAD);
                command.arg(b"UNLINK").arg(&key[..]);
                command
            }
        }
    }
}

/// Redis adds the TTL to its clock and refuses what overflows a signed 64-bit number; 1,000 years are enough.
const MAX_TTL_MILLIS: u64 = 1_000 * 366 * 24 * 3600 * 1000;

/// All commands of a batch, in order.
pub(super) fn pipeline(batch: &[CacheWrite]) -> Pipeline {
    let mut pipe = Pipeline::with_capacity(batch.len());
    for write in batch {
        pipe.add_command(write.command());
    }
    pipe
}

/// The outcome of each write, in order.
pub(super) fn outcomes(replies: Vec<Value>) -> Vec<Result<(), EntryError>> {
    replies
        .into_iter()
        .map(|reply| match error_line(reply) {
            None => Ok(()),
            Some(text) => Err(EntryError::from_line(text)),
        })
        .collect()
}
