//! When to read or try again.

use std::time::Duration;

use tokio::time::Instant;

/// Waits between reads of a range that has nothing new: a sixteenth of the time since its last change. A busy
/// range is read every few milliseconds, an idle one ever more seldom, and a change after a silence is seen
/// within six percent of that silence.
#[derive(Debug)]
pub(super) struct Pace {
    last_change: Instant,
    floor: Duration,
    longest: Duration,
}

impl Pace {
    pub(super) fn new(floor: Duration, longest: Duration) -> Self {
        Self { last_change: Instant::now(), floor: floor.min(longest), longest }
    }

    pub(super) fn changed(&mut self) {
        self.last_change = Instant::now();
    }

    pub(super) fn wait(&self) -> Duration {
        (self.last_change.elapsed() / 16).clamp(self.floor, self.longest)
    }
}

/// Waits between attempts that fail: 100 ms, doubled up to 5 s (or less), and never less than the service asks
/// for.
#[derive(Debug)]
pub(super) struct Backoff {
    pub(super) attempts: u32,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { attempts: 0, longest: Duration::from_secs(5) }
    }
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);

    /// For what is on this side: a handler whose server is back goes on within half a second, however long it
    /// was away, and two attempts a second cost nobody anything.
    pub(super) fn short() -> Self {
        Self { attempts: 0, longest: Duration::from_millis(500) }
    }

    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let own = Self::FIRST.saturating_mul(1 << self.attempts.min(10)).min(self.longest);
        self.attempts += 1;
        own.max(asked.unwrap_or_default())
    }

    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_with_the_silence() {
        let ms = Duration::from_millis;
        let mut pace = Pace::new(ms(4), ms(5_000));
        assert_eq!(pace.wait(), ms(4));
        tokio::time::advance(ms(1_600)).await;
        assert_eq!(pace.wait(), ms(100));
        tokio::time::advance(ms(1_000_000)).await;
        assert_eq!(pace.wait(), ms(5_000));
        pace.changed();
        assert_eq!(pace.wait(), ms(4));
        assert_eq!(Pace::new(ms(4), ms(1)).wait(), ms(1));
    }

    #[test]
    fn backoff_doubles_up_to_its_limit_and_honours_the_service() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.next(None)).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(ms));
        assert_eq!(backoff.next(Some(ms(9_000))), ms(9_000));
        backoff.reset();
        assert_eq!(backoff.next(None), ms(100));
        let mut short = Backoff::short();
        assert_eq!((0..9).map(|_| short.next(None)).last(), Some(ms(500)));
    }
}
