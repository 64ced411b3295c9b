//! The editor of a document: its text with line numbers, the version it will be written over, and why
//! it was not saved.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::Line,
};

use super::{
    clear, masked,
    sheet::{above_same_as, same_as_below},
    wrap,
};
use crate::tui::{
    layout::inner,
    model::{DocumentEditor, Model, Overlay},
    same_as,
    widgets::{
        pane::Pane as Border,
        pen::{Align, Pen},
        text,
    },
};

/// Draws the editor.
pub(super) fn draw(model: &Model, editor: &DocumentEditor, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    clear(area, buf);
    let right = match (editor.saving, editor.is_changed()) {
        (Some(_), _) => Line::styled("saving …", theme.waiting),
        (None, true) => Line::styled("changed", theme.waiting),
        (None, false) => Line::styled("as it is in the source", theme.dim),
    };
    let inner = Border::new(format!("Edit {}", model.shown_name(&editor.id)))
        .right(right)
        .focused(true)
        .draw(area, buf, theme);
    if inner.is_empty() {
        return None;
    }
    let inner = same_as_below(&same_as::editor(model, editor), inner, buf, theme);
    let (lines, style) = below_lines(model, editor, inner);
    let body = Rect { height: text_height(&lines, inner), ..inner };
    let cursor = text_lines(model, editor, body, buf);
    let below = Rect { y: body.bottom() + 1, height: inner.height.saturating_sub(body.height + 1), ..inner };
    for (i, line) in (0..below.height).zip(&lines) {
        Pen::new(buf, below, i).skip(1).put(line, style);
    }
    cursor
}

/// Where the text is.
pub(in crate::tui) fn text_area(model: &Model, editor: &DocumentEditor, area: Rect) -> Rect {
    let inner = above_same_as(&same_as::editor(model, editor), inner(area), &model.theme);
    let (lines, _) = below_lines(model, editor, inner);
    Rect { height: text_height(&lines, inner), ..inner }
}

/// What stands below the text, in lines.
fn below_lines(model: &Model, editor: &DocumentEditor, inner: Rect) -> (Vec<String>, Style) {
    let (words, style) = below(model, editor);
    (wrap(&words, usize::from(inner.width).saturating_sub(2)), style)
}

/// Lines of the text that fit above these.
fn text_height(below: &[String], inner: Rect) -> u16 {
    let height = u16::try_from(below.len()).unwrap_or(1).min(inner.height / 2);
    inner.height.saturating_sub(height + 1)
}

/// Columns before the text: the numbers of its lines.
fn margin(editor: &DocumentEditor) -> usize {
    editor.text.lines().len().to_string().len() + 2
}

/// Columns of the cursor's line that do not fit, and are hidden before it: only that line moves sideways.
fn aside(editor: &DocumentEditor, area: Rect) -> usize {
    let (row, column) = editor.text.cursor();
    let line = editor.text.lines().get(row).map_or("", String::as_str);
    let before: String = line.chars().take(column).collect();
    let room = usize::from(area.width).saturating_sub(margin(editor) + 1);
    (text::width(&before) + 1).saturating_sub(room)
}

/// Line and column of the text under a position.
pub(in crate::tui) fn hit(
    model: &Model,
    editor: &DocumentEditor,
    body: Rect,
    at: Position,
) -> Option<(usize, usize)> {
    let area = text_area(model, editor, body);
    if !area.contains(at) {
        return None;
    }
    let row = editor.first_line(usize::from(area.height)) + usize::from(at.y - area.y);
    let row = row.min(editor.text.lines().len().saturating_sub(1));
    let line = editor.text.lines().get(row)?.as_str();
    let column = usize::from(at.x - area.x).saturating_sub(margin(editor));
    let aside = if row == editor.text.cursor().0 { aside(editor, area) } else { 0 };
    let (hidden, shown) = if aside > 0 { text::split(line, aside) } else { ("", line) };
    Some((row, hidden.chars().count() + text::characters_before(shown, column)))
}

/// The lines in sight, the cursor's among them; gives its place.
fn text_lines(model: &Model, editor: &DocumentEditor, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let (lines, (row, column)) = (editor.text.lines(), editor.text.cursor());
    let height = usize::from(area.height);
    let top = editor.first_line(height);
    let margin = margin(editor);
    let before: String = lines.get(row)?.chars().take(column).collect();
    let aside = aside(editor, area);
    for (i, line) in lines.iter().enumerate().skip(top).take(height) {
        let mut pen = Pen::new(buf, area, u16::try_from(i - top).unwrap_or(u16::MAX));
        pen.cell(&(i + 1).to_string(), margin - 1, Align::Right, theme.dim).skip(1);
        let style = if i == row { theme.strong } else { theme.text };
        let shown = if i == row && aside > 0 { text::split(line, aside).1 } else { line.as_str() };
        pen.put(&masked(model, shown), style);
    }
    let x = margin + text::width(&before).saturating_sub(aside);
    let x = area.x.saturating_add(u16::try_from(x).unwrap_or(u16::MAX)).min(area.right().saturating_sub(1));
    let y = area.y.saturating_add(u16::try_from(row - top).unwrap_or(u16::MAX));
    (y < area.bottom()).then_some(Position { x, y })
}

/// What stands below the text: a problem, a warning, or what saving does.
fn below(model: &Model, editor: &DocumentEditor) -> (String, Style) {
    let theme = &model.theme;
    if let Some(problem) = &editor.problem {
        // It may quote what is in the document.
        return (format!("! {}", masked(model, problem)), theme.bad);
    }
    let now = model.overlays.iter().find_map(|overlay| match overlay {
        Overlay::Follow(follow) => Some(follow.detail.as_ref()?.source.as_ref().ok()?.as_ref()?.etag.clone()),
        _ => None,
    });
    if now.is_some() && editor.saving.is_none() && now != editor.etag {
        let words = "~ somebody has changed it since: saving would be refused. Reload takes the new version";
        return (words.to_owned(), theme.waiting);
    }
    let etag = editor.etag.as_deref().unwrap_or("none");
    (
        format!(
            "Saved to {} only over etag {etag}. What Cosmos sets itself is left out here.",
            text::end(&model.options.source, 60)
        ),
        theme.dim,
    )
}
