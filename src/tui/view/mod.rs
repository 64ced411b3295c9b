//! Draws the model: one file a pane or dialog. Changes nothing, waits for nothing, asks no clock.

mod ascii;
pub(crate) mod cache;
pub(crate) mod confirm;
pub(crate) mod editor;
pub(crate) mod export;
pub(crate) mod feed;
pub(crate) mod follow;
pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod health;
pub(crate) mod help;
pub(crate) mod insert;
pub(crate) mod latency;
pub(crate) mod lease_dialog;
pub(crate) mod leases;
pub(crate) mod letters;
pub(crate) mod log;
pub(crate) mod palette;
pub(crate) mod preview;
pub(crate) mod rebuild;
mod sheet;
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
    style::Style,
    text::{Line, Span},
    widgets::{Clear, Widget},
};

use super::{
    layout::{self, LEAST, Shape},
    model::{Model, Overlay, Pane},
    theme::Theme,
    widgets::{pen::Pen, text},
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
    Pen::new(buf, area, area.height / 2).put(&words, model.theme.strong);
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

/// The filter of a pane and how many rows pass it, for its title.
fn filter_title<'a>(model: &Model, pane: Pane, shown: usize, all: usize) -> Vec<Span<'a>> {
    let input = &model.filters[pane.index()];
    let typing = model.typing_filter && model.focus == pane;
    if input.value().is_empty() && !typing {
        return Vec::new();
    }
    let text = text::end(input.value(), 24).into_owned();
    vec![
        Span::styled(format!(" /{text}"), model.theme.accent),
        Span::styled(
            format!(" {} of {}", text::count(shown as u64), text::count(all as u64)),
            model.theme.dim,
        ),
    ]
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
            // One plain colour under a reversed row: the row's own colours would make a patchwork.
            if model.theme.selection.bg.is_none() && cell.symbol() != "▌" {
                cell.set_style(Style::reset());
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
