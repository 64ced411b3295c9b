//! The one who writes: sample traffic and the jobs under way, beat by beat.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cosmos::{Container, CosmosError};
use crate::engine::Shared;
use crate::engine::command::Insert;
use crate::engine::event::{Event, Level, TrafficStatus};
use crate::engine::source::{Reconnect, SourceReceiver};
use crate::seed::{Generator, Scenario, SeedDocument, Traffic};
use crate::wording::counted;

use super::file::Rows;
use super::job::{Due, Job, Share, Work};
use super::ledger::Ledger;
use super::pace::{BURST, Pace};
use super::request::Request;
use super::write::{self, How};

/// A source that has to be created first must be there within this time.
const CREATE_WITHIN: Duration = Duration::from_secs(4);
/// Jobs under way at once.
const MOST_JOBS: usize = 8;
/// Longest scenario file.
const LONGEST_SCENARIO: u64 = 1 << 20;

pub(super) struct Writer {
    shared: Arc<Shared>,
    reconnect: Reconnect,
    traffic: Traffic,
    /// New products come after those that are there already.
    counted: bool,
    status: TrafficStatus,
    told: TrafficStatus,
    pace: Option<Pace>,
    jobs: Vec<Job>,
    job_numbers: u64,
    ledger: Ledger,
    last_failure: Option<Instant>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, reconnect: Reconnect, counted: bool) -> Self {
        let generator = Generator::new(shared.template.clone(), shared.seed);
        Self {
            shared,
            reconnect,
            traffic: Traffic::new(generator, 0),
            counted,
            status: TrafficStatus::default(),
            told: TrafficStatus { failed: u64::MAX, ..TrafficStatus::default() },
            pace: None,
            jobs: Vec::new(),
            job_numbers: 0,
            ledger: Ledger::default(),
            last_failure: None,
        }
    }

    /// Something has to be looked at every beat.
    pub(super) fn is_due(&self) -> bool {
        let rated = self.pace.is_some() || self.jobs.iter().any(Job::is_rated);
        (rated && !self.status.paused) || self.jobs.iter().any(|job| !job.is_rated())
    }

    /// Something goes as fast as the source takes it.
    pub(super) fn is_eager(&self) -> bool {
        self.jobs.iter().any(Job::is_eager)
    }

    pub(super) async fn serve(&mut self, source: &mut SourceReceiver, request: Request) {
        if request.writes() && !self.may_write().await {
            return;
        }
        match request {
            Request::Rate(rate) => {
                self.status.target_rate = rate.max(0.0);
                self.pace = (rate > 0.0).then(|| Pace::new(rate, Instant::now()));
            }
            Request::Pause(paused) => {
                self.status.paused = paused;
                let now = Instant::now();
                self.pace.iter_mut().for_each(|pace| pace.restart(now));
                self.jobs.iter_mut().for_each(|job| job.resume(now));
            }
            Request::Insert(insert) => self.insert(source, insert, true).await,
            Request::Fill(insert) => self.insert(source, insert, false).await,
            Request::Stop => {
                for job in std::mem::take(&mut self.jobs) {
                    self.end(job, true).await;
                }
            }
            Request::Undo => self.undo(source).await,
        }
        self.tell().await;
    }

    /// Writes what has become due.
    pub(super) async fn beat(&mut self, source: &mut SourceReceiver) {
        let Some(source) = source.borrow_and_update().as_ref().map(|found| found.monitored.clone()) else {
            // The source is away; it comes back by itself.
            return tokio::time::sleep(super::BEAT).await;
        };
        self.count(&source).await;
        if let Some(pace) = self.pace.as_mut().filter(|_| !self.status.paused) {
            let (moments, given_up) = pace.due(Instant::now(), BURST);
            self.status.behind += given_up;
            let due: Vec<Due> = moments
                .into_iter()
                .filter_map(|at| Some(Due { document: self.traffic.next()?, intended: Some(at) }))
                .collect();
            self.write(&source, due, true, false).await;
        }
        let mut place = 0;
        while place < self.jobs.len() {
            if self.status.paused && self.jobs[place].is_rated() {
                place += 1;
                continue;
            }
            let share = self.jobs[place].share(&mut self.traffic, Instant::now());
            let ended = share.ended;
            self.do_share(&source, place, share).await;
            if ended {
                let job = self.jobs.remove(place);
                self.end(job, false).await;
            } else {
                place += 1;
            }
        }
        if self.is_eager() {
            self.tell().await;
        }
    }

    async fn do_share(&mut self, source: &Container, place: usize, share: Share) {
        let (timed, recorded) = (self.jobs[place].timed, self.jobs[place].recorded);
        self.status.behind += share.given_up;
        let count = share.due.len() as u64;
        let failed = self.write(source, share.due, timed, recorded).await;
        let status = &mut self.jobs[place].status;
        status.done += count - failed;
        status.failed += failed;
        if !share.back.is_empty() {
            self.take_back(source, place, share.back).await;
        }
        for text in share.told {
            self.shared.report.log(Level::Warning, "insert", text).await;
        }
    }

    async fn take_back(&mut self, source: &Container, place: usize, back: Vec<super::ledger::Written>) {
        let undone = write::back(&self.shared, source, back).await;
        let status = &mut self.jobs[place].status;
        status.done += undone.deleted + undone.restored + undone.gone;
        status.failed += undone.changed.len() as u64 + undone.failed.len() as u64;
        let report = &self.shared.report;
        if let Some(first) = undone.changed.first() {
            let text = match undone.changed.len() {
                1 => format!("not undone: {first} was changed by somebody else since; it stays as it is"),
                n => format!(
                    "not undone: {} were changed by somebody else since ({first}, …); they stay as they are",
                    counted(n, "document")
                ),
            };
            report.log(Level::Warning, "insert", text).await;
        }
        if let Some((written, error)) = undone.failed.first() {
            let text = format!(
                "{:?} was not undone: {}; {}; u tries again",
                written.id,
                error.cause(),
                error.remedy()
            );
            report.log(Level::Error, "insert", text).await;
        }
        for (written, _) in undone.failed {
            self.ledger.give_back(written);
        }
    }

    /// Tells how a job went.
    async fn end(&mut self, job: Job, stopped: bool) {
        let mut status = job.status;
        status.stopped = stopped;
        let seconds = jiff::Timestamp::now().duration_since(status.since).as_secs_f64().max(0.0);
        let refused = if status.failed > 0 { format!(", {} refused", status.failed) } else { String::new() };
        let text = match &job.work {
            Work::Undo { .. } => format!(
                "undo: {} taken back{}",
                counted(status.done, "document"),
                if status.failed > 0 { format!(", {} not", status.failed) } else { String::new() }
            ),
            _ if stopped => {
                let done = counted(status.done, "document");
                format!("{} stopped: what was written stays, {done}{refused}", status.label)
            }
            Work::Batch { .. } => {
                format!("inserted {} in {seconds:.1} s{refused}", counted(status.done, "document"))
            }
            _ => {
                let done = counted(status.done, "document");
                format!("{}: inserted {done} in {seconds:.1} s{refused}", status.label)
            }
        };
        let level = if status.failed > 0 { Level::Warning } else { Level::Info };
        self.shared.report.log(level, "insert", text).await;
        self.status.last = Some(status);
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

    async fn refuse(&self, text: impl Into<String>) {
        self.shared.report.log(Level::Error, "insert", text).await;
    }

    async fn insert(&mut self, source: &mut SourceReceiver, insert: Insert, timed: bool) {
        let Some(source) = self.source(source).await else {
            return self
                .refuse("nothing was inserted: the source is not there; try again when Cosmos is connected")
                .await;
        };
        if let Insert::One { json } = insert {
            return self.one(&source, json, timed).await;
        }
        if self.jobs.len() >= MOST_JOBS {
            return self
                .refuse("nothing was inserted: too many inserts are under way; stop them with X")
                .await;
        }
        let (label, total, work) = match insert {
            Insert::One { .. } => return,
            Insert::Generated { count } => ("a batch".to_owned(), Some(count), Work::Batch { left: count }),
            Insert::Rated { count, per_second } => (
                format!("a batch at {per_second}/s"),
                Some(count),
                Work::Rated { left: count, pace: Pace::new(per_second, Instant::now()) },
            ),
            Insert::Scenario(scenario) => plan(scenario),
            Insert::ScenarioFile { path } => match read_scenario(&path).await {
                Ok(scenario) => plan(Box::new(scenario)),
                Err(problem) => return self.refuse(format!("no scenario in {path}: {problem}")).await,
            },
            Insert::File { path } => match Rows::open(&path).await {
                Ok(rows) => (rows.name().to_owned(), None, Work::File { rows }),
                Err(error) => return self.refuse(format!("cannot read {path}: {error}")).await,
            },
        };
        self.job_numbers += 1;
        let mut job = Job::new(self.job_numbers, label, total, work);
        (job.timed, job.recorded) = (timed, timed);
        self.jobs.push(job);
    }

    async fn one(&mut self, source: &Container, json: String, timed: bool) {
        let id = serde_json::from_str::<serde_json::Value>(&json)
            .ok()
            .and_then(|value| value.get("id").and_then(|id| id.as_str()).map(str::to_owned))
            .unwrap_or_default();
        let due = Due::now(SeedDocument { id: id.clone(), json });
        if self.write(source, vec![due], timed, timed).await == 0 {
            self.shared.report.log(Level::Info, "insert", format!("inserted {id}")).await;
        }
    }

    async fn undo(&mut self, source: &mut SourceReceiver) {
        if !self.jobs.is_empty() {
            return self.refuse("nothing was undone: an insert is under way; stop it with X first").await;
        }
        if self.source(source).await.is_none() {
            return self.refuse("nothing was undone: the source is not there; try again").await;
        }
        let left = self.ledger.take();
        if left.is_empty() {
            return self.refuse("nothing to undo: no insert of this session is left").await;
        }
        self.job_numbers += 1;
        let total = Some(left.len() as u64);
        let mut job = Job::new(self.job_numbers, "undo".to_owned(), total, Work::Undo { left });
        (job.timed, job.recorded) = (false, false);
        self.jobs.push(job);
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

    /// Writes documents; gives how many were refused.
    async fn write(&mut self, source: &Container, due: Vec<Due>, timed: bool, recorded: bool) -> u64 {
        if due.is_empty() {
            return 0;
        }
        let how = How { shared: &self.shared, source, timed, ledger: recorded.then_some(&self.ledger) };
        let results = write::all(how, due).await;
        let mut failed = 0;
        let mut first: Option<(String, CosmosError)> = None;
        for (id, result) in results {
            match result {
                Ok(()) => self.status.written += 1,
                Err(error) => {
                    failed += 1;
                    first = first.or(Some((id, error)));
                }
            }
        }
        self.status.failed += failed;
        if let Some((id, error)) = first
            && self.last_failure.is_none_or(|at| at.elapsed() > Duration::from_secs(2))
        {
            self.last_failure = Some(Instant::now());
            let text = format!("{id:?} was not written: {}", error.with_remedy());
            self.shared.report.log(Level::Error, "insert", text).await;
        }
        failed
    }

    pub(super) async fn tell(&mut self) {
        self.status.undoable = self.ledger.figures();
        self.status.jobs = self.jobs.iter().map(|job| job.status.clone()).collect();
        if self.told != self.status {
            self.told = self.status.clone();
            self.shared.report.state(Event::Traffic(self.status.clone())).await;
        }
    }
}

/// Its number of writes is known when the products are counted.
fn plan(scenario: Box<Scenario>) -> (String, Option<u64>, Work) {
    let label = format!("scenario {}", scenario.name);
    (label, None, Work::Scenario { scenario, timeline: None, passed: Duration::ZERO, last: None })
}

/// Reads a scenario of the user's own.
async fn read_scenario(path: &str) -> Result<Scenario, String> {
    let about = tokio::fs::metadata(path).await.map_err(|error| error.to_string())?;
    if about.len() > LONGEST_SCENARIO {
        return Err("it is longer than 1 MB".to_owned());
    }
    let text = tokio::fs::read_to_string(path).await.map_err(|error| error.to_string())?;
    Scenario::parse(path, &text).map_err(|error| error.to_string())
}
