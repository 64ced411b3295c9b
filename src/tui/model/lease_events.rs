//! What happened to leases, told from two snapshots: acquired, released, moved, expired, split.

use jiff::Timestamp;

use crate::engine::{LeaseRow, LeaseSnapshot};

/// Something that happened to a lease between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaseEvent {
    /// When it was noticed.
    pub(crate) at: Timestamp,
    /// Part of the key space in hundredths of percent, where known: `(from, to)`.
    pub(crate) share: Option<(u32, u32)>,
    /// The lease's token, for leases without a range.
    pub(crate) token: String,
    pub(crate) what: LeaseChange,
}

/// Kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseChange {
    /// It is new.
    Created,
    /// It is gone, and others cover its range.
    Split,
    /// It is gone.
    Deleted,
    /// A free lease has an owner.
    Acquired { by: String, mine: bool },
    /// It has no owner any more.
    Released { by: String },
    /// Another owner has it.
    Moved { from: String, to: String, mine: bool },
    /// Its owner is silent for too long.
    Expired { owner: String },
}

/// What changed from one snapshot to the next, in order of the ranges.
pub(crate) fn between(before: &LeaseSnapshot, after: &LeaseSnapshot, now: Timestamp) -> Vec<LeaseEvent> {
    let at = after.read_at.unwrap_or(now);
    let event = |row: &LeaseRow, what| LeaseEvent {
        at,
        share: row.share.map(|(from, to)| (hundredths(from), hundredths(to))),
        token: row.token.clone(),
        what,
    };
    let mut events = Vec::new();
    for old in &before.rows {
        if !after.rows.iter().any(|row| row.id == old.id) {
            let covered = after.rows.iter().any(|row| match (&row.range, &old.range) {
                (Some(new), Some(range)) => new != range && range.contains(new),
                _ => false,
            });
            events.push(event(old, if covered { LeaseChange::Split } else { LeaseChange::Deleted }));
        }
    }
    for row in &after.rows {
        let Some(old) = before.rows.iter().find(|old| old.id == row.id) else {
            events.push(event(row, LeaseChange::Created));
            continue;
        };
        let what = match (&old.owner, &row.owner) {
            (None, Some(by)) => LeaseChange::Acquired { by: by.clone(), mine: row.mine },
            (Some(by), None) => LeaseChange::Released { by: by.clone() },
            (Some(from), Some(to)) if from != to => {
                LeaseChange::Moved { from: from.clone(), to: to.clone(), mine: row.mine }
            }
            (Some(owner), Some(_)) if row.expired && !old.expired => {
                LeaseChange::Expired { owner: owner.clone() }
            }
            _ => continue,
        };
        events.push(event(row, what));
    }
    events
}

fn hundredths(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 10_000.0).round() as u32
}
