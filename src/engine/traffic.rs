//! Writes to the source: single documents, generated batches, rated inserts, sample traffic. Every
//! one of them is a probe whose way into the cache is timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::cosmos::{Container, CosmosError, PartitionKey};
use crate::engine::Shared;
use crate::engine::command::Insert;
use crate::engine::event::{Event, Level, TrafficStatus};
use crate::engine::source::{Reconnect, SourceReceiver};
use crate::seed::{Generator, SeedDocument, Traffic};

/// Writes in flight at once.
const CONCURRENCY: usize = 64;
/// Requests waiting: single inserts come from a person, batches are one request each.
const REQUESTS: usize = 32;
/// How often traffic looks at its rate: 50 writes/s are then single writes, not bursts.
const BEAT: Duration = Duration::from_millis(10);
/// Most writes of one beat: a rate beyond what the source takes does not pile up.
const BURST: f64 = 256.0;

/// A source that has to be created first must be there within this time.
const CREATE_WITHIN: Duration = Duration::from_secs(4);

/// What the writer of documents is asked for.
#[derive(Debug)]
pub(super) enum Request {
    /// Write these, and time them.
    Insert(Insert),
    /// Write these first documents, and do not time them.
    Fill(Insert),
    /// Sample traffic at this many writes per second; 0 ends it.
    Rate(f64),
    /// Hold everything that is rated.
    Pause(bool),
}

impl Request {
    /// Whether documents are written for it.
    fn writes(&self) -> bool {
        match self {
            Self::Insert(_) | Self::Fill(_) => true,
            Self::Rate(rate) => *rate > 0.0,
            Self::Pause(_) => false,
        }
    }
}

/// Sends requests to the writer.
pub(super) type Requests = mpsc::Sender<Request>;

/// The channel between engine and writer.
pub(super) fn channel() -> (Requests, mpsc::Receiver<Request>) {
    mpsc::channel(REQUESTS)
}

/// Runs until cancelled.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut source: SourceReceiver,
    mut requests: mpsc::Receiver<Request>,
    reconnect: Reconnect,
    first_id_is_one: bool,
    cancel: CancellationToken,
) {
    let mut writer = Writer::new(Arc::clone(&shared), reconnect, first_id_is_one);
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tell = tokio::time::interval(Duration::from_millis(500));
    loop {
        let rated = writer.is_rated();
        tokio::select! {
            () = cancel.cancelled() => return,
            request = requests.recv() => match request {
                None => return,
                Some(request) if request.writes() && !writer.may_write().await => drop(request),
                Some(Request::Rate(rate)) => { writer.set_rate(rate); writer.tell().await; }
                Some(Request::Pause(paused)) => { writer.status.paused = paused; writer.tell().await; }
                Some(Request::Insert(Insert::Rated { count, per_second })) => writer.start_rated(count, per_second),
                Some(Request::Insert(insert)) => tokio::select! {
                    () = cancel.cancelled() => return,
                    () = writer.serve(&mut source, insert, true) => {}
                },
                Some(Request::Fill(insert)) => tokio::select! {
                    () = cancel.cancelled() => return,
                    () = writer.serve(&mut source, insert, false) => {}
                },
            },
            _ = beat.tick(), if rated => {
                let found = source.borrow_and_update().clone();
                if let Some(found) = found {
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = writer.beat(&found.monitored) => {}
                    }
                }
            }
            _ = tell.tick() => writer.tell().await,
        }
    }
}

struct Rated {
    left: u64,
    per_second: f64,
    due: f64,
}

struct Writer {
    shared: Arc<Shared>,
    reconnect: Reconnect,
    traffic: Traffic,
    /// New products come after those that are there already.
    counted: bool,
    status: TrafficStatus,
    told: TrafficStatus,
    last_beat: Option<Instant>,
    due: f64,
    rated: Option<Rated>,
    last_failure: Option<Instant>,
    /// What is written is a probe.
    timed: bool,
}

impl Writer {
    fn new(shared: Arc<Shared>, reconnect: Reconnect, counted: bool) -> Self {
        let generator = Generator::new(shared.template.clone(), shared.seed);
        Self {
            shared,
            reconnect,
            traffic: Traffic::new(generator, 0),
            counted,
            status: TrafficStatus::default(),
            told: TrafficStatus { failed: u64::MAX, ..TrafficStatus::default() },
            last_beat: None,
            due: 0.0,
            rated: None,
            last_failure: None,
            timed: true,
        }
    }

    fn is_rated(&self) -> bool {
        !self.status.paused && (self.status.target_rate > 0.0 || self.rated.is_some())
    }

    fn set_rate(&mut self, rate: f64) {
        self.status.target_rate = rate.max(0.0);
        self.last_beat = None;
    }

    fn start_rated(&mut self, count: u64, per_second: f64) {
        self.rated = Some(Rated { left: count, per_second, due: 0.0 });
        self.last_beat = None;
    }

    /// Writes what has become due since the last beat.
    async fn beat(&mut self, source: &Container) {
        self.count(source).await;
        let now = Instant::now();
        let passed = self.last_beat.replace(now).map_or(BEAT, |last| now.duration_since(last));
        let seconds = passed.min(Duration::from_secs(1)).as_secs_f64();
        let mut documents = Vec::new();
        self.due = (self.due + seconds * self.status.target_rate).min(BURST);
        while self.due >= 1.0 {
            self.due -= 1.0;
            documents.extend(self.traffic.next());
        }
        if let Some(rated) = &mut self.rated {
            rated.due = (rated.due + seconds * rated.per_second).min(BURST);
            while rated.due >= 1.0 && rated.left > 0 {
                rated.due -= 1.0;
                rated.left -= 1;
                documents.push(self.traffic.new_product());
            }
            if rated.left == 0 {
                self.rated = None;
            }
        }
        self.write(source, documents).await;
    }

    /// Writes go to this machine, and to hosts that the user has named.
    async fn may_write(&self) -> bool {
        let settings = &self.shared.settings;
        match settings.may_write_to(settings.cosmos.endpoint.host_str().unwrap_or_default()) {
            Ok(()) => true,
            Err(error) => {
                self.shared.report.log(Level::Error, "insert", error.to_string()).await;
                false
            }
        }
    }

    /// The source; one that does not exist yet is created.
    async fn source(&self, source: &mut SourceReceiver) -> Option<Container> {
        if source.borrow().is_none() {
            self.shared.want_source();
            self.reconnect.ask();
        }
        let found = tokio::time::timeout(CREATE_WITHIN, source.wait_for(Option::is_some)).await;
        found.ok()?.ok()?.as_ref().map(|found| found.monitored.clone())
    }

    /// One request, timed as probes or not.
    async fn serve(&mut self, source: &mut SourceReceiver, insert: Insert, timed: bool) {
        let Some(source) = self.source(source).await else {
            let text = "nothing was inserted: the source is not there; try again when Cosmos is connected";
            return self.shared.report.log(Level::Error, "insert", text).await;
        };
        self.timed = timed;
        self.insert(&source, insert).await;
        self.timed = true;
        self.tell().await;
    }

    /// Before the first generated document: look how many are there, so as not to overwrite them.
    async fn count(&mut self, source: &Container) {
        if !self.counted {
            match source.count().await {
                Ok(existing) => {
                    self.traffic.continue_after(existing);
                    self.counted = true;
                }
                Err(error) => tracing::debug!("documents not counted: {error}"),
            }
        }
    }

    async fn insert(&mut self, source: &Container, insert: Insert) {
        if !matches!(insert, Insert::One { .. }) {
            self.count(source).await;
        }
        match insert {
            Insert::One { json } => {
                let id = serde_json::from_str::<serde_json::Value>(&json)
                    .ok()
                    .and_then(|value| value.get("id").and_then(|id| id.as_str()).map(str::to_owned))
                    .unwrap_or_default();
                let before = self.status.failed;
                self.write(source, vec![SeedDocument { id: id.clone(), json }]).await;
                if self.status.failed == before {
                    self.shared.report.log(Level::Info, "insert", format!("inserted {id}")).await;
                }
            }
            Insert::Generated { count } => {
                let start = Instant::now();
                let before = self.status.failed;
                let mut left = count;
                while left > 0 {
                    let chunk = left.min(1_000);
                    let documents = (0..chunk).map(|_| self.traffic.new_product()).collect();
                    self.write(source, documents).await;
                    left -= chunk;
                    self.tell().await;
                }
                let failed = self.status.failed - before;
                let text = format!(
                    "inserted {} documents in {:.1} s{}",
                    count - failed,
                    start.elapsed().as_secs_f64(),
                    if failed > 0 { format!(", {failed} refused") } else { String::new() }
                );
                let level = if failed > 0 { Level::Warning } else { Level::Info };
                self.shared.report.log(level, "insert", text).await;
            }
            Insert::Rated { count, per_second } => self.start_rated(count, per_second),
        }
    }

    async fn write(&mut self, source: &Container, documents: Vec<SeedDocument>) {
        if documents.is_empty() {
            return;
        }
        let (shared, timed) = (&self.shared, self.timed);
        let results: Vec<(String, Result<(), CosmosError>)> = futures::stream::iter(documents)
            .map(|document| async move {
                let result = write_one(shared, source, &document, timed).await;
                (document.id, result)
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut first = None;
        for (id, result) in results {
            match result {
                Ok(()) => self.status.written += 1,
                Err(error) => {
                    self.status.failed += 1;
                    first = first.or(Some((id, error)));
                }
            }
        }
        if let Some((id, error)) = first
            && self.last_failure.is_none_or(|at| at.elapsed() > Duration::from_secs(2))
        {
            self.last_failure = Some(Instant::now());
            let text = format!("{id:?} was not written: {}; {}", error.cause(), error.remedy());
            self.shared.report.log(Level::Error, "insert", text).await;
        }
    }

    async fn tell(&mut self) {
        if self.told != self.status {
            self.told = self.status.clone();
            self.shared.report.state(Event::Traffic(self.status.clone())).await;
        }
    }
}

/// Upserts one document, and times it as a probe if asked.
async fn write_one(
    shared: &Shared,
    source: &Container,
    document: &SeedDocument,
    timed: bool,
) -> Result<(), CosmosError> {
    let key = PartitionKey::of_document(document.json.as_bytes(), source.partition_key_paths())?;
    if !timed {
        return source.upsert(&key, document.json.as_bytes()).await.map(|_| ());
    }
    shared.latency.sent(&document.id, Instant::now());
    match source.upsert(&key, document.json.as_bytes()).await {
        Ok(receipt) => {
            shared.latency.acknowledged(&document.id, &receipt.etag, Instant::now());
            Ok(())
        }
        Err(error) => {
            shared.latency.refused(&document.id, Instant::now());
            Err(error)
        }
    }
}
