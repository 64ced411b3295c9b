//! One beat for all that tells its state again and again: at rest a machine is woken once for all of them, not by
//! each at a moment of its own.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::time::Interval;

/// What all beats are counted from.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Ticks at once, then once in each `period`, at the same moments as every other beat of that period, and of any
/// that divides it.
///
/// # Panics
/// `period` is zero.
pub(crate) fn beat(period: Duration) -> Interval {
    let (origin, now, long) = (*ORIGIN, tokio::time::Instant::now(), period.as_nanos());
    let [ahead, behind] = [(now.into_std(), origin), (origin, now.into_std())]
        .map(|(later, sooner)| later.saturating_duration_since(sooner).as_nanos());
    // A clock that is not the system's (tests have one) may be before the origin.
    let late = (ahead + long - behind % long) % long;
    let late = Duration::from_nanos(u64::try_from(late).unwrap_or(0));
    // The tick that is over comes at once.
    tokio::time::interval_at(now.checked_sub(late).unwrap_or(now), period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_begins_at_any_moment_ticks_at_once_and_then_with_the_others() {
        let half = Duration::from_millis(500);
        let mut long = beat(half);
        let start = tokio::time::Instant::now();
        long.tick().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_millis(130)).await;
        let begun = tokio::time::Instant::now();
        let mut short = beat(half / 2);
        short.tick().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let (long, short) = (long.tick().await, short.tick().await);
        assert!(long - start <= half && short - begun <= half / 2, "{start:?} {long:?} {begun:?} {short:?}");
        let apart = long.max(short) - long.min(short);
        assert_eq!(apart.as_nanos() % (half / 2).as_nanos(), 0, "{apart:?} is no whole number of beats");
    }
}
