//! The leases: which part of the key space, whose, how fresh, how far behind; below them what happened
//! to them and a map of the ranges.

mod map;
mod story;

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{
    Filtering, draw_titles, empty,
    found::{Finder, gutter},
    in_panes, line_of, select, trouble,
};
use crate::{
    engine::{ConnectionState, LeaseRow, SyncPhase},
    tui::{
        keymap::Action,
        layout::inner,
        model::{Model, Pane, Place},
        theme::Theme,
        widgets::{
            bar,
            pane::Pane as Border,
            pen::{Align, Pen},
            spark, text,
            titles::Titles,
        },
    },
};

const RANGE: usize = 6;
const BEAT: usize = 5;
const LAG: usize = 6;
/// Fewer lines than this below the rows tell no story.
const LEAST_STORY: u16 = 5;

/// Lines that the map takes below the rows.
pub(crate) fn map_height(model: &Model, inner: Rect) -> u16 {
    let mapped = model.leases.snapshot.rows.iter().any(|row| row.share.is_some());
    if mapped && inner.height >= 10 { 2 } else { 0 }
}

/// Lines below the rows: what is known of the selected lease, what happened, the map.
pub(crate) fn below(model: &Model, inner: Rect, above: u16) -> u16 {
    let rows = u16::try_from(model.leases.shown().count()).unwrap_or(u16::MAX);
    let map = map_height(model, inner);
    let free = inner.height.saturating_sub(above).saturating_sub(rows).saturating_sub(map);
    let story = if free >= LEAST_STORY && rows > 0 { free } else { 0 };
    map + story
}

/// Draws the pane.
pub(super) fn draw(model: &Model, area: Rect, rows: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let all = model.leases.snapshot.rows.len();
    let mut title = vec![if all > 0 { format!("Leases · {all}").into() } else { "Leases".into() }];
    let filtering = Filtering {
        filter: model.leases.filter(),
        passing: model.leases.passing(),
        all,
        to_judge: 0,
        unknown: 0,
        marks: model.leases.marks_hits(),
    };
    title.extend(filtering.title(model, Pane::Leases, area.width));
    let mut border = Border::new(Line::from(title)).focused(model.focus == Pane::Leases && in_panes(model));
    if let Some(age) = trouble::outdated(model, Pane::Leases) {
        border = border.right(Line::styled(format!("~ {} old", text::span(age)), theme.waiting));
    }
    let others: usize = model.leases.snapshot.other_prefixes.iter().map(|(_, leases)| leases).sum();
    if others > 0 {
        border = border.foot(Line::styled(format!("{others} of other prefixes"), theme.dim));
    }
    border.draw(area, buf, theme);
    let inner = inner(area);
    trouble::draw(model, Pane::Leases, inner, buf);
    if model.leases.shown().next().is_none() {
        let (why, help) = nothing(model);
        empty(model, rows, &why, &help, buf);
        return;
    }
    let wide = Wide::of(usize::from(rows.width));
    if rows.y > inner.y {
        draw_titles::<LeaseRow>(model, &titles(model, rows), rows, model.leases.order(), buf);
    }
    let shown = model
        .leases
        .shown()
        .skip(model.leases.first_shown(usize::from(rows.height)))
        .take(usize::from(rows.height));
    for (i, row) in shown.enumerate() {
        let line = u16::try_from(i).unwrap_or(u16::MAX);
        draw_row(model, row, wide, rows, line, buf);
        if model.focus == Pane::Leases && model.leases.cursor.as_deref() == Some(row.id.as_str()) {
            select(model, line_of(rows, line), buf);
        }
    }
    let height = map_height(model, inner);
    let story = inner.bottom().saturating_sub(height).saturating_sub(rows.bottom());
    if story > 0 {
        story::draw(model, Rect { y: rows.bottom(), height: story, ..inner }, buf);
    }
    if height > 0 {
        map::draw(model, Rect { y: inner.bottom() - height, height, ..inner }, buf);
    }
}

fn nothing(model: &Model) -> (String, String) {
    let starts = || format!("{} starts the built-in sync", model.key(Action::ToggleSync));
    if !model.leases.snapshot.rows.is_empty() {
        let help = format!("{} clears it", model.key(Action::ClearFilter));
        return ("no lease passes the filter".to_owned(), help);
    }
    if let Some(problem) = &model.leases.snapshot.problem {
        let is_up =
            matches!(model.cosmos, Some(ConnectionState::Up { .. })) && model.sync.phase == SyncPhase::Off;
        return (text::clean(problem).into_owned(), if is_up { starts() } else { String::new() });
    }
    let (why, help) = match &model.cosmos {
        None | Some(ConnectionState::Connecting { .. }) => ("waits for Cosmos".to_owned(), String::new()),
        Some(ConnectionState::Down { .. }) => (String::new(), String::new()),
        Some(ConnectionState::Up { .. }) if !model.leases.known => {
            ("reading the leases".to_owned(), String::new())
        }
        Some(ConnectionState::Up { .. }) => (format!("no lease in {} yet", model.options.leases), starts()),
    };
    (why, help)
}

/// What there is room for beside the four columns of a narrow pane.
#[derive(Clone, Copy)]
struct Wide {
    share: usize,
    owner: usize,
    continuation: usize,
    /// Columns of the heartbeat's age against the expiration.
    bar: usize,
    spark: usize,
}

impl Wide {
    fn of(width: usize) -> Self {
        let mut free = width.saturating_sub(1 + RANGE + 1 + 2 + 1 + BEAT + LAG);
        let mut take = |columns: usize, least: usize| {
            let fits = free >= columns + least;
            free -= if fits { columns } else { 0 };
            if fits { columns } else { 0 }
        };
        // Each only where the owner keeps a name's length.
        let spark = take(12, 10);
        let bar = take(8, 10);
        let continuation = take(12, 16);
        let share = take(8, 16);
        Self { share, owner: free.clamp(3, 32), continuation, bar, spark }
    }

    /// Columns of the bar, which is a single sign in a narrow pane.
    fn bar(self) -> usize {
        self.bar.max(1)
    }
}

/// The titles above the rows.
pub(super) fn titles(model: &Model, rows: Rect) -> Titles {
    let wide = Wide::of(usize::from(rows.width));
    let mut titles = Titles::default();
    titles.skip(1).cell("range", RANGE, Align::Left, 0).cell("share", wide.share, Align::Right, 1);
    titles.skip(1).cell("owner", wide.owner + 2, Align::Left, 2);
    titles.cell("at", wide.continuation, Align::Right, 3);
    if wide.bar > 0 {
        let expiry = i64::try_from(model.leases.snapshot.expiration.as_secs()).unwrap_or(i64::MAX);
        titles.skip(2).cell(&format!("of {}", text::span(expiry)), wide.bar - 1, Align::Left, None);
        titles.cell("hb", BEAT - 1, Align::Right, 4);
    } else {
        titles.cell("hb", BEAT + 1, Align::Right, 4);
    }
    if wide.spark > 0 {
        titles.skip(2).cell("lag so far", wide.spark - 2, Align::Right, None);
    }
    titles.cell("lag", LAG, Align::Right, 5);
    titles
}

fn draw_row(model: &Model, row: &LeaseRow, wide: Wide, rows: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let marked = model.thread.marks_lease(row);
    let (glyph, style) = owner_glyph(theme, row);
    let hit = model.leases.is_hit(row);
    let finder = Finder::new(model, model.leases.filter(), hit);
    let mut pen = Pen::new(buf, rows, line);
    gutter(model, &mut pen, marked, hit && model.leases.marks_hits());
    pen.cell(&range_words(row), RANGE, Align::Left, if marked { theme.accent } else { theme.text });
    if wide.share > 0 {
        pen.cell(&share_of_space(row), wide.share, Align::Right, theme.dim);
    }
    pen.skip(1).put(glyph, style).skip(1);
    let owner = owner_words(model, row);
    let owner_style = if row.mine { theme.strong } else { theme.text };
    let start = pen.x();
    let shown = text::middle(&owner, wide.owner);
    pen.cell(&shown, wide.owner, Align::Left, owner_style);
    finder.mark(&mut pen, start, &owner, &shown, Place::Name("owner"));
    if wide.continuation > 0 {
        let at = row.continuation.as_deref().unwrap_or("—");
        let at = text::middle(at, wide.continuation - 1);
        pen.cell(&at, wide.continuation, Align::Right, theme.dim);
    }
    draw_beat(model, row, wide, &mut pen);
    if wide.spark > 0 {
        let history = model.leases.lag_history(&row.id);
        let line = spark::line(&history, wide.spark - 2);
        pen.skip(2).cell(&line, wide.spark - 2, Align::Right, theme.accent);
    }
    let (lag, lag_style) = match row.lag {
        Some(0) => ("0".to_owned(), theme.text),
        Some(lag) => (text::short_count(lag), theme.waiting),
        None => ("—".to_owned(), theme.dim),
    };
    pen.cell(&lag, LAG, Align::Right, lag_style);
}

/// The age of the heartbeat: as a part of the time after which the lease is free, and in words.
fn draw_beat(model: &Model, row: &LeaseRow, wide: Wide, pen: &mut Pen<'_>) {
    let theme = &model.theme;
    let Some(beat) = beat(model, row) else {
        pen.skip(wide.bar()).cell("—", BEAT, Align::Right, theme.dim);
        return;
    };
    if wide.bar > 0 {
        let columns = wide.bar - 1;
        let filled = bar::filled(beat.share, columns, theme.ascii);
        let rest = columns.saturating_sub(text::width(&filled));
        pen.skip(2)
            .put(&filled, beat.style)
            .put(&(if theme.ascii { "." } else { "·" }).repeat(rest), theme.dim);
        pen.cell(&beat.age, BEAT - 1, Align::Right, if row.expired { theme.waiting } else { theme.dim });
        return;
    }
    let age_style = if row.expired { theme.waiting } else { theme.dim };
    let room = BEAT.saturating_sub(text::width(&beat.age) + 1);
    pen.skip(room + 1).put(bar::level(beat.share, theme.ascii), beat.style).put(&beat.age, age_style);
}

/// A heartbeat against the time after which the lease is free.
struct Beat {
    /// `9s`.
    age: String,
    /// Of that time.
    share: f64,
    style: Style,
}

fn beat(model: &Model, row: &LeaseRow) -> Option<Beat> {
    let theme = &model.theme;
    let at = row.heartbeat.filter(|_| row.owner.is_some())?;
    let millis = model.now.duration_since(at).as_millis().max(0);
    let expiry = model.leases.snapshot.expiration.as_millis();
    let share = if row.expired {
        1.0
    } else if expiry == 0 {
        0.0
    } else {
        (millis as f64 / expiry as f64).min(1.0)
    };
    let style = match share {
        _ if row.expired => theme.bad,
        share if share > 0.5 => theme.waiting,
        _ => theme.good,
    };
    Some(Beat { age: text::span(text::seconds_between(at, model.now)), share, style })
}

/// How much of the key space it is: `25.0%`.
fn share_of_space(row: &LeaseRow) -> String {
    row.share.map_or("—".to_owned(), |(from, to)| format!("{:.1}%", (to - from).clamp(0.0, 1.0) * 100.0))
}

fn owner_words(model: &Model, row: &LeaseRow) -> String {
    row.owner.as_deref().map_or("—".to_owned(), |owner| name(model, owner, row.mine))
}

/// `me`, and which of us where several instances run; others by their name.
fn name(model: &Model, owner: &str, mine: bool) -> String {
    let ours = &model.sync.instances;
    match ours.iter().position(|instance| instance == owner) {
        Some(place) if ours.len() > 1 => format!("me {}", place + 1),
        Some(_) => "me".to_owned(),
        None if mine && ours.is_empty() => "me".to_owned(),
        None => owner.to_owned(),
    }
}

fn owner_glyph(theme: &Theme, row: &LeaseRow) -> (&'static str, Style) {
    match (&row.owner, row.expired) {
        (None, _) => ("○", theme.dim),
        (Some(_), true) => ("◐", theme.waiting),
        (Some(_), false) if row.mine => ("●", theme.good),
        (Some(_), false) => ("●", theme.accent),
    }
}

/// `25─50%` of the key space, or the token where the document tells no range.
pub(super) fn range_words(row: &LeaseRow) -> String {
    range_text(row.share, &row.token)
}

/// The same of a share of the key space, or the token.
pub(super) fn range_text(share: Option<(f64, f64)>, token: &str) -> String {
    let hundredths = |share: f64| (share.clamp(0.0, 1.0) * 10_000.0).round() as u32;
    share_words(share.map(|(from, to)| (hundredths(from), hundredths(to))), token)
}

/// The same of hundredths of percent.
fn share_words(share: Option<(u32, u32)>, token: &str) -> String {
    match share {
        Some((0, 10_000)) => "all".to_owned(),
        Some((from, to)) => format!("{}─{}", (from + 50) / 100, (to + 50) / 100),
        None => text::middle(token, RANGE).into_owned(),
    }
}
