//! The lease pane: the newest snapshot, and how each lease's lag went.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use super::{
    filter::Filter,
    lease_events::{self, LeaseEvent},
    sort::{Column, Order, SortKey, Sorted, arrange, round},
};
use crate::engine::{LeaseRow, LeaseSnapshot};

/// Lag values kept per lease, one a snapshot.
const LAG_HISTORY: usize = 60;
/// Events kept.
const EVENTS: usize = 200;

/// Rows and figures of the leases.
#[derive(Debug, Clone)]
pub(crate) struct LeasePane {
    pub(crate) snapshot: LeaseSnapshot,
    /// A snapshot has come.
    pub(crate) known: bool,
    filter: Filter,
    /// Rows that do not pass are hidden; else those that pass are only marked.
    narrows: bool,
    order: Order,
    /// Places in the snapshot of the rows that are shown, in their order.
    shown: Vec<usize>,
    /// The second in which a filter of ages was asked last.
    aged_at: i64,
    /// Id of the lease under the cursor.
    pub(crate) cursor: Option<String>,
    /// Place of the first row, as far as the cursor moved it.
    pub(crate) top: usize,
    /// What happened to leases, newest first.
    pub(crate) events: VecDeque<LeaseEvent>,
    lag: HashMap<String, VecDeque<Option<f64>>>,
}

impl Default for LeasePane {
    fn default() -> Self {
        Self {
            snapshot: LeaseSnapshot::default(),
            known: false,
            filter: Filter::default(),
            narrows: true,
            order: Order::default(),
            shown: Vec::new(),
            aged_at: 0,
            cursor: None,
            top: 0,
            events: VecDeque::new(),
            lag: HashMap::new(),
        }
    }
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
        self.rearrange();
    }

    /// Rows that are shown, in their order: those that pass the filter, by their range.
    pub(crate) fn shown(&self) -> impl DoubleEndedIterator<Item = &LeaseRow> {
        self.shown.iter().filter_map(|place| self.snapshot.rows.get(*place))
    }

    /// Rows that pass the filter.
    pub(crate) fn passing(&self) -> usize {
        self.snapshot.rows.iter().filter(|row| self.filter.passes(*row)).count()
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// Whether a filter found this row.
    pub(crate) fn is_hit(&self, row: &LeaseRow) -> bool {
        !self.filter.is_none() && self.filter.passes(row)
    }

    /// Whether rows that pass have to be told from others.
    pub(crate) fn marks_hits(&self) -> bool {
        !self.narrows && !self.filter.is_none()
    }

    pub(crate) fn set_filter(&mut self, filter: Filter) {
        if filter != self.filter {
            self.filter = filter;
            self.top = 0;
            self.rearrange();
        }
    }

    /// Hides the rows that do not pass, or only marks those that do.
    pub(crate) fn set_narrows(&mut self, narrows: bool) {
        self.narrows = narrows;
        self.rearrange();
    }

    pub(crate) fn set_order(&mut self, order: Order) {
        self.order = order;
        self.top = 0;
        self.rearrange();
    }

    /// Time passes: ages are looked at again.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.filter.set_now(now);
        if self.filter.ages() && self.aged_at != now.as_second() {
            self.aged_at = now.as_second();
            self.rearrange();
        }
    }

    fn rearrange(&mut self) {
        let hides = self.narrows && !self.filter.is_none();
        let rows =
            self.snapshot.rows.iter().enumerate().filter(|(_, row)| !hides || self.filter.passes(*row));
        self.shown = if self.order.is_own() {
            rows.map(|(place, _)| place).collect()
        } else {
            // By their range they come: for that their place is the key.
            let keyed = rows.map(|(place, row)| match self.order.column {
                0 => (SortKey::Number(place as f64), place),
                column => (row.sort_key(column), place),
            });
            arrange(keyed, self.order, LeaseRow::COLUMNS, usize::MAX)
        };
    }

    /// Place of the first row shown in a window of `height` rows: never past what fills it.
    pub(crate) fn first_shown(&self, height: usize) -> usize {
        self.top.min(self.shown.len().saturating_sub(height))
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

    /// Goes to the next row (or the one before) that passes the filter, round at the end. Gives its id,
    /// and whether it went round; `None` when no row passes.
    pub(crate) fn find(&mut self, forward: bool, height: usize) -> Option<(String, bool)> {
        let start = self.place();
        let (place, id) = round(start, self.shown.len(), forward).find_map(|place| {
            let row = self.snapshot.rows.get(*self.shown.get(place)?)?;
            self.is_hit(row).then(|| (place, row.id.clone()))
        })?;
        self.stop_at(&id, height);
        Some((id, start.is_some_and(|start| if forward { place <= start } else { place >= start })))
    }
}

impl Sorted for LeaseRow {
    const COLUMNS: &'static [Column] = &[
        Column::rising("range"),
        Column::falling("share"),
        Column::rising("owner"),
        Column::falling("at"),
        Column::rising("hb"),
        Column::falling("lag"),
    ];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            1 => SortKey::number(self.share.map(|(from, to)| to - from)),
            2 => SortKey::text(self.owner.as_deref()),
            3 => self.continuation.as_deref().map_or(SortKey::Nothing, SortKey::number_or_text),
            // The youngest heartbeat is the latest one.
            4 => SortKey::number(self.heartbeat.map(|at| -(at.as_millisecond() as f64))),
            5 => SortKey::number(self.lag.map(|lag| lag as f64)),
            _ => SortKey::Text(&self.token),
        }
    }
}
