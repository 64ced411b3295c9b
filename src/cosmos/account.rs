//! A connection to one account or emulator, and the few control operations that this program needs.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use azure_data_cosmos_driver::driver::{CosmosDriver, CosmosDriverRuntime};
use azure_data_cosmos_driver::models::{
    AccountReference, CosmosOperation, CosmosRequestHeaders, CosmosResponse, DatabaseReference,
};
use azure_data_cosmos_driver::options::{
    BinaryEncodingOptions, ConnectionPoolOptions, DriverOptions, OperationOptions, OperationOptionsBuilder,
    ServerCertificateValidation,
};
use serde_json::json;
use url::Url;

use crate::config::CosmosConnection;

use super::error::from_driver;
use super::probe::{Spoken, closed, spoken};
use super::{Container, CosmosError};

/// A silent server is given up after this when it is asked for its account or topology.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before the one quiet repetition of a dropped request.
const QUIET_RETRY_AFTER: Duration = Duration::from_millis(20);

/// A connection to an account or emulator. Cheap to clone; clones share the connection pool.
#[derive(Clone)]
pub struct Account {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) driver: Arc<CosmosDriver>,
    account: AccountReference,
    endpoint: Url,
    address: String,
    region: OnceLock<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("endpoint", &self.inner.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// A container to be made if it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Its id.
    pub name: String,
    /// One path, e.g. `/id`.
    pub partition_key_path: String,
    /// `None` = documents never expire and their `ttl` is ignored; `Some(-1)` = only those with a `ttl`
    /// expire; else seconds.
    pub default_ttl: Option<i32>,
    /// Request units per second; `None` = the server's default.
    pub throughput: Option<u64>,
}

impl ContainerSpec {
    /// A container without TTL and with the server's throughput.
    pub fn new(name: impl Into<String>, partition_key_path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            partition_key_path: partition_key_path.into(),
            default_ttl: None,
            throughput: None,
        }
    }
}

impl Account {
    /// Connects: reads the account (so a wrong key shows here) and keeps the pool warm.
    ///
    /// Loopback hosts get HTTP/1.1 only, because the driver speaks HTTP/2 with prior knowledge and never
    /// negotiates, and emulators mostly do not know it. With `probe_scheme` the port is asked what it speaks.
    pub async fn connect(connection: &CosmosConnection) -> Result<Self, CosmosError> {
        if !connection.probe_scheme {
            // The driver reads all root certificates of the system before it tries to connect: a port where
            // nobody listens is asked again and again, and must cost nothing.
            if is_loopback(&connection.endpoint)
                && let Some(cause) = closed(&connection.endpoint).await
            {
                return Err(CosmosError::Unreachable { address: address_of(&connection.endpoint), cause });
            }
            return Self::open(&connection.endpoint, connection.key.expose()).await;
        }
        let with = |scheme: &str| {
            let mut url = connection.endpoint.clone();
            // Cannot fail between http and https.
            let _ = url.set_scheme(scheme);
            if let Some(port) = connection.endpoint.port_or_known_default() {
                let _ = url.set_port(Some(port));
            }
            url
        };
        let key = connection.key.expose();
        match spoken(&connection.endpoint).await {
            Spoken::Http => Self::open(&with("http"), key).await,
            Spoken::Https => Self::open(&with("https"), key).await,
            Spoken::Closed(cause) => {
                Err(CosmosError::Unreachable { address: address_of(&connection.endpoint), cause })
            }
            Spoken::Unclear => match Self::open(&with("https"), key).await {
                Err(CosmosError::Unreachable { .. } | CosmosError::Dropped { .. }) => {
                    Self::open(&with("http"), key).await
                }
                other => other,
            },
        }
    }

    async fn open(endpoint: &Url, key: &str) -> Result<Self, CosmosError> {
        let address = address_of(endpoint);
        let fail = |e: &azure_data_cosmos_driver::CosmosError| from_driver(e, &address, "the account");
        let mut pool = ConnectionPoolOptions::builder()
            .with_server_certificate_validation(ServerCertificateValidation::RequiredUnlessEmulator)
            .with_max_metadata_request_timeout(METADATA_TIMEOUT);
        if is_loopback(endpoint) {
            pool = pool.with_is_http2_allowed(false);
        }
        let pool = pool.build().map_err(|e| fail(&e))?;
        let runtime =
            CosmosDriverRuntime::builder().with_connection_pool(pool).build().await.map_err(|e| fail(&e))?;
        // Text only: the vNext emulator refuses the binary encoding, and pages travel on as JSON.
        let options = OperationOptionsBuilder::new()
            .with_binary_encoding(BinaryEncodingOptions::new().with_enabled(false))
            .build();
        let account = AccountReference::with_account_key(endpoint.clone(), key.to_owned());
        let driver = runtime
            .create_driver(DriverOptions::builder(account.clone()).with_operation_options(options).build())
            .await
            .map_err(|e| fail(&e))?;
        Ok(Self {
            inner: Arc::new(Inner {
                driver,
                account,
                endpoint: endpoint.clone(),
                address,
                region: OnceLock::new(),
            }),
        })
    }

    /// Where it is connected to, with the scheme that was found.
    pub fn endpoint(&self) -> &Url {
        &self.inner.endpoint
    }

    /// The host as lease ids hold it: lower case, no port.
    pub fn host(&self) -> &str {
        self.inner.endpoint.host_str().unwrap_or_default()
    }

    /// `host:port`, for messages.
    pub fn address(&self) -> &str {
        &self.inner.address
    }

    /// What answered, as well as it can be told: `embedded`, `emulator`, `emulator (vNext)`, or the region.
    pub fn product(&self) -> String {
        let region = self.inner.region.get().map_or("", String::as_str);
        match (is_loopback(&self.inner.endpoint), region) {
            (true, "primary") => "emulator (vNext)".into(),
            (true, "southcentralus") => "emulator".into(),
            (true, _) => "embedded".into(),
            (false, "") => "account".into(),
            (false, region) => format!("account in {region}"),
        }
    }

    /// Creates the database unless it is there.
    pub async fn ensure_database(&self, name: &str) -> Result<(), CosmosError> {
        let body = json!({ "id": name }).to_string();
        let operation =
            CosmosOperation::create_database(self.inner.account.clone()).with_body(body.into_bytes());
        let made =
            self.run(operation, OperationOptions::default(), false, || format!("database {name}")).await;
        ignore_conflict(made)
    }

    /// Creates the container unless it is there. An existing one is left as it is.
    pub async fn ensure_container(&self, database: &str, spec: &ContainerSpec) -> Result<(), CosmosError> {
        let mut body = json!({
            "id": spec.name,
            "partitionKey": { "paths": [spec.partition_key_path], "kind": "Hash", "version": 2 },
        });
        if let Some(ttl) = spec.default_ttl {
            body["defaultTtl"] = ttl.into();
        }
        let mut headers = CosmosRequestHeaders::new();
        headers.offer_throughput = spec.throughput;
        let operation = CosmosOperation::create_container(self.database(database))
            .with_body(body.to_string().into_bytes())
            .with_request_headers(headers);
        let what = || format!("container {database}/{}", spec.name);
        ignore_conflict(self.run(operation, OperationOptions::default(), false, what).await)
    }

    /// Opens a container: reads its properties, so `NotFound` if it (or its database) is missing.
    pub async fn container(&self, database: &str, name: &str) -> Result<Container, CosmosError> {
        Container::open(self.clone(), database, name).await
    }

    pub(super) fn database(&self, name: &str) -> DatabaseReference {
        DatabaseReference::from_name(self.inner.account.clone(), name.to_owned())
    }

    /// Runs one operation. An idempotent one whose connection was dropped is quietly repeated once: the
    /// SDK now and then reuses a connection that a plain-http server has just closed.
    pub(super) async fn run(
        &self,
        operation: CosmosOperation,
        options: OperationOptions,
        idempotent: bool,
        what: impl Fn() -> String,
    ) -> Result<CosmosResponse, CosmosError> {
        let again = idempotent.then(|| operation.clone());
        match self.run_once(operation, options.clone(), &what).await {
            Err(CosmosError::Dropped { .. }) if again.is_some() => {
                tokio::time::sleep(QUIET_RETRY_AFTER).await;
                match again {
                    Some(operation) => self.run_once(operation, options, &what).await,
                    None => Err(CosmosError::Unreadable(what())),
                }
            }
            other => other,
        }
    }

    async fn run_once(
        &self,
        operation: CosmosOperation,
        options: OperationOptions,
        what: &impl Fn() -> String,
    ) -> Result<CosmosResponse, CosmosError> {
        let answer = self.inner.driver.execute_operation(operation, options).await;
        match answer {
            Ok(Some(response)) => {
                if self.inner.region.get().is_none()
                    && let Some(region) = response.serving_region()
                {
                    let _ = self.inner.region.set(region.as_str().to_owned());
                }
                Ok(response)
            }
            Ok(None) => Err(CosmosError::Unreadable(format!("{}: no answer at all", what()))),
            Err(e) => Err(self.error(&e, &what())),
        }
    }

    pub(super) fn error(&self, e: &azure_data_cosmos_driver::CosmosError, what: &str) -> CosmosError {
        from_driver(e, &self.inner.address, what)
    }
}

fn ignore_conflict(made: Result<CosmosResponse, CosmosError>) -> Result<(), CosmosError> {
    match made {
        Ok(_) | Err(CosmosError::Conflict(_)) => Ok(()),
        Err(e) => Err(e),
    }
}

fn address_of(endpoint: &Url) -> String {
    let host = endpoint.host_str().unwrap_or("?");
    endpoint.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The hosts for which the driver accepts plain http and self-signed certificates.
fn is_loopback(endpoint: &Url) -> bool {
    matches!(endpoint.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
