//! Verification: what was found, and the dialog over it. The findings stay when the dialog is closed.

use super::sort::{Column, Order, SortKey, Sorted, arrange};
use crate::engine::{Finding, VerifyPhase, VerifyStatus};
use crate::tui::keymap::Action;

/// Most findings kept; the summary counts all.
const MOST: usize = 1_000;

/// The newest verification.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verification {
    /// `None` = never asked for in this run.
    pub(crate) status: Option<VerifyStatus>,
    pub(crate) findings: Vec<Finding>,
    order: Order,
    /// Places of the findings in the order in which they are shown.
    shown: Vec<usize>,
}

impl Sorted for Finding {
    const COLUMNS: &'static [Column] =
        &[Column::rising("found"), Column::rising("kind"), Column::rising("key"), Column::rising("cause")];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            1 => SortKey::Text(self.kind.word()),
            2 => SortKey::Text(&self.key),
            3 => SortKey::Text(self.cause.words()),
            _ => SortKey::Nothing,
        }
    }
}

impl Verification {
    /// Forgets what an earlier one found.
    pub(crate) fn begin(&mut self) {
        self.status = Some(VerifyStatus::default());
        self.findings.clear();
        self.shown.clear();
    }

    pub(crate) fn found(&mut self, finding: Finding) {
        if self.findings.len() < MOST {
            self.findings.push(finding);
            self.rearrange();
        }
    }

    /// The finding in a row of the list.
    pub(crate) fn row(&self, row: usize) -> Option<&Finding> {
        self.findings.get(*self.shown.get(row)?)
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// Sorts the list; gives the row where the finding of this row is now.
    pub(crate) fn set_order(&mut self, order: Order, row: usize) -> usize {
        let place = self.shown.get(row).copied();
        self.order = order;
        self.rearrange();
        self.row_of(place).unwrap_or(row)
    }

    /// Place of the finding in a row, by which it is found again when others come.
    pub(crate) fn place_of(&self, row: usize) -> Option<usize> {
        self.shown.get(row).copied()
    }

    /// The row of a finding.
    pub(crate) fn row_of(&self, place: Option<usize>) -> Option<usize> {
        let place = place?;
        self.shown.iter().position(|shown| *shown == place)
    }

    fn rearrange(&mut self) {
        let places = 0..self.findings.len();
        self.shown = match (self.order.column, self.order.reversed) {
            (0, false) => places.collect(),
            (0, true) => places.rev().collect(),
            (column, _) => {
                let keyed = places.map(|place| (self.findings[place].sort_key(column), place));
                arrange(keyed, self.order, Finding::COLUMNS, usize::MAX)
            }
        };
    }

    /// Under way, so that another one would end it.
    pub(crate) fn running(&self) -> bool {
        let phase = self.status.as_ref().map(|status| &status.phase);
        matches!(phase, Some(VerifyPhase::Comparing | VerifyPhase::Repairing))
    }

    /// Whether an action of the dialog does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        match action {
            Action::Repair | Action::RepairOne => self.repairable(),
            Action::Verify => !self.running(),
            Action::StopVerify => self.running(),
            Action::Submit => !self.findings.is_empty(),
            _ => true,
        }
    }

    /// There is something to mend, and everything was compared.
    pub(crate) fn repairable(&self) -> bool {
        self.status
            .as_ref()
            .is_some_and(|status| status.phase == VerifyPhase::Done && status.summary.findings() > 0)
    }
}

/// State of the dialog.
#[derive(Debug, Clone, Default)]
pub(crate) struct VerifyDialog {
    /// The finding under the cursor.
    pub(crate) cursor: usize,
    /// Repair was pressed: says what it would do and waits for enter.
    pub(crate) asking: bool,
    /// Only the entry of this key; `None` = all that were found.
    pub(crate) only: Option<String>,
}
