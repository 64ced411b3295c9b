//! What a processor tells while it runs.

use std::fmt;
use std::time::Duration;

use crate::cosmos::EpkRange;
use crate::wording::counted;

/// Why a lease could be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcquireReason {
    /// Nobody owned it.
    Free,
    /// It already had our name as its owner.
    Own,
    /// Its owner's heartbeat was too old.
    Expired,
    /// Its owner had more than its share.
    Stolen,
    /// It came from a split that we found.
    Split,
}

/// Something that happened in a processor. Telemetry: dropped and counted when nobody takes it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ProcessorEvent {
    /// Bootstrap is through.
    Started {
        /// Leases of the prefix.
        leases: usize,
        /// Leases that this instance created.
        created: usize,
    },
    /// A lease is ours.
    Acquired {
        /// Which.
        lease_id: String,
        /// Why it could be taken.
        reason: AcquireReason,
        /// Its owner before, if it had another.
        from: Option<String>,
    },
    /// A lease was freed.
    Released {
        /// Which.
        lease_id: String,
    },
    /// A lease is no longer ours.
    Lost {
        /// Which.
        lease_id: String,
        /// Its new owner; `None` = the document is gone or free.
        to: Option<String>,
    },
    /// A batch was handled.
    BatchDelivered {
        /// Of which lease.
        lease_id: String,
        /// Number of documents.
        documents: usize,
        /// Time in the handler, repetitions included.
        took: Duration,
    },
    /// A batch was refused by the handler and comes again.
    HandlerFailed {
        /// Of which lease.
        lease_id: String,
        /// The handler's words.
        cause: String,
        /// How often it failed so far.
        attempt: u32,
        /// Until the next attempt.
        retry_in: Duration,
    },
    /// A lease has nothing new to read.
    CaughtUp {
        /// Which.
        lease_id: String,
    },
    /// A lease was replaced by leases of the ranges that its own was split or merged into.
    Split {
        /// The lease before.
        lease_id: String,
        /// The leases after.
        children: Vec<String>,
    },
    /// Leases were missing and have been created again; their ranges are read from the beginning.
    Recovered {
        /// The new leases.
        lease_ids: Vec<String>,
    },
    /// A worker panicked; its lease is taken up again.
    WorkerPanicked {
        /// Of which lease.
        lease_id: String,
    },
    /// The source, or the container of leases, does not answer; tried again until it does. Where it stood, it
    /// goes on.
    Interrupted {
        /// Of which lease; `None` = the rounds of the processor as a whole.
        lease_id: Option<String>,
        /// What failed, in one line.
        cause: String,
        /// What to do, in one line.
        remedy: String,
        /// Until the next attempt.
        retry_in: Duration,
    },
    /// What was interrupted goes on.
    Resumed {
        /// Of which lease; `None` = the rounds of the processor as a whole.
        lease_id: Option<String>,
    },
    /// Something does not work at the moment.
    Problem {
        /// Of which lease; `None` = the processor as a whole.
        lease_id: Option<String>,
        /// What failed, in one line.
        cause: String,
        /// What to do, in one line.
        remedy: String,
        /// Until the next attempt; `None` = not tried again.
        retry_in: Option<Duration>,
    },
}

impl ProcessorEvent {
    /// Whether it should be shown as a warning.
    pub fn is_problem(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. }
                | Self::HandlerFailed { .. }
                | Self::Recovered { .. }
                | Self::WorkerPanicked { .. }
                | Self::Interrupted { .. }
                | Self::Problem { .. }
        )
    }

    /// Whether it is one of the many of every second, of no use in a log.
    pub fn is_routine(&self) -> bool {
        matches!(self, Self::BatchDelivered { .. } | Self::CaughtUp { .. } | Self::Resumed { .. })
    }
}

/// A lease as people tell it from others: its part of the key space in percent, `25–50`; or its token,
/// where that names no range.
fn token(lease_id: &str) -> String {
    let token = lease_id.rsplit_once("..").map_or(lease_id, |(_, token)| token);
    token.split_once('-').map_or_else(|| token.to_owned(), |(min, max)| EpkRange::new(min, max).percent())
}

impl fmt::Display for ProcessorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { leases, created: 0 } => write!(f, "joined {}", counted(*leases, "lease")),
            Self::Started { leases, created } => {
                write!(f, "created {created} of {}", counted(*leases, "lease"))
            }
            Self::Acquired { lease_id, reason, from } => {
                let from = from.as_deref().unwrap_or("nobody");
                match reason {
                    AcquireReason::Free => write!(f, "lease {} acquired", token(lease_id)),
                    AcquireReason::Own => write!(f, "lease {} taken up again", token(lease_id)),
                    AcquireReason::Expired => {
                        write!(f, "lease {} of {from} had expired, acquired", token(lease_id))
                    }
                    AcquireReason::Stolen => {
                        write!(f, "lease {} taken from {from}, who had more", token(lease_id))
                    }
                    AcquireReason::Split => write!(f, "lease {} acquired after a split", token(lease_id)),
                }
            }
            Self::Released { lease_id } => write!(f, "lease {} released", token(lease_id)),
            Self::Lost { lease_id, to: Some(to) } => write!(f, "lease {} lost to {to}", token(lease_id)),
            Self::Lost { lease_id, to: None } => {
                write!(f, "lease {} lost: freed or deleted", token(lease_id))
            }
            Self::BatchDelivered { lease_id, documents, took } => {
                let documents = counted(*documents, "document");
                write!(f, "lease {}: {documents} in {} ms", token(lease_id), took.as_millis())
            }
            Self::HandlerFailed { lease_id, cause, attempt, retry_in } => write!(
                f,
                "lease {}: attempt {attempt} failed: {cause}; again in {} ms",
                token(lease_id),
                retry_in.as_millis()
            ),
            Self::CaughtUp { lease_id } => write!(f, "lease {} has caught up", token(lease_id)),
            Self::Split { lease_id, children } => {
                let children: Vec<_> = children.iter().map(|c| token(c)).collect();
                write!(f, "lease {} became {}", token(lease_id), children.join(", "))
            }
            Self::Recovered { lease_ids } => {
                write!(f, "missing: {}; created again, from the beginning", counted(lease_ids.len(), "lease"))
            }
            Self::WorkerPanicked { lease_id } => {
                write!(f, "lease {}: its worker panicked and is started again", token(lease_id))
            }
            Self::Problem { lease_id: Some(id), cause, remedy, .. }
            | Self::Interrupted { lease_id: Some(id), cause, remedy, .. } => {
                write!(f, "lease {}: {cause}; {remedy}", token(id))
            }
            Self::Problem { lease_id: None, cause, remedy, .. }
            | Self::Interrupted { lease_id: None, cause, remedy, .. } => write!(f, "{cause}; {remedy}"),
            Self::Resumed { lease_id: Some(id) } => write!(f, "lease {} goes on", token(id)),
            Self::Resumed { lease_id: None } => write!(f, "leases are listed again"),
        }
    }
}
