//! What stands above and below the comparison: which document, entry or version is on each side.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use super::super::masked;
use crate::{
    engine::DocumentDetail,
    tui::{
        model::{Follow, Look, Model},
        widgets::{pen::Pen, text},
    },
};

/// What the mapping would write: mostly the document itself.
pub(super) fn mapped(model: &Model, detail: &DocumentDetail, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let Ok(Some(found)) = &detail.source else { return source(model, detail, area, buf) };
    let words = match &detail.expected {
        Some(expected) if *expected == found.json => return source(model, detail, area, buf),
        Some(_) => "as the mapping writes it",
        None if detail.keys.is_empty() => "the mapping makes no entry of it",
        None if detail.key.as_ref().is_some_and(|key| detail.keys.contains(key)) => "counts as deleted",
        None => "the mapping makes other keys of it",
    };
    source(model, detail, area, buf);
    let name = text::width("source ") + text::width(&model.options.source) + 2;
    Pen::new(buf, area, 2).skip(name).put("· ", theme.dim).put(words, theme.waiting);
}

/// What the mapping would write, beside the source.
pub(super) fn written(model: &Model, detail: &DocumentDetail, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let key = detail.key.as_deref().unwrap_or_default();
    let mut pen = Pen::new(buf, area, 2);
    pen.skip(1).put("mapping ", theme.strong);
    let room = pen.rest();
    pen.put(&text::middle(&masked(model, key), room), theme.text);
    let words = match &detail.expected {
        Some(value) => format!("what it would write now · {}", text::bytes(value.len() as u64)),
        None => "it writes nothing".to_owned(),
    };
    Pen::new(buf, area, 3).skip(1).put(&words, theme.dim);
}

/// The document as it is in the source.
pub(super) fn source(model: &Model, detail: &DocumentDetail, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, 2);
    pen.skip(1).put("source ", theme.strong);
    match &detail.source {
        Ok(Some(source)) => {
            pen.put(&model.options.source, theme.text);
            let mut line = Pen::new(buf, area, 3);
            line.skip(1).put(&format!("etag {}", source.etag), theme.dim);
            if let Some(lsn) = source.lsn {
                line.put(&format!(" · lsn {}", text::count(lsn)), theme.dim);
            }
            line.put(&format!(" · {}", text::bytes(source.json.len() as u64)), theme.dim);
        }
        Ok(None) => {
            pen.put("∅ no such document", theme.bad);
        }
        Err(problem) => {
            pen.put("! ", theme.bad).put(problem, theme.bad);
        }
    }
}

/// Columns before a key.
const ENTRY: usize = 7;

/// The keys that the mapping makes as tabs, each with its columns; empty where there is one, or no room.
fn tabs(model: &Model, detail: &DocumentDetail, area: Rect) -> Vec<(Range<usize>, String)> {
    let mut from = ENTRY;
    let mut tabs = Vec::new();
    for key in &detail.keys {
        let key = text::clean(&masked(model, key)).into_owned();
        let end = from + text::width(&key);
        tabs.push((from..end, key));
        from = end + 2;
    }
    let fits = tabs.last().is_some_and(|(columns, _)| columns.end <= usize::from(area.width));
    if fits && tabs.len() > 1 { tabs } else { Vec::new() }
}

/// The place of the entry that a click on the head of the entry means: that of a tab, or the next one.
pub(super) fn entry_at(model: &Model, detail: &DocumentDetail, area: Rect, at: Position) -> Option<usize> {
    let column = usize::from(at.x.checked_sub(area.x)?);
    let tabs = tabs(model, detail, area);
    if tabs.is_empty() {
        let now = detail.keys.iter().position(|key| Some(key) == detail.key.as_ref())?;
        return Some((now + 1) % detail.keys.len()).filter(|next| *next != now);
    }
    tabs.iter().position(|(columns, _)| columns.contains(&column))
}

/// The entry as it is in the cache.
pub(super) fn entry(model: &Model, detail: &DocumentDetail, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let key = detail.key.as_deref().unwrap_or("no key: the mapping makes none");
    let place = detail.keys.iter().position(|key| Some(key) == detail.key.as_ref());
    let tabs = tabs(model, detail, area);
    let mut pen = Pen::new(buf, area, 2);
    pen.skip(1).put("entry ", theme.strong);
    if tabs.is_empty() {
        let several = match place {
            Some(place) if detail.keys.len() > 1 => format!(" · {} of {}", place + 1, detail.keys.len()),
            _ => String::new(),
        };
        let room = pen.rest().saturating_sub(text::width(&several));
        pen.put(&text::middle(&masked(model, key), room), theme.text).put(&several, theme.dim);
    }
    for (i, (_, key)) in tabs.iter().enumerate() {
        // Not by colour alone.
        let chosen = theme.accent.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        pen.put(key, if place == Some(i) { chosen } else { theme.dim }).skip(2);
    }
    let mut line = Pen::new(buf, area, 3);
    line.skip(1);
    match &detail.entry {
        Ok(Some(entry)) => {
            let expiry = entry.expires_at.map_or("no expiry".to_owned(), |at| {
                format!("expires in {}", text::span(text::seconds_between(model.now, at)))
            });
            line.put(&format!("{} · {} · {expiry}", entry.kind, text::bytes(entry.size)), theme.dim);
        }
        Ok(None) => {
            line.put("∅ not in the cache", theme.bad);
        }
        Err(problem) => {
            line.put("! ", theme.bad).put(problem, theme.bad);
        }
    }
}

/// One version: when it came, through which lease, and how long each stage took.
pub(super) fn version(model: &Model, detail: &DocumentDetail, at: usize, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, 2);
    pen.skip(1);
    let Some(version) = detail.versions.get(at) else {
        pen.put("no version before it in this run", theme.dim);
        return;
    };
    let number = detail.versions.len() - at;
    pen.put(&format!("version #{number} "), theme.strong);
    pen.put(&text::clock(version.seen_at, &model.options.zone), theme.text);
    let (from, to) = version.range.share();
    let lease = model.leases.snapshot.rows.iter().find(|row| {
        row.range.as_ref().is_some_and(|range| {
            range.contains(&version.range)
                || (range.overlaps(&version.range) && version.range.contains(range))
        })
    });
    let owner =
        lease.and_then(|row| row.owner.as_deref()).map_or(String::new(), |owner| format!(" ({owner})"));
    pen.put(&format!(" · lease {:.0}–{:.0}%{owner}", from * 100.0, to * 100.0), theme.dim);
    let mut pen = Pen::new(buf, area, 3);
    pen.skip(1);
    if let Some(timing) = version.timing {
        let stage = |name: &str, ms: Option<f64>| ms.map(|ms| format!("{name} {}", text::millis(ms)));
        let stages = [
            stage("write", timing.write),
            stage("feed", timing.feed),
            stage("lease", timing.lease),
            stage("cache", timing.cache),
        ];
        let words: Vec<String> = stages.into_iter().flatten().collect();
        pen.put(&format!("{} ms · ", words.join(" · ")), theme.accent);
    }
    let lsn = version.lsn.map_or("no lsn".to_owned(), |lsn| format!("lsn {}", text::count(lsn)));
    pen.put(&lsn, theme.dim);
    if version.json.is_none() {
        pen.put(" · its text is not kept any more", theme.dim);
    }
}

/// The versions seen, the newest first.
pub(super) fn versions(
    model: &Model,
    follow: &Follow,
    detail: &DocumentDetail,
    inner: Rect,
    buf: &mut Buffer,
) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, inner, inner.height.saturating_sub(1));
    pen.skip(1).put(VERSIONS, theme.dim);
    if detail.versions.is_empty() {
        pen.put("none came through the feed in this run", theme.dim);
        return;
    }
    let placed = placed(model, follow, detail, pen.rest());
    for (place, _, words) in &placed {
        let looked_at = follow.look == Look::Version(*place);
        let style: Style = if looked_at { theme.accent.add_modifier(Modifier::BOLD) } else { theme.dim };
        pen.put(words, style).skip(2);
    }
    if placed.last().is_some_and(|(place, ..)| place + 1 < detail.versions.len()) {
        pen.put("…", theme.dim);
    }
}

const VERSIONS: &str = "versions ";

/// The versions that fit: place, columns and words of each.
fn placed(
    model: &Model,
    follow: &Follow,
    detail: &DocumentDetail,
    room: usize,
) -> Vec<(usize, Range<usize>, String)> {
    let looked_at = match follow.look {
        Look::Version(at) => Some(at),
        Look::Entry | Look::Source | Look::Raw => None,
    };
    // The one that is looked at is always among those that fit.
    let first = looked_at.unwrap_or(0).saturating_sub(2);
    let mut placed = Vec::new();
    let mut from = 0;
    for (i, version) in detail.versions.iter().enumerate().skip(first) {
        if room.saturating_sub(from) < 24 {
            break;
        }
        let number = detail.versions.len() - i;
        let at = text::clock(version.seen_at, &model.options.zone);
        let lsn = version.lsn.filter(|_| Some(i) == looked_at);
        let lsn = lsn.map_or(String::new(), |lsn| format!(" lsn {}", text::count(lsn)));
        let summary = masked(model, &version.summary);
        let words = format!("#{number} {at} {}{lsn}", text::end(&summary, 16));
        let words = text::end(&words, room - from).into_owned();
        let end = from + text::width(&words);
        placed.push((i, from..end, words));
        from = end + 2;
    }
    placed
}

/// The place of the version under a column of the screen.
pub(super) fn version_at(
    model: &Model,
    follow: &Follow,
    detail: &DocumentDetail,
    inner: Rect,
    x: u16,
) -> Option<usize> {
    let before = 1 + text::width(VERSIONS);
    let column = usize::from(x.checked_sub(inner.x)?).checked_sub(before)?;
    let placed = placed(model, follow, detail, usize::from(inner.width).saturating_sub(before));
    placed.iter().find(|(_, columns, _)| columns.contains(&column)).map(|(place, ..)| *place)
}
