//! The command line as clap reads it. What it says about settings becomes [`Overrides`]; the rest are
//! orders for one run.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Key, Overrides, Secret};
use crate::seed::TemplateName;

pub use super::completions::CompletionsArgs;
pub use super::config::{ConfigAction, ConfigArgs};
pub use super::dead_letters::DeadLettersArgs;
pub use super::document::DocumentArgs;
use super::emulator_args::EMULATOR_HELP;
pub use super::emulator_args::{EmbeddedArgs, EmulatorArgs};
pub use super::keys::KeysArgs;
pub use super::latency::LatencyArgs;
pub use super::leases::LeasesArgs;
pub use super::look::ScreenArgs;
pub use super::map::MapArgs;
pub use super::mapping_args::MappingArgs;
pub use super::processor_args::ProcessorArgs;
use super::processor_args::start;
pub use super::rebuild::{Mode, Proof, RebuildArgs};
pub use super::verify::VerifyArgs;

const EXAMPLES: &str = "\
Examples:
  syncscope demo                try it: emulator, cache, sync and traffic here
  syncscope                     watch Cosmos DB on :8081 and Redis on :6379
  syncscope --sync              the same, and run the sync
  syncscope sync --start beginning --until-idle
                                fill the cache once, without a screen
  syncscope watch feed --json   one line of JSON a change

Every flag that names a setting has a variable (--lease-prefix: SYNCSCOPE_LEASE_PREFIX)
and a key in the configuration file. `syncscope config show` prints them all.";

/// See a Cosmos DB change feed, the leases of its processor and the Redis cache side by side.
///
/// Without a subcommand: the screen, on the servers that the configuration names.
#[derive(Debug, Parser)]
#[command(name = "syncscope", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Flags that every subcommand takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// Start the built-in sync with the screen
    #[arg(long, help_heading = "Built-in sync")]
    pub sync: bool,
    /// Options of the built-in sync.
    #[command(flatten)]
    pub processor: ProcessorArgs,
    /// What to do; nothing = the screen.
    #[command(subcommand)]
    pub command: Option<Order>,
}

/// Flags that every subcommand takes.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Cosmos DB: URL or connection string [default: the emulator at localhost:8081]
    ///
    /// A URL outside of this machine needs its key: AccountEndpoint=https://…;AccountKey=…;
    /// Other users of the machine may see flags: prefer SYNCSCOPE_COSMOS or the configuration file for keys.
    #[arg(long, global = true, value_name = "URL|STRING", value_parser = secret, help_heading = "Servers")]
    pub cosmos: Option<Secret>,
    /// Redis: URL or StackExchange string [default: redis://127.0.0.1:6379]
    ///
    /// `redis://[user:password@]host[:6379][/db]`, `rediss://` for TLS, or `host:6380,password=…,ssl=True`
    #[arg(long, global = true, value_name = "URL|STRING", value_parser = secret, help_heading = "Servers")]
    pub redis: Option<Secret>,
    /// Allow writes to this host although it is not this machine; may be repeated
    #[arg(long, global = true, value_name = "HOST", help_heading = "Servers")]
    pub allow_remote: Vec<String>,

    /// Database of the source and of the leases [default: shop]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Source and cache")]
    pub database: Option<String>,
    /// The container whose changes are followed [default: prices]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Source and cache")]
    pub container: Option<String>,
    /// The container of the leases [default: leases]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Source and cache")]
    pub lease_container: Option<String>,
    /// Prefix of the leases: the processor name of .NET, leaseContainerPrefix of a Function [default: ""]
    #[arg(long, global = true, value_name = "TEXT", help_heading = "Source and cache")]
    pub lease_prefix: Option<String>,
    /// Template of the cache keys over the document, e.g. 'price:{id}' [default: {id}]
    #[arg(long, global = true, value_name = "TEMPLATE", help_heading = "Source and cache")]
    pub key: Option<String>,

    /// What a document becomes.
    #[command(flatten)]
    pub mapping: MappingArgs,

    /// Use [profile.NAME] of the configuration file
    #[arg(long, global = true, value_name = "NAME", help_heading = "Configuration")]
    pub profile: Option<String>,
    /// Read this configuration file instead of the one in the platform's directory
    #[arg(long, global = true, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,

    /// Take connections, names and intervals from the Cosmos DB trigger of an Azure Functions project
    #[arg(long, global = true, value_name = "DIR", help_heading = "Configuration")]
    pub project: Option<PathBuf>,
    /// Which function of that project, if it has several triggers
    #[arg(long, global = true, value_name = "NAME", help_heading = "Configuration")]
    pub function: Option<String>,

    /// Looks and keys of the screen.
    #[command(flatten)]
    pub screen: ScreenArgs,

    /// Data as JSON on stdout, and nothing else there
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Say more; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Emulator, cache, sample prices, sync and traffic on this machine, and the screen on them
    #[command(after_help = "Examples:\n  syncscope demo\n  syncscope demo --count 10000 --rate 50\n  \
                            syncscope demo --tour --record tour.cast\n  \
                            syncscope demo --cosmos-port 9081 --https   connect your own clients to it")]
    Demo(DemoArgs),
    /// Only the embedded Cosmos emulator and cache, for other programs and tests
    ///
    /// Prints the two connection strings once it is ready and serves until SIGINT or SIGTERM.
    #[command(after_help = EMULATOR_HELP)]
    Emulator(EmulatorArgs),
    /// Run the sync without a screen
    #[command(after_help = "Examples:\n  syncscope sync\n  syncscope sync --start beginning --until-idle")]
    Sync(SyncArgs),
    /// Write documents to the source: sample prices, a scenario, or those of a file
    #[command(after_help = "Examples:\n  syncscope seed --count 10000\n  \
                            syncscope seed --count 500 --rate 50/s --seed 7\n  \
                            syncscope seed --scenario sale-starts\n  \
                            syncscope seed --file prices.csv    id,price.current,price.currency")]
    Seed(SeedArgs),
    /// Measure the way of written documents into the cache: percentiles, target, reports
    ///
    /// Exit code 0: measured, target met; 1: target missed, or nothing arrived; 2: could not run.
    #[command(after_help = "Examples:\n  syncscope latency --for 60s --rate 50/s --slo 200ms\n  \
                            syncscope latency --slo 200ms@99.9 --report latency.html --json")]
    Latency(Box<LatencyArgs>),
    /// Print what happens, one line each
    #[command(after_help = "Examples:\n  syncscope watch feed --from beginning\n  \
                            syncscope watch leases --json")]
    Watch(WatchArgs),
    /// Show the entries that documents would become: key, encoding, TTL, value. Needs no server
    #[command(after_help = "Examples:\n  syncscope map --doc price.json --key 'price:{id}'\n  \
                            syncscope map --doc - --jq '{id, price: .price.current}' --json < price.json")]
    Map(MapArgs),
    /// Fill the cache again from the beginning of the feed
    ///
    /// Says first which lease documents (and keys) it will delete, and asks. At the end everything is
    /// compared, and entries without a document are swept.
    #[command(after_help = "Examples:\n  syncscope rebuild\n  syncscope rebuild --yes --json\n  \
                            syncscope rebuild --mode flush\n  \
                            syncscope rebuild --since 2026-03-01T12:00:00Z")]
    Rebuild(RebuildArgs),
    /// Compare every document with its entry in the cache, and find entries without a document
    ///
    /// What differs counts only after a second look, so traffic raises no alarm.
    /// Exit code 0: in step, 1: drift found, 2: could not run.
    #[command(after_help = "Examples:\n  syncscope verify\n  syncscope verify --json --sample 1000\n  \
                            syncscope verify --repair --yes\n  \
                            syncscope verify --watch --rate 200/s --json")]
    Verify(VerifyArgs),
    /// Leases: release, delete, reset; bookmarks of their positions: save, list, diff, restore
    ///
    /// Each says first exactly which documents it will touch and who owns them, and asks.
    /// Exit code 0: done or in step, 1: something differs or was refused, 2: could not run.
    #[command(after_help = "Examples:\n  syncscope leases reset --lease 1FFF-2FFF\n  \
                            syncscope leases delete --yes --json\n  syncscope leases save before-release\n  \
                            syncscope leases diff before-release\n  \
                            syncscope leases restore before-release --yes --json")]
    Leases(LeasesArgs),
    /// One document beside its entry: show what differs, save, write or delete the entry
    ///
    /// Exit code 0: in step, or done; 1: it differs, or was refused; 2: could not run.
    #[command(after_help = "Examples:\n  syncscope document show p-000044 --json\n  \
                            syncscope document save price.json --if-match '\"0000-44\"'\n  \
                            syncscope document write-entry p-000044\n  \
                            syncscope document delete-entry price:p-000044 --yes")]
    Document(DocumentArgs),
    /// Documents that could not be mapped or written: list, retry, export
    DeadLetters(DeadLettersArgs),
    /// The configuration in force
    Config(ConfigArgs),
    /// The keys of the screen, as bound now
    #[command(after_help = "Examples:\n  syncscope keys\n  syncscope keys --toml > keymap.toml")]
    Keys(KeysArgs),
    /// Completion of subcommands and flags, as a script for your shell
    #[command(after_help = "Examples:\n  source <(syncscope completions bash)\n  \
                            syncscope completions zsh > ~/.zfunc/_syncscope\n  \
                            syncscope completions fish > ~/.config/fish/completions/syncscope.fish")]
    Completions(CompletionsArgs),
}

/// `syncscope demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Start without sample traffic
    #[arg(long)]
    pub no_traffic: bool,
    /// How many sample documents to begin with
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub count: u64,
    /// Writes per second of the sample traffic [default: 10, on a tour 2]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,
    /// Begin with a guided tour; --tour=auto plays by itself
    #[arg(long, value_enum, value_name = "PACE", num_args = 0..=1, require_equals = true,
          default_missing_value = "keys")]
    pub tour: Option<Pace>,
    /// Shape of the sample documents
    #[arg(long, value_enum, default_value_t = Shape::Price)]
    pub template: Shape,
    /// The servers.
    #[command(flatten)]
    pub embedded: EmbeddedArgs,
    /// The sync.
    #[command(flatten)]
    pub processor: ProcessorArgs,
}

/// How a tour goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// By the keys of the tour
    Keys,
    /// By itself
    Auto,
}

/// `syncscope sync`
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// Stop when all that was there at the start is in the cache and every lease has stored that
    #[arg(long)]
    pub until_idle: bool,
    /// What proves that; marker writes a small document into each range of the source, and removes it
    #[arg(long, value_enum, default_value_t = Proof::Lsn, requires = "until_idle")]
    pub proof: Proof,
    /// The sync.
    #[command(flatten)]
    pub processor: ProcessorArgs,
}

/// `syncscope seed`
#[derive(Debug, Args)]
pub struct SeedArgs {
    /// How many documents [default: 1000]
    #[arg(long, value_name = "N", conflicts_with_all = ["scenario", "file"])]
    pub count: Option<u64>,
    /// Writes per second [default: as fast as the source takes them]
    #[arg(long, value_name = "N/s", value_parser = rate, conflicts_with_all = ["scenario", "file"])]
    pub rate: Option<f64>,
    /// Writes on a timeline: sale-starts, drip, burst, same-product, or a TOML file of your own
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "file")]
    pub scenario: Option<String>,
    /// The documents of a file instead: JSON object or array, NDJSON, or CSV (by its name); - is stdin
    #[arg(long, value_name = "FILE")]
    pub file: Option<String>,
    /// Number that the content follows from: the same number makes the same documents
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Shape of the documents
    #[arg(long, value_enum, default_value_t = Shape::Price)]
    pub template: Shape,
}

/// Shapes of sample documents; the templates are in `assets/templates`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// A product in one market with its price
    Price,
    /// An offer of a shop, with validity and stock
    Offer,
    /// One flat record a price, as tables export it
    Flat,
}

impl From<Shape> for TemplateName {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Price => Self::Price,
            Shape::Offer => Self::Offer,
            Shape::Flat => Self::Flat,
        }
    }
}

/// `syncscope watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// What.
    #[command(subcommand)]
    pub target: WatchTarget,
}

/// What to watch.
#[derive(Debug, Clone, Subcommand)]
pub enum WatchTarget {
    /// Changes of the source
    Feed {
        /// Where to begin: beginning, now or a time such as 2026-03-01T12:00:00Z [default: now]
        #[arg(long, value_name = "POSITION", value_parser = start)]
        from: Option<String>,
    },
    /// Leases: owners, progress, lag
    Leases,
    /// Entries of the cache
    Cache,
}

/// Reads the command line of this process; on `--help` or a usage error clap prints and ends it.
pub fn parse() -> Cli {
    Cli::parse()
}

impl Cli {
    /// What the command line says about the settings.
    pub fn overrides(&self) -> Overrides {
        let mut overrides = self.global.overrides();
        self.processor.lay_over(&mut overrides);
        match &self.command {
            Some(Order::Demo(demo)) => demo.processor.lay_over(&mut overrides),
            Some(Order::Latency(latency)) => {
                latency.processor.lay_over(&mut overrides);
                if let Some(share) = latency.share {
                    overrides.set(Key::SloShare, share.to_string());
                }
            }
            Some(Order::Rebuild(rebuild)) => rebuild.processor.lay_over(&mut overrides),
            Some(Order::Sync(sync)) => {
                sync.processor.lay_over(&mut overrides);
                overrides.until_idle = sync.until_idle;
                overrides.markers = sync.proof == Proof::Marker;
            }
            Some(Order::Watch(WatchArgs { target: WatchTarget::Feed { from: Some(from) } })) => {
                overrides.set(Key::FeedFrom, from);
            }
            _ => {}
        }
        overrides
    }
}

impl GlobalArgs {
    fn overrides(&self) -> Overrides {
        let mut overrides = Overrides::default();
        overrides.file.clone_from(&self.config);
        overrides.profile.clone_from(&self.profile);
        overrides.project.clone_from(&self.project);
        overrides.function.clone_from(&self.function);
        let texts = [
            (Key::Cosmos, self.cosmos.as_ref().map(Secret::expose)),
            (Key::Redis, self.redis.as_ref().map(Secret::expose)),
            (Key::Database, self.database.as_deref()),
            (Key::Container, self.container.as_deref()),
            (Key::LeaseContainer, self.lease_container.as_deref()),
            (Key::LeasePrefix, self.lease_prefix.as_deref()),
            (Key::KeyTemplate, self.key.as_deref()),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                overrides.set(key, text);
            }
        }
        self.mapping.lay_over(&mut overrides);
        self.screen.lay_over(&mut overrides);
        if !self.allow_remote.is_empty() {
            overrides.set(Key::AllowRemote, self.allow_remote.join(","));
        }
        overrides
    }
}

// clap prints a refused value, so connection strings are taken as they are and checked by `config`.
#[expect(clippy::unnecessary_wraps, reason = "clap's signature")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// Writes per second: `50` or `50/s`.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    const MOST: f64 = 100_000.0;
    let number = text.trim().trim_end_matches("/s").trim_end().parse::<f64>().ok();
    number
        .filter(|rate| *rate > 0.0 && *rate <= MOST)
        .ok_or_else(|| format!("must be a number of writes per second above 0 and at most {MOST}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_fault() {
        Cli::command().debug_assert();
    }

    #[test]
    fn rates_may_have_their_unit() {
        assert_eq!(rate("50"), Ok(50.0));
        assert_eq!(rate("0.5/s"), Ok(0.5));
        for text in ["0", "-1", "NaN", "inf", "50/m", ""] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn global_flags_stand_before_or_after_the_subcommand() {
        for line in
            ["syncscope --json watch feed", "syncscope watch feed --json", "syncscope watch --json feed"]
        {
            assert!(Cli::try_parse_from(line.split(' ')).unwrap().global.json, "{line}");
        }
    }

    #[test]
    fn refused_values_of_servers_are_not_printed_by_clap() {
        let cli = Cli::try_parse_from(["syncscope", "--cosmos", "AccountKey=s3cret"]).unwrap();
        assert!(!format!("{cli:?}").contains("s3cret"));
    }
}
