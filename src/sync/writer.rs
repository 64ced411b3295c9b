//! The `ChangeHandler` that writes to Redis: a batch is mapped, pipelined and acknowledged before
//! the processor may checkpoint it. A Redis that is away, full or read-only fails the batch as a
//! whole, so that it is delivered again; a single bad document is set aside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Mutex;

use crate::cache::{CacheClient, CacheError, CacheWrite, EntryError};
use crate::config::RedisConnection;
use crate::latency::LatencyTracker;
use crate::processor::{ChangeBatch, ChangeHandler};

use super::fields;
use super::mapping::Mapping;
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
    /// Redis refused single writes for a reason that passes (full, read-only, loading).
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
    mapping: Arc<Mapping>,
    latency: LatencyTracker,
    set_aside: Arc<SetAsideList>,
    delivered: AtomicU64,
}

impl CacheWriter {
    /// A writer that connects when the first batch comes, and again whenever the connection broke.
    pub fn new(connection: RedisConnection, mapping: Arc<Mapping>, latency: LatencyTracker) -> Self {
        Self {
            connection,
            client: Mutex::new(None),
            mapping,
            latency,
            set_aside: Arc::new(SetAsideList::default()),
            delivered: AtomicU64::new(0),
        }
    }

    /// Documents that Redis has acknowledged since the start.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Documents that were set aside.
    pub fn set_aside(&self) -> &SetAsideList {
        &self.set_aside
    }

    async fn client(&self) -> Result<CacheClient, CacheError> {
        let mut slot = self.client.lock().await;
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = CacheClient::connect(&self.connection).await?;
        *slot = Some(client.clone());
        Ok(client)
    }

    /// Writes documents and returns when Redis has acknowledged all of them.
    ///
    /// # Errors
    /// Redis is away or refuses writes; some of the documents may have been written.
    pub async fn write(&self, documents: &[Bytes]) -> Result<(), WriteError> {
        let mut batch = Vec::with_capacity(documents.len().min(PIPELINE_COMMANDS));
        let mut sources = Vec::with_capacity(batch.capacity());
        let mut bytes = 0;
        for document in documents {
            match self.mapping.entry(document) {
                Ok(entry) => {
                    bytes += entry.value.len();
                    batch.push(CacheWrite::Set { key: entry.key.into(), value: entry.value, ttl: None });
                    sources.push(document);
                }
                Err(error) => self.put_aside(document, error.to_string()),
            }
            if batch.len() == PIPELINE_COMMANDS || bytes >= PIPELINE_BYTES {
                self.flush(&batch, &sources).await?;
                batch.clear();
                sources.clear();
                bytes = 0;
            }
        }
        self.flush(&batch, &sources).await
    }

    async fn flush(&self, batch: &[CacheWrite], sources: &[&Bytes]) -> Result<(), WriteError> {
        if batch.is_empty() {
            return Ok(());
        }
        let client = self.client().await?;
        let replies = match client.write(batch).await {
            Ok(replies) => replies,
            Err(error) => {
                // The next attempt makes a connection of its own.
                *self.client.lock().await = None;
                return Err(error.into());
            }
        };
        let now = Instant::now();
        let mut written = 0;
        let mut passing = None;
        for (reply, document) in replies.into_iter().zip(sources) {
            match reply {
                Ok(()) => {
                    written += 1;
                    if self.latency.has_open()
                        && let Some((id, etag)) = version(document)
                    {
                        self.latency.in_cache(&id, &etag, now);
                    }
                }
                // Full, read-only, loading: the whole batch is repeated when that is over.
                Err(error) if error.is_passing() => passing = passing.or(Some(error)),
                Err(error) => self.put_aside(document, error.to_string()),
            }
        }
        self.delivered.fetch_add(written, Ordering::Relaxed);
        match passing {
            Some(error) => Err(WriteError::Refused { address: client.address().to_owned(), error }),
            None => Ok(()),
        }
    }

    fn put_aside(&self, document: &Bytes, reason: String) {
        let id = fields::scalar(document, &["id"]).ok().flatten().map(std::borrow::Cow::into_owned);
        self.set_aside.add(SetAside { id, reason, document: document.clone() });
    }
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
                    self.latency.seen_in_feed(&id, &etag, now);
                }
            }
        }
        self.write(&batch.documents).await
    }
}
