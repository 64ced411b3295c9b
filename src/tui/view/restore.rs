//! Going back to a bookmark: exactly which leases, whose, what will come again; then what became of it.

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::{
    bookmarks::position,
    hints::Hints,
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
/// Columns before the id of a lease.
const DEED: usize = 10;

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
    if state.started {
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
    match state.plan() {
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
        let whose = if live == 1 { "a live owner".to_owned() } else { format!("live owners of {live}") };
        let key = model.key_in(Context::Restore, Action::TakeOver);
        let words = if state.takes_over() {
            format!("{whose} will lose them: {key} takes that back")
        } else {
            format!("{whose} would lose them: stop the owner first, or {key} agrees to take them over")
        };
        sheet.item("! ", &words, if state.takes_over() { theme.waiting } else { theme.bad });
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
        Some(1) => "1 LSN again".to_owned(),
        Some(lsns) => format!("{} LSNs again", text::count(lsns)),
        None => "it cannot be counted what comes again".to_owned(),
    };
    let mut way =
        format!("{} → {}, {again}", position(lease.now.as_deref()), position(lease.then.as_deref()));
    if let Some(parent) = &lease.split_from {
        // Writing to a text cannot fail.
        let _ = write!(way, ", part of {}", text::middle(parent, 20));
    }
    beside(
        sheet,
        vec![("   back   ".to_owned(), theme.text), (id, theme.text)],
        vec![(way, theme.strong), ("  ".to_owned(), theme.text), owner(model, lease)],
    );
}

/// The rest behind the id where there is room, else below it.
fn beside(sheet: &mut Sheet, mut line: Vec<(String, Style)>, rest: Vec<(String, Style)>) {
    let width = |parts: &[(String, Style)]| parts.iter().map(|(words, _)| text::width(words)).sum::<usize>();
    if width(&line) + 2 + width(&rest) <= sheet.columns() {
        line.push(("  ".to_owned(), Style::default()));
        line.extend(rest);
        sheet.parts(line);
    } else {
        let indent = (" ".repeat(DEED), Style::default());
        sheet.parts(line).parts(std::iter::once(indent).chain(rest).collect());
    }
}

fn owner(model: &Model, lease: &ComparedLease) -> (String, Style) {
    let theme = &model.theme;
    let (mut words, style) = match (&lease.owner, lease.live) {
        (None, _) => ("○ no owner".to_owned(), theme.dim),
        (Some(owner), true) => (format!("● {}", text::middle(owner, 20)), theme.bad),
        (Some(owner), false) => (format!("◐ {}, expired", text::middle(owner, 20)), theme.waiting),
    };
    if let Some(beat) = lease.heartbeat {
        // Writing to a text cannot fail.
        let _ = write!(words, ", beat {}", text::span(text::seconds_between(beat, model.now)));
    }
    if let Some(since) = lease.since.filter(|_| lease.live) {
        let _ = write!(words, ", since {} or before", &text::clock(since, &model.options.zone)[..8]);
    }
    (words, style)
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
pub(super) fn foot<'m>(model: &'m Model, state: &RestoreDialog) -> Hints<'m> {
    let mut hints = Hints::of(model, Context::Restore);
    if state.started {
        hints.key(Action::Back, "back");
        return hints;
    }
    if state.hindrance().is_none() {
        hints.key(Action::Submit, "go back");
    }
    if state.lease.is_some() {
        hints.key(Action::NextField, "which");
    }
    if state.plan().is_some_and(|plan| plan.live().next().is_some()) {
        hints.key(Action::TakeOver, "take over");
    }
    hints.key(Action::Copy, "copy command").key(Action::Back, "cancel");
    hints
}
