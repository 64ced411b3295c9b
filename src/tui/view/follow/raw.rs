//! The entry as bytes: offset, hex, and the same as text with escapes.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::{
    model::{Follow, Model, RAW_WIDTH},
    widgets::pen::Pen,
};

/// Draws the lines that fit.
pub(super) fn draw(model: &Model, follow: &Follow, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let bytes = follow.raw();
    if bytes.is_empty() {
        Pen::new(buf, area, 0).skip(1).put("the entry has no bytes", theme.dim);
        return;
    }
    let chunks = bytes.chunks(RAW_WIDTH).enumerate().skip(follow.scroll).take(usize::from(area.height));
    for (line, (at, chunk)) in chunks.enumerate() {
        let mut pen = Pen::new(buf, area, u16::try_from(line).unwrap_or(u16::MAX));
        pen.skip(1).put(&format!("{:08x}  ", at * RAW_WIDTH), theme.dim);
        for place in 0..RAW_WIDTH {
            let hex = match chunk.get(place) {
                Some(_) if model.masked => "••".to_owned(),
                Some(byte) => format!("{byte:02x}"),
                None => "  ".to_owned(),
            };
            pen.put(&hex, theme.text).skip(if place == RAW_WIDTH / 2 - 1 { 2 } else { 1 });
        }
        pen.skip(1);
        for byte in chunk {
            let printable = byte.is_ascii_graphic() || *byte == b' ';
            // Quotes are plain here; what no terminal should be sent is escaped.
            let words =
                if printable { char::from(*byte).to_string() } else { byte.escape_ascii().to_string() };
            let words = if model.masked && byte.is_ascii_alphanumeric() { "•" } else { &words };
            pen.put(words, if printable { theme.text } else { theme.waiting });
        }
    }
}
