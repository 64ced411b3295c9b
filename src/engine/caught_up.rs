//! The proof that a sync has caught up: the LSN that each range had when it was started has been
//! passed by the stored position of its lease. Holds under traffic that never pauses.

use std::collections::HashSet;

use crate::cosmos::{Container, CosmosError, EpkRange, FeedPosition, FeedScope};
use crate::processor::WorkerStatus;

/// What has to be passed, and by which leases it was.
#[derive(Debug, Default)]
pub(super) struct CaughtUp {
    targets: Vec<(EpkRange, Option<u64>)>,
    passed: HashSet<String>,
}

impl CaughtUp {
    /// Notes where every range of the source stands now; moves nothing.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(super) async fn asked_now(source: &Container) -> Result<Self, CosmosError> {
        let mut targets = Vec::new();
        for range in source.feed_ranges(true).await? {
            let scope = FeedScope::Range(range.range.clone());
            let page = source.feed_page(&scope, &FeedPosition::Now, Some(1)).await?;
            targets.push((range.range, page.session_lsn));
        }
        Ok(Self { targets, passed: HashSet::new() })
    }

    /// Whether this worker's lease has stored a position at or behind the target, or was seen with
    /// nothing left to read. Once true it stays true.
    pub(super) fn has_passed(&mut self, worker: &WorkerStatus) -> bool {
        if !self.passed.contains(&worker.lease_id) && (worker.drained || self.is_behind(worker)) {
            self.passed.insert(worker.lease_id.clone());
        }
        self.passed.contains(&worker.lease_id)
    }

    fn is_behind(&self, worker: &WorkerStatus) -> bool {
        let stored =
            worker.checkpointed.as_deref().and_then(|etag| etag.trim_matches('"').parse::<u64>().ok());
        let mut of_range = self.targets.iter().filter(|(range, _)| range.overlaps(&worker.range)).peekable();
        // Positions and targets that are no plain LSNs prove nothing.
        of_range.peek().is_some()
            && of_range
                .all(|(_, target)| stored.zip(*target).is_some_and(|(stored, target)| stored >= target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(stored: Option<&str>, drained: bool) -> WorkerStatus {
        WorkerStatus {
            lease_id: "l".into(),
            range: EpkRange::new("", "10"),
            continuation: None,
            checkpointed: stored.map(str::to_owned),
            at_end: drained,
            drained,
            delivered: 0,
            problem: None,
        }
    }

    fn proof(target: Option<u64>) -> CaughtUp {
        CaughtUp { targets: vec![(EpkRange::new("", "20"), target)], passed: HashSet::new() }
    }

    #[test]
    fn the_stored_position_must_have_passed_the_target() {
        let mut proof = proof(Some(10));
        assert!(!proof.has_passed(&worker(None, false)));
        assert!(!proof.has_passed(&worker(Some("\"9\""), false)));
        assert!(proof.has_passed(&worker(Some("\"10\""), false)));
        assert!(proof.has_passed(&worker(None, false)), "stays true");
    }

    #[test]
    fn without_plain_numbers_only_a_drained_lease_counts() {
        let mut proof = proof(None);
        assert!(!proof.has_passed(&worker(Some("\"99\""), false)));
        assert!(!proof.has_passed(&worker(Some("opaque"), false)));
        assert!(proof.has_passed(&worker(Some("opaque"), true)));
        assert!(!CaughtUp::default().has_passed(&worker(Some("\"99\""), false)));
    }
}
