//! `syncscope verify`: a line for each wrong entry, a summary, and the repair if asked for.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;

use crate::config::{Settings, interval};
use crate::engine::{
    Command, DriftStatus, DriftWatch, EngineOptions, Event, RepairCounts, Summary, VerifyPhase, VerifyStatus,
};
use crate::wording::{count, counted};

use super::CliError;
use super::args::rate;
use super::lines;
use super::output::Output;
use super::processor_args::interval as interval_text;
use super::rebuild::confirmed;
use super::session::{Session, Step};

/// `syncscope verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Compare about N documents, spread over the source, instead of all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// How long a change may be on its way before it counts [default: the poll interval and 2s]
    #[arg(long, value_name = "TIME", value_parser = interval_text)]
    pub grace: Option<String>,
    /// Then write wrong entries from the source, and delete orphans by exact key
    #[arg(long)]
    pub repair: bool,
    /// Do not ask before the repair
    #[arg(long, requires = "repair")]
    pub yes: bool,
    /// Go on until a signal: sample in the background, tell the share in step over 1, 5, 10 minutes
    #[arg(long, visible_alias = "continuous", conflicts_with_all = ["repair", "sample"])]
    pub watch: bool,
    /// With --watch: documents compared in a second, at most
    #[arg(long, value_name = "N/s", requires = "watch", default_value = "100", value_parser = whole_rate)]
    pub rate: u32,
    /// With --watch: end after this time
    #[arg(long = "for", value_name = "TIME", requires = "watch", value_parser = interval_text)]
    pub watch_for: Option<String>,
}

/// Verifies; exit 0 in step (or mended), 1 drift found.
pub(super) async fn run(
    settings: Settings,
    args: &VerifyArgs,
    output: &Output,
) -> Result<ExitCode, CliError> {
    if args.repair {
        settings.may_write_to(&settings.redis.host)?;
    }
    let cache = format!("{}:{} db {}", settings.redis.host, settings.redis.port, settings.redis.database);
    let grace = args.grace.as_deref().map(interval).transpose().map_err(CliError::Refused)?;
    if args.watch {
        return watch(settings, args, grace, output).await;
    }
    let mut session = Session::start(EngineOptions::new(settings), false, output)?;
    if !args.repair {
        session = session.while_read();
    }
    let done = verify(&mut session, args, grace, &cache, output).await;
    session.end().await;
    let Some((summary, repair)) = done? else { return Ok(ExitCode::from(super::COULD_NOT_RUN)) };
    let mended = repair.is_some_and(|counts| counts.left == 0 && counts.total == summary.findings());
    let right = summary.is_in_step() || (mended && summary.unmapped == 0);
    Ok(ExitCode::from(u8::from(!right)))
}

/// Samples until a signal comes or the time is over; exit 1 if something was found wrong.
async fn watch(
    settings: Settings,
    args: &VerifyArgs,
    grace: Option<Duration>,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let length = args.watch_for.as_deref().map(interval).transpose().map_err(CliError::Refused)?;
    let mut session = Session::start(EngineOptions::new(settings), true, output)?.while_read();
    session.order(Command::WatchDrift(Some(DriftWatch { per_second: args.rate, grace }))).await;
    let bar = output.bar(None, "comparing");
    let done = follow_drift(&mut session, length, &bar, output).await;
    bar.finish_and_clear();
    session.end().await;
    let last = done?;
    output.text(&drift_words(&last))?;
    Ok(ExitCode::from(u8::from(last.wrong > 0)))
}

async fn follow_drift(
    session: &mut Session<'_>,
    length: Option<Duration>,
    bar: &ProgressBar,
    output: &Output,
) -> Result<DriftStatus, CliError> {
    let began = Instant::now();
    let mut last = DriftStatus::default();
    loop {
        let left = length.map(|length| length.saturating_sub(began.elapsed()));
        let step = match left {
            Some(left) => match tokio::time::timeout(left, session.step()).await {
                Ok(step) => step?,
                Err(_) => return Ok(last),
            },
            None => session.step().await?,
        };
        match step {
            Step::Signal => return Ok(last),
            Step::Event(event) => {
                let Event::Drift(status) = *event else { continue };
                if status.problem.is_some() && status.problem != last.problem {
                    output.words(status.problem.as_deref().unwrap_or_default());
                }
                // The list is cut: of more than it holds the newest are told, and all are counted.
                let fresh = status.wrong.saturating_sub(last.wrong) as usize;
                for found in status.newest.iter().rev().take(fresh).rev() {
                    bar.suspend(|| output.text(&lines::finding(found)))?;
                    output.json(&lines::finding_json(found))?;
                }
                bar.set_message(drift_words(&status));
                bar.tick();
                output.json(&lines::drift_json(&status))?;
                last = *status;
            }
        }
    }
}

fn drift_words(status: &DriftStatus) -> String {
    let windows: Vec<String> = status
        .windows
        .iter()
        .map(|window| {
            let share = window.nines().unwrap_or_else(|| "-".to_owned());
            format!("{share} of {} in {} min", window.compared, window.length.as_secs() / 60)
        })
        .collect();
    let passes = counted(status.passes, "pass");
    format!("in step: {}; {passes}, {} wrong", windows.join(", "), status.wrong)
}

/// `None` when a signal ended it.
async fn verify(
    session: &mut Session<'_>,
    args: &VerifyArgs,
    grace: Option<Duration>,
    cache: &str,
    output: &Output,
) -> Result<Option<(Summary, Option<RepairCounts>)>, CliError> {
    session.order(Command::Verify { sample: args.sample, grace }).await;
    let Some(status) = follow(session, output, "comparing", &VerifyPhase::Done).await? else {
        return Ok(None);
    };
    let summary = status.summary;
    output.json(&lines::summary_json(&summary))?;
    output.text(&words(&summary))?;
    if !args.repair || summary.findings() == 0 {
        return Ok(Some((summary, None)));
    }
    output.words(&format!(
        "Repair in {cache}: write {} from the source, delete at most {} by exact key",
        counted(summary.findings() - summary.orphans, "entry"),
        counted(summary.orphans, "orphan")
    ));
    if !args.yes && !confirmed().await? {
        output.words("nothing was repaired");
        return Ok(Some((summary, None)));
    }
    session.order(Command::Repair { keys: None }).await;
    let Some(status) = follow(session, output, "repairing", &VerifyPhase::Repaired).await? else {
        return Ok(None);
    };
    let counts = status.repair;
    output.json(&serde_json::json!({
        "written": counts.written,
        "deleted": counts.deleted,
        "wasRight": counts.was_right,
        "left": counts.left,
    }))?;
    output.text(&format!(
        "repaired: {} written, {} deleted, {} right already, {} left",
        counts.written, counts.deleted, counts.was_right, counts.left
    ))?;
    Ok(Some((summary, Some(counts))))
}

/// Until the phase; findings are printed as they come.
async fn follow(
    session: &mut Session<'_>,
    output: &Output,
    what: &str,
    until: &VerifyPhase,
) -> Result<Option<VerifyStatus>, CliError> {
    let bar = output.bar(Some(0), what);
    let mut problem = None;
    let result = loop {
        match session.step().await {
            Err(error) => break Err(error),
            Ok(Step::Signal) => break Ok(None),
            Ok(Step::Event(event)) => match *event {
                Event::Finding(found) => {
                    bar.suspend(|| output.text(&lines::finding(&found)))?;
                    output.json(&lines::finding_json(&found))?;
                }
                Event::Verify(status) => {
                    let (done, total) = match status.phase {
                        VerifyPhase::Repairing => {
                            let counts = &status.repair;
                            let done = counts.written + counts.deleted + counts.was_right + counts.left;
                            (done, Some(counts.total))
                        }
                        _ => (status.summary.documents, status.sample.or(status.summary.total)),
                    };
                    bar.set_length(total.unwrap_or(done).max(done));
                    bar.set_position(done);
                    match &status.phase {
                        phase if phase == until => break Ok(Some(status)),
                        VerifyPhase::Failed { reason } => {
                            break Err(CliError::Refused(problem.unwrap_or_else(|| reason.clone())));
                        }
                        _ => {}
                    }
                }
                // Why there is no source: more to the point than that there is none.
                Event::Feed(status) => problem = status.problem,
                _ => {}
            },
        }
    };
    bar.finish_and_clear();
    result
}

fn words(summary: &Summary) -> String {
    let mut text = format!(
        "{} of {} in step; {} missing, {} stale, {} wrong TTL, {} wrong encoding, {} ({} looked at)",
        count(summary.in_step),
        counted(summary.documents, "document"),
        count(summary.missing),
        count(summary.stale),
        count(summary.wrong_ttl),
        count(summary.wrong_encoding),
        counted(summary.orphans, "orphan"),
        counted(summary.keys, "key"),
    );
    for (count, what) in [
        (summary.unsettled, "changed all the time and were not judged"),
        (summary.unmapped, "make no key"),
        (summary.undecided, "keys whose document cannot be told"),
    ] {
        if count > 0 {
            let _ = write!(text, "; {count} {what}");
        }
    }
    text
}

/// A rate of at least one whole document.
fn whole_rate(text: &str) -> Result<u32, String> {
    rate(text).map(|rate| rate.ceil() as u32)
}
