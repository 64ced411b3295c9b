//! The tabs of a narrow screen.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};

use crate::tui::{
    keymap::{Action, Context},
    model::{Model, Pane},
    widgets::{pen::Pen, text},
};

/// Name of a pane with the key that goes to it.
pub(super) fn label(model: &Model, pane: Pane) -> String {
    let key = model.options.keymap.key_of(Context::Main, Action::Focus(pane));
    key.map_or(String::new(), |key| format!("{key} ")) + pane.title()
}

/// What the tabs say; without their keys where those are too long to have room.
fn tabs(model: &Model, area: Rect) -> [(Pane, String); 5] {
    let with = |keys: bool| {
        Pane::ALL.map(|pane| {
            let name = if keys { label(model, pane) } else { pane.title().to_owned() };
            (pane, format!("{name}{}", if in_trouble(model, pane) { " !" } else { "" }))
        })
    };
    let tabs = with(true);
    let width: usize = tabs.iter().map(|(_, tab)| text::width(tab) + GAPS).sum();
    if width <= usize::from(area.width) { tabs } else { with(false) }
}

/// Columns around a tab.
const GAPS: usize = 3;

fn in_trouble(model: &Model, pane: Pane) -> bool {
    match pane {
        Pane::Feed => model.feed.status.problem.is_some() || is_down(model.cosmos.as_ref()),
        Pane::Leases => model.leases.snapshot.problem.is_some(),
        Pane::Cache => model.cache.status.problem.is_some() || is_down(model.redis.as_ref()),
        Pane::Latency | Pane::Log => false,
    }
}

fn is_down(state: Option<&crate::engine::ConnectionState>) -> bool {
    matches!(state, Some(crate::engine::ConnectionState::Down { .. }))
}

/// Draws the tabs.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, 0);
    for (pane, tab) in tabs(model, area) {
        let style = if pane == model.focus {
            theme.accent.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else {
            theme.dim
        };
        pen.skip(1).put(&tab, style).skip(2);
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
    for (pane, tab) in tabs(model, area) {
        let width = u16::try_from(text::width(&tab) + GAPS).unwrap_or(0);
        if (x..x + width).contains(&column) {
            return Some(pane);
        }
        x += width;
    }
    None
}
