//! `syncscope sync`: the built-in sync without a screen.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Settings;
use crate::engine::{Create, EngineOptions, Event, Level, SyncStatus};
use crate::wording::counted;

use super::CliError;
use super::lines;
use super::output::Output;
use super::session::{Session, Step};

/// Between two status lines for programs.
const EVERY: Duration = Duration::from_secs(1);
/// With `--until-idle`: how long a problem may last before we give up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs until a signal comes, or until everything is drained with `until_idle`.
pub(super) async fn run(settings: Settings, until_idle: bool, output: &Output) -> Result<ExitCode, CliError> {
    for host in [settings.cosmos.endpoint.host_str().unwrap_or_default(), &settings.redis.host] {
        settings.may_write_to(host)?;
    }
    let options = EngineOptions {
        sync: true,
        create: Create { source: false, leases: true },
        ..EngineOptions::new(settings)
    };
    let mut session = Session::start(options, !until_idle, output)?;
    let bar = output.bar(None, "starting");
    bar.enable_steady_tick(Duration::from_millis(120));
    let mut told = Instant::now();
    let mut last = SyncStatus::default();
    let mut trouble: Option<(Instant, String)> = None;
    let result = loop {
        match session.step().await {
            Err(error) => break Err(error),
            Ok(Step::Signal) => break Ok(()),
            Ok(Step::Event(event)) => match *event {
                Event::Sync(status) => {
                    bar.set_message(line(&status));
                    if status.delivered != last.delivered && told.elapsed() >= EVERY {
                        told = Instant::now();
                        // Not at once: the leases are released first.
                        if let Err(error) = output.json(&lines::sync_json(&status)) {
                            break Err(error.into());
                        }
                    }
                    let problem = status.problem.clone();
                    let idle = status.idle;
                    last = status;
                    if idle && until_idle {
                        break Ok(());
                    }
                    if let Some(error) = note(&mut trouble, problem, until_idle, output) {
                        break Err(error);
                    }
                }
                Event::Feed(status) => {
                    if let Some(error) = note(&mut trouble, status.problem, until_idle, output) {
                        break Err(error);
                    }
                }
                // What keeps the sync from going on is told by its status.
                Event::Log(text)
                    if text.room == "redis" || text.level == Level::Info && text.room != "cosmos" =>
                {
                    output.words(&lines::log(&text));
                }
                _ => {}
            },
        }
    };
    bar.finish_and_clear();
    session.end().await;
    let told = output.json(&lines::sync_json(&last));
    output.words(&format!(
        "{} delivered, {} set aside; leases released",
        counted(last.delivered, "document"),
        last.set_aside
    ));
    result?;
    told?;
    Ok(if last.set_aside > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Tells a new problem once; with `--until-idle` one that lasts ends the run.
fn note(
    trouble: &mut Option<(Instant, String)>,
    problem: Option<String>,
    until_idle: bool,
    output: &Output,
) -> Option<CliError> {
    let Some(problem) = problem else {
        *trouble = None;
        return None;
    };
    match trouble {
        Some((since, known)) if *known == problem => {
            (until_idle && since.elapsed() >= PATIENCE).then_some(CliError::Refused(problem))
        }
        _ => {
            output.words(&problem);
            let since = trouble.take().map_or_else(Instant::now, |(since, _)| since);
            *trouble = Some((since, problem));
            None
        }
    }
}

fn line(status: &SyncStatus) -> String {
    format!(
        "{}/{}  {} delivered  {:.0}/s{}",
        status.owned,
        counted(status.leases, "lease"),
        status.delivered,
        status.rate,
        status.problem.as_ref().map(|problem| format!("  {problem}")).unwrap_or_default()
    )
}
