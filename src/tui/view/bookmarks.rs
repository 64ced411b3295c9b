//! The bookmarks of lease positions, and how the selected one stands to the leases of now.

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::Line,
};

use super::{
    empty,
    hints::Hints,
    line_of, masked, select,
    sheet::{Sheet, above_same_as, same_as_below},
};
use crate::{
    engine::{BookmarkRow, Change, ComparedLease, Comparison},
    tui::{
        keymap::{Action, Context},
        layout::{dialog, frame, inner},
        model::{BookmarkDialog, Marking, Model},
        same_as,
        theme::Theme,
        widgets::{
            pane::Pane as Border,
            pen::{Align, Pen},
            text,
        },
    },
};

const WIDTH: u16 = 130;
/// Columns of the list.
const SAVED: usize = 18;
const AGE: usize = 7;
const LEASES: usize = 8;
/// Columns of the comparison.
const RANGE: usize = 8;
const AT: usize = 14;
const MOVED: usize = 12;
const WORDS: usize = 32;
/// With fewer columns the owners are left out.
const WITH_OWNER: usize = RANGE + 2 * AT + MOVED + WORDS + 14;
/// Leases told; more than that are counted.
const MOST: usize = 500;

/// Where the view is.
pub(super) fn area(body: Rect) -> Rect {
    dialog(body, WIDTH, body.height)
}

/// Where the rows are under their titles, and what is told of the selected one below them.
fn parts(model: &Model, state: &BookmarkDialog, body: Rect) -> (Rect, Rect) {
    let inner = above_same_as(&same_as::bookmarks(model, state), inner(area(body)), &model.theme);
    let above = 1 + u16::from(state.list.as_ref().is_some_and(|list| list.problem.is_some()));
    let y = inner.y + above.min(inner.height);
    let rest = inner.height.saturating_sub(above);
    let rows = u16::try_from(state.rows().len()).unwrap_or(u16::MAX);
    let list = Rect { y, height: (rest / 3).max(3).min(rows).min(rest), ..inner };
    (list, Rect { y: list.bottom(), height: rest - list.height, ..inner })
}

/// First row shown: the selected one is always in sight.
fn top(state: &BookmarkDialog, list: Rect) -> usize {
    (state.place() + 1).saturating_sub(usize::from(list.height))
}

/// The bookmark under a position, by its place.
pub(in crate::tui) fn hit(model: &Model, state: &BookmarkDialog, body: Rect, at: Position) -> Option<usize> {
    let (list, _) = parts(model, state, body);
    let place = list.contains(at).then(|| top(state, list) + usize::from(at.y - list.y));
    place.filter(|place| *place < state.rows().len())
}

/// A position is where the rows are, rather than on what is told of the selected one.
pub(in crate::tui) fn is_list(model: &Model, state: &BookmarkDialog, body: Rect, at: Position) -> bool {
    parts(model, state, body).0.contains(at)
}

/// How far the comparison can be scrolled.
pub(in crate::tui) fn overflow(model: &Model, state: &BookmarkDialog) -> usize {
    let (_, below) = parts(model, state, frame(model).body);
    told(model, state, below).len().saturating_sub(usize::from(below.height))
}

/// Draws the view.
pub(super) fn draw(model: &Model, state: &BookmarkDialog, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(body);
    super::backdrop(model, body, area, buf);
    let rows = state.rows();
    let title = format!("Bookmarks of {} · {}", model.options.source, text::count(rows.len() as u64));
    let mut border = Border::new(title).foot(foot(model, state).line(theme, area)).focused(true);
    if let Some(list) = state.list.as_ref().filter(|list| !list.directory.is_empty()) {
        border = border.right(Line::styled(text::middle(&list.directory, 50).into_owned(), theme.dim));
    }
    let inner = border.draw(area, buf, theme);
    let inner = same_as_below(&same_as::bookmarks(model, state), inner, buf, theme);
    let (list, below) = parts(model, state, body);
    if let Some(problem) = state.list.as_ref().and_then(|list| list.problem.as_deref()) {
        Pen::new(buf, inner, 0).skip(1).put(&format!("! {}", masked(model, problem)), theme.bad);
    }
    if rows.is_empty() {
        nothing(model, state, Rect { y: list.y, ..below }, buf);
        return None;
    }
    if list.y > inner.y {
        let mut pen = Pen::new(buf, Rect { y: list.y - 1, height: 1, ..list }, 0);
        pen.skip(1).cell("name", name_columns(list), Align::Left, theme.dim);
        pen.cell("saved", SAVED, Align::Left, theme.dim).cell("age", AGE, Align::Right, theme.dim);
        pen.cell("leases", LEASES, Align::Right, theme.dim);
    }
    let top = top(state, list);
    for (i, row) in rows.iter().enumerate().skip(top).take(usize::from(list.height)) {
        let line = u16::try_from(i - top).unwrap_or(u16::MAX);
        draw_row(model, row, list, line, buf);
        if i == state.place() {
            select(model, line_of(list, line), buf);
        }
    }
    let more = model.options.keymap.key_of(Context::Bookmarks, Action::PageDown);
    told(model, state, below).draw(state.scroll, below, buf, theme, more.as_deref());
    None
}

/// There is none: why, and which key saves one.
fn nothing(model: &Model, state: &BookmarkDialog, area: Rect, buf: &mut Buffer) {
    let saves = model.key_in(Context::Bookmarks, Action::SaveBookmark);
    let (why, help) = match (&state.list, &state.saved) {
        (None, _) => ("reading the bookmarks".to_owned(), String::new()),
        (Some(_), Some(Marking::Saving(name))) => (format!("saving bookmark {name} …"), String::new()),
        (Some(_), Some(Marking::Told(told))) if told.outcome.is_err() => (told.words(), String::new()),
        (Some(_), _) => (
            format!("no bookmark of {} yet", model.options.source),
            format!("{saves} keeps the positions of all its leases under a name, to compare and to go back"),
        ),
    };
    empty(model, area, &why, &help, buf);
}

/// The name has what the other columns leave, within reason.
fn name_columns(list: Rect) -> usize {
    usize::from(list.width).saturating_sub(1 + SAVED + AGE + LEASES + 2).clamp(8, 66)
}

fn draw_row(model: &Model, row: &BookmarkRow, list: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let columns = name_columns(list);
    let mut pen = Pen::new(buf, list, line);
    pen.skip(1);
    pen.cell(&text::middle(&row.name, columns - 1), columns, Align::Left, theme.text);
    match &row.kept {
        Ok(kept) => {
            let age = text::span(text::seconds_between(kept.saved_at, model.now));
            pen.cell(&day_and_time(model, kept.saved_at), SAVED, Align::Left, theme.dim);
            pen.cell(&age, AGE, Align::Right, theme.text);
            pen.cell(&text::count(kept.leases as u64), LEASES, Align::Right, theme.text);
        }
        // What a file holds that is no bookmark may be anything, and the reason quotes it.
        Err(why) => drop(pen.put(&format!("! unreadable: {}", masked(model, why)), theme.bad)),
    }
}

/// `2026-11-23 14:02`, in the time of the screen.
fn day_and_time(model: &Model, at: jiff::Timestamp) -> String {
    let at = model.options.zone.to_datetime(at);
    format!("{:04}-{:02}-{:02} {:02}:{:02}", at.year(), at.month(), at.day(), at.hour(), at.minute())
}

/// What is told of the selected one.
fn told(model: &Model, state: &BookmarkDialog, area: Rect) -> Sheet {
    let theme = &model.theme;
    let mut sheet = Sheet::new(usize::from(area.width).saturating_sub(2));
    sheet.blank();
    match &state.saved {
        Some(Marking::Saving(name)) => {
            sheet.words(&format!("◐ saving bookmark {name} …"), theme.waiting);
        }
        Some(Marking::Told(told)) => {
            let (mark, style) = if told.outcome.is_ok() { ("✓ ", theme.good) } else { ("! ", theme.bad) };
            sheet.item(mark, &told.words(), style);
        }
        None => {}
    }
    let Some(row) = state.selected() else { return sheet };
    match (&row.kept, state.comparison()) {
        (Err(why), _) => {
            sheet.item("! ", &format!("it cannot be read: {}", masked(model, why)), theme.bad);
            sheet.words("  There is nothing to go back to; deleting it loses nothing else.", theme.dim);
        }
        (Ok(_), None) => drop(sheet.words("◐ comparing with the leases of now …", theme.waiting)),
        (Ok(_), Some(Err(why))) => drop(sheet.item("! ", &format!("cannot be compared: {why}"), theme.bad)),
        (Ok(_), Some(Ok(found))) => compared(model, found, &mut sheet),
    }
    sheet
}

fn compared(model: &Model, found: &Comparison, sheet: &mut Sheet) {
    let theme = &model.theme;
    sheet.words(&summary(found), theme.strong);
    let with_owner = sheet.columns() >= WITH_OWNER;
    let mut titles = vec![
        (fit("range", RANGE, Align::Left), theme.dim),
        (fit("then", AT, Align::Right), theme.dim),
        (fit("now", AT, Align::Right), theme.dim),
        (fit("moved", MOVED, Align::Right), theme.dim),
    ];
    if with_owner {
        titles.push((" ".repeat(2 + WORDS), theme.dim));
        titles.push(("owner now".to_owned(), theme.dim));
    }
    sheet.parts(titles);
    for lease in found.leases.iter().take(MOST) {
        sheet.parts(lease_row(model, lease, with_owner));
    }
    if found.leases.len() > MOST {
        sheet.words(&format!("… {} in all", text::count(found.leases.len() as u64)), theme.dim);
    }
}

/// The whole in one line.
fn summary(found: &Comparison) -> String {
    let (lsns, unknown) = found.replayed();
    let of = found.leases.len();
    if found.differing() == 0 {
        return format!("All {of} leases are where they were");
    }
    let mut words = format!("{} of {of} leases differ", found.differing());
    if lsns > 0 || unknown > 0 {
        // Writing to a text cannot fail.
        let _ = write!(words, "; going back delivers {} LSNs again", text::count(lsns));
    }
    if unknown > 0 {
        let _ = write!(words, ", and of {unknown} leases what cannot be counted");
    }
    words
}

fn lease_row(model: &Model, lease: &ComparedLease, with_owner: bool) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let range = super::leases::range_text(lease.share, &lease.token);
    let (moved, words, style) = moved(theme, lease);
    let words = match &lease.split_from {
        Some(parent) => format!("{words}; part of {}", text::middle(parent, 9)),
        None => words.to_owned(),
    };
    let mut parts = vec![
        (fit(&range, RANGE, Align::Left), theme.text),
        (fit(&position(lease.then.as_deref()), AT, Align::Right), theme.dim),
        (fit(&position(lease.now.as_deref()), AT, Align::Right), theme.text),
        (fit(&moved, MOVED, Align::Right), style),
        ("  ".to_owned(), style),
    ];
    if !with_owner {
        parts.push((words, style));
        return parts;
    }
    parts.push((fit(&words, WORDS, Align::Left), style));
    let (glyph, style) = match (&lease.owner, lease.live) {
        (None, _) => ("○", theme.dim),
        (Some(_), true) => ("●", theme.accent),
        (Some(_), false) => ("◐", theme.waiting),
    };
    let owner = text::middle(lease.owner.as_deref().unwrap_or("—"), 24).into_owned();
    parts.extend([(format!("{glyph} "), style), (owner, theme.text)]);
    parts
}

/// How far a lease has moved, and what became of it.
fn moved(theme: &Theme, lease: &ComparedLease) -> (String, &'static str, Style) {
    let by = |sign: char, lsns: Option<u64>| {
        lsns.map_or_else(|| "?".to_owned(), |lsns| format!("{sign}{}", text::count(lsns)))
    };
    match lease.change {
        Change::Same => ("0".to_owned(), "as it was", theme.dim),
        Change::Replays(lsns) => (by('+', lsns), "moved on", theme.strong),
        Change::Skips(lsns) => (by('-', lsns), "behind it: would stay", theme.waiting),
        Change::NoPosition => ("?".to_owned(), "no position then: would stay", theme.waiting),
        Change::Gone => ("—".to_owned(), "gone since", theme.bad),
        Change::Merged => ("—".to_owned(), "merged since: would stay", theme.waiting),
        Change::New => ("—".to_owned(), "new since", theme.waiting),
    }
}

/// A position as people read it: an LSN with its thousands, or the token itself.
pub(super) fn position(at: Option<&str>) -> String {
    match at {
        None => "—".to_owned(),
        Some(at) => match at.parse() {
            Ok(lsn) => text::count(lsn),
            Err(_) => text::middle(at, AT - 1).into_owned(),
        },
    }
}

/// Words in so many columns, cut in their middle.
fn fit(words: &str, columns: usize, align: Align) -> String {
    let words = text::middle(words, columns.saturating_sub(1));
    let pad = " ".repeat(columns.saturating_sub(text::width(&words)));
    match align {
        Align::Left => format!("{words}{pad}"),
        Align::Right => format!("{pad}{words}"),
    }
}

/// What the keys do now.
pub(super) fn foot<'m>(model: &'m Model, state: &'m BookmarkDialog) -> Hints<'m> {
    let mut hints = Hints::of(model, Context::Bookmarks).only(|action| state.offers(action));
    hints.key(Action::Submit, "go back …").key(Action::SaveBookmark, "save");
    hints.key(Action::DeleteBookmark, "delete").key(Action::Copy, "copy command");
    hints.key(Action::Reload, "read again").key(Action::Back, "back");
    hints
}
