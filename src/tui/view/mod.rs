//! Draws the model: one file a pane or dialog. Changes nothing, waits for nothing, asks no clock.

mod ascii;
pub(crate) mod bookmarks;
pub(crate) mod cache;
pub(crate) mod clickable;
pub(crate) mod confirm;
pub(crate) mod editor;
pub(crate) mod entry_strip;
pub(crate) mod export;
pub(crate) mod feed;
pub(crate) mod filter_line;
pub(crate) mod follow;
pub(crate) mod footer;
mod found;
pub(crate) mod header;
pub(crate) mod health;
pub(crate) mod help;
mod hints;
pub(crate) mod insert;
pub(crate) mod latency;
pub(crate) mod lease_dialog;
mod lease_plan;
pub(crate) mod leases;
pub(crate) mod letters;
pub(crate) mod log;
pub(crate) mod palette;
pub(crate) mod preview;
pub(crate) mod rebuild;
pub(crate) mod restore;
pub(crate) mod sheet;
pub(crate) mod shelf;
pub(crate) mod stage;
pub(crate) mod tabs;
pub(crate) mod tour;
pub(crate) mod tree;
pub(crate) mod trouble;
pub(crate) mod verify;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Clear, Widget},
};

use super::{
    layout::{self, Frame, LEAST, Shape},
    model::{Filter, Filtered, Model, Order, Overlay, Pane, Ring, Sorted},
    theme::Theme,
    widgets::{
        pen::Pen,
        text,
        titles::{TitleStyles, Titles},
    },
};
use crate::engine::EntryState;

/// Draws a frame; gives the place of the cursor where text is typed.
pub fn draw(model: &Model, buf: &mut Buffer) -> Option<Position> {
    let frame = layout::frame(model);
    if frame.shape == Shape::TooSmall {
        too_small(model, buf);
        if model.theme.ascii {
            ascii::replace(buf);
        }
        return None;
    }
    header::draw(model, frame.header, buf);
    let covered = matches!(model.overlays.first(), Some(Overlay::Follow(_) | Overlay::Stage));
    if !covered {
        if frame.shape == Shape::Tabs {
            tabs::draw(model, frame.tabs, buf);
        }
        for pane in Pane::ALL {
            let area = frame.pane(pane);
            if !area.is_empty() {
                draw_pane(model, pane, area, frame.rows(pane, model), buf);
            }
        }
        if frame.shape == Shape::Low && !frame.strip.is_empty() {
            latency::draw_line(model, frame.strip, buf);
        }
    }
    let mut cursor = None;
    for overlay in &model.overlays {
        cursor = match overlay {
            Overlay::Follow(follow) => follow::draw(model, follow, frame.body, buf),
            Overlay::Edit(editor) => editor::draw(model, editor, frame.body, buf),
            Overlay::Insert(form) => insert::draw(model, form, frame.body, buf),
            Overlay::Rebuild(dialog) => rebuild::draw(model, dialog, frame.body, buf),
            Overlay::Leases(dialog) => lease_dialog::draw(model, dialog, frame.body, buf),
            Overlay::Bookmarks(dialog) => bookmarks::draw(model, dialog, frame.body, buf),
            Overlay::Restore(dialog) => restore::draw(model, dialog, frame.body, buf),
            Overlay::Letters(letters) => letters::draw(model, letters, frame.body, buf),
            Overlay::Tree(tree) => tree::draw(model, tree, frame.body, buf),
            Overlay::Preview(preview) => preview::draw(model, preview, frame.body, buf),
            Overlay::Verify(dialog) => verify::draw(model, dialog, frame.body, buf),
            Overlay::Help { of, scroll } => help::draw(model, *of, *scroll, buf),
            Overlay::Palette(state) => Some(palette::draw(model, state, frame.body, buf)),
            Overlay::Export(dialog) => export::draw(model, dialog, frame.body, buf),
            Overlay::Confirm(question) => confirm::draw(model, *question, frame.body, buf),
            Overlay::Health { scroll } => health::draw(model, *scroll, buf),
            Overlay::Stage => stage::draw(model, frame.body, buf),
        };
    }
    shelf::draw(model, &frame, buf);
    tour::draw(model, frame.tour, buf);
    let cursor = footer::draw(model, frame.footer, buf).or(cursor);
    if model.theme.ascii {
        ascii::replace(buf);
    }
    cursor
}

fn draw_pane(model: &Model, pane: Pane, area: Rect, rows: Rect, buf: &mut Buffer) {
    match pane {
        Pane::Feed => feed::draw(model, area, rows, buf),
        Pane::Leases => leases::draw(model, area, rows, buf),
        Pane::Cache => cache::draw(model, area, rows, buf),
        Pane::Latency => latency::draw(model, area, buf),
        Pane::Log => log::draw(model, area, rows, buf),
    }
    if let Some(at) = closing_mark(model, pane, area)
        && let Some(cell) = buf.cell_mut(at)
    {
        cell.set_symbol("×");
        cell.set_style(model.theme.border_focused);
    }
}

/// Where the focused pane is hidden by a click, or shown beside the others again.
pub(crate) fn closing_mark(model: &Model, pane: Pane, area: Rect) -> Option<Position> {
    let beside = model.zoomed || model.arrangement.hidden().count() + 1 < Pane::ALL.len();
    let shown = pane == model.focus && in_panes(model) && model.size.width >= layout::WIDE;
    (shown && beside && area.width > 4 && area.height > 1)
        .then(|| Position { x: area.right() - 3, y: area.bottom() - 1 })
}

fn too_small(model: &Model, buf: &mut Buffer) {
    let area = buf.area;
    let words = format!(
        "syncscope wants {}×{}; this is {}×{}. The sync goes on.",
        LEAST.width, LEAST.height, area.width, area.height
    );
    let lines = wrap(&words, usize::from(area.width));
    let top = area.height.saturating_sub(u16::try_from(lines.len()).unwrap_or(u16::MAX)) / 2;
    for (i, line) in lines.iter().take(usize::from(area.height)).enumerate() {
        Pen::new(buf, area, top + u16::try_from(i).unwrap_or(u16::MAX)).put(line, model.theme.strong);
    }
}

/// Dims what lies behind a dialog and clears its area.
fn backdrop(model: &Model, body: Rect, area: Rect, buf: &mut Buffer) {
    let body = body.intersection(buf.area);
    for position in body.positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.set_style(Style::reset().patch(model.theme.dim));
        }
    }
    clear(area, buf);
}

/// Clears an area.
fn clear(area: Rect, buf: &mut Buffer) {
    Clear.render(area.intersection(buf.area), buf);
}

/// The panes take keys now.
fn in_panes(model: &Model) -> bool {
    model.overlays.is_empty()
}

/// A pane's filter and what it says of its rows.
struct Filtering<'m> {
    filter: &'m Filter,
    passing: usize,
    all: usize,
    /// Rows whose turn has not come yet, and rows of which the filter cannot tell.
    to_judge: usize,
    unknown: usize,
    marks: bool,
}

impl<'m> Filtering<'m> {
    fn of_ring<T: Filtered + Sorted>(ring: &'m Ring<T>) -> Self {
        Self {
            filter: ring.filter(),
            passing: ring.passing(),
            all: ring.len(),
            to_judge: ring.to_judge(),
            unknown: ring.unknown().0,
            marks: ring.marks_hits(),
        }
    }

    /// For the title: the filter in force, how many rows pass it, and of how many it does not tell.
    /// The counts are never cut for the sake of the filter's text.
    fn title<'a>(&self, model: &Model, pane: Pane, width: u16) -> Vec<Span<'a>> {
        // Border, name of the pane and what stands between.
        const AROUND: usize = 20;
        let typing = model.typing_filter && model.focus == pane;
        if self.filter.is_none() && !typing {
            return Vec::new();
        }
        // What was typed may be an id.
        let text = if typing { self.filter.text().into() } else { masked(model, self.filter.text()) };
        let count = |n: usize| text::count(n as u64);
        let mut words = format!(" {} of {}", count(self.passing), count(self.all));
        if self.marks {
            words.push_str(" marked");
        }
        let mut told = vec![Span::styled(words, model.theme.dim)];
        if self.to_judge > 0 {
            told.push(Span::styled(format!(" ◐ {} to judge", count(self.to_judge)), model.theme.waiting));
        }
        if self.unknown > 0 {
            told.push(Span::styled(format!(" ~ {} not judged", count(self.unknown)), model.theme.waiting));
        }
        let counts: usize = told.iter().map(Span::width).sum();
        let room = usize::from(width).saturating_sub(AROUND + counts).clamp(4, 40);
        let mut spans = vec![Span::styled(format!(" /{}", text::end(&text, room)), model.theme.accent)];
        spans.append(&mut told);
        spans
    }
}

/// The titles of a list's columns in the line above its rows.
fn draw_titles<T: Sorted>(model: &Model, titles: &Titles, rows: Rect, order: Order, buf: &mut Buffer) {
    if rows.y == 0 {
        return;
    }
    let styles = TitleStyles { plain: model.theme.dim, sorted: model.theme.accent };
    let sorted = (!order.is_own()).then(|| (order.column, order.mark(T::COLUMNS)));
    titles.draw(Rect { y: rows.y - 1, height: 1, ..rows }, sorted, styles, buf);
}

/// The column whose title is at a place of a pane.
pub(crate) fn title_at(model: &Model, frame: &Frame, pane: Pane, at: Position) -> Option<usize> {
    if pane == Pane::Latency {
        return latency::title_at(model, frame.pane(pane), at);
    }
    let rows = frame.rows(pane, model);
    if rows.y == 0 || at.y != rows.y - 1 || at.x < rows.x || rows.is_empty() {
        return None;
    }
    let titles = match pane {
        Pane::Feed => feed::titles(model, rows),
        Pane::Leases => leases::titles(model, rows),
        Pane::Cache => cache::titles(rows),
        Pane::Latency | Pane::Log => return None,
    };
    titles.hit(usize::from(at.x - rows.x))
}

/// How a pane is sorted, for its title, where no column's title tells it.
fn order_title<'a, T: Sorted>(model: &Model, order: Order) -> Option<Span<'a>> {
    (!order.is_own()).then(|| Span::styled(format!(" {}", order.words(T::COLUMNS)), model.theme.accent))
}

/// `live`, or how many rows came since the list stands still.
fn liveness<'a>(model: &Model, waiting: Option<u64>, live: bool) -> Line<'a> {
    let theme = &model.theme;
    match waiting {
        Some(0) => Line::styled("held", theme.waiting),
        Some(n) => Line::styled(format!("▲ {} new", text::count(n)), theme.waiting),
        None if live => Line::styled("live", theme.good),
        None => Line::default(),
    }
}

/// Id, key or value with its letters and digits hidden, for a stage.
fn masked<'a>(model: &Model, text: &'a str) -> std::borrow::Cow<'a, str> {
    model.shown_name(text)
}

/// Glyph and style of an entry's state.
fn state_glyph(theme: &Theme, state: EntryState) -> (&'static str, Style) {
    match state {
        EntryState::InStep => ("✓", theme.good),
        EntryState::Pending => ("~", theme.waiting),
        EntryState::Stale => ("!", theme.bad),
        EntryState::Missing => ("∅", theme.bad),
        EntryState::Orphan => ("?", theme.bad),
        EntryState::Unknown => ("·", theme.dim),
    }
}

/// Came within the last second.
fn is_fresh(model: &Model, at: jiff::Timestamp) -> bool {
    let age = model.now.duration_since(at).as_millis();
    age < 1_000
}

/// Paints the selection over a row.
fn select(model: &Model, row: Rect, buf: &mut Buffer) {
    let area = row.intersection(buf.area);
    for position in area.positions() {
        if let Some(cell) = buf.cell_mut(position) {
            // One plain colour under a reversed row: the row's own colours would make a patchwork. What a
            // filter found stays underlined.
            if model.theme.selection.bg.is_none() && cell.symbol() != "▌" {
                let found = cell.modifier.contains(Modifier::UNDERLINED);
                cell.set_style(Style::reset());
                if found {
                    cell.set_style(Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD));
                }
            }
            cell.set_style(model.theme.selection);
        }
    }
}

/// Row `line` of an area.
fn line_of(area: Rect, line: u16) -> Rect {
    Rect { y: area.y.saturating_add(line), height: 1, ..area }
}

/// Words in an empty pane: why, and which key helps.
fn empty(model: &Model, area: Rect, why: &str, help: &str, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let wrapped: Vec<String> = [why, help]
        .into_iter()
        .filter(|words| !words.is_empty())
        .flat_map(|words| wrap(words, usize::from(area.width).saturating_sub(4)))
        .collect();
    let lines = u16::try_from(wrapped.len()).unwrap_or(u16::MAX);
    let top = area.height.saturating_sub(lines) / 3;
    for (i, line) in wrapped.iter().enumerate() {
        let offset = top + u16::try_from(i).unwrap_or(u16::MAX);
        let columns = u16::try_from(text::width(line)).unwrap_or(u16::MAX);
        let mut pen = Pen::new(buf, area, offset);
        pen.skip(usize::from(area.width.saturating_sub(columns) / 2)).put(line, model.theme.dim);
    }
}

/// Words in lines of at most so many columns.
fn wrap(words: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let mut word = word;
        // A word that no line can hold (JSON, a path) is broken where the line is full.
        while text::width(word) > columns.max(1) {
            let used = lines.last().map_or(0, |line| if line.is_empty() { 0 } else { text::width(line) + 1 });
            let (head, tail) = text::split(word, columns.max(1).saturating_sub(used).max(1));
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(head),
                Some(line) if used < columns => {
                    line.push(' ');
                    line.push_str(head);
                }
                _ => lines.push(head.to_owned()),
            }
            lines.push(String::new());
            word = tail;
        }
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if text::width(line) + 1 + text::width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
