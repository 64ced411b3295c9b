//! Below the rows: the selected lease in full, a timeline of what happened to leases, and the events in words.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{RANGE, beat, name, share_of_space, share_words};
use crate::{
    engine::LeaseRow,
    tui::{
        model::{LeaseChange, LeaseEvent, Model},
        widgets::{
            bar,
            pen::{Align, Pen},
            spark, text,
        },
    },
};

/// How far back the timeline reaches.
const MINUTES: i64 = 5;
/// A timeline of fewer columns tells nothing.
const LEAST_LINE: usize = 8;
/// Where there is less room for words, the sign has to tell what happened.
const TERSE: usize = 16;

/// Draws all of it, as far as there is room.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut line = 1;
    let selected = model.leases.cursor.as_deref();
    if let Some(row) = selected.and_then(|id| model.leases.snapshot.rows.iter().find(|row| row.id == id)) {
        line = draw_selected(model, row, area, line, buf) + 1;
    }
    if line + 1 >= area.height || model.leases.events.is_empty() {
        return;
    }
    let mut pen = Pen::new(buf, area, line);
    pen.skip(1).put("events", theme.dim).skip(1);
    draw_timeline(model, &mut pen);
    for event in model.leases.events.iter().take(usize::from(area.height - line - 1)) {
        line += 1;
        let mut pen = Pen::new(buf, area, line);
        pen.skip(1).put(&text::clock(event.at, &model.options.zone)[..8], theme.dim).skip(1);
        pen.cell(&share_words(event.share, &event.token), RANGE, Align::Left, theme.text).skip(1);
        let (words, style) = words(model, &event.what, pen.rest() < TERSE);
        pen.put(&event.what.glyph().to_string(), style).skip(1).put(&words, style);
    }
}

/// Its document and its heartbeat; gives the line below.
fn draw_selected(model: &Model, row: &LeaseRow, area: Rect, from: u16, buf: &mut Buffer) -> u16 {
    let theme = &model.theme;
    let mut line = from;
    let owner = row.owner.as_deref().unwrap_or("nobody");
    let at = row.continuation.as_deref().unwrap_or("the start");
    let range = format!("{} of the keys, token {}", share_of_space(row), row.token);
    for (word, value) in [("lease", row.id.as_str()), ("owner", owner), ("at", at), ("range", &range)] {
        let mut pen = Pen::new(buf, area, line);
        pen.skip(1).cell(word, 7, Align::Left, theme.dim);
        let room = pen.rest();
        pen.put(&text::middle(value, room), theme.text);
        line += 1;
    }
    let mut pen = Pen::new(buf, area, line);
    pen.skip(1).cell("beat", 7, Align::Left, theme.dim);
    match beat(model, row) {
        Some(beat) => {
            let expiry = i64::try_from(model.leases.snapshot.expiration.as_secs()).unwrap_or(i64::MAX);
            let age = format!(" {} of {}", beat.age, text::span(expiry));
            let columns = pen.rest().saturating_sub(text::width(&age)).min(40);
            let filled = bar::filled(beat.share, columns, theme.ascii);
            let rest = columns.saturating_sub(text::width(&filled));
            let dot = if theme.ascii { "." } else { "·" };
            pen.put(&filled, beat.style).put(&dot.repeat(rest), theme.dim).put(&age, theme.text);
        }
        None => drop(pen.put("nobody writes it", theme.dim)),
    }
    line += 1;
    let mut pen = Pen::new(buf, area, line);
    pen.skip(1).cell("lag", 7, Align::Left, theme.dim);
    let lag = row.lag.map_or("not known".to_owned(), text::count);
    let room = pen.rest().saturating_sub(text::width(&lag) + 1);
    let history = model.leases.lag_history(&row.id);
    pen.put(&spark::line(&history, room), theme.accent).skip(1).put(&lag, theme.text);
    line + 1
}

/// The last minutes as a line, an event a sign at its time; of several at one place the most alarming.
fn draw_timeline(model: &Model, pen: &mut Pen<'_>) {
    let theme = &model.theme;
    let start = format!("-{MINUTES}m ");
    let columns = pen.rest().saturating_sub(text::width(&start) + 5);
    if columns < LEAST_LINE {
        return;
    }
    pen.put(&start, theme.dim);
    let reach = MINUTES * 60_000;
    let mut cells: Vec<Option<&LeaseEvent>> = vec![None; columns];
    for event in &model.leases.events {
        let ago = i64::try_from(model.now.duration_since(event.at).as_millis()).unwrap_or(i64::MAX);
        let Ok(ago) = usize::try_from(ago.max(0) as u64 * columns as u64 / reach as u64) else { continue };
        let Some(cell) = columns.checked_sub(ago + 1).and_then(|place| cells.get_mut(place)) else {
            continue;
        };
        if cell.is_none_or(|there| event.what.is_alarming() && !there.what.is_alarming()) {
            *cell = Some(event);
        }
    }
    let mut sign = [0; 4];
    for cell in cells {
        match cell {
            None => pen.put(if theme.ascii { "-" } else { "─" }, theme.border),
            Some(event) => {
                let (_, style) = words(model, &event.what, true);
                pen.put(event.what.glyph().encode_utf8(&mut sign), style)
            }
        };
    }
    pen.put(" now", theme.dim);
}

fn words(model: &Model, what: &LeaseChange, terse: bool) -> (String, Style) {
    let theme = &model.theme;
    let short = |owner: &str, mine: bool, most| text::middle(&name(model, owner, mine), most).into_owned();
    let (long, brief, style) = match what {
        LeaseChange::Created => ("created".to_owned(), "created".to_owned(), theme.text),
        LeaseChange::Split => ("split".to_owned(), "split".to_owned(), theme.accent),
        LeaseChange::Merged => ("merged".to_owned(), "merged".to_owned(), theme.accent),
        LeaseChange::Deleted => ("deleted".to_owned(), "deleted".to_owned(), theme.waiting),
        LeaseChange::Reset => ("back to the start".to_owned(), "reset".to_owned(), theme.waiting),
        LeaseChange::Acquired { by, mine } => {
            (format!("acquired by {}", short(by, *mine, 24)), short(by, *mine, 12), theme.good)
        }
        LeaseChange::Released { by } => {
            (format!("released by {}", short(by, false, 24)), short(by, false, 12), theme.text)
        }
        LeaseChange::Stolen { from, to, mine } => {
            let words = format!("stolen by {} from {}", short(to, *mine, 16), short(from, false, 16));
            (words, short(to, *mine, 12), theme.accent)
        }
        LeaseChange::TakenOver { from, to, mine } => {
            let words = format!("taken over by {} after {}", short(to, *mine, 16), short(from, false, 16));
            (words, short(to, *mine, 12), theme.good)
        }
        LeaseChange::Lost { from, to } => {
            let words = format!("{} lost it to {}", short(from, true, 12), short(to, false, 20));
            (words, short(to, false, 12), theme.bad)
        }
        LeaseChange::Expired { owner } => {
            (format!("expired, owner {}", short(owner, false, 20)), short(owner, false, 12), theme.waiting)
        }
    };
    (if terse { brief } else { long }, style)
}
