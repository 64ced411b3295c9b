//! How fast a verification may go: as fast as the servers answer, or so many a second.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// Most documents of a page.
const PAGE: usize = 1_000;
/// With a rate: pages a second. Each costs a request, however few documents it brings.
const PAGES_A_SECOND: u32 = 1;

/// Shared by everything that reads for one verification.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: Option<u32>,
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn at_full_speed() -> Self {
        Self { per_second: None, next: Mutex::new(Instant::now()) }
    }

    pub(super) fn of(per_second: u32) -> Self {
        Self { per_second: Some(per_second.max(1)), next: Mutex::new(Instant::now()) }
    }

    /// Whether a rate was asked for.
    pub(super) fn is_bounded(&self) -> bool {
        self.per_second.is_some()
    }

    /// Documents to be read at once.
    pub(super) fn page(&self) -> usize {
        let even = |rate: u32| usize::try_from(rate.div_ceil(PAGES_A_SECOND)).unwrap_or(PAGE);
        self.per_second.map_or(PAGE, even).min(PAGE)
    }

    /// Waits until so many more may be read.
    pub(super) async fn rest(&self, read: usize) {
        let Some(rate) = self.per_second else { return };
        let mut next = self.next.lock().await;
        let slot = Duration::from_secs_f64(read as f64 / f64::from(rate));
        // Time that was not used is not made up for: that would be a burst.
        let until = (*next).max(Instant::now()) + slot;
        *next = until;
        drop(next);
        tokio::time::sleep_until(until.into()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_as_large_as_the_rate_allows() {
        assert_eq!(Pace::at_full_speed().page(), PAGE);
        assert_eq!(Pace::of(0).page(), 1);
        assert_eq!(Pace::of(100).page(), 100);
        assert_eq!(Pace::of(1_000_000).page(), PAGE);
    }

    #[tokio::test]
    async fn a_rate_is_shared_and_kept() {
        let pace = Pace::of(1_000);
        let began = Instant::now();
        tokio::join!(pace.rest(50), pace.rest(50));
        assert!(began.elapsed() >= Duration::from_millis(100));
        Pace::at_full_speed().rest(1_000_000).await;
    }
}
