//! What a processor needs of a lease container. A trait only because the simulations run on tokio's paused
//! clock, where no socket can be waited for; [`super::LeaseStore`] is the real one.

use std::future::Future;

use crate::cosmos::CosmosError;

use super::{Lease, LeasePrefix};

/// A `.info` or `.lock` document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// `_etag`, quotes included.
    pub etag: String,
    /// `_ts`: last write in seconds since 1970.
    pub ts: i64,
    /// Seconds to live, if it has any.
    pub ttl: Option<i64>,
}

/// A store of leases and markers. Errors are those of Cosmos: `Conflict`, `PreconditionFailed`, `NotFound`…
pub trait LeaseStorage: Send + Sync + 'static {
    /// All leases of a prefix, in no particular order.
    fn list(&self, prefix: &LeasePrefix) -> impl Future<Output = Result<Vec<Lease>, CosmosError>> + Send;
    /// The lease as it is now; `None` if it is gone.
    fn read(&self, lease: &Lease) -> impl Future<Output = Result<Option<Lease>, CosmosError>> + Send;
    /// Creates it and sets its etag; `Conflict` if its id is there.
    fn create(&self, lease: &mut Lease) -> impl Future<Output = Result<(), CosmosError>> + Send;
    /// Replaces it if its etag is still the stored one, and sets the new etag.
    fn replace(&self, lease: &mut Lease) -> impl Future<Output = Result<(), CosmosError>> + Send;
    /// Deletes it, whatever its etag.
    fn delete(&self, lease: &Lease) -> impl Future<Output = Result<(), CosmosError>> + Send;
    /// The marker of this id, if there.
    fn marker(&self, id: &str) -> impl Future<Output = Result<Option<Marker>, CosmosError>> + Send;
    /// Creates a marker; `Conflict` if it is there. Answers its etag.
    fn create_marker(
        &self,
        id: &str,
        ttl: Option<i64>,
    ) -> impl Future<Output = Result<String, CosmosError>> + Send;
    /// Deletes a marker if its etag is still this one.
    fn delete_marker(&self, id: &str, etag: &str) -> impl Future<Output = Result<(), CosmosError>> + Send;
}
