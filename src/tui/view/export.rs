//! Where the latencies go: a form of file, and the command that does the same.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::wrap;
use crate::{
    engine::ExportForm,
    tui::{
        layout::{dialog, inner},
        model::{ExportDialog, Model},
        widgets::{
            pane::Pane as Border,
            pen::{Align, Pen},
        },
    },
};

/// Where the dialog is.
pub(super) fn area(body: Rect) -> Rect {
    dialog(body, 76, 14)
}

/// The form under a position.
pub(in crate::tui) fn hit(body: Rect, at: Position) -> Option<ExportForm> {
    let inner = inner(area(body));
    ExportForm::ALL.get(usize::from(at.y.checked_sub(inner.y)?)).copied()
}

/// Draws the dialog.
pub(super) fn draw(model: &Model, export: &ExportDialog, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(body);
    super::backdrop(model, body, area, buf);
    let inner = Border::new("Export the latencies of this run").focused(true).draw(area, buf, theme);
    for (i, form) in ExportForm::ALL.into_iter().enumerate() {
        let chosen = form == export.form();
        let mut pen = Pen::new(buf, inner, u16::try_from(i).unwrap_or(u16::MAX));
        let style = if chosen { theme.accent } else { theme.text };
        pen.put(if chosen { "▌" } else { " " }, theme.accent)
            .put(if chosen { "(•) " } else { "( ) " }, style);
        pen.cell(form.extension(), 7, Align::Left, style).put(form.about(), theme.dim);
    }
    let mut pen = Pen::new(buf, inner, 5);
    pen.skip(1).cell("writes", 9, Align::Left, theme.accent).put(&export.name(), theme.strong);
    pen.put("  in the current directory", theme.dim);
    let same = export.same_as(&model.options.same_as, model.options.slo_ms, model.options.slo_share);
    for (i, line) in wrap(&same, usize::from(inner.width).saturating_sub(11)).iter().enumerate() {
        let mut pen = Pen::new(buf, inner, u16::try_from(i + 7).unwrap_or(u16::MAX));
        pen.skip(1).cell(if i == 0 { "same as" } else { "" }, 9, Align::Left, theme.accent);
        pen.put(line, theme.dim);
    }
    None
}
