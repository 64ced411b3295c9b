//! The lease observer: lists the lease container now and then, and estimates the lag of each lease
//! by a read that moves nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::cosmos::{Container, CosmosError};
use crate::engine::Shared;
use crate::engine::event::{Event, LeaseRow, LeaseSnapshot};
use crate::engine::source::{Reconnect, Source, SourceReceiver};
use crate::lease::{Lease, LeasePrefix, LeaseStorage, LeaseStore, all_prefixes, estimate};

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(750);
/// Between two looks at the lag: it costs one read a lease.
const LAG_INTERVAL: Duration = Duration::from_secs(2);

/// Runs until cancelled.
pub(in crate::engine) async fn run(
    shared: Arc<Shared>,
    mut source: SourceReceiver,
    reconnect: Reconnect,
    cancel: CancellationToken,
) {
    let mut lags: HashMap<String, u64> = HashMap::new();
    let mut lags_read: Option<Instant> = None;
    loop {
        let found = tokio::select! {
            () = cancel.cancelled() => return,
            found = source.wait_for(|found| found.as_ref().is_some_and(|s| s.leases.is_some())) =>
                match found.map(|found| found.clone()) { Ok(Some(found)) => found, _ => return },
        };
        let Some(container) = found.leases.clone() else { continue };
        if lags_read.is_none_or(|at| at.elapsed() >= LAG_INTERVAL) {
            lags_read = Some(Instant::now());
            if let Err(error) = read_lags(&shared, &found, &container, &mut lags).await {
                tracing::debug!("lag not read: {error}");
            }
        }
        match snapshot(&shared, &found, &container, &lags).await {
            Ok(snapshot) => {
                shared.set_lag(total_lag(&snapshot));
                shared.report.state(Event::Leases(snapshot)).await;
            }
            Err(error) => {
                let problem = Some(format!("{}; {}", error.cause(), error.remedy()));
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
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
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
    lags: &HashMap<String, u64>,
) -> Result<LeaseSnapshot, CosmosError> {
    let prefix = prefix(shared, source);
    let leases = LeaseStore::new(container.clone())?.list(&prefix).await?;
    let others = all_prefixes(container).await?;
    let mine = shared.instances();
    let now = Timestamp::now();
    let expiration = shared.settings.sync.expiration_interval;
    let mut rows: Vec<LeaseRow> = leases
        .iter()
        .map(|lease| row(lease, &mine, now, expiration, lags.get(lease.id()).copied()))
        .collect();
    rows.sort_by(|a, b| (&a.range, &a.token).cmp(&(&b.range, &b.token)));
    Ok(LeaseSnapshot {
        container: format!("{}/{}", container.database(), container.name()),
        other_prefixes: others
            .into_iter()
            .filter(|(other, _)| *other != prefix)
            .map(|(other, count)| (other.as_str().to_owned(), count))
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
    shared: &Shared,
    source: &Source,
    container: &Container,
    lags: &mut HashMap<String, u64>,
) -> Result<(), CosmosError> {
    let leases = LeaseStore::new(container.clone())?.list(&prefix(shared, source)).await?;
    let mut read = HashMap::with_capacity(leases.len());
    for lease in &leases {
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
