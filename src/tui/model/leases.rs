//! The lease pane: the newest snapshot, and how each lease's lag went.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use super::{
    filter::{Filter, Filtered},
    lease_events::{self, LeaseEvent},
};
use crate::engine::{LeaseRow, LeaseSnapshot};

/// Lag values kept per lease, one a snapshot.
const LAG_HISTORY: usize = 60;
/// Events kept.
const EVENTS: usize = 200;

/// Rows and figures of the leases.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeasePane {
    pub(crate) snapshot: LeaseSnapshot,
    /// A snapshot has come.
    pub(crate) known: bool,
    pub(crate) filter: Filter,
    /// Id of the lease under the cursor.
    pub(crate) cursor: Option<String>,
    /// Place of the first row, as far as the cursor moved it.
    pub(crate) top: usize,
    /// What happened to leases, newest first.
    pub(crate) events: VecDeque<LeaseEvent>,
    lag: HashMap<String, VecDeque<Option<f64>>>,
}

impl LeasePane {
    pub(crate) fn replace(&mut self, snapshot: LeaseSnapshot, now: Timestamp) {
        // The first snapshot is how things are, not something that happened.
        if self.known {
            for event in lease_events::between(&self.snapshot, &snapshot, now) {
                self.events.push_front(event);
            }
            self.events.truncate(EVENTS);
        }
        self.lag.retain(|id, _| snapshot.rows.iter().any(|row| row.id == *id));
        for row in &snapshot.rows {
            let history = self.lag.entry(row.id.clone()).or_default();
            history.push_back(row.lag.map(|lag| lag as f64));
            if history.len() > LAG_HISTORY {
                history.pop_front();
            }
        }
        self.snapshot = snapshot;
        self.known = true;
        if let Some(cursor) = &self.cursor
            && !self.snapshot.rows.iter().any(|row| row.id == *cursor)
        {
            self.cursor = None;
        }
    }

    /// Rows that pass the filter, in order of their range.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &LeaseRow> {
        self.snapshot.rows.iter().filter(|row| row.passes(&self.filter))
    }

    /// Place of the first row shown in a window of `height` rows: never past what fills it.
    pub(crate) fn first_shown(&self, height: usize) -> usize {
        self.top.min(self.shown().count().saturating_sub(height))
    }

    /// Lag of the last snapshots, oldest first.
    pub(crate) fn lag_history(&self, id: &str) -> Vec<Option<f64>> {
        self.lag.get(id).map(|history| history.iter().copied().collect()).unwrap_or_default()
    }

    /// Sum of the lag; `None` when no lease tells.
    pub(crate) fn lag(&self) -> Option<u64> {
        self.snapshot.rows.iter().filter_map(|row| row.lag).reduce(u64::saturating_add)
    }

    /// Moves the cursor and gives the row that it is on now.
    pub(crate) fn step(&mut self, rows: isize, height: usize) -> Option<&LeaseRow> {
        let shown: Vec<&LeaseRow> = self.shown().collect();
        let last = shown.len().checked_sub(1)?;
        let place = match self.place() {
            Some(place) => place.saturating_add_signed(rows).min(last),
            None if rows > 0 => 0,
            None => last,
        };
        let id = shown[place].id.clone();
        self.stop_at(&id, height);
        self.snapshot.rows.iter().find(|row| row.id == id)
    }

    /// Puts the cursor on a lease and keeps it in a window of `height` rows.
    pub(crate) fn stop_at(&mut self, id: &str, height: usize) {
        self.cursor = Some(id.to_owned());
        let Some(place) = self.place() else { return };
        let height = height.max(1);
        self.top = self.top.clamp((place + 1).saturating_sub(height), place);
    }

    fn place(&self) -> Option<usize> {
        let cursor = self.cursor.as_deref()?;
        self.shown().position(|row| row.id == cursor)
    }
}
