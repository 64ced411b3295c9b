//! The rows of the comparison, and the line that sums it up.

use std::borrow::Cow;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::super::masked;
use crate::{
    engine::{DiffKind, DiffLine, DiffRow, Difference, EntryState, Folded, Side},
    tui::{
        model::{Follow, Look, Model},
        theme::Theme,
        widgets::{pen::Pen, text},
    },
};

/// Deep nesting must not push everything out of the window.
const DEEPEST: u16 = 20;

/// Draws the rows that fit.
pub(super) fn draw(model: &Model, follow: &Follow, left: Rect, right: Rect, buf: &mut Buffer) {
    let height = usize::from(left.height);
    if follow.comparing.is_some() && follow.diff.lines().is_empty() {
        Pen::new(buf, left, 0).skip(3).put("comparing …", model.theme.waiting);
        return;
    }
    for at in 0..left.height {
        match follow.row(follow.scroll + usize::from(at), height) {
            None => break,
            Some(DiffRow::Fold { from, to, count, depth, what }) => {
                let words = folded_words(to - from, count, what);
                let indent = usize::from(depth.min(DEEPEST)) * 2;
                for (area, words) in [(left, words.as_str()), (right, "⋯")] {
                    Pen::new(buf, area, at).skip(3 + indent).put(words, model.theme.dim);
                }
            }
            Some(DiffRow::Line(number)) => {
                let Some(line) = follow.diff.lines().get(number as usize) else { break };
                let current = follow.current_line() == Some(number);
                let (mark, styles) = mark(&model.theme, line, matches!(follow.look, Look::Version(_)));
                let sides = [
                    (left, follow.diff.left(line), styles.0, mark),
                    (right, follow.diff.right(line), styles.1, mark),
                ];
                for (area, side, style, mark) in sides {
                    let mut pen = Pen::new(buf, area, at);
                    pen.put(if current { "▸" } else { " " }, model.theme.accent);
                    let Some(side) = side else { continue };
                    pen.put(mark, style).skip(1);
                    draw_side(model, line.kind, side, style, &mut pen);
                }
            }
        }
    }
}

/// The mark of a line and the styles of its two sides. Between versions the older one is on the left: what
/// is new is what only the right has.
fn mark(theme: &Theme, line: &DiffLine, versions: bool) -> (&'static str, (Style, Style)) {
    match line.kind {
        DiffKind::Same => (" ", (theme.text, theme.text)),
        DiffKind::System => (" ", (theme.dim, theme.dim)),
        DiffKind::Changed => ("~", (theme.waiting, theme.waiting)),
        DiffKind::Moved => ("↕", (theme.waiting, theme.waiting)),
        DiffKind::OnlyLeft if versions => ("-", (theme.bad, theme.bad)),
        DiffKind::OnlyRight if versions => ("+", (theme.good, theme.good)),
        DiffKind::OnlyLeft => ("+", (theme.good, theme.good)),
        DiffKind::OnlyRight => ("-", (theme.bad, theme.bad)),
    }
}

fn draw_side(model: &Model, kind: DiffKind, side: Side<'_>, style: Style, pen: &mut Pen<'_>) {
    let theme = &model.theme;
    let plain = matches!(kind, DiffKind::Same | DiffKind::Changed | DiffKind::Moved);
    let (name_style, value_style) = if plain { (theme.json_name, theme.text) } else { (style, style) };
    pen.skip(usize::from(side.depth.min(DEEPEST)) * 2);
    if !side.name.is_empty() {
        let name = text::middle(head(side.name, 400), (pen.rest() / 2).max(8)).into_owned();
        pen.put(&name, name_style).put(": ", value_style);
    }
    for (part, changed) in fit(side.value, side.changed, pen.rest()) {
        let style =
            if changed { style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED) } else { value_style };
        pen.put(&masked(model, &part), style);
    }
}

/// A value in so many columns: cut at its end, or, where a part of it was changed, around that part.
fn fit(value: &str, changed: (usize, usize), room: usize) -> Vec<(Cow<'_, str>, bool)> {
    // No text of so many bytes fits: what is beyond is not even measured.
    let most = room.saturating_mul(8) + 8;
    let (from, to) = changed;
    if from >= to || value.get(from..to).is_none() {
        return vec![(text::end(head(value, most), room), false)];
    }
    let (before, middle, after) = (&value[..from], &value[from..to], &value[to..]);
    let short = value.len() <= most && text::width(&text::clean(value)) <= room;
    if short {
        return vec![(before.into(), false), (middle.into(), true), (after.into(), false)];
    }
    // The change itself comes first; what room is left is shared by what stands around it.
    let middle = text::middle_of(middle, room.saturating_sub(2).max(1), most);
    let left = room.saturating_sub(text::width(&middle));
    let (before, after) = (tail_bytes(before, most), head(after, most));
    let wanted_after = text::width(&text::clean(after)).min(left / 2);
    let before = text::tail(before, left - wanted_after);
    let after = text::end(after, left.saturating_sub(text::width(&before)));
    vec![(before, false), (middle, true), (after, false)]
}

/// At most so many bytes from the beginning.
fn head(value: &str, most: usize) -> &str {
    if value.len() <= most {
        return value;
    }
    let end = (0..=most).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
    &value[..end]
}

/// At most so many bytes from the end.
fn tail_bytes(value: &str, most: usize) -> &str {
    let start = value.len().saturating_sub(most);
    let start = (start..=value.len()).find(|at| value.is_char_boundary(*at)).unwrap_or(0);
    &value[start..]
}

fn folded_words(lines: u32, count: u32, what: Folded) -> String {
    let words = match what {
        Folded::Fields => format!("⋯ {}", text::counted(count, "equal field")),
        Folded::Elements => format!("⋯ {}", text::counted(count, "equal element")),
        Folded::System => format!("⋯ {} that Cosmos adds", text::counted(count, "field")),
        Folded::Lines => format!("⋯ {}", text::counted(count, "equal line")),
    };
    if lines > count { format!("{words} · {}", text::counted(lines, "line")) } else { words }
}

/// One line: how many differences, which, and what is out of sight.
pub(super) fn summary(
    model: &Model,
    follow: &Follow,
    height: usize,
    inner: Rect,
    line: u16,
    buf: &mut Buffer,
) {
    let (words, differs) = words(model, follow);
    let style = if differs { model.theme.waiting } else { model.theme.dim };
    let mut pen = Pen::new(buf, inner, line);
    pen.skip(1);
    let rows = follow.rows(height);
    let below = rows.saturating_sub(follow.scroll + height);
    if below > 0 {
        pen.put(&format!("↓ {} more · ", text::count(below as u64)), model.theme.dim);
    } else if follow.diff.is_cut() {
        pen.put("! too many lines to show them all · ", model.theme.waiting);
    }
    if let Some(at) = follow.at {
        let of = follow.diff.starts().len();
        pen.put(
            &format!("{} of {} · ", text::count(at as u64 + 1), text::count(of as u64)),
            model.theme.accent,
        );
    }
    pen.put(&words, style);
}

/// The words, and whether they tell of a difference.
fn words(model: &Model, follow: &Follow) -> (String, bool) {
    let Some(detail) = &follow.detail else { return (String::new(), false) };
    if follow.comparing.is_some() {
        return ("comparing …".into(), false);
    }
    match follow.look {
        Look::Source => {
            return ("the document on the left, what the mapping writes on the right".into(), false);
        }
        Look::Version(_) => {
            let text =
                |version: Option<&crate::engine::VersionSeen>| version.is_some_and(|v| v.json.is_some());
            if !follow.compared_versions().is_some_and(|(older, newer)| text(older) && text(newer)) {
                return ("only one of the two is known".into(), false);
            }
        }
        Look::Entry if detail.source.is_err() || detail.entry.is_err() => {
            return ("not compared: only one of the two could be read".into(), false);
        }
        Look::Entry if detail.expected.is_none() && detail.state != EntryState::Orphan => {
            return ("nothing to compare".into(), false);
        }
        Look::Entry | Look::Raw => {}
    }
    let about_entry = follow.look == Look::Entry;
    let mut parts = Vec::new();
    if about_entry {
        parts.extend(detail.difference.as_ref().and_then(difference_words));
    }
    match (about_entry, detail.state) {
        (true, EntryState::Missing) => {
            parts.push("not in the cache: all of it is still to be written".into());
        }
        (true, EntryState::Orphan) => parts.push("no document makes this entry".into()),
        _ => parts.extend(field_words(model, follow)),
    }
    if parts.is_empty() {
        let but = if follow.diff.has_system() { " but in what Cosmos adds" } else { "" };
        return (format!("no difference{but}"), false);
    }
    (parts.join(" · "), true)
}

/// `3 fields differ: price.current, +note, -old`.
fn field_words(model: &Model, follow: &Follow) -> Option<String> {
    let (count, versions) = (follow.diff.differences(), matches!(follow.look, Look::Version(_)));
    let noun = if follow.diff.is_structured() { "field" } else { "line" };
    let counted = match count {
        0 => return None,
        1 => format!("1 {noun} differs"),
        n => format!("{} differ", text::counted(n, noun)),
    };
    let names: Vec<String> = follow
        .diff
        .named()
        .iter()
        .filter(|(_, path)| !path.is_empty())
        .map(|(kind, path)| {
            let sign = match (kind, versions) {
                (DiffKind::OnlyLeft, false) | (DiffKind::OnlyRight, true) => "+",
                (DiffKind::OnlyRight, false) | (DiffKind::OnlyLeft, true) => "-",
                (DiffKind::Moved, _) => "↕",
                _ => "",
            };
            format!("{sign}{}", masked_ids(model, path))
        })
        .collect();
    Some(if names.is_empty() { counted } else { format!("{counted}: {}", names.join(", ")) })
}

/// Under the mask the names of fields stay, ids in a path do not.
fn masked_ids<'a>(model: &Model, path: &'a str) -> Cow<'a, str> {
    if model.masked && path.contains("[id=") { masked(model, path) } else { Cow::Borrowed(path) }
}

/// What is wrong with an entry whose value may be right.
fn difference_words(difference: &Difference) -> Option<String> {
    let span = |time: &Option<std::time::Duration>| {
        time.map_or("never".to_owned(), |time| {
            format!("in {}", text::span(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
        })
    };
    match difference {
        Difference::WrongEncoding { found } => {
            Some(format!("kept as {found}, which the mapping would not write"))
        }
        Difference::WrongTtl { wanted, left } => {
            Some(format!("expires {}, by the mapping {}", span(left), span(wanted)))
        }
        Difference::Missing | Difference::Stale { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(value: &str, changed: (usize, usize), room: usize) -> String {
        let parts = fit(value, changed, room);
        let shown: String = parts
            .iter()
            .map(|(part, changed)| if *changed { format!("<{part}>") } else { part.to_string() })
            .collect();
        assert!(text::width(&shown) <= room + 2, "{shown:?} in {room}");
        shown
    }

    #[test]
    fn long_values_are_cut_around_what_changed() {
        let value = format!("\"{}12{}\"", "a".repeat(90), "b".repeat(90));
        assert_eq!(fitted(&value, (91, 93), 20), "…aaaaaaaa<12>bbbbbbbb…");
        assert_eq!(fitted("\"12.00\"", (2, 3), 20), "\"1<2>.00\"");
        assert_eq!(fitted("\"x1234567890\"", (2, 12), 8), "…<12…890>\"");
        assert_eq!(fitted("a long value", (0, 0), 7), "a long…");
        let huge = "é".repeat(1_000_000);
        assert_eq!(fitted(&huge, (1_000_000, 1_000_002), 9), "…ééé<é>ééé…");
    }

    proptest::proptest! {
        #[test]
        fn never_wider_than_the_room(value in "\\PC{0,80}", cuts in (0_usize..80, 0_usize..80), room in 0_usize..40) {
            let places: Vec<usize> = value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
            let at = |n: usize| places[n.min(places.len() - 1)];
            let (from, to) = (at(cuts.0.min(cuts.1)), at(cuts.0.max(cuts.1)));
            let shown: usize = fit(&value, (from, to), room).iter().map(|(part, _)| text::width(&text::clean(part))).sum();
            proptest::prop_assert!(shown <= room.max(1) + 1, "{} in {}", shown, room);
        }
    }
}
