//! The rebuild dialog: a plan, the deed, the result. Progress itself lives in the model, because a
//! rebuild goes on when the dialog is closed.

use crate::engine::RebuildPlan;

/// State of the dialog.
#[derive(Debug, Clone, Default)]
pub(crate) struct RebuildDialog {
    /// The answer to the question; `None` = still being found out.
    pub(crate) plan: Option<Box<RebuildPlan>>,
    /// Start was pressed.
    pub(crate) started: bool,
    /// Foreign owners may lose their leases.
    pub(crate) take_over: bool,
    /// First line shown of the list of ids.
    pub(crate) scroll: usize,
}

impl RebuildDialog {
    /// Why enter does nothing now, if so.
    pub(crate) fn hindrance(&self) -> Option<String> {
        let Some(plan) = &self.plan else { return Some("the plan is still being made".to_owned()) };
        if let Some(reason) = &plan.refused {
            return Some(reason.clone());
        }
        if !plan.foreign_owners.is_empty() && !self.take_over {
            return Some("live foreign owners would lose their leases: press t to agree".to_owned());
        }
        None
    }
}
