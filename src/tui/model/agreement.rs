//! A plan on leases that is looked at before it is done: what the dialogs that write leases have in common.

use crate::engine::{LeasePlan, RestorePlan};
use crate::tui::keymap::Action;

/// A plan by which live owners may lose leases.
pub(crate) trait Contested {
    /// How many leases have a live owner.
    fn live(&self) -> usize;

    /// Those may be taken over, or not.
    fn agree(&mut self, take_over: bool);

    /// Why it cannot be done now, if so.
    fn hindrance(&self) -> Option<String>;
}

impl Contested for LeasePlan {
    fn live(&self) -> usize {
        self.live().count()
    }

    fn agree(&mut self, take_over: bool) {
        self.order.take_over = take_over;
    }

    fn hindrance(&self) -> Option<String> {
        self.hindrance()
    }
}

impl Contested for RestorePlan {
    fn live(&self) -> usize {
        self.live().count()
    }

    fn agree(&mut self, take_over: bool) {
        self.order.take_over = take_over;
    }

    fn hindrance(&self) -> Option<String> {
        self.hindrance()
    }
}

/// How far a dialog has come from a choice to the deed.
#[derive(Debug, Clone)]
pub(crate) struct Agreement<P> {
    /// The newest plan of what is chosen now.
    plan: Option<Box<P>>,
    /// Live owners may lose their leases.
    take_over: bool,
    /// Enter was pressed.
    pub(crate) started: bool,
}

impl<P> Default for Agreement<P> {
    fn default() -> Self {
        Self { plan: None, take_over: false, started: false }
    }
}

impl<P: Contested> Agreement<P> {
    /// What would happen; `None` while it is being found out.
    pub(crate) fn plan(&self) -> Option<&P> {
        self.plan.as_deref()
    }

    /// Whether live owners may lose their leases.
    pub(crate) fn takes_over(&self) -> bool {
        self.take_over
    }

    /// The plan was made, or made anew.
    pub(crate) fn planned(&mut self, mut plan: Box<P>) {
        plan.agree(self.take_over);
        self.plan = Some(plan);
    }

    /// Something else was chosen: neither plan nor consent are of that.
    pub(crate) fn forget(&mut self) {
        (self.plan, self.take_over) = (None, false);
    }

    /// Agrees that live owners lose their leases, or takes that back.
    pub(crate) fn toggle_take_over(&mut self) {
        self.take_over = !self.take_over;
        if let Some(plan) = &mut self.plan {
            plan.agree(self.take_over);
        }
    }

    /// Whether an action of the dialog does something as things are; one lease can be chosen `alone`, or not.
    pub(crate) fn offers(&self, action: Action, alone: bool) -> bool {
        match action {
            _ if self.started => action == Action::Back,
            Action::Submit => self.hindrance().is_none(),
            Action::NextField => alone,
            Action::TakeOver => self.plan().is_some_and(|plan| plan.live() > 0),
            _ => true,
        }
    }

    /// Why enter does nothing now, if so.
    pub(crate) fn hindrance(&self) -> Option<String> {
        match &self.plan {
            None => Some("the plan is still being made".to_owned()),
            Some(plan) => plan.hindrance(),
        }
    }
}
