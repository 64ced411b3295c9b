//! Lines of a dialog: words wrapped with their indent kept, choices, and how many fit.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::wrap;
use crate::tui::{
    layout::dialog,
    theme::Theme,
    widgets::{pen::Pen, text},
};

/// Lines being written.
pub(super) struct Sheet {
    columns: usize,
    lines: Vec<Vec<(String, Style)>>,
    /// Lines that can be clicked on.
    spots: Vec<(usize, Spot)>,
}

/// What a line is that can be clicked on, counted from the first of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Spot {
    Choice(usize),
    Tick(usize),
}

impl Sheet {
    /// For lines of so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Self { columns: columns.max(10), lines: Vec::new(), spots: Vec::new() }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Words, wrapped; lines after the first are indented as the first one is, and three more.
    pub(super) fn words(&mut self, words: &str, style: Style) -> &mut Self {
        for line in wrap_keeping_indent(words, self.columns) {
            self.lines.push(vec![(line, style)]);
        }
        self
    }

    /// Words behind a mark or number; further lines stand below the first word.
    pub(super) fn item(&mut self, mark: &str, words: &str, style: Style) -> &mut Self {
        let indent = text::width(mark);
        let lines = wrap(&text::clean(words), self.columns.saturating_sub(indent).max(10));
        for (i, line) in lines.into_iter().enumerate() {
            let before = if i == 0 { mark.to_owned() } else { " ".repeat(indent) };
            self.lines.push(vec![(before, style), (line, style)]);
        }
        self
    }

    /// One line of parts, cut where the room ends.
    pub(super) fn parts(&mut self, parts: Vec<(String, Style)>) -> &mut Self {
        self.lines.push(parts);
        self
    }

    pub(super) fn blank(&mut self) -> &mut Self {
        self.lines.push(Vec::new());
        self
    }

    /// The next line is a choice.
    pub(super) fn spot_choice(&mut self) -> &mut Self {
        let count = self.spots.iter().filter(|(_, spot)| matches!(spot, Spot::Choice(_))).count();
        self.spots.push((self.lines.len(), Spot::Choice(count)));
        self
    }

    /// The box of a dialog with these lines.
    pub(super) fn area(&self, body: Rect, width: u16) -> Rect {
        dialog(body, width, u16::try_from(self.lines.len()).unwrap_or(u16::MAX).saturating_add(2))
    }

    /// What can be clicked on at a position, drawn from line `from` on.
    pub(super) fn at(&self, from: usize, area: Rect, at: Position) -> Option<Spot> {
        if !area.contains(at) {
            return None;
        }
        let from = from.min(self.lines.len().saturating_sub(usize::from(area.height)));
        let line = from + usize::from(at.y - area.y);
        self.spots.iter().find(|(of, _)| *of == line).map(|(_, spot)| *spot)
    }

    /// One of several choices: `(•) name  what it means`.
    pub(super) fn choice(&mut self, chosen: bool, name: &str, meaning: &str, theme: &Theme) -> &mut Self {
        let dot = match (chosen, theme.ascii) {
            (true, false) => "(•) ",
            (true, true) => "(*) ",
            (false, _) => "( ) ",
        };
        let (mark, style) = if chosen { (theme.accent, theme.strong) } else { (theme.dim, theme.text) };
        let room = self.columns.saturating_sub(4 + 11);
        self.spot_choice().parts(vec![
            (dot.to_owned(), mark),
            (format!("{name:<11}"), style),
            (text::end(meaning, room).into_owned(), theme.dim),
        ])
    }

    /// A box to tick.
    pub(super) fn tick(&mut self, ticked: bool, words: &str, style: Style, theme: &Theme) -> &mut Self {
        let mark = if ticked { "[x] " } else { "[ ] " };
        let room = self.columns.saturating_sub(4);
        let count = self.spots.iter().filter(|(_, spot)| matches!(spot, Spot::Tick(_))).count();
        self.spots.push((self.lines.len(), Spot::Tick(count)));
        self.parts(vec![
            (mark.to_owned(), if ticked { theme.accent } else { theme.dim }),
            (text::end(words, room).into_owned(), style),
        ])
    }

    /// Lines that do not fit into a box in this body: as far as it can be scrolled.
    pub(super) fn overflow(&self, body: Rect) -> usize {
        self.lines.len().saturating_sub(usize::from(body.height.saturating_sub(2)))
    }

    /// Draws from line `from` on; where more follow than fit, the last line says so, with the key that goes
    /// there.
    pub(super) fn draw(&self, from: usize, area: Rect, buf: &mut Buffer, theme: &Theme, key: Option<&str>) {
        let height = usize::from(area.height);
        let from = from.min(self.lines.len().saturating_sub(height));
        for (i, line) in self.lines.iter().skip(from).take(height).enumerate() {
            let mut pen = Pen::new(buf, area, u16::try_from(i).unwrap_or(u16::MAX));
            pen.skip(1);
            let left = self.lines.len() - from - i;
            if i + 1 == height && left > 1 {
                let key = key.map_or(String::new(), |key| format!(": {key}"));
                pen.put(&format!("… {}{key}", text::counted(left, "more line")), theme.waiting);
                continue;
            }
            for (words, style) in line {
                pen.put(words, *style);
            }
        }
    }
}

/// The command line that does the same, as lines for the bottom of a box, and the room above them.
fn same_as(command: &str, inner: Rect, theme: &Theme) -> (Sheet, Rect) {
    let mut sheet = Sheet::new(usize::from(inner.width).saturating_sub(2));
    sheet.item("same as  ", command, theme.dim);
    let height = u16::try_from(sheet.len()).unwrap_or(u16::MAX).min(inner.height / 2);
    (sheet, Rect { height: inner.height - height, ..inner })
}

/// The room of a box above the command line that does the same.
pub(super) fn above_same_as(command: &str, inner: Rect, theme: &Theme) -> Rect {
    same_as(command, inner, theme).1
}

/// Draws the command line that does the same at the bottom of a box; gives the room above it.
pub(super) fn same_as_below(command: &str, inner: Rect, buf: &mut Buffer, theme: &Theme) -> Rect {
    let (sheet, above) = same_as(command, inner, theme);
    let below = Rect { y: above.bottom(), height: inner.height - above.height, ..inner };
    sheet.draw(0, below, buf, theme, None);
    above
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
