//! One document in full: as it is in the source now, as it is in the cache now, and what this run
//! has seen of it.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cache::CacheClient;
use crate::cosmos::{Container, PartitionKey};
use crate::sync::{Digest, fields};

use super::Shared;
use super::event::{DocumentDetail, EntryDetail, EntryState, Event, SourceDocument};
use super::source::SourceReceiver;

/// Longest value shown.
const MAX_VALUE: usize = 4 << 20;

/// The document that somebody looks at.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) request: u64,
    pub(super) id: String,
    pub(super) partition_key: Option<String>,
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
        None => Err("Cosmos is not connected; the document shows when it is".to_owned()),
        Some(source) => document(shared, &source, &asked).await,
    };
    let mapped = document
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .and_then(|found| shared.mapping.entries(&Bytes::copy_from_slice(found.json.as_bytes())).ok())
        .and_then(|entries| entries.into_iter().next());
    let deleted = mapped.as_ref().is_some_and(|entry| entry.value.is_none());
    let key = mapped.as_ref().map(|entry| entry.key.clone()).or_else(|| {
        let document = serde_json::json!({ "id": asked.id }).to_string();
        shared.mapping.key_template().key(document.as_bytes()).ok()
    });
    let entry = match &key {
        None => Ok(None),
        Some(key) => entry(shared, cache, key).await,
    };
    let expected = mapped
        .and_then(|entry| entry.value)
        .map(|value| String::from_utf8_lossy(&value.as_read()).into_owned());
    let state = match (&expected, &entry) {
        (Some(expected), Ok(Some(held))) => {
            if Digest::of(expected.as_bytes()).agrees(Digest::of(held.value.as_bytes())) {
                EntryState::InStep
            } else {
                EntryState::Stale
            }
        }
        (Some(_), Ok(None)) => EntryState::Missing,
        (None, Ok(Some(_))) if deleted || matches!(document, Ok(None)) => EntryState::Orphan,
        _ => EntryState::Unknown,
    };
    DocumentDetail {
        request: asked.request,
        versions: shared.history.versions(&asked.id),
        counts: shared.history.figures(&asked.id),
        timing: shared.latency.timing_of(&asked.id),
        id: asked.id,
        source: document,
        entry,
        key,
        expected,
        state,
    }
}

async fn document(
    shared: &Shared,
    source: &Container,
    asked: &Wanted,
) -> Result<Option<SourceDocument>, String> {
    let tell = |error: crate::cosmos::CosmosError| format!("{}; {}", error.cause(), error.remedy());
    let known =
        asked.partition_key.clone().or_else(|| shared.history.partition_key(&asked.id)).or_else(|| {
            (shared.partition_key_path() == ["id"])
                .then(|| serde_json::Value::from(asked.id.as_str()).to_string())
        });
    let body = if let Some(json) = known {
        let key = PartitionKey::from_json(&json).map_err(tell)?;
        source.read(&asked.id, &key).await.map_err(tell)?.map(|document| document.body)
    } else {
        let id = serde_json::Value::from(asked.id.as_str());
        let sql = "SELECT * FROM c WHERE c.id = @id";
        source.query(sql, &[("@id", id)]).await.map_err(tell)?.into_iter().next()
    };
    Ok(body.map(|body| {
        let text =
            |name: &str| fields::scalar(&body, &[name]).ok().flatten().map(std::borrow::Cow::into_owned);
        SourceDocument {
            etag: text("_etag").unwrap_or_default(),
            ts: text("_ts").and_then(|ts| ts.parse().ok()).unwrap_or_default(),
            lsn: text("_lsn").and_then(|lsn| lsn.parse().ok()),
            json: String::from_utf8_lossy(&body).into_owned(),
        }
    }))
}

async fn entry(
    shared: &Shared,
    cache: &mut Option<CacheClient>,
    key: &str,
) -> Result<Option<EntryDetail>, String> {
    let tell = |error: crate::cache::CacheError| format!("{}; {}", error.cause(), error.remedy());
    if cache.is_none() {
        *cache = Some(CacheClient::connect(&shared.settings.redis).await.map_err(tell)?);
    }
    let Some(client) = cache else { return Ok(None) };
    match client.entry(key, MAX_VALUE).await {
        Ok(found) => Ok(found.map(|entry| EntryDetail {
            kind: entry.kind,
            value: String::from_utf8_lossy(&entry.value).into_owned(),
            size: entry.size,
            expires_at: entry.expires_at,
        })),
        Err(error) => {
            *cache = None;
            Err(tell(error))
        }
    }
}
