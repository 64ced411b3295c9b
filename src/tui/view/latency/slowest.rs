//! The slowest ways, with their stages; the one under the cursor can be followed.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::{
    engine::SlowProbe,
    tui::{
        model::{Model, Pane},
        view::{draw_titles, in_panes, line_of, masked, select},
        widgets::{
            pen::{Align, Pen},
            text,
            titles::Titles,
        },
    },
};

/// Columns of the id, the time, and a figure.
const ID: usize = 14;
const TIME: usize = 9;
const FIGURE: usize = 8;

/// Draws a heading and as many rows as there is room for, the cursor's among them.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let slowest = &model.latency.slowest;
    let rows = usize::from(area.height).saturating_sub(1);
    if rows == 0 || area.width < 40 || slowest.is_empty() {
        return;
    }
    let (id, figures) = columns(area);
    let below = Rect { y: area.y + 1, ..area };
    draw_titles::<SlowProbe>(model, &titles(id, figures), below, model.slow_order, buf);
    let cursor = model.slow_cursor.map(|cursor| cursor.min(slowest.len() - 1));
    let first = first(model, rows);
    for (i, (place, probe)) in slowest.iter().enumerate().skip(first).take(rows).enumerate() {
        let line = u16::try_from(i + 1).unwrap_or(u16::MAX);
        draw_row(model, probe, id, figures, area, line, buf);
        if cursor == Some(place) && model.focus == Pane::Latency && in_panes(model) {
            select(model, line_of(area, line), buf);
        }
    }
}

/// The one of the slowest that is in a row, by its place.
pub(super) fn at(model: &Model, area: Rect, at: Position) -> Option<usize> {
    let slowest = &model.latency.slowest;
    if area.width < 40 || !area.contains(at) || at.y == area.y {
        return None;
    }
    let first = first(model, usize::from(area.height) - 1);
    Some(first + usize::from(at.y - area.y - 1)).filter(|place| *place < slowest.len())
}

/// The first that is shown in so many rows.
fn first(model: &Model, rows: usize) -> usize {
    let last = model.latency.slowest.len().saturating_sub(1);
    model.slow_cursor.map_or(0, |cursor| (cursor.min(last) + 1).saturating_sub(rows))
}

/// Columns of the id, and the stages that there is room for: the last are left out first.
fn columns(area: Rect) -> (usize, &'static [&'static str]) {
    const STAGES: [&str; 5] = ["waited", "write", "feed", "lease", "cache"];
    let room = usize::from(area.width).saturating_sub(1 + ID + TIME + FIGURE + 2);
    let figures = &STAGES[..(room / FIGURE).min(STAGES.len())];
    (ID + (room - figures.len() * FIGURE).min(24), figures)
}

fn titles(id: usize, figures: &[&str]) -> Titles {
    let mut titles = Titles::default();
    titles.skip(1).cell("the slowest", id + 1, Align::Left, 1).cell("at", TIME, Align::Left, 2);
    titles.cell("whole", FIGURE, Align::Right, 0);
    for (place, name) in figures.iter().enumerate() {
        titles.cell(name, FIGURE, Align::Right, 3 + place);
    }
    titles
}

/// The column whose title is at a place of the heading.
pub(super) fn title_at(model: &Model, area: Rect, at: Position) -> Option<usize> {
    if area.width < 40 || model.latency.slowest.is_empty() || !area.contains(at) || at.y != area.y {
        return None;
    }
    let (id, figures) = columns(area);
    titles(id, figures).hit(usize::from(at.x - area.x))
}

fn draw_row(
    model: &Model,
    probe: &SlowProbe,
    id: usize,
    figures: &[&str],
    area: Rect,
    line: u16,
    buf: &mut Buffer,
) {
    let theme = &model.theme;
    let marked = model.thread.document.as_deref() == Some(probe.id.as_str());
    let missed = model.options.slo_ms.is_some_and(|slo| probe.whole > slo as f64);
    let mut pen = Pen::new(buf, area, line);
    pen.put(if marked { "▌" } else { " " }, theme.accent);
    let name = text::middle(&masked(model, &probe.id), id).into_owned();
    pen.cell(&name, id + 1, Align::Left, if marked { theme.accent } else { theme.text });
    let clock = text::clock(probe.at, &model.options.zone);
    pen.cell(clock.get(..8).unwrap_or(&clock), TIME, Align::Left, theme.dim);
    let whole = text::millis(probe.whole);
    // Not by colour alone.
    let whole = if missed { format!("!{whole}") } else { whole };
    pen.cell(&whole, FIGURE, Align::Right, if missed { theme.bad } else { theme.strong });
    for name in figures {
        let value = match *name {
            "waited" => Some(probe.waited),
            "write" => probe.timing.write,
            "feed" => probe.timing.feed,
            "lease" => probe.timing.lease,
            _ => probe.timing.cache,
        };
        let value = value.map_or("—".to_owned(), text::millis);
        pen.cell(&value, FIGURE, Align::Right, theme.dim);
    }
}
