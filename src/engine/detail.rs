//! One document in full: as it is in the source now, as it is in the cache now, and what this run
//! has seen of it.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cache::{CacheClient, Encoding, Entry};
use crate::cosmos::{Container, PartitionKey};
use crate::sync::{Diff, Difference, MappedEntry, compare, fields};

use super::event::{DocumentDetail, EntryDetail, EntryState, Event, SourceDocument, VersionSeen};
use super::source::SourceReceiver;
use super::{NOT_CONNECTED, Shared};

/// Longest value shown.
const MAX_VALUE: usize = 4 << 20;

/// The document that somebody looks at.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) request: u64,
    pub(super) id: String,
    pub(super) partition_key: Option<String>,
    pub(super) key: Option<String>,
}

/// Answers the newest request; an older one that is still under way is given up.
pub(super) async fn run(
    shared: Arc<Shared>,
    source: SourceReceiver,
    mut wanted: watch::Receiver<Option<Wanted>>,
    cancel: CancellationToken,
) {
    let mut cache = None;
    loop {
        let changed = tokio::select! {
            () = cancel.cancelled() => return,
            changed = wanted.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        let Some(asked) = wanted.borrow_and_update().clone() else { continue };
        let found = source.borrow().as_ref().map(|source| source.monitored.clone());
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = wanted.changed() => wanted.mark_changed(),
            detail = read(&shared, found, &mut cache, asked) => {
                shared.report.state(Event::Document(Box::new(detail))).await;
            }
        }
    }
}

async fn read(
    shared: &Shared,
    source: Option<Container>,
    cache: &mut Option<CacheClient>,
    asked: Wanted,
) -> DocumentDetail {
    let document = match source {
        None => Err(format!("{NOT_CONNECTED}; the document shows when it is")),
        Some(source) => document(shared, &source, &asked).await,
    };
    let entries = document
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .and_then(|found| shared.mapping.entries(&Bytes::copy_from_slice(found.json.as_bytes())).ok())
        .unwrap_or_default();
    let keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    // An entry that was asked for is shown even if the mapping does not make it any more.
    let key = asked.key.clone().or_else(|| keys.first().cloned()).or_else(|| {
        let document = serde_json::json!({ "id": asked.id }).to_string();
        shared.mapping.key_template().key(document.as_bytes()).ok()
    });
    let mapped = entries.into_iter().find(|entry| Some(&entry.key) == key.as_ref());
    let held = match &key {
        None => Ok(None),
        Some(key) => entry(shared, cache, key).await,
    };
    let is_expected = mapped.as_ref().is_some_and(|entry| entry.value.is_some());
    let (state, difference) = judge(mapped.as_ref(), &document, &held);
    let expected = is_expected.then(|| mapped.as_ref().map(MappedEntry::expected)).flatten();
    let both_known = document.is_ok() && held.is_ok();
    let diff = beside(expected.clone(), held.as_ref().ok().and_then(Option::as_ref), both_known).await;
    DocumentDetail {
        request: asked.request,
        versions: versions(shared, &asked.id),
        counts: shared.history.figures(&asked.id),
        timing: shared.latency.timing_of(&asked.id),
        id: asked.id,
        source: document,
        entry: held.map(|held| held.map(detail_of)),
        key,
        keys,
        expected: expected.map(|value| String::from_utf8_lossy(&value).into_owned()),
        state,
        difference,
        diff: Arc::new(diff),
    }
}

/// The state of the entry looked at, and what verify would say about it.
fn judge(
    mapped: Option<&MappedEntry>,
    document: &Result<Option<SourceDocument>, String>,
    held: &Result<Option<Entry>, String>,
) -> (EntryState, Option<Difference>) {
    let (Ok(document), Ok(held)) = (document, held) else { return (EntryState::Unknown, None) };
    match mapped {
        Some(mapped) if mapped.value.is_some() => match compare(mapped, held.as_ref(), Timestamp::now()) {
            None => (EntryState::InStep, None),
            Some(Difference::Missing) => (EntryState::Missing, Some(Difference::Missing)),
            Some(difference) => (EntryState::Stale, Some(difference)),
        },
        // No document makes it: deleted, or the mapping gives no such entry.
        _ if held.is_some() && (mapped.is_some() || document.is_none()) => (EntryState::Orphan, None),
        _ => (EntryState::Unknown, None),
    }
}

/// Compared off the threads that serve connections: documents may have megabytes.
async fn beside(expected: Option<Bytes>, held: Option<&Entry>, both_known: bool) -> Diff {
    let is_json = held.is_some_and(|entry| entry.encoding == Encoding::Json);
    let held = held.map(|entry| entry.value.clone());
    let compared = tokio::task::spawn_blocking(move || {
        let make = match (both_known, is_json) {
            (false, _) => Diff::beside,
            (true, true) => Diff::of_redis_json,
            (true, false) => Diff::of,
        };
        make(expected.as_deref(), held.as_deref())
    });
    compared.await.unwrap_or_default()
}

fn detail_of(entry: Entry) -> EntryDetail {
    EntryDetail {
        kind: entry.kind,
        value: String::from_utf8_lossy(&entry.value).into_owned(),
        raw: entry.value,
        size: entry.size,
        expires_at: entry.expires_at,
    }
}

/// The versions seen, each with the stages of its way where it was a probe.
fn versions(shared: &Shared, id: &str) -> Vec<VersionSeen> {
    let mut versions = shared.history.versions(id);
    for (etag, timing) in shared.latency.timings_of(id) {
        if let Some(version) = versions.iter_mut().find(|version| version.etag == etag) {
            version.timing = Some(timing);
        }
    }
    versions
}

/// A document's text and, from a point read, its LSN; by its partition key where that is known, else
/// by a query.
pub(super) async fn read_document(
    shared: &Shared,
    source: &Container,
    id: &str,
    partition_key: Option<String>,
) -> Result<Option<(Bytes, Option<u64>)>, String> {
    let tell = |error: crate::cosmos::CosmosError| error.with_remedy();
    let known = partition_key
        .or_else(|| shared.history.partition_key(id))
        .or_else(|| (shared.partition_key_path() == ["id"]).then(|| serde_json::Value::from(id).to_string()));
    if let Some(json) = known {
        let key = PartitionKey::from_json(&json).map_err(tell)?;
        return Ok(source.read(id, &key).await.map_err(tell)?.map(|document| (document.body, document.lsn)));
    }
    let value = serde_json::Value::from(id);
    let sql = "SELECT * FROM c WHERE c.id = @id";
    let found = source.query(sql, &[("@id", value)]).await.map_err(tell)?;
    Ok(found.into_iter().next().map(|body| (body, None)))
}

async fn document(
    shared: &Shared,
    source: &Container,
    asked: &Wanted,
) -> Result<Option<SourceDocument>, String> {
    let found = read_document(shared, source, &asked.id, asked.partition_key.clone()).await?;
    Ok(found.map(|(body, lsn)| {
        let text =
            |name: &str| fields::scalar(&body, &[name]).ok().flatten().map(std::borrow::Cow::into_owned);
        SourceDocument {
            etag: text("_etag").unwrap_or_default(),
            ts: text("_ts").and_then(|ts| ts.parse().ok()).unwrap_or_default(),
            lsn: text("_lsn").and_then(|lsn| lsn.parse().ok()).or(lsn),
            json: String::from_utf8_lossy(&body).into_owned(),
        }
    }))
}

async fn entry(shared: &Shared, cache: &mut Option<CacheClient>, key: &str) -> Result<Option<Entry>, String> {
    let tell = |error: crate::cache::CacheError| error.with_remedy();
    if cache.is_none() {
        *cache = Some(CacheClient::connect(&shared.settings.redis).await.map_err(tell)?);
    }
    let Some(client) = cache else { return Ok(None) };
    match client.entry(key, MAX_VALUE).await {
        Ok(found) => Ok(found),
        Err(error) => {
            *cache = None;
            Err(tell(error))
        }
    }
}
