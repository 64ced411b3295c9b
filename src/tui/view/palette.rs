//! The command palette: what can be done, under where it works, with its keys; what matches is marked.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Modifier,
    text::Line,
};

use super::{line_of, select};
use crate::tui::{
    layout::{self, dialog},
    model::{Entry, Model, Palette},
    widgets::{
        pane::Pane as Border,
        pen::{Align, Pen},
        text,
    },
};

const KEYS: usize = 16;
const PLACE: usize = 13;
/// Columns before a title.
const TITLE: u16 = 3;
/// Lines above the list: what is typed, and one that parts.
const ABOVE: u16 = 2;

/// A line of the list.
enum Row {
    Heading(&'static str),
    /// An entry, by its place.
    Entry(usize),
}

/// Where the palette is.
pub(super) fn area(body: Rect) -> Rect {
    dialog(body, 92, 30)
}

/// Entries that a page moves.
pub(in crate::tui) fn page(model: &Model) -> usize {
    usize::from(area(layout::frame(model).body).height.saturating_sub(ABOVE + 2)).max(1)
}

/// The lines of the list: under headings while nothing is typed, else the best first.
fn rows(entries: &[Entry], typed: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut heading = "";
    for (place, entry) in entries.iter().enumerate() {
        let of = entry.group.heading();
        if !typed && of != heading {
            heading = of;
            rows.push(Row::Heading(heading));
        }
        rows.push(Row::Entry(place));
    }
    rows
}

/// The first line shown, so that the cursor is in sight; under its heading where it is the first.
fn top(rows: &[Row], cursor: usize, height: usize) -> usize {
    let at = rows.iter().position(|row| matches!(row, Row::Entry(place) if *place == cursor)).unwrap_or(0);
    (at + 1).saturating_sub(height)
}

/// Draws the palette; gives the place of the cursor.
pub(super) fn draw(model: &Model, state: &Palette, body: Rect, buf: &mut Buffer) -> Position {
    let theme = &model.theme;
    let input = &state.input;
    let entries = model.palette_rows(input.value());
    let typed = !input.value().trim().is_empty();
    let area = area(body);
    super::backdrop(model, body, area, buf);
    let all = if typed { model.palette_entries().len() } else { entries.len() };
    let title =
        if typed { format!("Commands · {} of {all}", entries.len()) } else { format!("Commands · {all}") };
    let place = model.context_below_palette().place();
    let inner = Border::new(title)
        .right(Line::styled(format!("from {place}"), theme.dim))
        .focused(true)
        .draw(area, buf, theme);
    let room = usize::from(inner.width).saturating_sub(4);
    let scroll = input.visual_scroll(room);
    let visible: String = input.value().chars().skip(scroll).collect();
    let mut pen = Pen::new(buf, inner, 0);
    pen.skip(1).put(": ", theme.key).put(&text::end(&visible, room), theme.strong);
    if input.value().is_empty() {
        pen.skip(1).put("type letters of what you want", theme.dim);
    }
    let rows = rows(&entries, typed);
    let height = usize::from(inner.height.saturating_sub(ABOVE));
    let top = top(&rows, state.cursor, height);
    for (i, row) in rows.iter().enumerate().skip(top).take(height) {
        let line = ABOVE + u16::try_from(i - top).unwrap_or(u16::MAX);
        match row {
            Row::Heading(heading) => drop(Pen::new(buf, inner, line).skip(1).put(heading, theme.strong)),
            Row::Entry(place) => {
                draw_entry(model, &entries[*place], inner, line, buf);
                if *place == state.cursor {
                    let row = line_of(inner, line);
                    select(model, row, buf);
                    underline(&entries[*place], row, buf);
                }
            }
        }
    }
    if rows.is_empty() {
        Pen::new(buf, inner, ABOVE).skip(1).put("no command has these letters", theme.dim);
    }
    let column = input.visual_cursor().saturating_sub(scroll).min(room);
    Position { x: inner.x + 3 + u16::try_from(column).unwrap_or(0), y: inner.y }
}

/// The selection has one plain style: what matches stays marked in it.
fn underline(entry: &Entry, row: Rect, buf: &mut Buffer) {
    for place in entry.matched.iter().filter_map(|place| u16::try_from(*place).ok()) {
        let at = Position { x: row.x.saturating_add(TITLE).saturating_add(place), y: row.y };
        if let Some(cell) = buf.cell_mut(at).filter(|_| usize::from(place) < columns(row)) {
            cell.modifier.insert(Modifier::BOLD | Modifier::UNDERLINED);
        }
    }
}

/// Columns of a title.
fn columns(row: Rect) -> usize {
    usize::from(row.width).saturating_sub(usize::from(TITLE) + PLACE + KEYS + 3)
}

fn draw_entry(model: &Model, entry: &Entry, inner: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, inner, line);
    let columns = columns(inner);
    pen.skip(usize::from(TITLE));
    let from = pen.x();
    let title = text::end(&entry.title, columns);
    // Not by colour alone.
    let marked = theme.accent.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    let is_marked = |place: usize| u32::try_from(place).is_ok_and(|place| entry.matched.contains(&place));
    for (place, c) in title.chars().enumerate() {
        let mut one = [0; 4];
        pen.put(c.encode_utf8(&mut one), if is_marked(place) { marked } else { theme.text });
    }
    if let Some(name) = &entry.by_name {
        pen.skip(2).put(&format!("({name})"), theme.dim);
    }
    let used = usize::from(pen.x() - from);
    pen.skip(columns.saturating_sub(used) + 1);
    let keys = text::end(&entry.keys, KEYS).into_owned();
    pen.cell(entry.place, PLACE, Align::Left, theme.dim).skip(1).cell(&keys, KEYS, Align::Right, theme.key);
}

/// Characters that are hidden before what is shown of the text, and the column of it under a position.
pub(in crate::tui) fn typed_at(model: &Model, state: &Palette, at: Position) -> Option<(usize, usize)> {
    let inner = layout::inner(area(layout::frame(model).body));
    let column = at.x.checked_sub(inner.x + TITLE).filter(|_| at.y == inner.y)?;
    Some((state.input.visual_scroll(usize::from(inner.width).saturating_sub(4)), usize::from(column)))
}

/// The entry under a position.
pub(in crate::tui) fn hit(model: &Model, state: &Palette, at: Position) -> Option<usize> {
    let inner = layout::inner(area(layout::frame(model).body));
    let list = Rect { y: inner.y + ABOVE, height: inner.height.saturating_sub(ABOVE), ..inner };
    if !list.contains(at) {
        return None;
    }
    let entries = model.palette_rows(state.input.value());
    let rows = rows(&entries, !state.input.value().trim().is_empty());
    let top = top(&rows, state.cursor, usize::from(list.height));
    match rows.get(top + usize::from(at.y - list.y))? {
        Row::Entry(place) => Some(*place),
        Row::Heading(_) => None,
    }
}
