//! Tells connections to Redis that were replaced in mid-flight: the first at once, a flood of them as
//! a figure now and then. Nothing was lost, but somebody or something closes our connections.

use std::time::{Duration, Instant};

use super::Builtin;
use crate::engine::event::Level;
use crate::wording::counted;

/// Between two lines of a flood.
const BETWEEN: Duration = Duration::from_secs(5);

/// What was told of them.
#[derive(Debug, Default)]
pub(super) struct ReconnectsTold {
    count: u64,
    at: Option<Instant>,
}

impl Builtin {
    /// Tells what is new, not too often; all of it at the end.
    pub(super) async fn tell_reconnects(&mut self, at_once: bool) {
        let told = &mut self.reconnects_told;
        let new = self.writer.reconnects().seen().count - told.count;
        if new == 0 || !at_once && told.at.is_some_and(|at| at.elapsed() < BETWEEN) {
            return;
        }
        let seen = self.writer.reconnects().take_longest();
        let new = seen.count - told.count;
        let since = told.at.map(|at| format!(" in {} s", at.elapsed().as_secs())).unwrap_or_default();
        *told = ReconnectsTold { count: seen.count, at: Some(Instant::now()) };
        let longest = seen.longest.as_millis().max(1);
        let text = if new == 1 {
            format!(
                "Redis closed the connection (killed or restarted: {}); reconnected within {longest} ms, nothing lost",
                seen.reason
            )
        } else {
            format!(
                "Redis closed the connection {}{since} (killed or restarted: {}); each time reconnected \
                 within {longest} ms, nothing lost",
                counted(new, "time"),
                seen.reason
            )
        };
        self.shared.report.log(Level::Warning, "redis", text).await;
    }
}
