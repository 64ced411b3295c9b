//! `syncscope rebuild`: the plan, the question, the deed, the report.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::Settings;
use crate::engine::{
    Command, EngineOptions, Event, RebuildMode, RebuildOrder, RebuildPhase, RebuildPlan, RebuildStatus,
};
use crate::wording::{count, counted};

use super::CliError;
use super::args::ProcessorArgs;
use super::lines;
use super::output::Output;
use super::session::{Session, Step};

/// Between two questions for a plan while the servers are still coming up.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How long to wait for a plan that is not refused.
const PATIENCE: Duration = Duration::from_secs(15);

/// `syncscope rebuild`
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Go on although another processor owns leases now: it loses them
    #[arg(long)]
    pub take_over: bool,
    /// Wait until the other processors that own leases now have stopped
    #[arg(long, conflicts_with = "take_over")]
    pub wait: bool,
    /// What proves that everything has arrived
    #[arg(long, value_enum, default_value_t = Proof::Marker)]
    pub proof: Proof,
    /// How
    #[arg(long, value_enum, default_value_t = Mode::Refill, conflicts_with = "since")]
    pub mode: Mode,
    /// Only what changed after this time, such as 2026-03-01T12:00:00Z; nothing is swept
    #[arg(long, value_name = "TIME")]
    pub since: Option<jiff::Timestamp>,
    /// Only this lease, by id or token; may be repeated
    #[arg(long, value_name = "LEASE")]
    pub lease: Vec<String>,
    /// The sync.
    #[command(flatten)]
    pub processor: ProcessorArgs,
}

/// Proofs that a replay has brought everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Proof {
    /// A small document in each range of the source comes out in the cache; then it is removed
    Marker,
    /// Each lease has passed the LSN that its range had at the start; writes nothing to the source
    Lsn,
}

/// Modes of a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Replay over the live cache, then sweep orphans: readers never see an empty cache
    Refill,
    /// Delete exactly this mapping's keys first: readers miss until they are back
    Flush,
}

/// Rebuilds and reports; exit 0 when every lease has caught up.
pub(super) async fn run(
    settings: Settings,
    args: &RebuildArgs,
    output: &Output,
) -> Result<ExitCode, CliError> {
    for host in [settings.cosmos.endpoint.host_str().unwrap_or_default(), &settings.redis.host] {
        settings.may_write_to(host)?;
    }
    let mut session = Session::start(EngineOptions::new(settings), false, output)?;
    let done = rebuild(&mut session, args, output).await;
    session.end().await;
    let Some(status) = done? else { return Ok(ExitCode::from(super::COULD_NOT_RUN)) };
    let seconds = status.elapsed.as_secs_f64();
    let report = status.report.unwrap_or_default();
    output.json(&serde_json::json!({
        "documents": status.done,
        "seconds": (seconds * 1e3).round() / 1e3,
        "rate": status.rate.round(),
        "verified": lines::summary_json(&report.verified),
        "swept": report.swept,
        "mended": report.mended,
        "left": report.left,
        "proof": if report.markers > 0 { "marker" } else { "lsn" },
        "markers": report.markers,
    }))?;
    let proof = match (report.markers, &status.proof) {
        (0, _) => "every lease has passed the LSN of the start".to_owned(),
        (markers, Some(proof)) => {
            format!(
                "{} of {} came out in the cache, every lease has passed them",
                proof.arrived,
                counted(markers, "marker")
            )
        }
        (markers, None) => counted(markers, "marker"),
    };
    output.words(&format!("proven: {proof}"));
    let done = counted(status.done, "document");
    output.words(&format!("rebuilt: {done} in {seconds:.1} s ({:.0}/s)", status.rate));
    output.words(&format!(
        "verified: {}; {} swept, {} mended, {} left wrong",
        counted(report.verified.documents, "document"),
        counted(report.swept, "orphan"),
        counted(report.mended, "entry"),
        count(report.left)
    ));
    Ok(if report.left == 0 && report.verified.unmapped == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// `None` when the user did not want it.
async fn rebuild(
    session: &mut Session<'_>,
    args: &RebuildArgs,
    output: &Output,
) -> Result<Option<RebuildStatus>, CliError> {
    let order = RebuildOrder {
        mode: match (args.since, args.mode) {
            (Some(time), _) => RebuildMode::Since(time),
            (None, Mode::Refill) => RebuildMode::Refill,
            (None, Mode::Flush) => RebuildMode::Flush,
        },
        take_over: args.take_over,
        wait: args.wait,
        only: args.lease.clone(),
        without_markers: args.proof == Proof::Lsn,
    };
    let Some(plan) = plan(session, &order).await? else { return Ok(None) };
    tell(&plan, output);
    if let Some(reason) = plan.refused {
        return Err(CliError::Refused(reason));
    }
    if !args.yes && !confirmed().await? {
        output.words("nothing was done");
        return Ok(None);
    }
    session.order(Command::StartRebuild(order)).await;
    let bar = output.bar(plan.documents.or(Some(0)), "rebuilding");
    let mut waiting = false;
    let result = loop {
        match session.step().await {
            Err(error) => break Err(error),
            Ok(Step::Signal) => {
                break Err(CliError::Refused(
                    "interrupted: the leases stand where the replay was; `syncscope sync` goes on from there"
                        .to_owned(),
                ));
            }
            Ok(Step::Event(event)) => {
                if let Event::Rebuild(status) = *event {
                    if let Some(total) = status.total {
                        bar.set_length(total);
                    }
                    bar.set_position(status.done);
                    match &status.phase {
                        RebuildPhase::Done => break Ok(Some(status)),
                        RebuildPhase::Failed { reason } => break Err(CliError::Refused(reason.clone())),
                        RebuildPhase::Verifying => bar.set_message("verifying"),
                        RebuildPhase::Waiting { owners } => {
                            bar.set_message("waiting");
                            if !std::mem::replace(&mut waiting, true) {
                                bar.suspend(|| output.words(owners));
                            }
                        }
                        RebuildPhase::Replaying => bar.set_message("rebuilding"),
                        _ => {}
                    }
                }
            }
        }
    };
    bar.finish_and_clear();
    result
}

/// Asks for the plan until the source is there.
async fn plan(session: &mut Session<'_>, order: &RebuildOrder) -> Result<Option<RebuildPlan>, CliError> {
    let started = tokio::time::Instant::now();
    session.order(Command::PlanRebuild(order.clone())).await;
    loop {
        match session.step().await? {
            Step::Signal => return Ok(None),
            Step::Event(event) => {
                if let Event::RebuildPlan(plan) = *event {
                    if plan.refused.is_none() || started.elapsed() >= PATIENCE {
                        return Ok(Some(*plan));
                    }
                    tokio::time::sleep(ASK_AGAIN).await;
                    session.order(Command::PlanRebuild(order.clone())).await;
                }
            }
        }
    }
}

fn tell(plan: &RebuildPlan, output: &Output) {
    output.words(&format!("Rebuild the cache of {} in {}", plan.source, plan.cache));
    for step in plan.steps() {
        output.words(&format!("  {step}"));
        let ids = if step.contains("lease document") {
            &plan.delete
        } else if step.starts_with("send exactly") {
            &plan.reset
        } else {
            continue;
        };
        for id in ids {
            output.words(&format!("    {id}"));
        }
    }
    output.words(&format!("  not touched: {}", plan.untouched()));
    for warning in &plan.warnings {
        output.words(&format!("  warning: {warning}"));
    }
    for owner in &plan.foreign_owners {
        output.words(&format!(
            "  {} owns {} now (heartbeat {} s ago)",
            owner.name,
            counted(owner.leases, "lease"),
            owner.heartbeat_age
        ));
    }
    for advice in plan.advice() {
        output.words(&format!("    {advice}"));
    }
}

/// A question on the terminal; without one, `--yes` is needed.
pub(super) async fn confirmed() -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Refused(
            "not confirmed: there is no terminal to ask on; add --yes to go on without asking".to_owned(),
        ));
    }
    write!(io::stderr().lock(), "Go on? [y/N] ")?;
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = answer.await.map_err(|error| CliError::Refused(error.to_string()))??;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
