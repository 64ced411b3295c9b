//! Where the processor's leases stand: the evidence whether a document was delivered.

use jiff::Timestamp;

use crate::cosmos::{CosmosError, EpkRange, PhysicalRange};
use crate::lease::{Lease, LeaseStorage};

use super::Verifier;

/// Leases at one moment.
#[derive(Debug, Default)]
pub(super) struct Positions {
    leases: Vec<Position>,
}

#[derive(Debug)]
struct Position {
    range: EpkRange,
    standing: Standing,
}

/// How far the lease of a range is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// Stored position as an LSN, where it is one.
    pub(super) lsn: Option<u64>,
    /// Who owns it.
    pub(super) owner: Option<String>,
    /// The owner has written a heartbeat lately.
    pub(super) alive: bool,
    /// Age of the heartbeat in seconds.
    pub(super) age: Option<i64>,
}

impl Verifier {
    /// Reads the leases now.
    pub(super) async fn positions(&self) -> Result<Positions, CosmosError> {
        let Some((store, prefix)) = &self.leases else { return Ok(Positions::default()) };
        let leases = store.list(prefix).await?;
        let ranges = self.source.feed_ranges(false).await?;
        let now = Timestamp::now();
        Ok(Positions {
            leases: leases
                .iter()
                .filter_map(|lease| {
                    Some(Position {
                        range: range_of(lease, &ranges)?,
                        standing: Standing {
                            lsn: lease.position_text().and_then(|text| text.parse().ok()),
                            owner: lease.owner().map(str::to_owned),
                            alive: !lease.is_expired(now, self.expiration),
                            age: lease.heartbeat().map(|beat| now.duration_since(beat).as_secs()),
                        },
                    })
                })
                .collect(),
        })
    }
}

/// The range of a lease; old leases name a physical range by its id.
pub fn range_of(lease: &Lease, ranges: &[PhysicalRange]) -> Option<EpkRange> {
    lease
        .range()
        .cloned()
        .or_else(|| ranges.iter().find(|range| range.id == lease.token()).map(|range| range.range.clone()))
}

impl Positions {
    /// The standing over a range: of several leases, the one that is farthest behind.
    pub(super) fn of(&self, range: &EpkRange) -> Option<&Standing> {
        self.leases
            .iter()
            .filter(|lease| lease.range.overlaps(range))
            .map(|lease| &lease.standing)
            .min_by_key(|standing| standing.lsn)
    }
}
