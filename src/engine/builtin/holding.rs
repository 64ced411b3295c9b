//! What our instances hold together. Each tells its own at its own time: one takes a lease before the other has
//! noticed that it lost it, and after a split there are more leases than the last listing had.

use std::collections::HashMap;

use crate::processor::ProcessorStatus;

/// Leases of all our instances, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Holding {
    /// Owned by one of ours.
    pub(super) owned: usize,
    /// Of them, those whose position is known.
    pub(super) placed: usize,
    /// Leases of the prefix: never fewer than are owned.
    pub(super) leases: usize,
}

impl Holding {
    /// Of these instances.
    pub(super) fn of<'a>(statuses: impl IntoIterator<Item = &'a ProcessorStatus>) -> Self {
        let mut placed: HashMap<&str, bool> = HashMap::new();
        let mut listed = 0;
        for status in statuses {
            listed = listed.max(status.total_leases);
            for worker in &status.leases {
                *placed.entry(&worker.lease_id).or_default() |= worker.continuation.is_some();
            }
        }
        let owned = placed.len();
        Self { owned, placed: placed.values().filter(|placed| **placed).count(), leases: listed.max(owned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosmos::EpkRange;
    use crate::processor::WorkerStatus;

    fn status(ids: &[&str], total_leases: usize) -> ProcessorStatus {
        let worker = |id: &&str| WorkerStatus {
            lease_id: (*id).to_owned(),
            range: EpkRange::full(),
            continuation: (*id != "new").then(|| "1".to_owned()),
            checkpointed: None,
            at_end: false,
            drained: false,
            delivered: 0,
            problem: None,
        };
        ProcessorStatus {
            total_leases,
            leases: ids.iter().map(worker).collect(),
            ..ProcessorStatus::default()
        }
    }

    #[test]
    fn a_lease_on_its_way_from_one_instance_to_the_other_counts_once() {
        let (giver, taker) = (status(&["a", "b", "c"], 4), status(&["c", "d"], 4));
        assert_eq!(Holding::of([&giver, &taker]), Holding { owned: 4, placed: 4, leases: 4 });
    }

    #[test]
    fn after_a_split_there_are_as_many_leases_as_are_held() {
        // The listing is older than the children.
        let split = status(&["a", "b", "c-1", "c-2", "new"], 3);
        assert_eq!(Holding::of([&split]), Holding { owned: 5, placed: 4, leases: 5 });
        assert_eq!(Holding::of([]), Holding::default());
    }
}
