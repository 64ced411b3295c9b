//! Acquire, renew, checkpoint, release: each a small change under If-Match, repeated after a 412.
//! (.NET: DocumentServiceLeaseUpdaterCosmos.cs, DocumentServiceLeaseManagerCosmos.cs)

use std::sync::Arc;

use thiserror::Error;

use crate::cosmos::CosmosError;

use super::{Clock, Lease, LeaseStorage};

/// Attempts of one update before the lease counts as lost; .NET's number.
const ATTEMPTS: u32 = 6;

/// Why an update did not happen.
#[derive(Debug, Clone, Error)]
pub enum UpdateError {
    /// Somebody else owns it, or it is gone.
    #[error("the lease {id} is lost{}", to.as_ref().map(|o| format!(" to {o}")).unwrap_or_default())]
    Lost {
        /// Id of the lease.
        id: String,
        /// The new owner, if there is one.
        to: Option<String>,
    },
    /// The store did not do it; the lease may still be ours.
    #[error(transparent)]
    Store(#[from] CosmosError),
}

/// Changes leases on behalf of one instance. Keeps the etag of its own writes, so that a 412 means that somebody
/// else wrote.
#[derive(Debug)]
pub struct LeaseUpdater<L> {
    storage: Arc<L>,
    instance: String,
    clock: Clock,
}

impl<L> Clone for LeaseUpdater<L> {
    fn clone(&self) -> Self {
        Self { storage: Arc::clone(&self.storage), instance: self.instance.clone(), clock: self.clock }
    }
}

impl<L: LeaseStorage> LeaseUpdater<L> {
    /// An updater that writes `instance` as the owner.
    pub fn new(storage: Arc<L>, instance: impl Into<String>, clock: Clock) -> Self {
        Self { storage, instance: instance.into(), clock }
    }

    /// The instance name.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Where the leases are.
    pub fn storage(&self) -> &Arc<L> {
        &self.storage
    }

    /// The clock of the heartbeats.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Makes it ours, if its owner is still the one that was seen when it was listed.
    pub async fn acquire(&self, lease: &mut Lease) -> Result<(), UpdateError> {
        let seen = lease.owner().map(ToOwned::to_owned);
        let me = self.instance.clone();
        self.update(lease, |l| l.owner() == seen.as_deref(), |l| l.set_owner(Some(&me))).await
    }

    /// Writes a heartbeat.
    pub async fn renew(&self, lease: &mut Lease) -> Result<(), UpdateError> {
        self.update(lease, |l| self.is_mine(l), |_| {}).await
    }

    /// Stores how far we got.
    pub async fn checkpoint(&self, lease: &mut Lease, position: &str) -> Result<(), UpdateError> {
        self.update(lease, |l| self.is_mine(l), |l| l.set_continuation(Some(position))).await
    }

    /// Frees it, with a last position if there is one that is not stored yet.
    pub async fn release(&self, lease: &mut Lease, position: Option<&str>) -> Result<(), UpdateError> {
        let change = |l: &mut Lease| {
            l.set_owner(None);
            if let Some(position) = position {
                l.set_continuation(Some(position));
            }
        };
        self.update(lease, |l| self.is_mine(l), change).await
    }

    fn is_mine(&self, lease: &Lease) -> bool {
        lease.owner() == Some(&self.instance)
    }

    async fn update(
        &self,
        lease: &mut Lease,
        holds: impl Fn(&Lease) -> bool,
        change: impl Fn(&mut Lease),
    ) -> Result<(), UpdateError> {
        for _ in 0..ATTEMPTS {
            if !holds(lease) {
                return Err(lost(lease));
            }
            let mut next = lease.clone();
            change(&mut next);
            next.set_heartbeat(self.clock.now());
            match self.storage.replace(&mut next).await {
                Ok(()) => {
                    *lease = next;
                    return Ok(());
                }
                Err(CosmosError::PreconditionFailed(_)) => match self.storage.read(lease).await? {
                    Some(newer) => *lease = newer,
                    None => return Err(UpdateError::Lost { id: lease.id().to_owned(), to: None }),
                },
                Err(CosmosError::NotFound(_) | CosmosError::Conflict(_)) => {
                    return Err(UpdateError::Lost { id: lease.id().to_owned(), to: None });
                }
                Err(e) => return Err(e.into()),
            }
        }
        Err(lost(lease))
    }
}

fn lost(lease: &Lease) -> UpdateError {
    UpdateError::Lost { id: lease.id().to_owned(), to: lease.owner().map(ToOwned::to_owned) }
}
