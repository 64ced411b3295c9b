//! One document followed: how long each stage took, the source beside the entry, the versions seen.
//!
//! ```text
//! ╭ p-000044 ──────────────────────────────── 3 versions in this run ╮
//! │ timing bar                                        total  state   │
//! │ source …                        │ entry …                        │
//! │ rows of the comparison          │                                │
//! │ versions                                                         │
//! ╰──────────────────────────────────────────────────────────────────╯
//! ```

mod diff;
mod heads;
mod raw;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
};

use super::{
    clear,
    hints::in_border,
    masked,
    sheet::{above_same_as, same_as_below},
    state_glyph,
};
use crate::{
    engine::{DocumentDetail, ProbeTiming},
    tui::{
        layout::{frame, inner},
        model::{Follow, Look, Model, state_word},
        same_as,
        theme::Theme,
        widgets::{pane::Pane as Border, pen::Pen, text},
    },
};

/// Lines above the diff: timing, a gap, the heads of both sides (two lines).
const ABOVE: u16 = 4;
/// Lines below the diff: a gap and the versions.
const BELOW: u16 = 2;

/// Rows of the comparison that fit.
pub(crate) fn diff_height(model: &Model, follow: &Follow, body: Rect) -> usize {
    usize::from(room(model, follow, body).height.saturating_sub(ABOVE + BELOW)).max(1)
}

/// How far the comparison can be scrolled.
pub(crate) fn overflow(model: &Model, follow: &Follow) -> usize {
    let page = diff_height(model, follow, frame(model).body);
    follow.rows(page).saturating_sub(page)
}

/// What the view has for itself: the command that does the same stands in the lower border where that has
/// room for it all, else above it.
fn room(model: &Model, follow: &Follow, area: Rect) -> Rect {
    let (command, inner) = (same_as::follow(model, &follow.id), inner(area));
    if fits_border(&command, area) { inner } else { above_same_as(&command, inner, &model.theme) }
}

fn fits_border(command: &str, area: Rect) -> bool {
    text::width(command) <= usize::from(in_border(area).width)
}

/// What of the view can be clicked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Spot {
    /// A version, by its place; 0 = the newest.
    Version(usize),
    /// An entry that the mapping makes, by its place.
    Entry(usize),
    /// A row of the comparison, from the first in sight.
    Row(usize),
}

/// What is under a position.
pub(in crate::tui) fn hit(model: &Model, follow: &Follow, body: Rect, at: Position) -> Option<Spot> {
    let inner = room(model, follow, body);
    let detail = follow.detail.as_ref().filter(|_| inner.contains(at))?;
    let (line, height) = (at.y - inner.y, diff_height(model, follow, body));
    if at.y + 1 == inner.bottom() {
        return heads::version_at(model, follow, detail, inner, at.x).map(Spot::Version);
    }
    if line == ABOVE - 2 && matches!(follow.look, Look::Entry | Look::Raw) {
        return heads::entry_at(model, detail, halves(inner).1, at).map(Spot::Entry);
    }
    let row = usize::from(line.checked_sub(ABOVE)?);
    (row < height).then_some(Spot::Row(row))
}

/// The two sides, and a column between them.
fn halves(inner: Rect) -> (Rect, Rect) {
    let half = inner.width.saturating_sub(1) / 2;
    let right = Rect { x: inner.x + half + 1, width: inner.width.saturating_sub(half + 1), ..inner };
    (Rect { width: half, ..inner }, right)
}

/// Draws the view.
pub(super) fn draw(model: &Model, follow: &Follow, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    clear(area, buf);
    let versions = follow.detail.as_ref().map_or(0, |detail| detail.versions.len());
    let right = match versions {
        0 if follow.waiting => "reading …".to_owned(),
        0 => "not seen in this run".to_owned(),
        n => format!("{} in this run", text::counted(n, "version")),
    };
    let right = match follow.detail.as_ref().map(|detail| detail.counts) {
        Some(counts) if counts.written > 0 => format!(
            "{right} · {} written here, {} delivered, {} folded",
            text::count(counts.written),
            text::count(counts.delivered),
            text::count(counts.folded)
        ),
        // The feed brings only the latest of what others wrote between two reads.
        Some(counts) if counts.delivered > 0 => {
            format!("{right} · how many others wrote is unknown")
        }
        _ => right,
    };
    let command = same_as::follow(model, &follow.id);
    let mut border = Border::new(masked(model, &follow.id).into_owned())
        .right(Line::styled(right, theme.dim))
        .focused(true);
    let inner = if fits_border(&command, area) {
        border = border.foot(Line::styled(command, theme.dim));
        border.draw(area, buf, theme)
    } else {
        let inner = border.draw(area, buf, theme);
        same_as_below(&command, inner, buf, theme)
    };
    let Some(detail) = &follow.detail else {
        super::empty(model, inner, "reading the document and its entry", "", buf);
        return None;
    };
    timing(model, detail, inner, buf);
    let (left, right) = halves(inner);
    match follow.look {
        Look::Entry | Look::Raw => {
            heads::mapped(model, detail, left, buf);
            heads::entry(model, detail, right, buf);
        }
        Look::Source => {
            heads::source(model, detail, left, buf);
            heads::written(model, detail, right, buf);
        }
        Look::Version(at) => {
            heads::version(model, detail, at + 1, left, buf);
            heads::version(model, detail, at, right, buf);
        }
    }
    let height = u16::try_from(diff_height(model, follow, area)).unwrap_or(u16::MAX);
    if follow.look == Look::Raw {
        raw::draw(model, follow, Rect { y: inner.y + ABOVE, height, ..inner }.intersection(inner), buf);
    } else {
        let rows = |side: Rect| Rect { y: inner.y + ABOVE, height, ..side }.intersection(inner);
        diff::draw(model, follow, rows(left), rows(right), buf);
        for line in 0..height {
            let divider = Rect { x: left.right(), width: 1, ..inner };
            Pen::new(buf, divider, ABOVE + line).put("│", theme.border);
        }
        diff::summary(model, follow, usize::from(height), inner, ABOVE + height, buf);
    }
    heads::versions(model, follow, detail, inner, buf);
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
