//! The line of the panes that are not shown: silence is never read as calm, so each says when it is in
//! trouble.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::trouble;
use crate::tui::{
    keymap::Action,
    layout::{Frame, WIDE},
    model::{Model, Pane},
    widgets::{pen::Pen, text},
};

/// Lines that it takes: one while a pane is hidden, or in trouble behind one on the whole screen.
pub(in crate::tui) fn height(model: &Model, area: Rect) -> u16 {
    u16::from(area.width >= WIDE && unseen(model).next().is_some())
}

/// The panes that it lists.
fn unseen(model: &Model) -> impl Iterator<Item = Pane> {
    let zoomed = model.zoomed;
    Pane::ALL.into_iter().filter(move |pane| {
        let hidden = !model.is_in_sight(*pane);
        let behind = zoomed && *pane != model.focus;
        hidden || (behind && trouble::headline(model, *pane).is_some())
    })
}

/// Columns of a label, and the label: `2 Leases`, `3 Cache ! no Redis at …`.
fn label(model: &Model, pane: Pane) -> (String, Option<(String, bool)>) {
    let trouble = trouble::headline(model, pane);
    (super::tabs::label(model, pane), trouble)
}

const HEADING: &str = "not shown  ";
const GAP: usize = 3;
/// Most columns of a trouble.
const TROUBLE: usize = 36;

/// Draws the line.
pub(super) fn draw(model: &Model, frame: &Frame, buf: &mut Buffer) {
    if frame.shelf.is_empty() {
        return;
    }
    let theme = &model.theme;
    let mut pen = Pen::new(buf, frame.shelf, 0);
    pen.skip(1).put(HEADING, theme.dim);
    for pane in unseen(model) {
        let (name, trouble) = label(model, pane);
        pen.put(&name, theme.text);
        if let Some((words, bad)) = trouble {
            let style: Style = if bad { theme.bad } else { theme.waiting };
            pen.put(" ", theme.text).put(&text::end(&words, TROUBLE), style);
        }
        pen.skip(GAP);
    }
    let key = model.key(Action::ShowAll);
    pen.put(&key, theme.key).put(" show all", theme.dim);
}

/// What is under a column of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Spot {
    Pane(Pane),
    /// All are to be shown.
    All,
}

/// What a click at a column means.
pub(in crate::tui) fn hit(model: &Model, frame: &Frame, column: u16) -> Option<Spot> {
    let mut x = usize::from(frame.shelf.x) + 1 + text::width(HEADING);
    let column = usize::from(column);
    for pane in unseen(model) {
        let (name, trouble) = label(model, pane);
        let trouble = trouble.map_or(0, |(words, _)| 1 + text::width(&text::end(&words, TROUBLE)));
        let width = text::width(&name) + trouble;
        if (x..x + width).contains(&column) {
            return Some(Spot::Pane(pane));
        }
        x += width + GAP;
    }
    let all = text::width(&model.key(Action::ShowAll)) + text::width(" show all");
    (x..x + all).contains(&column).then_some(Spot::All)
}
