//! One document followed: what is in the source, what is in the cache, line by line.

use similar::{DiffOp, TextDiff};

use crate::{
    engine::{Command, DocumentDetail},
    tui::pretty,
};

/// Bytes in a line of the raw view.
pub(crate) const RAW_WIDTH: usize = 16;

/// What of a document is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Look {
    /// The source beside the entry.
    #[default]
    Entry,
    /// A version beside the one before it; 0 = the newest.
    Version(usize),
    /// The entry as bytes.
    Raw,
}

/// The view of one document.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    pub(crate) id: String,
    pub(crate) partition_key: Option<String>,
    /// Number of the newest question; answers to older ones are discarded.
    request: u64,
    /// The newest question is not answered yet.
    pub(crate) waiting: bool,
    /// It changed since the newest question was asked.
    outdated: bool,
    pub(crate) detail: Option<Box<DocumentDetail>>,
    pub(crate) look: Look,
    /// What is looked at, as lines beside each other; nothing for bytes.
    pub(crate) diff: Vec<DiffRow>,
    pub(crate) scroll: usize,
    /// The key that a question is asked about.
    pub(crate) doomed: Option<String>,
    /// The newest edit, which is under way.
    pub(crate) edit: Option<u64>,
}

/// Two lines beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiffRow {
    pub(crate) kind: DiffKind,
    pub(crate) left: Option<String>,
    pub(crate) right: Option<String>,
}

/// How two lines differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiffKind {
    Same,
    Changed,
    OnlyLeft,
    OnlyRight,
    /// A property of the system (`_ts`, and `_lsn`, which only the feed brings): no difference of the
    /// document itself.
    System,
}

impl Follow {
    /// A view that asks its first question.
    pub(crate) fn open(request: u64, id: String, partition_key: Option<String>) -> (Self, Command) {
        let command = Command::ShowDocument { request, id: id.clone(), partition_key: partition_key.clone() };
        let follow = Self {
            id,
            partition_key,
            request,
            waiting: true,
            outdated: false,
            detail: None,
            look: Look::default(),
            diff: Vec::new(),
            scroll: 0,
            doomed: None,
            edit: None,
        };
        (follow, command)
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
        Some(Command::ShowDocument {
            request,
            id: self.id.clone(),
            partition_key: self.partition_key.clone(),
        })
    }

    /// Takes an answer, unless it is to another question.
    pub(crate) fn answer(&mut self, detail: Box<DocumentDetail>, next_request: u64) -> Option<Command> {
        if detail.request != self.request {
            return None;
        }
        self.waiting = false;
        // A version that is looked at stays looked at when a newer one comes.
        if let (Look::Version(at), Some(before)) = (self.look, &self.detail) {
            let etag = before.versions.get(at).map(|version| &version.etag);
            let now = detail.versions.iter().position(|version| Some(&version.etag) == etag);
            self.look = now.map_or(Look::Entry, Look::Version);
        }
        self.detail = Some(detail);
        self.compare();
        self.ask_again(next_request)
    }

    /// Makes the lines of what is looked at.
    fn compare(&mut self) {
        let Some(detail) = &self.detail else { return };
        let (left, right) = match self.look {
            Look::Raw => (String::new(), String::new()),
            Look::Entry => {
                let source = detail.source.as_ref().ok().and_then(Option::as_ref);
                let left = detail.expected.as_deref().or(source.map(|source| source.json.as_str()));
                let right = detail.entry.as_ref().ok().and_then(Option::as_ref);
                let right = right.map_or("", |entry| entry.value.as_str());
                (left.unwrap_or("").to_owned(), right.to_owned())
            }
            Look::Version(at) => {
                let text = |at: usize| detail.versions.get(at).and_then(|version| version.json.as_deref());
                (text(at + 1).unwrap_or("").to_owned(), text(at).unwrap_or("").to_owned())
            }
        };
        self.diff = rows(&pretty::lines(&left), &pretty::lines(&right));
        self.scroll = self.scroll.min(self.diff.len().saturating_sub(1));
    }

    /// Looks at something else.
    pub(crate) fn look_at(&mut self, look: Look) {
        if self.look != look {
            self.look = look;
            self.scroll = 0;
            self.compare();
        }
    }

    /// One version back, beginning with the newest.
    pub(crate) fn older(&mut self) {
        let versions = self.detail.as_ref().map_or(0, |detail| detail.versions.len());
        match self.look {
            Look::Version(at) if at + 1 < versions => self.look_at(Look::Version(at + 1)),
            Look::Entry | Look::Raw if versions > 0 => self.look_at(Look::Version(0)),
            Look::Version(_) | Look::Entry | Look::Raw => {}
        }
    }

    /// One version on; after the newest the entry again.
    pub(crate) fn newer(&mut self) {
        match self.look {
            Look::Version(0) | Look::Raw => self.look_at(Look::Entry),
            Look::Version(at) => self.look_at(Look::Version(at - 1)),
            Look::Entry => {}
        }
    }

    /// Lines that there are to scroll through.
    pub(crate) fn lines(&self) -> usize {
        match self.look {
            Look::Raw => self.raw().len().div_ceil(RAW_WIDTH),
            Look::Entry | Look::Version(_) => self.diff.len(),
        }
    }

    /// The entry's bytes.
    pub(crate) fn raw(&self) -> &[u8] {
        let detail = self.detail.as_ref();
        let entry = detail.and_then(|detail| detail.entry.as_ref().ok()?.as_ref());
        entry.map_or(&[], |entry| &entry.raw)
    }
}

/// Lines beside each other, changed ones in pairs.
fn rows(left: &[String], right: &[String]) -> Vec<DiffRow> {
    // A comma after a line depends on the line below it, which may be the one that differs.
    let bare = |lines: &'_ [String]| lines.iter().map(|line| line.trim_end_matches(',').to_owned()).collect();
    let (left_bare, right_bare): (Vec<String>, Vec<String>) = (bare(left), bare(right));
    let (old, new): (Vec<&str>, Vec<&str>) =
        (left_bare.iter().map(String::as_str).collect(), right_bare.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&old, &new);
    let mut out = Vec::with_capacity(left.len().max(right.len()));
    for op in diff.ops() {
        let (kind, old, new) = match *op {
            DiffOp::Equal { .. } => (DiffKind::Same, op.old_range(), op.new_range()),
            DiffOp::Delete { .. } => (DiffKind::OnlyLeft, op.old_range(), 0..0),
            DiffOp::Insert { .. } => (DiffKind::OnlyRight, 0..0, op.new_range()),
            DiffOp::Replace { .. } => (DiffKind::Changed, op.old_range(), op.new_range()),
        };
        for i in 0..old.len().max(new.len()) {
            let left = old.clone().nth(i).and_then(|at| left.get(at)).cloned();
            let right = new.clone().nth(i).and_then(|at| right.get(at)).cloned();
            let kind = match (&left, &right) {
                (Some(a), Some(b)) if kind == DiffKind::Changed && is_system(a) && is_system(b) => {
                    DiffKind::System
                }
                (Some(line), None) | (None, Some(line)) if is_system(line) => DiffKind::System,
                (Some(_), None) => DiffKind::OnlyLeft,
                (None, Some(_)) => DiffKind::OnlyRight,
                _ => kind,
            };
            out.push(DiffRow { kind, left, right });
        }
    }
    out
}

/// A top-level property that Cosmos adds to every document.
pub(super) fn is_system(line: &str) -> bool {
    const NAMES: [&str; 6] = ["_rid", "_self", "_etag", "_attachments", "_ts", "_lsn"];
    let name = line.strip_prefix("  \"").and_then(|rest| rest.split_once("\":"));
    name.is_some_and(|(name, _)| NAMES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn pairs_changed_lines_and_leaves_gaps() {
        let rows = rows(&texts(&["{", "a: 1", "b: 2", "}"]), &texts(&["{", "a: 9", "}", "tail"]));
        let kinds: Vec<DiffKind> = rows.iter().map(|row| row.kind).collect();
        assert_eq!(
            kinds,
            [DiffKind::Same, DiffKind::Changed, DiffKind::OnlyLeft, DiffKind::Same, DiffKind::OnlyRight]
        );
        assert_eq!(rows[1].right.as_deref(), Some("a: 9"));
    }

    #[test]
    fn what_only_the_feed_brings_is_no_difference() {
        let rows = rows(&texts(&["  \"_ts\": 1", "}"]), &texts(&["  \"_ts\": 1,", "  \"_lsn\": 330", "}"]));
        let kinds: Vec<DiffKind> = rows.iter().map(|row| row.kind).collect();
        assert_eq!(kinds, [DiffKind::Same, DiffKind::System, DiffKind::Same]);
    }
}
