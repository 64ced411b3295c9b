//! Bookmarks of lease positions: kept, and gone back to. Done here, because our own processors own leases, too,
//! and would store their positions over those that were brought back.

use std::time::Instant;

use jiff::Timestamp;

use super::Builtin;
use crate::engine::bookmarks::with_files;
use crate::engine::event::{
    BookmarkAnswer, BookmarkTold, Bookmarked, Event, Level, RestoreOrder, RestoreOutcome, RestorePlan,
};
use crate::engine::observe::leases::prefix;
use crate::engine::{NO_LEASE_CONTAINER, NO_SOURCE};
use crate::lease::{Bookmark, LeaseStorage, LeaseStore, restore};

impl Builtin {
    /// Keeps the positions of all leases of the prefix; no lease is touched.
    pub(super) async fn save_bookmark(&mut self, name: String) {
        let outcome = self.bookmark(&name).await;
        let told = Bookmarked { name, outcome };
        let level = if told.outcome.is_ok() { Level::Info } else { Level::Warning };
        let flags = self.shared.settings.as_flags();
        let line = format!("{}; same as syncscope leases save {}{flags}", told.words(), told.name);
        self.shared.report.log(level, "lease", line).await;
        self.shared.report.state(Event::Bookmarked(told)).await;
    }

    async fn bookmark(&mut self, name: &str) -> Result<usize, String> {
        let source = self.source().ok_or(NO_SOURCE)?;
        let leases = source.leases.clone().ok_or(NO_LEASE_CONTAINER)?;
        let store = LeaseStore::new(leases).map_err(|error| error.with_remedy())?;
        let prefix = prefix(&self.shared, &source);
        let leases = store.list(&prefix).await.map_err(|error| error.with_remedy())?;
        if leases.is_empty() {
            return Err(format!("there are no leases of {prefix}; starting the sync makes them"));
        }
        let about = format!("{} at {}", source.monitored.path(), source.account.address());
        let bookmark = Bookmark::new(name, Timestamp::now(), about, &prefix, &leases)
            .map_err(|error| error.to_string())?;
        with_files(&self.shared, move |files| files.save(&bookmark, false)).await?;
        Ok(leases.len())
    }

    /// Finds out what going back would do, and keeps it as what the user has seen.
    pub(super) async fn tell_restore_plan(&mut self, request: u64, order: RestoreOrder) {
        let plan = match self.restore_plan(order.clone()).await {
            Ok(plan) => plan,
            Err(reason) => RestorePlan::refused(order, reason),
        };
        self.restore_plan = Some(Box::new(plan.clone()));
        self.answer(request, BookmarkTold::Plan(plan)).await;
    }

    async fn restore_plan(&mut self, order: RestoreOrder) -> Result<RestorePlan, String> {
        let store = self.lease_store()?;
        let source = self.source().ok_or(NO_SOURCE)?;
        let name = order.name.clone();
        let bookmark = with_files(&self.shared, move |files| files.load(&name)).await?;
        let expiration = self.shared.settings.sync.expiration_interval;
        let mut plan =
            RestorePlan::make(&store, &prefix(&self.shared, &source), &bookmark, order, expiration)
                .await
                .map_err(|error| error.with_remedy())?;
        for lease in &mut plan.leases {
            lease.since = lease.owner.as_deref().map(|owner| self.shared.owner_seen(owner));
        }
        Ok(plan)
    }

    /// Goes back, unless something is different from what was told.
    pub(super) async fn restore(&mut self, request: u64, order: RestoreOrder) {
        let name = order.name.clone();
        let outcome = self.go_back(order).await;
        let outcome = outcome.unwrap_or_else(|reason| RestoreOutcome::nothing(&name, reason));
        let level = if outcome.refused.is_empty() { Level::Info } else { Level::Warning };
        self.shared.report.log(level, "lease", outcome.words()).await;
        self.answer(request, BookmarkTold::Restored(outcome)).await;
    }

    async fn go_back(&mut self, order: RestoreOrder) -> Result<RestoreOutcome, String> {
        let shown = self.restore_plan.take();
        let shown = shown.filter(|shown| shown.order.name == order.name && shown.order.only == order.only);
        let shown = shown.ok_or("the plan of it was never shown; look at it first")?;
        let mut plan = self.restore_plan(order.clone()).await?;
        if let Some(reason) = plan.hindrance() {
            return Err(reason);
        }
        plan.agrees_with(&shown)?;
        // Our own workers would go on until their next write; stopped, they store where they are and let go.
        let ours = self.shared.instances();
        if plan.touched().any(|lease| lease.owner.as_ref().is_some_and(|owner| ours.contains(owner))) {
            self.stop().await;
            // They come again with the next tick, and go on from where the leases then are.
            self.next_attempt = Instant::now();
            plan = self.restore_plan(order).await?;
            plan.agrees_with(&shown)?;
        }
        Ok(restore(&self.lease_store()?, &plan).await)
    }

    async fn answer(&self, request: u64, told: BookmarkTold) {
        self.shared.report.state(Event::Bookmarks(Box::new(BookmarkAnswer { request, told }))).await;
    }
}
