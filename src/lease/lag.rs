//! Lag of a lease by the estimator's formula. Reads one item of the feed, writes nothing.
//! (.NET: ChangeFeedEstimatorIterator.cs)

use serde::Deserialize;

use crate::cosmos::{Container, CosmosError, FeedPosition};

use super::Lease;

/// Changes not passed yet: `session − (first − 1)`, where `session` is the partition's LSN and `first` the LSN
/// of the first change after the lease's position. Counts transactions, not documents.
pub fn lag(session_lsn: u64, items: usize, first_lsn: Option<u64>) -> u64 {
    match (items, first_lsn) {
        (0, _) => 0,
        (_, None | Some(0)) => 1,
        (_, Some(first)) => session_lsn.saturating_sub(first - 1),
    }
}

/// Lag of one lease. Without continuation, or after a split, it is 1: "something, not known how much".
pub async fn estimate(source: &Container, lease: &Lease) -> Result<u64, CosmosError> {
    #[derive(Deserialize)]
    struct First {
        #[serde(rename = "_lsn", default)]
        lsn: Option<u64>,
    }
    let Some(position) = lease.position() else { return Ok(1) };
    let page = source.feed_page(&lease.scope(), &FeedPosition::Continuation(position), Some(1)).await;
    let page = match page {
        Ok(page) => page,
        Err(CosmosError::Split(_) | CosmosError::Gone(_)) => return Ok(1),
        Err(e) => return Err(e),
    };
    let first = page.documents()?.first().and_then(|d| serde_json::from_slice::<First>(d).ok()?.lsn);
    Ok(lag(page.session_lsn.unwrap_or(0), page.len(), first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formula() {
        for (session, items, first, expected) in [
            (4300, 0, None, 0),
            (4300, 1, Some(4291), 10),
            (4300, 1, Some(4300), 1),
            (4300, 1, None, 1),
            (4300, 1, Some(0), 1),
            (3, 1, Some(9), 0), // a session token from another replica
        ] {
            assert_eq!(lag(session, items, first), expected);
        }
    }
}
