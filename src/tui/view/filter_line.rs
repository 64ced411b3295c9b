//! The line in which a filter is typed: the text, and what is wrong with it or what may be written.

use ratatui::layout::{Position, Rect};

use crate::tui::{
    model::{Model, Pane, fields_of},
    widgets::{pen::Pen, text},
};

/// Draws the text and its cursor, and a word about it; `true` = that has the rest of the line.
pub(super) fn draw(model: &Model, area: Rect, pen: &mut Pen<'_>) -> (Option<Position>, bool) {
    let theme = &model.theme;
    let line = &model.filters[model.focus.index()];
    let input = &line.input;
    let room = room(area);
    let scroll = input.visual_scroll(room);
    let visible: String = input.value().chars().skip(scroll).collect();
    pen.put("/", theme.key).put(&text::end(&visible, room), theme.text);
    let column = input.visual_cursor().saturating_sub(scroll).min(room);
    let x = area.x + 2 + u16::try_from(column).unwrap_or(0);
    let cursor = Position { x: x.min(area.right().saturating_sub(1)), y: area.y };
    pen.skip(3);
    if let Some(fault) = &line.fault {
        let words = format!("! column {}: {}", fault.column, fault.what);
        pen.put(&text::end(&words, pen.rest()), theme.bad);
        return (Some(cursor), true);
    }
    let feed = &model.feed.ring;
    if let (Pane::Feed, (1.., Some(why))) = (model.focus, feed.unknown()) {
        pen.put(&text::end(&format!("~ not judged: {why}"), pen.rest()), theme.waiting);
        return (Some(cursor), true);
    }
    if line.value().is_empty() {
        let jq = if model.focus == Pane::Feed { "  .jq" } else { "" };
        let words = format!("words  \"text\"  field>value{jq}  of {}", fields_of(model.focus));
        pen.put(&text::end(&words, pen.rest().saturating_sub(26)), theme.dim).skip(3);
    }
    (Some(cursor), false)
}

fn room(area: Rect) -> usize {
    usize::from(area.width / 2)
}

/// Characters that are hidden before what is shown of a filter that is typed, and the column under a position.
pub(crate) fn hit(model: &Model, area: Rect, at: Position) -> Option<(usize, usize)> {
    if !model.typing_filter || !model.overlays.is_empty() {
        return None;
    }
    let column = usize::from(at.x.checked_sub(area.x + 2)?);
    let hidden = model.filters[model.focus.index()].input.visual_scroll(room(area));
    (column <= room(area)).then_some((hidden, column))
}
