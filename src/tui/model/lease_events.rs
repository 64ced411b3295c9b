//! What happened to leases, told from two snapshots: acquired, released, stolen, lost, expired, split, merged.

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
    /// It is gone, and one that is larger covers its range.
    Merged,
    /// It is gone.
    Deleted,
    /// A free lease has an owner.
    Acquired { by: String, mine: bool },
    /// It has no owner any more.
    Released { by: String },
    /// Another owner has it, although the one before was alive.
    Stolen { from: String, to: String, mine: bool },
    /// One of ours lost it to somebody else.
    Lost { from: String, to: String },
    /// Another owner has it since the one before fell silent.
    TakenOver { from: String, to: String, mine: bool },
    /// Its owner is silent for too long.
    Expired { owner: String },
    /// Its position went back to the start.
    Reset,
}

impl LeaseChange {
    /// One character for the timeline, told apart without colour.
    pub(crate) fn glyph(&self) -> char {
        match self {
            Self::Created => '+',
            Self::Split => '<',
            Self::Merged => '>',
            Self::Deleted => '-',
            Self::Acquired { .. } => '●',
            Self::Released { .. } => '○',
            Self::Stolen { .. } | Self::TakenOver { .. } => '→',
            Self::Lost { .. } => '!',
            Self::Expired { .. } => '◐',
            Self::Reset => '0',
        }
    }

    /// Whether somebody should look: it did not go as planned.
    pub(crate) fn is_alarming(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Expired { .. } | Self::Deleted | Self::Reset)
    }
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
            events.push(event(old, end(old, after)));
        }
    }
    for row in &after.rows {
        let Some(old) = before.rows.iter().find(|old| old.id == row.id) else {
            events.push(event(row, LeaseChange::Created));
            continue;
        };
        if old.continuation.is_some() && row.continuation.is_none() {
            events.push(event(row, LeaseChange::Reset));
        }
        if let Some(what) = owner_change(old, row) {
            events.push(event(row, what));
        }
    }
    events
}

/// Why a lease is no longer there: its range tells.
fn end(old: &LeaseRow, after: &LeaseSnapshot) -> LeaseChange {
    let Some(range) = &old.range else { return LeaseChange::Deleted };
    let others = || after.rows.iter().filter_map(|row| row.range.as_ref()).filter(|new| *new != range);
    if others().any(|new| range.contains(new)) {
        LeaseChange::Split
    } else if others().any(|new| new.contains(range)) {
        LeaseChange::Merged
    } else {
        LeaseChange::Deleted
    }
}

fn owner_change(old: &LeaseRow, row: &LeaseRow) -> Option<LeaseChange> {
    match (&old.owner, &row.owner) {
        (None, Some(by)) => Some(LeaseChange::Acquired { by: by.clone(), mine: row.mine }),
        (Some(by), None) => Some(LeaseChange::Released { by: by.clone() }),
        (Some(from), Some(to)) if from != to => {
            let (from, to, mine) = (from.clone(), to.clone(), row.mine);
            Some(match (old.expired, old.mine && !row.mine) {
                (true, _) => LeaseChange::TakenOver { from, to, mine },
                (false, true) => LeaseChange::Lost { from, to },
                (false, false) => LeaseChange::Stolen { from, to, mine },
            })
        }
        (Some(owner), Some(_)) if row.expired && !old.expired => {
            Some(LeaseChange::Expired { owner: owner.clone() })
        }
        _ => None,
    }
}

fn hundredths(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 10_000.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosmos::EpkRange;
    use crate::lease::LeaseKind;

    fn row(range: (&str, &str), owner: Option<&str>, expired: bool) -> LeaseRow {
        let range = EpkRange::new(range.0, range.1);
        LeaseRow {
            id: format!("p..{}-{}", range.min, range.max),
            token: format!("{}-{}", range.min, range.max),
            kind: LeaseKind::EpkRange,
            share: Some(range.share()),
            range: Some(range),
            mine: owner.is_some_and(|owner| owner.starts_with("me")),
            owner: owner.map(str::to_owned),
            heartbeat: None,
            expired,
            continuation: Some("7".to_owned()),
            lag: None,
        }
    }

    fn told(before: Vec<LeaseRow>, after: Vec<LeaseRow>) -> Vec<LeaseChange> {
        let snapshot = |rows| LeaseSnapshot { rows, ..LeaseSnapshot::default() };
        between(&snapshot(before), &snapshot(after), Timestamp::UNIX_EPOCH)
            .into_iter()
            .map(|event| event.what)
            .collect()
    }

    #[test]
    fn owners_come_and_go() {
        let whole = ("", "FF");
        let name = |name: &str| name.to_owned();
        for (before, expired, after, what) in [
            (None, false, Some("b"), LeaseChange::Acquired { by: name("b"), mine: false }),
            (Some("b"), false, None, LeaseChange::Released { by: name("b") }),
            (
                Some("a"),
                false,
                Some("me"),
                LeaseChange::Stolen { from: name("a"), to: name("me"), mine: true },
            ),
            (Some("me"), false, Some("b"), LeaseChange::Lost { from: name("me"), to: name("b") }),
            (
                Some("me"),
                true,
                Some("b"),
                LeaseChange::TakenOver { from: name("me"), to: name("b"), mine: false },
            ),
        ] {
            let found = told(vec![row(whole, before, expired)], vec![row(whole, after, false)]);
            assert_eq!(found, [what]);
        }
        let found = told(vec![row(whole, Some("b"), false)], vec![row(whole, Some("b"), true)]);
        assert_eq!(found, [LeaseChange::Expired { owner: name("b") }]);
        let mut reset = row(whole, Some("b"), false);
        reset.continuation = None;
        assert_eq!(told(vec![row(whole, Some("b"), false)], vec![reset]), [LeaseChange::Reset]);
    }

    #[test]
    fn ranges_are_split_merged_and_deleted() {
        let (left, right, whole) = (("", "1F"), ("1F", "FF"), ("", "FF"));
        let free = |range| row(range, None, false);
        assert_eq!(
            told(vec![free(whole)], vec![free(left), free(right)]),
            [LeaseChange::Split, LeaseChange::Created, LeaseChange::Created]
        );
        assert_eq!(
            told(vec![free(left), free(right)], vec![free(whole)]),
            [LeaseChange::Merged, LeaseChange::Merged, LeaseChange::Created]
        );
        assert_eq!(told(vec![free(left), free(right)], vec![free(right)]), [LeaseChange::Deleted]);
    }
}
