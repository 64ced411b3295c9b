//! What every task of the engine needs: settings, mapping, the way out, and a few shared facts.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::{Settings, StartPosition};
use crate::cosmos::{Container, News};
use crate::embedded::cosmos::Emulator;
use crate::latency::LatencyTracker;
use crate::seed::Template;
use crate::sync::Mapping;

use std::sync::Arc;

use super::history::History;
use super::reporter::Reporter;

/// Most owners of leases remembered.
const OWNERS: usize = 256;

/// Shared by all tasks of one engine.
pub(super) struct Shared {
    pub(super) settings: Arc<Settings>,
    pub(super) mapping: Arc<Mapping>,
    pub(super) report: Reporter,
    pub(super) latency: LatencyTracker,
    pub(super) history: History,
    pub(super) template: Template,
    pub(super) seed: u64,
    pub(super) leases_are_watched: bool,
    /// Tells of writes to the source.
    teller: Option<Arc<Emulator>>,
    facts: Mutex<Facts>,
}

/// Facts that one task finds out and others show.
#[derive(Debug, Default)]
struct Facts {
    instances: Vec<String>,
    lag: Option<u64>,
    delivered: u64,
    changes: Option<u64>,
    product: String,
    partition_key_path: Vec<String>,
    source_is_wanted: bool,
    source_is_new: bool,
    /// Live owners of leases that are not ours, and when each was seen first.
    owners: Vec<(String, Timestamp)>,
}

/// Judged by the target that the settings name.
fn tracker(settings: &Settings) -> LatencyTracker {
    let tracker = LatencyTracker::new();
    match settings.view.slo_ms {
        Some(millis) => tracker.with_target(Duration::from_millis(millis), settings.view.slo_share.as_f64()),
        None => tracker,
    }
}

impl Shared {
    pub(super) fn new(
        settings: Arc<Settings>,
        mapping: Arc<Mapping>,
        report: Reporter,
        template: Template,
        seed: u64,
        leases_are_watched: bool,
        teller: Option<Arc<Emulator>>,
    ) -> Self {
        Self {
            latency: tracker(&settings),
            settings,
            mapping,
            report,
            history: History::default(),
            template,
            seed,
            leases_are_watched,
            teller,
            facts: Mutex::new(Facts::default()),
        }
    }

    fn facts<T>(&self, with: impl FnOnce(&mut Facts) -> T) -> T {
        with(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long a change may be on its way into the cache without alarm: a processor may look only
    /// once in a poll interval, if nobody tells it.
    pub(super) fn grace(&self) -> Duration {
        let poll = if self.teller.is_some() { Duration::ZERO } else { self.settings.sync.poll_interval };
        poll + Duration::from_secs(2)
    }

    /// The source as it is to be read: with news of writes, where its server is ours.
    pub(super) fn with_news(&self, source: Container) -> Container {
        let told = self.teller.as_ref().and_then(|emulator| emulator.news(source.database(), source.name()));
        source.with_news(told.map(News::new))
    }

    /// Owner names of our instances.
    pub(super) fn instances(&self) -> Vec<String> {
        self.facts(|facts| facts.instances.clone())
    }

    pub(super) fn set_instances(&self, names: Vec<String>) {
        self.facts(|facts| facts.instances = names);
    }

    /// Lag over all leases as last estimated.
    pub(super) fn lag(&self) -> Option<u64> {
        self.facts(|facts| facts.lag)
    }

    pub(super) fn set_lag(&self, lag: Option<u64>) {
        self.facts(|facts| facts.lag = lag);
    }

    /// When this owner of leases was seen first: now, if it was not seen before.
    pub(super) fn owner_seen(&self, name: &str) -> Timestamp {
        self.facts(|facts| {
            if let Some((_, since)) = facts.owners.iter().find(|(known, _)| known == name) {
                return *since;
            }
            if facts.owners.len() == OWNERS {
                facts.owners.remove(0);
            }
            let now = Timestamp::now();
            facts.owners.push((name.to_owned(), now));
            now
        })
    }

    /// Documents that the built-in sync has delivered.
    pub(super) fn delivered(&self) -> u64 {
        self.facts(|facts| facts.delivered)
    }

    pub(super) fn set_delivered(&self, delivered: u64) {
        self.facts(|facts| facts.delivered = delivered);
    }

    /// Changes that the feed observer has seen; `None` while there is none, or it cannot read.
    pub(super) fn changes(&self) -> Option<u64> {
        self.facts(|facts| facts.changes)
    }

    pub(super) fn set_changes(&self, changes: Option<u64>) {
        self.facts(|facts| facts.changes = changes);
    }

    /// What answers as Cosmos.
    pub(super) fn product(&self) -> String {
        self.facts(|facts| facts.product.clone())
    }

    pub(super) fn set_product(&self, product: String) {
        self.facts(|facts| facts.product = product);
    }

    /// Somebody wants to write to a source that is not there: it is created at the next look.
    pub(super) fn source_is_wanted(&self) -> bool {
        self.facts(|facts| facts.source_is_wanted)
    }

    pub(super) fn want_source(&self) {
        self.facts(|facts| facts.source_is_wanted = true);
    }

    /// The source was created by this run.
    pub(super) fn note_new_source(&self) {
        self.facts(|facts| facts.source_is_new = true);
    }

    /// Where to start reading, for those who asked for `wanted`: in a container that this run has
    /// created, "now" is the beginning, or its first documents would be missed.
    pub(super) fn start(&self, wanted: StartPosition) -> StartPosition {
        match wanted {
            StartPosition::Now if self.facts(|facts| facts.source_is_new) => StartPosition::Beginning,
            other => other,
        }
    }

    /// Member names of the source's first partition key path (`["id"]` for `/id`).
    pub(super) fn partition_key_path(&self) -> Vec<String> {
        self.facts(|facts| facts.partition_key_path.clone())
    }

    pub(super) fn set_partition_key_path(&self, path: &str) {
        let names = path.trim_start_matches('/').split('/').map(str::to_owned).collect();
        self.facts(|facts| facts.partition_key_path = names);
    }
}
