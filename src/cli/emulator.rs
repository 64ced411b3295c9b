//! `syncscope emulator`: the embedded pair for other programs.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::config::Settings;
use crate::embedded::cosmos::{
    DEFAULT_PORT, Emulator, EmulatorOptions, Injection, PortChoice, SaveRequest, TopologyChange,
};
use crate::embedded::state::{self, Saved};
use crate::embedded::{CacheOptions, EmbeddedCache};
use crate::seed::Generator;
use crate::wording::counted;

use super::CliError;
use super::args::{EmbeddedArgs, EmulatorArgs};
use super::output::Output;
use super::signals::StopSignals;

/// `DefaultTimeToLive` of lease containers: on, without a default, as .NET's trigger makes them.
const LEASES_TTL: i64 = -1;
/// A start that takes longer says what it has read.
const SLOW: Duration = Duration::from_secs(1);

/// Both embedded servers.
pub(super) struct Pair {
    pub(super) cosmos: Emulator,
    pub(super) cache: EmbeddedCache,
}

impl Pair {
    /// Starts both for leases in this container, `database/container`.
    ///
    /// # Errors
    /// A port that was asked for is taken.
    pub(super) async fn start(args: &EmbeddedArgs, leases: String) -> Result<Self, CliError> {
        let options = EmulatorOptions { small: Some(leases), ..EmulatorOptions::default() };
        Self::start_from(args, options, None).await.map(|(pair, _)| pair)
    }

    /// Starts both with the state of a file in them, and says what that was. Of `more` counts what the
    /// arguments do not say.
    async fn start_from(
        args: &EmbeddedArgs,
        more: EmulatorOptions,
        file: Option<&Path>,
    ) -> Result<(Self, Option<Saved>), CliError> {
        let port = match args.cosmos_port {
            None => PortChoice::Prefer(DEFAULT_PORT),
            Some(0) => PortChoice::Free,
            Some(port) => PortChoice::Fixed(port),
        };
        let partitions = u32::from(args.partitions);
        let options = EmulatorOptions { port, https: args.https, partitions, ..more };
        let cache = CacheOptions { port: Some(args.redis_port), in_process: args.in_process_cache };
        let (cosmos, cache) = tokio::join!(Emulator::prepare(options), EmbeddedCache::start(cache));
        let (mut cosmos, cache) = match (cosmos, cache) {
            (Ok(cosmos), Ok(cache)) => (cosmos, cache),
            (Err(error), Ok(cache)) => {
                cache.stop().await;
                return Err(error.into());
            }
            (Ok(_), Err(error)) => return Err(error.into()),
            (Err(error), Err(_)) => return Err(error.into()),
        };
        let loaded = match file {
            None => Ok(None),
            Some(file) => state::load(file, &mut cosmos, &cache).await.map(Some),
        };
        match loaded {
            Ok(loaded) => Ok((Self { cosmos: cosmos.serve(), cache }, loaded)),
            Err(error) => {
                cache.stop().await;
                Err(CliError::Refused(format!("cannot load the state: {error}")))
            }
        }
    }

    /// Stops both.
    pub(super) async fn stop(self) {
        tokio::join!(self.cosmos.stop(), self.cache.stop());
    }

    /// Puts sample prices into the source, and makes the containers that a sync needs.
    async fn seed(&self, settings: &Settings, count: u64) -> Result<(), CliError> {
        let refused = |error: crate::embedded::cosmos::SeedError| CliError::Refused(error.to_string());
        let (database, container) = (&settings.database, &settings.container);
        self.cosmos.ensure_container(database, container, "/id", None).await.map_err(refused)?;
        let (leases, ttl) = (&settings.lease_container, Some(LEASES_TTL));
        self.cosmos.ensure_container(database, leases, "/id", ttl).await.map_err(refused)?;
        let generator = Generator::default();
        for n in 1..=count {
            self.cosmos.put(database, container, generator.document(n).json).await.map_err(refused)?;
        }
        Ok(())
    }
}

/// Serves until a signal comes.
pub(super) async fn run(
    settings: &Settings,
    args: &EmulatorArgs,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let mut signals = StopSignals::listen()?;
    let started = Instant::now();
    if let Some(file) = &args.save {
        check_writable(file).await?;
    }
    let options = EmulatorOptions { throughput: args.throughput, ..EmulatorOptions::default() };
    let (pair, loaded) = Pair::start_from(&args.embedded, options, args.load.as_deref()).await?;
    if let Some(Saved { documents, entries }) = loaded {
        output.words(&format!("{} loaded", amounts(documents, entries)));
    }
    if let Some(count) = args.seed {
        if let Err(error) = pair.seed(settings, count).await {
            pair.stop().await;
            return Err(error);
        }
        output.words(&format!("{count} sample prices in {}/{}", settings.database, settings.container));
    }
    for injection in &args.fault {
        pair.cosmos.take(placed(injection.clone(), settings));
    }
    let (cosmos, redis) = (pair.cosmos.connection_string(), pair.cache.url());
    output.json(&serde_json::json!({ "cosmos": cosmos, "redis": redis }))?;
    output.text(&format!("cosmos  {cosmos}\nredis   {redis}"))?;
    let took =
        if started.elapsed() > SLOW { format!(" after {:.1?}", started.elapsed()) } else { String::new() };
    output.words(&format!("ready{took} ({}); ctrl-c ends it", pair.cache.product()));
    let Some(file) = &args.save else {
        signals.stop().await;
        pair.stop().await;
        return Ok(ExitCode::SUCCESS);
    };
    let mut wishes = pair.cosmos.save_requests();
    loop {
        tokio::select! {
            () = signals.stop() => break,
            Some(wish) = wishes.recv() => answer(wish, file, &pair).await,
        }
    }
    // Nobody writes any more: what is saved is how it was left.
    pair.cosmos.close().await;
    let saved = state::save(file, &pair.cosmos, &pair.cache).await;
    pair.stop().await;
    let Saved { documents, entries } =
        saved.map_err(|error| CliError::Refused(format!("the state is lost: {error}")))?;
    output.words(&format!("{} saved to {}", amounts(documents, entries), file.display()));
    Ok(ExitCode::SUCCESS)
}

fn amounts(documents: u64, entries: u64) -> String {
    format!("{} and {}", counted(documents, "document"), counted(entries, "cache entry"))
}

/// Saves for somebody at the control endpoint.
async fn answer(wish: SaveRequest, file: &Path, pair: &Pair) {
    let saved = state::save(file, &pair.cosmos, &pair.cache).await;
    let told = saved.map_err(|error| error.to_string()).map(|Saved { documents, entries }| {
        serde_json::json!({ "file": file, "documents": documents, "entries": entries })
    });
    // Whoever asked may have gone away: the file is there all the same.
    let _ = wish.send(told);
}

/// Splits and merges without a container are the source's.
fn placed(injection: Injection, settings: &Settings) -> Injection {
    match injection {
        Injection::Topology(TopologyChange { container: None, kind, after }) => {
            let container = Some((settings.database.clone(), settings.container.clone()));
            Injection::Topology(TopologyChange { container, kind, after })
        }
        other => other,
    }
}

/// Better now than after a day's work.
async fn check_writable(file: &Path) -> Result<(), CliError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refuse = |reason: String| {
        Err(CliError::Refused(format!(
            "cannot save to {}: {reason}; choose another file for --save",
            file.display()
        )))
    };
    match tokio::fs::metadata(folder).await {
        Ok(found) if !found.is_dir() => return refuse(format!("{} is no directory", folder.display())),
        Ok(found) if found.permissions().readonly() => {
            return refuse(format!("{} is read-only", folder.display()));
        }
        Ok(_) => {}
        Err(error) => return refuse(error.to_string()),
    }
    match tokio::fs::metadata(file).await {
        Ok(found) if found.is_dir() => refuse("it is a directory".to_owned()),
        _ => Ok(()),
    }
}
