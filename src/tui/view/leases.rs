//! The leases: which part of the key space, whose, how fresh, how far behind; below them a map of
//! the ranges.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{empty, filter_title, in_panes, line_of, select, trouble};
use crate::{
    engine::{ConnectionState, LeaseRow},
    tui::{
        layout::inner,
        model::{LeaseChange, Model, Pane},
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
/// Fewer lines than this below the rows tell no story.
const LEAST_STORY: u16 = 5;

/// Lines that the map takes below the rows.
pub(crate) fn map_height(model: &Model, inner: Rect) -> u16 {
    let mapped = model.leases.snapshot.rows.iter().any(|row| row.share.is_some());
    if mapped && inner.height >= 10 { 2 } else { 0 }
}

/// Lines below the rows: what is known of the selected lease, what happened, the map.
pub(crate) fn below(model: &Model, inner: Rect, above: u16) -> u16 {
    let rows = u16::try_from(model.leases.shown().count()).unwrap_or(u16::MAX);
    let map = map_height(model, inner);
    let free = inner.height.saturating_sub(above).saturating_sub(rows).saturating_sub(map);
    let story = if free >= LEAST_STORY && rows > 0 { free } else { 0 };
    map + story
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
    let shown = model
        .leases
        .shown()
        .skip(model.leases.first_shown(usize::from(rows.height)))
        .take(usize::from(rows.height));
    for (i, row) in shown.enumerate() {
        let line = u16::try_from(i).unwrap_or(u16::MAX);
        draw_row(model, row, wide, rows, line, buf);
        if model.focus == Pane::Leases && model.leases.cursor.as_deref() == Some(row.id.as_str()) {
            select(model, line_of(rows, line), buf);
        }
    }
    let height = map_height(model, inner);
    let story = inner.bottom().saturating_sub(height).saturating_sub(rows.bottom());
    if story > 0 {
        draw_story(model, Rect { y: rows.bottom(), height: story, ..inner }, buf);
    }
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
    row.owner.as_deref().map_or("—".to_owned(), |owner| name(model, owner, row.mine))
}

/// `me`, and which of us where several instances run; others by their name.
fn name(model: &Model, owner: &str, mine: bool) -> String {
    let ours = &model.sync.instances;
    match ours.iter().position(|instance| instance == owner) {
        Some(place) if ours.len() > 1 => format!("me {}", place + 1),
        Some(_) => "me".to_owned(),
        None if mine && ours.is_empty() => "me".to_owned(),
        None => owner.to_owned(),
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
    let hundredths = |share: f64| (share.clamp(0.0, 1.0) * 10_000.0).round() as u32;
    share_words(row.share.map(|(from, to)| (hundredths(from), hundredths(to))), &row.token)
}

/// The same of hundredths of percent.
fn share_words(share: Option<(u32, u32)>, token: &str) -> String {
    match share {
        Some((0, 10_000)) => "all".to_owned(),
        Some((from, to)) => format!("{}─{}", (from + 50) / 100, (to + 50) / 100),
        None => text::middle(token, RANGE).into_owned(),
    }
}

/// The selected lease in full, then what happened to leases in this run, newest first.
fn draw_story(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut line = 1;
    let selected = model.leases.cursor.as_deref();
    if let Some(row) = selected.and_then(|id| model.leases.snapshot.rows.iter().find(|row| row.id == id)) {
        let owner = row.owner.as_deref().unwrap_or("nobody");
        let at = row.continuation.as_deref().unwrap_or("the start");
        for (name, value) in [("lease", row.id.as_str()), ("owner", owner), ("at", at), ("token", &row.token)]
        {
            let mut pen = Pen::new(buf, area, line);
            pen.skip(1).cell(name, 7, Align::Left, theme.dim);
            let room = pen.rest();
            pen.put(&text::middle(value, room), theme.text);
            line += 1;
        }
        line += 1;
    }
    if line + 1 >= area.height || model.leases.events.is_empty() {
        return;
    }
    Pen::new(buf, area, line).skip(1).put("events", theme.dim);
    for event in model.leases.events.iter().take(usize::from(area.height - line - 1)) {
        line += 1;
        let mut pen = Pen::new(buf, area, line);
        pen.skip(1).put(&text::clock(event.at, &model.options.zone)[..8], theme.dim).skip(1);
        pen.cell(&share_words(event.share, &event.token), RANGE, Align::Left, theme.text).skip(1);
        let (words, style) = event_words(model, &event.what);
        pen.put(&words, style);
    }
}

fn event_words(model: &Model, what: &LeaseChange) -> (String, Style) {
    let theme = &model.theme;
    let short = |owner: &str, mine: bool, most| text::middle(&name(model, owner, mine), most).into_owned();
    match what {
        LeaseChange::Created => ("created".to_owned(), theme.text),
        LeaseChange::Split => ("split".to_owned(), theme.accent),
        LeaseChange::Deleted => ("deleted".to_owned(), theme.waiting),
        LeaseChange::Acquired { by, mine } => (format!("● {}", short(by, *mine, 16)), theme.good),
        LeaseChange::Released { by } => (format!("○ by {}", short(by, false, 16)), theme.text),
        LeaseChange::Moved { from, to, mine } => {
            (format!("{} → {}", short(from, false, 8), short(to, *mine, 8)), theme.accent)
        }
        LeaseChange::Expired { owner } => (format!("◐ expired, {}", short(owner, false, 12)), theme.waiting),
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
