//! The guided tour's strip above the footer: which step, one line of explanation, whether it came about.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::wrap;
use crate::tui::{
    keymap::Context,
    model::{Model, Proof, Tour},
    widgets::{pane::Pane as Border, pen::Pen, text},
};

/// Lines of words at most.
const MOST: usize = 3;

fn lines(tour: &Tour, width: u16) -> Vec<String> {
    let mut lines = wrap(tour.step().words(), usize::from(width).saturating_sub(4));
    lines.truncate(MOST);
    lines
}

/// Height of the strip at this width, border included; 0 = no tour.
pub(crate) fn height(model: &Model, width: u16) -> u16 {
    let Some(tour) = &model.tour else { return 0 };
    u16::try_from(lines(tour, width).len()).unwrap_or(1) + 2
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
        .foot(keys(model, tour))
        .focused(true)
        .draw(area, buf, theme);
    for (i, line) in (0..).zip(lines(tour, area.width)) {
        Pen::new(buf, inner, i).skip(1).put(&line, theme.strong);
    }
}

fn keys<'a>(model: &Model, tour: &Tour) -> Line<'a> {
    let theme = &model.theme;
    let mut spans = Vec::new();
    for row in model.options.keymap.rows(Context::Tour) {
        let Some(hint) = row.hint else { continue };
        let Some(chord) = row.chords.first() else { continue };
        if !spans.is_empty() {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(chord.text(), theme.key));
        spans.push(Span::raw(format!(" {hint}")));
    }
    if tour.auto && !tour.is_last() {
        spans.push(Span::styled("  ▶ plays by itself", theme.accent));
    }
    Line::from(spans)
}
