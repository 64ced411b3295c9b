//! Why an entry is wrong: what leases, versions in the value and the server's counters say. Where
//! they say nothing, so does this.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::cache::Entry;
use crate::cosmos::{PartitionKey, SYSTEM_PROPERTIES};
use crate::sync::compare::{Difference, same_meaning};
use crate::sync::fields;
use crate::sync::mapping::{Expiry, MappedEntry};
use crate::sync::own_keys::{id_of, is_ours};
use crate::wording::counted;

use super::Run;
use super::finding::{Cause, Finding, FindingKind};
use super::leases::Standing;
use super::look::Scene;

/// Keys named of a document that makes others now.
const NAMED: usize = 3;

/// A difference with all that is known of it.
pub(super) struct Case<'a> {
    pub(super) difference: Difference,
    pub(super) wanted: MappedEntry,
    pub(super) held: Option<Entry>,
    /// As it is in the source now.
    pub(super) document: &'a Bytes,
    pub(super) lsn: Option<u64>,
    /// The lease of its range, if there is one.
    pub(super) lease: Option<&'a Standing>,
    /// The feed brings this version.
    pub(super) in_feed: bool,
}

/// What a value says about the version that it is.
struct Version {
    lsn: Option<u64>,
    etag: Option<String>,
    ts: Option<i64>,
}

impl Version {
    fn of(value: &[u8]) -> Self {
        let text = |name| fields::scalar(value, &[name]).ok().flatten().map(std::borrow::Cow::into_owned);
        Self {
            lsn: text("_lsn").and_then(|lsn| lsn.parse().ok()),
            etag: text("_etag"),
            ts: text("_ts").and_then(|ts| ts.parse().ok()),
        }
    }
}

impl Run<'_> {
    pub(super) fn finding(
        &self,
        case: Case<'_>,
        id: &str,
        partition_key: &PartitionKey,
        scene: &Scene,
    ) -> Finding {
        let (cause, evidence) = self.explain(&case, id, scene);
        let (kind, details) = told(case.difference);
        Finding {
            kind,
            key: case.wanted.key,
            id: Some(id.to_owned()),
            partition_key: Some(partition_key.to_json()),
            details,
            cause,
            evidence,
            lsn: case.lsn,
            lease_lsn: case.lease.and_then(|standing| standing.lsn),
        }
    }

    /// An entry whose document is gone. Where the keys of the mapping have no text of their own,
    /// somebody else's keys look the same: then the value has to tell that it is ours.
    /// `documents` are those that have its id now.
    pub(super) fn orphan(&self, key: String, id: String, held: &Entry, documents: &[Bytes]) -> Finding {
        let (cause, evidence) = if is_ours(&self.with.mapping, &key, held) {
            let source = self.with.source.path();
            let evidence = if documents.is_empty() {
                format!("no document {id:?} in {source}")
            } else {
                format!(
                    "document {id:?} of {source} makes no such entry any more{}",
                    self.entries_now(documents)
                )
            };
            (Cause::DocumentGone, evidence)
        } else {
            let evidence = format!(
                "no document {id:?}, and nothing in the value tells that this mapping wrote it; it is left alone"
            );
            (Cause::SomebodyElse, evidence)
        };
        Finding {
            kind: FindingKind::Orphan,
            key,
            id: Some(id),
            partition_key: None,
            details: Vec::new(),
            cause,
            evidence,
            lsn: None,
            lease_lsn: None,
        }
    }

    /// The keys that documents make now, in words; the first few.
    fn entries_now(&self, documents: &[Bytes]) -> String {
        let made = documents.iter().filter_map(|document| self.with.mapping.entries(document).ok());
        let keys = made.flatten().filter(|entry| entry.value.is_some()).map(|entry| entry.key);
        let keys: Vec<String> = keys.take(NAMED).map(|key| format!("{key:?}")).collect();
        if keys.is_empty() { String::new() } else { format!("; it makes {} now", keys.join(", ")) }
    }

    fn explain(&self, case: &Case<'_>, id: &str, scene: &Scene) -> (Cause, String) {
        let behind = behind(case);
        match (&case.difference, &case.held) {
            (Difference::Missing, _) | (_, None) => behind.unwrap_or_else(|| self.absent(case, scene)),
            (Difference::Stale { .. }, Some(held)) => stale(case, held, id, behind),
            (Difference::WrongEncoding { found }, Some(held)) => {
                if same_meaning(&case.wanted.expected(), &held.value) {
                    (Cause::OtherMapping, format!("{found} with the same content"))
                } else {
                    (Cause::SomebodyElse, format!("{found} with other content"))
                }
            }
            (Difference::WrongTtl { .. }, Some(_)) => (
                Cause::SomebodyElse,
                "the value is right, its expiry is not: set apart from the sync".to_owned(),
            ),
        }
    }

    /// Delivered, but not there.
    fn absent(&self, case: &Case<'_>, scene: &Scene) -> (Cause, String) {
        let (before, now) = (&self.before, &scene.status);
        let passed = match (case.lsn, case.lease.and_then(|standing| standing.lsn)) {
            (Some(lsn), Some(lease)) => format!("LSN {lsn}, passed by its lease at {lease}"),
            _ => "no lease tells whether it was delivered".to_owned(),
        };
        if let Some((ttl, age)) = outlived(case) {
            let text =
                format!("its entry lives {} s, and the document was written {age} s ago", ttl.as_secs());
            return (Cause::Expired, text);
        }
        let policy = now.maxmemory_policy.as_deref().unwrap_or("noeviction");
        if now.evicted_keys > 0 && policy != "noeviction" {
            let during = now.evicted_keys.saturating_sub(before.evicted_keys);
            let text = format!(
                "{passed}; the server has evicted {} ({during} just now), policy {policy}",
                counted(now.evicted_keys, "key")
            );
            return (Cause::Evicted, text);
        }
        if now.expired_keys > 0 {
            let expired = counted(now.expired_keys, "key");
            let text = format!("{passed}; this server let {expired} expire, so it may have");
            let just_now = now.expired_keys > before.expired_keys;
            return (if just_now { Cause::Expired } else { Cause::NeverWritten }, text);
        }
        if case.lsn.is_none() {
            return (Cause::Unknown, passed);
        }
        (Cause::NeverWritten, format!("{passed}; nothing was evicted or has expired"))
    }
}

/// The time that an entry lives, and the greater age of its document in seconds.
fn outlived(case: &Case<'_>) -> Option<(Duration, i64)> {
    let Expiry::After(ttl) = case.wanted.value.as_ref()?.expiry else { return None };
    let age = Timestamp::now().as_second() - Version::of(case.document).ts?;
    (u64::try_from(age).is_ok_and(|age| age > ttl.as_secs())).then_some((ttl, age))
}

/// The lease has not got there yet, or there is none.
fn behind(case: &Case<'_>) -> Option<(Cause, String)> {
    let Some(standing) = case.lease else {
        return Some((
            Cause::NoLease,
            "no processor has a lease for its range: is a sync set up?".to_owned(),
        ));
    };
    let owner = match (&standing.owner, standing.age) {
        (None, _) => "which nobody owns".to_owned(),
        (Some(owner), Some(age)) if !standing.alive => format!("of {owner}, silent for {age} s"),
        (Some(owner), Some(age)) => format!("of {owner}, heartbeat {age} s ago"),
        (Some(owner), None) => format!("of {owner}"),
    };
    let lsn = case.lsn?;
    if !case.in_feed {
        return Some((Cause::NotInFeed, format!("LSN {lsn}, which the change feed does not bring yet")));
    }
    match standing.lsn {
        None => Some((Cause::LeaseBehind, format!("LSN {lsn}, its lease has no position yet, {owner}"))),
        Some(at) if at < lsn => {
            Some((Cause::LeaseBehind, format!("LSN {lsn}, its lease is at {at}, {owner}")))
        }
        Some(_) => None,
    }
}

fn stale(case: &Case<'_>, held: &Entry, id: &str, behind: Option<(Cause, String)>) -> (Cause, String) {
    let (now, was) = (Version::of(case.document), Version::of(&held.value));
    let other_id = id_of(&held.value).is_some_and(|other| other != id);
    let is_json = serde_json::from_slice::<Value>(&held.value).is_ok();
    if other_id || !is_json || held.cut {
        let text = if other_id { "the value is another document" } else { "the value is no document" };
        return (Cause::SomebodyElse, text.to_owned());
    }
    if was.etag.is_some() && was.etag == now.etag {
        return (
            Cause::SomebodyElse,
            "the value bears the newest version's _etag, and was changed".to_owned(),
        );
    }
    let older = match ((was.lsn, case.lsn), (was.ts, now.ts)) {
        ((Some(was), Some(now)), _) if was < now => {
            Some(format!("the entry is of LSN {was}, the document of {now}"))
        }
        (_, (Some(was), Some(now))) if was < now => {
            Some(format!("the entry is {} s older than the document", now - was))
        }
        _ => None,
    };
    match (behind, older) {
        (Some((cause, text)), Some(older)) => (cause, format!("{text}; {older}")),
        (Some(behind), None) => behind,
        (None, Some(older)) => {
            let lease = case.lease.and_then(|standing| standing.lsn);
            let passed = lease.map_or(String::new(), |at| format!(", which its lease passed at {at}"));
            (Cause::OlderVersion, format!("{older}{passed}"))
        }
        (None, None) if names(&case.wanted.expected()) != names(&held.value) => {
            (Cause::OtherMapping, "the value has other fields than the mapping makes".to_owned())
        }
        (None, None)
            if was.etag.is_none() && was.ts.is_none() && now.etag.is_some() && has_marks(&case.wanted) =>
        {
            (Cause::SomebodyElse, "the value bears no version, as the sync would have written".to_owned())
        }
        (None, None) => (Cause::Unknown, "nothing tells which version the value is".to_owned()),
    }
}

/// The mapping keeps the system fields that tell a version.
fn has_marks(wanted: &MappedEntry) -> bool {
    Version::of(&wanted.expected()).etag.is_some()
}

/// Names of the top-level members, sorted, system fields left out.
fn names(value: &[u8]) -> Vec<String> {
    let Ok(Value::Object(members)) = serde_json::from_slice(value) else { return Vec::new() };
    let mut names: Vec<String> = members
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !SYSTEM_PROPERTIES.contains(&name.as_str()))
        .collect();
    names.sort_unstable();
    names
}

fn told(difference: Difference) -> (FindingKind, Vec<String>) {
    match difference {
        Difference::Missing => (FindingKind::Missing, Vec::new()),
        Difference::Stale { fields } => (FindingKind::Stale, fields),
        Difference::WrongEncoding { found } => (FindingKind::WrongEncoding, vec![found]),
        Difference::WrongTtl { wanted, left } => {
            let words = |ttl: Option<Duration>| {
                ttl.map_or_else(|| "for ever".to_owned(), |ttl| format!("{} s", ttl.as_secs()))
            };
            (FindingKind::WrongTtl, vec![format!("lives {}, should live {}", words(left), words(wanted))])
        }
    }
}
