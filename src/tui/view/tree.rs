//! The keys of the cache as a tree: branches with how many keys and bytes are below them.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
};

use super::{empty, hints::Hints, line_of, masked, select, state_glyph};
use crate::tui::{
    keymap::{Action, Context},
    layout::{dialog, inner},
    model::{KeyTree, Model, TreeRow},
    widgets::{
        bar,
        pane::Pane as Border,
        pen::{Align, Pen},
        text,
    },
};

const COUNT: usize = 10;
const SIZE: usize = 10;
const SHARE: usize = 12;

/// Where the view is.
pub(super) fn area(body: Rect) -> Rect {
    dialog(body, 120, body.height)
}

/// The row under a position, by its place.
pub(in crate::tui) fn hit(state: &KeyTree, body: Rect, at: Position) -> Option<usize> {
    let inner = inner(area(body));
    let top = (state.place() + 1).saturating_sub(usize::from(inner.height).max(1));
    inner.contains(at).then(|| top + usize::from(at.y - inner.y)).filter(|place| *place < state.rows().len())
}

/// Draws the view.
pub(super) fn draw(model: &Model, state: &KeyTree, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(body);
    super::backdrop(model, body, area, buf);
    let total: u64 = state.rows().iter().filter(|row| row.depth == 0).map(|row| row.bytes).sum();
    let keys: u64 = state.rows().iter().filter(|row| row.depth == 0).map(|row| row.keys).sum();
    let mut border = Border::new(format!("Keys as a tree · {} · {}", text::count(keys), text::bytes(total)));
    let beyond = model.cache.status.beyond_window;
    if beyond > 0 {
        border =
            border.right(Line::styled(format!("~ {} more not read", text::count(beyond)), theme.waiting));
    }
    let inner = border.foot(foot(model, state).line(theme, area)).focused(true).draw(area, buf, theme);
    if state.rows().is_empty() {
        let (sync, fill) = (model.key(Action::ToggleSync), model.key(Action::Rebuild));
        let help = format!("{sync} starts the sync, {fill} fills the cache");
        empty(model, inner, "there are no keys in view", &help, buf);
        return None;
    }
    let height = usize::from(inner.height).max(1);
    let place = state.place();
    let top = (place + 1).saturating_sub(height);
    for (i, row) in state.rows().iter().enumerate().skip(top).take(height) {
        let line = u16::try_from(i - top).unwrap_or(u16::MAX);
        draw_row(model, row, total, inner, line, buf);
        if i == place {
            select(model, line_of(inner, line), buf);
        }
    }
    None
}

/// What the keys do.
pub(super) fn foot<'m>(model: &'m Model, tree: &'m KeyTree) -> Hints<'m> {
    let mut hints = Hints::of(model, Context::Tree).only(|action| tree.offers(action));
    hints.key(Action::Submit, "open, follow");
    hints.pair(Action::PreviousChoice, Action::NextChoice, "close, open");
    hints.key(Action::Copy, "copy").key(Action::Back, "back");
    hints
}

fn draw_row(model: &Model, row: &TreeRow, total: u64, area: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, line);
    let columns = usize::from(area.width);
    let share = if columns >= 70 { SHARE } else { 0 };
    let name_columns = columns.saturating_sub(3 + 2 * row.depth.min(12) + 2 + COUNT + SIZE + share);
    pen.skip(1 + 2 * row.depth.min(12));
    let entry = model.cache.get(&row.path).filter(|_| row.branch.is_none());
    match (row.branch, theme.ascii) {
        (Some(true), false) => pen.put("▾ ", theme.accent),
        (Some(false), false) => pen.put("▸ ", theme.accent),
        (Some(true), true) => pen.put("- ", theme.accent),
        (Some(false), true) => pen.put("+ ", theme.accent),
        (None, _) => match entry {
            Some(entry) => {
                let (glyph, style) = state_glyph(theme, entry.state);
                pen.put(glyph, style).skip(1)
            }
            None => pen.put("· ", theme.dim),
        },
    };
    let name = masked(model, &row.name);
    let style = if row.branch.is_some() { theme.strong } else { theme.text };
    pen.cell(&text::middle(&name, name_columns), name_columns, Align::Left, style);
    let count = if row.branch.is_some() { text::count(row.keys) } else { String::new() };
    pen.cell(&count, COUNT, Align::Right, theme.text);
    pen.cell(&text::bytes(row.bytes), SIZE, Align::Right, theme.dim);
    if share > 0 && row.branch.is_some() && total > 0 {
        pen.skip(2).put(&bar::filled(row.bytes as f64 / total as f64, share - 2, theme.ascii), theme.accent);
    }
}
