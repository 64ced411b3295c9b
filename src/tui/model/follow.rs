//! One document followed: what is in the source beside what is in the cache, by the structure of both.

use std::{collections::BTreeSet, sync::Arc};

use itertools::Either;

use crate::engine::{Command, Diff, DiffRow, DocumentDetail, TextPair, VersionSeen};
use crate::tui::keymap::Action;

/// Bytes in a line of the raw view.
pub(crate) const RAW_WIDTH: usize = 16;

/// Texts of so many bytes together are compared at once, in well under a frame; larger ones by the engine.
const AT_ONCE: usize = 32 << 10;

/// What of a document is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Look {
    /// What the mapping would write beside the entry.
    #[default]
    Entry,
    /// The document as it is in the source beside what the mapping would write.
    Source,
    /// A version beside the one before it; 0 = the newest.
    Version(usize),
    /// The entry as bytes.
    Raw,
}

/// Whether equal runs are folded away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Folding {
    /// Only where something differs and not everything fits.
    #[default]
    AsNeeded,
    Folded,
    All,
}

/// The view of one document.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    pub(crate) id: String,
    pub(crate) partition_key: Option<String>,
    /// The key whose entry is looked at; `None` = the first that the mapping makes.
    key: Option<String>,
    /// Number of the newest question; answers to older ones are discarded.
    request: u64,
    /// The newest question is not answered yet.
    pub(crate) waiting: bool,
    /// It changed since the newest question was asked.
    outdated: bool,
    pub(crate) detail: Option<Box<DocumentDetail>>,
    pub(crate) look: Look,
    /// What is looked at, beside each other; nothing for bytes.
    pub(crate) diff: Arc<Diff>,
    /// First lines of the equal parts that are shown although the others are folded.
    opened: BTreeSet<u32>,
    /// The folded form with their lines; empty while there are none.
    partly: Vec<DiffRow>,
    /// Number of the comparison that the engine was asked for; `None` = the diff is of what is looked at.
    pub(crate) comparing: Option<u64>,
    folding: Folding,
    pub(crate) scroll: usize,
    /// The difference that was jumped to.
    pub(crate) at: Option<usize>,
    /// The key that a question is asked about.
    pub(crate) doomed: Option<String>,
    /// The newest edit, which is under way.
    pub(crate) edit: Option<u64>,
}

impl Follow {
    /// A view that asks its first question.
    pub(crate) fn open(
        request: u64,
        id: String,
        partition_key: Option<String>,
        key: Option<String>,
    ) -> (Self, Command) {
        let follow = Self {
            id,
            partition_key,
            key,
            request,
            waiting: true,
            outdated: false,
            detail: None,
            look: Look::default(),
            diff: Arc::default(),
            opened: BTreeSet::new(),
            partly: Vec::new(),
            comparing: None,
            folding: Folding::default(),
            scroll: 0,
            at: None,
            doomed: None,
            edit: None,
        };
        let command = follow.question();
        (follow, command)
    }

    fn question(&self) -> Command {
        Command::ShowDocument {
            request: self.request,
            id: self.id.clone(),
            partition_key: self.partition_key.clone(),
            key: self.key.clone(),
        }
    }

    /// The document or its entry changed. One question at a time: the next is asked after the answer.
    pub(crate) fn touch(&mut self, request: u64) -> Option<Command> {
        self.outdated = true;
        self.ask_again(request)
    }

    fn ask_again(&mut self, request: u64) -> Option<Command> {
        if self.waiting || !self.outdated {
            return None;
        }
        self.request = request;
        self.waiting = true;
        self.outdated = false;
        Some(self.question())
    }

    /// Takes an answer, unless it is to another question.
    pub(crate) fn answer(&mut self, detail: Box<DocumentDetail>, next_request: u64) -> Vec<Command> {
        if detail.request != self.request {
            return Vec::new();
        }
        self.waiting = false;
        let before = self.versions_looked_at();
        // A version that is looked at stays looked at when a newer one comes.
        if let (Look::Version(at), Some(before)) = (self.look, &self.detail) {
            let etag = before.versions.get(at).map(|version| &version.etag);
            let now = detail.versions.iter().position(|version| Some(&version.etag) == etag);
            self.look = now.map_or(Look::Entry, Look::Version);
        }
        self.detail = Some(detail);
        // The same two versions need no new look; what is shown of others stands until it is compared.
        let same = before.is_some() && before == self.versions_looked_at();
        let compare = if same { None } else { self.compare(next_request) };
        compare.into_iter().chain(self.ask_again(next_request)).collect()
    }

    /// Which versions are compared, and whether their texts are known.
    fn versions_looked_at(&self) -> Option<[Option<(String, bool)>; 2]> {
        let (older, newer) = self.compared_versions()?;
        let of = |version: &VersionSeen| (version.etag.clone(), version.json.is_some());
        Some([older.map(of), newer.map(of)])
    }

    /// Takes up what is looked at. The engine has compared document and entry; what else is looked at is
    /// compared here where it is small, and else asked for.
    fn compare(&mut self, request: u64) -> Option<Command> {
        self.comparing = None;
        let detail = self.detail.as_ref()?;
        let source = || {
            let found = detail.source.as_ref().ok().and_then(Option::as_ref);
            found.map(|source| Arc::from(source.json.as_str()))
        };
        let comparison = match self.look {
            Look::Raw => TextPair::default(),
            Look::Source => {
                let right = detail.expected.as_deref().map(Arc::from);
                TextPair { left: source(), right, judged: false }
            }
            // Nothing to compare: the mapping makes no entry of it, and there is none.
            Look::Entry if detail.expected.is_none() && matches!(detail.entry, Ok(None)) => {
                TextPair { left: source(), right: None, judged: false }
            }
            Look::Entry => {
                self.diff = Arc::clone(&detail.diff);
                self.settle();
                return None;
            }
            Look::Version(at) => {
                let text = |at: usize| detail.versions.get(at)?.json.clone();
                let (left, right) = (text(at + 1), text(at));
                let judged = left.is_some() && right.is_some();
                TextPair { left, right, judged }
            }
        };
        if comparison.bytes() > AT_ONCE {
            self.comparing = Some(request);
            return Some(Command::Compare { request, comparison });
        }
        self.diff = Arc::new(comparison.diff());
        self.settle();
        None
    }

    /// Takes what the engine has compared, unless something else is looked at by now.
    pub(crate) fn compared(&mut self, request: u64, diff: Arc<Diff>) {
        if self.comparing == Some(request) {
            self.comparing = None;
            self.diff = diff;
            self.settle();
        }
    }

    /// The engine does not compare it: back to what it has compared already.
    pub(crate) fn give_up(&mut self, request: u64) {
        if self.comparing == Some(request) {
            self.look = Look::Entry;
            self.comparing = None;
            self.diff = self.detail.as_ref().map(|detail| Arc::clone(&detail.diff)).unwrap_or_default();
            self.settle();
        }
    }

    /// Where one was in what was shown before may not be there any more.
    fn settle(&mut self) {
        self.at = self.at.filter(|at| *at < self.diff.starts().len());
        self.open_folds();
        let rows = if self.look == Look::Raw { self.raw_rows() } else { self.diff.lines().len() };
        self.scroll = self.scroll.min(rows.saturating_sub(1));
    }

    /// Looks at something else.
    pub(crate) fn look_at(&mut self, look: Look, request: u64) -> Option<Command> {
        if self.look == look {
            return None;
        }
        self.look = look;
        (self.scroll, self.at) = (0, None);
        self.diff = Arc::default();
        self.opened.clear();
        self.compare(request)
    }

    /// Whether an action does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        let detail = self.detail.as_deref();
        let is_comparison = self.look != Look::Raw;
        match action {
            Action::EditDocument | Action::OpenEditor | Action::Copy => {
                detail.is_some_and(|detail| matches!(detail.source, Ok(Some(_))))
            }
            Action::CopyKey => detail.is_some_and(|detail| detail.key.is_some()),
            Action::DeleteEntry => detail.is_some_and(|detail| matches!(detail.entry, Ok(Some(_)))),
            Action::RawBytes => !is_comparison || !self.raw().is_empty(),
            Action::OlderVersion => {
                let next = if let Look::Version(at) = self.look { at + 1 } else { 0 };
                detail.is_some_and(|detail| next < detail.versions.len())
            }
            Action::NewerVersion => self.look != Look::Entry,
            Action::NextDifference => is_comparison && !self.diff.starts().is_empty(),
            Action::Fold => is_comparison && self.diff.folded().len() < self.diff.lines().len(),
            _ => true,
        }
    }

    /// One version back, beginning with the newest.
    pub(crate) fn older(&mut self, request: u64) -> Option<Command> {
        let versions = self.detail.as_ref().map_or(0, |detail| detail.versions.len());
        match self.look {
            Look::Version(at) if at + 1 < versions => self.look_at(Look::Version(at + 1), request),
            Look::Entry | Look::Source | Look::Raw if versions > 0 => self.look_at(Look::Version(0), request),
            _ => None,
        }
    }

    /// One version on; after the newest the entry again.
    pub(crate) fn newer(&mut self, request: u64) -> Option<Command> {
        match self.look {
            Look::Version(0) | Look::Raw | Look::Source => self.look_at(Look::Entry, request),
            Look::Version(at) => self.look_at(Look::Version(at - 1), request),
            Look::Entry => None,
        }
    }

    /// The versions that are compared, the older one first.
    pub(crate) fn compared_versions(&self) -> Option<(Option<&VersionSeen>, Option<&VersionSeen>)> {
        let Look::Version(at) = self.look else { return None };
        let versions = &self.detail.as_ref()?.versions;
        Some((versions.get(at + 1), versions.get(at)))
    }

    /// The entry of the next or previous key that the mapping makes.
    pub(crate) fn other_entry(&mut self, step: isize, request: u64) -> Option<Command> {
        let detail = self.detail.as_ref()?;
        let count = detail.keys.len();
        if count < 2 {
            return None;
        }
        let now = detail.keys.iter().position(|key| Some(key) == detail.key.as_ref());
        let next = now.map_or(0, |now| (now + count).wrapping_add_signed(step) % count);
        self.entry_at(next, request)
    }

    /// The entry of one of the keys that the mapping makes, by its place.
    pub(crate) fn entry_at(&mut self, place: usize, request: u64) -> Option<Command> {
        let key = self.detail.as_ref()?.keys.get(place)?;
        self.key = Some(key.clone());
        self.look = Look::Entry;
        self.comparing = None;
        (self.scroll, self.at) = (0, None);
        // An answer to the question before it would be about another key.
        self.waiting = false;
        self.touch(request)
    }

    /// Whether equal runs are folded away in a window of so many rows.
    pub(crate) fn is_folded(&self, height: usize) -> bool {
        match self.folding {
            Folding::AsNeeded => !self.diff.starts().is_empty() && self.diff.lines().len() > height,
            Folding::Folded => true,
            Folding::All => false,
        }
    }

    /// Folds equal runs, or shows everything; the first line of the window stays near.
    pub(crate) fn fold_or_show(&mut self, height: usize) {
        let folded = self.is_folded(height);
        let line = self.row(self.scroll, height).map_or(0, DiffRow::line);
        self.folding = if folded { Folding::All } else { Folding::Folded };
        self.opened.clear();
        self.scroll = self.row_of(line, height).min(self.rows(height).saturating_sub(height));
    }

    /// Shows the equal lines that a row of the window stands for; they begin in that row.
    pub(crate) fn unfold(&mut self, row: usize, height: usize) {
        if let Some(DiffRow::Fold { from, .. }) = self.row(self.scroll + row, height) {
            self.opened.insert(from);
            self.open_folds();
        }
    }

    /// What differs has changed, or which equal parts of it are shown.
    fn open_folds(&mut self) {
        let Self { opened, diff, partly, .. } = self;
        partly.clear();
        if !opened.is_empty() {
            partly.extend(diff.folded().iter().flat_map(|row| match *row {
                DiffRow::Fold { from, to, .. } if opened.contains(&from) => {
                    Either::Left((from..to).map(DiffRow::Line))
                }
                row => Either::Right(std::iter::once(row)),
            }));
        }
    }

    /// The rows of the folded form, with the lines of what was opened.
    fn folded(&self) -> &[DiffRow] {
        if self.opened.is_empty() { self.diff.folded() } else { &self.partly }
    }

    /// Rows that there are to scroll through.
    pub(crate) fn rows(&self, height: usize) -> usize {
        match self.look {
            Look::Raw => self.raw_rows(),
            _ if self.is_folded(height) => self.folded().len(),
            _ => self.diff.lines().len(),
        }
    }

    /// A row of the comparison.
    pub(crate) fn row(&self, place: usize, height: usize) -> Option<DiffRow> {
        if self.is_folded(height) {
            return self.folded().get(place).copied();
        }
        (place < self.diff.lines().len()).then(|| DiffRow::Line(u32::try_from(place).unwrap_or(u32::MAX)))
    }

    /// The row in which a line is.
    fn row_of(&self, line: u32, height: usize) -> usize {
        if self.is_folded(height) {
            return self.folded().partition_point(|row| row.line() <= line).saturating_sub(1);
        }
        line as usize
    }

    /// Jumps to the next (1) or previous (-1) difference, around the ends; `None` = there is none.
    pub(crate) fn jump(&mut self, step: isize, height: usize) -> Option<()> {
        let count = self.diff.starts().len();
        if count == 0 {
            return None;
        }
        let next = match self.at {
            None if step > 0 => 0,
            None => count - 1,
            Some(at) => (at + count).wrapping_add_signed(step) % count,
        };
        self.at = Some(next);
        let row = self.row_of(*self.diff.starts().get(next)?, height);
        let visible = self.scroll..(self.scroll + height);
        if !visible.contains(&row) || row + 1 == visible.end {
            self.scroll = row.saturating_sub(height / 3).min(self.rows(height).saturating_sub(height));
        }
        Some(())
    }

    /// The line of the difference that was jumped to.
    pub(crate) fn current_line(&self) -> Option<u32> {
        self.diff.starts().get(self.at?).copied()
    }

    fn raw_rows(&self) -> usize {
        self.raw().len().div_ceil(RAW_WIDTH)
    }

    /// The entry's bytes.
    pub(crate) fn raw(&self) -> &[u8] {
        let detail = self.detail.as_ref();
        let entry = detail.and_then(|detail| detail.entry.as_ref().ok()?.as_ref());
        entry.map_or(&[], |entry| &entry.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(left: &str, right: &str) -> Follow {
        let (mut follow, _) = Follow::open(1, "a".into(), None, None);
        follow.diff = Arc::new(Diff::of(Some(left.as_bytes()), Some(right.as_bytes())));
        follow
    }

    fn long(change: &[usize]) -> String {
        let members: Vec<String> =
            (0..60).map(|n| format!("\"f{n:02}\":{}", u8::from(change.contains(&n)))).collect();
        format!("{{{}}}", members.join(","))
    }

    #[test]
    fn folds_only_where_it_helps_and_shows_all_by_a_key() {
        let mut long = follow(&long(&[]), &long(&[50]));
        assert!(long.is_folded(20) && !long.is_folded(100), "what fits is shown whole");
        assert!(!follow("{\"a\":1}", "{\"a\":1}").is_folded(2), "nothing differs: the document itself");
        let rows = long.rows(20);
        assert!(rows < 10, "{rows}");
        long.scroll = 2;
        long.fold_or_show(20);
        assert_eq!((long.rows(20), long.scroll), (62, 42), "scrolled to the end, the change in sight");
        long.fold_or_show(20);
        assert_eq!(long.rows(20), rows);
    }

    #[test]
    fn a_fold_is_opened_by_itself_and_stays_so_with_the_next_version() {
        let mut two = follow(&long(&[]), &long(&[30]));
        let folds = |follow: &Follow| {
            let rows = (0..follow.rows(20)).filter_map(|place| follow.row(place, 20));
            rows.filter(|row| matches!(row, DiffRow::Fold { .. })).count()
        };
        assert_eq!(folds(&two), 2);
        two.unfold(1, 20);
        assert_eq!(
            (folds(&two), two.row(1, 20)),
            (1, Some(DiffRow::Line(1))),
            "the lines begin where the fold was"
        );
        assert_eq!(two.rows(20), 1 + 30 + 1 + 1 + 1);
        assert_eq!(
            two.jump(1, 20).and(two.row(two.row_of(two.current_line().unwrap(), 20), 20)),
            Some(DiffRow::Line(31))
        );
        two.diff = Arc::new(Diff::of(Some(long(&[]).as_bytes()), Some(long(&[31]).as_bytes())));
        two.settle();
        assert_eq!(folds(&two), 1);
        two.fold_or_show(20);
        two.fold_or_show(20);
        assert_eq!(folds(&two), 2, "all together again");
    }

    #[test]
    fn jumps_go_round_and_keep_the_difference_in_sight() {
        let mut follow = follow(&long(&[]), &long(&[3, 40, 58]));
        follow.folding = Folding::All;
        let mut seen = Vec::new();
        for _ in 0..4 {
            follow.jump(1, 10);
            let line = follow.current_line().unwrap() as usize;
            assert!((follow.scroll..follow.scroll + 10).contains(&line), "{line} in {}", follow.scroll);
            seen.push(line);
        }
        assert_eq!(seen, [4, 41, 59, 4]);
        follow.jump(-1, 10);
        assert_eq!(follow.current_line(), Some(59));
        assert_eq!(self::follow("1", "1").jump(1, 10), None);
    }
}
