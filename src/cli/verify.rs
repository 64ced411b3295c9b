//! `syncscope verify`: a line for each wrong entry, a summary, and the repair if asked for.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use crate::config::{Settings, interval};
use crate::engine::{Command, EngineOptions, Event, RepairCounts, Summary, VerifyPhase, VerifyStatus};

use super::CliError;
use super::args::VerifyArgs;
use super::lines;
use super::output::Output;
use super::rebuild::confirmed;
use super::session::{Session, Step};

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
    let mut session = Session::start(EngineOptions::new(settings), false, output)?;
    let done = verify(&mut session, args, grace, &cache, output).await;
    session.end().await;
    let Some((summary, repair)) = done? else { return Ok(ExitCode::from(super::COULD_NOT_RUN)) };
    let mended = repair.is_some_and(|counts| counts.left == 0 && counts.total == summary.findings());
    let right = summary.is_in_step() || (mended && summary.unmapped == 0);
    Ok(ExitCode::from(u8::from(!right)))
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
        "Repair in {cache}: write {} entries from the source, delete at most {} orphans by exact key",
        summary.findings() - summary.orphans,
        summary.orphans
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
        "{} of {} documents in step; {} missing, {} stale, {} wrong TTL, {} wrong encoding, {} orphans ({} keys looked at)",
        summary.in_step,
        summary.documents,
        summary.missing,
        summary.stale,
        summary.wrong_ttl,
        summary.wrong_encoding,
        summary.orphans,
        summary.keys,
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
