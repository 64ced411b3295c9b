//! A lease store and a feed in memory, for simulations on tokio's paused clock. Each call takes some simulated
//! milliseconds, different from call to call but the same from run to run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use syncscope::cosmos::{CosmosError, EpkRange, FeedPage, FeedPosition, FeedScope, PhysicalRange};
use syncscope::lease::{Clock, Lease, LeasePrefix, LeaseStorage, Marker};
use syncscope::processor::FeedSource;

#[derive(Debug, Default)]
struct Jitter(AtomicU64);

impl Jitter {
    async fn pass(&self) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        tokio::time::sleep(Duration::from_millis(1 + (n >> 60))).await;
    }
}

/// Leases and markers by id, with etags that change at each write.
#[derive(Debug)]
pub(super) struct MemoryLeases {
    leases: Mutex<BTreeMap<String, Lease>>,
    markers: Mutex<BTreeMap<String, Marker>>,
    writes: AtomicU64,
    pub(super) lists: AtomicU64,
    pub(super) requests: AtomicU64,
    jitter: Jitter,
    clock: Clock,
}

impl MemoryLeases {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            leases: Mutex::default(),
            markers: Mutex::default(),
            writes: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            jitter: Jitter::default(),
            clock,
        }
    }

    pub(super) fn all(&self) -> Vec<Lease> {
        self.leases.lock().unwrap().values().cloned().collect()
    }

    /// Leases of each owner.
    pub(super) fn shares(&self) -> BTreeMap<String, usize> {
        let mut shares = BTreeMap::new();
        for lease in self.all() {
            if let Some(owner) = lease.owner() {
                *shares.entry(owner.to_owned()).or_default() += 1;
            }
        }
        shares
    }

    /// Writes as somebody who does not ask: a foreign processor.
    pub(super) fn put(&self, mut lease: Lease) {
        lease.set_etag(&self.etag());
        self.leases.lock().unwrap().insert(lease.id().to_owned(), lease);
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.writes.fetch_add(1, Ordering::Relaxed))
    }

    async fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.jitter.pass().await;
    }
}

impl LeaseStorage for MemoryLeases {
    async fn list(&self, prefix: &LeasePrefix) -> Result<Vec<Lease>, CosmosError> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.request().await;
        Ok(self.all().into_iter().filter(|l| l.id().starts_with(&prefix.leases())).collect())
    }

    async fn read(&self, lease: &Lease) -> Result<Option<Lease>, CosmosError> {
        self.request().await;
        Ok(self.leases.lock().unwrap().get(lease.id()).cloned())
    }

    async fn create(&self, lease: &mut Lease) -> Result<(), CosmosError> {
        self.request().await;
        lease.set_etag(&self.etag());
        let mut leases = self.leases.lock().unwrap();
        if leases.contains_key(lease.id()) {
            return Err(CosmosError::Conflict(lease.id().into()));
        }
        leases.insert(lease.id().into(), lease.clone());
        Ok(())
    }

    async fn replace(&self, lease: &mut Lease) -> Result<(), CosmosError> {
        self.request().await;
        let etag = self.etag();
        let mut leases = self.leases.lock().unwrap();
        let Some(stored) = leases.get_mut(lease.id()) else {
            return Err(CosmosError::NotFound(lease.id().into()));
        };
        if stored.etag() != lease.etag() {
            return Err(CosmosError::PreconditionFailed(lease.id().into()));
        }
        lease.set_etag(&etag);
        *stored = lease.clone();
        Ok(())
    }

    async fn delete(&self, lease: &Lease) -> Result<(), CosmosError> {
        self.request().await;
        let gone = self.leases.lock().unwrap().remove(lease.id());
        gone.map(|_| ()).ok_or_else(|| CosmosError::NotFound(lease.id().into()))
    }

    async fn marker(&self, id: &str) -> Result<Option<Marker>, CosmosError> {
        self.request().await;
        Ok(self.markers.lock().unwrap().get(id).cloned())
    }

    async fn create_marker(&self, id: &str, ttl: Option<i64>) -> Result<String, CosmosError> {
        self.request().await;
        let etag = self.etag();
        let mut markers = self.markers.lock().unwrap();
        if markers.contains_key(id) {
            return Err(CosmosError::Conflict(id.into()));
        }
        let ts = self.clock.now().as_second();
        markers.insert(id.into(), Marker { etag: etag.clone(), ts, ttl });
        Ok(etag)
    }

    async fn delete_marker(&self, id: &str, etag: &str) -> Result<(), CosmosError> {
        self.request().await;
        let mut markers = self.markers.lock().unwrap();
        match markers.get(id) {
            None => Err(CosmosError::NotFound(id.into())),
            Some(marker) if marker.etag != etag => Err(CosmosError::PreconditionFailed(id.into())),
            Some(_) => {
                markers.remove(id);
                Ok(())
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Stored {
    lsn: u64,
    id: String,
    version: u64,
}

#[derive(Debug, Default)]
struct Partition {
    lsn: u64,
    /// Latest version of each document, in the order of its last change.
    log: Vec<Stored>,
}

/// A container of `n` equal ranges; documents are put into a range by number.
#[derive(Debug, Clone)]
pub(super) struct MemoryFeed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ranges: Vec<PhysicalRange>,
    partitions: Vec<Mutex<Partition>>,
    jitter: Jitter,
}

impl MemoryFeed {
    pub(super) fn new(ranges: u32) -> Self {
        let bound = |i: u32| match i {
            0 => String::new(),
            i if i == ranges => "FF".to_owned(),
            i => format!("{:08X}", (u64::from(i) << 30) / u64::from(ranges)),
        };
        let physical = (0..ranges)
            .map(|i| PhysicalRange {
                id: i.to_string(),
                parents: Vec::new(),
                range: EpkRange::new(bound(i), bound(i + 1)),
            })
            .collect();
        Self(Arc::new(Inner {
            ranges: physical,
            partitions: (0..ranges).map(|_| Mutex::default()).collect(),
            jitter: Jitter::default(),
        }))
    }

    /// Writes a new version of document `n`.
    pub(super) fn write(&self, n: usize) {
        let id = format!("d-{n}");
        let mut partition = self.0.partitions[n % self.0.partitions.len()].lock().unwrap();
        partition.lsn += 1;
        let lsn = partition.lsn;
        let before = partition.log.iter().position(|s| s.id == id).map(|at| partition.log.remove(at));
        let version = before.map_or(1, |s| s.version + 1);
        partition.log.push(Stored { lsn, id, version });
    }

    /// Version of each document.
    pub(super) fn latest(&self) -> BTreeMap<String, u64> {
        let all = self.0.partitions.iter().flat_map(|p| p.lock().unwrap().log.clone());
        all.map(|s| (s.id, s.version)).collect()
    }
}

impl FeedSource for MemoryFeed {
    async fn feed_page(
        &self,
        scope: &FeedScope,
        from: &FeedPosition,
        max_items: Option<u32>,
    ) -> Result<FeedPage, CosmosError> {
        self.0.jitter.pass().await;
        let at = self.0.ranges.iter().position(|r| match scope {
            FeedScope::Range(range) => r.range == *range,
            FeedScope::PartitionKeyRange(id) => r.id == *id,
        });
        let partition = self.0.partitions[at.expect("leases are of physical ranges")].lock().unwrap();
        let after: u64 = match from {
            FeedPosition::Beginning => 0,
            FeedPosition::Continuation(etag) => etag.trim_matches('"').parse().unwrap(),
            FeedPosition::Now | FeedPosition::After(_) => partition.lsn,
        };
        let limit = max_items.unwrap_or(100) as usize;
        let new: Vec<_> = partition.log.iter().filter(|s| s.lsn > after).take(limit).collect();
        let Some(last) = new.last() else {
            return Ok(FeedPage::nothing_new(Some(format!("\"{}\"", after.max(partition.lsn)))));
        };
        let etag = format!("\"{}\"", last.lsn);
        let documents: Vec<_> =
            new.iter().map(|s| json!({ "id": s.id, "version": s.version, "_lsn": s.lsn })).collect();
        let body = json!({ "_rid": "x", "Documents": documents, "_count": documents.len() });
        FeedPage::from_body(Bytes::from(body.to_string()), Some(etag))
    }

    async fn feed_ranges(&self, _refresh: bool) -> Result<Vec<PhysicalRange>, CosmosError> {
        self.0.jitter.pass().await;
        Ok(self.0.ranges.clone())
    }
}
