//! The footer: the few keys that matter now, a notice, or the line of a filter.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::tui::{
    keymap::Action,
    model::{Model, Overlay},
    widgets::{pen::Pen, text},
};

struct Hint {
    key: String,
    word: &'static str,
}

/// Draws the footer; gives the cursor where a filter is typed.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let mut cursor = None;
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(1);
    if model.typing_filter && model.overlays.is_empty() {
        let full;
        (cursor, full) = super::filter_line::draw(model, area, &mut pen);
        if full {
            return cursor;
        }
    }
    let progress = progress(model);
    let notice = model.notice().or(progress.as_deref());
    let notice = notice.map(|notice| text::end(notice, usize::from(area.width) * 2 / 3).into_owned());
    let reserved = notice.as_ref().map_or(0, |notice| text::width(notice) + 2);
    let hints = hints(model);
    for hint in fitting(&hints, pen.rest().saturating_sub(reserved)) {
        pen.put(&hint.key, theme.key).put(&format!(" {}", hint.word), theme.dim).skip(2);
    }
    if let Some(notice) = notice {
        let gap = pen.rest().saturating_sub(text::width(&notice) + 1);
        pen.skip(gap).put(&notice, theme.strong);
    }
    cursor
}

/// How far the inserts under way are, in words.
fn progress(model: &Model) -> Option<String> {
    let job = model.traffic.jobs.first()?;
    let done = text::count(job.done);
    let so_far = match (job.total, job.share) {
        (Some(total), _) => format!("{done} of {}", text::count(total)),
        (None, Some(share)) => format!("{done}, {:.0}% read", share * 100.0),
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

/// As many hints as there is room for; the last one (quit, back) always.
fn fitting(hints: &[Hint], room: usize) -> impl Iterator<Item = &Hint> {
    let width = |hint: &Hint| text::width(&hint.key) + text::width(hint.word) + 3;
    let last = hints.last().map_or(0, width);
    let mut used = last;
    let mut fits = 0;
    for hint in hints.iter().take(hints.len().saturating_sub(1)) {
        if used + width(hint) > room {
            break;
        }
        used += width(hint);
        fits += 1;
    }
    let end = if used <= room { hints.last() } else { None };
    hints.iter().take(fits).chain(end)
}

fn hints(model: &Model) -> Vec<Hint> {
    let context = model.context();
    model
        .options
        .keymap
        .rows(context)
        .filter(|row| applies(model, row.action))
        .filter_map(|row| Some(Hint { key: row.chords.first()?.text(), word: row.hint? }))
        .collect()
}

/// Hints that would do nothing now are left out.
fn applies(model: &Model, action: Action) -> bool {
    match (model.overlays.last(), action) {
        (Some(Overlay::Rebuild(dialog)), Action::Submit) => !dialog.started && dialog.hindrance().is_none(),
        (Some(Overlay::Rebuild(dialog)), Action::Copy) => dialog.plan().is_some(),
        (Some(Overlay::Leases(dialog)), Action::Submit) => !dialog.started && dialog.hindrance().is_none(),
        (Some(Overlay::Leases(dialog)), Action::TakeOver) => {
            dialog.plan().is_some_and(|plan| plan.live().next().is_some())
        }
        (Some(Overlay::Verify(_)), Action::Repair | Action::RepairOne) => model.verification.repairable(),
        (Some(Overlay::Verify(_)), Action::Verify) => !model.verification.running(),
        (Some(Overlay::Verify(_)), Action::StopVerify) => model.verification.running(),
        (Some(Overlay::Verify(_)), Action::Submit) => !model.verification.findings.is_empty(),
        (None, Action::StopInserts) => !model.traffic.jobs.is_empty(),
        (None, Action::ToggleTraffic) => model.traffic.target_rate > 0.0 || model.traffic.paused,
        _ => true,
    }
}
