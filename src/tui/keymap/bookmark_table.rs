//! The keys of the bookmarks of lease positions, and of going back to one; as in [`super::table`].

use crossterm::event::KeyCode;

use super::{
    Action, Context,
    chord::{code, ctrl, key},
    table::{TableRow, row},
};

/// All of them, in the order of footer and help page.
pub(super) const KEYS: &[TableRow] = {
    use Action as A;
    use Context as C;
    use KeyCode as K;
    &[
        row(
            C::Bookmarks,
            &[code(K::Enter)],
            A::Submit,
            "go back to the selected one: shows a plan first",
            Some("go back"),
        ),
        row(C::Bookmarks, &[code(K::Up), key('k')], A::Up, "up", None),
        row(C::Bookmarks, &[code(K::Down), key('j')], A::Down, "down", None),
        row(C::Bookmarks, &[key('g'), code(K::Home)], A::First, "the newest", None),
        row(C::Bookmarks, &[key('G'), code(K::End)], A::Last, "last row", None),
        row(C::Bookmarks, &[code(K::PageUp), ctrl('u')], A::PageUp, "up in the comparison", None),
        row(C::Bookmarks, &[code(K::PageDown), ctrl('d')], A::PageDown, "down in the comparison", None),
        row(
            C::Bookmarks,
            &[key('B')],
            A::SaveBookmark,
            "keep the positions of all leases as a bookmark",
            Some("save"),
        ),
        row(
            C::Bookmarks,
            &[key('d')],
            A::DeleteBookmark,
            "delete the selected one: asks first",
            Some("delete"),
        ),
        row(C::Bookmarks, &[key('r')], A::Reload, "read the list and the leases again", Some("read again")),
        row(
            C::Bookmarks,
            &[key('y')],
            A::Copy,
            "copy the command line that does the same",
            Some("copy command"),
        ),
        row(C::Bookmarks, &[key('?')], A::Help, "keys", None),
        row(C::Bookmarks, &[code(K::Esc), key('q')], A::Back, "back", Some("back")),
        row(C::Restore, &[code(K::Enter)], A::Submit, "go back", Some("go back")),
        row(
            C::Restore,
            &[code(K::Tab), code(K::BackTab), code(K::Left), code(K::Right), key(' ')],
            A::NextField,
            "all leases of the bookmark, or the selected one",
            Some("which"),
        ),
        row(
            C::Restore,
            &[key('t')],
            A::TakeOver,
            "agree that live owners lose their leases",
            Some("take over"),
        ),
        row(C::Restore, &[code(K::Up), key('k')], A::Up, "up", None),
        row(C::Restore, &[code(K::Down), key('j')], A::Down, "down", None),
        row(C::Restore, &[code(K::PageUp), ctrl('u')], A::PageUp, "lines before", None),
        row(C::Restore, &[code(K::PageDown), ctrl('d')], A::PageDown, "more lines", None),
        row(
            C::Restore,
            &[key('y')],
            A::Copy,
            "copy the command line that does the same",
            Some("copy command"),
        ),
        row(C::Restore, &[key('?')], A::Help, "keys", None),
        row(C::Restore, &[code(K::Esc), key('q')], A::Back, "cancel, or back to the bookmarks", Some("back")),
    ]
};
