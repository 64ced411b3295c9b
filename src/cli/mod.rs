//! The command line: one file a subcommand, tables, NDJSON, progress.

pub mod args;
pub mod completions;
pub mod config;
pub mod dead_letters;
mod demo;
pub mod discover;
pub mod document;
mod emulator;
mod emulator_args;
mod kept_layout;
pub mod keys;
pub mod latency;
pub mod lease_deeds;
pub mod leases;
mod lines;
mod look;
pub mod map;
mod mapping_args;
mod output;
mod processor_args;
mod reader;
mod rebuild;
mod record;
mod screen;
mod seed;
mod session;
mod signals;
mod sync;
mod verify;
mod watch;

use std::process::ExitCode;

use args::{Cli, ConfigAction, Order};
use look::Look;
use output::Output;
use thiserror::Error;

use crate::config::{ConfigError, Loaded, Origin, load};
use crate::sync::Mapping;

/// Exit code for "could not run"; 1 is for "ran, and found something".
const COULD_NOT_RUN: u8 = 2;

/// Why a subcommand ended without doing its work. One line, with what to do next.
#[derive(Debug, Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The engine's options.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
    /// A Functions project.
    #[error(transparent)]
    Discover(#[from] discover::DiscoverFailure),
    /// An embedded Cosmos emulator.
    #[error(transparent)]
    Emulator(#[from] crate::embedded::cosmos::EmulatorError),
    /// An embedded cache.
    #[error(transparent)]
    Cache(#[from] crate::embedded::EmbeddedCacheError),
    /// The terminal.
    #[error(transparent)]
    Screen(#[from] crate::tui::TuiError),
    /// stdout or stderr.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    /// The files of bookmarks.
    #[error(transparent)]
    Bookmark(#[from] crate::engine::BookmarkFileError),
    /// Said in full by whoever found it.
    #[error("{0}")]
    Refused(String),
}

impl CliError {
    /// Nobody reads the output any more.
    fn is_unread(&self) -> bool {
        let (Self::Output(error) | Self::Discover(discover::DiscoverFailure::Output(error))) = self else {
            return false;
        };
        error.kind() == std::io::ErrorKind::BrokenPipe
    }
}

/// Runs what the command line orders and gives the exit code: 0 done, 1 done but something was
/// found or refused, 2 could not run.
pub fn run(cli: Cli) -> ExitCode {
    let output = Output::new(cli.global.json, cli.global.quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.error(&format!("cannot start: {error}"));
            return ExitCode::from(COULD_NOT_RUN);
        }
    };
    let code = match runtime.block_on(order(cli, &output)) {
        Ok(code) => code,
        // Whoever read our output has gone away: that is their right.
        Err(error) if error.is_unread() => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error.to_string());
            ExitCode::from(COULD_NOT_RUN)
        }
    };
    // A blocking read of the terminal must not hold the end of the process.
    runtime.shutdown_background();
    code
}

async fn order(cli: Cli, output: &Output) -> Result<ExitCode, CliError> {
    if let Some(Order::Completions(args)) = &cli.command {
        // Before the configuration: a shell must start even where that is broken.
        completions::run(args, &mut std::io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let loaded = load(&cli.overrides())?;
    let on_screen = matches!(cli.command, None | Some(Order::Demo(_)));
    output::log_to_stderr(if on_screen { 0 } else { cli.global.verbose });
    let Loaded { settings, .. } = &loaded;
    if !on_screen {
        loaded.notes.iter().for_each(|note| output.words(note));
    }
    if !matches!(cli.command, Some(Order::Config(_) | Order::Keys(_) | Order::Emulator(_))) {
        check_mapping(&loaded)?;
    }
    let given = &cli.global.screen;
    let (record, ascii, mouse) = (given.record.as_deref(), given.ascii, !given.no_mouse);
    if record.is_some() && !on_screen {
        let words = "--record records the screen: `syncscope` or `syncscope demo`";
        return Err(CliError::Refused(words.to_owned()));
    }
    match cli.command {
        None => {
            let look = Look { ascii, mouse, ..Look::read(&loaded)? };
            record::recorded(record, look, |look| screen::run(settings.clone(), cli.sync, look)).await
        }
        Some(Order::Demo(args)) => {
            let look = Look { ascii, mouse, ..Look::read(&loaded)? };
            record::recorded(record, look, |look| demo::run(settings.clone(), &args, look)).await
        }
        Some(Order::Emulator(args)) => emulator::run(settings, &args, output).await,
        Some(Order::Sync(args)) => sync::run(settings.clone(), args.until_idle, output).await,
        Some(Order::Seed(args)) => seed::run(settings.clone(), &args, output).await,
        Some(Order::Latency(args)) => latency::run(settings.clone(), &args, output).await,
        Some(Order::Watch(args)) => watch::run(settings.clone(), &args.target, output).await,
        Some(Order::Map(args)) => map::run(settings, &args.doc, output),
        Some(Order::Rebuild(args)) => rebuild::run(settings.clone(), &args, output).await,
        Some(Order::Verify(args)) => verify::run(settings.clone(), &args, output).await,
        Some(Order::Leases(args)) => leases::run(settings, &args.action, output).await,
        Some(Order::Document(args)) => document::run(settings.clone(), args.action, output).await,
        Some(Order::DeadLetters(args)) => dead_letters::run(settings, args.action, output).await,
        // Printed above.
        Some(Order::Completions(_)) => Ok(ExitCode::SUCCESS),
        Some(Order::Keys(args)) => {
            keys::run(&Look::read(&loaded)?.keymap, &args, cli.global.json, &mut std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Order::Config(args)) => match args.action {
            ConfigAction::Show => {
                config::show(&loaded, cli.global.json, &mut std::io::stdout().lock())?;
                Ok(ExitCode::SUCCESS)
            }
            ConfigAction::Discover { directory } => {
                discover::run(&directory, cli.global.json, &mut std::io::stdout().lock())?;
                Ok(ExitCode::SUCCESS)
            }
        },
    }
}

/// A wrong template or expression is told now, with where it was set, and not at the first change.
fn check_mapping(loaded: &Loaded) -> Result<(), CliError> {
    Mapping::from_settings(&loaded.settings).map(drop).map_err(|fault| {
        CliError::Refused(match loaded.origin(fault.setting) {
            Origin::Default => fault.to_string(),
            origin => format!("{origin}: {fault}"),
        })
    })
}
