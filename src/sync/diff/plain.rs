//! Values that are not both JSON, line by line.

use std::time::Duration;

use similar::{DiffOp, TextDiff};

use super::{Diff, DiffKind, DiffLine, Draft, Folded, Piece, Span, Text, alike};

/// Looking for the shortest difference ends after this; then a longer one is taken.
const PATIENCE: Duration = Duration::from_millis(300);

/// `differ`: their bytes do, which a lossy text may hide.
pub(super) fn both(left: &str, right: &str, differ: bool) -> Diff {
    let (old, new): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let diff = TextDiff::configure().timeout(PATIENCE).diff_slices(&old, &new);
    let mut draft = Draft::default();
    for op in diff.ops() {
        let (old_range, new_range) = (op.old_range(), op.new_range());
        let same = matches!(op, DiffOp::Equal { .. });
        for i in 0..old_range.len().max(new_range.len()) {
            let a = old_range.clone().nth(i).and_then(|at| old.get(at).copied());
            let b = new_range.clone().nth(i).and_then(|at| new.get(at).copied());
            let kind = match (a, b) {
                _ if same => DiffKind::Same,
                (Some(_), Some(_)) => DiffKind::Changed,
                (Some(_), None) => DiffKind::OnlyLeft,
                _ => DiffKind::OnlyRight,
            };
            let (mark, from) = (draft.folded.len(), draft.next());
            if kind.counts() {
                draft.difference(kind, String::new);
            }
            let line = DiffLine {
                kind,
                left: a.and_then(|line| piece(left, line)),
                right: b.and_then(|line| piece(right, line)),
                alike: a.zip(b).filter(|_| !same).map_or((0, 0), |(a, b)| alike(a, b)),
            };
            draft.line(line);
            if same {
                draft.fold(mark, from, 0, Folded::Lines);
            }
        }
    }
    if differ && draft.differences == 0 {
        draft.differences = 1;
        draft.named.push((DiffKind::Changed, String::new()));
    }
    draft.done(false)
}

/// The lines of one text.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    text.lines().filter_map(|line| piece(text, line)).collect()
}

/// Where a line of a text is.
fn piece(text: &str, line: &str) -> Option<Piece> {
    let from = line.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let (from, to) = (u32::try_from(from).ok()?, u32::try_from(from + line.len()).ok()?);
    Some(Piece { depth: 0, name: None, value: Text::At(Span { from, to }) })
}
