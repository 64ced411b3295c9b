//! Writes to a lease as a plan has seen it: under If-Match, and against the heartbeats of a live owner that
//! was agreed to lose it.

use crate::cosmos::CosmosError;

use super::{Lease, LeaseStorage, LeaseStore};

/// Attempts on a document whose owner keeps writing heartbeats into it.
const ATTEMPTS: u32 = 6;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write<'a> {
    /// The document is deleted.
    Delete,
    /// `Owner` becomes null, the rest stays.
    Free,
    /// `ContinuationToken` and `Owner` become null: it begins again.
    Rewind,
    /// `ContinuationToken` becomes this one, `Owner` null.
    MoveTo(Option<&'a str>),
}

/// Writes it. A document that was written since it was seen is left alone, unless `takes` and only its own
/// owner did; `Err` says in one line why it was left.
pub(super) async fn write(
    store: &LeaseStore,
    seen: &Lease,
    takes: bool,
    write: Write<'_>,
) -> Result<(), String> {
    let mut lease = seen.clone();
    for _ in 0..ATTEMPTS {
        let result = if write == Write::Delete {
            store.delete_as_seen(&lease).await
        } else {
            let mut next = changed(&lease, write);
            store.replace(&mut next).await
        };
        match result {
            Err(CosmosError::PreconditionFailed(_)) if takes => {}
            other => return told(other),
        }
        // A heartbeat came between: the same owner loses it, another one keeps it.
        match store.read(&lease).await.map_err(|error| error.with_remedy())? {
            None => return told(Err(CosmosError::NotFound(seen.id().to_owned()))),
            Some(newer) if newer.owner() == seen.owner() => lease = newer,
            Some(newer) => {
                let owner = newer.owner().unwrap_or("nobody");
                return Err(format!("{owner} owns it now; look again"));
            }
        }
    }
    Err("its owner writes too often; stop it first".to_owned())
}

fn changed(lease: &Lease, write: Write<'_>) -> Lease {
    let mut next = lease.clone();
    // Whoever still works on it finds it lost with its next write, and does not store over it.
    next.set_owner(None);
    match write {
        Write::Delete | Write::Free => {}
        Write::Rewind => {
            next.set_continuation(None);
            next.mark_from_beginning();
        }
        Write::MoveTo(continuation) => next.set_continuation(continuation),
    }
    next
}

/// What became of a write, in words.
pub(super) fn told(result: Result<(), CosmosError>) -> Result<(), String> {
    match result {
        Ok(()) => Ok(()),
        Err(CosmosError::NotFound(_)) => Err("it is gone already".to_owned()),
        Err(CosmosError::PreconditionFailed(_)) => {
            Err("somebody else wrote it meanwhile (412); look again".to_owned())
        }
        Err(error) => Err(error.with_remedy()),
    }
}
