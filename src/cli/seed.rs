//! `syncscope seed`: sample price documents for the source.

use std::process::ExitCode;

use crate::config::Settings;
use crate::engine::{Create, EngineOptions, Event, Insert};

use crate::seed::Template;

use super::CliError;
use super::args::SeedArgs;
use super::output::Output;
use super::session::{Session, Step};

/// Writes the documents; creates database and container where they are missing.
pub(super) async fn run(settings: Settings, args: &SeedArgs, output: &Output) -> Result<ExitCode, CliError> {
    let host = settings.cosmos.endpoint.host_str().unwrap_or_default();
    settings.may_write_to(host)?;
    let insert = match args.rate {
        Some(per_second) => Insert::Rated { count: args.count, per_second },
        None => Insert::Generated { count: args.count },
    };
    let target = format!("{}/{}", settings.database, settings.container);
    let options = EngineOptions {
        create: Create { source: true, leases: false },
        insert: Some(insert),
        template: Template::named(args.template.into()),
        seed: args.seed,
        first_id_is_one: true,
        ..EngineOptions::new(settings)
    };
    let mut session = Session::start(options, false, output)?;
    let bar = output.bar(Some(args.count), "seeding");
    let (mut written, mut failed) = (0, 0);
    let result = loop {
        match session.step().await {
            Err(error) => break Err(error),
            Ok(Step::Signal) => break Ok(()),
            Ok(Step::Event(event)) => {
                if let Event::Traffic(status) = *event {
                    (written, failed) = (status.written, status.failed);
                    bar.set_position(written + failed);
                    if written + failed >= args.count {
                        break Ok(());
                    }
                }
            }
        }
    };
    bar.finish_and_clear();
    session.end().await;
    result?;
    output.json(&serde_json::json!({ "written": written, "refused": failed, "source": target }))?;
    output.words(&format!("{written} documents written to {target}, {failed} refused"));
    Ok(if written == args.count { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
