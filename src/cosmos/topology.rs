//! Physical partitions of a container and how a scope maps on them.

use azure_data_cosmos_driver::models::partition_key_range::PartitionKeyRange;

use super::EpkRange;

/// A physical partition ("partition key range") of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhysicalRange {
    /// Its id, e.g. `0`.
    pub id: String,
    /// Ids of the partitions that it was split or merged from, oldest first.
    pub parents: Vec<String>,
    /// What it serves.
    pub range: EpkRange,
}

impl From<&PartitionKeyRange> for PhysicalRange {
    fn from(range: &PartitionKeyRange) -> Self {
        Self {
            id: range.id.clone(),
            parents: range.parents.clone().unwrap_or_default(),
            range: EpkRange::new(range.min_inclusive.to_hex(), range.max_exclusive.to_hex()),
        }
    }
}

/// The ranges that are alive (not named as a parent by another) and overlap `scope`, in order.
pub(super) fn overlapping(ranges: &[PhysicalRange], scope: &EpkRange) -> Vec<PhysicalRange> {
    let mut found: Vec<_> = ranges.iter().filter(|r| r.range.overlaps(scope)).cloned().collect();
    found.sort_by(|a, b| a.range.min.cmp(&b.range.min));
    found
}
