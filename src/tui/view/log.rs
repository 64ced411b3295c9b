//! The activity log, newest on top.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{
    Filtering, empty,
    found::{Cell, Finder, gutter},
    in_panes, line_of, liveness, order_title, select,
};
use crate::{
    engine::{Level, LogLine},
    tui::{
        model::{Model, Pane, Place},
        theme::Theme,
        widgets::{
            pane::Pane as Border,
            pen::{Align, Pen},
            text,
        },
    },
};

/// Glyph and style of a level.
pub(super) fn level_glyph(theme: &Theme, level: Level) -> (&'static str, Style) {
    match level {
        Level::Info => (" ", theme.text),
        Level::Warning => ("~", theme.waiting),
        Level::Error => ("!", theme.bad),
    }
}

/// Draws the pane.
pub(super) fn draw(model: &Model, area: Rect, rows: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let log = &model.log;
    let mut title = vec!["Activity".into()];
    title.extend(order_title::<LogLine>(model, log.order()));
    title.extend(Filtering::of_ring(log).title(model, Pane::Log, area.width));
    Border::new(Line::from(title))
        .right(liveness(model, log.waiting().map(|n| n as u64), false))
        .focused(model.focus == Pane::Log && in_panes(model))
        .draw(area, buf, theme);
    if log.shown() == 0 {
        let why = if log.len() > 0 { "no line passes the filter" } else { "nothing happened yet" };
        empty(model, rows, why, "", buf);
        return;
    }
    let room = usize::from(rows.height);
    for (i, (number, line)) in (log.top()..log.top() + room).map_while(|place| log.at(place)).enumerate() {
        let row = u16::try_from(i).unwrap_or(u16::MAX);
        let (glyph, style) = level_glyph(theme, line.level);
        let hit = log.is_hit(number);
        let finder = Finder::new(model, log.filter(), hit);
        let mut pen = Pen::new(buf, rows, row);
        pen.put(glyph, style);
        gutter(model, &mut pen, false, hit && log.marks_hits());
        pen.put(&text::clock(line.at, &model.options.zone)[..8], theme.dim).skip(1);
        if rows.width >= 60 {
            let (place, align) = (Place::Name("room"), Align::Left);
            finder.cell(
                &mut pen,
                Cell { written: line.room, whole: line.room, place, columns: 9, align, style: theme.dim },
            );
        }
        let (room, start) = (pen.rest(), pen.x());
        let words = model.shown_line(line);
        let shown = text::squeeze(&words, room);
        pen.put(&shown, style);
        // A line whose words had to give way is marked as it is shown.
        finder.mark(&mut pen, start, &shown, &shown, Place::Value("text"));
        if model.focus == Pane::Log && log.cursor() == Some(number) {
            select(model, line_of(rows, row), buf);
        }
    }
}
