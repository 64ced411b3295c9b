//! The built-in sync and the leases at one moment.

use std::time::Duration;

use jiff::Timestamp;

use crate::cosmos::EpkRange;
use crate::lease::LeaseKind;
/// State of the built-in sync.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncStatus {
    /// What it is doing.
    pub phase: SyncPhase,
    /// Leases owned by our instances.
    pub owned: usize,
    /// Of these, those whose position is known: whatever is written from now on will be delivered.
    pub placed: usize,
    /// Leases of the prefix.
    pub leases: usize,
    /// Documents delivered and acknowledged by Redis since the sync started.
    pub delivered: u64,
    /// Documents per second, over the last seconds.
    pub rate: f64,
    /// Changes not passed yet, over all leases; `None` when not known.
    pub lag: Option<u64>,
    /// Documents set aside because they cannot be mapped or written.
    pub set_aside: u64,
    /// Connections to Redis that were closed and replaced in mid-flight, with nothing lost.
    pub reconnects: u64,
    /// Every lease is ours, drained and checkpointed.
    pub idle: bool,
    /// Names of our instances, as they stand in the leases' `Owner`.
    pub instances: Vec<String>,
    /// The newest error that keeps the sync from going on, in one line.
    pub problem: Option<String>,
}

/// What the built-in sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncPhase {
    /// Not asked for: we only watch.
    #[default]
    Off,
    /// Asked for; waits for servers or leases.
    Joining,
    /// Delivers changes.
    Running,
    /// Holds its leases, delivers nothing.
    Paused,
    /// Finishes batches and releases its leases.
    Stopping,
    /// Stopped for a rebuild that is under way.
    Rebuilding,
}

/// All leases of one prefix at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaseSnapshot {
    /// Full prefix of the lease ids (processor name, host and rids).
    pub prefix: String,
    /// `database/container` of the leases.
    pub container: String,
    /// In order of their range.
    pub rows: Vec<LeaseRow>,
    /// Other prefixes in the same container, with the number of their leases.
    pub other_prefixes: Vec<(String, usize)>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// A lease without heartbeat for so long is free.
    pub expiration: Duration,
    /// Why there is nothing to show, in one line with what to do next.
    pub problem: Option<String>,
}

/// One lease as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseRow {
    /// Document id.
    pub id: String,
    /// `LeaseToken`: range id or `min-max`.
    pub token: String,
    /// Who wrote it, in which form.
    pub kind: LeaseKind,
    /// The range, where the document tells it.
    pub range: Option<EpkRange>,
    /// The range as fractions of the key space, `0.0..=1.0`.
    pub share: Option<(f64, f64)>,
    /// Instance name of the owner; `None` when free.
    pub owner: Option<String>,
    /// The owner is one of our instances.
    pub mine: bool,
    /// Time of the owner's last write, by the owner's clock.
    pub heartbeat: Option<Timestamp>,
    /// No heartbeat within the expiration interval.
    pub expired: bool,
    /// Continuation, as shown: an LSN, or raw.
    pub continuation: Option<String>,
    /// Changes not passed yet (estimator's formula); `None` when not known.
    pub lag: Option<u64>,
}
