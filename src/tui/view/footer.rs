//! The footer: the few keys that matter now, a notice, or the line of a filter.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::hints::Hints;
use crate::tui::{
    keymap::Action,
    model::{Model, Overlay},
    widgets::{pen::Pen, text},
};

/// Draws the footer; gives the cursor where a filter is typed.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) -> Option<Position> {
    draw_parts(model, area, buf).0
}

/// The action of the hint under a position.
pub(super) fn hit(model: &Model, area: Rect, at: Position) -> Option<Action> {
    let mut buf = Buffer::empty(area);
    let (_, row) = draw_parts(model, area, &mut buf);
    hints(model).under(at, row)
}

/// Draws all of it; gives the cursor of a filter, and the row of the hints.
fn draw_parts(model: &Model, area: Rect, buf: &mut Buffer) -> (Option<Position>, Rect) {
    let theme = &model.theme;
    let mut cursor = None;
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(1);
    if model.typing_filter && model.overlays.is_empty() {
        let full;
        (cursor, full) = super::filter_line::draw(model, area, &mut pen);
        if full {
            return (cursor, Rect::default());
        }
    }
    let progress = progress(model);
    let notice = model.notice().or(progress.as_deref());
    let notice = notice.map(|notice| text::end(notice, usize::from(area.width) * 2 / 3).into_owned());
    let reserved = notice.as_ref().map_or(0, |notice| text::width(notice) + 3);
    let room = pen.rest().saturating_sub(reserved);
    let row = Rect { x: pen.x(), width: u16::try_from(room).unwrap_or(u16::MAX), ..area };
    for span in hints(model).spans(theme, room) {
        pen.put(&span.content, span.style);
    }
    if let Some(notice) = notice {
        let gap = pen.rest().saturating_sub(text::width(&notice) + 1);
        pen.skip(gap).put(&notice, theme.strong);
    }
    (cursor, row)
}

/// How far the inserts under way are, in words.
fn progress(model: &Model) -> Option<String> {
    let job = model.traffic.jobs.first()?;
    let done = text::count(job.done);
    let so_far = match (job.total, job.share) {
        (Some(total), _) => format!("{done} of {}", text::count(total)),
        (None, Some(share)) => format!("{done}, {:.0}% read", (share * 100.0).floor()),
        (None, None) => done,
    };
    let failed =
        if job.failed > 0 { format!(", {} refused", text::count(job.failed)) } else { String::new() };
    let more = match model.traffic.jobs.len() {
        1 => String::new(),
        n => format!(" (+{} more)", n - 1),
    };
    let held = if model.traffic.paused { " held" } else { "" };
    Some(format!("{}{held}: {so_far}{failed}{more}", text::middle(&job.label, 30)))
}

/// The keys that matter now, most important first.
fn hints(model: &Model) -> Hints<'_> {
    let context = model.context();
    let mut hints = Hints::of(model, context).close();
    for row in model.options.keymap.rows(context).filter(|row| applies(model, row.action)) {
        if let Some(word) = row.hint {
            hints.key(row.action, word);
        }
    }
    hints
}

/// Hints that would do nothing now are left out.
fn applies(model: &Model, action: Action) -> bool {
    match model.overlays.last() {
        None => match action {
            Action::StopInserts => !model.traffic.jobs.is_empty(),
            Action::ToggleTraffic => model.traffic.target_rate > 0.0 || model.traffic.paused,
            _ => true,
        },
        Some(Overlay::Rebuild(dialog)) => dialog.offers(action),
        Some(Overlay::Leases(dialog)) => dialog.offers(action),
        Some(Overlay::Restore(dialog)) => dialog.offers(action),
        Some(Overlay::Bookmarks(dialog)) => dialog.offers(action),
        // A question has its own words beside it.
        Some(Overlay::Verify(dialog)) if dialog.asking => action == Action::Back,
        Some(Overlay::Verify(_)) => model.verification.offers(action),
        Some(Overlay::Letters(letters)) => letters.offers(action),
        Some(Overlay::Tree(tree)) => tree.offers(action),
        Some(Overlay::Health { .. }) if action == Action::Down => super::health::overflow(model) > 0,
        Some(Overlay::Help { of, .. }) if action == Action::Down => super::help::overflow(model, *of) > 0,
        Some(Overlay::Preview(preview)) if action == Action::PageDown => {
            super::preview::overflow(model, preview) > 0
        }
        Some(Overlay::Follow(follow)) if action == Action::Down => super::follow::overflow(model, follow) > 0,
        Some(Overlay::Follow(follow)) => follow.offers(action),
        Some(_) => true,
    }
}
