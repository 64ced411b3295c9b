//! The dialog of deeds on leases: exactly which documents, whose, and what comes after it.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{
    hints::Hints,
    lease_plan::{DEED, Owner, beside, live_owners},
    sheet::{Sheet, Spot},
};
use crate::{
    engine::{LeaseDeed, LeaseOutcome, LeasePlan, LeaseStep, PlannedLease},
    tui::{
        keymap::{Action, Context},
        layout::{frame, inner},
        model::{LeaseDialog, Marking, Model},
        same_as as command_line,
        widgets::{pane::Pane as Border, text},
    },
};

/// Refusals listed.
const LISTED: usize = 6;
/// Documents named; more than that are counted.
const MOST_IDS: usize = 200;
const WIDTH: u16 = 104;

/// Draws the dialog.
pub(super) fn draw(model: &Model, state: &LeaseDialog, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let sheet = sheet(model, state, body);
    let area = sheet.area(body, WIDTH);
    super::backdrop(model, body, area, buf);
    let inner = Border::new(format!("Leases of {} in {}", model.options.source, model.options.leases))
        .foot(foot(model, state).line(theme, area))
        .focused(true)
        .draw(area, buf, theme);
    let more = model.options.keymap.key_of(Context::Leases, Action::PageDown);
    sheet.draw(state.scroll, inner, buf, theme, more.as_deref());
    None
}

/// Where it is.
pub(super) fn area(model: &Model, state: &LeaseDialog, body: Rect) -> Rect {
    sheet(model, state, body).area(body, WIDTH)
}

/// The choice under a position.
pub(in crate::tui) fn hit(model: &Model, state: &LeaseDialog, body: Rect, at: Position) -> Option<Spot> {
    let sheet = sheet(model, state, body);
    sheet.at(state.scroll, inner(sheet.area(body, WIDTH)), at)
}

/// How far the dialog can be scrolled.
pub(in crate::tui) fn overflow(model: &Model, state: &LeaseDialog) -> usize {
    let body = frame(model).body;
    sheet(model, state, body).overflow(body)
}

fn sheet(model: &Model, state: &LeaseDialog, body: Rect) -> Sheet {
    let theme = &model.theme;
    let mut sheet = Sheet::new(usize::from(WIDTH.min(body.width)).saturating_sub(4));
    choices(model, state, &mut sheet);
    if let Some(bookmark) = &state.bookmark {
        marked(model, bookmark, &mut sheet);
    }
    sheet.blank();
    if let Some(outcome) = &state.outcome {
        ended(model, outcome, &mut sheet);
    } else if state.agreement.started {
        sheet.words("◐ writing …", theme.waiting);
    } else if let Some(plan) = state.agreement.plan() {
        planned(model, state, plan, &mut sheet);
    } else {
        sheet.words("finding out what would happen …", theme.dim);
    }
    sheet
}

fn choices(model: &Model, state: &LeaseDialog, sheet: &mut Sheet) {
    let theme = &model.theme;
    for deed in LeaseDeed::ALL {
        let meaning = match deed {
            LeaseDeed::Release => "Owner becomes null: any running instance goes on where it stood",
            LeaseDeed::Delete => "the documents go, with the marker: positions are lost",
            LeaseDeed::Reset => "back to the start: everything is delivered again",
        };
        sheet.choice(deed == state.deed, deed.word(), meaning, theme);
    }
    let count = model.leases.snapshot.rows.len();
    let one = match &state.lease {
        Some(id) => text::middle(id, 60).into_owned(),
        None => "select one in the pane first".to_owned(),
    };
    sheet.choice(!state.all, "this one", &one, theme);
    sheet.choice(state.all, "all", &format!("{count} of this prefix, and no other's"), theme);
}

/// The bookmark, and the command lines that keep and compare it.
fn marked(model: &Model, bookmark: &Marking, sheet: &mut Sheet) {
    let theme = &model.theme;
    sheet.blank();
    match bookmark {
        Marking::Saving(name) => {
            sheet.words(&format!("◐ saving bookmark {name} …"), theme.waiting);
        }
        Marking::Told(told) if told.outcome.is_err() => {
            sheet.item("! ", &told.words(), theme.bad);
        }
        Marking::Told(told) => {
            sheet.item("✓ ", &told.words(), theme.good);
            let line = |word| command_line::line(model, &format!("leases {word} {}", told.name));
            sheet.item("  same as  ", &line("save"), theme.dim);
            sheet.item("  compare  ", &line("diff"), theme.dim);
            sheet.item("  go back  ", &line("restore"), theme.dim);
        }
    }
}

fn planned(model: &Model, state: &LeaseDialog, plan: &LeasePlan, sheet: &mut Sheet) {
    let theme = &model.theme;
    if let Some(reason) = &plan.refused {
        sheet.item("! ", &format!("cannot be done now: {reason}"), theme.bad);
        return;
    }
    let live = plan.live().count();
    if live > 0 {
        live_owners(model, Context::Leases, live, state.agreement.takes_over(), sheet);
    }
    sheet.words(&plan.headline(), theme.strong);
    for document in plan.touched().take(MOST_IDS) {
        draw_document(model, document, sheet);
    }
    let touched = plan.touched().count();
    if touched > MOST_IDS {
        sheet.words(&format!("   … {touched} in all"), theme.dim);
    }
    sheet.item("Not touched: ", &plan.untouched(), theme.good);
    for line in plan.consequences() {
        sheet.item("→ ", line, theme.text);
    }
    sheet.blank();
    sheet.item("same as  ", &same_as(model, state), theme.dim);
}

/// The command line that does the same, with the servers.
pub(in crate::tui) fn same_as(model: &Model, state: &LeaseDialog) -> String {
    format!("{} {}", state.order().command(), model.options.same_as).trim_end().to_owned()
}

fn draw_document(model: &Model, document: &PlannedLease, sheet: &mut Sheet) {
    let theme = &model.theme;
    let deed = match document.step {
        LeaseStep::Free => "free  ",
        LeaseStep::Rewind => "rewind",
        LeaseStep::Delete | LeaseStep::Nothing => "delete",
    };
    let PlannedLease { live, heartbeat, since, .. } = *document;
    let owner = match document.token {
        Some(_) => Owner { name: document.owner.as_deref(), live, heartbeat, since }.words(model),
        None => ("the marker that leases were made".to_owned(), theme.dim),
    };
    let id = text::middle(&document.id, sheet.columns().saturating_sub(DEED)).into_owned();
    beside(sheet, vec![(format!("   {deed} "), theme.text), (id, theme.text)], vec![owner]);
}

fn ended(model: &Model, outcome: &LeaseOutcome, sheet: &mut Sheet) {
    let theme = &model.theme;
    let done = LeaseOutcome { refused: Vec::new(), ..outcome.clone() };
    let (glyph, style) = if outcome.refused.is_empty() { ("✓", theme.good) } else { ("!", theme.bad) };
    sheet.words(&format!("{glyph} {}", done.words()), style);
    for (id, reason) in outcome.refused.iter().take(LISTED) {
        sheet.words(&format!("   left: {}: {reason}", text::middle(id, 40)), theme.bad);
    }
}

/// What the keys do now.
pub(super) fn foot<'m>(model: &'m Model, state: &'m LeaseDialog) -> Hints<'m> {
    let mut hints = Hints::of(model, Context::Leases).only(|action| state.offers(action));
    hints.key(Action::Submit, state.deed.word()).pair(Action::Up, Action::Down, "what");
    hints.key(Action::NextField, "which").key(Action::TakeOver, "take over");
    hints.key(Action::Copy, "copy command").key(Action::SaveBookmark, "bookmark");
    hints.key(Action::Bookmarks, "bookmarks");
    hints.key(Action::Back, if state.agreement.started { "close" } else { "cancel" });
    hints
}
