//! A question with yes and no.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::wrap;
use crate::tui::{
    layout::dialog,
    model::{Model, Question},
    widgets::{pane::Pane as Border, pen::Pen},
};

/// Draws the question.
pub(super) fn draw(model: &Model, question: Question, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let (title, words) = match question {
        Question::StopSync => (
            "Stop the sync?",
            format!(
                "Batches under way are finished and {} of {} leases released. Until it is started again, \
                 changes of {} do not reach the cache.",
                model.sync.owned, model.sync.leases, model.options.source
            ),
        ),
        Question::KillInstance => (
            "Kill an instance?",
            format!(
                "{} ends as if its process had died: nothing is released, its leases have to expire before \
                 others take them over. Nothing is lost.",
                model.sync.instances.last().map_or("The newest instance", String::as_str)
            ),
        ),
    };
    let area = dialog(body, 60, 8);
    super::backdrop(model, body, area, buf);
    let inner = Border::new(title).focused(true).draw(area, buf, theme);
    for (i, line) in wrap(&words, usize::from(inner.width).saturating_sub(2)).iter().enumerate() {
        Pen::new(buf, inner, u16::try_from(i).unwrap_or(u16::MAX)).skip(1).put(line, theme.text);
    }
    let mut pen = Pen::new(buf, inner, inner.height.saturating_sub(1));
    pen.skip(1).put("enter", theme.key).put(" yes   ", theme.dim).put("esc", theme.key).put(" no", theme.dim);
    None
}
