//! Deeds on leases that a person orders: release, delete, reset. Done here, because our own processors own
//! leases, too, and have to stop where all of them go.

use super::Builtin;
use super::proving::Proving;
use crate::config::StartPosition;
use crate::engine::event::{Event, LeaseDeed, LeaseOrder, LeaseOutcome, LeasePlan, Level};
use crate::engine::observe::leases::prefix;
use crate::engine::{NO_LEASE_CONTAINER, NO_SOURCE};
use crate::lease::{LeaseStore, perform};

impl Builtin {
    /// Finds out what an order would do, and keeps it as what the user has seen.
    pub(super) async fn tell_lease_plan(&mut self, order: LeaseOrder) {
        let plan = Box::new(self.lease_plan(order).await);
        self.lease_plan = Some(plan.clone());
        self.shared.report.state(Event::LeasePlan(plan)).await;
    }

    async fn lease_plan(&mut self, order: LeaseOrder) -> LeasePlan {
        let refused = |order, reason| LeasePlan { order, refused: Some(reason), ..LeasePlan::default() };
        let store = match self.lease_store() {
            Ok(store) => store,
            Err(reason) => return refused(order, reason),
        };
        let Some(source) = self.source() else {
            return refused(order, NO_SOURCE.to_owned());
        };
        let expiration = self.shared.settings.sync.expiration_interval;
        let made = LeasePlan::make(&store, &prefix(&self.shared, &source), order.clone(), expiration).await;
        match made {
            Ok(mut plan) => {
                for document in &mut plan.documents {
                    document.since = document.owner.as_deref().map(|owner| self.shared.owner_seen(owner));
                }
                plan
            }
            Err(error) => refused(order, error.with_remedy()),
        }
    }

    /// The store of the leases, if we may write to it now.
    pub(super) fn lease_store(&mut self) -> Result<LeaseStore, String> {
        if self.replay.is_some() || self.closing.is_some() {
            return Err("a rebuild is under way; wait for its end".to_owned());
        }
        let source = self.source().ok_or(NO_SOURCE)?;
        self.shared.settings.may_write_to(source.account.host()).map_err(|error| error.to_string())?;
        let leases = source.leases.clone().ok_or(NO_LEASE_CONTAINER)?;
        LeaseStore::new(leases).map_err(|error| error.with_remedy())
    }

    /// Does it, unless something is different from what was told.
    pub(super) async fn do_leases(&mut self, order: LeaseOrder) {
        let outcome = match self.deed(order.clone()).await {
            Ok(outcome) => outcome,
            Err(reason) => LeaseOutcome {
                deed: order.deed,
                refused: vec![("nothing was done".to_owned(), reason)],
                ..LeaseOutcome::default()
            },
        };
        let level = if outcome.refused.is_empty() { Level::Info } else { Level::Warning };
        self.shared.report.log(level, "lease", outcome.words()).await;
        self.shared.report.state(Event::LeasesDone(outcome)).await;
    }

    async fn deed(&mut self, order: LeaseOrder) -> Result<LeaseOutcome, String> {
        let shown = self.lease_plan.take();
        let shown = shown.filter(|shown| shown.order.deed == order.deed && shown.order.only == order.only);
        let shown = shown.ok_or("the plan of it was never shown; look at it first")?;
        let plan = self.lease_plan(order.clone()).await;
        if let Some(reason) = plan.hindrance() {
            return Err(reason);
        }
        plan.agrees_with(&shown)?;
        let store = self.lease_store()?;
        // Where all documents go, ours must not make them again in between.
        let stops = order.only.is_empty() && order.deed != LeaseDeed::Release && !self.processors.is_empty();
        if !stops {
            return Ok(perform(&store, &plan).await);
        }
        self.stop().await;
        let plan = self.lease_plan(order.clone()).await;
        plan.agrees_with(&shown)?;
        let outcome = perform(&store, &plan).await;
        match order.deed {
            LeaseDeed::Reset => self.start(StartPosition::Beginning, Proving::Casually).await,
            LeaseDeed::Release | LeaseDeed::Delete => self.wanted = false,
        }
        Ok(outcome)
    }
}
