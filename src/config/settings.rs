//! The merged settings that every room is started with: plain values, already checked.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::{ConfigError, EMULATOR_KEY, MappingSettings, Secret, Share, host};

/// Everything a run needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the source and the leases are.
    pub cosmos: CosmosConnection,
    /// Where the entries go.
    pub redis: RedisConnection,
    /// Database of the source (and of the leases).
    pub database: String,
    /// The source container.
    pub container: String,
    /// The lease container.
    pub lease_container: String,
    /// Processor name: what .NET puts before the host in lease ids. May be empty.
    pub lease_prefix: String,
    /// Key template over the document, e.g. `price:{id}`.
    pub key: String,
    /// Hosts that may be written to although they are not loopback (`--allow-remote HOST`).
    pub allow_remote: Vec<String>,
    /// What a document becomes, beside its key.
    pub mapping: MappingSettings,
    /// The built-in sync.
    pub sync: SyncSettings,
    /// What the screen and the tables show.
    pub view: ViewSettings,
}

impl Settings {
    /// Whether a server may be written to: loopback always, others only if the user named them.
    pub fn may_write_to(&self, host: &str) -> Result<(), ConfigError> {
        let wanted = host::normal(host);
        if host::is_loopback(&wanted)
            || self.allow_remote.iter().any(|allowed| host::normal(allowed) == wanted)
        {
            Ok(())
        } else {
            Err(ConfigError::RemoteWrite { host: wanted })
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cosmos: CosmosConnection::default(),
            redis: RedisConnection::default(),
            database: "shop".to_owned(),
            container: "prices".to_owned(),
            lease_container: "leases".to_owned(),
            lease_prefix: String::new(),
            key: "{id}".to_owned(),
            allow_remote: Vec::new(),
            mapping: MappingSettings::default(),
            sync: SyncSettings::default(),
            view: ViewSettings::default(),
        }
    }
}

/// A Cosmos DB account or emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosmosConnection {
    /// Scheme, host and port.
    pub endpoint: Url,
    /// The account key, base64.
    pub key: Secret,
    /// The scheme was not given: try the other one too (https first, then http).
    pub probe_scheme: bool,
}

impl Default for CosmosConnection {
    /// The emulator of this machine, https or http.
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant that a test reads")]
        let endpoint = Url::parse("https://localhost:8081").expect("a URL");
        Self { endpoint, key: Secret::new(EMULATOR_KEY), probe_scheme: true }
    }
}

/// A Redis server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConnection {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS.
    pub tls: bool,
    /// ACL user.
    pub username: Option<String>,
    /// Password.
    pub password: Secret,
    /// Number of the database.
    pub database: i64,
}

impl Default for RedisConnection {
    /// `redis://127.0.0.1:6379`.
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 6379,
            tls: false,
            username: None,
            password: Secret::default(),
            database: 0,
        }
    }
}

/// Options of the built-in sync. Intervals have .NET's names and defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncSettings {
    /// Where leases without continuation start.
    pub start: StartPosition,
    /// How many instances share the leases.
    pub instances: usize,
    /// Most documents in a page; `None` = the service decides.
    pub max_items: Option<u32>,
    /// Longest wait between two reads of an idle range. Between reads that bring something the wait
    /// is a few milliseconds and grows with the time since the last change.
    pub poll_interval: Duration,
    /// Prefix of the owner names in the leases.
    pub instance_name: Option<String>,
    /// How often free leases are looked for.
    pub acquire_interval: Duration,
    /// A lease without heartbeat for so long is free.
    pub expiration_interval: Duration,
    /// How often a heartbeat is written.
    pub renew_interval: Duration,
    /// Form of the leases that we create: 1 = by EPK range, 0 = by partition key range, as .NET's bootstrap makes
    /// them, for a store that an old trigger shares.
    pub lease_version: u8,
    /// Stop when every lease is drained and checkpointed.
    pub until_idle: bool,
    /// With `until_idle`: prove it by marker documents in the source instead of by LSNs.
    pub markers: bool,
}

impl Default for SyncSettings {
    /// The defaults of the Azure Functions trigger.
    fn default() -> Self {
        Self {
            start: StartPosition::Now,
            instances: 1,
            max_items: None,
            poll_interval: Duration::from_secs(5),
            instance_name: None,
            acquire_interval: Duration::from_secs(13),
            expiration_interval: Duration::from_secs(60),
            renew_interval: Duration::from_secs(17),
            lease_version: 1,
            until_idle: false,
            markers: false,
        }
    }
}

/// Where to start reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartPosition {
    /// From the first change.
    Beginning,
    /// Only what comes from here on.
    Now,
    /// Only what came after this time.
    At(Timestamp),
}

/// What the screen and the tables show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSettings {
    /// Paths of the fields that feed rows show, e.g. `price.current`; empty = first scalars.
    pub fields: Vec<String>,
    /// Where the feed observer starts.
    pub feed_from: StartPosition,
    /// Most feed rows kept.
    pub feed_rows: usize,
    /// Most cache entries kept.
    pub cache_rows: usize,
    /// Latency target in milliseconds, acknowledged → in the cache.
    pub slo_ms: Option<u64>,
    /// Share of the documents that has to keep it.
    pub slo_share: Share,
    /// Name of a theme that comes with the program or lies in the configuration directory.
    pub theme: Option<String>,
    /// Name of the layout to begin with; `None` = as it was left.
    pub layout: Option<String>,
    /// Path of a keymap file, instead of `keymap.toml` in the configuration directory.
    pub keymap: Option<String>,
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            fields: Vec::new(),
            feed_from: StartPosition::Now,
            feed_rows: 5_000,
            cache_rows: 10_000,
            slo_ms: None,
            slo_share: Share::USUAL,
            theme: None,
            layout: None,
            keymap: None,
        }
    }
}
