//! The editor of a document: its text with line numbers, the version it will be written over, and why
//! it was not saved.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
};

use super::{clear, masked, sheet::same_as_below, wrap};
use crate::tui::{
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
    let width = usize::from(inner.width).saturating_sub(2);
    let (words, style) = below(model, editor);
    let lines = wrap(&words, width);
    let height = u16::try_from(lines.len()).unwrap_or(1).min(inner.height / 2);
    let body = Rect { height: inner.height.saturating_sub(height + 1), ..inner };
    let cursor = text_lines(model, editor, body, buf);
    for (i, line) in lines.iter().take(usize::from(height)).enumerate() {
        let at = body.height + 1 + u16::try_from(i).unwrap_or(u16::MAX);
        Pen::new(buf, inner, at).skip(1).put(line, style);
    }
    cursor
}

/// The lines around the cursor, which is never far from the middle; gives its place.
fn text_lines(model: &Model, editor: &DocumentEditor, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let (lines, (row, column)) = (editor.text.lines(), editor.text.cursor());
    let height = usize::from(area.height);
    let top = row.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
    let numbers = lines.len().to_string().len();
    let room = usize::from(area.width).saturating_sub(numbers + 3);
    // Only the cursor's line moves sideways.
    let before: String = lines.get(row)?.chars().take(column).collect();
    let aside = (text::width(&before) + 1).saturating_sub(room);
    for (i, line) in lines.iter().enumerate().skip(top).take(height) {
        let mut pen = Pen::new(buf, area, u16::try_from(i - top).unwrap_or(u16::MAX));
        pen.cell(&(i + 1).to_string(), numbers + 1, Align::Right, theme.dim).skip(1);
        let style = if i == row { theme.strong } else { theme.text };
        let shown = if i == row && aside > 0 { text::split(line, aside).1 } else { line.as_str() };
        pen.put(&masked(model, shown), style);
    }
    let x = numbers + 2 + text::width(&before).saturating_sub(aside);
    let x = area.x.saturating_add(u16::try_from(x).unwrap_or(u16::MAX)).min(area.right().saturating_sub(1));
    let y = area.y.saturating_add(u16::try_from(row - top).unwrap_or(u16::MAX));
    (y < area.bottom()).then_some(Position { x, y })
}

/// What stands below the text: a problem, a warning, or what saving does.
fn below(model: &Model, editor: &DocumentEditor) -> (String, ratatui::style::Style) {
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
