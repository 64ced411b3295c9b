//! Going back to a bookmark: exactly which leases, whose, what will come again; then what became of it.

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{
    bookmarks::position,
    hints::Hints,
    lease_plan::{DEED, Owner, beside, live_owners},
    sheet::{Sheet, Spot},
};
use crate::{
    engine::{Change, ComparedLease, RestoreOutcome, RestorePlan},
    tui::{
        keymap::{Action, Context},
        layout::{frame, inner},
        model::{Model, RestoreDialog},
        same_as,
        widgets::{pane::Pane as Border, text},
    },
};

/// Leases named; more than that are counted.
const MOST: usize = 200;
/// Refusals listed.
const LISTED: usize = 20;
const WIDTH: u16 = 104;

/// Draws the dialog.
pub(super) fn draw(model: &Model, state: &RestoreDialog, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let sheet = sheet(model, state, body);
    let area = sheet.area(body, WIDTH);
    super::backdrop(model, body, area, buf);
    let inner = Border::new(format!("Go back to {}", text::middle(&state.name, 40)))
        .foot(foot(model, state).line(theme, area))
        .focused(true)
        .draw(area, buf, theme);
    let more = model.options.keymap.key_of(Context::Restore, Action::PageDown);
    sheet.draw(state.scroll, inner, buf, theme, more.as_deref());
    None
}

/// Where it is.
pub(super) fn area(model: &Model, state: &RestoreDialog, body: Rect) -> Rect {
    sheet(model, state, body).area(body, WIDTH)
}

/// The choice under a position.
pub(in crate::tui) fn hit(model: &Model, state: &RestoreDialog, body: Rect, at: Position) -> Option<Spot> {
    let sheet = sheet(model, state, body);
    sheet.at(state.scroll, inner(sheet.area(body, WIDTH)), at)
}

/// How far the dialog can be scrolled.
pub(in crate::tui) fn overflow(model: &Model, state: &RestoreDialog) -> usize {
    let body = frame(model).body;
    sheet(model, state, body).overflow(body)
}

fn sheet(model: &Model, state: &RestoreDialog, body: Rect) -> Sheet {
    let theme = &model.theme;
    let mut sheet = Sheet::new(usize::from(WIDTH.min(body.width)).saturating_sub(4));
    if let Some(outcome) = &state.outcome {
        ended(model, outcome, &mut sheet);
        return sheet;
    }
    if state.agreement.started {
        sheet.words("◐ writing …", theme.waiting);
        return sheet;
    }
    let one = match &state.lease {
        Some(id) => text::middle(id, 60).into_owned(),
        None => "select one in the pane first".to_owned(),
    };
    sheet.choice(!state.one, "all", "every lease of the bookmark", theme);
    sheet.choice(state.one, "this one", &one, theme);
    sheet.blank();
    match state.agreement.plan() {
        Some(plan) => planned(model, state, plan, &mut sheet),
        None => drop(sheet.words("finding out what would happen …", theme.dim)),
    }
    sheet
}

fn planned(model: &Model, state: &RestoreDialog, plan: &RestorePlan, sheet: &mut Sheet) {
    let theme = &model.theme;
    if let Some(reason) = &plan.refused {
        sheet.item("! ", &format!("cannot be done now: {reason}"), theme.bad);
        return;
    }
    let live = plan.live().count();
    if plan.touched().next().is_none() {
        sheet.item(
            "! ",
            &format!("nothing goes back: {}", plan.hindrance().unwrap_or_default()),
            theme.waiting,
        );
    } else if live > 0 {
        live_owners(model, Context::Restore, live, state.agreement.takes_over(), sheet);
    }
    sheet.words(&plan.headline(), theme.strong);
    for lease in plan.leases.iter().take(MOST) {
        draw_lease(model, lease, sheet);
    }
    if plan.leases.len() > MOST {
        sheet.words(&format!("   … {} in all", text::count(plan.leases.len() as u64)), theme.dim);
    }
    sheet.item("Not touched: ", &plan.untouched(), theme.good);
    for line in plan.consequences() {
        sheet.item("→ ", &line, theme.text);
    }
    sheet.blank();
    sheet.item("same as  ", &same_as::restore(model, state), theme.dim);
}

fn draw_lease(model: &Model, lease: &ComparedLease, sheet: &mut Sheet) {
    let theme = &model.theme;
    let columns = sheet.columns().saturating_sub(DEED);
    let id = text::middle(&lease.id, columns).into_owned();
    if !lease.goes_back() {
        let why = lease.stays_because().unwrap_or(match lease.change {
            Change::Same => "it is there already",
            _ => "it is not in the bookmark",
        });
        let line = vec![("   stays  ".to_owned(), theme.dim), (id, theme.dim)];
        beside(sheet, line, vec![(why.to_owned(), theme.waiting)]);
        return;
    }
    let again = match lease.change.lsns() {
        Some(lsns) => format!("{} again", text::counted(lsns, "LSN")),
        None => "it cannot be counted what comes again".to_owned(),
    };
    let mut way =
        format!("{} → {}, {again}", position(lease.now.as_deref()), position(lease.then.as_deref()));
    if let Some(parent) = &lease.split_from {
        // Writing to a text cannot fail.
        let _ = write!(way, ", part of {}", text::middle(parent, 20));
    }
    let ComparedLease { live, heartbeat, since, .. } = *lease;
    let owner = Owner { name: lease.owner.as_deref(), live, heartbeat, since };
    beside(
        sheet,
        vec![("   back   ".to_owned(), theme.text), (id, theme.text)],
        vec![(way, theme.strong), owner.words(model)],
    );
}

fn ended(model: &Model, outcome: &RestoreOutcome, sheet: &mut Sheet) {
    let theme = &model.theme;
    let done = RestoreOutcome { refused: Vec::new(), ..outcome.clone() };
    let (glyph, style) = if outcome.refused.is_empty() { ("✓", theme.good) } else { ("!", theme.bad) };
    sheet.words(&format!("{glyph} {}", done.words()), style);
    if !outcome.restored.is_empty() {
        sheet.item(
            "→ ",
            "what follows the bookmark is delivered again as soon as somebody runs them",
            theme.text,
        );
    }
    for (id, reason) in outcome.refused.iter().take(LISTED) {
        sheet.words(&format!("   left: {}: {reason}", text::middle(id, 40)), theme.bad);
    }
    if outcome.refused.len() > LISTED {
        sheet.words(&format!("   … {} in all", text::count(outcome.refused.len() as u64)), theme.dim);
    }
}

/// What the keys do now.
pub(super) fn foot<'m>(model: &'m Model, state: &'m RestoreDialog) -> Hints<'m> {
    let mut hints = Hints::of(model, Context::Restore).only(|action| state.offers(action));
    hints.key(Action::Submit, "go back").key(Action::NextField, "which");
    hints.key(Action::TakeOver, "take over").key(Action::Copy, "copy command");
    hints.key(Action::Back, if state.agreement.started { "back" } else { "cancel" });
    hints
}
