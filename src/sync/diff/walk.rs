//! Two trees side by side: members by name, elements by their `id` where all have one, else by place.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::tree::{Kind, Member, Node};
use super::{Diff, DiffKind, DiffLine, Draft, Folded, Piece, Span, Text, alike};
use crate::cosmos::SYSTEM_PROPERTIES;
use crate::sync::compare::{near, same_value};

/// Compares two texts with their trees. `nearly`: the last bit of a number with a fraction is nothing.
pub(super) fn both((left, a): (&str, &Node), (right, b): (&str, &Node), nearly: bool) -> Diff {
    let mut walk = Walk { left, right, nearly, path: Vec::new(), draft: Draft::default() };
    walk.pair(Named { name: None, node: a }, Named { name: None, node: b }, 0, false);
    walk.draft.done(true)
}

/// A tree that has no other.
pub(super) fn one(text: &str, node: &Node, kind: DiffKind) -> Diff {
    let mut walk = Walk { left: text, right: text, nearly: false, path: Vec::new(), draft: Draft::default() };
    walk.draft.difference(kind, String::new);
    walk.alone(Named { name: None, node }, 0, kind, kind != DiffKind::OnlyRight);
    walk.draft.done(true)
}

/// A value, with its name where it is a member.
#[derive(Clone, Copy)]
struct Named<'n> {
    name: Option<Span>,
    node: &'n Node,
}

/// Whether what was walked is a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Equal,
    Different,
}

/// A step of the path to where the walk is.
enum Step<'a> {
    Name(Cow<'a, str>),
    Place(usize),
    Id(Cow<'a, str>),
}

struct Walk<'a> {
    left: &'a str,
    right: &'a str,
    nearly: bool,
    path: Vec<Step<'a>>,
    draft: Draft,
}

/// A member or element: its place on the left, its place on the right, whether it moved.
type Aligned = (Option<usize>, Option<usize>, bool);

impl Walk<'_> {
    /// Two values at the same place, or of the same id at another.
    fn pair(&mut self, a: Named<'_>, b: Named<'_>, depth: u16, moved: bool) -> Outcome {
        if moved {
            self.difference(DiffKind::Moved);
        }
        let inside = match (&a.node.kind, &b.node.kind) {
            (Kind::Object(x), Kind::Object(y)) if x.is_empty() && y.is_empty() => {
                self.brackets(a, b, "{}", depth, moved);
                Outcome::Equal
            }
            (Kind::Array(x), Kind::Array(y)) if x.is_empty() && y.is_empty() => {
                self.brackets(a, b, "[]", depth, moved);
                Outcome::Equal
            }
            (Kind::Object(x), Kind::Object(y)) => {
                self.brackets(a, b, "{", depth, moved);
                let inside = self.objects(x, y, depth);
                self.closing("}", depth);
                inside
            }
            (Kind::Array(x), Kind::Array(y)) => {
                self.brackets(a, b, "[", depth, moved);
                let inside = self.arrays(x, y, depth);
                self.closing("]", depth);
                inside
            }
            (Kind::Scalar, Kind::Scalar) => self.scalars(a, b, depth),
            _ => self.unlike(a, b, depth),
        };
        if moved { Outcome::Different } else { inside }
    }

    fn brackets(&mut self, a: Named<'_>, b: Named<'_>, bracket: &'static str, depth: u16, moved: bool) {
        let kind = match (moved, self.is_system()) {
            (true, _) => DiffKind::Moved,
            (false, true) => DiffKind::System,
            (false, false) => DiffKind::Same,
        };
        let piece = |named: Named<'_>| Some(Piece { depth, name: named.name, value: Text::Bracket(bracket) });
        self.draft.line(DiffLine { kind, left: piece(a), right: piece(b), alike: (0, 0) });
    }

    fn closing(&mut self, bracket: &'static str, depth: u16) {
        let piece = Some(Piece { depth, name: None, value: Text::Bracket(bracket) });
        let kind = if self.is_system() { DiffKind::System } else { DiffKind::Same };
        self.draft.line(DiffLine { kind, left: piece, right: piece, alike: (0, 0) });
    }

    fn scalars(&mut self, a: Named<'_>, b: Named<'_>, depth: u16) -> Outcome {
        let (x, y) = (a.node.at.of(self.left), b.node.at.of(self.right));
        let equal = same_scalar(x, y, self.nearly);
        let kind = match (self.is_system(), equal) {
            (true, _) => DiffKind::System,
            (false, true) => DiffKind::Same,
            (false, false) => DiffKind::Changed,
        };
        if kind == DiffKind::Changed {
            self.difference(kind);
        }
        let alike = if kind == DiffKind::Changed { alike(x, y) } else { (0, 0) };
        self.draft.line(DiffLine {
            kind,
            left: Some(scalar(a, depth)),
            right: Some(scalar(b, depth)),
            alike,
        });
        if equal { Outcome::Equal } else { Outcome::Different }
    }

    /// Values of different kinds: their lines beside each other.
    fn unlike(&mut self, a: Named<'_>, b: Named<'_>, depth: u16) -> Outcome {
        let kind = if self.is_system() { DiffKind::System } else { DiffKind::Changed };
        if kind == DiffKind::Changed {
            self.difference(kind);
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        flatten(a, depth, &mut left);
        flatten(b, depth, &mut right);
        for i in 0..left.len().max(right.len()) {
            let (left, right) = (left.get(i).copied(), right.get(i).copied());
            self.draft.line(DiffLine { kind, left, right, alike: (0, 0) });
        }
        Outcome::Different
    }

    /// All lines of a value that only one side has.
    fn alone(&mut self, named: Named<'_>, depth: u16, kind: DiffKind, on_the_left: bool) {
        let mut pieces = Vec::new();
        flatten(named, depth, &mut pieces);
        for piece in pieces {
            let (left, right) = if on_the_left { (Some(piece), None) } else { (None, Some(piece)) };
            self.draft.line(DiffLine { kind, left, right, alike: (0, 0) });
        }
    }

    fn objects(&mut self, a: &[Member], b: &[Member], depth: u16) -> Outcome {
        let (left, right) = (self.left, self.right);
        let a_names: Vec<_> = a.iter().map(|member| unquoted(member.name.of(left))).collect();
        let b_names: Vec<_> = b.iter().map(|member| unquoted(member.name.of(right))).collect();
        let mut whole = Outcome::Equal;
        for (i, j, _) in align(&a_names, &b_names) {
            let name = i.map(|i| &a_names[i]).or_else(|| j.map(|j| &b_names[j]));
            self.path.push(Step::Name(name.cloned().unwrap_or_default()));
            let outcome = self.child((member(a, i), member(b, j)), depth + 1, false, Folded::Fields);
            self.path.pop();
            whole = if outcome == Outcome::Different { outcome } else { whole };
        }
        whole
    }

    fn arrays(&mut self, a: &[Node], b: &[Node], depth: u16) -> Outcome {
        let ids = ids(a, self.left).zip(ids(b, self.right));
        let aligned = match &ids {
            Some((x, y)) => align(x, y),
            None => (0..a.len().max(b.len()))
                .map(|at| ((at < a.len()).then_some(at), (at < b.len()).then_some(at), false))
                .collect(),
        };
        let mut whole = Outcome::Equal;
        for (i, j, moved) in aligned {
            self.path.push(match &ids {
                Some((x, y)) => {
                    let id = i.map(|i| &x[i]).or_else(|| j.map(|j| &y[j]));
                    Step::Id(id.cloned().unwrap_or_default())
                }
                None => Step::Place(i.or(j).unwrap_or_default()),
            });
            let outcome = self.child((bare(a, i), bare(b, j)), depth + 1, moved, Folded::Elements);
            self.path.pop();
            whole = if outcome == Outcome::Different { outcome } else { whole };
        }
        whole
    }

    /// A member or element of both sides or of one.
    fn child(
        &mut self,
        sides: (Option<Named<'_>>, Option<Named<'_>>),
        depth: u16,
        moved: bool,
        folded: Folded,
    ) -> Outcome {
        let (mark, from) = (self.draft.folded.len(), self.draft.next());
        let system = self.is_system();
        let outcome = match sides {
            (Some(a), Some(b)) => self.pair(a, b, depth, moved && !system),
            (Some(only), None) | (None, Some(only)) => {
                let on_the_left = sides.0.is_some();
                let kind = match (system, on_the_left) {
                    (true, _) => DiffKind::System,
                    (false, true) => DiffKind::OnlyLeft,
                    (false, false) => DiffKind::OnlyRight,
                };
                if !system {
                    self.difference(kind);
                }
                self.alone(only, depth, kind, on_the_left);
                Outcome::Different
            }
            (None, None) => Outcome::Equal,
        };
        match outcome {
            _ if system => self.draft.fold(mark, from, depth, Folded::System),
            Outcome::Equal => self.draft.fold(mark, from, depth, folded),
            Outcome::Different => {}
        }
        if system { Outcome::Equal } else { outcome }
    }

    /// The walk is in a member that Cosmos adds to every document.
    fn is_system(&self) -> bool {
        matches!(self.path.first(), Some(Step::Name(name)) if SYSTEM_PROPERTIES.contains(&name.as_ref()))
    }

    /// The next line begins a difference at the place of the walk.
    fn difference(&mut self, kind: DiffKind) {
        let path = &self.path;
        self.draft.difference(kind, || path_text(path));
    }
}

/// `offers[id=a].tags[3]`.
fn path_text(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Name(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Place(at) => {
                let _ = write!(text, "[{at}]");
            }
            Step::Id(id) => {
                let _ = write!(text, "[id={id}]");
            }
        }
    }
    text
}

fn member(members: &[Member], at: Option<usize>) -> Option<Named<'_>> {
    at.map(|at| Named { name: Some(members[at].name), node: &members[at].value })
}

fn bare(nodes: &[Node], at: Option<usize>) -> Option<Named<'_>> {
    at.map(|at| Named { name: None, node: &nodes[at] })
}

fn scalar(named: Named<'_>, depth: u16) -> Piece {
    Piece { depth, name: named.name, value: Text::At(named.node.at) }
}

/// The lines of one tree.
pub(super) fn pieces(node: &Node) -> Vec<Piece> {
    let mut out = Vec::new();
    flatten(Named { name: None, node }, 0, &mut out);
    out
}

fn flatten(named: Named<'_>, depth: u16, out: &mut Vec<Piece>) {
    let bracket = |name, bracket| Piece { depth, name, value: Text::Bracket(bracket) };
    match &named.node.kind {
        Kind::Scalar => out.push(scalar(named, depth)),
        Kind::Object(members) if members.is_empty() => out.push(bracket(named.name, "{}")),
        Kind::Array(nodes) if nodes.is_empty() => out.push(bracket(named.name, "[]")),
        Kind::Object(members) => {
            out.push(bracket(named.name, "{"));
            for member in members {
                flatten(Named { name: Some(member.name), node: &member.value }, depth + 1, out);
            }
            out.push(bracket(None, "}"));
        }
        Kind::Array(nodes) => {
            out.push(bracket(named.name, "["));
            for node in nodes {
                flatten(Named { name: None, node }, depth + 1, out);
            }
            out.push(bracket(None, "]"));
        }
    }
}

/// A JSON text without its quotes and escapes.
fn unquoted(json: &str) -> Cow<'_, str> {
    let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        _ => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

fn same_scalar(x: &str, y: &str, nearly: bool) -> bool {
    x == y
        || match (serde_json::from_str::<Value>(x), serde_json::from_str::<Value>(y)) {
            (Ok(x), Ok(y)) => same_value(&x, &y) || (nearly && near(&x, &y)),
            _ => false,
        }
}

/// The ids of elements, where each has one of its own.
fn ids<'t>(nodes: &[Node], text: &'t str) -> Option<Vec<Cow<'t, str>>> {
    let ids: Vec<Cow<'t, str>> = nodes.iter().map(|node| id(node, text)).collect::<Option<_>>()?;
    let distinct: HashSet<&str> = ids.iter().map(AsRef::as_ref).collect();
    (!ids.is_empty() && distinct.len() == ids.len()).then_some(ids)
}

fn id<'t>(node: &Node, text: &'t str) -> Option<Cow<'t, str>> {
    let Kind::Object(members) = &node.kind else { return None };
    // The last of several members of one name counts.
    let member = members.iter().rev().find(|member| unquoted(member.name.of(text)) == "id")?;
    let written = member.value.at.of(text);
    match (&member.value.kind, written.as_bytes().first()?) {
        (Kind::Scalar, b'"') => Some(unquoted(written)),
        // Equal numbers are one id, however they are written.
        (Kind::Scalar, b'-' | b'0'..=b'9') => Some(written.parse::<f64>().ok()?.to_string().into()),
        _ => None,
    }
}

/// Brings names together, in the order of the left; what only the right has comes where it stands there.
/// Of several members with one name the last counts, as for any reader.
fn align(a: &[Cow<'_, str>], b: &[Cow<'_, str>]) -> Vec<Aligned> {
    let places = |names: &'_ [Cow<'_, str>]| -> HashMap<String, usize> {
        names.iter().enumerate().map(|(at, name)| (name.clone().into_owned(), at)).collect()
    };
    let (a_at, b_at) = (places(a), places(b));
    let mut out = Vec::with_capacity(a.len().max(b.len()));
    let only_right = |from: usize, out: &mut Vec<Aligned>| {
        for (at, name) in b.iter().enumerate().skip(from) {
            let last = b_at.get(name.as_ref()) == Some(&at);
            match a_at.contains_key(name.as_ref()) {
                true if last => break,
                false if last => out.push((None, Some(at), false)),
                _ => {}
            }
        }
    };
    only_right(0, &mut out);
    for (at, name) in a.iter().enumerate().filter(|(at, name)| a_at.get(name.as_ref()) == Some(at)) {
        match b_at.get(name.as_ref()) {
            Some(&there) => {
                out.push((Some(at), Some(there), false));
                only_right(there + 1, &mut out);
            }
            None => out.push((Some(at), None, false)),
        }
    }
    mark_moved(&mut out);
    out
}

/// What is not in the longest run of pairs that kept their order has moved.
fn mark_moved(aligned: &mut [Aligned]) {
    let pairs: Vec<(usize, usize)> = aligned
        .iter()
        .enumerate()
        .filter_map(|(at, (left, right, _))| left.and(*right).map(|right| (at, right)))
        .collect();
    // Patience: the last pair of the best run of each length, and the pair before each.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
    for (n, (_, right)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|&end| pairs[end].1 < *right);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(n);
        } else {
            ends[length] = n;
        }
    }
    let mut kept = vec![false; pairs.len()];
    let mut at = ends.last().copied();
    while let Some(n) = at {
        kept[n] = true;
        at = before[n];
    }
    for (n, (place, _)) in pairs.iter().enumerate() {
        aligned[*place].2 = !kept[n];
    }
}
