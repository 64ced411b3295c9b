//! Edits of one document or its entry, from the view that follows it: a document is written only over
//! the version that was seen, an entry through the mapping and its guard, a key deleted by its exact name.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cache::CacheClient;
use crate::cosmos::{Container, CosmosError, PartitionKey};
use crate::sync::{CacheWriter, as_in_feed, compare};

use super::event::{EditEnd, EditOutcome, Event, Level};
use super::source::SourceReceiver;
use super::{NOT_CONNECTED, Shared};

/// Longest entry read to see whether a write was kept away by a newer version.
const MAX_VALUE: usize = 4 << 20;

/// One edit.
#[derive(Debug, Clone, PartialEq)]
pub struct EditOrder {
    /// Given back in the answer.
    pub request: u64,
    /// What to do.
    pub edit: Edit,
}

/// What to do with a document or its entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Write a document.
    Document {
        /// Its id; the text must have the same.
        id: String,
        /// JSON text of its partition key value, where known; the text must have the same.
        partition_key: Option<String>,
        /// The new text.
        json: String,
        /// `_etag` of the version that was edited: nothing is written over another one. `None` = there
        /// was no document; nothing is written if there is one now.
        if_match: Option<String>,
    },
    /// Map a document as it is now and write its entries, as a delivery of the feed would.
    WriteEntry {
        /// Its id.
        id: String,
        /// JSON text of its partition key value; `None` = look it up.
        partition_key: Option<String>,
    },
    /// Delete one key of the cache.
    DeleteEntry {
        /// The key, exactly.
        key: String,
    },
}

/// Runs until cancelled. One edit after the other, in the order in which they were asked for.
pub(super) async fn run(
    shared: Arc<Shared>,
    source: SourceReceiver,
    mut orders: mpsc::Receiver<EditOrder>,
    cancel: CancellationToken,
) {
    let serving = async {
        while let Some(order) = orders.recv().await {
            let source = source.borrow().as_ref().map(|source| source.monitored.clone());
            let desk = Desk { shared: &shared, source };
            let name = match &order.edit {
                Edit::Document { id, .. } | Edit::WriteEntry { id, .. } => id.clone(),
                Edit::DeleteEntry { key } => key.clone(),
            };
            let end = desk.edit(order.edit).await.unwrap_or_else(|reason| EditEnd::Refused { reason });
            let (level, text) = words(&name, &end);
            shared.report.log(level, "edit", text).await;
            let outcome = EditOutcome { request: order.request, name, end };
            shared.report.state(Event::Edited(Box::new(outcome))).await;
        }
    };
    cancel.run_until_cancelled(serving).await;
}

/// The outcome as a line of the log.
fn words(name: &str, end: &EditEnd) -> (Level, String) {
    match end {
        EditEnd::Saved { .. } => (Level::Info, format!("saved {name}")),
        EditEnd::ChangedMeanwhile => {
            (Level::Warning, format!("{name} was not saved: somebody else has changed it meanwhile"))
        }
        EditEnd::Written { keys, kept: true } => {
            (Level::Warning, format!("{name}: {} keeps another version, a newer one", keys.join(", ")))
        }
        EditEnd::Written { keys, .. } if keys.is_empty() => {
            (Level::Info, format!("{name}: the mapping makes no entry of it"))
        }
        EditEnd::Written { keys, .. } => (Level::Info, format!("wrote {name} to {}", keys.join(", "))),
        EditEnd::Deleted { existed: true } => (Level::Info, format!("deleted the entry {name}")),
        EditEnd::Deleted { .. } => (Level::Info, format!("{name} was not in the cache")),
        EditEnd::Refused { reason } => (Level::Error, format!("{name}: {reason}")),
    }
}

struct Desk<'a> {
    shared: &'a Shared,
    source: Option<Container>,
}

impl Desk<'_> {
    async fn edit(&self, edit: Edit) -> Result<EditEnd, String> {
        match edit {
            Edit::Document { id, partition_key, json, if_match } => {
                self.save(&id, partition_key.as_deref(), json.as_bytes(), if_match.as_deref()).await
            }
            Edit::WriteEntry { id, partition_key } => self.write_entry(&id, partition_key).await,
            Edit::DeleteEntry { key } => self.delete_entry(key).await,
        }
    }

    fn source(&self) -> Result<&Container, String> {
        self.source.as_ref().ok_or_else(|| format!("{NOT_CONNECTED}; try again when it is"))
    }

    fn cache_is_allowed(&self) -> Result<(), String> {
        self.shared.settings.may_write_to(&self.shared.settings.redis.host).map_err(|error| error.to_string())
    }

    async fn save(
        &self,
        id: &str,
        partition_key: Option<&str>,
        json: &[u8],
        if_match: Option<&str>,
    ) -> Result<EditEnd, String> {
        let source = self.source()?;
        self.shared.settings.may_write_to(source.account().host()).map_err(|error| error.to_string())?;
        let text: serde_json::Value =
            serde_json::from_slice(json).map_err(|error| format!("is no JSON: {error}"))?;
        if text.get("id").and_then(serde_json::Value::as_str) != Some(id) {
            return Err(format!("the id must stay {id:?}: another id is another document"));
        }
        let key = PartitionKey::of_document(json, source.partition_key_paths())
            .map_err(|error| error.with_remedy())?;
        let seen =
            partition_key.map(PartitionKey::from_json).transpose().map_err(|error| error.with_remedy())?;
        if seen.is_some_and(|seen| seen != key) {
            let path = source.partition_key_paths().join(", ");
            return Err(format!(
                "the partition key {path} must stay as it is: another one is another document"
            ));
        }
        // A probe, as everything that is written here: its way into the cache is timed.
        let latency = &self.shared.latency;
        let now = Instant::now();
        latency.sent(id, now, now);
        let written = match if_match {
            Some(etag) => source.replace(id, &key, json, Some(etag)).await,
            None => source.create(&key, json).await,
        };
        match written {
            Ok(receipt) => {
                latency.acknowledged(id, &receipt.etag, Instant::now());
                self.shared.history.written(id, &receipt.etag);
                Ok(EditEnd::Saved { etag: receipt.etag })
            }
            Err(error) => {
                latency.refused(id, Instant::now());
                match error {
                    CosmosError::PreconditionFailed(_) | CosmosError::Conflict(_) => {
                        Ok(EditEnd::ChangedMeanwhile)
                    }
                    // It was there when it was read.
                    CosmosError::NotFound(_) if if_match.is_some() => Ok(EditEnd::ChangedMeanwhile),
                    error => Err(error.with_remedy()),
                }
            }
        }
    }

    async fn write_entry(&self, id: &str, partition_key: Option<String>) -> Result<EditEnd, String> {
        self.cache_is_allowed()?;
        let source = self.source()?;
        let found = super::detail::read_document(self.shared, source, id, partition_key).await?;
        let Some((body, lsn)) = found else {
            return Err("there is no such document in the source any more".to_owned());
        };
        let body = as_in_feed(body, lsn);
        let entries = self.shared.mapping.entries(&body).map_err(|error| error.to_string())?;
        let writer = CacheWriter::new(
            self.shared.settings.redis.clone(),
            Arc::clone(&self.shared.mapping),
            self.shared.latency.clone(),
        );
        writer.write(&[body]).await.map_err(|error| error.to_string())?;
        if let Some(aside) = writer.set_aside().newest().pop() {
            return Err(aside.reason);
        }
        // The guard keeps an older version away without an error: only a look tells.
        let cache = self.cache().await?;
        let mut kept = false;
        for wanted in &entries {
            let held = cache.entry(&wanted.key, MAX_VALUE).await.map_err(|error| error.with_remedy())?;
            kept |= compare(wanted, held.as_ref(), Timestamp::now()).is_some();
        }
        Ok(EditEnd::Written { keys: entries.into_iter().map(|entry| entry.key).collect(), kept })
    }

    async fn delete_entry(&self, key: String) -> Result<EditEnd, String> {
        self.cache_is_allowed()?;
        let deleted = self.cache().await?.delete(&[key]).await.map_err(|error| error.with_remedy())?;
        Ok(EditEnd::Deleted { existed: deleted > 0 })
    }

    async fn cache(&self) -> Result<CacheClient, String> {
        CacheClient::connect(&self.shared.settings.redis).await.map_err(|error| error.with_remedy())
    }
}
