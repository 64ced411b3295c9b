//! The key space as one line from 00 to FF: whose is which part, in a fill and a word, so that it reads
//! without colour.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{owner_glyph, owner_words};
use crate::{
    engine::LeaseRow,
    tui::{
        model::Model,
        widgets::{pen::Pen, text},
    },
};

/// Draws the bounds, and below them the bar.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let columns = usize::from(area.width.saturating_sub(2));
    let rule = if theme.ascii { "-" } else { "─" };
    Pen::new(buf, area, 0).skip(1).put(&rule.repeat(columns), theme.border);
    let mut free = 0;
    for row in &model.leases.snapshot.rows {
        let Some((start, end)) = cells(row, columns) else { continue };
        draw_segment(model, row, (start, end), area, buf);
        // Where it begins, in hexadecimal as the ranges have it; the last place is FF's.
        let bound = row.range.as_ref().map(|range| range.min.get(..2).unwrap_or("00").to_owned());
        if let Some(bound) = bound.filter(|_| start >= free && start + 5 <= columns) {
            Pen::new(buf, area, 0).skip(1 + start).put(&bound, theme.dim);
            free = start + 3;
        }
    }
    Pen::new(buf, area, 0).skip(1 + columns.saturating_sub(2)).put("FF", theme.dim);
}

/// The columns of a lease, `start..end`.
fn cells(row: &LeaseRow, columns: usize) -> Option<(usize, usize)> {
    let (from, to) = row.share?;
    let at = |share: f64| (share.clamp(0.0, 1.0) * columns as f64).round() as usize;
    let (start, end) = (at(from), at(to));
    (end > start).then_some((start, end))
}

fn draw_segment(model: &Model, row: &LeaseRow, (start, end): (usize, usize), area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let (glyph, style) = owner_glyph(theme, row);
    let fill = match (&row.owner, row.expired, row.mine, theme.ascii) {
        (None, _, _, false) => "░",
        (_, true, _, false) => "▒",
        (_, _, true, false) => "█",
        (_, _, false, false) => "▓",
        (None, _, _, true) => ".",
        (_, true, _, true) => "?",
        (_, _, true, true) => "#",
        (_, _, false, true) => "%",
    };
    // One column of air between neighbours, where they have more than one.
    let columns = end - start;
    let drawn = if columns > 1 { columns - 1 } else { columns };
    let marked = model.thread.marks_lease(row);
    let style = if marked { theme.accent } else { style };
    Pen::new(buf, area, 1).skip(1 + start).put(&fill.repeat(drawn), style);
    let words = match (&row.owner, row.expired) {
        (None, _) => "free".to_owned(),
        (Some(_), true) => format!("{} expired", owner_words(model, row)),
        (Some(_), false) => owner_words(model, row),
    };
    let label = match drawn {
        0..3 => return,
        room if text::width(&words) + 4 <= room => format!(" {words} "),
        room if room >= 9 => format!(" {} ", text::middle(&words, room - 4)),
        room if room >= 5 => format!(" {glyph} "),
        _ => glyph.to_owned(),
    };
    let before = (drawn - text::width(&label).min(drawn)) / 2;
    let style = if marked { theme.accent } else { theme.text };
    Pen::new(buf, area, 1).skip(1 + start + before).put(&label, style);
}
