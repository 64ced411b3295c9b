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

/// The call of the script for one write; `None` for what is guarded already.
pub(super) fn command(write: &CacheWrite, version: Version) -> Option<Cmd> {
    let mut command = Cmd::with_capacity(10, write.size() + SCRIPT_CALL);
    let key = write.key();
    command
        .arg("EVALSHA")
        .arg(script_sha1())
        .arg(2)
        .arg(&key[..])
        .arg([VERSION_KEY.as_bytes(), key].concat());
    command.arg(version.ts).arg(version.lsn.map(|lsn| lsn.to_string()).unwrap_or_default());
    let living = |ttl: &Option<Duration>| ttl.map(|ttl| millis(ttl).to_string()).unwrap_or_default();
    match write {
        CacheWrite::Set { value, ttl, .. } => command.arg("set").arg(living(ttl)).arg(&value[..]),
        CacheWrite::Json { document, ttl, .. } => command.arg("json").arg(living(ttl)).arg(&document[..]),
        CacheWrite::DistributedCache { data, expiry, .. } => {
            let ttl = expiry.seconds(Timestamp::now()).map(Duration::from_secs);
            let (absexp, sldexp) = expiry.encode();
            command.arg("hash").arg(living(&ttl)).arg("absexp").arg(absexp);
            command.arg("sldexp").arg(sldexp).arg("data").arg(&data[..])
        }
        CacheWrite::Fields { fields, ttl, .. } => {
            command.arg("hash").arg(living(ttl));
            for (name, value) in fields {
                command.arg(&name[..]).arg(&value[..]);
            }
            &mut command
        }
        CacheWrite::Delete { .. } => command.arg("delete").arg(millis(TOMBSTONE)),
        CacheWrite::Guarded { .. } => return None,
    };
    Some(command)
}

/// Room for the words of a call beside key and value.
const SCRIPT_CALL: usize = 192;
