//! Verification: what was found, and the dialog over it. The findings stay when the dialog is closed.

use crate::engine::{Finding, VerifyPhase, VerifyStatus};

/// Most findings kept; the summary counts all.
const MOST: usize = 1_000;

/// The newest verification.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verification {
    /// `None` = never asked for in this run.
    pub(crate) status: Option<VerifyStatus>,
    pub(crate) findings: Vec<Finding>,
}

impl Verification {
    /// Forgets what an earlier one found.
    pub(crate) fn begin(&mut self) {
        self.status = Some(VerifyStatus::default());
        self.findings.clear();
    }

    pub(crate) fn found(&mut self, finding: Finding) {
        if self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }

    /// Under way, so that another one would end it.
    pub(crate) fn running(&self) -> bool {
        let phase = self.status.as_ref().map(|status| &status.phase);
        matches!(phase, Some(VerifyPhase::Comparing | VerifyPhase::Repairing))
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
