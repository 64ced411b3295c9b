//! `syncscope emulator`: the embedded pair for other programs.

use std::process::ExitCode;

use crate::embedded::cosmos::{DEFAULT_PORT, Emulator, EmulatorOptions, PortChoice};
use crate::embedded::{CacheOptions, EmbeddedCache};

use super::CliError;
use super::args::{EmbeddedArgs, EmulatorArgs};
use super::output::Output;
use super::signals::StopSignals;

/// Both embedded servers.
pub(super) struct Pair {
    pub(super) cosmos: Emulator,
    pub(super) cache: EmbeddedCache,
}

impl Pair {
    /// Starts both.
    ///
    /// # Errors
    /// A port that was asked for is taken.
    pub(super) async fn start(args: &EmbeddedArgs) -> Result<Self, CliError> {
        let port = match args.cosmos_port {
            None => PortChoice::Prefer(DEFAULT_PORT),
            Some(0) => PortChoice::Free,
            Some(port) => PortChoice::Fixed(port),
        };
        let options = EmulatorOptions { port, https: args.https, partitions: u32::from(args.partitions) };
        let cache = CacheOptions { port: Some(args.redis_port), in_process: args.in_process_cache };
        let (cosmos, cache) = tokio::join!(Emulator::start(options), EmbeddedCache::start(cache));
        match (cosmos, cache) {
            (Ok(cosmos), Ok(cache)) => Ok(Self { cosmos, cache }),
            (Err(error), Ok(cache)) => {
                cache.stop().await;
                Err(error.into())
            }
            (Ok(cosmos), Err(error)) => {
                cosmos.stop().await;
                Err(error.into())
            }
            (Err(error), Err(_)) => Err(error.into()),
        }
    }

    /// Stops both.
    pub(super) async fn stop(self) {
        tokio::join!(self.cosmos.stop(), self.cache.stop());
    }
}

/// Serves until a signal comes.
pub(super) async fn run(args: &EmulatorArgs, output: &Output) -> Result<ExitCode, CliError> {
    let mut signals = StopSignals::listen()?;
    let pair = Pair::start(&args.embedded).await?;
    let (cosmos, redis) = (pair.cosmos.connection_string(), pair.cache.url());
    output.json(&serde_json::json!({ "cosmos": cosmos, "redis": redis }))?;
    output.text(&format!("cosmos  {cosmos}\nredis   {redis}"))?;
    output.words(&format!("ready ({}); ctrl-c ends it", pair.cache.product()));
    signals.stop().await;
    pair.stop().await;
    Ok(ExitCode::SUCCESS)
}
