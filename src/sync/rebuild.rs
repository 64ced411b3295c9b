//! Rebuild: what it would delete, and the deleting, by exact list. Stopping and starting processors
//! is the engine's part.

use std::time::Duration;

use jiff::Timestamp;

use crate::cosmos::CosmosError;
use crate::lease::{Lease, LeasePrefix, LeaseStorage, LeaseStore, all_prefixes};

/// The exact documents that a rebuild deletes, and who would notice.
#[derive(Debug, Clone, Default)]
pub struct LeasesToDelete {
    /// Ids: the leases of one prefix, and its `.info` marker where it is there.
    pub ids: Vec<String>,
    /// How many of them are leases.
    pub leases: usize,
    /// Owners with a live heartbeat that are not ours, each with its age in seconds.
    pub foreign_owners: Vec<(String, u64)>,
    /// Leases of other prefixes in the same container; they stay.
    pub other_leases: usize,
}

/// Lists what is there now.
///
/// # Errors
/// The lease container cannot be read.
pub async fn leases_to_delete(
    store: &LeaseStore,
    prefix: &LeasePrefix,
    ours: &[String],
    expiration: Duration,
) -> Result<LeasesToDelete, CosmosError> {
    let leases = store.list(prefix).await?;
    let now = Timestamp::now();
    let mut ids: Vec<String> = leases.iter().map(|lease| lease.id().to_owned()).collect();
    if store.marker(&prefix.info_id()).await?.is_some() {
        ids.push(prefix.info_id());
    }
    let others = all_prefixes(store.container()).await?;
    Ok(LeasesToDelete {
        ids,
        leases: leases.len(),
        foreign_owners: foreign_owners(&leases, ours, now, expiration),
        other_leases: others.iter().filter(|(other, _)| other != prefix).map(|(_, count)| count).sum(),
    })
}

fn foreign_owners(
    leases: &[Lease],
    ours: &[String],
    now: Timestamp,
    expiration: Duration,
) -> Vec<(String, u64)> {
    let mut owners: Vec<(String, u64)> = Vec::new();
    for lease in leases.iter().filter(|lease| !lease.is_expired(now, expiration)) {
        let Some(owner) = lease.owner().filter(|owner| !ours.iter().any(|name| name == owner)) else {
            continue;
        };
        let age =
            lease.heartbeat().map_or(0, |beat| now.duration_since(beat).as_secs().try_into().unwrap_or(0));
        match owners.iter_mut().find(|(name, _)| name == owner) {
            Some((_, youngest)) => *youngest = age.min(*youngest),
            None => owners.push((owner.to_owned(), age)),
        }
    }
    owners
}

/// Deletes exactly these ids; what is gone already is fine.
///
/// # Errors
/// The lease container refuses; some may have been deleted.
pub async fn delete_leases(store: &LeaseStore, ids: &[String]) -> Result<(), CosmosError> {
    for id in ids {
        store.delete_by_id(id).await?;
    }
    Ok(())
}

/// Sends exactly these leases (by id or token) back to where the start position says, and frees
/// them. `Err` names one that is not there; then nothing was changed.
///
/// # Errors
/// The lease container cannot be read or refuses.
pub async fn reset_leases(
    store: &LeaseStore,
    prefix: &LeasePrefix,
    only: &[String],
    from_beginning: bool,
) -> Result<Result<usize, String>, CosmosError> {
    let leases = store.list(prefix).await?;
    let is = |lease: &Lease, name: &String| lease.id() == name || lease.token() == name;
    if let Some(unknown) = only.iter().find(|name| !leases.iter().any(|lease| is(lease, name))) {
        return Ok(Err(unknown.clone()));
    }
    let mut reset = 0;
    for mut lease in leases.into_iter().filter(|lease| only.iter().any(|name| is(lease, name))) {
        lease.set_continuation(None);
        lease.set_owner(None);
        if from_beginning {
            lease.mark_from_beginning();
        }
        store.replace(&mut lease).await?;
        reset += 1;
    }
    Ok(Ok(reset))
}
