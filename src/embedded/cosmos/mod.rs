//! The embedded Cosmos DB emulator: a real HTTP listener that any Cosmos client can connect to.
//! Metadata and query plans are answered by the in-memory emulator of `azure_data_cosmos_driver`.
//! Knows nothing of the processor, the cache or the screen.
//!
#![doc = include_str!("fidelity.md")]

mod answer;
mod authorization;
mod batch;
mod budget;
mod catalog;
mod charge;
mod container;
mod control;
mod document;
mod errors;
mod faults;
mod feed;
mod ids;
mod injection;
mod keys;
mod listener;
mod offers;
mod partial;
mod patch;
mod pkranges;
mod points;
mod queries;
mod request;
mod route;
mod scan;
mod seeding;
mod service;
mod sql;
mod state;
mod store;
mod tls;
mod writes;

use std::sync::Arc;

pub use faults::Fault;
pub use feed::topology::TopologyError;
pub use injection::{Injection, InjectionError, TopologyChange, TopologyKind};
pub use listener::PortChoice;
pub use seeding::SeedError;
pub use service::SaveRequest;
pub use state::{Snapshot, StateFault};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{RwLockWriteGuard, mpsc, watch};
use url::Url;

use self::authorization::MasterKey;
use self::catalog::Catalog;
use self::container::Container;
use self::listener::Listener;
use self::service::Service;
use self::state::Loading;
use self::store::Store;
use self::tls::Tls;

/// The key that every Cosmos emulator ships with; it protects nothing and is public.
/// Source: Microsoft's emulator documentation.
pub const WELL_KNOWN_KEY: &str =
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==";

/// The classic emulator's port.
pub const DEFAULT_PORT: u16 = 8081;

/// How to start the emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorOptions {
    /// Where to listen on 127.0.0.1.
    pub port: PortChoice,
    /// Serve https with a certificate generated at start; http goes on beside it on the same port.
    pub https: bool,
    /// Physical ranges of each container created from now on, 1 to 100.
    pub partitions: u32,
    /// `database/container` of one that gets a single range whatever `partitions` says, as small ones have in
    /// Azure: each listing of its documents is then one request.
    pub small: Option<String>,
    /// Request units a second of containers without an offer of their own; what goes beyond it, and beyond offers, is
    /// refused with 429. `None` = no limits.
    pub throughput: Option<u32>,
}

impl Default for EmulatorOptions {
    fn default() -> Self {
        Self {
            port: PortChoice::Prefer(DEFAULT_PORT),
            https: false,
            partitions: 4,
            small: None,
            throughput: None,
        }
    }
}

/// Why the emulator could not start.
#[derive(Debug, Error)]
pub enum EmulatorError {
    /// Somebody else listens on the port that was asked for.
    #[error(
        "port {port} on 127.0.0.1 is taken: stop what listens there, or choose another with --cosmos-port (0 = a free one)"
    )]
    PortTaken {
        /// The port asked for.
        port: u16,
    },
    /// The socket could not be opened for another reason.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for; 0 = a free one.
        port: u16,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The https certificate could not be made.
    #[error("the embedded Cosmos could not make its certificate: {0}")]
    Certificate(String),
    /// The in-memory store refused its configuration.
    #[error("the embedded Cosmos store did not start: {0}")]
    Store(String),
}

/// A running emulator; dropping it stops it without waiting.
#[derive(Debug)]
pub struct Emulator {
    endpoint: Url,
    service: Arc<Service>,
    listener: Listener,
    tls: Option<Arc<Tls>>,
}

/// An emulator that has its port but does not answer yet: clients that connect wait. State goes in here.
#[derive(Debug)]
pub struct Prepared {
    endpoint: Url,
    service: Arc<Service>,
    socket: TcpListener,
    tls: Option<Arc<Tls>>,
    loading: Loading,
}

impl Prepared {
    /// Takes a line of a state file, in the order in which [`Snapshot::write`] wrote them.
    ///
    /// # Errors
    /// The line cannot have been written by an emulator.
    pub async fn load(&mut self, line: &str) -> Result<(), StateFault> {
        self.service.load(&mut self.loading, line).await
    }

    /// Serves; clients can connect as soon as this returns.
    pub fn serve(self) -> Emulator {
        let Self { endpoint, service, socket, tls, .. } = self;
        let listener = Listener::serve(socket, Arc::clone(&service), tls.clone());
        Emulator { endpoint, service, listener, tls }
    }
}

/// Writes wait while it lives.
#[derive(Debug)]
pub struct Pause<'e> {
    _guard: RwLockWriteGuard<'e, ()>,
}

impl Emulator {
    /// Binds and serves; clients can connect as soon as this returns.
    pub async fn start(options: EmulatorOptions) -> Result<Self, EmulatorError> {
        Ok(Self::prepare(options).await?.serve())
    }

    /// Binds, and serves when asked to.
    pub async fn prepare(options: EmulatorOptions) -> Result<Prepared, EmulatorError> {
        let socket = listener::bind(options.port).await?;
        let scheme = if options.https { "https" } else { "http" };
        let address = socket.local_addr().map_err(|source| EmulatorError::Listen { port: 0, source })?;
        let endpoint =
            Url::parse(&format!("{scheme}://{address}/")).map_err(|e| EmulatorError::Store(e.to_string()))?;
        let store = Store::new(&endpoint)?;
        let key = MasterKey::well_known();
        let tls = options.https.then(Tls::generate).transpose()?.map(Arc::new);
        let catalog = Catalog::new(options.partitions, options.small);
        let service = Service::new(store, catalog, key, &endpoint, tls.clone(), options.throughput);
        let service = Arc::new(service);
        Ok(Prepared { endpoint, service, socket, tls, loading: Loading::default() })
    }

    /// Stops all writes, waiting for those that run, for as long as the guard lives.
    pub async fn pause(&self) -> Pause<'_> {
        Pause { _guard: self.service.pause().await }
    }

    /// Everything at this instant; under a [`Pause`], or containers may be from different instants.
    pub async fn snapshot(&self, _pause: &Pause<'_>) -> Snapshot {
        self.service.snapshot().await
    }

    /// Wishes to save the state that come through the control endpoint; only the first caller gets them.
    pub fn save_requests(&self) -> mpsc::Receiver<SaveRequest> {
        self.service.save_requests()
    }

    /// `http://127.0.0.1:PORT/`, or `https://…` if asked.
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The account key (base64): the well-known one of all emulators.
    pub fn key(&self) -> &str {
        WELL_KNOWN_KEY
    }

    /// `AccountEndpoint=…;AccountKey=…;`
    pub fn connection_string(&self) -> String {
        format!("AccountEndpoint={};AccountKey={};", self.endpoint, self.key())
    }

    /// The https certificate in PEM, for clients that check it; also at `/_explorer/emulator.pem`.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.pem.as_str())
    }

    /// Adds a fault for requests to come.
    pub fn inject(&self, fault: Fault) {
        self.service.faults().add(fault);
    }

    /// Does what a text of `--fault` asks for; splits and merges in their time, if the emulator is still there.
    pub fn take(&self, injection: Injection) {
        self.service.take(injection);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.service.faults().clear();
    }

    /// Splits a physical range of a container in two halves of its documents; the new ids.
    pub fn split(&self, database: &str, container: &str, range: u32) -> Result<[u32; 2], TopologyError> {
        self.container(database, container)?.ranges_mut().split(range)
    }

    /// Merges two neighbouring ranges of a container; the new id.
    pub fn merge(&self, database: &str, container: &str, ranges: [u32; 2]) -> Result<u32, TopologyError> {
        self.container(database, container)?.ranges_mut().merge(ranges)
    }

    /// Tells of each write to a container and each change of its ranges; `None` if it is not there. Ends with it.
    pub fn news(&self, database: &str, container: &str) -> Option<watch::Receiver<()>> {
        self.service.catalog().container(database, container).map(|container| container.news())
    }

    fn container(&self, database: &str, id: &str) -> Result<Arc<Container>, TopologyError> {
        let found = self.service.catalog().container(database, id);
        found.ok_or_else(|| TopologyError::NoContainer(format!("{database}/{id}")))
    }

    /// Stops accepting, lets running requests finish, closes what is still open; under a second.
    pub async fn stop(self) {
        self.listener.stop().await;
    }

    /// As [`Self::stop`], for an emulator whose state is still wanted.
    pub async fn close(&self) {
        self.listener.close().await;
    }
}
