//! One document into the source, timed and remembered as asked; and back out again.

use std::time::Instant;

use futures::StreamExt;
use indexmap::IndexMap;

use crate::cosmos::{Container, CosmosError, PartitionKey, WriteReceipt};
use crate::engine::Shared;

use super::job::Due;
use super::ledger::{Ledger, Written};

/// Writes in flight at once.
const CONCURRENCY: usize = 64;
/// Tries to find out what a document replaces while others write it, too.
const TRIES: usize = 5;

/// How documents are written.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) shared: &'a Shared,
    pub(super) source: &'a Container,
    /// As probes.
    pub(super) timed: bool,
    /// So that it can be undone.
    pub(super) ledger: Option<&'a Ledger>,
}

/// Writes documents, versions of the same one in their order; the outcome of each.
pub(super) async fn all(how: How<'_>, due: Vec<Due>) -> Vec<(String, Result<(), CosmosError>)> {
    let mut chains: IndexMap<String, Vec<Due>> = IndexMap::new();
    for one in due {
        chains.entry(one.document.id.clone()).or_default().push(one);
    }
    let chains: Vec<Vec<(String, Result<(), CosmosError>)>> = futures::stream::iter(chains)
        .map(|(id, chain)| async move {
            let mut results = Vec::with_capacity(chain.len());
            for one in chain {
                results.push((id.clone(), how.write(&one).await));
            }
            results
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    chains.into_iter().flatten().collect()
}

impl How<'_> {
    async fn write(&self, due: &Due) -> Result<(), CosmosError> {
        let body = due.document.json.as_bytes();
        let key = PartitionKey::of_document(body, self.source.partition_key_paths())?;
        let id = due.document.id.as_str();
        let Some(ledger) = self.ledger else {
            return self.timed(due, self.source.upsert(&key, body)).await.map(drop);
        };
        if ledger.knows(id, &key) {
            let receipt = self.timed(due, self.source.upsert(&key, body)).await?;
            ledger.again(id, &key, &receipt.etag);
            return Ok(());
        }
        let mut last = None;
        for _ in 0..TRIES {
            match self.timed(due, self.source.create(&key, body)).await {
                Ok(WriteReceipt { etag, .. }) => {
                    ledger.add(Written { id: id.to_owned(), key, etag, before: None });
                    return Ok(());
                }
                Err(CosmosError::Conflict(text)) => last = Some(CosmosError::Conflict(text)),
                Err(error) => return Err(error),
            }
            let Some(before) = self.source.read(id, &key).await? else { continue };
            let replacing = self.source.replace(id, &key, body, Some(&before.etag));
            match self.timed(due, replacing).await {
                Ok(WriteReceipt { etag, .. }) => {
                    ledger.add(Written { id: id.to_owned(), key, etag, before: Some(before.body) });
                    return Ok(());
                }
                // Somebody else wrote or deleted it in between: look again.
                Err(error @ (CosmosError::PreconditionFailed(_) | CosmosError::NotFound(_))) => {
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| CosmosError::Timeout(format!("document {id}"))))
    }

    /// Runs one write as a probe, if asked.
    async fn timed(
        &self,
        due: &Due,
        write: impl Future<Output = Result<WriteReceipt, CosmosError>>,
    ) -> Result<WriteReceipt, CosmosError> {
        let (shared, id) = (self.shared, due.document.id.as_str());
        if self.timed {
            let now = Instant::now();
            shared.latency.sent(id, due.intended.unwrap_or(now), now);
        }
        let written = write.await;
        match &written {
            Ok(receipt) => {
                if self.timed {
                    shared.latency.acknowledged(id, &receipt.etag, Instant::now());
                }
                shared.history.written(id, &receipt.etag);
            }
            Err(_) if self.timed => shared.latency.refused(id, Instant::now()),
            Err(_) => {}
        }
        written
    }
}

/// How taking documents back went.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) deleted: u64,
    pub(super) restored: u64,
    /// Gone already.
    pub(super) gone: u64,
    /// Ids of those that somebody changed since; they stay as they are.
    pub(super) changed: Vec<String>,
    /// Not taken back; to be tried again.
    pub(super) failed: Vec<(Written, CosmosError)>,
}

/// Takes documents back: deletes what was created, restores what was replaced, unless somebody changed
/// it since.
pub(super) async fn back(shared: &Shared, source: &Container, written: Vec<Written>) -> Undone {
    let mut undone = Undone::default();
    let mut results = futures::stream::iter(written)
        .map(|written| async move {
            let (id, key, etag) = (written.id.as_str(), &written.key, Some(written.etag.as_str()));
            let result = match &written.before {
                None => source.delete(id, key, etag).await,
                Some(before) => source.replace(id, key, before, etag).await,
            };
            (written, result)
        })
        .buffer_unordered(CONCURRENCY);
    while let Some((written, result)) = results.next().await {
        match (result, &written.before) {
            (Ok(_), None) => undone.deleted += 1,
            (Ok(receipt), Some(_)) => {
                shared.history.written(&written.id, &receipt.etag);
                undone.restored += 1;
            }
            (Err(CosmosError::NotFound(_)), None) => undone.gone += 1,
            (Err(CosmosError::NotFound(_) | CosmosError::PreconditionFailed(_)), _) => {
                undone.changed.push(written.id);
            }
            (Err(error), _) => undone.failed.push((written, error)),
        }
    }
    undone
}
