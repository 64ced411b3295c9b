//! The newest state of a processor, for whoever looks at it.

use tokio::sync::watch;

use crate::cosmos::EpkRange;

/// State of one instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProcessorStatus {
    /// Bootstrap is through: leases exist.
    pub started: bool,
    /// Leases that this instance works on, in order of their range.
    pub leases: Vec<WorkerStatus>,
    /// Leases of the prefix, whoever owns them.
    pub total_leases: usize,
    /// Documents delivered by this instance since it started.
    pub delivered: u64,
    /// Events that nobody took.
    pub dropped_events: u64,
    /// What keeps the instance as a whole from working, in one line.
    pub problem: Option<String>,
}

/// State of the worker of one lease.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerStatus {
    /// Id of the lease document.
    pub lease_id: String,
    /// What it owns.
    pub range: EpkRange,
    /// Position after the newest delivered batch (raw etag); `None` before the first answer.
    pub continuation: Option<String>,
    /// The stored position.
    pub checkpointed: Option<String>,
    /// The last read brought nothing.
    pub at_end: bool,
    /// The last read brought nothing, and everything delivered is checkpointed.
    pub drained: bool,
    /// Documents delivered.
    pub delivered: u64,
    /// What keeps it from going on, in one line.
    pub problem: Option<String>,
}

impl ProcessorStatus {
    /// Every lease of the prefix is ours, drained and checkpointed.
    pub fn is_idle(&self) -> bool {
        self.started
            && self.total_leases > 0
            && self.leases.len() >= self.total_leases
            && self.leases.iter().all(|w| w.drained)
    }
}

/// Writes the status; each worker its own row.
#[derive(Debug, Clone)]
pub(super) struct Board(watch::Sender<ProcessorStatus>);

impl Board {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(ProcessorStatus::default()))
    }

    pub(super) fn watch(&self) -> watch::Receiver<ProcessorStatus> {
        self.0.subscribe()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut ProcessorStatus)) {
        self.0.send_modify(change);
    }

    pub(super) fn add(&self, lease_id: &str, range: &EpkRange, checkpointed: Option<String>) {
        self.0.send_modify(|status| {
            status.leases.retain(|w| w.lease_id != lease_id);
            status.leases.push(WorkerStatus {
                lease_id: lease_id.to_owned(),
                range: range.clone(),
                continuation: checkpointed.clone(),
                checkpointed,
                at_end: false,
                drained: false,
                delivered: 0,
                problem: None,
            });
            status.leases.sort_by(|a, b| a.range.cmp(&b.range));
        });
    }

    pub(super) fn remove(&self, lease_id: &str) {
        self.0.send_modify(|status| status.leases.retain(|w| w.lease_id != lease_id));
    }

    pub(super) fn worker(&self, lease_id: &str, change: impl FnOnce(&mut WorkerStatus)) {
        self.0.send_if_modified(|status| {
            let Some(worker) = status.leases.iter_mut().find(|w| w.lease_id == lease_id) else {
                return false;
            };
            let before = worker.delivered;
            change(worker);
            worker.drained =
                worker.at_end && worker.continuation.is_some() && worker.continuation == worker.checkpointed;
            status.delivered += worker.delivered - before;
            true
        });
    }
}
