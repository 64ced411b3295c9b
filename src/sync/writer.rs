//! The `ChangeHandler` that writes to Redis: a batch is mapped, pipelined and acknowledged before
//! the processor may checkpoint it. A Redis that is away, full or read-only fails the batch as a
//! whole, so that it is delivered again; a single bad document is set aside.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::Mutex;

use crate::cache::{CacheClient, CacheError, CacheWrite, EntryError, Reconnects, Refusal};
use crate::config::RedisConnection;
use crate::latency::LatencyTracker;
use crate::processor::{ChangeBatch, ChangeHandler};

use super::dead_letters::DeadLetters;
use super::fields;
use super::mapping::Mapping;
use super::marker::marker_write;
use super::set_aside::{SetAside, SetAsideList};

/// Most bytes of values in one pipeline: a page of 2 MB documents must not become one huge write.
const PIPELINE_BYTES: usize = 4 << 20;
/// Most commands in one pipeline.
const PIPELINE_COMMANDS: usize = 1_000;

/// Why a batch is not in the cache; the processor delivers it again.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Redis did not take it.
    #[error("{}; {}", .0.cause(), .0.remedy())]
    Cache(#[from] CacheError),
    /// Redis refused single writes for a reason that is not theirs (full, read-only, loading, no such command).
    #[error("redis {address} refused: {}; {}", .error.cause(), .error.remedy())]
    Refused {
        /// `host:port`.
        address: String,
        /// The first refusal.
        error: EntryError,
    },
}

/// Writes changes to Redis as the mapping says.
pub struct CacheWriter {
    connection: RedisConnection,
    client: Mutex<Option<CacheClient>>,
    reconnects: Reconnects,
    mapping: Arc<Mapping>,
    latency: LatencyTracker,
    set_aside: Arc<SetAsideList>,
    dead_letters: Option<Arc<DeadLetters>>,
    /// Set aside, and not yet on the disk.
    unsaved: std::sync::Mutex<Vec<SetAside>>,
    delivered: AtomicU64,
}

impl CacheWriter {
    /// A writer that connects when the first batch comes, and again whenever the connection broke.
    pub fn new(connection: RedisConnection, mapping: Arc<Mapping>, latency: LatencyTracker) -> Self {
        Self {
            connection,
            client: Mutex::new(None),
            reconnects: Reconnects::default(),
            mapping,
            latency,
            set_aside: Arc::new(SetAsideList::default()),
            dead_letters: None,
            unsaved: std::sync::Mutex::default(),
            delivered: AtomicU64::new(0),
        }
    }

    /// Documents that are set aside are kept there, too, before their batch counts as delivered.
    #[must_use]
    pub fn keeping(mut self, letters: Option<DeadLetters>) -> Self {
        self.dead_letters = letters.map(Arc::new);
        self
    }

    /// Documents that Redis has acknowledged since the start.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Documents that were set aside.
    pub fn set_aside(&self) -> &SetAsideList {
        &self.set_aside
    }

    /// Connections to Redis that were replaced in mid-flight, with nothing lost.
    pub fn reconnects(&self) -> &Reconnects {
        &self.reconnects
    }

    async fn client(&self) -> Result<CacheClient, CacheError> {
        let mut slot = self.client.lock().await;
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = CacheClient::connect_noting(&self.connection, self.reconnects.clone()).await?;
        *slot = Some(client.clone());
        Ok(client)
    }

    /// Writes documents and returns when Redis has acknowledged all of them.
    ///
    /// # Errors
    /// Redis is away or refuses writes; some of the documents may have been written.
    pub async fn write(&self, documents: &[Bytes]) -> Result<(), WriteError> {
        let written = self.write_all(documents).await;
        self.save().await;
        written
    }

    /// A disk that is full must not stop the sync: then the documents are only counted and told.
    async fn save(&self) {
        let items = std::mem::take(&mut *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(letters) = self.dead_letters.clone().filter(|_| !items.is_empty()) else { return };
        let saved = tokio::task::spawn_blocking(move || letters.add(&items)).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!("dead letters are not kept over a restart: {error}");
        }
    }

    async fn write_all(&self, documents: &[Bytes]) -> Result<(), WriteError> {
        let now = Timestamp::now();
        let mut entries = Vec::with_capacity(1);
        let mut batch = Batch::default();
        for document in documents {
            // A marker of a rebuild is no document: nothing of the mapping applies to it.
            if let Some(write) = marker_write(document) {
                batch.bytes += write.size();
                batch.markers.push(write);
                continue;
            }
            if let Err(error) = self.mapping.add_entries(document, now, &mut entries) {
                self.put_aside(document, error.to_string());
                continue;
            }
            let first = batch.writes.len();
            for entry in entries.drain(..) {
                let write = entry.into_write(now);
                batch.bytes += write.size();
                batch.writes.push(write);
            }
            batch.sources.push((document, batch.writes.len() - first));
            if batch.writes.len() >= PIPELINE_COMMANDS || batch.bytes >= PIPELINE_BYTES {
                self.flush(&batch).await?;
                batch.clear();
            }
        }
        self.flush(&batch).await
    }

    async fn flush(&self, batch: &Batch<'_>) -> Result<(), WriteError> {
        self.flush_entries(batch).await?;
        // After everything that came before them.
        self.flush_markers(&batch.markers).await
    }

    /// A marker that is refused for good holds nothing up: the rebuild that waits for it tells.
    async fn flush_markers(&self, markers: &[CacheWrite]) -> Result<(), WriteError> {
        if markers.is_empty() {
            return Ok(());
        }
        let client = self.client().await?;
        for outcome in client.write(markers).await? {
            if let Err(error) = outcome {
                tracing::warn!("a marker was refused: {error}");
                let for_good = matches!(
                    error.refusal,
                    Refusal::NoPermission | Refusal::Moved | Refusal::WrongType | Refusal::Other
                );
                if !for_good {
                    return Err(WriteError::Refused { address: client.address().to_owned(), error });
                }
            }
        }
        Ok(())
    }

    async fn flush_entries(&self, batch: &Batch<'_>) -> Result<(), WriteError> {
        if batch.writes.is_empty() {
            // Documents that make no entry are delivered, too.
            self.delivered.fetch_add(batch.sources.len() as u64, Ordering::Relaxed);
            return Ok(());
        }
        let client = self.client().await?;
        let replies = match client.write(&batch.writes).await {
            Ok(replies) => replies,
            Err(error) => {
                // The next attempt makes a connection of its own.
                *self.client.lock().await = None;
                return Err(error.into());
            }
        };
        let now = Instant::now();
        let mut written = 0;
        let mut refused = None;
        let mut replies = replies.into_iter();
        for (document, writes) in &batch.sources {
            let refusal = replies.by_ref().take(*writes).filter_map(Result::err).reduce(|first, next| {
                // Whatever is not the document's fault weighs more: the batch comes again.
                if is_poison(&first) { next } else { first }
            });
            match refusal {
                None => {
                    written += 1;
                    if self.latency.has_open()
                        && let Some((id, etag)) = version(document)
                    {
                        self.latency.in_cache(&id, &etag, now);
                    }
                }
                Some(error) if is_poison(&error) => self.put_aside(document, error.to_string()),
                // Full, read-only, loading, not permitted: the whole batch is repeated until that is over.
                Some(error) => refused = refused.or(Some(error)),
            }
        }
        self.delivered.fetch_add(written, Ordering::Relaxed);
        match refused {
            Some(error) => Err(WriteError::Refused { address: client.address().to_owned(), error }),
            None => Ok(()),
        }
    }

    fn put_aside(&self, document: &Bytes, reason: String) {
        let id = fields::scalar(document, &["id"]).ok().flatten().map(std::borrow::Cow::into_owned);
        let item = SetAside { id, reason, document: document.clone() };
        if self.dead_letters.is_some() {
            self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).push(item.clone());
        }
        self.set_aside.add(item);
    }
}

/// Writes for one pipeline, and how many of them belong to each document.
#[derive(Default)]
struct Batch<'d> {
    writes: Vec<CacheWrite>,
    sources: Vec<(&'d Bytes, usize)>,
    markers: Vec<CacheWrite>,
    bytes: usize,
}

impl Batch<'_> {
    fn clear(&mut self) {
        self.writes.clear();
        self.sources.clear();
        self.markers.clear();
        self.bytes = 0;
    }
}

/// Whether a refusal is the entry's own: the server would take others. Everything else would set
/// aside document after document for what is not their fault, a command that the server lacks above all.
fn is_poison(error: &EntryError) -> bool {
    matches!(error.refusal, Refusal::WrongType | Refusal::Other)
}

/// Id and `_etag` of a document.
pub fn version(document: &[u8]) -> Option<(String, String)> {
    let text = |name| fields::scalar(document, &[name]).ok().flatten().map(std::borrow::Cow::into_owned);
    Some((text("id")?, text("_etag")?))
}

impl ChangeHandler for CacheWriter {
    type Error = WriteError;

    async fn handle(&self, batch: ChangeBatch) -> Result<(), WriteError> {
        if self.latency.has_open() {
            let now = Instant::now();
            for document in &batch.documents {
                if let Some((id, etag)) = version(document) {
                    self.latency.delivered(&id, &etag, now);
                }
            }
        }
        self.write(&batch.documents).await
    }
}
