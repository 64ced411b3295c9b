//! Verify and repair as the screen and the command line order them: one at a time, on the servers
//! of this engine. The findings of the last run are kept (up to a cap) for a repair.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cache::CacheClient;
use crate::lease::LeaseStore;
use crate::sync::CacheWriter;
use crate::sync::verify::{Finding, Repaired, Repairer, Verifier, VerifyNews, VerifyOptions};
use crate::wording::{count, counted};

use super::event::{Event, Level, RepairCounts, VerifyPhase, VerifyStatus};
use super::observe::leases::prefix;
use super::source::{Source, SourceReceiver};
use super::{NO_SOURCE, Shared};

/// News on their way from the verification: rows are told in the order found.
const NEWS: usize = 256;
/// Findings kept for a repair; further ones are counted, and found again by the next run.
pub(super) const KEPT: usize = 100_000;
/// How long to wait for the source: a subcommand orders before the connection is there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Findings repaired before progress is told.
const CHUNK: usize = 256;

/// What the verifier is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    Verify { sample: Option<u64>, grace: Option<Duration> },
    Stop,
    Repair { keys: Option<Vec<String>> },
}

/// Runs until cancelled.
pub(super) async fn run(
    shared: Arc<Shared>,
    source: SourceReceiver,
    mut requests: mpsc::Receiver<Request>,
    cancel: CancellationToken,
) {
    let mut desk = Desk { shared, source, findings: Vec::new(), status: VerifyStatus::default() };
    let mut next = None;
    loop {
        let waiting = async {
            match next.take() {
                Some(request) => Some(request),
                None => requests.recv().await,
            }
        };
        let request = tokio::select! {
            () = cancel.cancelled() => return,
            request = waiting => match request { Some(request) => request, None => return },
        };
        let work = async {
            match request {
                Request::Verify { sample, grace } => Box::pin(desk.verify(sample, grace)).await,
                Request::Repair { keys } => Box::pin(desk.repair(keys)).await,
                Request::Stop => {}
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = work => continue,
            // A new request ends the one under way.
            request = requests.recv() => match request { Some(request) => next = Some(request), None => return },
        }
        desk.stopped().await;
    }
}

/// What to compare with what, once the source is there.
pub(super) async fn verifier(shared: &Shared, mut source: SourceReceiver) -> Result<Verifier, String> {
    let found = tokio::time::timeout(PATIENCE, source.wait_for(Option::is_some)).await;
    let source: Option<Source> = found.ok().and_then(Result::ok).and_then(|found| found.clone());
    let source = source.ok_or(NO_SOURCE)?;
    let cache = CacheClient::connect(&shared.settings.redis).await.map_err(|error| error.with_remedy())?;
    let leases = match source.leases.clone().map(LeaseStore::new) {
        Some(Ok(store)) => Some((store, prefix(shared, &source))),
        Some(Err(error)) => return Err(error.with_remedy()),
        None => None,
    };
    Ok(Verifier {
        source: source.monitored,
        cache,
        mapping: Arc::clone(&shared.mapping),
        leases,
        expiration: shared.settings.sync.expiration_interval,
    })
}

struct Desk {
    shared: Arc<Shared>,
    source: SourceReceiver,
    findings: Vec<Finding>,
    status: VerifyStatus,
}

impl Desk {
    async fn tell(&self) {
        self.shared.report.state(Event::Verify(self.status.clone())).await;
    }

    async fn failed(&mut self, reason: String) {
        self.shared.report.log(Level::Error, "verify", reason.clone()).await;
        self.status.phase = VerifyPhase::Failed { reason };
        self.tell().await;
    }

    async fn stopped(&mut self) {
        if matches!(self.status.phase, VerifyPhase::Comparing | VerifyPhase::Repairing) {
            self.status.phase = VerifyPhase::Failed { reason: "stopped before the end".to_owned() };
            self.tell().await;
        }
    }

    async fn verify(&mut self, sample: Option<u64>, grace: Option<Duration>) {
        self.findings.clear();
        self.status = VerifyStatus { sample, ..VerifyStatus::default() };
        self.tell().await;
        let verifier = match verifier(&self.shared, self.source.clone()).await {
            Ok(verifier) => verifier,
            Err(reason) => return self.failed(reason).await,
        };
        let options = VerifyOptions { sample, grace: grace.unwrap_or_else(|| self.shared.grace()) };
        let (news, mut told) = mpsc::channel(NEWS);
        let run = verifier.run(options, news);
        tokio::pin!(run);
        let done = loop {
            tokio::select! {
                done = &mut run => break done,
                Some(news) = told.recv() => self.hear(news).await,
            }
        };
        while let Ok(news) = told.try_recv() {
            self.hear(news).await;
        }
        match done {
            Err(error) => self.failed(error.to_string()).await,
            Ok(summary) => {
                let text = if summary.is_in_step() {
                    format!("verified: {} in step", counted(summary.documents, "document"))
                } else {
                    format!(
                        "verified: entries of {} of {} are wrong, {}",
                        count(summary.findings() - summary.orphans),
                        counted(summary.documents, "document"),
                        counted(summary.orphans, "orphan")
                    )
                };
                let level = if summary.is_in_step() { Level::Info } else { Level::Warning };
                self.shared.report.log(level, "verify", text).await;
                self.status.summary = summary;
                self.status.phase = VerifyPhase::Done;
                self.tell().await;
            }
        }
    }

    async fn hear(&mut self, news: VerifyNews) {
        match news {
            VerifyNews::Progress(summary) => {
                self.status.summary = summary;
                self.tell().await;
            }
            VerifyNews::Passed => {}
            VerifyNews::Found(finding) => {
                if self.findings.len() < KEPT {
                    self.findings.push((*finding).clone());
                }
                self.shared.report.state(Event::Finding(finding)).await;
            }
        }
    }

    async fn repair(&mut self, keys: Option<Vec<String>>) {
        self.status.repair = RepairCounts::default();
        self.status.phase = VerifyPhase::Repairing;
        let redis = &self.shared.settings.redis;
        if let Err(error) = self.shared.settings.may_write_to(&redis.host) {
            return self.failed(error.to_string()).await;
        }
        let verifier = match verifier(&self.shared, self.source.clone()).await {
            Ok(verifier) => verifier,
            Err(reason) => return self.failed(reason).await,
        };
        let chosen: Vec<Finding> = match keys {
            None => std::mem::take(&mut self.findings),
            Some(keys) => self.findings.extract_if(.., |finding| keys.contains(&finding.key)).collect(),
        };
        self.status.repair.total = chosen.len() as u64;
        self.tell().await;
        let writer =
            CacheWriter::new(redis.clone(), Arc::clone(&self.shared.mapping), self.shared.latency.clone());
        let repairer = Repairer::new(&verifier, &writer);
        let mut chosen = chosen.into_iter();
        loop {
            let chunk: Vec<Finding> = chosen.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            let mut left = Vec::new();
            let counts = &mut self.status.repair;
            let done = repairer
                .repair(chunk, |finding, outcome| match outcome {
                    Repaired::Written => counts.written += 1,
                    Repaired::Deleted => counts.deleted += 1,
                    Repaired::WasRight => counts.was_right += 1,
                    Repaired::Left(reason) => {
                        counts.left += 1;
                        left.push(format!("{:?} is left as it is: {reason}", finding.key));
                    }
                })
                .await;
            for text in left.into_iter().take(8) {
                self.shared.report.log(Level::Warning, "verify", text).await;
            }
            if let Err(error) = done {
                return self.failed(error.to_string()).await;
            }
            self.tell().await;
        }
        let counts = &self.status.repair;
        let text = format!(
            "repaired: {} written, {} deleted, {} were right already, {} left",
            counts.written, counts.deleted, counts.was_right, counts.left
        );
        self.shared.report.log(Level::Info, "verify", text).await;
        self.status.phase = VerifyPhase::Repaired;
        self.tell().await;
    }
}
