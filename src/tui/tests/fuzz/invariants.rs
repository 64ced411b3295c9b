//! What holds of the model after every message.

use std::mem::discriminant;

use ratatui::layout::Rect;

use super::{CACHE_ROWS, FEED_ROWS};
use crate::tui::{
    Arrangement, Model,
    layout::{self, Shape},
    model::{DocumentEditor, Follow, Look, Overlay, Pane},
    view,
};

/// Lists within their bounds, cursors within their lists, one of each overlay.
pub(super) fn hold(model: &Model) {
    let ring = &model.feed.ring;
    assert!(ring.len() <= FEED_ROWS && ring.shown() <= ring.len());
    assert!(model.feed.documents() <= ring.len());
    assert!(model.cache.len() <= CACHE_ROWS && model.cache.shown() <= model.cache.len());
    assert!(model.log.len() <= 1_000 && model.log.shown() <= model.log.len());
    assert!(model.leases.events.len() <= 200);
    assert!(model.verification.findings.len() <= 1_000);
    assert!(model.arrangement.hidden().count() < Pane::ALL.len(), "one pane stays");
    assert!(model.recent.len() <= 6);
    let kept = model.arrangement.to_string();
    assert_eq!(Arrangement::parse(&kept).as_ref(), Some(&model.arrangement), "{kept}");
    panes_side_by_side(model);
    cursors_within(model);
    for (place, overlay) in model.overlays.iter().enumerate() {
        let same = |other: &Overlay| discriminant(other) == discriminant(overlay);
        assert!(!model.overlays[..place].iter().any(same), "one of each: {:?}", overlay.context());
        within(model, overlay);
    }
    if let Some(top) = model.overlays.last() {
        scrolled_no_further_than_to_the_end(model, top);
    }
    if let Some(notice) = &model.notice {
        let left = notice.until.duration_since(model.now).as_secs();
        assert!(left <= 4, "a notice would stay for {left} s");
    }
}

/// Every cursor of the panes is on something, or there is none.
fn cursors_within(model: &Model) {
    let (feed, log) = (&model.feed.ring, &model.log);
    for (cursor, place, shown, pane) in [
        (feed.cursor(), feed.cursor().map(|n| feed.place(n)), feed.shown(), "feed"),
        (log.cursor(), log.cursor().map(|n| log.place(n)), log.shown(), "log"),
    ] {
        assert!(shown == 0 || place.is_none_or(|place| place < shown), "{pane}: {cursor:?} of {shown}");
    }
    let leases = &model.leases;
    if let Some(cursor) = &leases.cursor {
        assert!(leases.snapshot.rows.iter().any(|row| row.id == *cursor), "no lease {cursor}");
    }
    assert!(leases.shown().count() <= leases.snapshot.rows.len());
    if let Some(cursor) = model.slow_cursor {
        assert!(cursor < model.latency.slowest.len(), "{cursor} of {}", model.latency.slowest.len());
    }
}

fn within(model: &Model, overlay: &Overlay) {
    let in_list = |cursor: usize, list: usize| assert!(cursor < list.max(1), "{cursor} of {list}");
    match overlay {
        Overlay::Follow(follow) => followed(follow),
        Overlay::Edit(editor) => edited(editor),
        Overlay::Insert(form) => in_list(form.focus, form.lines().len()),
        Overlay::Rebuild(dialog) => in_list(dialog.cursor, dialog.leases.len()),
        Overlay::Letters(letters) => in_list(letters.place(), letters.rows().len()),
        Overlay::Tree(tree) => in_list(tree.place(), tree.rows().len()),
        Overlay::Verify(dialog) => in_list(dialog.cursor, model.verification.findings.len()),
        Overlay::Leases(_)
        | Overlay::Bookmarks(_)
        | Overlay::Restore(_)
        | Overlay::Preview(_)
        | Overlay::Help { .. }
        | Overlay::Palette(_)
        | Overlay::Confirm(_)
        | Overlay::Export(_)
        | Overlay::Stage
        | Overlay::Health { .. } => {}
    }
}

/// What is looked at is there, and so is the difference that was jumped to.
fn followed(follow: &Follow) {
    let versions = follow.detail.as_ref().map_or(0, |detail| detail.versions.len());
    if let Look::Version(at) = follow.look {
        assert!(at < versions, "version {at} of {versions}");
    }
    let differences = follow.diff.starts().len();
    assert!(follow.at.is_none_or(|at| at < differences), "{:?} of {differences}", follow.at);
    assert!(
        follow.comparing.is_none() || matches!(follow.look, Look::Version(_) | Look::Source | Look::Entry)
    );
}

/// The cursor stands in a line, between two whole characters.
fn edited(editor: &DocumentEditor) {
    let ((row, column), lines) = (editor.text.cursor(), editor.text.lines());
    let line = lines.get(row).unwrap_or_else(|| panic!("line {row} of {}", lines.len()));
    let byte = line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(column);
    assert!(byte.is_some_and(|byte| line.is_char_boundary(byte)), "column {column} of {line:?}");
}

fn scrolled_no_further_than_to_the_end(model: &Model, top: &Overlay) {
    if layout::frame(model).shape == Shape::TooSmall {
        return;
    }
    // As the reducer does, which looks at it without the overlay itself.
    let mut below = model.clone();
    below.overlays.pop();
    let model = &below;
    let (scroll, most) = match top {
        Overlay::Rebuild(dialog) => (dialog.scroll, view::rebuild::overflow(model, dialog)),
        Overlay::Leases(dialog) => (dialog.scroll, view::lease_dialog::overflow(model, dialog)),
        Overlay::Preview(preview) => (preview.scroll, view::preview::overflow(model, preview)),
        Overlay::Letters(letters) => {
            let lines = letters.selected().map_or(0, |row| view::letters::lines(row).len());
            (letters.scroll, lines.saturating_sub(1))
        }
        Overlay::Help { of, scroll } => (*scroll, view::help::overflow(model, *of)),
        Overlay::Health { scroll } => (*scroll, view::health::overflow(model)),
        Overlay::Follow(follow) => {
            let height = view::follow::diff_height(model, follow, layout::frame(model).body);
            (follow.scroll, follow.rows(height).saturating_sub(height))
        }
        Overlay::Palette(palette) => {
            (palette.cursor, model.palette_rows(palette.input.value()).len().saturating_sub(1))
        }
        _ => return,
    };
    assert!(scroll <= most, "scrolled to {scroll} of {most} in {:?}", top.context());
}

/// Panes lie inside the body, one beside the other, and one of them has the focus.
fn panes_side_by_side(model: &Model) {
    let frame = layout::frame(model);
    if frame.shape == Shape::TooSmall {
        return;
    }
    let areas: Vec<Rect> =
        Pane::ALL.into_iter().map(|pane| frame.pane(pane)).filter(|area| !area.is_empty()).collect();
    for (i, area) in areas.iter().enumerate() {
        assert_eq!(area.intersection(frame.body), *area, "{:?}", model.arrangement);
        assert!(areas[..i].iter().all(|other| area.intersection(*other).is_empty()), "{areas:?}");
    }
    let low = frame.shape == Shape::Low && frame.pane(model.focus).is_empty();
    assert!(low || !frame.pane(model.focus).is_empty(), "{:?} of {:?}", model.focus, model.arrangement);
}

/// What the cursor is on can be seen, once the pane is.
pub(super) fn cursors_in_view(model: &Model) {
    let frame = layout::frame(model);
    if frame.shape == Shape::TooSmall {
        return;
    }
    let height = |pane| usize::from(frame.rows(pane, model).height);
    let seen = |pane: Pane, place: usize, top: usize| {
        let rows = height(pane);
        assert!(
            rows == 0 || (top..top + rows).contains(&place),
            "{pane:?}: row {place} of a window of {rows} from {top}"
        );
    };
    for (pane, place, top) in [
        (Pane::Feed, model.feed.ring.cursor().map(|n| model.feed.ring.place(n)), model.feed.ring.top()),
        (Pane::Log, model.log.cursor().map(|n| model.log.place(n)), model.log.top()),
    ] {
        if let Some(place) = place {
            seen(pane, place, top);
        }
    }
    let rows = height(Pane::Cache);
    if rows > 0
        && let Some(cursor) = model.cache.cursor()
    {
        assert!(model.cache.window(rows).iter().any(|(key, _)| *key == cursor), "the cursor of the cache");
    }
}
