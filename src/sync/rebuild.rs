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
    /// Owners with a live heartbeat that are not ours.
    pub foreign_owners: Vec<LeaseOwner>,
    /// Leases of other prefixes in the same container; they stay.
    pub other_leases: usize,
    /// How many other prefixes there are.
    pub other_prefixes: usize,
}

/// A live owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseOwner {
    /// As it stands in the leases' `Owner`.
    pub name: String,
    /// How many leases of the prefix it has.
    pub leases: usize,
    /// Age of its youngest heartbeat in seconds.
    pub heartbeat_age: u64,
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
    let others: Vec<usize> =
        others.iter().filter(|(other, _)| other != prefix).map(|(_, count)| *count).collect();
    Ok(LeasesToDelete {
        ids,
        leases: leases.len(),
        foreign_owners: foreign_owners(&leases, ours, now, expiration),
        other_leases: others.iter().sum(),
        other_prefixes: others.len(),
    })
}

fn foreign_owners(
    leases: &[Lease],
    ours: &[String],
    now: Timestamp,
    expiration: Duration,
) -> Vec<LeaseOwner> {
    let mut owners: Vec<LeaseOwner> = Vec::new();
    for lease in leases.iter().filter(|lease| !lease.is_expired(now, expiration)) {
        let Some(name) = lease.owner().filter(|owner| !ours.iter().any(|name| name == owner)) else {
            continue;
        };
        let heartbeat_age =
            lease.heartbeat().map_or(0, |beat| now.duration_since(beat).as_secs().try_into().unwrap_or(0));
        match owners.iter_mut().find(|owner| owner.name == name) {
            Some(owner) => {
                owner.leases += 1;
                owner.heartbeat_age = heartbeat_age.min(owner.heartbeat_age);
            }
            None => owners.push(LeaseOwner { name: name.to_owned(), leases: 1, heartbeat_age }),
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

/// Ids of these leases (given by id or token). `Err` names one that is not there.
///
/// # Errors
/// The lease container cannot be read.
pub async fn leases_named(
    store: &LeaseStore,
    prefix: &LeasePrefix,
    only: &[String],
) -> Result<Result<Vec<String>, String>, CosmosError> {
    let leases = store.list(prefix).await?;
    if let Some(unknown) = only.iter().find(|name| !leases.iter().any(|lease| goes_by(lease, name))) {
        return Ok(Err(unknown.clone()));
    }
    let named = leases.iter().filter(|lease| only.iter().any(|name| goes_by(lease, name)));
    Ok(Ok(named.map(|lease| lease.id().to_owned()).collect()))
}

fn goes_by(lease: &Lease, name: &str) -> bool {
    lease.id() == name || lease.token() == name
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
    if let Some(unknown) = only.iter().find(|name| !leases.iter().any(|lease| goes_by(lease, name))) {
        return Ok(Err(unknown.clone()));
    }
    let mut reset = 0;
    for mut lease in leases.into_iter().filter(|lease| only.iter().any(|name| goes_by(lease, name))) {
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
