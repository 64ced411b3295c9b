//! The frame of a pane: rounded border, title at the left, figures at the right.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, BorderType, Widget},
};

use super::text;
use crate::tui::theme::Theme;

/// A frame to be drawn.
pub(crate) struct Pane<'a> {
    /// Left in the upper border.
    pub(crate) title: Line<'a>,
    /// Right in the upper border; left out when it does not fit beside the title.
    pub(crate) right: Line<'a>,
    /// Left in the lower border.
    pub(crate) foot: Option<Line<'a>>,
    /// Takes keys now: the border has the accent.
    pub(crate) focused: bool,
}

impl<'a> Pane<'a> {
    pub(crate) fn new(title: impl Into<Line<'a>>) -> Self {
        Self { title: title.into(), right: Line::default(), foot: None, focused: false }
    }

    pub(crate) fn right(mut self, right: impl Into<Line<'a>>) -> Self {
        self.right = right.into();
        self
    }

    pub(crate) fn foot(mut self, foot: impl Into<Line<'a>>) -> Self {
        self.foot = Some(foot.into());
        self
    }

    pub(crate) fn focused(mut self, focused: bool) -> Self {
        self.focused = focused;
        self
    }

    /// Draws the frame and gives the area inside it.
    pub(crate) fn draw(self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Rect {
        let area = area.intersection(buf.area);
        if area.width < 4 || area.height < 2 {
            return Rect::default();
        }
        let border = if self.focused { theme.border_focused } else { theme.border };
        let kind = if theme.ascii { ASCII } else { BorderType::Rounded.to_border_set() };
        let mut block = Block::bordered().border_set(kind).border_style(border);
        let room = usize::from(area.width) - 4;
        let title = fit(self.title, room);
        let used = title.width();
        let title_style = if self.focused { theme.title_focused } else { theme.title };
        block = block.title_top(padded(title.patch_style(title_style)));
        if self.right.width() > 0 && used + self.right.width() + 4 <= room {
            block = block.title_top(padded(self.right).right_aligned());
        }
        if let Some(foot) = self.foot {
            block = block.title_bottom(padded(fit(foot, room)));
        }
        let inner = block.inner(area);
        block.render(area, buf);
        inner
    }
}

fn padded(mut line: Line<'_>) -> Line<'_> {
    // A title lies on the border: without this it would be dim, or have the accent, as that has.
    let plain = Style::new().fg(Color::Reset).remove_modifier(Modifier::DIM);
    line.style = plain.patch(line.style);
    line.spans.insert(0, Span::raw(" "));
    line.spans.push(Span::raw(" "));
    line
}

/// Cuts the last spans of a line so that it fits.
fn fit(mut line: Line<'_>, max: usize) -> Line<'_> {
    let mut left = max;
    for span in &mut line.spans {
        let cut = text::end(&span.content, left).into_owned();
        left -= text::width(&cut).min(left);
        span.content = cut.into();
    }
    line
}

const ASCII: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
