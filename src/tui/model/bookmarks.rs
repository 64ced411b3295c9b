//! The bookmarks of lease positions: which there are, and the selected one beside the leases of now.

use super::Marking;
use crate::engine::{
    BookmarkAsk, BookmarkList, BookmarkQuestion, BookmarkRow, Command, Comparison, LeaseSnapshot,
};
use crate::tui::keymap::Action;

/// State of the view.
#[derive(Debug, Clone, Default)]
pub(crate) struct BookmarkDialog {
    /// The newest answer; `None` = still being read.
    pub(crate) list: Option<BookmarkList>,
    /// Name of the selected one.
    cursor: Option<String>,
    /// The question for the list that is open.
    listing: Option<u64>,
    /// The question for the comparison that is open.
    comparing: Option<u64>,
    /// The newest comparison, by the name of its bookmark; in one line why there is none.
    compared: Option<(String, Result<Comparison, String>)>,
    /// First line shown of the comparison.
    pub(crate) scroll: usize,
    /// The newest bookmark that was saved here, until another is looked at.
    pub(crate) saved: Option<Marking>,
    /// The one that is asked about before it is deleted.
    pub(crate) doomed: Option<String>,
}

impl BookmarkDialog {
    pub(crate) fn rows(&self) -> &[BookmarkRow] {
        self.list.as_ref().map_or(&[], |list| &list.rows)
    }

    /// Place of the selected one.
    pub(crate) fn place(&self) -> usize {
        let cursor = self.cursor.as_deref();
        self.rows().iter().position(|row| Some(row.name.as_str()) == cursor).unwrap_or(0)
    }

    pub(crate) fn selected(&self) -> Option<&BookmarkRow> {
        self.rows().get(self.place())
    }

    /// Whether an action does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        match action {
            Action::Submit => self.selected().is_some_and(|row| row.kept.is_ok()),
            Action::DeleteBookmark => self.selected().is_some(),
            _ => true,
        }
    }

    /// Asks which there are.
    pub(crate) fn ask_list(&mut self, request: u64) -> Command {
        self.listing = Some(request);
        Command::Bookmarks(BookmarkQuestion { request, ask: BookmarkAsk::List })
    }

    /// Asks to delete the one that was asked about; the answer is the list of those that are left.
    pub(crate) fn ask_to_delete(&mut self, request: u64) -> Option<Command> {
        let name = self.doomed.take()?;
        self.listing = Some(request);
        Some(Command::Bookmarks(BookmarkQuestion { request, ask: BookmarkAsk::Delete(name) }))
    }

    /// Asks how the selected one stands to the leases of now, where it can be read.
    pub(crate) fn ask_comparison(&mut self, request: u64) -> Option<Command> {
        let name = self.selected().filter(|row| row.kept.is_ok())?.name.clone();
        self.comparing = Some(request);
        Some(Command::Bookmarks(BookmarkQuestion { request, ask: BookmarkAsk::Compare(name) }))
    }

    /// The leases have moved since the comparison was made, and nobody asks already.
    pub(crate) fn is_outdated_by(&self, before: &LeaseSnapshot, now: &LeaseSnapshot) -> bool {
        let stands = |snapshot: &LeaseSnapshot| -> Vec<_> {
            let rows = snapshot.rows.iter();
            rows.map(|row| (row.id.clone(), row.owner.clone(), row.continuation.clone(), row.expired))
                .collect()
        };
        self.comparing.is_none() && stands(before) != stands(now)
    }

    /// Selects the row at a place; `true` = another one than before.
    pub(crate) fn go(&mut self, place: usize) -> bool {
        let before = self.place();
        let place = place.min(self.rows().len().saturating_sub(1));
        self.cursor = self.rows().get(place).map(|row| row.name.clone());
        if place == before {
            return false;
        }
        self.look_at_another();
        true
    }

    /// Selects by name what the next list will have.
    pub(crate) fn select(&mut self, name: String) {
        self.cursor = Some(name);
        self.comparing = None;
        self.scroll = 0;
    }

    /// What was told of the one before is over.
    fn look_at_another(&mut self) {
        self.comparing = None;
        self.scroll = 0;
        self.saved.take_if(|saved| matches!(saved, Marking::Told(_)));
    }

    /// Takes the list in; `false` = the answer to an older question.
    pub(crate) fn listed(&mut self, request: u64, list: BookmarkList) -> bool {
        if self.listing != Some(request) {
            return false;
        }
        self.listing = None;
        let place = self.place();
        self.list = Some(list);
        // What left the list leaves the cursor at its place.
        let stays = self.cursor.as_ref().is_some_and(|name| self.rows().iter().any(|row| row.name == *name));
        if !stays {
            self.cursor = None;
            self.go(place);
            self.comparing = None;
        }
        true
    }

    /// The engine did not take this question.
    pub(crate) fn refused(&mut self, request: u64) {
        self.listing.take_if(|open| *open == request);
        self.comparing.take_if(|open| *open == request);
    }

    /// Takes a comparison in, unless it is the answer to an older question.
    pub(crate) fn compared(&mut self, request: u64, found: Result<Comparison, String>) {
        if self.comparing == Some(request) {
            self.comparing = None;
            self.compared = self.selected().map(|row| (row.name.clone(), found));
        }
    }

    /// How the selected one stands to the leases of now; `None` while it is being read.
    pub(crate) fn comparison(&self) -> Option<&Result<Comparison, String>> {
        let row = self.selected()?;
        self.compared.as_ref().filter(|(name, _)| *name == row.name).map(|(_, found)| found)
    }

    /// Begins a bookmark of this name; `false` while another is still being saved.
    pub(crate) fn mark(&mut self, name: &str) -> bool {
        let free = !matches!(self.saved, Some(Marking::Saving(_)));
        if free {
            self.saved = Some(Marking::Saving(name.to_owned()));
        }
        free
    }
}
