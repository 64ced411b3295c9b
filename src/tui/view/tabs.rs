//! The tabs of a narrow screen.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};

use crate::tui::{
    model::{Model, Pane},
    widgets::{pen::Pen, text},
};

fn label(model: &Model, pane: Pane) -> String {
    let trouble = match pane {
        Pane::Feed => model.feed.status.problem.is_some() || is_down(model.cosmos.as_ref()),
        Pane::Leases => model.leases.snapshot.problem.is_some(),
        Pane::Cache => model.cache.status.problem.is_some() || is_down(model.redis.as_ref()),
        Pane::Latency | Pane::Log => false,
    };
    format!("{} {}{}", pane.index() + 1, pane.title(), if trouble { " !" } else { "" })
}

fn is_down(state: Option<&crate::engine::ConnectionState>) -> bool {
    matches!(state, Some(crate::engine::ConnectionState::Down { .. }))
}

/// Draws the tabs.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, 0);
    for pane in Pane::ALL {
        let style = if pane == model.focus {
            theme.accent.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else {
            theme.dim
        };
        pen.skip(1).put(&label(model, pane), style).skip(2);
    }
    if let Some(name) = model.thread.name() {
        let name = text::middle(&super::masked(model, name), pen.rest().saturating_sub(4)).into_owned();
        let gap = pen.rest().saturating_sub(text::width(&name) + 3);
        pen.skip(gap).put("▌", theme.accent).put(&name, theme.text);
    }
}

/// The tab under a column.
pub(crate) fn hit(model: &Model, area: Rect, column: u16) -> Option<Pane> {
    let mut x = area.x;
    for pane in Pane::ALL {
        let width = u16::try_from(text::width(&label(model, pane))).unwrap_or(0) + 3;
        if (x..x + width).contains(&column) {
            return Some(pane);
        }
        x += width;
    }
    None
}
