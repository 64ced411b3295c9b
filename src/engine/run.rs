//! Starting, serving and stopping the engine: every task is owned here, and ends here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::beat::beat;
use crate::config::Settings;
use crate::embedded::cosmos::Emulator;
use crate::seed::{Template, TemplateName};
use crate::sync::{Mapping, MappingFault};

use super::command::{BookmarkAsk, BookmarkQuestion, Command, DriftWatch, Insert};
use super::event::{Event, Level};
use super::observe::cache::Pairs;
use super::reporter::{EVENTS, Reporter};
use super::source::{Create, Reconnect, SourceReceiver};
use super::split::Splitter;
use super::{
    Shared, bookmarks, builtin, compared, detail, drift, edit, files, observe, set_aside, source, spoil,
    traffic, verify,
};

/// Commands waiting; they come from a person or a script.
const COMMANDS: usize = 64;
/// Requests waiting at each desk: they come from a person; a batch of inserts is one.
const REQUESTS: usize = 32;
/// Latency figures and dropped counts are told this often.
const FIGURES: Duration = Duration::from_millis(250);
/// While nobody writes, the figures only age, by the second: then one in so many is told.
const AT_REST: u32 = 4;
/// Sample traffic waits so long for the first documents to be in the cache.
const FILL_WITHIN: Duration = Duration::from_secs(10);
/// All tasks together have this long to end after a stop.
const STOP_WITHIN: Duration = Duration::from_millis(950);

/// What is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    /// The change feed.
    pub feed: bool,
    /// The leases.
    pub leases: bool,
    /// The cache.
    pub cache: bool,
}

impl Watch {
    /// Everything, as the screen does.
    pub fn all() -> Self {
        Self { feed: true, leases: true, cache: true }
    }
}

/// Which parts of the engine run.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Merged settings.
    pub settings: Settings,
    /// What is followed.
    pub watch: Watch,
    /// Start the built-in sync at once.
    pub sync: bool,
    /// Containers to create when they are missing.
    pub create: Create,
    /// Documents to insert at the start. They are no probes: nobody waits for them in the cache yet.
    pub insert: Option<Insert>,
    /// Sample traffic from the start, in writes per second.
    pub traffic: Option<f64>,
    /// Shape of the sample documents.
    pub template: Template,
    /// Seed of the sample documents.
    pub seed: u64,
    /// Generated documents begin with the first id, and so replace those of an earlier run; else
    /// they come after the documents that are there.
    pub first_id_is_one: bool,
    /// The emulator that the source lives in, if it is ours: its partitions can be split.
    pub emulator: Option<Arc<Emulator>>,
    /// Idle ranges are read when `emulator` tells of a write, and hardly else; without it they are read
    /// ever more seldom, up to the poll interval, as anywhere else.
    pub prompt: bool,
}

impl EngineOptions {
    /// Nothing but the connections.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            watch: Watch::default(),
            sync: false,
            create: Create::default(),
            insert: None,
            traffic: None,
            template: Template::named(TemplateName::default()),
            seed: 1,
            first_id_is_one: false,
            emulator: None,
            prompt: false,
        }
    }
}

/// Why the engine cannot start: nothing that time would mend.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A template or an expression of the mapping is wrong.
    #[error(transparent)]
    Mapping(#[from] MappingFault),
}

/// The outer ends of an engine's channels: there before the engine is, so that a screen can be
/// drawn while servers are still starting.
#[derive(Debug)]
pub struct Face {
    /// Takes requests.
    pub commands: mpsc::Sender<Command>,
    /// Tells what happens; must be read.
    pub events: mpsc::Receiver<Event>,
}

/// The inner ends.
#[derive(Debug)]
pub struct Inside {
    requests: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
}

impl Inside {
    /// Tells something before the engine runs.
    pub async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }
}

/// Both ends of the channels of an engine to be.
pub fn channels() -> (Face, Inside) {
    let (commands, requests) = mpsc::channel(COMMANDS);
    let (sender, events) = mpsc::channel(EVENTS);
    (Face { commands, events }, Inside { requests, events: sender })
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Engine {
    /// Starts all tasks and returns at once; servers that are not there join later.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn start(options: EngineOptions, inside: Inside) -> Result<Self, EngineError> {
        let mapping = Arc::new(Mapping::from_settings(&options.settings)?);
        let Inside { requests, events: sender } = inside;
        let shared = Arc::new(Shared::new(
            Arc::new(options.settings.clone()),
            mapping,
            Reporter::new(sender),
            options.template.clone(),
            options.seed,
            options.watch.leases,
            options.prompt.then(|| options.emulator.clone()).flatten(),
        ));
        let cancel = CancellationToken::new();
        let task = tokio::spawn(serve(shared, options, requests, cancel.clone()));
        Ok(Self { cancel, task })
    }

    /// Ends every task within a second and releases the leases. Events still on their way are
    /// read and given back, so that the last words are not lost.
    pub async fn stop(self, mut events: mpsc::Receiver<Event>) -> Vec<Event> {
        self.cancel.cancel();
        let mut last = Vec::new();
        // The tasks may wait for room: keep reading until they are gone.
        while let Some(event) = events.recv().await {
            if last.len() < EVENTS {
                last.push(event);
            }
        }
        let _ = self.task.await;
        last
    }

    /// As [`Engine::stop`], where the receiver of events is gone already.
    pub async fn end(self) {
        self.cancel.cancel();
        let _ = self.task.await;
    }
}

async fn serve(
    shared: Arc<Shared>,
    options: EngineOptions,
    mut requests: mpsc::Receiver<Command>,
    cancel: CancellationToken,
) {
    let (out, found) = watch::channel(None);
    let reconnect = Reconnect::default();
    let splitter =
        Splitter { emulator: options.emulator.clone(), source: found.clone(), shared: Arc::clone(&shared) };
    let pairs = Pairs::new(Arc::clone(&shared), options.watch.cache);
    let (sync_requests, sync_inbox) = mpsc::channel(REQUESTS);
    let (traffic_requests, traffic_inbox) = mpsc::channel(REQUESTS);
    let (wanted, wanted_seen) = watch::channel(None);
    let (compare, compare_seen) = watch::channel(None);
    let (verify_requests, verify_inbox) = mpsc::channel(REQUESTS);
    let (drift_wanted, drift_seen) = watch::channel(None);
    let (aside_requests, aside_inbox) = mpsc::channel(REQUESTS);
    let (edit_orders, edit_inbox) = mpsc::channel(REQUESTS);
    let (bookmark_questions, bookmark_inbox) = mpsc::channel(REQUESTS);

    let mut tasks = JoinSet::new();
    let child = || cancel.child_token();
    tasks.spawn(source::find(Arc::clone(&shared), options.create, out, reconnect.clone(), child()));
    tasks.spawn(
        builtin::Builtin::new(Arc::clone(&shared), found.clone(), reconnect.clone()).run(sync_inbox, child()),
    );
    tasks.spawn(traffic::run(
        Arc::clone(&shared),
        found.clone(),
        traffic_inbox,
        reconnect.clone(),
        options.first_id_is_one,
        child(),
    ));
    tasks.spawn(detail::run(Arc::clone(&shared), found.clone(), wanted_seen, child()));
    tasks.spawn(compared::run(Arc::clone(&shared), compare_seen, child()));
    tasks.spawn(edit::run(Arc::clone(&shared), found.clone(), edit_inbox, child()));
    tasks.spawn(bookmarks::run(Arc::clone(&shared), found.clone(), bookmark_inbox, child()));
    tasks.spawn(verify::run(Arc::clone(&shared), found.clone(), verify_inbox, child()));
    tasks.spawn(drift::run(Arc::clone(&shared), found.clone(), drift_seen, child()));
    tasks.spawn(set_aside::run(Arc::clone(&shared), found.clone(), aside_inbox, child()));
    if options.watch.feed {
        let (shared, found, reconnect) = (Arc::clone(&shared), found.clone(), reconnect.clone());
        tasks.spawn(observe::feed::run(shared, found, reconnect, pairs.clone(), child()));
    }
    if options.watch.leases {
        tasks.spawn(observe::leases::run(Arc::clone(&shared), found.clone(), reconnect, child()));
    }
    if options.watch.cache {
        tasks.spawn(observe::cache::run(Arc::clone(&shared), pairs, child()));
    }
    tasks.spawn(tell_figures(Arc::clone(&shared), child()));
    tasks.spawn(begin(
        Arc::clone(&shared),
        found,
        options,
        sync_requests.clone(),
        traffic_requests.clone(),
        child(),
    ));

    let desks = Desks {
        sync: sync_requests,
        traffic: traffic_requests,
        verify: verify_requests,
        drift: drift_wanted,
        aside: aside_requests,
        edit: edit_orders,
        bookmarks: bookmark_questions,
        wanted,
        compare,
    };
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            command = requests.recv() => match command {
                None | Some(Command::Shutdown) => break,
                Some(Command::SaveFile { name, content }) => {
                    let report = shared.report.clone();
                    tasks.spawn(async move { save(&report, &name, content).await });
                }
                Some(command @ (Command::ExportLatency { .. } | Command::FindFiles { .. } | Command::ReportLatency)) => {
                    let shared = Arc::clone(&shared);
                    tasks.spawn(async move { files::serve(&shared, command).await });
                }
                Some(Command::SplitPartition) => splitter.split().await,
                Some(Command::SpoilEntry { key }) => {
                    let (shared, embedded) = (Arc::clone(&shared), splitter.emulator.is_some());
                    tasks.spawn(async move { spoil::spoil(&shared, embedded, &key).await });
                }
                Some(command) => desks.dispatch(command).await,
            },
            Some(ended) = tasks.join_next() => if let Err(error) = ended && error.is_panic() {
                shared.report.log(Level::Error, "engine", format!("a task failed and is gone; restart to get it back: {error}")).await;
            },
        }
    }
    cancel.cancel();
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
        tasks.abort_all();
    }
}

async fn save(report: &Reporter, name: &str, content: String) {
    match tokio::fs::write(name, content).await {
        Ok(()) => report.log(Level::Info, "screen", format!("saved {name}")).await,
        Err(error) => report.log(Level::Error, "screen", format!("cannot save {name}: {error}")).await,
    }
}

/// Waits until the sync has delivered so many documents; not for ever, it may have been stopped.
async fn filled(shared: &Shared, documents: u64) {
    let started = Instant::now();
    while shared.delivered() < documents && started.elapsed() < FILL_WITHIN {
        tokio::time::sleep(FIGURES / 4).await;
    }
}

/// What the options ask for at the start, once the source is there.
async fn begin(
    shared: Arc<Shared>,
    mut source: SourceReceiver,
    options: EngineOptions,
    sync: mpsc::Sender<builtin::Request>,
    traffic: mpsc::Sender<traffic::Request>,
    cancel: CancellationToken,
) {
    if options.sync {
        let _ = sync.send(builtin::Request::Start).await;
    }
    if options.insert.is_none() && options.traffic.is_none() {
        return;
    }
    tokio::select! {
        () = cancel.cancelled() => return,
        _ = source.wait_for(Option::is_some) => {}
    }
    let filling = match options.insert {
        Some(Insert::Generated { count }) if options.sync => count,
        _ => 0,
    };
    if let Some(insert) = options.insert {
        let _ = traffic.send(traffic::Request::Fill(insert)).await;
    }
    if let Some(rate) = options.traffic {
        // The first documents on their way would be measured as latency of the first changes.
        tokio::select! {
            () = cancel.cancelled() => return,
            () = filled(&shared, filling) => {}
        }
        let _ = traffic.send(traffic::Request::Rate(rate)).await;
    }
}

/// Where each command goes.
struct Desks {
    sync: mpsc::Sender<builtin::Request>,
    traffic: mpsc::Sender<traffic::Request>,
    verify: mpsc::Sender<verify::Request>,
    drift: watch::Sender<Option<DriftWatch>>,
    aside: mpsc::Sender<set_aside::Request>,
    edit: mpsc::Sender<edit::EditOrder>,
    bookmarks: mpsc::Sender<BookmarkQuestion>,
    wanted: watch::Sender<Option<detail::Wanted>>,
    compare: watch::Sender<Option<compared::Asked>>,
}

impl Desks {
    async fn dispatch(&self, command: Command) {
        use builtin::Request as Sync;
        use traffic::Request as Write;
        let to_sync = |request| async move {
            let _ = self.sync.send(request).await;
        };
        let to_traffic = |request| async move {
            let _ = self.traffic.send(request).await;
        };
        let to_verify = |request| async move {
            let _ = self.verify.send(request).await;
        };
        let to_aside = |request| async move {
            let _ = self.aside.send(request).await;
        };
        match command {
            Command::StartSync => to_sync(Sync::Start).await,
            Command::StopSync => to_sync(Sync::Stop).await,
            Command::PauseSync => to_sync(Sync::Pause(true)).await,
            Command::ResumeSync => to_sync(Sync::Pause(false)).await,
            Command::AddInstance => to_sync(Sync::AddInstance).await,
            Command::RemoveInstance => to_sync(Sync::RemoveInstance).await,
            Command::KillInstance => to_sync(Sync::KillInstance).await,
            Command::PlanRebuild(order) => to_sync(Sync::PlanRebuild(order)).await,
            Command::StartRebuild(order) => to_sync(Sync::Rebuild(order)).await,
            Command::PlanLeases(order) => to_sync(Sync::PlanLeases(order)).await,
            Command::DoLeases(order) => to_sync(Sync::DoLeases(order)).await,
            Command::SaveBookmark { name } => to_sync(Sync::SaveBookmark(name)).await,
            // Going back is for whoever may own the leases.
            Command::Bookmarks(question) => match question.ask {
                BookmarkAsk::PlanRestore(order) => to_sync(Sync::PlanRestore(question.request, order)).await,
                BookmarkAsk::Restore(order) => to_sync(Sync::Restore(question.request, order)).await,
                BookmarkAsk::List | BookmarkAsk::Compare(_) | BookmarkAsk::Delete(_) => {
                    let _ = self.bookmarks.send(question).await;
                }
            },
            Command::Verify { sample, grace } => to_verify(verify::Request::Verify { sample, grace }).await,
            Command::StopVerify => to_verify(verify::Request::Stop).await,
            Command::Repair { keys } => to_verify(verify::Request::Repair { keys }).await,
            Command::WatchDrift(how) => drop(self.drift.send_replace(how)),
            Command::PreviewMapping(trial) => to_aside(set_aside::Request::Preview(trial)).await,
            Command::DeadLetters(order) => to_aside(set_aside::Request::Letters(order)).await,
            Command::Edit(order) => drop(self.edit.send(order).await),
            Command::Insert(insert) => to_traffic(Write::Insert(insert)).await,
            Command::StopInserts => to_traffic(Write::Stop).await,
            Command::UndoInserts => to_traffic(Write::Undo).await,
            Command::PauseTraffic => to_traffic(Write::Pause(true)).await,
            Command::ResumeTraffic => to_traffic(Write::Pause(false)).await,
            Command::SetTraffic(rate) => to_traffic(Write::Rate(rate)).await,
            Command::Compare { request, comparison } => {
                self.compare.send_replace(Some((request, comparison)));
            }
            Command::ShowDocument { request, id, partition_key, key } => {
                self.wanted.send_replace(Some(detail::Wanted { request, id, partition_key, key }));
            }
            // Handled by the loop.
            Command::ExportLatency { .. }
            | Command::FindFiles { .. }
            | Command::ReportLatency
            | Command::SaveFile { .. }
            | Command::SplitPartition
            | Command::SpoilEntry { .. }
            | Command::Shutdown => {}
        }
    }
}

async fn tell_figures(shared: Arc<Shared>, cancel: CancellationToken) {
    let mut tick = beat(FIGURES);
    let mut dropped = 0;
    let (mut sent, mut moved, mut untold) = (0, true, 0);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => {}
        }
        let sent_before = std::mem::replace(&mut sent, shared.latency.sent_so_far());
        let moves = sent != sent_before || shared.latency.has_open();
        untold += 1;
        // Once more after the last probe: it may have ended since the tick before.
        if std::mem::replace(&mut moved, moves) || moves || untold >= AT_REST {
            untold = 0;
            let figures = shared.latency.snapshot(Instant::now(), Timestamp::now());
            shared.report.state(Event::Latency(figures)).await;
        }
        let now = shared.report.dropped();
        if now != dropped {
            dropped = now;
            shared.report.state(Event::Dropped(dropped)).await;
        }
    }
}
