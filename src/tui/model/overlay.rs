//! What lies over the panes: where its keys go, and whether closing it would lose something.

use super::{Model, Overlay};
use crate::tui::keymap::Context;

impl Overlay {
    /// Where keys go while it is the topmost.
    pub(crate) fn context(&self) -> Context {
        match self {
            Self::Follow(_) => Context::Follow,
            Self::Edit(_) => Context::Edit,
            Self::Insert(_) => Context::Insert,
            Self::Rebuild(dialog) if dialog.takes_text() => Context::RebuildSince,
            Self::Rebuild(_) => Context::Rebuild,
            Self::Leases(_) => Context::Leases,
            Self::Bookmarks(_) => Context::Bookmarks,
            Self::Restore(_) => Context::Restore,
            Self::Letters(_) => Context::Letters,
            Self::Tree(_) => Context::Tree,
            Self::Preview(_) => Context::Preview,
            Self::Verify(_) => Context::Verify,
            Self::Help { .. } => Context::Help,
            Self::Palette(_) => Context::Palette,
            Self::Confirm(_) => Context::Confirm,
            Self::Export(_) => Context::Export,
            Self::Stage => Context::Stage,
            Self::Health { .. } => Context::Health,
        }
    }

    /// What would be lost if it were closed now, in words; `None` = it can be opened again as it is.
    pub(crate) fn unsaved(&self) -> Option<&'static str> {
        match self {
            Self::Edit(editor) if editor.is_changed() || editor.saving.is_some() => {
                Some("what was typed in the editor")
            }
            Self::Insert(form) if form.is_touched() => Some("what was typed in the insert form"),
            Self::Preview(preview) if !preview.document.trim().is_empty() => Some("the preview's document"),
            _ => None,
        }
    }
}

impl Model {
    /// Where keys go now.
    pub(crate) fn context(&self) -> Context {
        self.context_under(self.overlays.len())
    }

    /// Where keys would go if the command palette were closed.
    pub(crate) fn context_below_palette(&self) -> Context {
        let below = self.overlays.iter().position(|overlay| matches!(overlay, Overlay::Palette(_)));
        self.context_under(below.unwrap_or(self.overlays.len()))
    }

    fn context_under(&self, count: usize) -> Context {
        match self.overlays[..count].last() {
            Some(overlay) => overlay.context(),
            None if self.typing_filter => Context::Filter,
            None => Context::Main,
        }
    }

    /// What closing everything that lies over the panes would lose, in words.
    pub(crate) fn unsaved(&self) -> Option<&'static str> {
        self.overlays.iter().rev().find_map(Overlay::unsaved)
    }
}
