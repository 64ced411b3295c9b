//! `syncscope seed`: documents for the source: sample prices, a scenario, or those of a file.

use std::process::ExitCode;

use crate::config::Settings;
use crate::engine::{Create, EngineOptions, Event, Insert, JobStatus};
use crate::seed::{Scenario, Template};
use crate::wording::counted;

use super::CliError;
use super::args::SeedArgs;
use super::output::Output;
use super::session::{Session, Step};

/// Documents where nobody says how many.
const COUNT: u64 = 1_000;
/// Parts of a file's progress bar.
const PARTS: u64 = 1_000;

/// Writes the documents; creates database and container where they are missing.
pub(super) async fn run(settings: Settings, args: &SeedArgs, output: &Output) -> Result<ExitCode, CliError> {
    let host = settings.cosmos.endpoint.host_str().unwrap_or_default();
    settings.may_write_to(host)?;
    let count = args.count.unwrap_or(COUNT);
    let insert = match (&args.scenario, &args.file, args.rate) {
        (Some(name), ..) => Insert::Scenario(Box::new(scenario(name)?)),
        (None, Some(path), _) => {
            readable(path)?;
            Insert::File { path: path.clone() }
        }
        (None, None, Some(per_second)) => Insert::Rated { count, per_second },
        (None, None, None) => Insert::Generated { count },
    };
    // A scenario changes the products that are there; the others begin with the first id.
    let first_id_is_one = !matches!(insert, Insert::Scenario(_));
    let target = format!("{}/{}", settings.database, settings.container);
    let length = match &insert {
        Insert::Generated { count } | Insert::Rated { count, .. } => Some(*count),
        Insert::File { path } if path == "-" => None,
        _ => Some(PARTS),
    };
    let options = EngineOptions {
        create: Create { source: true, leases: false },
        insert: Some(insert),
        template: Template::named(args.template.into()),
        seed: args.seed,
        first_id_is_one,
        ..EngineOptions::new(settings)
    };
    let mut session = Session::start(options, false, output)?;
    let bar = output.bar(length, "seeding");
    let mut job: Option<JobStatus> = None;
    let mut ended = false;
    let result = loop {
        match session.step().await {
            Err(error) => break Err(error),
            Ok(Step::Signal) => break Ok(()),
            Ok(Step::Event(event)) => {
                if let Event::Traffic(status) = *event {
                    ended = status.last.is_some();
                    job = status.last.or_else(|| status.jobs.into_iter().next()).or(job);
                    if let Some(job) = &job {
                        bar.set_position(position(job));
                        if ended {
                            break Ok(());
                        }
                    }
                }
            }
        }
    };
    bar.finish_and_clear();
    session.end().await;
    result?;
    let (written, refused) = job.as_ref().map_or((0, 0), |job| (job.done, job.failed));
    output.json(&serde_json::json!({ "written": written, "refused": refused, "source": target }))?;
    output.words(&format!("{} written to {target}, {refused} refused", counted(written, "document")));
    let complete = ended && refused == 0 && job.is_some_and(|job| job.problem.is_none());
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn position(job: &JobStatus) -> u64 {
    match (job.share, job.total) {
        (Some(share), _) => (share * PARTS as f64) as u64,
        (None, Some(total)) if job.label.starts_with("scenario") => {
            (job.done + job.failed) * PARTS / total.max(1)
        }
        _ => job.done + job.failed,
    }
}

/// One that comes with the program, else a file.
pub(super) fn scenario(name: &str) -> Result<Scenario, CliError> {
    if let Some(scenario) = Scenario::named(name) {
        return Ok(scenario);
    }
    let text = std::fs::read_to_string(name).map_err(|error| {
        let known: Vec<String> = Scenario::built_in().map(|scenario| scenario.name).collect();
        CliError::Refused(format!(
            "no scenario {name:?}: there are {}, or name a file ({error})",
            known.join(", ")
        ))
    })?;
    Scenario::parse(name, &text).map_err(|error| CliError::Refused(format!("{name}: {error}")))
}

/// A file that cannot be read is told before anything is connected.
fn readable(path: &str) -> Result<(), CliError> {
    if path == "-" {
        return Ok(());
    }
    let opened = std::fs::File::open(path).and_then(|file| file.metadata());
    match opened {
        Ok(about) if about.is_dir() => {
            Err(CliError::Refused(format!("cannot read {path}: it is a directory; name a file")))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(CliError::Refused(format!("cannot read {path}: {error}; check the path"))),
    }
}
