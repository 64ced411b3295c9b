//! One document followed: how long each stage took, the source beside the entry, the versions seen.
//!
//! ```text
//! ╭ p-000044 ──────────────────────────────── 3 versions in this run ╮
//! │ timing bar                                        total  state   │
//! │ source …                        │ entry …                        │
//! │ lines of the diff               │                                │
//! │ versions                                                         │
//! ╰──────────────────────────────────────────────────────────────────╯
//! ```

mod raw;

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::Line,
};

use super::{clear, masked, state_glyph};
use crate::{
    engine::{DocumentDetail, ProbeTiming},
    tui::{
        layout::inner,
        model::{DiffKind, DiffRow, Follow, Look, Model, state_word},
        theme::Theme,
        widgets::{pane::Pane as Border, pen::Pen, text},
    },
};

/// Lines above the diff: timing, a gap, the heads of both sides (two lines).
const ABOVE: u16 = 4;
/// Lines below the diff: a gap and the versions.
const BELOW: u16 = 2;

/// Lines of the diff that fit.
pub(crate) fn diff_height(body: Rect) -> usize {
    usize::from(inner(body).height.saturating_sub(ABOVE + BELOW)).max(1)
}

/// Draws the view.
pub(super) fn draw(model: &Model, follow: &Follow, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    clear(area, buf);
    let versions = follow.detail.as_ref().map_or(0, |detail| detail.versions.len());
    let right = match versions {
        0 if follow.waiting => "reading …".to_owned(),
        0 => "not seen in this run".to_owned(),
        1 => "1 version in this run".to_owned(),
        n => format!("{n} versions in this run"),
    };
    let right = match follow.detail.as_ref().map(|detail| detail.counts) {
        Some(counts) if counts.written > 0 => format!(
            "{right} · {} written here, {} delivered, {} folded",
            counts.written, counts.delivered, counts.folded
        ),
        _ => right,
    };
    let inner = Border::new(masked(model, &follow.id).into_owned())
        .right(Line::styled(right, theme.dim))
        .focused(true)
        .draw(area, buf, theme);
    let Some(detail) = &follow.detail else {
        super::empty(model, inner, "reading the document and its entry", "", buf);
        return None;
    };
    timing(model, detail, inner, buf);
    let half = inner.width.saturating_sub(1) / 2;
    let left = Rect { width: half, ..inner };
    let right = Rect { x: inner.x + half + 1, width: inner.width.saturating_sub(half + 1), ..inner };
    match follow.look {
        Look::Entry | Look::Raw => {
            source_head(model, detail, left, buf);
            entry_head(model, detail, right, buf);
        }
        Look::Version(at) => {
            version_head(model, detail, at + 1, left, buf);
            version_head(model, detail, at, right, buf);
        }
    }
    let height = u16::try_from(diff_height(area)).unwrap_or(u16::MAX);
    if follow.look == Look::Raw {
        raw::draw(model, follow, Rect { y: inner.y + ABOVE, height, ..inner }.intersection(inner), buf);
        version_line(model, follow, detail, inner, buf);
        return None;
    }
    let shown = follow.diff.iter().skip(follow.scroll).take(usize::from(height));
    for (i, row) in shown.enumerate() {
        let line = ABOVE + u16::try_from(i).unwrap_or(u16::MAX);
        // Between versions the older one is on the left: what is new is what only the right has.
        let marks = if matches!(follow.look, Look::Version(_)) { ("-", "+") } else { ("+", "-") };
        diff_row(model, row, marks, left, right, line, buf);
        Pen::new(buf, Rect { x: inner.x + half, width: 1, ..inner }, line).put("│", theme.border);
    }
    rest_of_diff(model, follow, inner, height, buf);
    version_line(model, follow, detail, inner, buf);
    None
}

/// `write ├─0.9─┤ feed ├──2.1──┤ cache ├─0.7─┤`: widths by their share of the time.
fn timing(model: &Model, detail: &DocumentDetail, inner: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let (glyph, style) = state_glyph(theme, detail.state);
    let state = format!("{glyph} {}", state_word(detail.state));
    let mut pen = Pen::new(buf, inner, 0);
    pen.skip(1);
    let mut end = state.clone();
    match detail.timing {
        Some(timing) if timing.write.is_some() => {
            let total = total(timing);
            if let Some(total) = total {
                end = format!("total {} ms   {state}", text::millis(total));
            }
            stages(theme, timing, pen.rest().saturating_sub(text::width(&end) + 4), &mut pen);
        }
        _ => {
            pen.put("no stage times: not written by this tool in this run", theme.dim);
        }
    }
    let gap = pen.rest().saturating_sub(text::width(&end) + 1);
    pen.skip(gap).put(end.trim_end_matches(&state), theme.strong).put(&state, style);
}

fn total(timing: ProbeTiming) -> Option<f64> {
    Some(timing.write? + timing.feed? + timing.cache?)
}

fn stages(theme: &Theme, timing: ProbeTiming, room: usize, pen: &mut Pen<'_>) {
    let stages = [("write", timing.write), ("feed", timing.feed), ("cache", timing.cache)];
    let sum: f64 = stages.iter().filter_map(|(_, ms)| *ms).map(|ms| ms.max(0.0)).sum();
    // Names, gaps, brackets and numbers; the rest is divided by time.
    let fixed: usize = stages.iter().map(|(name, _)| name.len() + 12).sum();
    let free = room.saturating_sub(fixed);
    for (name, ms) in stages {
        pen.put(name, theme.dim).skip(1);
        match ms {
            Some(ms) => {
                let share = if sum > 0.0 { ms.max(0.0) / sum } else { 0.0 };
                let dashes = (share * free as f64).round() as usize;
                let words = text::millis(ms);
                let (before, after) = (dashes / 2, dashes - dashes / 2);
                pen.put(&format!("├─{}", "─".repeat(before)), theme.accent);
                pen.put(&words, theme.strong);
                pen.put(&format!("{}─┤", "─".repeat(after)), theme.accent).skip(1);
            }
            None => {
                pen.put("├╌╌ …", theme.waiting).skip(1);
            }
        }
    }
}

fn source_head(model: &Model, detail: &DocumentDetail, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, 2);
    pen.skip(1).put("source ", theme.strong);
    match &detail.source {
        Ok(Some(source)) => {
            let title = if detail.expected.as_ref().is_some_and(|expected| *expected != source.json) {
                format!("{} as the mapping writes it", model.options.source)
            } else {
                model.options.source.clone()
            };
            pen.put(&title, theme.text);
            let mut line = Pen::new(buf, area, 3);
            line.skip(1).put(&format!("etag {}", source.etag), theme.dim);
            if let Some(lsn) = source.lsn {
                line.put(&format!(" · lsn {}", text::count(lsn)), theme.dim);
            }
            line.put(&format!(" · {}", text::bytes(source.json.len() as u64)), theme.dim);
        }
        Ok(None) => {
            pen.put("∅ no such document", theme.bad);
        }
        Err(problem) => {
            pen.put("! ", theme.bad).put(problem, theme.bad);
        }
    }
}

fn entry_head(model: &Model, detail: &DocumentDetail, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let key = detail.key.as_deref().unwrap_or("no key: the mapping makes none");
    let mut pen = Pen::new(buf, area, 2);
    pen.skip(1).put("entry ", theme.strong);
    let room = pen.rest();
    pen.put(&text::middle(&masked(model, key), room), theme.text);
    let mut line = Pen::new(buf, area, 3);
    line.skip(1);
    match &detail.entry {
        Ok(Some(entry)) => {
            let expiry = entry.expires_at.map_or("no expiry".to_owned(), |at| {
                format!("expires in {}", text::span(text::seconds_between(model.now, at)))
            });
            line.put(&format!("{} · {} · {expiry}", entry.kind, text::bytes(entry.size)), theme.dim);
        }
        Ok(None) => {
            line.put("∅ not in the cache", theme.bad);
        }
        Err(problem) => {
            line.put("! ", theme.bad).put(problem, theme.bad);
        }
    }
}

fn diff_row(
    model: &Model,
    row: &DiffRow,
    (only_left, only_right): (&'static str, &'static str),
    left: Rect,
    right: Rect,
    line: u16,
    buf: &mut Buffer,
) {
    let theme = &model.theme;
    let (mark, left_style, right_style) = match row.kind {
        DiffKind::Same => (" ", theme.text, theme.text),
        DiffKind::Changed => ("~", theme.waiting, theme.waiting),
        DiffKind::OnlyLeft => (only_left, theme.good, theme.dim),
        DiffKind::OnlyRight => (only_right, theme.dim, theme.bad),
        DiffKind::System => (" ", theme.dim, theme.dim),
    };
    let changed = match (&row.left, &row.right) {
        (Some(a), Some(b)) if row.kind == DiffKind::Changed => Some(differing(a, b)),
        _ => None,
    };
    let sides = [
        (left, &row.left, left_style, changed.as_ref().map(|(range, _)| range)),
        (right, &row.right, right_style, changed.as_ref().map(|(_, range)| range)),
    ];
    for (area, content, style, range) in sides {
        let Some(content) = content else { continue };
        let mut pen = Pen::new(buf, area, line);
        pen.put(mark, style).skip(1);
        let content = masked_value(model, content);
        match range {
            Some(range) if !model.masked => {
                pen.put(&content[..range.start], theme.text);
                pen.put(&content[range.clone()], style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED));
                pen.put(&content[range.end..], theme.text);
            }
            _ if row.kind == DiffKind::Same => json_line(theme, &content, &mut pen),
            _ => {
                pen.put(&content, style);
            }
        }
    }
}

/// Under the mask the shape of a document stays, its values do not.
fn masked_value<'a>(model: &Model, line: &'a str) -> std::borrow::Cow<'a, str> {
    if !model.masked {
        return line.into();
    }
    match line.find("\": ") {
        Some(at) => {
            let value: String =
                line[at + 3..].chars().map(|c| if c.is_alphanumeric() { '•' } else { c }).collect();
            format!("{}{value}", &line[..at + 3]).into()
        }
        None => masked(model, line),
    }
}

/// The names of a JSON line in their own style.
fn json_line(theme: &Theme, line: &str, pen: &mut Pen<'_>) {
    let name = line.trim_start();
    let indent = line.len() - name.len();
    match name.find("\": ").filter(|_| name.starts_with('"')) {
        Some(at) => {
            let (name, value) = line.split_at(indent + at + 1);
            pen.put(name, theme.json_name).put(value, theme.text);
        }
        None => {
            pen.put(line, theme.text);
        }
    }
}

/// The part of two lines between their common start and their common end, in bytes.
fn differing(a: &str, b: &str) -> (Range<usize>, Range<usize>) {
    let start: usize = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let (rest_a, rest_b) = (&a[start..], &b[start..]);
    let end: usize = rest_a
        .chars()
        .rev()
        .zip(rest_b.chars().rev())
        .take_while(|(x, y)| x == y)
        .map(|(x, _)| x.len_utf8())
        .sum();
    (start..a.len() - end, start..b.len() - end)
}

fn rest_of_diff(model: &Model, follow: &Follow, inner: Rect, height: u16, buf: &mut Buffer) {
    let below = follow.diff.len().saturating_sub(follow.scroll + usize::from(height));
    let same = |row: &&DiffRow| !matches!(row.kind, DiffKind::Same | DiffKind::System);
    let differences = follow.diff.iter().filter(same).count();
    let system = follow.diff.iter().any(|row| row.kind == DiffKind::System);
    let mut words = match differences {
        0 if follow.diff.is_empty() => String::new(),
        _ if matches!(follow.look, Look::Version(at) if !has_text(follow, at) || !has_text(follow, at + 1)) => {
            "only one of the two is known".to_owned()
        }
        0 if system => "no difference but in what Cosmos adds".to_owned(),
        0 => "no difference".to_owned(),
        1 => "1 line differs".to_owned(),
        n => format!("{} lines differ", text::count(n as u64)),
    };
    if below > 0 {
        words = format!("↓ {} more lines · {words}", text::count(below as u64));
    }
    let style = if differences == 0 { model.theme.dim } else { model.theme.waiting };
    let mut pen = Pen::new(buf, inner, ABOVE + height);
    pen.skip(1).put(&words, style);
}

fn has_text(follow: &Follow, at: usize) -> bool {
    let versions = follow.detail.as_ref().map(|detail| &detail.versions);
    versions.and_then(|versions| versions.get(at)).is_some_and(|version| version.json.is_some())
}

/// One version: when it came, through which lease, and how long each stage took.
fn version_head(model: &Model, detail: &DocumentDetail, at: usize, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, 2);
    pen.skip(1);
    let Some(version) = detail.versions.get(at) else {
        pen.put("no version before it in this run", theme.dim);
        return;
    };
    let number = detail.versions.len() - at;
    pen.put(&format!("version #{number} "), theme.strong);
    pen.put(&text::clock(version.seen_at, &model.options.zone), theme.text);
    let (from, to) = version.range.share();
    let lease = model.leases.snapshot.rows.iter().find(|row| {
        row.range.as_ref().is_some_and(|range| {
            range.contains(&version.range)
                || (range.overlaps(&version.range) && version.range.contains(range))
        })
    });
    let owner =
        lease.and_then(|row| row.owner.as_deref()).map_or(String::new(), |owner| format!(" ({owner})"));
    pen.put(&format!(" · lease {:.0}–{:.0}%{owner}", from * 100.0, to * 100.0), theme.dim);
    let mut pen = Pen::new(buf, area, 3);
    pen.skip(1);
    if let Some(timing) = version.timing {
        let stage = |name: &str, ms: Option<f64>| ms.map(|ms| format!("{name} {}", text::millis(ms)));
        let stages = [
            stage("write", timing.write),
            stage("feed", timing.feed),
            stage("lease", timing.lease),
            stage("cache", timing.cache),
        ];
        let words: Vec<String> = stages.into_iter().flatten().collect();
        pen.put(&format!("{} ms · ", words.join(" · ")), theme.accent);
    }
    let lsn = version.lsn.map_or("no lsn".to_owned(), |lsn| format!("lsn {}", text::count(lsn)));
    pen.put(&lsn, theme.dim);
    if version.json.is_none() {
        pen.put(" · its text is not kept any more", theme.dim);
    }
}

fn version_line(model: &Model, follow: &Follow, detail: &DocumentDetail, inner: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, inner, inner.height.saturating_sub(1));
    pen.skip(1).put("versions ", theme.dim);
    if detail.versions.is_empty() {
        pen.put("none came through the feed in this run", theme.dim);
        return;
    }
    let total = detail.versions.len();
    let looked_at = match follow.look {
        Look::Version(at) => Some(at),
        Look::Entry | Look::Raw => None,
    };
    // The one that is looked at is always among those that fit.
    let first = looked_at.unwrap_or(0).saturating_sub(2);
    for (i, version) in detail.versions.iter().enumerate().skip(first) {
        if pen.rest() < 24 {
            pen.put("…", theme.dim);
            break;
        }
        let style: Style =
            if Some(i) == looked_at { theme.accent.add_modifier(Modifier::BOLD) } else { theme.dim };
        let number = total - i;
        let at = text::clock(version.seen_at, &model.options.zone);
        let lsn = version.lsn.filter(|_| Some(i) == looked_at);
        let lsn = lsn.map_or(String::new(), |lsn| format!(" lsn {}", text::count(lsn)));
        let summary = masked(model, &version.summary);
        pen.put(&format!("#{number} {at} {}{lsn}", text::end(&summary, 16)), style).skip(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_marked() {
        assert_eq!(differing("\"a\": 12.00,", "\"a\": 14.00,"), (6..7, 6..7));
        assert_eq!(differing("é1", "é22"), (2..3, 2..4));
        assert_eq!(differing("aa", "aaa"), (2..2, 2..3));
    }
}
