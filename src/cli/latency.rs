//! `syncscope latency`: writes documents, times their way into the cache, and judges it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use crate::config::{Settings, Share, interval};
use crate::engine::{Command, Create, EngineOptions, Event, ExportForm, Insert, LatencyExport, Stage, Watch};
use crate::seed::{Scenario, Template};

use super::CliError;
use super::args::{Shape, rate};
use super::output::Output;
use super::processor_args::ProcessorArgs;
use super::seed::scenario;
use super::session::{Session, Step};

/// What is still on its way at the end has this time, or twice the target.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// Where somebody else owns some of the leases, which are all served all the same: so long after the start.
const OTHERS: Duration = Duration::from_secs(15);

/// `syncscope latency`
#[derive(Debug, Args)]
pub struct LatencyArgs {
    /// How long documents are written
    #[arg(long = "for", value_name = "TIME", value_parser = interval, default_value = "60s")]
    pub length: Duration,
    /// Writes per second; each is timed from the moment that this rate intends
    #[arg(long, value_name = "N/s", value_parser = rate, default_value = "20")]
    pub rate: f64,
    /// Write this scenario instead: sale-starts, drip, burst, same-product, or a TOML file
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["length", "rate"])]
    pub scenario: Option<String>,
    /// Percent of the documents that have to keep --slo, as in --slo 200ms@99.9 [default: 99]
    #[arg(long, value_name = "PERCENT", value_parser = Share::percent)]
    pub share: Option<Share>,
    /// Write a report: .html, .json, .csv or .hlog by its name; may be repeated
    #[arg(long, value_name = "FILE", value_parser = report)]
    pub report: Vec<PathBuf>,
    /// Run the built-in sync as well
    #[arg(long = "sync")]
    pub with_sync: bool,
    /// Take the written documents back at the end (their entries stay: the feed tells no deletions)
    #[arg(long)]
    pub undo: bool,
    /// Shape of the documents
    #[arg(long, value_enum, default_value_t = Shape::Price)]
    pub template: Shape,
    /// The sync.
    #[command(flatten)]
    pub processor: ProcessorArgs,
}

fn report(text: &str) -> Result<PathBuf, String> {
    match ExportForm::of(text) {
        Some(_) => Ok(PathBuf::from(text)),
        None => Err("its name must end in .html, .json, .csv or .hlog".to_owned()),
    }
}

/// Writes, waits, reports. Exit code 0: measured, and the target is met; 1: missed, or nothing arrived.
pub(super) async fn run(
    settings: Settings,
    args: &LatencyArgs,
    output: &Output,
) -> Result<ExitCode, CliError> {
    settings.may_write_to(settings.cosmos.endpoint.host_str().unwrap_or_default())?;
    if args.with_sync {
        settings.may_write_to(&settings.redis.host)?;
    }
    let insert = match &args.scenario {
        Some(name) => Insert::Scenario(Box::new(scenario(name)?)),
        None => Insert::Rated {
            count: (args.length.as_secs_f64() * args.rate).ceil().max(1.0) as u64,
            per_second: args.rate,
        },
    };
    let length = match &insert {
        Insert::Scenario(scenario) => Scenario::length(scenario),
        _ => args.length,
    };
    let last_wait = LAST_WAIT.max(Duration::from_millis(settings.view.slo_ms.unwrap_or(0)) * 2);
    let options = EngineOptions {
        watch: Watch { feed: true, leases: false, cache: true },
        sync: args.with_sync,
        create: Create { source: true, leases: args.with_sync },
        template: Template::named(args.template.into()),
        ..EngineOptions::new(settings)
    };
    let mut session = Session::start(options, false, output)?;
    let result = measure(&mut session, insert, length, last_wait, args, output).await;
    session.end().await;
    let mut export = result?;
    if let Some(target) = &mut export.snapshot.target {
        // What has not arrived until now is not within the target, whatever comes of it.
        target.of += export.snapshot.open;
    }
    for path in &args.report {
        let form = ExportForm::of(&path.to_string_lossy()).unwrap_or(ExportForm::Json);
        std::fs::write(path, export.write(form))
            .map_err(|error| CliError::Refused(format!("cannot write {}: {error}", path.display())))?;
        output.words(&format!("wrote {}", path.display()));
    }
    output.json(&export.json())?;
    tell(&export, output)
}

/// Writes at the rate until all is written, and waits for what is on its way.
async fn measure(
    session: &mut Session<'_>,
    insert: Insert,
    length: Duration,
    last_wait: Duration,
    args: &LatencyArgs,
    output: &Output,
) -> Result<LatencyExport, CliError> {
    let bar = output.bar(Some(length.as_secs().max(1)), "measuring");
    // The feed and the cache are looked at first, so that no document is missed.
    let (mut live, mut asked, mut ended) = (false, None, None);
    let mut stopping = false;
    // What is written before a lease that begins now has read its position is never delivered by it.
    let mut placed = false;
    let begun = Instant::now();
    loop {
        let event = match session.step().await? {
            Step::Signal => {
                stopping = true;
                session.order(Command::StopInserts).await;
                session.order(Command::ReportLatency).await;
                continue;
            }
            Step::Event(event) => *event,
        };
        match event {
            Event::Feed(status) if status.live => live = true,
            Event::Feed(status) if asked.is_none() => {
                // A source that is not there is made by the first write.
                live |= status.problem.is_some() && begun.elapsed() > LAST_WAIT;
            }
            Event::Sync(status) => placed |= status.leases > 0 && status.placed >= status.leases,
            Event::Traffic(status) => {
                if status.last.is_some() && ended.is_none() {
                    ended = Some(Instant::now());
                }
                // The undo is the second to end.
                let undone = status.last.as_ref().is_some_and(|job| job.label == "undo");
                if undone && !stopping {
                    stopping = true;
                    session.order(Command::ReportLatency).await;
                }
            }
            Event::Latency(snapshot) => {
                if let Some(asked) = asked {
                    let passed: Duration = Instant::duration_since(&Instant::now(), asked);
                    bar.set_position(passed.as_secs().min(length.as_secs()));
                }
                if let Some(snapshot) = snapshot.stage(Stage::Whole) {
                    bar.set_message(format!("p50 {:.1}  p99 {:.1} ms", snapshot.p50, snapshot.p99));
                }
                let through =
                    ended.is_some_and(|ended: Instant| snapshot.open == 0 || ended.elapsed() >= last_wait);
                if through && !stopping {
                    if args.undo {
                        // Deletions and restored versions are no probes: the figures stay as they are.
                        session.order(Command::UndoInserts).await;
                        ended = Some(Instant::now() + Duration::from_secs(3_600));
                    } else {
                        stopping = true;
                        session.order(Command::ReportLatency).await;
                    }
                }
            }
            Event::LatencyReport(export) => {
                bar.finish_and_clear();
                return Ok(*export);
            }
            _ => {}
        }
        let synced = !args.with_sync || placed || begun.elapsed() >= OTHERS;
        if live && synced && asked.is_none() {
            asked = Some(Instant::now());
            session.order(Command::Insert(insert.clone())).await;
        }
    }
}

/// A line a stage, and the verdict.
fn tell(export: &LatencyExport, output: &Output) -> Result<ExitCode, CliError> {
    let snapshot = &export.snapshot;
    output
        .text(&format!("{:<7}{:>9}{:>10}{:>10}{:>10}{:>10}  ms", "stage", "n", "p50", "p95", "p99", "max"))?;
    for stage in Stage::ALL {
        let line = match snapshot.stage(stage) {
            Some(found) => format!(
                "{:<7}{:>9}{:>10.2}{:>10.2}{:>10.2}{:>10.2}",
                stage.word(),
                found.count,
                found.p50,
                found.p95,
                found.p99,
                found.max
            ),
            None => format!("{:<7}{:>9}{:>10}{:>10}{:>10}{:>10}", stage.word(), 0, "-", "-", "-", "-"),
        };
        output.text(&line)?;
    }
    let others = [("on their way", snapshot.open), ("folded", snapshot.folded), ("lost", snapshot.lost)];
    for (name, count) in others.into_iter().filter(|(_, count)| *count > 0) {
        output.words(&format!("{count} {name}"));
    }
    if snapshot.stage(Stage::Whole).is_none() {
        output.words("no document arrived in the cache: is a sync running? --sync runs the built-in one");
        return Ok(ExitCode::from(1));
    }
    let Some(target) = snapshot.target else { return Ok(ExitCode::SUCCESS) };
    let reached = target.reached_percent().unwrap_or_else(|| "nothing".to_owned());
    let missed = target.is_missed();
    output.words(&format!(
        "target {}: {reached} of {} within {} ms, {} asked for",
        if missed { "missed" } else { "met" },
        target.of,
        target.millis,
        target.wanted()
    ));
    Ok(if missed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
