//! The rebuild dialog: exactly what will be deleted and where, what stays, then how far it is.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use super::wrap;
use crate::{
    engine::{RebuildPhase, RebuildPlan, RebuildStatus},
    tui::{
        layout::dialog,
        model::{Model, RebuildDialog},
        widgets::{bar, pane::Pane as Border, pen::Pen, text},
    },
};

/// Ids listed at once.
const LISTED: usize = 4;
const WIDTH: u16 = 100;

/// Draws the dialog.
pub(super) fn draw(
    model: &Model,
    dialog_state: &RebuildDialog,
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let width = usize::from(WIDTH.min(body.width)) - 4;
    let lines = if dialog_state.started {
        progress(model, width)
    } else {
        match &dialog_state.plan {
            Some(plan) => plan_lines(model, plan, dialog_state, width),
            None => vec![
                (String::new(), model.theme.dim),
                ("finding out what would happen …".to_owned(), model.theme.dim),
            ],
        }
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = dialog(body, WIDTH, height);
    super::backdrop(model, body, area, buf);
    let title = format!("Rebuild the cache of {}", model.options.source);
    let inner =
        Border::new(title).foot(foot(model, dialog_state)).focused(true).draw(area, buf, &model.theme);
    for (i, (words, style)) in lines.iter().enumerate() {
        Pen::new(buf, inner, u16::try_from(i).unwrap_or(u16::MAX)).skip(1).put(words, *style);
    }
    None
}

/// What the keys do now, in the lower border.
fn foot<'a>(model: &Model, state: &RebuildDialog) -> Line<'a> {
    let theme = &model.theme;
    let key = |key: &'static str, word: &'static str| {
        [Span::styled(key, theme.key), Span::styled(format!(" {word}   "), theme.dim)]
    };
    let running = model.rebuilding().is_some() || model.rebuild.is_none();
    let mut spans = Vec::new();
    if state.started {
        spans.extend(key("esc", if running { "leave it running" } else { "close" }));
    } else {
        if state.hindrance().is_none() {
            spans.extend(key("enter", "start"));
        }
        spans.extend(key("esc", "cancel"));
    }
    Line::from(spans)
}

type Lines = Vec<(String, Style)>;

fn plan_lines(model: &Model, plan: &RebuildPlan, state: &RebuildDialog, columns: usize) -> Lines {
    let theme = &model.theme;
    let mut lines: Lines = Vec::new();
    let mut add = |words: String, style: Style| {
        for line in wrap_keeping_indent(&words, columns) {
            lines.push((line, style));
        }
    };
    let prefix = format!("\"{}\"", plan.prefix);
    add("What will happen".to_owned(), theme.strong);
    let owners = if plan.foreign_owners.is_empty() { "none held by others" } else { "some held by others" };
    add(format!("  1  stop the workers of prefix {prefix} ({} leases, {owners})", plan.leases), theme.text);
    add(
        format!("  2  delete exactly {} documents in {}:", plan.delete.len(), plan.lease_container),
        theme.text,
    );
    for id in plan.delete.iter().skip(state.scroll).take(LISTED) {
        add(format!("       {}", text::middle(id, columns - 8)), theme.dim);
    }
    let hidden = plan.delete.len().saturating_sub(LISTED);
    if hidden > 0 {
        add(format!("       … {} in all, ↑↓ shows them", plan.delete.len()), theme.dim);
    }
    let documents = plan.documents.map_or("all".to_owned(), |n| format!("~{}", text::count(n)));
    add(format!("  3  replay {documents} documents from the beginning into {}", plan.cache), theme.text);
    add("  4  verify everything, sweep keys that no document makes, go on live".to_owned(), theme.text);
    let keys = plan.cache_keys.zip(plan.mapping_keys).map_or(String::new(), |(all, ours)| {
        format!(", {} keys of others in the cache", text::count(all.saturating_sub(ours)))
    });
    add(String::new(), theme.text);
    add(
        format!(
            "Not touched: {}, {} leases of other prefixes{keys}",
            plan.source,
            text::count(plan.other_leases as u64)
        ),
        theme.good,
    );
    for owner in plan.foreign_owners.iter().take(4) {
        let agreed =
            if state.take_over { "will lose its leases" } else { "t agrees that it loses its leases" };
        add(
            format!(
                "! {} is alive (heartbeat {} ago): {agreed}",
                text::middle(&owner.name, 30),
                text::span(i64::try_from(owner.heartbeat_age).unwrap_or(i64::MAX))
            ),
            theme.bad,
        );
    }
    for warning in plan.warnings.iter().take(3) {
        add(format!("! {warning}"), theme.bad);
    }
    if let Some(reason) = &plan.refused {
        add(format!("! cannot be done now: {reason}"), theme.bad);
    }
    add(String::new(), theme.text);
    add(format!("same as  {}", plan.same_as), theme.dim);
    lines
}

/// Wraps; lines after the first are indented as the first one is.
fn wrap_keeping_indent(words: &str, columns: usize) -> Vec<String> {
    let words = text::clean(words);
    let body = words.trim_start();
    let indent = words.len() - body.len();
    if text::width(&words) <= columns {
        return vec![words.into_owned()];
    }
    wrap(body, columns.saturating_sub(indent + 3))
        .into_iter()
        .enumerate()
        .map(|(i, line)| format!("{}{line}", " ".repeat(if i == 0 { indent } else { indent + 3 })))
        .collect()
}

fn progress(model: &Model, columns: usize) -> Lines {
    let theme = &model.theme;
    let mut lines: Lines = vec![(String::new(), theme.text)];
    let Some(status) = &model.rebuild else {
        lines.push(("starting …".to_owned(), theme.waiting));
        return lines;
    };
    let step = |active: bool, done: bool| {
        if done {
            ("✓", theme.good)
        } else if active {
            ("◐", theme.waiting)
        } else {
            ("○", theme.dim)
        }
    };
    let order = match &status.phase {
        RebuildPhase::Waiting { .. } | RebuildPhase::Stopping => 0,
        RebuildPhase::Deleting | RebuildPhase::Flushing => 1,
        RebuildPhase::Replaying => 2,
        RebuildPhase::Verifying => 3,
        RebuildPhase::Done => 4,
        RebuildPhase::Failed { .. } => 5,
    };
    if order < 5 {
        let names =
            ["stop the workers", "delete the leases", "replay from the beginning", "verify, sweep orphans"];
        for (i, name) in names.into_iter().enumerate() {
            let (glyph, style) = step(order == i, order > i);
            lines.push((format!("{glyph} {name}"), style));
        }
        lines.push((String::new(), theme.text));
    }
    lines.extend(bar_lines(model, status, columns.saturating_sub(6)));
    match &status.phase {
        RebuildPhase::Done => {
            lines.push((String::new(), theme.text));
            let seconds = status.elapsed.as_secs_f64();
            lines.push((
                format!(
                    "✓ done: {} documents in {seconds:.1} s; the sync goes on live",
                    text::count(status.done)
                ),
                theme.good,
            ));
        }
        RebuildPhase::Failed { reason } => {
            lines.push((String::new(), theme.text));
            lines.extend(
                wrap(&format!("! {}", text::clean(reason)), columns)
                    .into_iter()
                    .map(|line| (line, theme.bad)),
            );
        }
        _ => {}
    }
    lines
}

fn bar_lines(model: &Model, status: &RebuildStatus, columns: usize) -> Lines {
    let theme = &model.theme;
    let mut lines = Lines::new();
    let (fraction, figures) = match status.total {
        Some(total) if total > 0 => {
            let fraction = status.done.min(total) as f64 / total as f64;
            (Some(fraction), format!("{} of {}", text::count(status.done), text::count(total)))
        }
        _ => (None, format!("{} documents", text::count(status.done))),
    };
    if let Some(fraction) = fraction {
        let filled = bar::filled(fraction, columns, theme.ascii);
        let rest = columns.saturating_sub(text::width(&filled));
        let percent = (fraction * 100.0).floor();
        lines.push((format!("{filled}{} {percent:>3}%", "·".repeat(rest)), theme.accent));
    }
    let left =
        status.left.filter(|_| status.phase == RebuildPhase::Replaying).map_or(String::new(), |left| {
            format!("   {} left", text::span(i64::try_from(left.as_secs()).unwrap_or(i64::MAX)))
        });
    lines.push((
        format!(
            "{figures}   {}   {}{left}",
            text::rate(status.rate),
            text::span(i64::try_from(status.elapsed.as_secs()).unwrap_or(0))
        ),
        theme.text,
    ));
    lines
}
