//! The continuous verification: how much of what was sampled is in step.

use std::time::Duration;

use crate::sync::verify::Finding;
use crate::wording::share;

/// State of the continuous verification.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DriftStatus {
    /// It runs.
    pub watching: bool,
    /// Documents compared in a second, at most.
    pub per_second: u32,
    /// The last minute, five minutes, ten minutes.
    pub windows: [DriftWindow; 3],
    /// Passes over the whole source that are complete.
    pub passes: u64,
    /// How much of the source the current pass has seen, `0.0..=1.0`, if that can be told; `1.0`
    /// while it looks for orphans.
    pub pass_share: Option<f64>,
    /// Compared since it began.
    pub compared: u64,
    /// Of them, wrong ones.
    pub wrong: u64,
    /// The newest findings, oldest first; at most 16. They stand as found, mended since or not.
    pub newest: Vec<Finding>,
    /// What keeps it from comparing, in one line with what to do; it goes on by itself.
    pub problem: Option<String>,
}

/// What was compared within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DriftWindow {
    /// How long a time.
    pub length: Duration,
    /// Documents compared in it, and orphans.
    pub compared: u64,
    /// Of them, wrong ones: after their second look.
    pub wrong: u64,
    /// It has run for the whole length.
    pub full: bool,
}

impl DriftWindow {
    /// The share in step, `0.0..=1.0`; `None` before anything was compared.
    pub fn share(&self) -> Option<f64> {
        (self.compared > 0).then(|| self.compared.saturating_sub(self.wrong) as f64 / self.compared as f64)
    }

    /// The share as nines: `100%`, `99.98%`, `97.2%`; never rounded up to 100.
    pub fn nines(&self) -> Option<String> {
        let right = self.compared.saturating_sub(self.wrong);
        (self.compared > 0).then(|| share(right, self.compared, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nines_are_never_rounded_up() {
        let nines = |compared, wrong| {
            DriftWindow { compared, wrong, ..DriftWindow::default() }.nines().unwrap_or_default()
        };
        assert_eq!(nines(0, 0), "");
        assert_eq!(nines(10, 0), "100%");
        assert_eq!(nines(10, 1), "90.0%");
        assert_eq!(nines(1_000, 28), "97.2%");
        assert_eq!(nines(10_000, 2), "99.980%");
        assert_eq!(nines(100_000_000, 1), "99.99999%");
        assert_eq!(nines(4, 4), "0.0%");
    }
}
