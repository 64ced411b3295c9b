//! What is written into the cache, in each encoding, and its commands.
//!
//! A write is one command, or a transaction of several, so that readers never see half of it.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use redis::{Cmd, Pipeline, Value};

use super::distributed::DistributedExpiry;
use super::error::EntryError;
use super::guard::{self, Version};
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
    /// A hash of exactly these fields: replaces whatever was there, of any type, and its TTL.
    /// Without fields nothing is left, because Redis has no empty hash.
    Fields {
        /// The key, as bytes.
        key: Bytes,
        /// Names and values, in order.
        fields: Vec<(Bytes, Bytes)>,
        /// Time to live; `None` = for ever.
        ttl: Option<Duration>,
    },
    /// .NET's `IDistributedCache` hash. Unlike there, it replaces a key of another type, and an entry
    /// that is written without expiry loses the one it had.
    DistributedCache {
        /// The key with its instance name, as bytes.
        key: Bytes,
        /// The field `data`.
        data: Bytes,
        /// The fields `absexp` and `sldexp`, and the key's expiry.
        expiry: DistributedExpiry,
    },
    /// RedisJSON's `JSON.SET` of the whole document: replaces whatever was there, of any type, and its TTL.
    Json {
        /// The key, as bytes.
        key: Bytes,
        /// JSON text.
        document: Bytes,
        /// Time to live; `None` = for ever.
        ttl: Option<Duration>,
    },
    /// `UNLINK`; a key that is not there is no error.
    Delete {
        /// The key, as bytes.
        key: Bytes,
    },
    /// Another write, unless a newer version was written before: then nothing happens, and that is
    /// no error.
    Guarded {
        /// The write; itself not guarded.
        write: Box<CacheWrite>,
        /// What is written.
        version: Version,
    },
}

/// Room that a command needs besides key and value.
const COMMAND_OVERHEAD: usize = 32;
/// Redis adds the TTL to its clock and refuses what overflows a signed 64-bit number; 1,000 years are enough.
const MAX_TTL_MILLIS: u64 = 1_000 * 366 * 24 * 3600 * 1000;

impl CacheWrite {
    /// The key that is written.
    pub fn key(&self) -> &Bytes {
        match self {
            Self::Set { key, .. }
            | Self::Fields { key, .. }
            | Self::DistributedCache { key, .. }
            | Self::Json { key, .. }
            | Self::Delete { key } => key,
            Self::Guarded { write, .. } => write.key(),
        }
    }

    /// Bytes of key and content.
    pub fn size(&self) -> usize {
        let content = match self {
            Self::Set { value, .. } => value.len(),
            Self::Fields { fields, .. } => fields.iter().map(|(name, value)| name.len() + value.len()).sum(),
            Self::DistributedCache { data, .. } => data.len(),
            Self::Json { document, .. } => document.len(),
            Self::Delete { .. } => 0,
            Self::Guarded { write, .. } => return write.size(),
        };
        self.key().len() + content
    }

    /// Appends its commands and tells how many these are.
    fn append(&self, pipe: &mut Pipeline) -> usize {
        let before = pipe.len();
        match self {
            Self::Set { key, value, ttl } => {
                let mut command = Cmd::with_capacity(5, key.len() + value.len() + COMMAND_OVERHEAD);
                command.arg(b"SET").arg(&key[..]).arg(&value[..]);
                if let Some(ttl) = ttl {
                    command.arg(b"PX").arg(millis(*ttl));
                }
                pipe.add_command(command);
            }
            Self::Fields { key, fields, ttl } => {
                pipe.cmd("MULTI");
                pipe.cmd("UNLINK").arg(&key[..]);
                if !fields.is_empty() {
                    pipe.cmd("HSET").arg(&key[..]);
                    for (name, value) in fields {
                        pipe.arg(&name[..]).arg(&value[..]);
                    }
                    if let Some(ttl) = ttl {
                        pipe.cmd("PEXPIRE").arg(&key[..]).arg(millis(*ttl));
                    }
                }
                pipe.cmd("EXEC");
            }
            Self::DistributedCache { key, data, expiry } => {
                let (absexp, sldexp) = expiry.encode();
                pipe.cmd("MULTI");
                pipe.cmd("UNLINK").arg(&key[..]);
                pipe.cmd("HSET").arg(&key[..]).arg("absexp").arg(absexp).arg("sldexp").arg(sldexp);
                pipe.arg("data").arg(&data[..]);
                if let Some(seconds) = expiry.seconds(Timestamp::now()) {
                    pipe.cmd("EXPIRE").arg(&key[..]).arg(seconds.min(MAX_TTL_MILLIS / 1000));
                }
                pipe.cmd("EXEC");
            }
            Self::Json { key, document, ttl } => {
                pipe.cmd("MULTI");
                pipe.cmd("UNLINK").arg(&key[..]);
                pipe.cmd("JSON.SET").arg(&key[..]).arg("$").arg(&document[..]);
                if let Some(ttl) = ttl {
                    pipe.cmd("PEXPIRE").arg(&key[..]).arg(millis(*ttl));
                }
                pipe.cmd("EXEC");
            }
            Self::Delete { key } => {
                let mut command = Cmd::with_capacity(2, key.len() + COMMAND_OVERHEAD);
                command.arg(b"UNLINK").arg(&key[..]);
                pipe.add_command(command);
            }
            // Guarded writes go together, see `pipeline`; what is guarded twice is guarded once.
            Self::Guarded { write, .. } => return write.append(pipe),
        }
        pipe.len() - before
    }
}

/// A TTL as Redis takes it.
pub(super) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, MAX_TTL_MILLIS)
}

/// Where the replies to a write are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replies {
    /// So many of its own.
    Own(usize),
    /// One reply with an item for each of so many writes, this and the next ones.
    Shared(usize),
    /// One reply that goes for so many writes, this and the next ones.
    Same(usize),
}

/// Most texts in one `MSET`. A server spends more on a command and its reply than on setting a key;
/// yet nobody else is served meanwhile …
const TOGETHER: usize = 100;
/// … nor while so many bytes are copied.
const BYTES_TOGETHER: usize = 256 << 10;

/// How many of the first writes of a batch are texts that stay for ever: they can be set together.
fn texts(batch: &[CacheWrite]) -> usize {
    let mut bytes = 0;
    let fits = |write: &&CacheWrite| {
        bytes += write.size();
        matches!(write, CacheWrite::Set { ttl: None, .. }) && bytes <= BYTES_TOGETHER
    };
    batch.iter().take(TOGETHER).take_while(fits).count()
}

/// `MSET` of texts: as so many `SET`, each with its key's TTL gone.
fn set_together(writes: &[CacheWrite]) -> Cmd {
    let bytes: usize = writes.iter().map(|write| write.size() + COMMAND_OVERHEAD).sum();
    let mut command = Cmd::with_capacity(1 + 2 * writes.len(), bytes);
    command.arg(b"MSET");
    for write in writes {
        if let CacheWrite::Set { key, value, .. } = write {
            command.arg(&key[..]).arg(&value[..]);
        }
    }
    command
}

/// Whether a server does not set keys together that it may well set one by one: they are in different
/// slots of its cluster, or the user may not.
pub(super) fn wants_one_by_one(replies: &[Value], plan: &[Replies]) -> bool {
    let mut rest = replies;
    plan.iter().any(|place| {
        let count = if let Replies::Own(count) = place { *count } else { 1 };
        let (these, others) = rest.split_at(count.min(rest.len()));
        rest = others;
        let together = matches!(place, Replies::Same(_));
        together && matches!(these, [Value::ServerError(error)] if {
            let unknown = error.code() == "ERR" && error.details().is_some_and(|text| text.contains("unknown command"));
            unknown || matches!(error.code(), "CROSSSLOT" | "NOPERM")
        })
    })
}

/// All commands of a batch, in order, and where the replies to its writes are.
pub(super) fn pipeline(batch: &[CacheWrite], one_by_one: bool) -> (Pipeline, Vec<Replies>) {
    let mut pipe = Pipeline::with_capacity(batch.len());
    let mut plan = Vec::with_capacity(batch.len());
    let mut rest = batch;
    while let Some((first, others)) = rest.split_first() {
        let guarded = guard::together(rest);
        let texts = if one_by_one || guarded > 0 { 0 } else { texts(rest) };
        if guarded > 0 {
            pipe.add_command(guard::command(&rest[..guarded]));
            plan.push(Replies::Shared(guarded));
            rest = &rest[guarded..];
        } else if texts > 1 {
            pipe.add_command(set_together(&rest[..texts]));
            plan.push(Replies::Same(texts));
            rest = &rest[texts..];
        } else {
            plan.push(Replies::Own(first.append(&mut pipe)));
            rest = others;
        }
    }
    (pipe, plan)
}

/// The outcome of each write, in order: the first error among its replies, if there is one.
pub(super) fn outcomes(replies: Vec<Value>, plan: &[Replies]) -> Vec<Result<(), EntryError>> {
    let mut replies = replies.into_iter();
    let mut outcomes = Vec::with_capacity(plan.len());
    let outcome = |error: Option<String>| error.map_or(Ok(()), |text| Err(EntryError::from_line(text)));
    for place in plan {
        match *place {
            Replies::Own(count) => {
                // All of its replies are taken, also behind an error.
                let errors: Vec<String> = replies.by_ref().take(count).filter_map(first_error).collect();
                outcomes.push(outcome(errors.into_iter().next()));
            }
            Replies::Same(writes) => {
                let error = replies.next().and_then(error_line);
                outcomes.extend((0..writes).map(|_| outcome(error.clone())));
            }
            Replies::Shared(writes) => match replies.next() {
                Some(Value::Array(items)) if items.len() == writes => {
                    outcomes.extend(items.into_iter().map(|item| outcome(error_line(item))));
                }
                // The call as a whole was refused.
                reply => {
                    let text = reply.and_then(error_line);
                    let text =
                        text.unwrap_or_else(|| "ERR an answer that the guard does not give".to_owned());
                    outcomes.extend((0..writes).map(|_| outcome(Some(text.clone()))));
                }
            },
        }
    }
    outcomes
}

/// Whether a server does not know the guard's script (any more).
pub(super) fn script_is_missing(replies: &[Value]) -> bool {
    replies.iter().any(|reply| matches!(reply, Value::ServerError(error) if error.code() == "NOSCRIPT"))
}

/// An error, or the first one of a transaction's replies.
fn first_error(reply: Value) -> Option<String> {
    match reply {
        Value::Array(replies) => replies.into_iter().find_map(error_line),
        reply => error_line(reply),
    }
}
