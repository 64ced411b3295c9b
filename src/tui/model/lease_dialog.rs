//! The dialog of deeds on leases: what, on which, the plan, and what became of it.

use super::agreement::Agreement;
use crate::engine::{Bookmarked, LeaseDeed, LeaseOrder, LeaseOutcome, LeasePlan, LeaseRow};
use crate::tui::keymap::Action;

/// State of the dialog.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeaseDialog {
    pub(crate) deed: LeaseDeed,
    /// Id of the lease that was selected when it was opened.
    pub(crate) lease: Option<String>,
    /// All leases of the prefix rather than the selected one.
    pub(crate) all: bool,
    pub(crate) agreement: Agreement<LeasePlan>,
    /// First document shown of the list.
    pub(crate) scroll: usize,
    pub(crate) outcome: Option<LeaseOutcome>,
    /// The newest bookmark that was asked for here.
    pub(crate) bookmark: Option<Marking>,
}

/// A bookmark on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marking {
    /// Asked for, under this name.
    Saving(String),
    /// What became of it.
    Told(Bookmarked),
}

impl LeaseDialog {
    /// For the selected lease, or for all where none is selected.
    pub(crate) fn new(selected: Option<&LeaseRow>) -> Self {
        Self { lease: selected.map(|row| row.id.clone()), all: selected.is_none(), ..Self::default() }
    }

    /// The order that the choices make.
    pub(crate) fn order(&self) -> LeaseOrder {
        let only = self.lease.iter().filter(|_| !self.all).cloned().collect();
        LeaseOrder { deed: self.deed, only, take_over: self.agreement.takes_over() }
    }

    /// The next deed, or the one before.
    pub(crate) fn choose(&mut self, by: isize) {
        let all = LeaseDeed::ALL;
        let place = all.iter().position(|deed| *deed == self.deed).unwrap_or(0);
        self.deed = all[(place + all.len()).saturating_add_signed(by) % all.len()];
        self.forget();
    }

    /// A deed on the selected lease, where one is, or on all.
    pub(crate) fn set(&mut self, deed: LeaseDeed, all: bool) {
        (self.deed, self.all) = (deed, all || self.lease.is_none());
        self.forget();
    }

    /// The selected lease instead of all, and back.
    pub(crate) fn toggle_all(&mut self) {
        self.all = !self.all || self.lease.is_none();
        self.forget();
    }

    /// What was answered to another choice is no answer to this one.
    fn forget(&mut self) {
        self.agreement.forget();
        self.scroll = 0;
        self.outcome = None;
    }

    /// Takes an answer in, unless it is one to a choice that is no longer made.
    pub(crate) fn answer(&mut self, plan: Box<LeasePlan>) {
        let now = self.order();
        if !self.agreement.started && plan.order.deed == now.deed && plan.order.only == now.only {
            self.agreement.planned(plan);
        }
    }

    /// Begins a bookmark of this name; `false` while another is still being saved.
    pub(crate) fn mark(&mut self, name: &str) -> bool {
        let free = !matches!(self.bookmark, Some(Marking::Saving(_)));
        if free {
            self.bookmark = Some(Marking::Saving(name.to_owned()));
        }
        free
    }

    /// Whether an action does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        self.agreement.offers(action, self.lease.is_some())
    }
}
