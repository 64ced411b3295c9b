//! The cache: keys with their state against the source, size, time to live.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{
    Filtering, draw_titles, empty, entry_strip,
    found::{Cell, Finder, gutter},
    in_panes, is_fresh, line_of, liveness, masked, select, state_glyph, trouble,
};
use crate::{
    engine::{ConnectionState, EntryRow, EntryState, SyncPhase},
    tui::{
        keymap::Action,
        layout::inner,
        model::{Model, Pane, Place, state_word},
        widgets::{
            pane::Pane as Border,
            pen::{Align, Pen},
            text,
            titles::Titles,
        },
    },
};

const SIZE: usize = 8;
const TTL: usize = 5;
const STATE: usize = 8;
/// Redis type and age, where there is room.
const KIND: usize = 9;
const AGE: usize = 7;

/// Draws the pane.
pub(super) fn draw(model: &Model, area: Rect, rows: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let cache = &model.cache;
    let keys = cache.status.keys;
    let mut title =
        vec![keys.map_or_else(|| "Cache".into(), |keys| format!("Cache · {}", text::count(keys)).into())];
    let filtering = Filtering {
        filter: cache.filter(),
        passing: cache.passing(),
        all: cache.len(),
        to_judge: 0,
        unknown: 0,
        marks: cache.marks_hits(),
    };
    title.extend(filtering.title(model, Pane::Cache, area.width));
    let mut border = Border::new(Line::from(title)).focused(model.focus == Pane::Cache && in_panes(model));
    let right = match cache.waiting() {
        Some(waiting) => liveness(model, Some(waiting), false),
        None => share(model, usize::from(area.width)),
    };
    border = border.right(right);
    if let Some(foot) = foot(model, usize::from(area.width)) {
        border = border.foot(foot);
    }
    border.draw(area, buf, theme);
    trouble::draw(model, Pane::Cache, inner(area), buf);
    if cache.shown() == 0 && cache.cursor().is_none() {
        let (why, help) = nothing(model);
        empty(model, rows, &why, &help, buf);
        return;
    }
    draw_rows(model, rows, buf);
    entry_strip::draw(model, inner(area), rows, buf);
}

/// The share in step as the comparing in the background finds it, over 1, 5 and 10 minutes where there is
/// room; else that of what this screen has seen.
fn share<'a>(model: &Model, width: usize) -> Line<'a> {
    if let Some(age) = trouble::outdated(model, Pane::Cache) {
        return Line::styled(format!("~ {} old", text::span(age)), model.theme.waiting);
    }
    let Some(drift) = model.drift.as_ref().filter(|drift| drift.watching) else { return in_step(model) };
    if drift.problem.is_some() {
        return Line::styled("~ not compared", model.theme.waiting);
    }
    let [minute, others @ ..] = &drift.windows;
    let Some(nines) = minute.nines() else { return in_step(model) };
    let right = minute.wrong == 0;
    let (glyph, style) = if right { ("✓", model.theme.good) } else { ("~", model.theme.waiting) };
    let mut words = format!("{glyph} {nines}");
    let mut minutes = String::from("1");
    if width >= 64 {
        for window in others.iter().filter(|window| window.full) {
            words.push_str(" · ");
            words.push_str(&window.nines().unwrap_or_default());
            minutes.push('/');
            minutes.push_str(&(window.length.as_secs() / 60).to_string());
        }
    }
    words.push_str(" in step");
    if minutes.len() > 1 {
        words.push_str(", ");
        words.push_str(&minutes);
        words.push_str(" min");
    }
    Line::styled(words, style)
}

/// How much of what was compared is in step; never 100% while one is not.
fn in_step<'a>(model: &Model) -> Line<'a> {
    let status = &model.cache.status;
    if status.compared == 0 {
        return if status.scanned { Line::default() } else { scanning(model) };
    }
    if status.in_step >= status.compared {
        return Line::styled("✓ 100% in step", model.theme.good);
    }
    let shown = text::share(status.in_step, status.compared, 2);
    Line::styled(format!("~ {shown} in step"), model.theme.waiting)
}

fn scanning<'a>(model: &Model) -> Line<'a> {
    match model.redis {
        Some(ConnectionState::Up { .. }) => Line::styled("scanning", model.theme.waiting),
        _ => Line::default(),
    }
}

/// Figures of the server, the most telling first; as many as fit.
fn foot<'a>(model: &Model, width: usize) -> Option<Line<'a>> {
    let status = &model.cache.status;
    let mut parts = Vec::new();
    if let Some(memory) = status.used_memory {
        let policy = status.maxmemory_policy.as_deref().unwrap_or("noeviction");
        parts.push(match status.maxmemory {
            Some(most) => format!("{} of {} {policy}", text::bytes(memory), text::bytes(most)),
            None => text::bytes(memory),
        });
    }
    if status.beyond_window > 0 {
        parts.push(format!("{} more not shown", text::count(status.beyond_window)));
    }
    if status.evicted_keys > 0 {
        parts.push(format!("! {} evicted", text::count(status.evicted_keys)));
    }
    let lookups = status.hits.saturating_add(status.misses);
    if lookups > 0 {
        parts.push(format!("hits {}", text::share(status.hits, lookups, 1)));
    }
    if status.read_at.is_some() {
        parts.push(format!("{} ops/s", text::count(status.ops_per_sec)));
    }
    if status.expired_keys > 0 {
        parts.push(format!("{} expired", text::count(status.expired_keys)));
    }
    if let Some(drift) = model.drift.as_ref().filter(|drift| drift.watching) {
        let compared = text::count(drift.windows[0].compared);
        let passes = if drift.passes == 1 { "pass" } else { "passes" };
        parts.push(format!("{compared} compared in the last minute, {} {passes}", drift.passes));
    }
    let words = text::as_many_as_fit(&parts, width.saturating_sub(4));
    (!words.is_empty()).then(|| Line::styled(words, model.theme.dim))
}

fn nothing(model: &Model) -> (String, String) {
    if model.cache.len() > 0 {
        let help = format!("{} clears it", model.key(Action::ClearFilter));
        return ("no entry passes the filter".to_owned(), help);
    }
    let fill = model.key(Action::Rebuild);
    let (why, help) = match &model.redis {
        None => ("not connected yet".to_owned(), String::new()),
        Some(ConnectionState::Connecting { address }) => (format!("connecting to {address}"), String::new()),
        Some(ConnectionState::Down { .. }) => (String::new(), String::new()),
        Some(ConnectionState::Up { .. }) if model.cache.flushed => {
            ("the cache was emptied".to_owned(), format!("{fill} rebuilds it from the change feed"))
        }
        Some(ConnectionState::Up { .. }) if !model.cache.status.scanned => {
            ("scanning the keys".to_owned(), String::new())
        }
        Some(ConnectionState::Up { .. }) => {
            let sync = match model.sync.phase {
                SyncPhase::Off => format!("{} starts the sync, ", model.key(Action::ToggleSync)),
                _ => String::new(),
            };
            ("the cache is empty".to_owned(), format!("{sync}{fill} fills it from the beginning"))
        }
    };
    (why, help)
}

fn draw_rows(model: &Model, rows: Rect, buf: &mut Buffer) {
    let cache = &model.cache;
    let width = usize::from(rows.width);
    let columns = Columns::of(width);
    draw_titles::<EntryRow>(model, &titles(rows), rows, cache.order(), buf);
    let height = usize::from(rows.height);
    let mut window = cache.window(height);
    // The thread is never out of sight: where its entry is not in the window, the last line shows it.
    if window.len() == height
        && !window.iter().any(|(key, _)| model.thread.marks_key(key))
        && let Some(row) = model.thread.keys.iter().find_map(|key| cache.get(key))
        && let Some(last) = window.last_mut()
    {
        *last = (row.key.as_str(), Some(row));
    }
    for (i, (key, row)) in window.iter().enumerate() {
        let line = u16::try_from(i).unwrap_or(u16::MAX);
        let theme = &model.theme;
        let marked = model.thread.marks_key(key);
        let mut pen = Pen::new(buf, rows, line);
        let hit = cache.is_hit(key);
        gutter(model, &mut pen, marked, hit && cache.marks_hits());
        let Some(row) = row else {
            let key = text::middle(&masked(model, key), columns.key).into_owned();
            pen.put("  ", theme.dim).cell(&key, columns.key, Align::Left, theme.dim);
            pen.skip(1).put("gone", theme.dim);
            continue;
        };
        draw_row(model, row, (marked, hit), columns, &mut pen);
        if model.focus == Pane::Cache && cache.cursor() == Some(*key) {
            select(model, line_of(rows, line), buf);
        }
    }
}

/// Widths that suit the pane.
#[derive(Clone, Copy)]
struct Columns {
    key: usize,
    kind: usize,
    age: usize,
    state: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        let state = if width >= 38 { STATE } else { 0 };
        let free = width.saturating_sub(3 + SIZE + TTL + state);
        let (kind, age) = if free >= 40 { (KIND, AGE) } else { (0, 0) };
        Self { key: free.saturating_sub(kind + age), kind, age, state }
    }
}

/// The titles above the rows.
pub(super) fn titles(rows: Rect) -> Titles {
    let columns = Columns::of(usize::from(rows.width));
    let mut titles = Titles::default();
    titles.skip(3).cell("key", columns.key, Align::Left, 1).cell("type", columns.kind, Align::Right, 2);
    titles.cell("size", SIZE, Align::Right, 3).cell("ttl", TTL, Align::Right, 4);
    titles.cell("age", columns.age, Align::Right, 0).cell("state", columns.state, Align::Right, 5);
    titles
}

fn draw_row(model: &Model, row: &EntryRow, (marked, hit): (bool, bool), columns: Columns, pen: &mut Pen<'_>) {
    let theme = &model.theme;
    // What was known of a server that is gone is kept, but must not look alive.
    let stale = matches!(model.redis, Some(ConnectionState::Down { .. }));
    let body = match is_fresh(model, row.changed_at) {
        _ if stale => theme.dim,
        true => theme.fresh,
        false => theme.text,
    };
    let (glyph, style) = if stale { ("·", theme.dim) } else { state_glyph(theme, row.state) };
    pen.put(glyph, style).skip(1);
    let finder = Finder::new(model, model.cache.filter(), hit);
    let key_style = if marked { body.patch(theme.accent) } else { body };
    let (place, align) = (Place::Name("key"), Align::Left);
    finder.cell(
        pen,
        Cell { written: &row.key, whole: &row.key, place, columns: columns.key, align, style: key_style },
    );
    pen.cell(&row.kind, columns.kind, Align::Right, theme.dim);
    let size = row.size.map_or("—".to_owned(), text::bytes);
    pen.cell(&size, SIZE, Align::Right, theme.dim);
    let ttl = match row.expires_at {
        None => "∞".to_owned(),
        Some(at) => text::span(text::seconds_between(model.now, at)),
    };
    pen.cell(&ttl, TTL, Align::Right, theme.dim);
    if columns.age > 0 {
        let age = text::span(text::seconds_between(row.changed_at, model.now));
        pen.cell(&age, columns.age, Align::Right, theme.dim);
    }
    let (words, words_style) = match (row.state, row.delay_ms) {
        _ if stale => (String::new(), theme.dim),
        (EntryState::InStep, Some(delay)) if delay.is_finite() => (text::delay(delay), theme.dim),
        (EntryState::InStep, _) => (String::new(), theme.dim),
        (EntryState::Unknown, _) => ("unseen".to_owned(), theme.dim),
        (other, _) => (state_word(other).to_owned(), style),
    };
    pen.cell(&words, columns.state, Align::Right, words_style);
}
