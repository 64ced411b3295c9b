//! A pen that writes one row from left to right and never past its end.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::text;

/// Where a cell's text stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Writes text at a position that moves right.
pub(crate) struct Pen<'a> {
    buf: &'a mut Buffer,
    x: u16,
    y: u16,
    right: u16,
}

impl<'a> Pen<'a> {
    /// A pen at the start of row `line` of an area; writes nothing when that row is outside.
    pub(crate) fn new(buf: &'a mut Buffer, area: Rect, line: u16) -> Self {
        let area = area.intersection(buf.area);
        let inside = line < area.height;
        Self {
            x: area.x,
            y: area.y.saturating_add(if inside { line } else { 0 }),
            right: if inside { area.right() } else { area.x },
            buf,
        }
    }

    /// Columns left.
    pub(crate) fn rest(&self) -> usize {
        usize::from(self.right.saturating_sub(self.x))
    }

    /// The column that is written next.
    pub(crate) fn x(&self) -> u16 {
        self.x
    }

    /// Leaves columns as they are.
    pub(crate) fn skip(&mut self, columns: usize) -> &mut Self {
        self.x = self.x.saturating_add(u16::try_from(columns).unwrap_or(u16::MAX)).min(self.right);
        self
    }

    /// Writes text, cut at its end where it does not fit.
    pub(crate) fn put(&mut self, content: &str, style: Style) -> &mut Self {
        let rest = self.rest();
        if rest == 0 {
            return self;
        }
        let content = text::end(content, rest);
        let (x, _) = self.buf.set_stringn(self.x, self.y, &content, rest, style);
        self.x = x.min(self.right);
        self
    }

    /// Lays a style over columns that were written, counted from one of them.
    pub(crate) fn paint(&mut self, from: u16, columns: u16, style: Style) {
        let end = from.saturating_add(columns).min(self.right);
        for x in from..end {
            if let Some(cell) = self.buf.cell_mut((x, self.y)) {
                cell.set_style(style);
            }
        }
    }

    /// Writes a cell of a fixed number of columns; the text has been cut to fit by its meaning.
    pub(crate) fn cell(&mut self, content: &str, columns: usize, align: Align, style: Style) -> &mut Self {
        let columns = columns.min(self.rest());
        let content = text::end(content, columns);
        let pad = columns - text::width(&content).min(columns);
        let start = self.x;
        if align == Align::Right {
            self.skip(pad);
        }
        self.put(&content, style);
        self.x = start.saturating_add(u16::try_from(columns).unwrap_or(u16::MAX)).min(self.right);
        self
    }
}
