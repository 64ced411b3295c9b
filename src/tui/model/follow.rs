//! One document followed: what is in the source, what is in the cache, line by line.

use similar::{DiffOp, TextDiff};

use crate::{
    engine::{Command, DocumentDetail},
    tui::pretty,
};

/// The view of one document.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    pub(crate) id: String,
    partition_key: Option<String>,
    /// Number of the newest question; answers to older ones are discarded.
    request: u64,
    /// The newest question is not answered yet.
    pub(crate) waiting: bool,
    /// It changed since the newest question was asked.
    outdated: bool,
    pub(crate) detail: Option<Box<DocumentDetail>>,
    pub(crate) diff: Vec<DiffRow>,
    pub(crate) scroll: usize,
    /// Which version is looked at, 0 = newest.
    pub(crate) version: usize,
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
            diff: Vec::new(),
            scroll: 0,
            version: 0,
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
        let source = detail.source.as_ref().ok().and_then(Option::as_ref).map(|source| source.json.as_str());
        let left = detail.expected.as_deref().or(source).unwrap_or("");
        let right =
            detail.entry.as_ref().ok().and_then(Option::as_ref).map_or("", |entry| entry.value.as_str());
        self.diff = rows(&pretty::lines(left), &pretty::lines(right));
        self.scroll = self.scroll.min(self.diff.len().saturating_sub(1));
        self.version = self.version.min(detail.versions.len().saturating_sub(1));
        self.detail = Some(detail);
        self.ask_again(next_request)
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
fn is_system(line: &str) -> bool {
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
