//! The rebuild dialog: the modes, exactly what each will do and where, what stays; then how far it is, and
//! what the verification at the end has found.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{
    hints::Hints,
    sheet::{Sheet, Spot},
};
use crate::{
    engine::{ForeignOwner, ProofKind, RebuildPhase, RebuildPlan, RebuildReport, RebuildStatus},
    tui::{
        keymap::{Action, Context},
        layout::{frame, inner},
        model::{Model, RebuildChoice, RebuildDialog},
        widgets::{bar, pane::Pane as Border, text},
    },
};

/// Leases offered at once.
const LISTED: usize = 4;
/// Ids named; more than that are counted.
const MOST_IDS: usize = 200;
const WIDTH: u16 = 104;
/// Columns before a time that is typed.
const TIME: u16 = 1 + 15;

/// Draws the dialog; gives the cursor where a time is typed.
pub(super) fn draw(model: &Model, state: &RebuildDialog, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let sheet = sheet(model, state, body);
    let area = sheet.area(body, WIDTH);
    super::backdrop(model, body, area, buf);
    let inner = Border::new(format!("Rebuild the cache of {}", model.options.source))
        .foot(foot(model, state).line(theme, area))
        .focused(true)
        .draw(area, buf, theme);
    let more = model.options.keymap.key_of(context(state), Action::PageDown);
    sheet.draw(state.scroll, inner, buf, theme, more.as_deref());
    let typing = state.takes_text() && state.scroll == 0 && inner.height > 2;
    typing.then(|| {
        let column = u16::try_from(state.since.visual_cursor()).unwrap_or(0);
        Position { x: (inner.x + TIME + column).min(inner.right().saturating_sub(1)), y: inner.y + 2 }
    })
}

/// The first lease that is listed.
pub(in crate::tui) fn first_listed(state: &RebuildDialog) -> usize {
    (state.cursor + 1).saturating_sub(LISTED)
}

/// Where it is.
pub(super) fn area(model: &Model, state: &RebuildDialog, body: Rect) -> Rect {
    sheet(model, state, body).area(body, WIDTH)
}

/// The column of the screen where the time that is typed begins.
pub(in crate::tui) fn time_column(model: &Model, state: &RebuildDialog, body: Rect) -> u16 {
    inner(area(model, state, body)).x + TIME
}

/// The choice under a position.
pub(in crate::tui) fn hit(model: &Model, state: &RebuildDialog, body: Rect, at: Position) -> Option<Spot> {
    let sheet = sheet(model, state, body);
    sheet.at(state.scroll, inner(sheet.area(body, WIDTH)), at)
}

/// How far the dialog can be scrolled.
pub(in crate::tui) fn overflow(model: &Model, state: &RebuildDialog) -> usize {
    let body = frame(model).body;
    sheet(model, state, body).overflow(body)
}

fn sheet(model: &Model, state: &RebuildDialog, body: Rect) -> Sheet {
    let theme = &model.theme;
    let mut sheet = Sheet::new(usize::from(WIDTH.min(body.width)).saturating_sub(4));
    if state.started {
        progress(model, &mut sheet);
    } else {
        choices(model, state, &mut sheet);
        match (state.plan(), state.order(model.now, &model.options.zone)) {
            (Some(plan), _) => planned(model, plan, state, &mut sheet),
            (None, Err(missing)) => {
                let tick = state.choice == RebuildChoice::Leases;
                let key = model.options.keymap.key_of(Context::Rebuild, Action::Tick).filter(|_| tick);
                let key = key.map_or(String::new(), |key| format!(": {key}"));
                sheet.words(&format!("{missing}{key}"), theme.waiting);
            }
            (None, Ok(_)) => drop(sheet.words("finding out what would happen …", theme.dim)),
        }
    }
    sheet
}

fn choices(model: &Model, state: &RebuildDialog, sheet: &mut Sheet) {
    let theme = &model.theme;
    let chosen = |choice| state.choice == choice;
    let dot = |chosen: bool| match (chosen, theme.ascii) {
        (true, false) => "(•) ",
        (true, true) => "(*) ",
        (false, _) => "( ) ",
    };
    sheet.choice(
        chosen(RebuildChoice::Refill),
        "refill",
        "replay over the live cache, then sweep orphans: readers never miss",
        theme,
    );
    sheet.choice(
        chosen(RebuildChoice::Flush),
        "flush",
        "delete this mapping's keys first: readers will miss",
        theme,
    );
    if chosen(RebuildChoice::Since) {
        sheet.spot_choice().parts(vec![
            (dot(true).to_owned(), theme.accent),
            (format!("{:<11}", "since"), theme.strong),
            (text::end(state.since.value(), 30).into_owned(), theme.key),
            ("   type 15m, 2h, 14:02 or a whole time".to_owned(), theme.dim),
        ]);
    } else {
        sheet.choice(false, "since …", "only what changed after a time; nothing is swept", theme);
    }
    let ticked = state.leases.iter().filter(|lease| lease.ticked).count();
    let words = format!("only these: {ticked} of {} ticked; nothing is swept", state.leases.len());
    sheet.choice(chosen(RebuildChoice::Leases), "leases …", &words, theme);
    if chosen(RebuildChoice::Leases) {
        let from = first_listed(state);
        for (i, lease) in state.leases.iter().enumerate().skip(from).take(LISTED) {
            let row = model.leases.snapshot.rows.iter().find(|row| row.id == lease.id);
            let range = row.map_or_else(String::new, super::leases::range_words);
            let words = format!("{range:<7} {}", text::middle(&lease.token, 50));
            let style = if i == state.cursor { theme.selection } else { theme.text };
            sheet.tick(lease.ticked, &words, style, theme);
        }
    }
    sheet.blank();
}

fn planned(model: &Model, plan: &RebuildPlan, state: &RebuildDialog, sheet: &mut Sheet) {
    let theme = &model.theme;
    // What keeps one from it comes first: it must be seen in a small terminal, too.
    if let Some(reason) = &plan.refused {
        sheet.item("! ", &format!("cannot be done now: {reason}"), theme.bad);
    }
    owners(model, plan, state, sheet);
    for warning in plan.warnings.iter().take(3) {
        sheet.item("! ", warning, theme.bad);
    }
    sheet.words("What will happen", theme.strong);
    for (i, step) in plan.steps().iter().enumerate() {
        sheet.item(&format!("  {}  ", i + 1), step, theme.text);
    }
    if let Some(estimate) = plan.estimate {
        let seconds = i64::try_from(estimate.as_secs()).unwrap_or(i64::MAX);
        let words = if seconds == 0 { "about a second".to_owned() } else { text::span(seconds) };
        sheet.item("     ", &format!("may take {words}, as a careful guess"), theme.dim);
    }
    if let ProofKind::Lsns { reason } = &plan.proof {
        sheet.item("     ", &format!("no marker documents: {reason}"), theme.dim);
    }
    sheet.item("Not touched: ", &plan.untouched(), theme.good);
    sheet.item("same as  ", &same_as(plan, state), theme.dim);
    let (ids, what) = if plan.delete.is_empty() {
        (&plan.reset, "These go back to the start")
    } else {
        (&plan.delete, "These are deleted, and no others")
    };
    if !ids.is_empty() {
        sheet.words(what, theme.strong);
    }
    for id in ids.iter().take(MOST_IDS) {
        sheet.words(&format!("     {}", text::middle(id, sheet.columns().saturating_sub(6))), theme.text);
    }
    if ids.len() > MOST_IDS {
        sheet.words(&format!("     … {} in all", ids.len()), theme.dim);
    }
}

/// Who else works on it, and what can be done about that.
fn owners(model: &Model, plan: &RebuildPlan, state: &RebuildDialog, sheet: &mut Sheet) {
    let theme = &model.theme;
    if plan.foreign_owners.is_empty() {
        return;
    }
    for ForeignOwner { name, leases, heartbeat_age, since } in plan.foreign_owners.iter().take(4) {
        let beat = text::span(i64::try_from(*heartbeat_age).unwrap_or(i64::MAX));
        let since = since.map_or_else(String::new, |at| {
            format!(", since {} or before", &text::clock(at, &model.options.zone)[..8])
        });
        let name = text::middle(name, 36);
        sheet.words(
            &format!("! {name} owns {}{since}, heartbeat {beat} ago", text::counted(*leases, "lease")),
            theme.bad,
        );
    }
    match (state.take_over, state.wait) {
        (true, _) => sheet.item("  ", "taken over: its workers lose them at their next write", theme.waiting),
        (_, true) => {
            sheet.item("  ", "waits until it has stopped: stop that function or processor", theme.waiting)
        }
        _ => {
            for line in plan.advice() {
                sheet.item("  · ", &line, theme.text);
            }
            let key = |action| model.key_in(context(state), action);
            let words = format!("{} waits, {} takes over", key(Action::Wait), key(Action::TakeOver));
            sheet.item("  ", &words, theme.strong)
        }
    };
}

/// The command line with what was agreed to since.
pub(in crate::tui) fn same_as(plan: &RebuildPlan, state: &RebuildDialog) -> String {
    let mut line = plan.same_as.clone();
    for (flag, set) in [(" --take-over", state.take_over), (" --wait", state.wait)] {
        if set && !line.contains(flag) {
            line.push_str(flag);
        }
    }
    line
}

/// Where its keys are typed.
fn context(state: &RebuildDialog) -> Context {
    if state.takes_text() { Context::RebuildSince } else { Context::Rebuild }
}

/// What the keys do now.
pub(super) fn foot<'m>(model: &'m Model, state: &'m RebuildDialog) -> Hints<'m> {
    let running = model.rebuilding().is_some() || model.rebuild.is_none();
    let back = match state.started {
        false => "cancel",
        true if running => "leave it running",
        true => "close",
    };
    let mut hints = Hints::of(model, context(state)).only(|action| state.offers(action));
    hints.key(Action::Submit, "start").pair(Action::Up, Action::Down, "mode");
    hints.pair(Action::PreviousChoice, Action::NextChoice, "lease").key(Action::Tick, "tick");
    hints.key(Action::Wait, "wait").key(Action::TakeOver, "take over").key(Action::Back, back);
    hints
}

fn progress(model: &Model, sheet: &mut Sheet) {
    let theme = &model.theme;
    let Some(status) = &model.rebuild else {
        sheet.blank().words("starting …", theme.waiting);
        return;
    };
    let at = match &status.phase {
        RebuildPhase::Waiting { .. } | RebuildPhase::Stopping => 0,
        RebuildPhase::Deleting | RebuildPhase::Flushing => 1,
        RebuildPhase::Replaying => 2,
        RebuildPhase::Verifying => 3,
        RebuildPhase::Done => 4,
        RebuildPhase::Failed { .. } => 5,
    };
    if at < 5 {
        let flushing = status.phase == RebuildPhase::Flushing;
        let second = if flushing { "delete the keys of the mapping" } else { "prepare leases and cache" };
        let names = ["stop the workers", second, "replay", "verify, mend and sweep"];
        for (i, name) in names.into_iter().enumerate() {
            let (glyph, style) = match i.cmp(&at) {
                std::cmp::Ordering::Less => ("✓", theme.good),
                std::cmp::Ordering::Equal => ("◐", theme.waiting),
                std::cmp::Ordering::Greater => ("○", theme.dim),
            };
            sheet.words(&format!("{glyph} {name}"), style);
        }
        sheet.blank();
    }
    bar_lines(model, status, sheet);
    proof(model, status, sheet);
    match &status.phase {
        RebuildPhase::Waiting { owners } => {
            sheet.blank().words(&format!("◐ waiting: {owners}"), theme.waiting);
        }
        RebuildPhase::Done => ended(model, status, sheet),
        RebuildPhase::Failed { reason } => {
            sheet.blank().words(&format!("! {reason}"), theme.bad);
        }
        _ => {}
    }
}

fn bar_lines(model: &Model, status: &RebuildStatus, sheet: &mut Sheet) {
    let theme = &model.theme;
    let figures = match status.total {
        Some(total) if total > 0 => {
            let fraction = status.done.min(total) as f64 / total as f64;
            let columns = sheet.columns().saturating_sub(6);
            let filled = bar::filled(fraction, columns, theme.ascii);
            let rest = columns.saturating_sub(text::width(&filled));
            let percent = (fraction * 100.0).floor();
            let dot = if theme.ascii { "." } else { "·" };
            sheet.parts(vec![
                (filled, theme.accent),
                (dot.repeat(rest), theme.dim),
                (format!(" {percent:>3}%"), theme.strong),
            ]);
            format!("{} of {}", text::count(status.done), text::count(total))
        }
        _ => text::counted(status.done, "document"),
    };
    let seconds = |time: std::time::Duration| text::span(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let left = status.left.filter(|_| status.phase == RebuildPhase::Replaying);
    let left = left.map_or_else(String::new, |left| format!("   {} left", seconds(left)));
    let (rate, elapsed) = (text::rate(status.rate), seconds(status.elapsed));
    sheet.words(&format!("{figures}   {rate}   {elapsed}{left}"), theme.text);
}

/// How far the proof is that everything has arrived.
fn proof(model: &Model, status: &RebuildStatus, sheet: &mut Sheet) {
    let theme = &model.theme;
    let Some(proof) = &status.proof else { return };
    let (of, what) = match proof.kind {
        ProofKind::Markers => ("marker", " in the cache"),
        ProofKind::Lsns { .. } => ("range", " passed"),
    };
    let proven = proof.arrived >= proof.ranges && proof.passed >= proof.leases;
    let words = format!(
        "{} proof: {} of {}{what}, {} of {} past them",
        if proven { "✓" } else { "◐" },
        proof.arrived,
        text::counted(proof.ranges, of),
        proof.passed,
        text::counted(proof.leases, "lease")
    );
    sheet.words(&words, if proven { theme.good } else { theme.waiting });
}

/// The report at the end.
fn ended(model: &Model, status: &RebuildStatus, sheet: &mut Sheet) {
    let theme = &model.theme;
    let seconds = status.elapsed.as_secs_f64();
    let done = text::counted(status.done, "document");
    sheet.blank().words(&format!("✓ done: {done} in {seconds:.1} s"), theme.good);
    let Some(report) = &status.report else { return };
    let RebuildReport { verified, swept, mended, left, markers } = report;
    let words = format!(
        "  verified {}: {} swept, {} mended",
        text::count(verified.documents),
        text::counted(*swept, "orphan"),
        text::counted(*mended, "entry")
    );
    sheet.words(&words, theme.text);
    if *markers > 0 {
        let proven = text::counted(*markers, "marker document");
        sheet.words(&format!("  proven by {proven}, removed again"), theme.text);
    }
    if *left > 0 {
        let (left, key) = (text::counted(*left, "entry"), model.key(Action::Verify));
        sheet.words(&format!("! left wrong: {left}; {key} shows what"), theme.bad);
    } else {
        sheet.words("  nothing wrong is left", theme.good);
    }
}
