//! The documents that were set aside: why, since when, and the document itself.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
};

use super::{
    empty,
    hints::Hints,
    line_of, masked, order_title, select,
    sheet::{above_same_as, same_as_below},
    wrap,
};
use crate::{
    engine::DeadLetterRow,
    tui::{
        keymap::{Action, Context},
        layout::{dialog, inner},
        model::{Letters, Model},
        pretty, same_as,
        widgets::{
            pane::Pane as Border,
            pen::{Align, Pen},
            text,
        },
    },
};

const ID: usize = 24;
const TIME: usize = 9;

/// Where the view is.
pub(super) fn area(body: Rect) -> Rect {
    dialog(body, 140, body.height)
}

/// Where the list is, of what is left below a problem.
fn list(state: &Letters, inner: Rect) -> Rect {
    let rows = u16::try_from(state.rows().len()).unwrap_or(u16::MAX);
    Rect { height: (inner.height / 3).max(3).min(rows), ..inner }
}

/// The document under a position, by its place.
pub(in crate::tui) fn hit(model: &Model, state: &Letters, body: Rect, at: Position) -> Option<usize> {
    let inner = above_same_as(&same_as::line(model, "dead-letters list"), inner(area(body)), &model.theme);
    let above = u16::from(state.list.as_ref().is_some_and(|list| list.problem.is_some()));
    let inner = Rect { y: inner.y + above, height: inner.height.saturating_sub(above), ..inner };
    let list = list(state, inner);
    let top = (state.place() + 1).saturating_sub(usize::from(list.height));
    list.contains(at).then(|| top + usize::from(at.y - list.y)).filter(|place| *place < state.rows().len())
}

/// Draws the view.
pub(super) fn draw(model: &Model, state: &Letters, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(body);
    super::backdrop(model, body, area, buf);
    let rows = state.rows();
    let mut title = vec![format!("Dead letters · {}", text::count(rows.len() as u64)).into()];
    title.extend(order_title::<DeadLetterRow>(model, state.order()));
    let mut border = Border::new(Line::from(title)).foot(foot(model, state).line(theme, area)).focused(true);
    if let Some(list) = state.list.as_ref().filter(|list| !list.directory.is_empty()) {
        border = border.right(Line::styled(text::middle(&list.directory, 50).into_owned(), theme.dim));
    }
    let inner = border.draw(area, buf, theme);
    let same = same_as::line(model, "dead-letters list");
    let inner = same_as_below(&same, inner, buf, theme);
    let problem = state.list.as_ref().and_then(|list| list.problem.as_deref());
    if let Some(problem) = problem {
        Pen::new(buf, inner, 0).skip(1).put(&format!("! {problem}"), theme.bad);
    }
    let above = u16::from(problem.is_some());
    let inner = Rect { y: inner.y + above, height: inner.height.saturating_sub(above), ..inner };
    if rows.is_empty() {
        let why = if state.list.is_none() { "reading the list" } else { "nothing was set aside" };
        empty(model, inner, why, "documents that cannot be mapped or written come here", buf);
        return None;
    }
    let list = list(state, inner);
    let list_height = list.height;
    let place = state.place();
    let top = (place + 1).saturating_sub(usize::from(list_height));
    for (i, row) in rows.iter().enumerate().skip(top).take(usize::from(list_height)) {
        let line = u16::try_from(i - top).unwrap_or(u16::MAX);
        draw_row(model, row, list, line, buf);
        if i == place {
            select(model, line_of(list, line), buf);
        }
    }
    if let Some(row) = state.selected() {
        let rest = inner.height.saturating_sub(list_height);
        let area = Rect { y: list.bottom(), height: rest, ..inner };
        draw_document(model, row, state.scroll, area, buf);
    }
    None
}

fn draw_row(model: &Model, row: &DeadLetterRow, list: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, list, line);
    let time = text::clock(row.set_aside_at, &model.options.zone);
    pen.skip(1).cell(&time[..8], TIME, Align::Left, theme.dim);
    let id = row.id.as_deref().unwrap_or("no id");
    pen.cell(&text::middle(&masked(model, id), ID), ID + 1, Align::Left, theme.text);
    pen.put(&row.reason, theme.bad);
}

/// Lines of its document, as JSON where it is such.
pub(in crate::tui) fn lines(row: &DeadLetterRow) -> Vec<String> {
    pretty::lines(&row.document)
}

fn draw_document(model: &Model, row: &DeadLetterRow, scroll: usize, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let columns = usize::from(area.width).saturating_sub(2);
    let mut line = 1;
    for words in wrap(&text::clean(&row.reason), columns).iter().take(3) {
        Pen::new(buf, area, line).skip(1).put(words, theme.bad);
        line += 1;
    }
    let shown = text::bytes(row.bytes as u64);
    let cut = if row.document.len() < row.bytes { ", cut here" } else { "" };
    Pen::new(buf, area, line).skip(1).put(&format!("document, {shown}{cut}"), theme.dim);
    line += 1;
    for words in lines(row).iter().skip(scroll).take(usize::from(area.height.saturating_sub(line))) {
        Pen::new(buf, area, line).skip(1).put(&masked(model, words), theme.text);
        line += 1;
    }
}

/// What the keys do now.
pub(super) fn foot<'m>(model: &'m Model, state: &'m Letters) -> Hints<'m> {
    let mut hints = Hints::of(model, Context::Letters).only(|action| state.offers(action));
    if state.busy {
        hints.sign("◐", "trying again");
    }
    hints.key(Action::Retry, "retry").key(Action::RetryAll, "retry all").key(Action::Export, "export");
    hints.key(Action::Preview, "preview").key(Action::Copy, "copy JSON").key(Action::Back, "back");
    hints
}
