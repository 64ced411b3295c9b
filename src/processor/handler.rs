//! What a user of the processor writes: the handler of batches.

use std::future::Future;

use bytes::Bytes;

use crate::cosmos::{EpkRange, FeedPage};

/// A page of changes of one lease, oldest first.
#[derive(Debug, Clone)]
pub struct ChangeBatch {
    /// Id of the lease document.
    pub lease_id: String,
    /// Range of the key space that the lease owns.
    pub range: EpkRange,
    /// The page as it came, with its position and the partition's LSN.
    pub page: FeedPage,
    /// The documents as slices of the page: JSON text, not copied.
    pub documents: Vec<Bytes>,
}

/// Takes changes. Called for one batch of a lease at a time; for several leases at once.
///
/// `Ok` means that every change of the batch is safe: only then the position is stored. After an error the same
/// batch comes again, after a pause that grows to half a second; the lease stays ours meanwhile. A document that
/// can never be handled must be set aside by the handler itself, else it holds up its lease. The future is dropped
/// when the lease is lost, or at a stop that it does not finish within 700 ms; then the batch comes again to
/// whoever owns the lease next.
pub trait ChangeHandler: Send + Sync + 'static {
    /// Why a batch could not be handled.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Handles a batch.
    fn handle(&self, batch: ChangeBatch) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
