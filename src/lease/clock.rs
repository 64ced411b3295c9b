//! The wall clock that heartbeats are written and judged by. Tests let it follow tokio's paused clock.

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time. The system's, or one that follows tokio's clock from a given moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock(Option<(Timestamp, Instant)>);

impl Clock {
    /// The system's wall clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that shows `base` now and goes with tokio's clock, paused or not.
    pub fn following_tokio(base: Timestamp) -> Self {
        Self(Some((base, Instant::now())))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            None => Timestamp::now(),
            Some((base, start)) => base.checked_add(start.elapsed()).unwrap_or(base),
        }
    }
}
