//! The slowest ways, in the order of a column; the one that is pointed at stays so when others come.

use super::{
    Model,
    sort::{Column, Order, SortKey, Sorted, arrange},
};
use crate::engine::{LatencySnapshot, SlowProbe};

impl Sorted for SlowProbe {
    const COLUMNS: &'static [Column] = &[
        Column::falling("whole"),
        Column::rising("id"),
        Column::falling("at"),
        Column::falling("waited"),
        Column::falling("write"),
        Column::falling("feed"),
        Column::falling("lease"),
        Column::falling("cache"),
    ];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            1 => SortKey::Text(&self.id),
            2 => SortKey::Number(self.at.as_microsecond() as f64),
            3 => SortKey::number(Some(self.waited)),
            4 => SortKey::number(self.timing.write),
            5 => SortKey::number(self.timing.feed),
            6 => SortKey::number(self.timing.lease),
            7 => SortKey::number(self.timing.cache),
            _ => SortKey::number(Some(self.whole)),
        }
    }
}

impl Model {
    /// Takes the newest figures over.
    pub(crate) fn take_latency(&mut self, snapshot: LatencySnapshot) {
        let pointed = self.slow_cursor.and_then(|cursor| self.latency.slowest.get(cursor)).cloned();
        self.latency = snapshot;
        self.arrange_slowest(pointed);
    }

    /// Sorts the slowest by a column.
    pub(crate) fn sort_slowest(&mut self, order: Order) {
        let pointed = self.slow_cursor.and_then(|cursor| self.latency.slowest.get(cursor)).cloned();
        self.slow_order = order;
        self.arrange_slowest(pointed);
    }

    fn arrange_slowest(&mut self, pointed: Option<SlowProbe>) {
        let rows = &self.latency.slowest;
        let keyed = rows.iter().map(|row| (row.sort_key(self.slow_order.column), row.clone()));
        self.latency.slowest = arrange(keyed, self.slow_order, SlowProbe::COLUMNS, usize::MAX);
        let Some(pointed) = pointed else { return };
        let same = |row: &SlowProbe| row.id == pointed.id && row.at == pointed.at;
        // What is no longer among the slowest leaves the cursor at its place.
        self.slow_cursor = self.latency.slowest.iter().position(same).or(self.slow_cursor);
        let last = self.latency.slowest.len().checked_sub(1);
        self.slow_cursor = self.slow_cursor.and_then(|cursor| Some(cursor.min(last?)));
    }
}
