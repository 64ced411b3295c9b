//! The lease observer: lists the lease container now and then, and estimates the lag of each lease
//! by a read that moves nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::cosmos::{Container, CosmosError};
use crate::engine::Shared;
use crate::engine::event::{Event, LeaseRow, LeaseSnapshot, Level};
use crate::engine::source::{Reconnect, Source, SourceReceiver};
use crate::lease::{Lease, LeasePrefix, LeaseStorage, LeaseStore, all_prefixes, estimate};

use super::away::Away;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between two looks at the lag: it costs one read a lease.
const LAG_INTERVAL: Duration = Duration::from_secs(2);
/// The same while nothing was written and no lease moves.
const LAG_AT_REST: Duration = Duration::from_secs(10);
/// After so many looks that found nothing but heartbeats …
const RESTING: u32 = 10;
/// … they come more seldom.
const REST_INTERVAL: Duration = Duration::from_secs(3);
/// Between two looks at what other processors keep in the same container.
const PREFIXES_INTERVAL: Duration = Duration::from_secs(10);

/// Runs until cancelled.
pub(in crate::engine) async fn run(
    shared: Arc<Shared>,
    mut source: SourceReceiver,
    reconnect: Reconnect,
    cancel: CancellationToken,
) {
    let mut known = Known::default();
    loop {
        let found = tokio::select! {
            () = cancel.cancelled() => return,
            found = source.wait_for(|found| found.as_ref().is_some_and(|s| s.leases.is_some())) =>
                match found.map(|found| found.clone()) { Ok(Some(found)) => found, _ => return },
        };
        let Some(container) = found.leases.clone() else { continue };
        match snapshot(&shared, &found, &container, &mut known).await {
            Ok(snapshot) => {
                shared.set_lag(total_lag(&snapshot));
                shared.report.state(Event::Leases(snapshot)).await;
            }
            Err(error) => {
                if error.is_out_of_reach() {
                    known.away.failed(Instant::now());
                }
                let problem = Some(error.with_remedy());
                let container = format!("{}/{}", container.database(), container.name());
                let snapshot = LeaseSnapshot { container, problem, ..LeaseSnapshot::default() };
                shared.report.state(Event::Leases(snapshot)).await;
                if matches!(error, CosmosError::NotFound { .. }) {
                    reconnect.ask();
                }
            }
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(if known.rests > RESTING { REST_INTERVAL } else { INTERVAL }) => {}
        }
    }
}

/// What is not read at every look.
#[derive(Default)]
struct Known {
    lags: HashMap<String, u64>,
    lags_read: Option<Instant>,
    prefixes: Vec<(LeasePrefix, usize)>,
    prefixes_read: Option<Instant>,
    standing: Option<Standing>,
    /// Looks since something changed.
    rests: u32,
    away: Away,
}

/// What the lag hangs on.
#[derive(PartialEq, Eq)]
struct Standing {
    /// Owner and position of each lease.
    positions: Vec<(String, Option<String>, Option<String>)>,
    /// Changes that the feed observer has seen; `None` where nobody watches the feed.
    changes: Option<u64>,
}

fn positions(leases: &[Lease]) -> Vec<(String, Option<String>, Option<String>)> {
    leases
        .iter()
        .map(|lease| (lease.id().to_owned(), lease.owner().map(str::to_owned), lease.position_text()))
        .collect()
}

/// Whether something that was read then has to be read again; notes that it is.
fn is_due(read: &mut Option<Instant>, interval: Duration) -> bool {
    let due = read.is_none_or(|at| at.elapsed() >= interval);
    if due {
        *read = Some(Instant::now());
    }
    due
}

/// The prefix of our processor's lease ids at this source.
pub(in crate::engine) fn prefix(shared: &Shared, source: &Source) -> LeasePrefix {
    LeasePrefix::new(
        &shared.settings.lease_prefix,
        source.account.host(),
        source.monitored.database_rid(),
        source.monitored.rid(),
    )
}

async fn snapshot(
    shared: &Shared,
    source: &Source,
    container: &Container,
    known: &mut Known,
) -> Result<LeaseSnapshot, CosmosError> {
    let prefix = prefix(shared, source);
    let leases = LeaseStore::new(container.clone())?.list(&prefix).await?;
    if let Some(text) = known.away.listed(&leases, Instant::now()) {
        shared.report.log(Level::Info, "lease", text).await;
    }
    if is_due(&mut known.prefixes_read, PREFIXES_INTERVAL) {
        known.prefixes = all_prefixes(container).await?;
    }
    let now = Standing { positions: positions(&leases), changes: shared.changes() };
    // Drained, and nothing was written or passed since: it cannot have grown.
    let rests = known.standing.as_ref() == Some(&now)
        && now.changes.is_some()
        && known.lags.values().all(|lag| *lag == 0);
    if is_due(&mut known.lags_read, if rests { LAG_AT_REST } else { LAG_INTERVAL })
        && let Err(error) = read_lags(source, &leases, &mut known.lags).await
    {
        tracing::debug!("lag not read: {error}");
    }
    known.rests = if known.standing.as_ref() == Some(&now) { known.rests.saturating_add(1) } else { 0 };
    known.standing = Some(now);
    let mine = shared.instances();
    let now = Timestamp::now();
    let expiration = shared.settings.sync.expiration_interval;
    let mut rows: Vec<LeaseRow> = leases
        .iter()
        .map(|lease| row(lease, &mine, now, expiration, known.lags.get(lease.id()).copied()))
        .collect();
    rows.sort_by(|a, b| (&a.range, &a.token).cmp(&(&b.range, &b.token)));
    Ok(LeaseSnapshot {
        container: format!("{}/{}", container.database(), container.name()),
        other_prefixes: known
            .prefixes
            .iter()
            .filter(|(other, _)| *other != prefix)
            .map(|(other, count)| (other.as_str().to_owned(), *count))
            .collect(),
        prefix: prefix.as_str().to_owned(),
        rows,
        read_at: Some(now),
        expiration,
        problem: None,
    })
}

fn row(lease: &Lease, mine: &[String], now: Timestamp, expiration: Duration, lag: Option<u64>) -> LeaseRow {
    let range = lease.range().cloned();
    LeaseRow {
        id: lease.id().to_owned(),
        token: lease.token().to_owned(),
        kind: lease.kind(),
        share: range.as_ref().map(crate::cosmos::EpkRange::share),
        range,
        mine: lease.owner().is_some_and(|owner| mine.iter().any(|name| name == owner)),
        owner: lease.owner().map(str::to_owned),
        heartbeat: lease.heartbeat(),
        expired: lease.is_expired(now, expiration),
        continuation: lease.position_text(),
        lag,
    }
}

async fn read_lags(
    source: &Source,
    leases: &[Lease],
    lags: &mut HashMap<String, u64>,
) -> Result<(), CosmosError> {
    let mut read = HashMap::with_capacity(leases.len());
    for lease in leases {
        read.insert(lease.id().to_owned(), estimate(&source.monitored, lease).await?);
    }
    *lags = read;
    Ok(())
}

fn total_lag(snapshot: &LeaseSnapshot) -> Option<u64> {
    if snapshot.rows.is_empty() {
        return None;
    }
    snapshot.rows.iter().map(|row| row.lag).sum()
}
