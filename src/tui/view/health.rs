//! Health: each connection and task with its state, since when, its counters; and where something is
//! wrong, the cause, what to do, and when it is tried again.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::Line,
};

use super::wrap;
use crate::tui::{
    layout::{self, dialog},
    model::{Model, Part, Standing},
    widgets::{
        pane::Pane as Border,
        pen::{Align, Pen},
        text,
    },
};

const NAME: usize = 15;
const STATE: usize = 17;
const SINCE: usize = 6;
/// Lines of a cause or a remedy, at most.
const MOST: usize = 2;

/// One line of the page: what stands in it, and how it looks.
enum Row {
    Part(Part),
    Words(String, Style),
}

/// Where the page is.
pub(crate) fn area(model: &Model) -> Rect {
    let body = layout::frame(model).body;
    let lines = u16::try_from(rows(model, body.width.min(110)).len()).unwrap_or(u16::MAX);
    dialog(body, 110, lines.saturating_add(2))
}

/// How far it can be scrolled.
pub(crate) fn overflow(model: &Model) -> usize {
    let area = area(model);
    rows(model, area.width).len().saturating_sub(usize::from(area.height.saturating_sub(2)))
}

fn rows(model: &Model, width: u16) -> Vec<Row> {
    let theme = &model.theme;
    let columns = usize::from(width).saturating_sub(8);
    let mut rows = Vec::new();
    for part in Part::ALL {
        rows.push(Row::Part(part));
        if let Some((cause, remedy)) = model.cause(part) {
            let bad = model.standing(part).0 == Standing::Bad;
            let style = if bad { theme.bad } else { theme.waiting };
            let cause = wrap(&text::clean(&cause), columns);
            rows.extend(cause.into_iter().take(MOST).map(|line| Row::Words(line, style)));
            if let Some(remedy) = remedy {
                let remedy = wrap(&format!("→ {}", text::clean(&remedy)), columns);
                rows.extend(remedy.into_iter().take(MOST).map(|line| Row::Words(line, theme.text)));
            }
            if let Some(at) = model.retry_at(part) {
                let seconds = text::seconds_between(model.now, at);
                let words = if seconds > 0 {
                    format!("next try in {seconds} s")
                } else {
                    "trying again now".to_owned()
                };
                rows.push(Row::Words(words, theme.dim));
            }
        } else if let Some((at, trouble)) = model.health.trouble(part) {
            let ago = text::span(text::seconds_between(at, model.now));
            let line = text::end(&format!("{ago} ago: {}", text::clean(trouble)), columns).into_owned();
            rows.push(Row::Words(line, theme.dim));
        }
    }
    rows
}

fn glyph(model: &Model, standing: Standing) -> (&'static str, Style) {
    let theme = &model.theme;
    match standing {
        Standing::Good => ("●", theme.good),
        Standing::Waiting => ("◐", theme.waiting),
        Standing::Bad => ("✗", theme.bad),
        Standing::Off => ("○", theme.dim),
    }
}

/// Draws the page.
pub(super) fn draw(model: &Model, scroll: usize, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(model);
    super::backdrop(model, layout::frame(model).body, area, buf);
    let rows = rows(model, area.width);
    let height = usize::from(area.height.saturating_sub(2));
    let below = rows.len().saturating_sub(scroll + height);
    let right = if below > 0 { format!("↓ {below} more") } else { String::new() };
    let inner =
        Border::new("Health").right(Line::styled(right, theme.dim)).focused(true).draw(area, buf, theme);
    for (line, row) in (0..).zip(rows.iter().skip(scroll).take(height)) {
        let mut pen = Pen::new(buf, inner, line);
        match row {
            Row::Words(words, style) => {
                pen.skip(5).put(words, *style);
            }
            Row::Part(part) => {
                let (standing, word) = model.standing(*part);
                let (sign, style) = glyph(model, standing);
                pen.skip(1).put(sign, style).skip(1);
                pen.cell(part.name(), NAME, Align::Left, theme.strong).cell(word, STATE, Align::Left, style);
                let since = model.health.since(*part);
                let since =
                    since.map_or_else(String::new, |at| text::span(text::seconds_between(at, model.now)));
                pen.cell(&since, SINCE, Align::Right, theme.dim).skip(2);
                let losses = model.health.losses(*part);
                let lost =
                    if losses > 0 { format!(" · lost {}×", text::count(losses)) } else { String::new() };
                let words = format!("{}{lost}", text::clean(&model.counters(*part)));
                let room = pen.rest().saturating_sub(1);
                pen.put(&text::end(&words, room), theme.text);
            }
        }
    }
    None
}
