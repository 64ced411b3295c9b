//! What of a frame can be clicked on: boxes, and the hints in them, in the footer and in the tour's strip.

use ratatui::layout::{Position, Rect};

use super::hints::{Hints, in_border};
use crate::tui::{
    keymap::{Action, Context},
    layout,
    model::{Model, Overlay},
};

/// Where the topmost overlay is; `None` = there is none.
pub(crate) fn area(model: &Model) -> Option<Rect> {
    let body = layout::frame(model).body;
    Some(match model.overlays.last()? {
        Overlay::Follow(_) | Overlay::Edit(_) | Overlay::Stage => body,
        Overlay::Insert(form) => super::insert::area(form, body),
        Overlay::Rebuild(dialog) => super::rebuild::area(model, dialog, body),
        Overlay::Leases(dialog) => super::lease_dialog::area(model, dialog, body),
        Overlay::Bookmarks(_) => super::bookmarks::area(body),
        Overlay::Restore(dialog) => super::restore::area(model, dialog, body),
        Overlay::Letters(_) => super::letters::area(body),
        Overlay::Tree(_) => super::tree::area(body),
        Overlay::Preview(preview) => super::preview::area(model, preview, body),
        Overlay::Verify(_) => super::verify::area(body, model.verification.findings.len()),
        Overlay::Help { .. } => super::help::area(model),
        Overlay::Palette(_) => super::palette::area(body),
        Overlay::Confirm(question) => super::confirm::area(model, *question, body),
        Overlay::Export(_) => super::export::area(body),
        Overlay::Health { .. } => super::health::area(model),
    })
}

/// The hints of the topmost overlay, and the row in which they are drawn.
fn hints(model: &Model) -> Option<(Hints<'_>, Rect)> {
    let area = area(model)?;
    let row = in_border(area);
    Some(match model.overlays.last()? {
        Overlay::Rebuild(dialog) => (super::rebuild::foot(model, dialog), row),
        Overlay::Leases(dialog) => (super::lease_dialog::foot(model, dialog), row),
        Overlay::Bookmarks(dialog) => (super::bookmarks::foot(model, dialog), row),
        Overlay::Restore(dialog) => (super::restore::foot(model, dialog), row),
        Overlay::Letters(letters) => (super::letters::foot(model, letters), row),
        Overlay::Tree(tree) => (super::tree::foot(model, tree), row),
        Overlay::Preview(_) => (super::preview::foot(model), row),
        Overlay::Verify(dialog) => (super::verify::foot(model, dialog), row),
        Overlay::Confirm(_) => (super::confirm::foot(model), super::confirm::foot_row(area)),
        Overlay::Follow(_)
        | Overlay::Edit(_)
        | Overlay::Insert(_)
        | Overlay::Help { .. }
        | Overlay::Palette(_)
        | Overlay::Export(_)
        | Overlay::Stage
        | Overlay::Health { .. } => return None,
    })
}

/// What the hint under a position means, such as `esc back`, and where its key is typed.
pub(crate) fn hint(model: &Model, at: Position) -> Option<(Context, Action)> {
    let frame = layout::frame(model);
    if frame.footer.contains(at) {
        return Some((model.context(), super::footer::hit(model, frame.footer, at)?));
    }
    if frame.tour.contains(at) {
        return Some((Context::Tour, super::tour::hit(model, frame.tour, at)?));
    }
    let (hints, row) = hints(model)?;
    Some((hints.context(), hints.under(at, row)?))
}
