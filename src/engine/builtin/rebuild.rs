//! Rebuilds: the plan, the deed step by step, and the verification that ends it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Builtin;
use super::holding::Holding;
use super::proving::Proving;
use super::waiting::names;
use crate::cache::CacheClient;
use crate::config::StartPosition;
use crate::cosmos::{Container, CosmosError};
use crate::engine::Shared;
use crate::engine::command::{RebuildMode, RebuildOrder};
use crate::engine::event::{Event, Level, ProofKind, RebuildPhase, RebuildReport, RebuildStatus, SyncPhase};
use crate::engine::observe::leases::prefix;
use crate::engine::rate::Rate;
use crate::engine::source::SourceReceiver;
use crate::engine::verify::verifier;
use crate::lease::{LeasePrefix, LeaseStore};
use crate::sync::verify::{Finding, Repaired, Repairer, Summary, VerifyNews, VerifyOptions};
use crate::sync::{CacheWriter, delete_leases, flush_keys, leases_to_delete, reset_leases};
use crate::wording::{count, counted};

/// Findings on their way from the verification.
const NEWS: usize = 256;
/// Findings kept for mending; more than that are told by the next verification.
const KEPT: usize = 100_000;

/// A rebuild that is replaying.
pub(super) struct Replay {
    pub(super) started: Instant,
    before: u64,
    total: Option<u64>,
    rate: Rate,
    /// The sync was off before: it goes back to that.
    stop_after: bool,
    mode: RebuildMode,
    whole: bool,
}

/// A rebuild that has replayed, and compares everything.
pub(super) struct Closing {
    replay: Replay,
    done: u64,
    progress: watch::Receiver<Summary>,
    /// One task; ends with this.
    task: JoinSet<Result<RebuildReport, String>>,
}

impl Builtin {
    pub(super) async fn rebuild(&mut self, order: RebuildOrder) {
        if self.replay.is_some() || self.closing.is_some() {
            return;
        }
        let plan = self.plan(order.clone()).await;
        let foreign = names(&plan.foreign_owners);
        if plan.refused.is_none() && !foreign.is_empty() && order.wait && !order.take_over {
            return self.wait_for_owners(order, &plan.foreign_owners).await;
        }
        self.waiting = None;
        let began = Instant::now();
        let whole = order.only.is_empty();
        let refused = plan.refused.clone().or_else(|| {
            (!foreign.is_empty() && !order.take_over).then(|| {
                format!("{foreign} owns leases now: stop that processor first, or confirm the take-over")
            })
        });
        if let Some(reason) = refused {
            return self.rebuild_failed(began, reason).await;
        }
        let stop_after = !self.wanted;
        self.tell_phase(RebuildPhase::Stopping, began, plan.documents).await;
        self.tell_status(Some(SyncPhase::Rebuilding)).await;
        self.stop().await;
        self.remove_old_markers().await;
        self.tell_phase(RebuildPhase::Deleting, began, plan.documents).await;
        let start = match order.mode {
            RebuildMode::Since(time) => StartPosition::At(time),
            RebuildMode::Refill | RebuildMode::Flush => StartPosition::Beginning,
        };
        if let Err(reason) = self.prepare_leases(&order, start).await {
            return self.rebuild_failed(began, reason).await;
        }
        if order.mode == RebuildMode::Flush {
            self.tell_phase(RebuildPhase::Flushing, began, plan.documents).await;
            match self.flush().await {
                Ok(deleted) => {
                    let text = format!("{} of the mapping deleted", counted(deleted, "key"));
                    self.shared.report.log(Level::Info, "rebuild", text).await;
                }
                Err(reason) => {
                    let reason =
                        format!("leases deleted, but the keys are not: {reason}; start the rebuild again");
                    return self.rebuild_failed(began, reason).await;
                }
            }
        }
        self.wanted = true;
        let before = self.writer.delivered();
        // Only now: what the workers before this rebuild might deliver would prove nothing.
        let proving = match plan.proof {
            ProofKind::Markers => Proving::Markers,
            ProofKind::Lsns { .. } => Proving::Lsns,
        };
        self.start(start, proving).await;
        if self.processors.is_empty() {
            let reason = self.problem.clone().unwrap_or_else(|| "the sync did not start".to_owned());
            return self.rebuild_failed(began, format!("leases deleted, but {reason}; start again")).await;
        }
        let leases = counted(if whole { plan.delete.len() } else { order.only.len() }, "lease document");
        let text = match order.mode {
            RebuildMode::Since(time) => {
                format!("rebuild started: {leases}, replaying from {time}")
            }
            _ => format!("rebuild started: {leases} deleted, replaying from the beginning"),
        };
        self.shared.report.log(Level::Info, "rebuild", text).await;
        self.replay = Some(Replay {
            started: began,
            before,
            total: plan.documents,
            rate: Rate::default(),
            stop_after,
            mode: order.mode,
            whole,
        });
    }

    /// All leases of the prefix go, or the chosen ones go back to the start.
    async fn prepare_leases(&mut self, order: &RebuildOrder, start: StartPosition) -> Result<(), String> {
        let Some(source) = self.source() else {
            return Err("the source went away; the leases are untouched".to_owned());
        };
        let Some(leases) = source.leases.clone() else { return Ok(()) };
        let prefix = prefix(&self.shared, &source);
        let tell = |error: CosmosError| format!("leases not deleted: {}", error.with_remedy());
        if order.only.is_empty() {
            return delete_all(leases, &prefix, &self.ours()).await.map_err(tell);
        }
        let store = LeaseStore::new(leases).map_err(tell)?;
        let from_beginning = start == StartPosition::Beginning;
        match reset_leases(&store, &prefix, &order.only, from_beginning).await.map_err(tell)? {
            Ok(_) => Ok(()),
            Err(unknown) => Err(format!("no lease {unknown:?}; `syncscope watch leases` names them")),
        }
    }

    async fn flush(&self) -> Result<u64, String> {
        let tell = |error: crate::cache::CacheError| error.with_remedy();
        let cache = CacheClient::connect(&self.shared.settings.redis).await.map_err(tell)?;
        flush_keys(&cache, &self.shared.mapping).await.map_err(tell)
    }

    pub(super) async fn rebuild_failed(&mut self, began: Instant, reason: String) {
        self.shared.report.log(Level::Error, "rebuild", reason.clone()).await;
        self.tell_phase(RebuildPhase::Failed { reason }, began, None).await;
    }

    pub(super) async fn tell_phase(&self, phase: RebuildPhase, began: Instant, total: Option<u64>) {
        self.tell_rebuild(phase, began, (0, total), 0.0, None).await;
    }

    async fn tell_rebuild(
        &self,
        phase: RebuildPhase,
        began: Instant,
        (done, total): (u64, Option<u64>),
        rate: f64,
        report: Option<RebuildReport>,
    ) {
        let total = total.map(|total| total.max(done));
        let left = total
            .filter(|_| rate > 1.0)
            .map(|total| Duration::from_secs_f64(total.saturating_sub(done) as f64 / rate));
        let elapsed = began.elapsed();
        let proving = matches!(phase, RebuildPhase::Replaying | RebuildPhase::Verifying | RebuildPhase::Done);
        let proof = proving.then(|| Box::new(self.proof.status(Holding::of(&self.statuses()).leases)));
        let status = RebuildStatus { phase, done, total, rate, left, elapsed, proof, report };
        self.shared.report.state(Event::Rebuild(status)).await;
    }

    /// Progress of a replay; its end is when every lease has passed what was there at its start.
    pub(super) async fn follow_replay(&mut self) {
        let idle = self.idle();
        let Some(replay) = &mut self.replay else { return };
        let done = self.writer.delivered().saturating_sub(replay.before);
        let recent = replay.rate.read(Instant::now(), done);
        let (began, total) = (replay.started, replay.total);
        if self.processors.is_empty() {
            self.replay = None;
            return self
                .rebuild_failed(began, "stopped before it was through; start it again".to_owned())
                .await;
        }
        if !idle {
            return self.tell_rebuild(RebuildPhase::Replaying, began, (done, total), recent, None).await;
        }
        let Some(replay) = self.replay.take() else { return };
        if self.proof.lost() > 0 {
            let text = format!(
                "{} of {} did not come out in the cache although their leases have passed them: somebody who delivers that range drops changes",
                self.proof.lost(),
                counted(self.proof.markers(), "marker")
            );
            self.shared.report.log(Level::Warning, "rebuild", text).await;
        }
        self.remove_markers().await;
        let mend = replay.whole && !matches!(replay.mode, RebuildMode::Since(_));
        let (out, progress) = watch::channel(Summary::default());
        let mut task = JoinSet::new();
        task.spawn(compare(Arc::clone(&self.shared), self.source.clone(), mend, out));
        self.closing = Some(Closing { replay, done, progress, task });
    }

    /// Progress and end of the verification after a replay.
    pub(super) async fn follow_closing(&mut self) {
        let Some(closing) = &mut self.closing else { return };
        let (began, done) = (closing.replay.started, closing.done);
        let Some(ended) = closing.task.try_join_next() else {
            let seen = closing.progress.borrow().clone();
            let counts = (seen.documents, seen.total);
            return self.tell_rebuild(RebuildPhase::Verifying, began, counts, 0.0, None).await;
        };
        let Some(Closing { replay, .. }) = self.closing.take() else { return };
        if replay.stop_after {
            self.wanted = false;
            self.stop().await;
        }
        let report = match ended {
            Ok(Ok(report)) => RebuildReport { markers: self.proof.markers(), ..report },
            Ok(Err(reason)) => {
                let reason = format!("{} replayed, but not verified: {reason}", counted(done, "document"));
                return self.rebuild_failed(began, reason).await;
            }
            Err(error) => return self.rebuild_failed(began, format!("not verified: {error}")).await,
        };
        let seconds = began.elapsed().as_secs_f64();
        let text = format!(
            "rebuild done: {} in {seconds:.1} s; verified {}, {} swept, {} mended, {} left",
            counted(done, "document"),
            count(report.verified.documents),
            count(report.swept),
            count(report.mended),
            count(report.left)
        );
        let level = if report.left > 0 { Level::Warning } else { Level::Info };
        self.shared.report.log(level, "rebuild", text).await;
        let average = done as f64 / seconds.max(1e-3);
        self.tell_rebuild(RebuildPhase::Done, began, (done, replay.total), average, Some(report)).await;
    }
}

/// Compares everything; with `mend` orphans are swept and what is wrong is written again.
async fn compare(
    shared: Arc<Shared>,
    source: SourceReceiver,
    mend: bool,
    progress: watch::Sender<Summary>,
) -> Result<RebuildReport, String> {
    let verifier = verifier(&shared, source).await?;
    let (news, mut told) = mpsc::channel(NEWS);
    let mut findings: Vec<Finding> = Vec::new();
    let options = VerifyOptions { sample: None, grace: shared.grace() };
    let listening = async {
        while let Some(news) = told.recv().await {
            match news {
                VerifyNews::Progress(summary) => drop(progress.send_replace(summary)),
                VerifyNews::Found(finding) if findings.len() < KEPT => findings.push(*finding),
                VerifyNews::Found(_) | VerifyNews::Passed => {}
            }
        }
    };
    let (verified, ()) = tokio::join!(Box::pin(verifier.run(options, news)), listening);
    let verified = verified.map_err(|error| error.to_string())?;
    let mut report = RebuildReport { left: verified.findings(), verified, ..RebuildReport::default() };
    if mend && !findings.is_empty() {
        let writer = CacheWriter::new(
            shared.settings.redis.clone(),
            Arc::clone(&shared.mapping),
            shared.latency.clone(),
        );
        Repairer::new(&verifier, &writer)
            .repair(findings, |_, outcome| {
                match outcome {
                    Repaired::Written => report.mended += 1,
                    Repaired::Deleted => report.swept += 1,
                    Repaired::WasRight => {}
                    Repaired::Left(_) => return,
                }
                report.left = report.left.saturating_sub(1);
            })
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(report)
}

/// Lists again and deletes: stopping has released leases, a foreign owner may have added some.
async fn delete_all(leases: Container, prefix: &LeasePrefix, ours: &[String]) -> Result<(), CosmosError> {
    let store = LeaseStore::new(leases)?;
    let now = leases_to_delete(&store, prefix, ours, Duration::ZERO).await?;
    delete_leases(&store, &now.ids).await
}
