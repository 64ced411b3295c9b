//! The insert form: the kinds, the lines with what is wrong beside them, the command that does the same.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Modifier,
    text::Line,
};

use super::wrap;
use crate::tui::{
    layout::{dialog, inner},
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
    let area = dialog(body, 96, 14);
    super::backdrop(model, body, area, buf);
    Border::new(format!("Insert into {}", model.options.source))
        .right(Line::styled(format!("shape {}", form.template_word()), theme.dim))
        .focused(true)
        .draw(area, buf, theme);
    let inner = inner(area);
    let mut pen = Pen::new(buf, inner, 0);
    pen.skip(1);
    for mode in InsertMode::ALL {
        let chosen = mode == form.mode;
        let style = if chosen { theme.accent.add_modifier(Modifier::BOLD) } else { theme.dim };
        pen.put(if chosen { "(•) " } else { "( ) " }, style).put(mode.title(), style).skip(3);
    }
    let mut cursor = None;
    for place in 0..form.lines().len() {
        cursor = draw_line(model, form, place, inner, buf).or(cursor);
    }
    let below = 3 + u16::try_from(form.lines().len()).unwrap_or(0);
    let columns = usize::from(inner.width).saturating_sub(2);
    let (heading, words) = match form.same_as(&model.options.same_as) {
        Some(same) => ("same as", same),
        None => match form.document().filter(|_| form.mode == InsertMode::One) {
            Some(json) => ("writes", json),
            None => ("", "enter writes when every line is right".to_owned()),
        },
    };
    let mut lines = wrap(&text::clean(&words), columns.saturating_sub(heading.len() + 2));
    let room = usize::from(inner.height.saturating_sub(below));
    if lines.len() > room {
        lines.truncate(room);
        if let Some(last) = lines.last_mut() {
            last.push_str(" …");
        }
    }
    for (i, line) in lines.iter().enumerate() {
        let mut pen = Pen::new(buf, inner, below + u16::try_from(i).unwrap_or(u16::MAX));
        let gap = if heading.is_empty() { 0 } else { heading.len() + 2 };
        pen.skip(1).cell(if i == 0 { heading } else { "" }, gap, Align::Left, theme.accent);
        pen.put(line, theme.dim);
    }
    cursor
}

fn draw_line(
    model: &Model,
    form: &InsertForm,
    place: usize,
    inner: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = &model.theme;
    let field = form.lines().get(place)?;
    let row = 2 + u16::try_from(place).unwrap_or(u16::MAX);
    let focused = place == form.focus;
    let scroll = field.input.visual_scroll(VALUE - 1);
    let visible: String = field.input.value().chars().skip(scroll).collect();
    let mut pen = Pen::new(buf, inner, row);
    pen.put(if focused { "▌" } else { " " }, theme.accent);
    pen.cell(field.label, LABEL, Align::Left, if focused { theme.accent } else { theme.dim });
    let start = pen.x();
    let shown = text::end(&visible, VALUE);
    let style = if focused { theme.strong.add_modifier(Modifier::UNDERLINED) } else { theme.text };
    if focused {
        let padding = " ".repeat(VALUE - text::width(&shown).min(VALUE));
        pen.put(&format!("{shown}{padding}"), style).skip(2);
    } else {
        pen.cell(&shown, VALUE, Align::Left, style).skip(2);
    }
    match field_words(form, place) {
        Ok(hint) => pen.put(hint, theme.dim),
        Err(mistake) => pen.put(&format!("! {mistake}"), theme.bad),
    };
    if !focused {
        return None;
    }
    let column = field.input.visual_cursor().saturating_sub(scroll).min(VALUE - 1);
    let at = Position { x: start.saturating_add(u16::try_from(column).unwrap_or(0)), y: inner.y + row };
    inner.contains(at).then_some(at)
}

/// The hint of a line, or what is wrong with it.
fn field_words(form: &InsertForm, place: usize) -> Result<&'static str, String> {
    match form.mistake(place) {
        Some(mistake) => Err(mistake),
        None => Ok(form.lines().get(place).map_or("", |line| line.hint)),
    }
}
