//! The command line of the embedded servers.

use std::path::PathBuf;

use clap::Args;

use crate::embedded::cosmos::Injection;

pub(super) const EMULATOR_HELP: &str = "\
Examples:
  syncscope emulator
  syncscope emulator --cosmos-port 0 --redis-port 0 --json
  syncscope emulator --seed 1000 --save state.ndjson
  syncscope emulator --load state.ndjson --save state.ndjson
  syncscope emulator --throughput 400
  syncscope emulator --fault 429:rate=5%,path=/docs --fault split:range=0,at=30s

Faults, on the command line or as JSON strings to POST /_emulator/faults (this machine only):
  STATUS[:OPTIONS]        answer 429, 503, 410, any status from 400 to 599
  delay:time=200ms        wait first
  drop                    close the connection; with `after` when all is done
  split[:range=0]         split a range (else the fullest) `at=` a time from the start
  merge[:ranges=4+5]      merge two neighbours (else the emptiest)
Options: rate=5%, next=3 (requests), path=/colls/leases/, method=POST, feed (reads of the change
feed only), after (do it, then fail), time=200ms, retry-after=50ms, sub=1007 (sub-status);
for split and merge: at=5s, container=shop/prices.
GET /_emulator/faults lists them, DELETE ends them; POST needs content-type application/json.";

/// Ports and shape of the embedded servers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Embedded servers")]
pub struct EmbeddedArgs {
    /// Port of the Cosmos emulator; 0 = a free one [default: 8081, or a free one if it is taken]
    #[arg(long, value_name = "PORT")]
    pub cosmos_port: Option<u16>,
    /// Port of the cache; 0 = a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub redis_port: u16,
    /// Physical partitions of a container
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub partitions: u16,
    /// Serve the Cosmos emulator over https, with a certificate made at start
    #[arg(long)]
    pub https: bool,
    /// Use the in-process cache even if there is a redis-server in the PATH
    #[arg(long)]
    pub in_process_cache: bool,
}

/// `syncscope emulator`
#[derive(Debug, Args)]
pub struct EmulatorArgs {
    /// Begin with N sample prices in the source, and with an empty lease container
    #[arg(long, value_name = "N", conflicts_with = "load", help_heading = "State")]
    pub seed: Option<u64>,
    /// Begin with the source, the leases and the cache of this file
    #[arg(long, value_name = "FILE", help_heading = "State")]
    pub load: Option<PathBuf>,
    /// Save all three to this file at the end, and on POST /_emulator/save
    #[arg(long, value_name = "FILE", help_heading = "State")]
    pub save: Option<PathBuf>,
    /// Refuse with 429 what goes beyond RU/s: this for containers without an offer of their own
    #[arg(long, value_name = "RU", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Faults")]
    pub throughput: Option<u32>,
    /// Let requests fail, or split and merge ranges; may be repeated. See below
    #[arg(long, value_name = "WHAT:WHICH", help_heading = "Faults")]
    pub fault: Vec<Injection>,
    /// The servers.
    #[command(flatten)]
    pub embedded: EmbeddedArgs,
}
