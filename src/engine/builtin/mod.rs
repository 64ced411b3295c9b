//! The built-in sync: starts, pauses and stops our processors, and rebuilds with them. One task owns
//! them all, so that no two of its deeds can overlap.

mod bookmarks;
mod holding;
mod leases;
mod outage;
mod plan;
mod proving;
mod rebuild;
mod reconnects;
mod waiting;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::proof::Proof;
use crate::beat::beat;
use crate::config::StartPosition;
use crate::cosmos::{Container, CosmosError};
use crate::engine::Shared;
use crate::engine::command::RebuildOrder;
use crate::engine::event::{
    Event, LeaseOrder, LeasePlan, Level, RestoreOrder, RestorePlan, SyncPhase, SyncStatus,
};
use crate::engine::observe::leases::prefix;
use crate::engine::rate::Rate;
use crate::engine::source::{Reconnect, Source, SourceReceiver, lease_container};
use crate::processor::{Processor, ProcessorEvent, ProcessorHandle, ProcessorOptions, ProcessorStatus};
use crate::sync::{CacheWriter, DeadLetters};
use holding::Holding;
use outage::Outage;
use proving::Proving;
use rebuild::{Closing, Replay};
use reconnects::ReconnectsTold;
use waiting::Waiting;

/// Processor events waiting; more than that are dropped by the processor and counted there.
const PROCESSOR_EVENTS: usize = 256;
/// How often the state is told.
const TICK: Duration = Duration::from_millis(250);
/// Between attempts to start while something is missing.
const RETRY: Duration = Duration::from_secs(1);

/// While our processors have trouble: between two looks whether the containers are still the same.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Most instances in one process: each costs a few tasks, and demos need three or four.
const MOST_INSTANCES: usize = 16;
/// Most owner names remembered as ours.
const NAMES: usize = 64;

/// What the built-in sync is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    Start,
    Stop,
    Pause(bool),
    AddInstance,
    RemoveInstance,
    KillInstance,
    PlanRebuild(RebuildOrder),
    Rebuild(RebuildOrder),
    PlanLeases(LeaseOrder),
    DoLeases(LeaseOrder),
    SaveBookmark(String),
    PlanRestore(u64, RestoreOrder),
    Restore(u64, RestoreOrder),
}

pub(super) struct Builtin {
    shared: Arc<Shared>,
    source: SourceReceiver,
    reconnect: Reconnect,
    asked: Option<Instant>,
    /// Rid of the container that the processors run on.
    running_on: Option<String>,
    writer: Arc<CacheWriter>,
    processors: Vec<ProcessorHandle>,
    /// Owner names that are or were ours, so that a killed instance's leases are still known as ours.
    names: Vec<String>,
    /// Names of the running instances, in the order of `processors`.
    running: Vec<String>,
    base_name: String,
    /// Instances wanted at the next start.
    instances: usize,
    /// Counts the names given so far.
    named: usize,
    events: (mpsc::Sender<ProcessorEvent>, mpsc::Receiver<ProcessorEvent>),
    wanted: bool,
    paused: bool,
    next_attempt: Instant,
    problem: Option<String>,
    rate: Rate,
    replay: Option<Replay>,
    closing: Option<Closing>,
    /// What a deed on leases would do, as it was told last.
    lease_plan: Option<Box<LeasePlan>>,
    /// What going back to a bookmark would do, as it was told last.
    restore_plan: Option<Box<RestorePlan>>,
    set_aside_told: u64,
    reconnects_told: ReconnectsTold,
    outage: Outage,
    proof: Proof,
    /// A rebuild that waits for other processors to stop.
    waiting: Option<Waiting>,
}

impl Builtin {
    pub(super) fn new(shared: Arc<Shared>, source: SourceReceiver, reconnect: Reconnect) -> Self {
        let writer = CacheWriter::new(
            shared.settings.redis.clone(),
            Arc::clone(&shared.mapping),
            shared.latency.clone(),
        );
        let writer = Arc::new(writer.keeping(DeadLetters::of(&shared.settings)));
        let sync = &shared.settings.sync;
        let base_name = sync.instance_name.clone().unwrap_or_else(|| {
            let unique = uuid::Uuid::new_v4().simple().to_string();
            format!("syncscope-{}", &unique[..8])
        });
        let instances = sync.instances.max(1);
        Self {
            shared,
            source,
            reconnect,
            asked: None,
            running_on: None,
            writer,
            processors: Vec::new(),
            names: Vec::new(),
            running: Vec::new(),
            base_name,
            instances,
            named: 0,
            events: mpsc::channel(PROCESSOR_EVENTS),
            wanted: false,
            paused: false,
            next_attempt: Instant::now(),
            problem: None,
            rate: Rate::default(),
            replay: None,
            closing: None,
            lease_plan: None,
            restore_plan: None,
            set_aside_told: 0,
            reconnects_told: ReconnectsTold::default(),
            outage: Outage::default(),
            proof: Proof::default(),
            waiting: None,
        }
    }

    /// Runs until cancelled; then releases the leases.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>, cancel: CancellationToken) {
        let mut tick = beat(TICK);
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                request = requests.recv() => match request {
                    None => break,
                    Some(request) => self.take(request).await,
                },
                event = self.events.1.recv() => if let Some(event) = event { self.tell_event(event).await },
                _ = tick.tick() => {
                    self.watch_source().await;
                    if self.wanted && self.processors.is_empty() && Instant::now() >= self.next_attempt {
                        self.start(self.shared.start(self.shared.settings.sync.start), self.proving()).await;
                    }
                    self.follow_waiting().await;
                    self.follow_replay().await;
                    self.follow_closing().await;
                    self.follow_proof().await;
                    self.tell_reconnects(false).await;
                    self.tell_status(None).await;
                }
            }
        }
        self.stop().await;
        self.tell_reconnects(true).await;
        self.tell_status(None).await;
    }

    /// A source that was deleted and made again needs processors of its own.
    async fn watch_source(&mut self) {
        let troubled = self.processors.iter().any(|processor| {
            let status = processor.status();
            let status = status.borrow();
            status.problem.is_some() || status.leases.iter().any(|worker| worker.problem.is_some())
        });
        if troubled && self.asked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
            self.asked = Some(Instant::now());
            self.reconnect.ask();
        }
        let Some(running_on) = self.running_on.as_deref().filter(|_| !self.processors.is_empty()) else {
            return;
        };
        let moved = self
            .source
            .borrow_and_update()
            .as_ref()
            .is_some_and(|source| source.monitored.rid() != running_on);
        if moved {
            let text = "the source was deleted and created again: starting with new leases";
            self.shared.report.log(Level::Warning, "sync", text).await;
            self.stop().await;
        }
    }

    async fn take(&mut self, request: Request) {
        match request {
            Request::Start => {
                self.wanted = true;
                self.next_attempt = Instant::now();
            }
            Request::Stop => {
                self.give_up_waiting().await;
                self.wanted = false;
                self.tell_status(Some(SyncPhase::Stopping)).await;
                self.stop().await;
                self.shared.report.log(Level::Info, "sync", "stopped; leases released").await;
            }
            Request::Pause(paused) => {
                self.paused = paused;
                for processor in &self.processors {
                    if paused { processor.pause() } else { processor.resume() }
                }
            }
            Request::AddInstance => self.add_instance().await,
            Request::RemoveInstance => self.remove_instance().await,
            Request::KillInstance => self.kill_instance().await,
            Request::PlanRebuild(order) => {
                let plan = self.plan(order).await;
                self.shared.report.state(Event::RebuildPlan(Box::new(plan))).await;
            }
            Request::Rebuild(order) => self.rebuild(order).await,
            Request::PlanLeases(order) => self.tell_lease_plan(order).await,
            Request::DoLeases(order) => self.do_leases(order).await,
            Request::SaveBookmark(name) => self.save_bookmark(name).await,
            Request::PlanRestore(request, order) => self.tell_restore_plan(request, order).await,
            Request::Restore(request, order) => self.restore(request, order).await,
        }
        self.tell_status(None).await;
    }

    fn source(&mut self) -> Option<Source> {
        self.source.borrow_and_update().clone()
    }

    /// Starts every instance, or notes why not.
    async fn start(&mut self, start: StartPosition, proving: Proving) {
        self.next_attempt = Instant::now() + RETRY;
        let Some(source) = self.source() else {
            self.problem = Some("waiting for the source".to_owned());
            return;
        };
        let leases = match self.lease_container(&source).await {
            Ok(leases) => leases,
            Err(problem) => {
                self.problem = Some(problem);
                return;
            }
        };
        // Entries go to Redis, leases to Cosmos.
        for host in [self.shared.settings.redis.host.as_str(), source.account.host()] {
            if let Err(error) = self.shared.settings.may_write_to(host) {
                self.problem = Some(error.to_string());
                return;
            }
        }
        if let Err(problem) = self.begin_proof(&source, &leases, proving).await {
            self.problem = Some(problem);
            return;
        }
        while self.processors.len() < self.instances {
            if let Err(problem) = self.start_instance(&source, &leases, start).await {
                self.problem = Some(problem);
                self.stop().await;
                return;
            }
        }
        self.problem = None;
        self.running_on = Some(source.monitored.rid().to_owned());
        self.shared.report.log(Level::Info, "sync", format!("started as {}", self.running.join(", "))).await;
    }

    /// One more instance under a name of its own. A lone instance has the configured name itself, so
    /// that a restart takes its leases up again at once.
    async fn start_instance(
        &mut self,
        source: &Source,
        leases: &Container,
        start: StartPosition,
    ) -> Result<(), String> {
        let name = if self.named == 0 && self.instances == 1 {
            self.base_name.clone()
        } else {
            format!("{}-{}", self.base_name, self.named + 1)
        };
        let handle = Processor::start(
            source.monitored.clone(),
            leases.clone(),
            prefix(&self.shared, source),
            Arc::clone(&self.writer),
            self.options(name.clone(), start),
            self.events.0.clone(),
        )
        .await
        .map_err(|error| error.to_string())?;
        if self.paused {
            handle.pause();
        }
        self.named += 1;
        self.processors.push(handle);
        if self.names.len() == NAMES {
            self.names.remove(0);
        }
        self.names.push(name.clone());
        self.running.push(name);
        self.shared.set_instances(self.names.clone());
        Ok(())
    }

    async fn add_instance(&mut self) {
        if self.processors.is_empty() {
            self.wanted = true;
            return;
        }
        if self.processors.len() >= MOST_INSTANCES {
            let text = format!("{MOST_INSTANCES} instances run already; that is the most");
            return self.shared.report.log(Level::Warning, "sync", text).await;
        }
        let Some(source) = self.source() else { return };
        let started = match self.lease_container(&source).await {
            Ok(leases) => {
                self.start_instance(&source, &leases, self.shared.start(self.shared.settings.sync.start))
                    .await
            }
            Err(problem) => Err(problem),
        };
        self.instances = self.processors.len().max(1);
        match started {
            Ok(()) => {
                let name = self.running.last().cloned().unwrap_or_default();
                let text = format!("instance {name} joins; it takes its share of the leases");
                self.shared.report.log(Level::Info, "sync", text).await;
            }
            Err(problem) => self.shared.report.log(Level::Error, "sync", problem).await,
        }
    }

    async fn remove_instance(&mut self) {
        if self.processors.len() < 2 {
            let text = "one instance is left: it ends when the sync is stopped";
            return self.shared.report.log(Level::Info, "sync", text).await;
        }
        if let (Some(handle), Some(name)) = (self.processors.pop(), self.running.pop()) {
            handle.stop().await;
            self.instances = self.processors.len();
            let text = format!("instance {name} has left; its leases are free");
            self.shared.report.log(Level::Info, "sync", text).await;
        }
    }

    async fn kill_instance(&mut self) {
        let (Some(handle), Some(name)) = (self.processors.pop(), self.running.pop()) else {
            return self.shared.report.log(Level::Info, "sync", "no instance runs: the sync is off").await;
        };
        handle.kill();
        self.instances = self.processors.len().max(1);
        if self.processors.is_empty() {
            self.wanted = false;
        }
        let expiry = self.shared.settings.sync.expiration_interval.as_secs_f64();
        let text =
            format!("instance {name} was killed: its leases expire {expiry:.0} s after their last heartbeat");
        self.shared.report.log(Level::Warning, "sync", text).await;
    }

    async fn lease_container(&self, source: &Source) -> Result<Container, String> {
        if let Some(leases) = &source.leases {
            return Ok(leases.clone());
        }
        let settings = &self.shared.settings;
        settings.may_write_to(source.account.host()).map_err(|error| error.to_string())?;
        let tell = |error: CosmosError| error.with_remedy();
        let spec = lease_container(&settings.lease_container);
        source.account.ensure_container(&settings.database, &spec).await.map_err(tell)?;
        source.account.container(&settings.database, &settings.lease_container).await.map_err(tell)
    }

    fn options(&self, instance_name: String, start: StartPosition) -> ProcessorOptions {
        let sync = &self.shared.settings.sync;
        ProcessorOptions {
            instance_name,
            start,
            max_items: sync.max_items,
            poll_interval: sync.poll_interval,
            acquire_interval: sync.acquire_interval,
            expiration_interval: sync.expiration_interval,
            renew_interval: sync.renew_interval,
            version_0: sync.lease_version == 0,
            ..ProcessorOptions::default()
        }
    }

    async fn stop(&mut self) {
        self.running.clear();
        let stopping = self.processors.drain(..).map(ProcessorHandle::stop);
        futures::future::join_all(stopping).await;
        // What ends by an order has no return to tell of.
        self.outage = Outage::default();
        self.remove_markers().await;
    }

    /// Whatever was in the source when the processors were started is in the cache, and every lease
    /// of the prefix has stored that.
    fn idle(&mut self) -> bool {
        let statuses = self.statuses();
        self.are_idle(&statuses)
    }

    fn are_idle(&mut self, statuses: &[ProcessorStatus]) -> bool {
        let leases = Holding::of(statuses).leases;
        leases > 0
            && statuses.iter().all(|status| status.started)
            && self.proof.look(statuses.iter().flat_map(|status| &status.leases), leases)
    }

    /// What each of our instances tells of itself.
    fn statuses(&self) -> Vec<ProcessorStatus> {
        self.processors.iter().map(|one| one.status().borrow().clone()).collect()
    }

    async fn tell_status(&mut self, phase: Option<SyncPhase>) {
        let seen = self.statuses();
        let idle = self.are_idle(&seen);
        let mut status = SyncStatus {
            delivered: self.writer.delivered(),
            lag: self.shared.lag(),
            set_aside: self.writer.set_aside().count(),
            reconnects: self.writer.reconnects().seen().count,
            idle,
            instances: self.running.clone(),
            problem: self.problem.clone(),
            ..SyncStatus::default()
        };
        Holding { owned: status.owned, placed: status.placed, leases: status.leases } = Holding::of(&seen);
        status.problem = status.problem.or_else(|| {
            seen.iter().find_map(|seen| {
                let worker = seen.leases.iter().find_map(|worker| worker.problem.clone());
                seen.problem.clone().or(worker)
            })
        });
        self.shared.set_delivered(status.delivered);
        status.rate = self.rate.read(Instant::now(), status.delivered);
        status.phase = phase.unwrap_or(match (self.wanted, self.processors.is_empty()) {
            (false, true) => SyncPhase::Off,
            (false, false) => SyncPhase::Stopping,
            (true, true) => SyncPhase::Joining,
            (true, false) if self.replay.is_some() || self.closing.is_some() => SyncPhase::Rebuilding,
            (true, false) if self.paused => SyncPhase::Paused,
            (true, false) if status.owned == 0 => SyncPhase::Joining,
            (true, false) => SyncPhase::Running,
        });
        if status.set_aside > self.set_aside_told {
            let newest = self.writer.set_aside().newest().pop();
            self.set_aside_told = status.set_aside;
            if let Some(item) = newest {
                let id = item.id.unwrap_or_else(|| "?".to_owned());
                let text = format!("{id:?} was set aside ({} so far): {}", status.set_aside, item.reason);
                self.shared.report.log(Level::Warning, "sync", text).await;
            }
        }
        self.shared.report.state(Event::Sync(status)).await;
    }

    async fn tell_event(&mut self, event: ProcessorEvent) {
        if let Some((level, text)) = self.outage.note(&event, Instant::now()) {
            self.shared.report.log(level, "lease", text).await;
        }
    }
}
