//! Throughput: each physical range has its share of the container's request units for each second. What is
//! spent beyond it is a debt, and requests are refused with 429 until it is paid, as at the service.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::answer::Answer;
use super::errors::refusal;

/// More budgets than a container has ranges: those of ranges that are gone are among them.
const MANY: usize = 1024;

/// What a range may spend now.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// The budgets of a container's ranges.
#[derive(Debug, Default)]
pub(super) struct Budgets(Mutex<HashMap<u32, Bucket>>);

impl Budgets {
    /// Whether these ranges may be asked at `now`, at so many request units a second each. `Err`: after how long.
    pub(super) fn admit(&self, ranges: &[u32], rate: f64, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = Duration::ZERO;
        for range in ranges {
            let bucket = buckets.entry(*range).or_insert(Bucket { left: rate, at: now });
            let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
            bucket.left = (bucket.left + passed * rate).min(rate);
            bucket.at = now;
            if bucket.left <= 0.0 {
                // A moment more, so that it is over when the client is back.
                wait = wait.max(Duration::from_secs_f64(-bucket.left / rate) + Duration::from_millis(1));
            }
        }
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// Takes what a request cost, shared by its ranges.
    pub(super) fn spend(&self, ranges: &[u32], charge: f64) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Ranges that have split or merged are not asked again.
        if buckets.len() > MANY {
            buckets.retain(|range, _| ranges.contains(range));
        }
        for range in ranges {
            if let Some(bucket) = buckets.get_mut(range) {
                bucket.left -= charge / ranges.len() as f64;
            }
        }
    }
}

/// 429 of a request that must wait.
pub(super) fn too_many_requests(wait: Duration) -> Answer {
    let mut answer = refusal(
        StatusCode::TOO_MANY_REQUESTS,
        3200,
        "TooManyRequests",
        "Message: {\"Errors\":[\"Request rate is large. More Request Units may be needed, so no changes were made. Please \
         retry this request later. Learn more: http://aka.ms/cosmosdb-error-429\"]}",
    );
    answer.set("x-ms-retry-after-ms", wait.as_millis().to_string());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_paid_before_the_next_request() {
        let (budgets, start) = (Budgets::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(budgets.admit(&[0], 100.0, at(0)), Ok(()));
        budgets.spend(&[0], 150.0);
        let wait = budgets.admit(&[0], 100.0, at(0)).unwrap_err();
        assert_eq!(wait.as_millis(), 501);
        assert_eq!(budgets.admit(&[1], 100.0, at(0)), Ok(()), "another range is not concerned");
        assert!(budgets.admit(&[0, 1], 100.0, at(499)).is_err());
        assert_eq!(budgets.admit(&[0], 100.0, at(501)), Ok(()));
        // No more than a second's worth is kept.
        budgets.spend(&[0], 100.0);
        assert_eq!(budgets.admit(&[0], 100.0, at(60_000)), Ok(()));
        budgets.spend(&[0], 101.0);
        assert!(budgets.admit(&[0], 100.0, at(60_000)).is_err());
    }
}
