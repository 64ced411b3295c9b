//! The dialog that asks in which form the latencies are written.

use jiff::{Timestamp, tz::TimeZone};

use crate::{config::Share, engine::ExportForm};

/// State of the dialog.
#[derive(Debug, Clone)]
pub(crate) struct ExportDialog {
    cursor: usize,
    opened: Timestamp,
    zone: TimeZone,
}

impl ExportDialog {
    pub(crate) fn new(opened: Timestamp, zone: TimeZone) -> Self {
        Self { cursor: 0, opened, zone }
    }

    pub(crate) fn step(&mut self, rows: isize) {
        let count = ExportForm::ALL.len();
        self.cursor = (self.cursor + count).saturating_add_signed(rows) % count;
    }

    pub(crate) fn choose(&mut self, form: ExportForm) {
        self.cursor = ExportForm::ALL.iter().position(|known| *known == form).unwrap_or(self.cursor);
    }

    pub(crate) fn form(&self) -> ExportForm {
        ExportForm::ALL[self.cursor % ExportForm::ALL.len()]
    }

    /// `latency-2026-11-24-150203.html`: one of the same second replaces itself at worst.
    pub(crate) fn name(&self) -> String {
        let at = self.zone.to_datetime(self.opened).strftime("%Y-%m-%d-%H%M%S");
        format!("latency-{at}.{}", self.form().extension())
    }

    /// The command that measures and writes such a file.
    pub(crate) fn same_as(&self, base: &str, slo: Option<u64>, share: Share) -> String {
        let base = if base.is_empty() { String::new() } else { format!(" {base}") };
        let share = if share == Share::USUAL { String::new() } else { format!("@{share}") };
        let slo = slo.map(|millis| format!(" --slo {millis}ms{share}")).unwrap_or_default();
        format!("syncscope latency{base} --for 60s{slo} --report {}", self.name())
    }
}
