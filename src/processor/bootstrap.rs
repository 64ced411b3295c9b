//! Makes the leases of a prefix exactly once, however many instances start at the same time.
//! (.NET: Bootstrapping/BootstrapperCore.cs, PartitionSynchronizerCore.cs)

use std::time::Duration;

use crate::cosmos::{CosmosError, EpkRange, PhysicalRange};
use crate::lease::{Lease, LeaseKind, LeaseStorage};

use super::context::Context;
use super::{FeedSource, ProcessorError};

/// Seconds after which the lock of a dead instance is void; .NET's number.
const LOCK_TTL: i64 = 30;
/// How often to look whether the instance that holds the lock is through.
const LOCK_WAIT: Duration = Duration::from_millis(500);

/// Refuses leases that we would damage.
pub(super) fn check(prefix: &str, leases: &[Lease]) -> Result<(), ProcessorError> {
    let java = leases.iter().filter(|l| !l.kind().is_ours_to_run()).count();
    if java > 0 {
        return Err(ProcessorError::JavaLeases { prefix: prefix.to_owned(), count: java });
    }
    if leases.iter().any(|l| !l.is_incremental()) {
        return Err(ProcessorError::OtherMode { prefix: prefix.to_owned() });
    }
    Ok(())
}

/// Waits for the marker or makes the leases and the marker; gives the ids of the leases that were made here.
/// `again` = the leases had been there before: the new ones read from the beginning, whatever the options say,
/// since nobody knows how far the lost ones were.
pub(super) async fn bootstrap<S: FeedSource, L: LeaseStorage, H>(
    context: &Context<S, L, H>,
    again: bool,
) -> Result<Vec<String>, CosmosError> {
    let storage = context.updater.storage();
    let prefix = &context.prefix;
    let (info, lock) = (prefix.info_id(), prefix.lock_id());
    loop {
        if storage.marker(&info).await?.is_some() {
            return Ok(Vec::new());
        }
        match storage.create_marker(&lock, Some(LOCK_TTL)).await {
            Ok(etag) => {
                let made = make(context, &info, again).await;
                // Ours or expired and replaced: only ours goes. The result does not matter, it expires.
                let _ = storage.delete_marker(&lock, &etag).await;
                return made;
            }
            Err(CosmosError::Conflict(_)) => {
                // The store expires the lock only if its container has a TTL setting.
                if let Some(marker) = storage.marker(&lock).await?
                    && marker.ts + marker.ttl.unwrap_or(LOCK_TTL) < context.options.clock.now().as_second()
                {
                    match storage.delete_marker(&lock, &marker.etag).await {
                        Ok(()) | Err(CosmosError::NotFound(_) | CosmosError::PreconditionFailed(_)) => {
                            continue;
                        }
                        Err(e) => return Err(e),
                    }
                }
                tokio::time::sleep(LOCK_WAIT).await;
            }
            Err(e) => return Err(e),
        }
    }
}

async fn make<S: FeedSource, L: LeaseStorage, H>(
    context: &Context<S, L, H>,
    info: &str,
    again: bool,
) -> Result<Vec<String>, CosmosError> {
    let made = create_missing(context, again).await?;
    match context.updater.storage().create_marker(info, None).await {
        Ok(_) | Err(CosmosError::Conflict(_)) => Ok(made),
        Err(e) => Err(e),
    }
}

/// Creates the leases of physical ranges that no lease covers.
pub(super) async fn create_missing<S: FeedSource, L: LeaseStorage, H>(
    context: &Context<S, L, H>,
    again: bool,
) -> Result<Vec<String>, CosmosError> {
    let ranges = context.source.feed_ranges(true).await?;
    let leases = context.updater.storage().list(&context.prefix).await?;
    let mut made = Vec::new();
    for mut lease in missing(context.options.version_0, &context.prefix, &ranges, &leases) {
        if again {
            lease.mark_from_beginning();
        }
        match context.updater.storage().create(&mut lease).await {
            Ok(()) => made.push(lease.id().to_owned()),
            Err(CosmosError::Conflict(_)) => {} // somebody else made it
            Err(e) => return Err(e),
        }
    }
    Ok(made)
}

/// Leases for what is not covered yet: whole physical ranges where nothing of them is covered (so that .NET's rule
/// for missing leases skips them), else the uncovered parts.
fn missing(
    version_0: bool,
    prefix: &crate::lease::LeasePrefix,
    ranges: &[PhysicalRange],
    leases: &[Lease],
) -> Vec<Lease> {
    let covered = covered(ranges, leases);
    let mut new = Vec::new();
    for physical in ranges {
        for hole in holes(&physical.range, &covered) {
            if version_0 && hole == physical.range {
                new.push(Lease::new_by_range_id(prefix, physical, None));
            } else {
                new.push(Lease::new_epk(prefix, &hole, None));
            }
        }
    }
    new
}

/// Whether some part of the key space has no lease.
pub(super) fn has_hole(ranges: &[PhysicalRange], leases: &[Lease]) -> bool {
    let covered = covered(ranges, leases);
    ranges.iter().any(|r| !holes(&r.range, &covered).is_empty())
}

/// What the leases cover. One by range id covers its stored range; without one that of the physical range, or of
/// its children where it is gone.
fn covered(ranges: &[PhysicalRange], leases: &[Lease]) -> Vec<EpkRange> {
    let mut covered = Vec::new();
    for lease in leases {
        let by_id = lease.kind().is_by_range_id() || lease.kind() == LeaseKind::Legacy;
        if let Some(range) = lease.range() {
            covered.push(range.clone());
        } else if by_id {
            let of =
                |r: &&PhysicalRange| r.id == lease.token() || r.parents.iter().any(|p| p == lease.token());
            covered.extend(ranges.iter().filter(of).map(|r| r.range.clone()));
        }
    }
    covered.sort();
    covered
}

/// The parts of `range` that none of `covered` (in order) holds.
fn holes(range: &EpkRange, covered: &[EpkRange]) -> Vec<EpkRange> {
    let mut from = range.min.clone();
    let mut holes = Vec::new();
    for part in covered.iter().filter(|c| c.overlaps(range)) {
        if part.min > from {
            holes.push(EpkRange::new(from, part.min.clone()));
        }
        from = part.max.clone().max(range.min.clone());
        if from >= range.max {
            return holes;
        }
    }
    if from < range.max {
        holes.push(EpkRange::new(from, range.max.clone()));
    }
    holes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::LeasePrefix;

    fn physical(id: &str, min: &str, max: &str, parents: &[&str]) -> PhysicalRange {
        PhysicalRange {
            id: id.into(),
            parents: parents.iter().map(ToString::to_string).collect(),
            range: EpkRange::new(min, max),
        }
    }

    #[test]
    fn only_what_no_lease_covers_gets_one() {
        let prefix = LeasePrefix::from_raw("x");
        let ranges = [
            physical("1", "", "10", &["0"]),
            physical("2", "10", "20", &["0"]),
            physical("3", "20", "FF", &[]),
        ];
        let tokens = |leases: &[Lease]| {
            let new = missing(false, &prefix, &ranges, leases);
            new.iter().map(|l| l.token().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(tokens(&[]), ["-10", "10-20", "20-FF"]);
        let v1 = |min: &str, max: &str| Lease::new_epk(&prefix, &EpkRange::new(min, max), None);
        let v0 = |i: usize| Lease::new_by_range_id(&prefix, &ranges[i], None);
        assert_eq!(tokens(&[v0(0), v1("10", "20")]), ["20-FF"]);
        // a parent that is split but not yet replaced covers its children
        let old = Lease::parse(br#"{"id":"x..0","PartitionId":"0","properties":{}}"#).unwrap();
        assert_eq!(tokens(&[old]), ["20-FF"]);
        assert_eq!(tokens(&[v1("", "08"), v1("0C", "FF")]), ["08-0C"]);
        assert!(tokens(&[v1("", "FF")]).is_empty());
        let ids: Vec<_> =
            missing(true, &prefix, &ranges, &[v0(1)]).iter().map(|l| l.id().to_owned()).collect();
        assert_eq!(ids, ["x..1", "x..3"]);
    }
}
