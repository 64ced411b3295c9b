//! Going back to a bookmark: on which leases, the plan, and what became of it.

use super::agreement::Agreement;
use crate::engine::{
    BookmarkAsk, BookmarkQuestion, Command, LeaseRow, RestoreOrder, RestoreOutcome, RestorePlan,
};
use crate::tui::keymap::Action;

/// State of the dialog.
#[derive(Debug, Clone, Default)]
pub(crate) struct RestoreDialog {
    /// Name of the bookmark.
    pub(crate) name: String,
    /// Id of the lease that was selected in its pane.
    pub(crate) lease: Option<String>,
    /// Only that one.
    pub(crate) one: bool,
    pub(crate) agreement: Agreement<RestorePlan>,
    /// The newest question.
    asked: u64,
    /// First line shown.
    pub(crate) scroll: usize,
    pub(crate) outcome: Option<RestoreOutcome>,
}

impl RestoreDialog {
    /// For all leases of a bookmark; the selected one can be taken alone.
    pub(crate) fn new(name: String, selected: Option<&LeaseRow>) -> Self {
        Self { name, lease: selected.map(|row| row.id.clone()), ..Self::default() }
    }

    /// The order that the choices make.
    pub(crate) fn order(&self) -> RestoreOrder {
        let only = self.lease.iter().filter(|_| self.one).cloned().collect();
        RestoreOrder { name: self.name.clone(), only, take_over: self.agreement.takes_over() }
    }

    /// Asks what it would do.
    pub(crate) fn ask_plan(&mut self, request: u64) -> Command {
        self.asked = request;
        Command::Bookmarks(BookmarkQuestion { request, ask: BookmarkAsk::PlanRestore(self.order()) })
    }

    /// Asks to do it.
    pub(crate) fn ask_to_restore(&mut self, request: u64) -> Command {
        (self.asked, self.agreement.started) = (request, true);
        Command::Bookmarks(BookmarkQuestion { request, ask: BookmarkAsk::Restore(self.order()) })
    }

    /// All leases of the bookmark, or the selected one. What was planned for the other is no plan of this.
    pub(crate) fn take_one(&mut self, one: bool) {
        self.one = one && self.lease.is_some();
        self.agreement.forget();
        self.scroll = 0;
    }

    /// The engine did not take this question: enter asks again.
    pub(crate) fn refused(&mut self, request: u64) {
        if self.asked == request && self.outcome.is_none() {
            self.agreement.started = false;
        }
    }

    /// Takes a plan in, unless it is the answer to an older question.
    pub(crate) fn planned(&mut self, request: u64, plan: RestorePlan) {
        if self.asked == request && !self.agreement.started {
            self.agreement.planned(Box::new(plan));
        }
    }

    /// Takes the outcome in; `false` = the answer to an older question.
    pub(crate) fn restored(&mut self, request: u64, outcome: &RestoreOutcome) -> bool {
        let mine = self.asked == request && self.agreement.started;
        if mine {
            self.outcome = Some(outcome.clone());
        }
        mine
    }

    /// Whether an action does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        self.agreement.offers(action, self.lease.is_some())
    }
}
