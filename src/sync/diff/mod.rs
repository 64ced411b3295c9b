//! Two values beside each other, aligned by their structure: what is equal, what changed, what only one
//! of them has. The same judge as [`super::compare`]: members in any order, numbers by value, what Cosmos
//! adds is no difference, elements of arrays in their order. What is not JSON is compared line by line.

mod plain;
mod tree;
mod walk;

use std::borrow::Cow;

/// Lines kept of two values; what comes after them is judged and counted, but not shown.
const MAX_LINES: usize = 200_000;
/// Differences that are named.
const NAMED: usize = 32;
/// A run of at most so many equal lines is shown rather than counted.
const SHORT_RUN: u32 = 2;

/// Two values beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    left: Box<str>,
    right: Box<str>,
    lines: Vec<DiffLine>,
    folded: Vec<DiffRow>,
    starts: Vec<u32>,
    named: Vec<(DiffKind, String)>,
    differences: usize,
    structured: bool,
    cut: bool,
    system: bool,
}

/// How the two sides of a line relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiffKind {
    /// Equal, or the bracket around what may differ.
    Same,
    /// Another value.
    Changed,
    /// Only the left has it.
    OnlyLeft,
    /// Only the right has it.
    OnlyRight,
    /// An element of an array, known by its `id`, that stands at another place.
    Moved,
    /// Cosmos adds it (`_ts`, `_etag`, …): no difference of the document itself.
    System,
}

impl DiffKind {
    /// Whether the two values are told apart by it.
    pub fn counts(self) -> bool {
        !matches!(self, Self::Same | Self::System)
    }
}

/// A line of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiffLine {
    /// How they relate.
    pub kind: DiffKind,
    left: Option<Piece>,
    right: Option<Piece>,
    /// Bytes that the beginnings and the ends of two changed values have in common.
    alike: (u32, u32),
}

/// What one side has in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// How deep it is nested.
    depth: u16,
    name: Option<Span>,
    value: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    /// As it is written in the value.
    At(Span),
    /// A bracket.
    Bracket(&'static str),
}

/// Bytes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: u32,
    to: u32,
}

impl Span {
    fn of(self, text: &str) -> &str {
        text.get(self.from as usize..self.to as usize).unwrap_or_default()
    }
}

/// A row of the folded form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffRow {
    /// One line.
    Line(u32),
    /// Lines `from..to`, which are no difference.
    Fold {
        /// First line.
        from: u32,
        /// Behind the last line.
        to: u32,
        /// Members or elements that they are.
        count: u32,
        /// How deep they are nested.
        depth: u16,
        /// What they are.
        what: Folded,
    },
}

impl DiffRow {
    /// The (first) line.
    pub fn line(self) -> u32 {
        match self {
            Self::Line(at) => at,
            Self::Fold { from, .. } => from,
        }
    }
}

/// What is folded away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// Equal members of an object.
    Fields,
    /// Equal elements of an array.
    Elements,
    /// Members that Cosmos adds.
    System,
    /// Equal lines of a text.
    Lines,
}

/// One side of a line, ready to be cut to its room and drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side<'a> {
    /// How deep it is nested.
    pub depth: u16,
    /// The member's name as it is written, with its quotes; empty where there is none.
    pub name: &'a str,
    /// The value as it is written, or a bracket.
    pub value: &'a str,
    /// The bytes of `value` that the other side does not have; empty where nothing was changed.
    pub changed: (usize, usize),
}

impl Diff {
    /// Compares two values; `None` = that side has none.
    pub fn of(left: Option<&[u8]>, right: Option<&[u8]>) -> Self {
        Self::judged(left, right, false)
    }

    /// As [`Diff::of`], with what RedisJSON holds on the right: the last bit of a number with a fraction may
    /// differ.
    pub fn of_redis_json(left: Option<&[u8]>, right: Option<&[u8]>) -> Self {
        Self::judged(left, right, true)
    }

    fn judged(left: Option<&[u8]>, right: Option<&[u8]>, nearly: bool) -> Self {
        let (left_text, right_text) = (lossy(left), lossy(right));
        let trees = (left.map(|_| tree::parse(&left_text)), right.map(|_| tree::parse(&right_text)));
        let mut found = match trees {
            (Some(Some(a)), Some(Some(b))) => walk::both((&left_text, &a), (&right_text, &b), nearly),
            (Some(Some(a)), None) => walk::one(&left_text, &a, DiffKind::OnlyLeft),
            (None, Some(Some(b))) => walk::one(&right_text, &b, DiffKind::OnlyRight),
            (None, None) => Self { structured: true, ..Self::default() },
            _ => plain::both(&left_text, &right_text, left != right),
        };
        (found.left, found.right) = (left_text.into(), right_text.into());
        found
    }

    /// Two values beside each other that are not to be compared.
    pub fn beside(left: Option<&[u8]>, right: Option<&[u8]>) -> Self {
        let (left_text, right_text) = (lossy(left), lossy(right));
        let pieces =
            |text: &str| tree::parse(text).map_or_else(|| plain::pieces(text), |tree| walk::pieces(&tree));
        let (a, b) = (pieces(&left_text), pieces(&right_text));
        let mut draft = Draft::default();
        for at in 0..a.len().max(b.len()) {
            let (left, right) = (a.get(at).copied(), b.get(at).copied());
            draft.line(DiffLine { kind: DiffKind::Same, left, right, alike: (0, 0) });
        }
        let mut found = draft.done(true);
        (found.left, found.right) = (left_text.into(), right_text.into());
        found
    }

    /// Both are JSON (or not there).
    pub fn is_structured(&self) -> bool {
        self.structured
    }

    /// There are more lines than are kept.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// One of them has fields that Cosmos adds.
    pub fn has_system(&self) -> bool {
        self.system
    }

    /// How many differences there are: fields, elements or lines. A field that only one side has is one,
    /// however much is in it.
    pub fn differences(&self) -> usize {
        self.differences
    }

    /// Paths of the first differences, such as `price.current`, `tags[3]`, `offers[id=a].price`; empty
    /// where it is the whole value.
    pub fn named(&self) -> &[(DiffKind, String)] {
        &self.named
    }

    /// Lines at which a difference begins.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// All lines.
    pub fn lines(&self) -> &[DiffLine] {
        &self.lines
    }

    /// The lines with a difference and what they lie in; equal ones are counted.
    pub fn folded(&self) -> &[DiffRow] {
        &self.folded
    }

    /// The left side of a line.
    pub fn left(&self, line: &DiffLine) -> Option<Side<'_>> {
        line.left.map(|piece| side(&self.left, piece, line))
    }

    /// The right side of a line.
    pub fn right(&self, line: &DiffLine) -> Option<Side<'_>> {
        line.right.map(|piece| side(&self.right, piece, line))
    }
}

fn lossy(bytes: Option<&[u8]>) -> Cow<'_, str> {
    bytes.map_or(Cow::Borrowed(""), String::from_utf8_lossy)
}

fn side<'a>(text: &'a str, piece: Piece, line: &DiffLine) -> Side<'a> {
    let value = match piece.value {
        Text::At(span) => span.of(text),
        Text::Bracket(bracket) => bracket,
    };
    let changed = if line.kind == DiffKind::Changed {
        (line.alike.0 as usize, value.len().saturating_sub(line.alike.1 as usize))
    } else {
        (0, 0)
    };
    Side { depth: piece.depth, name: piece.name.map_or("", |name| name.of(text)), value, changed }
}

/// Lengths of the common beginning and the common end of two texts, in whole characters.
fn alike(a: &str, b: &str) -> (u32, u32) {
    let mut start = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    while !(a.is_char_boundary(start) && b.is_char_boundary(start)) {
        start -= 1;
    }
    let (rest_a, rest_b) = (&a[start..], &b[start..]);
    let mut end = rest_a.bytes().rev().zip(rest_b.bytes().rev()).take_while(|(x, y)| x == y).count();
    while !(rest_a.is_char_boundary(rest_a.len() - end) && rest_b.is_char_boundary(rest_b.len() - end)) {
        end -= 1;
    }
    (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}

/// Collects lines and differences, within bounds.
#[derive(Default)]
struct Draft {
    lines: Vec<DiffLine>,
    folded: Vec<DiffRow>,
    starts: Vec<u32>,
    named: Vec<(DiffKind, String)>,
    differences: usize,
    cut: bool,
    system: bool,
}

impl Draft {
    /// Number of the next line.
    fn next(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }

    fn line(&mut self, line: DiffLine) {
        self.system |= line.kind == DiffKind::System;
        if self.lines.len() >= MAX_LINES {
            self.cut = true;
            return;
        }
        self.folded.push(DiffRow::Line(self.next()));
        self.lines.push(line);
    }

    /// The next line begins a difference.
    fn difference(&mut self, kind: DiffKind, path: impl FnOnce() -> String) {
        self.differences += 1;
        if self.lines.len() < MAX_LINES {
            self.starts.push(self.next());
        }
        if self.named.len() < NAMED {
            self.named.push((kind, path()));
        }
    }

    /// What came since row `mark` and line `from` is no difference: one more to be counted.
    fn fold(&mut self, mark: usize, from: u32, depth: u16, kind: Folded) {
        self.folded.truncate(mark);
        let end = self.next();
        if let Some(DiffRow::Fold { to, count, depth: known, what, .. }) = self.folded.last_mut()
            && (*to, *known, *what) == (from, depth, kind)
        {
            *to = end;
            *count += 1;
        } else if end > from {
            self.folded.push(DiffRow::Fold { from, to: end, count: 1, depth, what: kind });
        }
    }

    fn done(self, structured: bool) -> Diff {
        let short = |row: &DiffRow| match *row {
            DiffRow::Fold { from, to, .. } if to - from <= SHORT_RUN => from..to,
            _ => 0..0,
        };
        let folded = self
            .folded
            .iter()
            .flat_map(|row| {
                let lines = short(row);
                let whole = lines.is_empty().then_some(*row);
                whole.into_iter().chain(lines.map(DiffRow::Line))
            })
            .collect();
        Diff {
            lines: self.lines,
            folded,
            starts: self.starts,
            named: self.named,
            differences: self.differences,
            structured,
            cut: self.cut,
            system: self.system,
            ..Diff::default()
        }
    }
}

#[cfg(test)]
mod tests;
