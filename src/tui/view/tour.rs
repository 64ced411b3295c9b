//! The guided tour's strip above the footer: which step, one line of explanation, whether it came about.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{
    hints::{Hints, in_border},
    wrap,
};
use crate::tui::{
    keymap::{Action, Context},
    model::{Model, Proof, Tour},
    widgets::{pane::Pane as Border, pen::Pen, text},
};

/// Lines of words at most.
const MOST: usize = 3;

fn lines(model: &Model, tour: &Tour, width: u16) -> Vec<String> {
    let mut lines = wrap(&model.tour_words(tour.step()), usize::from(width).saturating_sub(4));
    lines.truncate(MOST);
    lines
}

/// Height of the strip at this width, border included; 0 = no tour.
pub(crate) fn height(model: &Model, width: u16) -> u16 {
    let Some(tour) = &model.tour else { return 0 };
    u16::try_from(lines(model, tour, width).len()).unwrap_or(1) + 2
}

/// Draws the strip.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(tour) = &model.tour else { return };
    let theme = &model.theme;
    let (at, of) = tour.progress();
    let right = match model.tour_proof() {
        Proof::Seen(words) => Line::styled(format!("✓ {}", text::clean(&words)), theme.good),
        Proof::Waiting(words) => Line::styled(format!("◐ {words}"), theme.waiting),
        Proof::None => Line::default(),
    };
    let inner = Border::new(format!("Tour {at}/{of} · {}", tour.step().title()))
        .right(right)
        .foot(foot(model, tour, area))
        .focused(true)
        .draw(area, buf, theme);
    for (i, line) in (0..).zip(lines(model, tour, area.width)) {
        Pen::new(buf, inner, i).skip(1).put(&line, theme.strong);
    }
}

/// The action of the hint under a position.
pub(super) fn hit(model: &Model, area: Rect, at: Position) -> Option<Action> {
    hints(model).under(at, in_border(area))
}

fn hints(model: &Model) -> Hints<'_> {
    let mut hints = Hints::of(model, Context::Tour).close();
    for row in model.options.keymap.rows(Context::Tour) {
        if let Some(word) = row.hint {
            hints.key(row.action, word);
        }
    }
    hints
}

fn foot(model: &Model, tour: &Tour, area: Rect) -> Line<'static> {
    let mut line = hints(model).line(&model.theme, area);
    if tour.auto && !tour.is_last() {
        line.push_span(Span::styled("  ▶ plays by itself", model.theme.accent));
    }
    line
}
