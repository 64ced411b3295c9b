//! The proof that a sync has caught up: what was in the source when it was asked for has been passed
//! by the stored position of every lease, whoever owns it, and where we write markers, these have come
//! out in the cache. Holds under traffic that never pauses.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cache::CacheClient;
use crate::cosmos::{Container, CosmosError, EpkRange, FeedPosition, FeedScope};
use crate::lease::{LeasePrefix, LeaseStorage, LeaseStore};
use crate::processor::WorkerStatus;
use crate::sync::verify::range_of;
use crate::sync::{Marker, arrived, is_there, remove_markers, write_markers};

use super::Shared;
use super::event::{ProofKind, ProofStatus};
use super::observe::leases::prefix;
use super::source::Source;

/// Between two looks at cache and leases.
const LOOK: Duration = Duration::from_millis(200);
/// A marker that its lease has passed, and that has not come out after so long, will not come.
const PATIENCE: Duration = Duration::from_secs(3);

/// What has to be passed, and by which leases it was.
#[derive(Debug, Default)]
pub(super) struct Proof {
    kind: ProofKind,
    targets: Targets,
    passed: HashSet<String>,
    markers: Vec<Marker>,
    written_to: Option<Container>,
    seen: Option<watch::Receiver<Seen>>,
    /// Ends with this.
    witness: JoinSet<()>,
}

/// Where each range stood.
#[derive(Debug, Clone, Default)]
struct Targets(Vec<(EpkRange, Option<u64>)>);

/// What a look at cache and lease documents has brought.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// Markers that have come out in the cache.
    arrived: usize,
    /// Markers that have not, although their leases have passed them.
    lost: usize,
    /// Leases of the prefix that have stored a position behind the target.
    passed: HashSet<String>,
    leases: usize,
}

impl Proof {
    /// Notes where every range of the source stands now; writes and moves nothing.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(super) async fn by_lsns(source: &Container, reason: String) -> Result<Self, CosmosError> {
        let mut targets = Vec::new();
        for range in source.feed_ranges(true).await? {
            let scope = FeedScope::Range(range.range.clone());
            let page = source.feed_page(&scope, &FeedPosition::Now, Some(1)).await?;
            targets.push((range.range, page.session_lsn));
        }
        Ok(Self { kind: ProofKind::Lsns { reason }, targets: Targets(targets), ..Self::default() })
    }

    /// Writes a marker into every range of the source.
    ///
    /// # Errors
    /// The source cannot be read, or refuses.
    pub(super) async fn by_markers(source: &Container, prefix: &LeasePrefix) -> Result<Self, CosmosError> {
        let markers = write_markers(source, &prefix.info_id()).await?;
        let targets = markers.iter().map(|marker| (marker.range.clone(), marker.lsn)).collect();
        Ok(Self {
            kind: ProofKind::Markers,
            targets: Targets(targets),
            markers,
            written_to: Some(source.clone()),
            ..Self::default()
        })
    }

    /// Looks at cache and lease documents from now on, until this is dropped: for leases that are
    /// not ours, and for the markers.
    pub(super) fn observe(&mut self, shared: &Arc<Shared>, source: &Source, leases: &Container) {
        let Ok(store) = LeaseStore::new(leases.clone()) else { return };
        let (out, seen) = watch::channel(Seen::default());
        let witness = Witness {
            shared: Arc::clone(shared),
            source: source.monitored.clone(),
            leases: store,
            prefix: prefix(shared, source),
            targets: self.targets.clone(),
            cache: None,
            markers: self.markers.clone(),
            standing: vec![Standing::default(); self.markers.len()],
        };
        self.seen = Some(seen);
        self.witness.spawn(witness.run(out));
    }

    /// How many of the prefix's leases have passed, and whether everything is proven. `workers` are
    /// our own; once a lease of theirs has passed, it stays so.
    pub(super) fn look<'w>(
        &mut self,
        workers: impl Iterator<Item = &'w WorkerStatus>,
        leases: usize,
    ) -> bool {
        let seen = self.seen.as_ref().map(|seen| seen.borrow().clone()).unwrap_or_default();
        let mut passed = seen.passed;
        for worker in workers {
            if self.has_passed(worker) {
                passed.insert(worker.lease_id.clone());
            }
        }
        let leases = leases.max(seen.leases);
        leases > 0 && passed.len() >= leases && seen.arrived + seen.lost >= self.markers.len()
    }

    /// Whether this worker's lease has stored a position at or behind the target, or was seen with
    /// nothing left to read.
    fn has_passed(&mut self, worker: &WorkerStatus) -> bool {
        let stored = || worker.checkpointed.as_deref().and_then(lsn_of);
        if !self.passed.contains(&worker.lease_id)
            && (worker.drained || self.targets.are_passed(&worker.range, stored()))
        {
            self.passed.insert(worker.lease_id.clone());
        }
        self.passed.contains(&worker.lease_id)
    }

    /// For the screen and the command line.
    pub(super) fn status(&self, leases: usize) -> ProofStatus {
        let seen = self.seen.as_ref().map(|seen| seen.borrow().clone()).unwrap_or_default();
        let passed = self.passed.union(&seen.passed).count();
        let leases = leases.max(seen.leases);
        ProofStatus {
            kind: self.kind.clone(),
            ranges: self.targets.0.len(),
            arrived: if self.markers.is_empty() { passed.min(self.targets.0.len()) } else { seen.arrived },
            passed: passed.min(leases),
            leases,
        }
    }

    /// Whether there are markers in the source.
    pub(super) fn has_markers(&self) -> bool {
        self.written_to.is_some()
    }

    /// Markers written.
    pub(super) fn markers(&self) -> usize {
        self.markers.len()
    }

    /// Markers that never came out in the cache although their leases have passed them.
    pub(super) fn lost(&self) -> usize {
        self.seen.as_ref().map_or(0, |seen| seen.borrow().lost)
    }

    /// Removes the markers from cache and source; what cannot be removed is left to a later run.
    ///
    /// # Errors
    /// In words, what was left.
    pub(super) async fn remove_markers(&mut self, shared: &Shared) -> Result<(), String> {
        let Some(source) = self.written_to.take() else { return Ok(()) };
        let cache =
            CacheClient::connect(&shared.settings.redis).await.map_err(|error| error.with_remedy())?;
        remove_markers(&source, &cache, &shared.mapping, &self.markers).await
    }
}

impl Targets {
    /// Whether a position is behind every target of the range.
    fn are_passed(&self, range: &EpkRange, stored: Option<u64>) -> bool {
        let mut of_range = self.0.iter().filter(|(target, _)| target.overlaps(range)).peekable();
        // Positions and targets that are no plain LSNs prove nothing.
        of_range.peek().is_some()
            && of_range
                .all(|(_, target)| stored.zip(*target).is_some_and(|(stored, target)| stored >= target))
    }
}

fn lsn_of(etag: &str) -> Option<u64> {
    etag.trim_matches('"').parse().ok()
}

/// Whether all leases over a range have passed.
fn is_passed(range: &EpkRange, leases: &[(EpkRange, bool)]) -> bool {
    let mut over = leases.iter().filter(|(other, _)| other.overlaps(range)).peekable();
    over.peek().is_some() && over.all(|(_, passed)| *passed)
}

/// Looks at cache and lease documents.
struct Witness {
    shared: Arc<Shared>,
    source: Container,
    leases: LeaseStore,
    prefix: LeasePrefix,
    targets: Targets,
    cache: Option<CacheClient>,
    markers: Vec<Marker>,
    /// Of each marker.
    standing: Vec<Standing>,
}

/// How a marker stands.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    /// It has come out.
    arrived: bool,
    /// When its leases were seen behind it first.
    passed: Option<Instant>,
}

impl Witness {
    /// What is away is looked at again: the sync itself tells what is wrong.
    async fn run(mut self, out: watch::Sender<Seen>) {
        loop {
            self.look_at_cache().await;
            if let Some((passed, leases)) = self.look_at_leases().await {
                let is_lost = |one: &&Standing| {
                    !one.arrived && one.passed.is_some_and(|since| since.elapsed() >= PATIENCE)
                };
                out.send_replace(Seen {
                    arrived: self.standing.iter().filter(|one| one.arrived).count(),
                    lost: self.standing.iter().filter(is_lost).count(),
                    passed,
                    leases,
                });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look_at_cache(&mut self) {
        if self.standing.iter().all(|one| one.arrived) {
            return;
        }
        if self.cache.is_none() {
            self.cache = CacheClient::connect(&self.shared.settings.redis).await.ok();
        }
        let Some(cache) = &self.cache else { return };
        if let Ok(found) = arrived(cache, &self.shared.mapping, &self.markers).await {
            for (one, found) in self.standing.iter_mut().zip(found) {
                one.arrived |= found;
            }
        }
    }

    /// Ids of the leases that have passed, and how many leases there are.
    async fn look_at_leases(&mut self) -> Option<(HashSet<String>, usize)> {
        let leases = self.leases.list(&self.prefix).await.ok()?;
        let ranges = self.source.feed_ranges(false).await.ok()?;
        let found: Vec<(EpkRange, bool)> = leases
            .iter()
            .map(|lease| {
                let range = range_of(lease, &ranges).unwrap_or_else(EpkRange::full);
                let stored = lease.position_text().and_then(|text| text.parse().ok());
                let passed = self.targets.are_passed(&range, stored);
                (range, passed)
            })
            .collect();
        for (marker, one) in self.markers.iter().zip(&mut self.standing) {
            if one.arrived || !is_passed(&marker.range, &found) {
                continue;
            }
            let since = one.passed.get_or_insert_with(Instant::now);
            // Removed by somebody before it was delivered: then its LSN alone has to do.
            if since.elapsed() >= PATIENCE / 2 && matches!(is_there(&self.source, marker).await, Ok(false)) {
                one.arrived = true;
            }
        }
        let passed = leases.iter().zip(&found).filter(|(_, (_, passed))| *passed);
        Some((passed.map(|(lease, _)| lease.id().to_owned()).collect(), leases.len()))
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

    fn proof(target: Option<u64>) -> Proof {
        Proof { targets: Targets(vec![(EpkRange::new("", "20"), target)]), ..Proof::default() }
    }

    #[test]
    fn the_stored_position_must_have_passed_the_target() {
        let mut proof = proof(Some(10));
        let mut look = |worker: WorkerStatus| proof.look([&worker].into_iter(), 1);
        assert!(!look(worker(None, false)));
        assert!(!look(worker(Some("\"9\""), false)));
        assert!(look(worker(Some("\"10\""), false)));
        assert!(look(worker(None, false)), "stays true");
        assert!(!proof.look([].into_iter(), 1), "a lease that is nobody's has not passed");
    }

    #[test]
    fn without_plain_numbers_only_a_drained_lease_counts() {
        let mut proof = proof(None);
        assert!(!proof.has_passed(&worker(Some("\"99\""), false)));
        assert!(!proof.has_passed(&worker(Some("opaque"), false)));
        assert!(proof.has_passed(&worker(Some("opaque"), true)));
        assert!(!Proof::default().has_passed(&worker(Some("\"99\""), false)));
    }

    #[test]
    fn leases_of_others_count_by_their_documents_and_markers_must_come_out() {
        let mut proof = proof(Some(10));
        let marker = Seen { passed: ["l".to_owned()].into(), leases: 1, ..Seen::default() };
        let (out, seen) = watch::channel(marker.clone());
        proof.seen = Some(seen);
        assert!(proof.look([].into_iter(), 0));
        out.send_replace(Seen { leases: 2, ..marker });
        assert!(!proof.look([].into_iter(), 0));
    }
}
