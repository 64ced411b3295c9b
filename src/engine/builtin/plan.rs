//! The plan of a rebuild: exactly what its mode would do, and what should be known beforehand.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Builtin;
use crate::cache::CacheClient;
use crate::cosmos::CosmosError;
use crate::engine::NO_SOURCE;
use crate::engine::command::{RebuildMode, RebuildOrder};
use crate::engine::event::{ForeignOwner, ProofKind, RebuildPlan};
use crate::engine::observe::leases::prefix;
use crate::engine::source::Source;
use crate::lease::LeaseStore;
use crate::sync::{count_keys, keys_tell, leases_named, leases_to_delete};

/// How long a plan may count keys.
const COUNTING: Duration = Duration::from_secs(2);
/// Documents replayed in a second, as a careful guess.
const PACE: f64 = 2_000.0;
/// `_ts` has whole seconds, and clocks differ: a marker of this moment may count as older.
const SINCE_SLACK: Duration = Duration::from_secs(5);

impl Builtin {
    pub(super) async fn plan(&mut self, order: RebuildOrder) -> RebuildPlan {
        let settings = Arc::clone(&self.shared.settings);
        let same_as = format!("syncscope rebuild{}{}", order.as_flags(), settings.as_flags());
        let mut plan = RebuildPlan {
            source: format!("{}/{}", settings.database, settings.container),
            lease_container: format!("{}/{}", settings.database, settings.lease_container),
            prefix: settings.lease_prefix.clone(),
            cache: format!("{}:{} db {}", settings.redis.host, settings.redis.port, settings.redis.database),
            patterns: self.shared.mapping.scan_patterns(),
            proof: proof(&order),
            same_as,
            order,
            ..RebuildPlan::default()
        };
        plan.refused = self.fill_in(&mut plan).await.err();
        plan
    }

    /// Looks at source, leases and cache; `Err` says why it cannot be done now.
    async fn fill_in(&mut self, plan: &mut RebuildPlan) -> Result<(), String> {
        let settings = Arc::clone(&self.shared.settings);
        let source = self.source().ok_or(NO_SOURCE)?;
        for host in [source.account.host(), settings.redis.host.as_str()] {
            settings.may_write_to(host).map_err(|error| error.to_string())?;
        }
        if !plan.order.only.is_empty() && plan.order.mode == RebuildMode::Flush {
            return Err("single leases do not tell which keys are theirs: flush needs all of them".to_owned());
        }
        plan.documents = source.monitored.count().await.ok();
        let slow = plan.documents.map(|count| Duration::from_secs_f64(count as f64 / PACE));
        plan.estimate = slow.filter(|_| !matches!(plan.order.mode, RebuildMode::Since(_)));
        self.look_at_leases(plan, &source).await?;
        self.look_at_cache(plan).await
    }

    async fn look_at_leases(&self, plan: &mut RebuildPlan, source: &Source) -> Result<(), String> {
        let tell = |error: CosmosError| error.with_remedy();
        let unknown = |name: &str| format!("no lease {name:?}; `syncscope watch leases` names them");
        let only = plan.order.only.clone();
        let Some(leases) = source.leases.clone() else {
            return only.first().map_or(Ok(()), |name| Err(unknown(name)));
        };
        let prefix = prefix(&self.shared, source);
        let store = LeaseStore::new(leases).map_err(tell)?;
        let expiration = self.shared.settings.sync.expiration_interval;
        let found = leases_to_delete(&store, &prefix, &self.ours(), expiration).await.map_err(tell)?;
        plan.leases = found.leases;
        plan.other_leases = found.other_leases;
        plan.other_prefixes = found.other_prefixes;
        plan.foreign_owners = found
            .foreign_owners
            .into_iter()
            .map(|owner| ForeignOwner {
                since: Some(self.shared.owner_seen(&owner.name)),
                name: owner.name,
                leases: owner.leases,
                heartbeat_age: owner.heartbeat_age,
            })
            .collect();
        if only.is_empty() {
            plan.delete = found.ids;
        } else {
            let named = leases_named(&store, &prefix, &only).await.map_err(tell)?;
            plan.reset = named.map_err(|name| unknown(&name))?;
        }
        Ok(())
    }

    /// Owner names that are ours: the configured one, too, under which an earlier run may have died.
    pub(super) fn ours(&self) -> Vec<String> {
        self.names.iter().chain([&self.base_name]).cloned().collect()
    }

    async fn look_at_cache(&self, plan: &mut RebuildPlan) -> Result<(), String> {
        let tell = |error: crate::cache::CacheError| error.with_remedy();
        let cache = CacheClient::connect(&self.shared.settings.redis).await.map_err(tell)?;
        let status = cache.status().await.map_err(tell)?;
        plan.cache_keys = status.keys;
        if keys_tell(&self.shared.mapping) {
            plan.mapping_keys = count_keys(&cache, &self.shared.mapping, COUNTING).await.map_err(tell)?;
        } else {
            plan.warnings.push(format!(
                "the key template {:?} has no text of its own: only keys whose value bears the document's id count as ours",
                self.shared.settings.key
            ));
        }
        let refill = plan.estimate.unwrap_or_default().as_secs();
        if let Some(ttl) = self.shared.mapping.ttl().filter(|ttl| ttl.as_secs() < refill) {
            plan.warnings.push(format!(
                "entries live {} s, and a refill may take {refill} s: the first may be gone before the last is written",
                ttl.as_secs()
            ));
        }
        let policy = status.maxmemory_policy.unwrap_or_default();
        if status.maxmemory.is_some() && policy != "noeviction" {
            plan.warnings.push(format!(
                "the server evicts keys when its memory is full ({policy}): it may not keep all of them"
            ));
        }
        Ok(())
    }
}

/// Markers, unless they are not wanted or could not come.
fn proof(order: &RebuildOrder) -> ProofKind {
    let lsns = |reason: &str| ProofKind::Lsns { reason: reason.to_owned() };
    match order.mode {
        _ if order.without_markers => lsns("no marker documents are wanted"),
        RebuildMode::Since(time) if time + SINCE_SLACK > Timestamp::now() => {
            lsns("a replay from this moment on brings no marker")
        }
        _ => ProofKind::Markers,
    }
}
