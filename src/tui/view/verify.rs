//! Verification: how far it is, what is wrong and why, and what a repair would do.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::{
    draw_titles,
    hints::Hints,
    line_of, masked, select,
    sheet::{above_same_as, same_as_below},
    wrap,
};
use crate::{
    engine::{ConnectionState, Finding, FindingKind, Server, VerifyPhase, VerifyStatus},
    tui::{
        keymap::{Action, Context},
        layout::{dialog, inner},
        model::{Model, VerifyDialog},
        same_as,
        theme::Theme,
        widgets::{
            bar,
            pane::Pane as Border,
            pen::{Align, Pen},
            text,
            titles::Titles,
        },
    },
};

/// Lines above the list.
const ABOVE: u16 = 4;
/// Lines below it: why the selected one is wrong.
const BELOW: u16 = 5;
/// Lines of the command that does the same.
const SAME: u16 = 2;
const KIND: usize = 16;

/// Where the dialog is: as high as what was found, within reason.
pub(super) fn area(body: Rect, findings: usize) -> Rect {
    let list = u16::try_from(findings.min(20)).unwrap_or(20);
    let height = if findings == 0 { ABOVE + 2 } else { ABOVE + list + BELOW + 2 } + SAME;
    dialog(body, 100, height)
}

/// Where the list is.
fn list(inner: Rect) -> Rect {
    Rect { y: inner.y + ABOVE, height: inner.height.saturating_sub(ABOVE + BELOW), ..inner }
}

/// The finding under a position, by its place.
pub(in crate::tui) fn hit(model: &Model, state: &VerifyDialog, body: Rect, at: Position) -> Option<usize> {
    let findings = model.verification.findings.len();
    let command = same_as::verify(model, state.asking, state.only.as_deref());
    let list = list(above_same_as(&command, inner(area(body, findings)), &model.theme));
    let top = (state.cursor + 1).saturating_sub(usize::from(list.height).max(1));
    list.contains(at).then(|| top + usize::from(at.y - list.y)).filter(|place| *place < findings)
}

/// Draws the dialog.
pub(super) fn draw(model: &Model, state: &VerifyDialog, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(body, model.verification.findings.len());
    super::backdrop(model, body, area, buf);
    let inner = Border::new(format!("Verify {} against {}", model.options.source, model.options.cache))
        .foot(foot(model, state).line(theme, area))
        .focused(true)
        .draw(area, buf, theme);
    let command = same_as::verify(model, state.asking, state.only.as_deref());
    let inner = same_as_below(&command, inner, buf, theme);
    let Some(status) = &model.verification.status else { return None };
    progress(model, status, inner, buf);
    let list = list(inner);
    let height = usize::from(list.height).max(1);
    let top = (state.cursor + 1).saturating_sub(height);
    if !model.verification.findings.is_empty() {
        draw_titles::<Finding>(model, &titles(list), list, model.verification.order(), buf);
    }
    let rows = (top..top + height).map_while(|row| Some((row, model.verification.row(row)?)));
    for (i, finding) in rows {
        let line = u16::try_from(i - top).unwrap_or(u16::MAX);
        draw_finding(model, finding, list, line, buf);
        if i == state.cursor {
            select(model, line_of(list, line), buf);
        }
    }
    let below = Rect { y: list.bottom() + 1, height: BELOW - 1, ..inner };
    if state.asking {
        ask(model, state, status, below, buf);
    } else if let Some(finding) = model.verification.row(state.cursor) {
        evidence(model, finding, below, buf);
    }
    None
}

/// The titles above the list.
fn titles(list: Rect) -> Titles {
    let mut titles = Titles::default();
    titles.skip(3).cell("kind", KIND, Align::Left, 1).cell("key", key_columns(list), Align::Left, 2).skip(1);
    titles.cell("cause", usize::from(list.width).saturating_sub(titles.at()), Align::Left, 3);
    titles
}

/// The reason may be long; the key keeps its ends.
fn key_columns(list: Rect) -> usize {
    (usize::from(list.width).saturating_sub(KIND + 4) / 2).min(50)
}

/// The column whose title is at a place of the dialog.
pub(crate) fn title_at(model: &Model, body: Rect, at: Position) -> Option<usize> {
    let inner = inner(area(body, model.verification.findings.len()));
    let list = Rect { y: inner.y + ABOVE, ..inner };
    (inner.contains(at) && at.y + 1 == list.y).then(|| titles(list).hit(usize::from(at.x - list.x)))?
}

/// Why the selected one is wrong: what was seen, then what differs, wrapped.
fn evidence(model: &Model, finding: &Finding, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let columns = usize::from(area.width).saturating_sub(2);
    let details = finding.details.join(" · ");
    let lines = [(masked(model, &finding.evidence), theme.text), (masked(model, &details), theme.dim)];
    let wrapped = lines.iter().flat_map(|(words, style)| {
        wrap(&text::clean(words), columns)
            .into_iter()
            .filter(|line| !line.is_empty())
            .map(|line| (line, *style))
    });
    for (i, (line, style)) in wrapped.take(usize::from(area.height)).enumerate() {
        Pen::new(buf, area, u16::try_from(i).unwrap_or(u16::MAX)).skip(1).put(&line, style);
    }
}

/// It compares, or waits a while for a server that is not there.
fn comparing(model: &Model) -> &'static str {
    let there = |server| matches!(model.connection(server), Some(ConnectionState::Up { .. }));
    match (there(Server::Cosmos), there(Server::Redis)) {
        (true, true) => "◐ comparing",
        (false, _) => "◐ waiting for Cosmos, which is not connected",
        (true, false) => "◐ waiting for Redis, which is not connected",
    }
}

fn progress(model: &Model, status: &VerifyStatus, inner: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let summary = &status.summary;
    let seconds = summary.elapsed.as_secs_f64();
    let (words, style) = match &status.phase {
        VerifyPhase::Comparing => (comparing(model).to_owned(), theme.waiting),
        VerifyPhase::Done if summary.is_in_step() => (format!("✓ in step, after {seconds:.1} s"), theme.good),
        VerifyPhase::Done => {
            (format!("! {} wrong, after {seconds:.1} s", text::count(summary.findings())), theme.bad)
        }
        VerifyPhase::Repairing => ("◐ repairing".to_owned(), theme.waiting),
        VerifyPhase::Repaired => ("✓ repaired".to_owned(), theme.good),
        VerifyPhase::Failed { reason } => (format!("! {reason}"), theme.bad),
    };
    Pen::new(buf, inner, 0).skip(1).put(&words, style);
    let repair = &status.repair;
    let (done, total, unit) = if matches!(status.phase, VerifyPhase::Repairing | VerifyPhase::Repaired) {
        (repair.written + repair.deleted + repair.was_right + repair.left, Some(repair.total), "findings")
    } else {
        (summary.documents, summary.total, "documents")
    };
    let columns = usize::from(inner.width).saturating_sub(44);
    let mut pen = Pen::new(buf, inner, 1);
    pen.skip(1);
    if let Some(total) = total.filter(|total| *total > 0) {
        let fraction = done.min(total) as f64 / total as f64;
        let filled = bar::filled(fraction, columns, theme.ascii);
        let rest = columns.saturating_sub(text::width(&filled));
        pen.put(&filled, theme.accent).put(&"·".repeat(rest), theme.dim).skip(2);
        pen.put(&format!("{} of {} {unit}", text::count(done.min(total)), text::count(total)), theme.text);
    } else {
        pen.put(&format!("{} {unit}", text::count(done)), theme.text);
    }
    let mut pen = Pen::new(buf, inner, 2);
    pen.skip(1);
    if matches!(status.phase, VerifyPhase::Repairing | VerifyPhase::Repaired) {
        for (name, n) in [
            ("written", repair.written),
            ("orphans deleted", repair.deleted),
            ("right by now", repair.was_right),
            ("left alone", repair.left),
        ] {
            pen.put(&format!("{name} "), theme.dim).put(&text::count(n), theme.strong).skip(3);
        }
        return;
    }
    for (name, n, bad) in [
        ("in step", summary.in_step, false),
        ("missing", summary.missing, true),
        ("stale", summary.stale, true),
        ("ttl", summary.wrong_ttl, true),
        ("encoding", summary.wrong_encoding, true),
        ("orphans", summary.orphans, true),
        ("unsettled", summary.unsettled, false),
        ("undecided", summary.undecided, false),
    ] {
        let style = if bad && n > 0 { theme.bad } else { theme.strong };
        pen.put(&format!("{name} "), theme.dim).put(&text::count(n), style).skip(2);
    }
}

fn glyph(theme: &Theme, kind: FindingKind) -> (&'static str, Style) {
    match kind {
        FindingKind::Missing => ("∅", theme.bad),
        FindingKind::Orphan => ("?", theme.bad),
        FindingKind::Stale | FindingKind::WrongTtl | FindingKind::WrongEncoding => ("!", theme.bad),
    }
}

fn draw_finding(model: &Model, finding: &Finding, list: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let (glyph, style) = glyph(theme, finding.kind);
    let mut pen = Pen::new(buf, list, line);
    let key_columns = key_columns(list);
    pen.skip(1).put(glyph, style).skip(1).cell(finding.kind.word(), KIND, Align::Left, style);
    let key = masked(model, &finding.key);
    pen.cell(&text::middle(&key, key_columns), key_columns, Align::Left, theme.text).skip(1);
    pen.put(finding.cause.words(), theme.dim);
}

/// Exactly what a repair does, before it is done.
fn ask(model: &Model, state: &VerifyDialog, status: &VerifyStatus, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let summary = &status.summary;
    let written = summary.findings() - summary.orphans.min(summary.findings());
    let one = state.only.as_ref().and_then(|key| {
        model.verification.findings.iter().find(|finding| finding.key == *key).map(|finding| finding.kind)
    });
    let words = match (&state.only, one) {
        (Some(key), Some(FindingKind::Orphan)) => {
            format!("Repair deletes exactly the orphan {} in {}.", masked(model, key), model.options.cache)
        }
        (Some(key), _) => {
            format!(
                "Repair writes exactly {} from the source into {}.",
                masked(model, key),
                model.options.cache
            )
        }
        (None, _) => repair_of_all(model, written, summary.orphans),
    };
    Pen::new(buf, area, 0).skip(1).put(&words, theme.waiting);
    Pen::new(buf, area, 1).skip(1).put("No other key is touched. Go on?", theme.text);
}

fn repair_of_all(model: &Model, written: u64, orphans: u64) -> String {
    format!(
        "Repair writes {} from the source and deletes {}, by exact key, in {}.",
        text::counted(written, "entry"),
        text::counted(orphans, "orphan"),
        model.options.cache
    )
}

/// What the keys do now.
pub(super) fn foot<'m>(model: &'m Model, state: &VerifyDialog) -> Hints<'m> {
    let verification = &model.verification;
    let mut hints = Hints::of(model, Context::Verify);
    if state.asking {
        hints.key(Action::Submit, "repair").key(Action::Back, "no");
        return hints;
    }
    let mut hints = hints.only(|action| verification.offers(action));
    hints.key(Action::Submit, "follow").key(Action::Repair, "repair all").key(Action::RepairOne, "only this");
    hints.key(Action::StopVerify, "stop").key(Action::Verify, "again");
    hints.key(Action::Back, if verification.running() { "leave it running" } else { "close" });
    hints
}
