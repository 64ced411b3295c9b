//! The guard against going backwards: a write carries the document's version, and the server takes it
//! only if no newer one was written before.
//!
//! What is promised: under one key, a version with an older `_ts` never replaces one with a newer
//! `_ts`; with the same `_ts` (Cosmos counts seconds), one with a lower `_lsn` never replaces one with
//! a higher. An `_lsn` counts the writes of one physical partition. A document stays in its partition,
//! and after a split the children go on counting from where the parent stood, so for versions of one
//! document the order is right across splits too. Not promised: the order of two writes within one
//! second if the partitions were merged between them, if the account takes writes in several regions,
//! or if the mapping gives documents of different partitions one key. Equal versions may be written
//! again. A deletion is remembered for [`TOMBSTONE`]. What somebody else writes past the guard is not
//! seen by it, and an entry that was evicted together with its version may be written by any.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use redis::Cmd;

use super::write::{CacheWrite, millis};

/// How long a deletion keeps older versions out. Longer than any batch waits to be delivered again.
pub const TOMBSTONE: Duration = Duration::from_secs(60 * 60);
/// The field of a hash that keeps its version.
pub(crate) const VERSION_FIELD: &str = "syncscope:version";
/// Before the key of an entry: the key that keeps its version where it is no hash.
const VERSION_KEY: &str = "syncscope:version:";

/// The script; servers keep it under its SHA-1.
pub(crate) const SCRIPT: &str = include_str!("guard.lua");
static SHA1: LazyLock<String> = LazyLock::new(|| redis::Script::new(SCRIPT).get_hash().to_owned());

/// SHA-1 of [`SCRIPT`] in hexadecimal.
pub(crate) fn script_sha1() -> &'static str {
    &SHA1
}

/// Whether a key is not an entry but keeps the version of one.
pub fn is_version_key(key: &str) -> bool {
    key.starts_with(VERSION_KEY)
}

/// Which version of a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// `_ts`: seconds since 1970.
    pub ts: u64,
    /// `_lsn`, where the change feed told it.
    pub lsn: Option<u64>,
}

impl Version {
    /// From the fields of a document; one without `_ts` has no version, and is written unguarded.
    pub fn of(ts: Option<u64>, lsn: Option<u64>) -> Option<Self> {
        ts.map(|ts| Self { ts, lsn })
    }
}

/// Most writes in one call of the script. Most of what a write costs the server is the call; yet
/// nobody else is served meanwhile, and so many take it a fraction of a millisecond …
const WRITES: usize = 64;
/// … and these many bytes not much more.
const BYTES: usize = 512 << 10;

/// How many of the first writes of a batch go into one call of the script; 0 = the first is not guarded.
pub(super) fn together(batch: &[CacheWrite]) -> usize {
    let mut bytes = 0;
    let fits = |write: &&CacheWrite| {
        let guarded = matches!(write, CacheWrite::Guarded { write, .. } if !matches!(**write, CacheWrite::Guarded { .. }));
        let first = bytes == 0;
        bytes += write.size() + CALL_OVERHEAD;
        guarded && (first || bytes <= BYTES)
    };
    batch.iter().take(WRITES).take_while(fits).count()
}

/// One call of the script for writes that [`together`] has counted. Its reply has one item for each.
///
/// The keys of a call are those of one server: connections here speak to one node, and a cluster's
/// answer to keys of several of its slots is an error for the whole call.
pub(super) fn command(writes: &[CacheWrite]) -> Cmd {
    let bytes: usize = writes.iter().map(|write| 2 * write.key().len() + write.size() + CALL_OVERHEAD).sum();
    let mut command = Cmd::with_capacity(3 + 8 * writes.len(), bytes + SCRIPT_CALL);
    command.arg("EVALSHA").arg(script_sha1()).arg(2 * writes.len());
    for write in writes {
        let key = write.key();
        command.arg(&key[..]).arg([VERSION_KEY.as_bytes(), key].concat());
    }
    for guarded in writes {
        if let CacheWrite::Guarded { write, version } = guarded {
            append(&mut command, write, *version);
        }
    }
    command
}

/// The arguments of one write: version, kind, time to live, and the content with its length before it.
fn append(command: &mut Cmd, write: &CacheWrite, version: Version) {
    command.arg(version.ts);
    match version.lsn {
        Some(lsn) => command.arg(lsn),
        None => command.arg(b""),
    };
    let mut head = |what: &[u8], ttl: Option<u64>, content: usize| {
        command.arg(what);
        match ttl {
            Some(millis) => command.arg(millis),
            None => command.arg(b""),
        };
        command.arg(content);
    };
    let living = |ttl: &Option<Duration>| ttl.map(millis);
    match write {
        CacheWrite::Set { value, ttl, .. } => {
            head(b"set", living(ttl), 1);
            command.arg(&value[..]);
        }
        CacheWrite::Json { document, ttl, .. } => {
            head(b"json", living(ttl), 1);
            command.arg(&document[..]);
        }
        CacheWrite::DistributedCache { data, expiry, .. } => {
            let ttl = expiry.seconds(Timestamp::now()).map(Duration::from_secs);
            let (absexp, sldexp) = expiry.encode();
            head(b"hash", living(&ttl), 6);
            command.arg("absexp").arg(absexp).arg("sldexp").arg(sldexp).arg("data").arg(&data[..]);
        }
        CacheWrite::Fields { fields, ttl, .. } => {
            head(b"hash", living(ttl), 2 * fields.len());
            for (name, value) in fields {
                command.arg(&name[..]).arg(&value[..]);
            }
        }
        CacheWrite::Delete { .. } => head(b"delete", Some(millis(TOMBSTONE)), 0),
        // Never: such are not counted by `together`.
        CacheWrite::Guarded { .. } => head(b"set", None, 0),
    }
}

/// Room for the words of a call.
const SCRIPT_CALL: usize = 96;
/// Room for those of a write beside key and value.
const CALL_OVERHEAD: usize = 96;
