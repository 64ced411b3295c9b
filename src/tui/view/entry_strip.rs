//! The selected entry below the rows of the cache: what it holds, decoded by its encoding, and for how long.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{line_of, masked};
use crate::{
    engine::{ConnectionState, Encoding, EntryRow, EntryState, EntryValue},
    tui::{
        model::{Model, state_word},
        widgets::{pen::Pen, text},
    },
};

/// Lines of the value.
const VALUE: u16 = 3;
/// Rule, facts, value.
const HEIGHT: u16 = VALUE + 2;
/// Rows that stay for the list.
const LEAST_ROWS: u16 = 8;

/// Lines that it takes of a pane's inside, whose rows begin `above` lines below its top.
pub(crate) fn height(model: &Model, inner: Rect, above: u16) -> u16 {
    let free = inner.height.saturating_sub(above);
    if free < LEAST_ROWS + HEIGHT || selected(model).is_none() { 0 } else { HEIGHT }
}

/// The entry under the cursor, else that of the followed document.
fn selected(model: &Model) -> Option<&EntryRow> {
    let cursor = model.cache.cursor().and_then(|key| model.cache.get(key));
    let row = cursor.or_else(|| model.thread.keys.iter().find_map(|key| model.cache.get(key)));
    row.filter(|row| row.value.is_some())
}

/// Draws it on the lines below `rows`.
pub(super) fn draw(model: &Model, inner: Rect, rows: Rect, buf: &mut Buffer) {
    let below = inner.bottom().saturating_sub(rows.bottom());
    let area = Rect { y: rows.bottom(), height: below.min(HEIGHT), ..inner };
    let Some(row) = selected(model).filter(|_| area.height == HEIGHT) else { return };
    let Some(value) = &row.value else { return };
    let theme = &model.theme;
    let width = usize::from(area.width);

    let mut pen = Pen::new(buf, area, 0);
    let name = masked(model, &row.key);
    let name = text::middle(&name, width.saturating_sub(4)).into_owned();
    pen.put("─ ", theme.dim).put(&name, theme.strong).put(" ", theme.dim);
    pen.put(&"─".repeat(pen.rest()), theme.dim);

    Pen::new(buf, area, 1).put(&facts(model, row, value, width), theme.dim);

    // Cosmos' own fields come last: the beginning is what was written.
    let whole = if value.text.is_empty() { "(empty)".into() } else { masked(model, &value.text) };
    let cleaned = text::clean(&whole).into_owned();
    let mut rest = cleaned.as_str();
    for line in 0..VALUE {
        let at = line_of(area, line + 2);
        if line + 1 == VALUE {
            let last = if value.cut { format!("{rest}…") } else { rest.to_owned() };
            Pen::new(buf, at, 0).put(&text::end(&last, width), theme.text);
        } else {
            let (head, tail) = text::split(rest, width);
            Pen::new(buf, at, 0).put(head, theme.text);
            rest = tail;
        }
    }
}

/// Encoding, state and end in words, the most telling first; what does not fit is left out whole.
fn facts(model: &Model, row: &EntryRow, value: &EntryValue, width: usize) -> String {
    let mut parts = vec![match value.encoding {
        Encoding::Text => "string".to_owned(),
        Encoding::Fields => "hash of fields".to_owned(),
        Encoding::DistributedCache => "IDistributedCache".to_owned(),
        Encoding::Json => "RedisJSON".to_owned(),
        Encoding::Other => row.kind.clone(),
    }];
    parts.push(match row.state {
        // What is known of a server that is gone must not look alive.
        _ if matches!(model.redis, Some(ConnectionState::Down { .. })) => "as last seen".to_owned(),
        EntryState::Unknown => "its document not seen yet".to_owned(),
        state => state_word(state).to_owned(),
    });
    if let Some(at) = value.expiry.and_then(|expiry| expiry.absolute) {
        parts.push(format!("absexp {}", text::clock(at, &model.options.zone)));
    }
    if let Some(span) = value.expiry.and_then(|expiry| expiry.sliding) {
        parts.push(format!("sldexp {}", text::span(i64::try_from(span.as_secs()).unwrap_or(i64::MAX))));
    }
    parts.push(match row.expires_at {
        None => "no expiry".to_owned(),
        Some(at) => format!("ends in {}", text::span(text::seconds_between(model.now, at))),
    });
    text::as_many_as_fit(&parts, width)
}
