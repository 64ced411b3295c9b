//! A rebuild that waits until the processors of others have given their leases up.

use std::time::{Duration, Instant};

use super::Builtin;
use crate::engine::command::RebuildOrder;
use crate::engine::event::{ForeignOwner, RebuildPhase};
use crate::wording::counted;

/// Between two looks at the leases.
const LOOK: Duration = Duration::from_secs(1);

/// What is waited with.
pub(super) struct Waiting {
    order: RebuildOrder,
    began: Instant,
    next: Instant,
}

impl Builtin {
    pub(super) async fn wait_for_owners(&mut self, order: RebuildOrder, owners: &[ForeignOwner]) {
        let now = Instant::now();
        let began = self.waiting.as_ref().map_or(now, |waiting| waiting.began);
        self.waiting = Some(Waiting { order, began, next: now + LOOK });
        let owners = format!(
            "waiting for {}: stop it (a killed one is given up {} s after its last heartbeat)",
            names(owners),
            self.shared.settings.sync.expiration_interval.as_secs()
        );
        self.tell_phase(RebuildPhase::Waiting { owners }, began, None).await;
    }

    /// Looks again from time to time; begins once nobody owns leases any more.
    pub(super) async fn follow_waiting(&mut self) {
        if let Some(waiting) = self.waiting.as_ref().filter(|waiting| Instant::now() >= waiting.next) {
            let order = waiting.order.clone();
            self.rebuild(order).await;
        }
    }

    pub(super) async fn give_up_waiting(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            let reason = "stopped while it waited; nothing was done".to_owned();
            self.rebuild_failed(waiting.began, reason).await;
        }
    }
}

/// Who they are: names, leases, since when.
pub(super) fn names(owners: &[ForeignOwner]) -> String {
    let one = |owner: &ForeignOwner| {
        let since = owner
            .since
            .map_or_else(String::new, |since| format!(", seen since {}", since.strftime("%H:%M:%SZ")));
        let leases = counted(owner.leases, "lease");
        format!("{} ({leases}, heartbeat {} s ago{since})", owner.name, owner.heartbeat_age)
    };
    owners.iter().map(one).collect::<Vec<_>>().join(", ")
}
