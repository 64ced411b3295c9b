//! Options of a processor, with .NET's names and defaults where it has them.

use std::time::Duration;

use crate::config::StartPosition;
use crate::lease::Clock;

/// How one instance works.
#[derive(Debug, Clone)]
pub struct ProcessorOptions {
    /// Owner name in the leases; must be unique among the instances of a prefix.
    pub instance_name: String,
    /// Where leases without continuation start.
    pub start: StartPosition,
    /// Most documents in a page; `None` = the service decides.
    pub max_items: Option<u32>,
    /// Longest wait between two reads of an idle range.
    pub poll_interval: Duration,
    /// Shortest wait between two reads of an idle range, right after a change.
    pub poll_floor: Duration,
    /// How often free leases are looked for.
    pub acquire_interval: Duration,
    /// A lease without heartbeat for so long is free.
    pub expiration_interval: Duration,
    /// How often a heartbeat is written.
    pub renew_interval: Duration,
    /// Positions are stored at once, but not more often than this; a crash repeats what came in between.
    pub checkpoint_interval: Duration,
    /// After taking a lease from a live owner, wait so long before delivering: the owner notices at its next
    /// write, and a batch of its that is under way must not land after a newer one of ours.
    pub steal_grace: Duration,
    /// Create leases by partition key range (`version` 0), for stores that an old trigger will share.
    pub version_0: bool,
    /// The clock of the heartbeats.
    pub clock: Clock,
    /// Store a position before its batch is delivered: loses changes. Only there to prove that the chaos test
    /// would notice.
    #[doc(hidden)]
    pub checkpoint_before_delivery: bool,
}

impl Default for ProcessorOptions {
    fn default() -> Self {
        Self {
            instance_name: String::new(),
            start: StartPosition::Now,
            max_items: None,
            poll_interval: Duration::from_secs(5),
            poll_floor: Duration::from_millis(4),
            acquire_interval: Duration::from_secs(13),
            expiration_interval: Duration::from_secs(60),
            renew_interval: Duration::from_secs(17),
            checkpoint_interval: Duration::from_millis(100),
            steal_grace: Duration::from_secs(1),
            version_0: false,
            clock: Clock::system(),
            checkpoint_before_delivery: false,
        }
    }
}
