//! A verification: progress and outcome.

use crate::sync::verify::Summary;
/// Progress of a verification, and of the repair after it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerifyStatus {
    /// Where it is.
    pub phase: VerifyPhase,
    /// Only about so many documents are compared.
    pub sample: Option<u64>,
    /// What was found so far.
    pub summary: Summary,
    /// What was repaired so far.
    pub repair: RepairCounts,
}

/// Phase of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum VerifyPhase {
    /// Documents and keys are read.
    #[default]
    Comparing,
    /// Everything was compared.
    Done,
    /// Findings are being mended.
    Repairing,
    /// The repair is through.
    Repaired,
    /// Ended early.
    Failed {
        /// What happened and what to do, in one line.
        reason: String,
    },
}

/// What became of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RepairCounts {
    /// Findings to mend.
    pub total: u64,
    /// Written from the source.
    pub written: u64,
    /// Orphans deleted.
    pub deleted: u64,
    /// Right by the time of the repair.
    pub was_right: u64,
    /// Left alone; the log says why.
    pub left: u64,
}
