//! The change feed: time, id, the fields of the template, and what is new about them.

use std::borrow::Cow;

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{
    Filtering, draw_titles, empty,
    found::{Cell, Finder, gutter},
    in_panes, is_fresh, line_of, liveness, masked, select, trouble,
};
use crate::{
    engine::{ChangeRow, ConnectionState, Field, Novelty, Versions, first_fields},
    tui::{
        keymap::Action,
        layout::inner,
        model::{Model, Pane, Place},
        widgets::{
            pane::Pane as Border,
            pen::{Align, Pen},
            text,
            titles::Titles,
        },
    },
};

/// `14:02:11.402` and its gap; without milliseconds where there is less room.
const TIME: usize = 14;
const SHORT_TIME: usize = 9;
/// Columns of each field after the first.
const REST: usize = 24;
/// Title of what is new about a row.
const CHANGE: &str = "change";
/// Columns from which on milliseconds are shown.
const ROOMY: usize = 44;

/// Least columns for what else is in a document.
const MORE: usize = 24;
/// Fields by which people know a document.
const KNOWN_BY: [&str; 3] = ["name", "title", "label"];
/// Fields of a document that are looked at for that.
const MORE_FIELDS: usize = 12;

/// Draws the pane.
pub(super) fn draw(model: &Model, area: Rect, rows: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let ring = &model.feed.ring;
    let mut title = vec!["Change feed".into()];
    title.extend(Filtering::of_ring(ring).title(model, Pane::Feed, area.width));
    let waiting = ring.waiting().map(|n| n as u64);
    let live = model.feed.status.live && matches!(model.cosmos, Some(ConnectionState::Up { .. }));
    let mut right = liveness(model, waiting, live);
    if waiting.is_none() && !live && model.feed.status.seen > 0 {
        right = Line::styled("catching up", theme.waiting);
    }
    let mut border =
        Border::new(Line::from(title)).right(right).focused(model.focus == Pane::Feed && in_panes(model));
    if let Some(documents) = model.feed.status.documents {
        border = border.foot(Line::styled(text::counted(documents, "document"), theme.dim));
    }
    if model.feed.status.folded > 0 {
        let words = format!("{} folded", text::counted(model.feed.status.folded, "version"));
        border = border.foot(Line::styled(words, theme.dim));
    }
    border.draw(area, buf, theme);
    trouble::draw(model, Pane::Feed, inner(area), buf);
    if ring.shown() == 0 {
        let (why, help) = nothing(model);
        empty(model, rows, &why, &help, buf);
        return;
    }
    draw_rows(model, rows, buf);
}

/// Why there is no row.
fn nothing(model: &Model) -> (String, String) {
    if model.feed.ring.len() > 0 {
        let help = format!("{} clears it", model.key(Action::ClearFilter));
        return ("no change passes the filter".to_owned(), help);
    }
    match &model.cosmos {
        None => ("not connected yet".to_owned(), String::new()),
        Some(ConnectionState::Connecting { address }) => (format!("connecting to {address}"), String::new()),
        Some(ConnectionState::Down { .. }) => (String::new(), String::new()),
        Some(ConnectionState::Up { .. }) if model.feed.status.problem.is_some() => {
            (String::new(), String::new())
        }
        Some(ConnectionState::Up { .. }) => {
            let help = format!("{} inserts a document", model.key(Action::Insert));
            (format!("waiting for the first change of {}", model.options.source), help)
        }
    }
}

/// The rows in sight. The thread is never out of sight: where its row is not in the window, the last line
/// shows it.
fn window(model: &Model, height: usize) -> Vec<(u64, &ChangeRow)> {
    let ring = &model.feed.ring;
    let mut window: Vec<(u64, &ChangeRow)> =
        (ring.top()..ring.top() + height).map_while(|place| ring.at(place)).collect();
    if window.len() == height
        && !window.iter().any(|(_, row)| model.thread.marks_change(row))
        && let Some(number) = model.thread.document.as_deref().and_then(|id| model.feed.newest_of(id))
        && let Some(row) = ring.get(number)
        && let Some(last) = window.last_mut()
    {
        *last = (number, row);
    }
    window
}

fn draw_rows(model: &Model, rows: Rect, buf: &mut Buffer) {
    let ring = &model.feed.ring;
    let window = window(model, usize::from(rows.height));
    let columns = Columns::of(model, &window, usize::from(rows.width));
    let titles = columns.titles(&window, usize::from(rows.width));
    draw_titles::<ChangeRow>(model, &titles, rows, ring.order(), buf);
    for (i, (number, row)) in window.iter().enumerate() {
        let line = u16::try_from(i).unwrap_or(u16::MAX);
        let hit = ring.is_hit(*number);
        draw_row(model, (row, hit), &columns, rows, line, buf);
        if ring.cursor() == Some(*number) && model.focus == Pane::Feed {
            select(model, line_of(rows, line), buf);
        }
    }
}

/// The titles above the rows.
pub(super) fn titles(model: &Model, rows: Rect) -> Titles {
    let window = window(model, usize::from(rows.height));
    Columns::of(model, &window, usize::from(rows.width)).titles(&window, usize::from(rows.width))
}

struct Columns {
    time: usize,
    id: usize,
    first: usize,
    rest: usize,
    novelty: usize,
    /// How many versions were written and delivered, where some were folded, and whether in words.
    versions: usize,
    in_words: bool,
    /// Where there is much room: the key that it makes, and its LSN.
    key: usize,
    lsn: usize,
    /// And more of the document.
    more: usize,
}

impl Columns {
    /// Widths that suit the rows in sight.
    fn of(model: &Model, window: &[(u64, &ChangeRow)], width: usize) -> Self {
        let widest =
            |of: &dyn Fn(&ChangeRow) -> usize| window.iter().map(|(_, row)| of(row)).max().unwrap_or(0);
        let id = widest(&|row| text::width(&text::clean(&row.id)));
        let first =
            widest(&|row| row.fields.first().map_or(0, |field| text::width(&text::clean(&value(field)))))
                .min(14);
        let rest = widest(&|row| text::width(&rest_words(model, row)));
        let novelty = widest(&|row| text::width(&novelty(row)));
        let time = if width >= ROOMY { TIME } else { SHORT_TIME };
        let free = width.saturating_sub(1 + time);
        let id = id.clamp(6, 40).min(free.saturating_sub(first + 2).max(8));
        let free = free.saturating_sub(id + 2 + first + 1);
        let novelty = if free > novelty + 2 { novelty } else { 0 };
        // That versions were folded is told before the lesser fields.
        let folds = |in_words| widest(&|row| text::width(&versions_words(row, in_words)));
        let short = match folds(false) {
            0 => 0,
            short if free >= novelty + short + 4 => short + 2,
            _ => 0,
        };
        let rest = rest.min(free.saturating_sub(novelty + short + 2));
        let free = free.saturating_sub(rest + novelty + 2);
        // Its title is whole where that takes no room from values.
        let wider = if novelty > 0 { CHANGE.len().saturating_sub(novelty).min(free) } else { 0 };
        let (novelty, free) = (novelty + wider, free - wider);
        let in_words = short > 0 && free >= folds(true) + 3;
        let versions = if in_words { folds(true) } else { short.saturating_sub(2) };
        let free = free.saturating_sub(if versions > 0 { versions + 2 } else { 0 });
        let lsn = widest(&|row| row.lsn.map_or(0, |lsn| text::count(lsn).len()));
        let lsn = if width >= 70 && lsn > 0 && free >= lsn + 6 { lsn } else { 0 };
        let free = free.saturating_sub(lsn + 6);
        let key = widest(&|row| row.keys.first().map_or(0, |key| text::width(&text::clean(key)))).min(40);
        let key = if key > 0 && free >= key + 4 { key } else { 0 };
        let free = free.saturating_sub(if key > 0 { key + 4 } else { 0 });
        let read = window.iter().any(|(_, row)| row.json.is_some());
        let more = if read && free >= MORE + 4 { free - 4 } else { 0 };
        Self { time, id, first, rest, novelty, versions, in_words, key, lsn, more }
    }

    /// Titles laid out as [`draw_row`] lays out its cells.
    fn titles(&self, window: &[(u64, &ChangeRow)], width: usize) -> Titles {
        let fields = window.first().map(|(_, row)| row.fields.as_slice()).unwrap_or_default();
        let name = |field: &Field| field.name.rsplit('.').next().unwrap_or_default().to_owned();
        let first = fields.first().map(name).unwrap_or_default();
        let right = fields.first().is_some_and(|field| is_number(&field.value));
        let rest: Vec<String> = fields.iter().skip(1).map(name).collect();
        let mut titles = Titles::default();
        titles.skip(1).cell("time", self.time - 1, Align::Left, 0).skip(1);
        titles.cell("id", self.id, Align::Left, 1).skip(2);
        let first = [first.as_str(), "value"].into_iter().find(|name| text::width(name) <= self.first);
        titles
            .cell(first.unwrap_or_default(), self.first, if right { Align::Right } else { Align::Left }, 2)
            .skip(1);
        // The values have no columns of their own: their names are told together or not at all.
        let rest = Some(rest.join(" ")).filter(|names| text::width(names) <= self.rest);
        titles.cell(&rest.unwrap_or_default(), self.rest, Align::Left, None);
        let left = |titles: &Titles| width.saturating_sub(titles.at());
        if self.novelty > 0 {
            let gap = left(&titles).saturating_sub(self.novelty + 1).clamp(1, 2);
            titles.skip(gap).cell(CHANGE, self.novelty, Align::Left, 3);
        }
        if self.versions > 0 {
            let name = if self.in_words { "versions" } else { "×" };
            titles.skip(2).cell(name, self.versions, Align::Left, None);
        }
        if self.key > 0 {
            titles.skip(5).cell("key", self.key, Align::Left, 4);
        }
        if self.more > 0 {
            titles.skip(2).cell("more", self.more, Align::Left, None);
        }
        if self.lsn > 0 {
            let gap = left(&titles).saturating_sub(self.lsn + 5);
            titles.skip(gap).cell("lsn", self.lsn + 4, Align::Right, 5);
        }
        titles
    }
}

fn draw_row(
    model: &Model,
    (row, hit): (&ChangeRow, bool),
    columns: &Columns,
    rows: Rect,
    line: u16,
    buf: &mut Buffer,
) {
    let theme = &model.theme;
    let marked = model.thread.marks_change(row);
    let body = if is_fresh(model, row.seen_at) { theme.fresh } else { theme.text };
    let finder = Finder::new(model, model.feed.ring.filter(), hit);
    let mut pen = Pen::new(buf, rows, line);
    gutter(model, &mut pen, marked, hit && model.feed.ring.marks_hits());
    let clock = text::clock(row.seen_at, &model.options.zone);
    pen.cell(&clock[..clock.len().min(columns.time - 1)], columns.time, Align::Left, theme.dim);
    let style = if marked { body.patch(theme.accent) } else { body };
    let (place, align) = (Place::Name("id"), Align::Left);
    finder
        .cell(&mut pen, Cell { written: &row.id, whole: &row.id, place, columns: columns.id, align, style });
    pen.skip(2);
    if let Some(first) = row.fields.first() {
        let align = if is_number(&first.value) { Align::Right } else { Align::Left };
        let (place, whole) = (Place::Value(&first.name), value(first));
        let (written, columns) = (first.value.as_str(), columns.first);
        finder.cell(&mut pen, Cell { written, whole: &whole, place, columns, align, style: body });
    } else {
        pen.skip(columns.first);
    }
    pen.skip(1);
    draw_rest(model, row, &finder, columns.rest, &mut pen);
    if columns.novelty > 0 {
        let gap = pen.rest().saturating_sub(columns.novelty + 1).clamp(1, 2);
        let style = if row.novelty == Novelty::New { theme.accent } else { body };
        pen.skip(gap).cell(&novelty(row), columns.novelty, Align::Left, style);
    }
    if columns.versions > 0 {
        let words = versions_words(row, columns.in_words);
        pen.skip(2).cell(&words, columns.versions, Align::Left, theme.waiting);
    }
    if columns.key > 0 {
        let key = row.keys.first().map_or("", String::as_str);
        pen.skip(3).put("→ ", theme.dim);
        let (place, align) = (Place::Name("key"), Align::Left);
        finder.cell(
            &mut pen,
            Cell { written: key, whole: key, place, columns: columns.key, align, style: theme.dim },
        );
    }
    if columns.more > 0 {
        pen.skip(2);
        draw_more(model, row, &finder, columns.more, &mut pen);
    }
    if columns.lsn > 0 {
        let lsn = row.lsn.map_or(String::new(), text::count);
        let gap = pen.rest().saturating_sub(columns.lsn + 5);
        pen.skip(gap).put("lsn ", theme.dim).cell(&lsn, columns.lsn, Align::Right, theme.dim);
    }
}

/// The fields after the first, one after the other in so many columns.
fn draw_rest(model: &Model, row: &ChangeRow, finder: &Finder<'_>, columns: usize, pen: &mut Pen<'_>) {
    let start = pen.x();
    pen.cell(&rest_words(model, row), columns, Align::Left, model.theme.dim);
    let mut from = 0;
    for field in row.fields.iter().skip(1) {
        let whole = value(field);
        let shown = text::end(&whole, REST);
        let shown = text::end(&shown, columns.saturating_sub(from));
        let at = start.saturating_add(u16::try_from(from).unwrap_or(u16::MAX));
        finder.mark_number(pen, at, (&field.value, &whole), &shown, Place::Value(&field.name));
        from += text::width(&shown) + 1;
    }
}

/// What else is in the document, each field with its name, as many as there is room for.
fn draw_more(model: &Model, row: &ChangeRow, finder: &Finder<'_>, columns: usize, pen: &mut Pen<'_>) {
    let theme = &model.theme;
    let document = row.json.as_deref().unwrap_or_default();
    let mut room = columns;
    let mut fields = first_fields(document, MORE_FIELDS);
    // What people know a document by comes before codes.
    fields.sort_by_key(|field| !KNOWN_BY.contains(&field.name.as_str()));
    for field in fields {
        let name = text::clean(field.name.rsplit('.').next().unwrap_or_default());
        let value_room = room.saturating_sub(text::width(&name) + 1).min(REST);
        let whole = value(&field);
        let shown = text::end(&masked(model, &whole), value_room).into_owned();
        let taken = text::width(&name) + 1 + text::width(&shown);
        if row.fields.iter().any(|known| known.name == field.name) {
            continue;
        }
        if value_room < text::width(&shown) || value_room < MORE / 4 {
            break;
        }
        pen.put(&name, theme.dim).skip(1);
        let at = pen.x();
        pen.put(&shown, theme.text).skip(2);
        finder.mark_number(pen, at, (&field.value, &whole), &shown, Place::Value(&field.name));
        room = room.saturating_sub(taken + 2);
    }
    pen.skip(room);
}

/// Written by this program and delivered by the feed, of a document of which versions were folded: `×50`,
/// or in words. How many others have written is not known: the feed brings only the latest.
fn versions_words(row: &ChangeRow, in_words: bool) -> String {
    let Versions { written, delivered, folded } = row.versions;
    if folded == 0 {
        return String::new();
    }
    if in_words {
        format!("{} written, {} delivered", text::count(written), text::count(delivered))
    } else {
        format!("×{}", text::short_count(written))
    }
}

/// The fields after the first, in one text.
fn rest_words(model: &Model, row: &ChangeRow) -> String {
    let mut words = String::new();
    for field in row.fields.iter().skip(1) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&masked(model, &text::end(&value(field), REST)));
    }
    words
}

/// A value as it is read: numbers with separators.
pub(super) fn value(field: &Field) -> Cow<'_, str> {
    let number = field.number.then(|| text::decimal(&field.value)).flatten();
    number.map_or(Cow::Borrowed(field.value.as_str()), Cow::Owned)
}

fn is_number(value: &str) -> bool {
    value.parse::<f64>().is_ok()
}

/// `new`, or how much the first number changed.
fn novelty(row: &ChangeRow) -> String {
    match row.novelty {
        Novelty::New => "new".to_owned(),
        Novelty::Unknown => String::new(),
        Novelty::Replaced => match row.fields.iter().find_map(|field| field.delta) {
            Some(delta) if delta.is_finite() && delta.abs() >= 0.005 => {
                let arrow = if delta > 0.0 { '▲' } else { '▼' };
                let words = format!("{:.2}", delta.abs());
                format!("{arrow}{:>6}", text::decimal(&words).unwrap_or(words))
            }
            _ => String::new(),
        },
    }
}
