//! The insert form.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Modifier,
};

use super::{clear, wrap};
use crate::tui::{
    layout::dialog,
    model::{InsertForm, InsertMode, Model},
    widgets::{
        pane::Pane as Border,
        pen::{Align, Pen},
        text,
    },
};

const LABEL: usize = 12;
const VALUE: usize = 30;

/// Draws the form; gives the place of the cursor.
pub(super) fn draw(model: &Model, form: &InsertForm, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = dialog(body, 78, 15);
    clear(area, buf);
    let inner =
        Border::new(format!("Insert into {}", model.options.source)).focused(true).draw(area, buf, theme);
    let mut pen = Pen::new(buf, inner, 0);
    pen.skip(1);
    for mode in InsertMode::ALL {
        let chosen = mode == form.mode;
        let style = if chosen { theme.accent.add_modifier(Modifier::BOLD) } else { theme.dim };
        pen.put(if chosen { "(•) " } else { "( ) " }, style).put(mode.title(), style).skip(3);
    }
    pen.put("pgup pgdn", theme.dim);
    let mut cursor = None;
    for (i, field) in form.fields().iter().enumerate() {
        let line = 2 + u16::try_from(i).unwrap_or(u16::MAX);
        let focused = i == form.focus;
        let label = if focused { theme.accent } else { theme.dim };
        let scroll = field.input.visual_scroll(VALUE - 1);
        let visible: String = field.input.value().chars().skip(scroll).collect();
        let mut pen = Pen::new(buf, inner, line);
        pen.put(if focused { "▌" } else { " " }, theme.accent).cell(field.label, LABEL, Align::Left, label);
        if focused {
            let column = field.input.visual_cursor().saturating_sub(scroll).min(VALUE - 1);
            let x = pen.x().saturating_add(u16::try_from(column).unwrap_or(0));
            cursor = Some(Position { x, y: inner.y + line }).filter(|at| inner.contains(*at));
        }
        let style = if focused { theme.strong.add_modifier(Modifier::UNDERLINED) } else { theme.text };
        let padded = format!("{:<VALUE$}", text::end(&visible, VALUE));
        pen.cell(if focused { &padded } else { &visible }, VALUE, Align::Left, style).skip(2);
        match form.mistake(i) {
            Some(mistake) => pen.put(&format!("! {mistake}"), theme.bad),
            None => pen.put(field.hint, theme.dim),
        };
    }
    let same = form.same_as(&model.options.same_as);
    let below = 2 + u16::try_from(form.fields().len()).unwrap_or(0) + 1;
    let lines = wrap(&same, usize::from(inner.width).saturating_sub(2));
    if same.is_empty() {
        Pen::new(buf, inner, below).skip(1).put("enter writes when every field is right", theme.dim);
    } else {
        Pen::new(buf, inner, below).skip(1).put("same as (ctrl-y copies)", theme.dim);
        let room = usize::from(inner.height.saturating_sub(below + 1));
        for (i, line) in lines.iter().take(room).enumerate() {
            let row = below + 1 + u16::try_from(i).unwrap_or(u16::MAX);
            Pen::new(buf, inner, row).skip(1).put(line, theme.text);
        }
    }
    cursor
}
