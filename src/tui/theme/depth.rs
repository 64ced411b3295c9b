//! How many colours the terminal has, and themes brought down to that.

use ratatui::style::{Color, Style};

use super::Theme;

/// Colours that a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourDepth {
    /// 24 bits.
    #[default]
    True,
    /// The palette of 256.
    Indexed,
    /// The sixteen that every terminal has.
    Sixteen,
    /// None wanted (`NO_COLOR`): weight says what colour would.
    None,
}

impl ColourDepth {
    /// What `COLORTERM` and `TERM` promise; more than promised is never used.
    pub fn of(colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if colorterm.is_some_and(|value| matches!(value, "truecolor" | "24bit")) || term.ends_with("-direct")
        {
            Self::True
        } else if term.contains("256color") || colorterm.is_some_and(|value| !value.is_empty()) {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }

    fn colour(self, colour: Color) -> Color {
        match (self, colour) {
            (Self::None, _) => Color::Reset,
            (Self::Indexed, Color::Rgb(r, g, b)) => Color::Indexed(indexed(r, g, b)),
            (Self::Sixteen, Color::Rgb(r, g, b)) => nearest(r, g, b),
            (Self::Sixteen, Color::Indexed(index)) => {
                let (r, g, b) = of_index(index);
                nearest(r, g, b)
            }
            (_, colour) => colour,
        }
    }

    fn style(self, style: Style) -> Style {
        Style { fg: style.fg.map(|c| self.colour(c)), bg: style.bg.map(|c| self.colour(c)), ..style }
    }
}

impl Theme {
    /// The same theme in the colours that there are.
    pub(crate) fn at_depth(mut self, depth: ColourDepth) -> Self {
        // A background that sixteen colours cannot come near would hide the text on it; one that is not
        // shown would hide the selection.
        let unlike = match depth {
            ColourDepth::Sixteen => matches!(self.selection.bg, Some(Color::Rgb(..) | Color::Indexed(_))),
            ColourDepth::None => true,
            ColourDepth::True | ColourDepth::Indexed => false,
        };
        if unlike {
            self.selection = Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
        }
        for style in [
            &mut self.text,
            &mut self.dim,
            &mut self.strong,
            &mut self.accent,
            &mut self.good,
            &mut self.waiting,
            &mut self.bad,
            &mut self.border,
            &mut self.border_focused,
            &mut self.title,
            &mut self.title_focused,
            &mut self.selection,
            &mut self.fresh,
            &mut self.key,
            &mut self.found,
            &mut self.json_name,
        ] {
            *style = depth.style(*style);
        }
        self
    }
}

/// The nearest of the cube of 6×6×6 and the ramp of greys.
fn indexed(r: u8, g: u8, b: u8) -> u8 {
    (16..=255_u8).min_by_key(|index| distance((r, g, b), of_index(*index))).unwrap_or(16)
}

/// What xterm shows for a colour of the palette.
fn of_index(index: u8) -> (u8, u8, u8) {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..16 => SIXTEEN[usize::from(index)].1,
        16..232 => {
            let at = |place: u8| STEPS[usize::from((index - 16) / place % 6)];
            (at(36), at(6), at(1))
        }
        232.. => {
            let grey = 8 + (index - 232) * 10;
            (grey, grey, grey)
        }
    }
}

/// The sixteen with the values that xterm gives them, in the order of their numbers.
const SIXTEEN: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

/// The nearest of the sixteen, but never black or white: they may be the background.
fn nearest(r: u8, g: u8, b: u8) -> Color {
    let visible = SIXTEEN.iter().filter(|(colour, _)| !matches!(colour, Color::Black | Color::White));
    visible.min_by_key(|(_, value)| distance((r, g, b), *value)).map_or(Color::Reset, |(colour, _)| *colour)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    square(a.0, b.0) + square(a.1, b.1) + square(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_what_they_promise() {
        use ColourDepth::{Indexed, Sixteen, True};
        for (colorterm, term, depth) in [
            (Some("truecolor"), Some("xterm-256color"), True),
            (None, Some("xterm-256color"), Indexed),
            (None, Some("xterm-direct"), True),
            (Some("yes"), Some("rxvt"), Indexed),
            (None, Some("linux"), Sixteen),
            (None, None, Sixteen),
        ] {
            assert_eq!(ColourDepth::of(colorterm, term), depth, "{colorterm:?} {term:?}");
        }
    }

    #[test]
    fn colours_come_out_near() {
        assert_eq!(ColourDepth::Indexed.colour(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(ColourDepth::Indexed.colour(Color::Rgb(128, 128, 128)), Color::Indexed(244));
        assert_eq!(ColourDepth::Sixteen.colour(Color::Rgb(250, 10, 20)), Color::LightRed);
        assert_eq!(ColourDepth::Sixteen.colour(Color::Indexed(196)), Color::LightRed);
        assert_eq!(ColourDepth::True.colour(Color::Rgb(1, 2, 3)), Color::Rgb(1, 2, 3));
        assert_eq!(ColourDepth::None.colour(Color::Rgb(1, 2, 3)), Color::Reset);
    }

    #[test]
    fn without_colours_every_theme_says_by_weight_what_is_selected() {
        for name in crate::tui::ThemeName::ALL {
            let theme = Theme::of(name).at_depth(ColourDepth::None);
            assert!(theme.selection.add_modifier.contains(ratatui::style::Modifier::REVERSED), "{name:?}");
            assert!(
                [theme.bad.fg, theme.good.fg, theme.selection.bg]
                    .iter()
                    .all(|colour| colour.is_none_or(|colour| colour == Color::Reset))
            );
        }
    }
}
