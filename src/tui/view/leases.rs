//! The leases: which part of the key space, whose, how fresh, how far behind; below them a map of
//! the ranges.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{empty, filter_title, in_panes, line_of, select, trouble};
use crate::{
    engine::{ConnectionState, LeaseRow},
    tui::{
        layout::inner,
        model::{Model, Pane},
        theme::Theme,
        widgets::{
            pane::Pane as Border,
            pen::{Align, Pen},
            spark, text,
        },
    },
};

const RANGE: usize = 6;
const BEAT: usize = 5;
const LAG: usize = 6;

/// Lines that the map takes below the rows.
pub(crate) fn map_height(model: &Model, inner: Rect) -> u16 {
    let mapped = model.leases.snapshot.rows.iter().any(|row| row.share.is_some());
    if mapped && inner.height >= 10 { 2 } else { 0 }
}

/// Draws the pane.
pub(super) fn draw(model: &Model, area: Rect, rows: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let all = model.leases.snapshot.rows.len();
    let mut title = vec![if all > 0 { format!("Leases · {all}").into() } else { "Leases".into() }];
    title.extend(filter_title(model, Pane::Leases, model.leases.shown().count(), all));
    let mut border = Border::new(Line::from(title)).focused(model.focus == Pane::Leases && in_panes(model));
    if let Some(read_at) = model.leases.snapshot.read_at {
        let age = text::seconds_between(read_at, model.now);
        if age > 5 {
            border = border.right(Line::styled(format!("{} old", text::span(age)), theme.waiting));
        }
    }
    let others: usize = model.leases.snapshot.other_prefixes.iter().map(|(_, leases)| leases).sum();
    if others > 0 {
        border = border.foot(Line::styled(format!("{others} of other prefixes"), theme.dim));
    }
    border.draw(area, buf, theme);
    let inner = inner(area);
    trouble::draw(model, Pane::Leases, inner, buf);
    if model.leases.shown().next().is_none() {
        let (why, help) = nothing(model);
        empty(model, rows, &why, help, buf);
        return;
    }
    let wide = Wide::of(usize::from(rows.width));
    if rows.y > inner.y {
        heading(model, wide, Rect { y: rows.y - 1, height: 1, ..rows }, buf);
    }
    let shown = model.leases.shown().skip(model.leases.top).take(usize::from(rows.height));
    for (i, row) in shown.enumerate() {
        let line = u16::try_from(i).unwrap_or(u16::MAX);
        draw_row(model, row, wide, rows, line, buf);
        if model.focus == Pane::Leases && model.leases.cursor.as_deref() == Some(row.id.as_str()) {
            select(model, line_of(rows, line), buf);
        }
    }
    let height = map_height(model, inner);
    if height > 0 {
        draw_map(model, Rect { y: inner.bottom() - height, height, ..inner }, buf);
    }
}

fn nothing(model: &Model) -> (String, &'static str) {
    if !model.leases.snapshot.rows.is_empty() {
        return ("no lease passes the filter".to_owned(), "esc clears it");
    }
    if let Some(problem) = &model.leases.snapshot.problem {
        return (text::clean(problem).into_owned(), "");
    }
    match &model.cosmos {
        None | Some(ConnectionState::Connecting { .. }) => ("waits for Cosmos".to_owned(), ""),
        Some(ConnectionState::Down { .. }) => (String::new(), ""),
        Some(ConnectionState::Up { .. }) if !model.leases.known => ("reading the leases".to_owned(), ""),
        Some(ConnectionState::Up { .. }) => {
            (format!("no lease in {} yet", model.options.leases), "s starts the built-in sync")
        }
    }
}

/// What there is room for beside the four columns of a narrow pane.
#[derive(Clone, Copy)]
struct Wide {
    owner: usize,
    continuation: usize,
    spark: usize,
}

impl Wide {
    fn of(width: usize) -> Self {
        let free = width.saturating_sub(1 + RANGE + 1 + 2 + BEAT + LAG);
        let spark = if free >= 24 { 12 } else { 0 };
        let continuation = if free >= spark + 34 { 12 } else { 0 };
        let owner = free.saturating_sub(spark + continuation).clamp(4, 32);
        Self { owner, continuation, spark }
    }
}

fn heading(model: &Model, wide: Wide, area: Rect, buf: &mut Buffer) {
    let dim = model.theme.dim;
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(1).cell("range", RANGE, Align::Left, dim).skip(1);
    pen.cell("owner", wide.owner + 2, Align::Left, dim);
    if wide.continuation > 0 {
        pen.cell("at", wide.continuation, Align::Right, dim);
    }
    pen.cell("hb", BEAT, Align::Right, dim).skip(wide.spark);
    pen.cell("lag", LAG, Align::Right, dim);
}

fn draw_row(model: &Model, row: &LeaseRow, wide: Wide, rows: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let marked = model.thread.marks_lease(row);
    let (glyph, style) = owner_glyph(theme, row);
    let mut pen = Pen::new(buf, rows, line);
    pen.put(if marked { "▌" } else { " " }, theme.accent);
    pen.cell(&range_words(row), RANGE, Align::Left, if marked { theme.accent } else { theme.text }).skip(1);
    pen.put(glyph, style).skip(1);
    let owner = owner_words(model, row);
    let owner_style = if row.mine { theme.strong } else { theme.text };
    pen.cell(&text::middle(&owner, wide.owner), wide.owner, Align::Left, owner_style);
    if wide.continuation > 0 {
        let at = row.continuation.as_deref().unwrap_or("—");
        let at = text::middle(at, wide.continuation - 1);
        pen.cell(&at, wide.continuation, Align::Right, theme.dim);
    }
    let beat = row.heartbeat.filter(|_| row.owner.is_some());
    let age = beat.map_or("—".to_owned(), |beat| text::span(text::seconds_between(beat, model.now)));
    pen.cell(&age, BEAT, Align::Right, if row.expired { theme.waiting } else { theme.dim });
    if wide.spark > 0 {
        let history = model.leases.lag_history(&row.id);
        let line = spark::line(&history, wide.spark - 2);
        pen.skip(2).cell(&line, wide.spark - 2, Align::Right, theme.accent);
    }
    let (lag, lag_style) = match row.lag {
        Some(0) => ("0".to_owned(), theme.text),
        Some(lag) => (text::short_count(lag), theme.waiting),
        None => ("—".to_owned(), theme.dim),
    };
    pen.cell(&lag, LAG, Align::Right, lag_style);
}

fn owner_words(model: &Model, row: &LeaseRow) -> String {
    match &row.owner {
        // Several instances of ours have to be told apart; one is just "me".
        Some(owner) if row.mine => {
            let ours = model.leases.snapshot.rows.iter().filter(|other| other.mine);
            let several = ours.into_iter().any(|other| other.owner.as_ref() != Some(owner));
            if several { format!("me {owner}") } else { "me".to_owned() }
        }
        Some(owner) => owner.clone(),
        None => "—".to_owned(),
    }
}

fn owner_glyph(theme: &Theme, row: &LeaseRow) -> (&'static str, Style) {
    match (&row.owner, row.expired) {
        (None, _) => ("○", theme.dim),
        (Some(_), true) => ("◐", theme.waiting),
        (Some(_), false) if row.mine => ("●", theme.good),
        (Some(_), false) => ("●", theme.accent),
    }
}

/// `25─50%` of the key space, or the token where the document tells no range.
fn range_words(row: &LeaseRow) -> String {
    match row.share {
        Some((from, to)) if to - from >= 0.999 => "all".to_owned(),
        Some((from, to)) => {
            let percent = |share: f64| (share * 100.0).round();
            format!("{}─{}", percent(from), percent(to))
        }
        None => text::middle(&row.token, RANGE).into_owned(),
    }
}

/// The key space as one bar: whose is which part.
fn draw_map(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let width = f64::from(area.width.saturating_sub(2));
    Pen::new(buf, area, 0).skip(1).put(&"─".repeat(usize::from(area.width.saturating_sub(2))), theme.border);
    for row in &model.leases.snapshot.rows {
        let Some((from, to)) = row.share else { continue };
        let start = (from.clamp(0.0, 1.0) * width).round() as usize;
        let end = (to.clamp(0.0, 1.0) * width).round() as usize;
        let cells = end.saturating_sub(start);
        if cells == 0 {
            continue;
        }
        let (_, style) = owner_glyph(theme, row);
        let fill = match (&row.owner, row.expired, row.mine) {
            (None, ..) => "░",
            (_, true, _) => "▒",
            (_, _, true) => "█",
            (_, _, false) => "▓",
        };
        let mut pen = Pen::new(buf, area, 1);
        pen.skip(1 + start);
        // One column of air between neighbours, where they have more than one.
        let drawn = if cells > 1 { cells - 1 } else { cells };
        let style = if model.thread.marks_lease(row) { theme.accent } else { style };
        pen.put(&fill.repeat(drawn), style);
    }
}
