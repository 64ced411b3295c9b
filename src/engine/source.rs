//! Finding the source: connects to Cosmos, waits for the containers, and hands them out. What is
//! not there yet is a state with its remedy, and joins by itself when it comes up.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::cosmos::{Account, Container, ContainerSpec, CosmosError};

use super::Shared;
use super::event::{ConnectionState, Event, FeedStatus, LeaseSnapshot, Server};

/// Pauses between attempts grow from here …
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// … to here: an emulator that comes up is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Pause after an error that does not pass by itself.
const RARELY: Duration = Duration::from_secs(10);

/// The containers that everything works on.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) account: Account,
    pub(super) monitored: Container,
    /// `None` until the container exists.
    pub(super) leases: Option<Container>,
}

/// Receives the source as soon as it is there, and again when it was found anew.
pub(super) type SourceReceiver = watch::Receiver<Option<Source>>;

/// Lets users of the source say that it has gone bad (container recreated, account away for long).
#[derive(Clone, Default)]
pub(super) struct Reconnect(Arc<Notify>);

impl Reconnect {
    /// Ask for the containers to be looked up again.
    pub(super) fn ask(&self) {
        self.0.notify_one();
    }
}

/// Which containers may be created when they are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Create {
    /// Database and source container.
    pub source: bool,
    /// Lease container.
    pub leases: bool,
}

/// Runs until cancelled.
pub(super) async fn find(
    shared: Arc<Shared>,
    create: Create,
    out: watch::Sender<Option<Source>>,
    reconnect: Reconnect,
    cancel: CancellationToken,
) {
    let report = &shared.report;
    let address = address(&shared.settings);
    let mut pause = FIRST_PAUSE;
    report.connection(Server::Cosmos, ConnectionState::Connecting { address: address.clone() }).await;
    loop {
        match attempt(&shared, create, &address, &out).await {
            Ok(complete) => {
                pause = FIRST_PAUSE;
                // Complete: only look again when asked. Else the lease container is awaited.
                let wait = if complete { Duration::MAX } else { LONGEST_PAUSE };
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = reconnect.0.notified() => {}
                    () = sleep(wait) => {}
                }
            }
            Err(Absent::Account(error)) => {
                // A wrong key does not mend itself: it is told so, and looked at rarely.
                let passing = error.is_passing();
                let state = down(&address, &error, passing.then_some(pause));
                report.connection(Server::Cosmos, state).await;
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = sleep(if passing { pause } else { RARELY }) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(Absent::Container(problem)) => {
                report
                    .state(Event::Feed(FeedStatus { problem: Some(problem), ..FeedStatus::default() }))
                    .await;
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = reconnect.0.notified() => {}
                    () = sleep(LONGEST_PAUSE) => {}
                }
            }
        }
    }
}

/// `Duration::MAX` overflows tokio's clock: wait for ever instead.
async fn sleep(time: Duration) {
    if time == Duration::MAX {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(time).await;
}

enum Absent {
    Account(CosmosError),
    Container(String),
}

/// One look; `Ok(true)` when nothing is missing.
async fn attempt(
    shared: &Shared,
    create: Create,
    address: &str,
    out: &watch::Sender<Option<Source>>,
) -> Result<bool, Absent> {
    let (settings, report) = (&*shared.settings, &shared.report);
    let known = out.borrow().as_ref().map(|source| source.account.clone());
    let account = if let Some(account) = known {
        account
    } else {
        let account = Account::connect(&settings.cosmos).await.map_err(Absent::Account)?;
        let product = account.product();
        shared.set_product(product.clone());
        report.connection(Server::Cosmos, ConnectionState::Up { address: address.to_owned(), product }).await;
        account
    };
    let (database, container) = (settings.database.as_str(), settings.container.as_str());
    let mut monitored = account.container(database, container).await;
    let missing = matches!(monitored, Err(CosmosError::NotFound { .. }));
    if missing && (create.source || shared.source_is_wanted()) {
        ensure(&account, database, &ContainerSpec::new(container, "/id")).await?;
        shared.note_new_source();
        monitored = account.container(database, container).await;
    }
    let monitored = match monitored {
        Ok(monitored) => monitored,
        Err(CosmosError::NotFound { .. }) => {
            out.send_replace(None);
            return Err(Absent::Container(format!(
                "no container {database}/{container} yet: `syncscope seed` makes one with sample prices, or name yours with --database and --container"
            )));
        }
        Err(error) => return Err(Absent::Account(error)),
    };
    if create.leases {
        ensure(&account, database, &lease_container(&settings.lease_container)).await?;
    }
    let leases = match account.container(database, &settings.lease_container).await {
        Ok(leases) => Some(leases),
        Err(CosmosError::NotFound { .. }) => {
            let problem = format!(
                "no lease container {database}/{} yet: start the sync, or your function",
                settings.lease_container
            );
            if shared.leases_are_watched {
                report
                    .state(Event::Leases(LeaseSnapshot {
                        container: format!("{database}/{}", settings.lease_container),
                        problem: Some(problem),
                        ..LeaseSnapshot::default()
                    }))
                    .await;
            }
            None
        }
        Err(error) => return Err(Absent::Account(error)),
    };
    if let Some(path) = monitored.partition_key_paths().first() {
        shared.set_partition_key_path(path);
    }
    let complete = leases.is_some();
    out.send_if_modified(|slot| {
        let same = slot.as_ref().is_some_and(|old| {
            old.monitored.rid() == monitored.rid()
                && old.leases.as_ref().map(Container::rid) == leases.as_ref().map(Container::rid)
        });
        if !same {
            *slot = Some(Source { account, monitored: shared.with_news(monitored), leases });
        }
        !same
    });
    Ok(complete)
}

/// The lease container as .NET's trigger creates it: `/id`, TTL on without a default.
pub(super) fn lease_container(name: &str) -> ContainerSpec {
    ContainerSpec { default_ttl: Some(-1), ..ContainerSpec::new(name, "/id") }
}

async fn ensure(account: &Account, database: &str, spec: &ContainerSpec) -> Result<(), Absent> {
    account.ensure_database(database).await.map_err(Absent::Account)?;
    account.ensure_container(database, spec).await.map_err(Absent::Account)
}

/// `host:port` of the account, without secrets.
pub(super) fn address(settings: &Settings) -> String {
    let endpoint = &settings.cosmos.endpoint;
    let host = endpoint.host_str().unwrap_or("?");
    match endpoint.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A lost or refused connection as a state.
pub(super) fn down(address: &str, error: &CosmosError, retry_in: Option<Duration>) -> ConnectionState {
    ConnectionState::Down {
        address: address.to_owned(),
        cause: error.cause(),
        remedy: error.remedy(),
        retry_at: retry_in.map(|pause| Timestamp::now() + pause),
    }
}
