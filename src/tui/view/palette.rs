//! The command palette: every action by name, with its key.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};
use tui_input::Input;

use super::{line_of, select};
use crate::tui::{
    layout::dialog,
    model::Model,
    widgets::{
        pane::Pane as Border,
        pen::{Align, Pen},
        text,
    },
};

const KEYS: usize = 14;

/// Draws the palette; gives the place of the cursor.
pub(super) fn draw(model: &Model, input: &Input, cursor: usize, body: Rect, buf: &mut Buffer) -> Position {
    let theme = &model.theme;
    let rows = model.palette_rows(input.value());
    let area = dialog(body, 72, 18);
    super::backdrop(model, body, area, buf);
    let inner = Border::new("Commands").focused(true).draw(area, buf, theme);
    let room = usize::from(inner.width).saturating_sub(4);
    let scroll = input.visual_scroll(room);
    let visible: String = input.value().chars().skip(scroll).collect();
    Pen::new(buf, inner, 0).skip(1).put(": ", theme.key).put(&text::end(&visible, room), theme.strong);
    let height = usize::from(inner.height.saturating_sub(2));
    let top = (cursor + 1).saturating_sub(height);
    for (i, row) in rows.iter().enumerate().skip(top).take(height) {
        let line = 2 + u16::try_from(i - top).unwrap_or(u16::MAX);
        let mut pen = Pen::new(buf, inner, line);
        let keys = row.chords.first().map(|chord| chord.text()).unwrap_or_default();
        let help = usize::from(inner.width).saturating_sub(KEYS + 2);
        pen.skip(1).cell(row.help, help, Align::Left, theme.text).cell(&keys, KEYS, Align::Right, theme.key);
        if i == cursor {
            select(model, line_of(inner, line), buf);
        }
    }
    if rows.is_empty() {
        Pen::new(buf, inner, 2).skip(1).put("no command has these letters", theme.dim);
    }
    let column = input.visual_cursor().saturating_sub(scroll).min(room);
    Position { x: inner.x + 3 + u16::try_from(column).unwrap_or(0), y: inner.y }
}
