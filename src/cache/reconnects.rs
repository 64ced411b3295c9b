//! Connections that were lost and replaced without anybody's having to wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a connection has been through. Clones share it, also over several clients of one server.
#[derive(Debug, Clone, Default)]
pub struct Reconnects {
    seen: Arc<Mutex<Reconnected>>,
}

/// Connections that were replaced so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconnected {
    /// How many.
    pub count: u64,
    /// What became of the newest one that was lost, in the words of the system.
    pub reason: String,
    /// The longest time from noticing that one was lost until what was under way had been answered on the next,
    /// since [`Reconnects::take_longest`].
    pub longest: Duration,
}

impl Reconnects {
    pub(super) fn add(&self, reason: String, took: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.count += 1;
        seen.reason = reason;
        seen.longest = seen.longest.max(took);
    }

    /// What happened so far.
    pub fn seen(&self) -> Reconnected {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happened so far; the longest gap begins anew.
    pub fn take_longest(&self) -> Reconnected {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seen.clone();
        seen.longest = Duration::ZERO;
        taken
    }
}
