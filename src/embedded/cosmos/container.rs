//! One container as our layer keeps it beside the inner store: key definition and ranges.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use azure_data_cosmos_driver::models::PartitionKeyDefinition;
use tokio::sync::watch;

use super::budget::Budgets;
use super::feed::ranges::Ranges;

/// A container and everything in it.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) database: String,
    pub(super) id: String,
    pub(super) rid: String,
    /// `dbs/RID/colls/RID/`
    pub(super) link: String,
    pub(super) key: PartitionKeyDefinition,
    /// Request units a second that it was given; 0 = none of its own.
    throughput: AtomicU32,
    /// What its ranges may spend, where throughput is limited.
    pub(super) budgets: Budgets,
    ranges: RwLock<Ranges>,
    news: watch::Sender<()>,
}

impl Container {
    /// A container that the inner store has just created.
    pub(super) fn new(
        database: &str,
        id: &str,
        rid: &str,
        link: &str,
        key: PartitionKeyDefinition,
        ranges: Ranges,
    ) -> Self {
        Self {
            database: database.to_owned(),
            id: id.to_owned(),
            rid: rid.to_owned(),
            link: link.to_owned(),
            key,
            throughput: AtomicU32::new(0),
            budgets: Budgets::default(),
            ranges: RwLock::new(ranges),
            news: watch::channel(()).0,
        }
    }

    /// The throughput of its own offer, request units a second.
    pub(super) fn offered(&self) -> Option<u32> {
        Some(self.throughput.load(Ordering::Relaxed)).filter(|throughput| *throughput > 0)
    }

    /// Its offer from now on.
    pub(super) fn offer(&self, throughput: Option<u32>) {
        self.throughput.store(throughput.unwrap_or(0), Ordering::Relaxed);
    }

    /// The ranges, to read. Never held across an await.
    pub(super) fn ranges(&self) -> RwLockReadGuard<'_, Ranges> {
        self.ranges.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ranges, to change; whoever waits for news is told when that is done.
    pub(super) fn ranges_mut(&self) -> Changing<'_> {
        let ranges = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        Changing { ranges, _told: Told(&self.news) }
    }

    /// Tells of each write and each change of its ranges.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// The path of a document in it.
    pub(super) fn path<'a>(&'a self, tail: &[&'a str]) -> Vec<&'a str> {
        let mut path = vec!["dbs", self.database.as_str(), "colls", self.id.as_str(), "docs"];
        path.extend_from_slice(tail);
        path
    }
}

/// The ranges while they are changed.
pub(super) struct Changing<'c> {
    ranges: RwLockWriteGuard<'c, Ranges>,
    /// After the guard, so that whoever is told finds the lock free.
    _told: Told<'c>,
}

impl Deref for Changing<'_> {
    type Target = Ranges;

    fn deref(&self) -> &Ranges {
        &self.ranges
    }
}

impl DerefMut for Changing<'_> {
    fn deref_mut(&mut self) -> &mut Ranges {
        &mut self.ranges
    }
}

/// Tells at its end.
struct Told<'c>(&'c watch::Sender<()>);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.send_replace(());
    }
}
