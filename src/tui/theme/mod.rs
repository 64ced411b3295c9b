//! Roles, not colours: a view asks for "a stale entry's style", a theme answers.
//! The default uses the terminal's own sixteen colours and its own background, so that it suits
//! light and dark alike; no theme paints a background except under the selection.

mod depth;
mod file;

use ratatui::style::{Color, Modifier, Style};

use super::background::Background;

/// The themes that come with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeName {
    /// The terminal's own sixteen colours.
    #[default]
    Terminal,
    /// True colours on a dark background.
    Dark,
    /// True colours on a light background.
    Light,
    /// Nothing dim, everything strong.
    HighContrast,
    /// Blue, orange and vermilion, told apart by most eyes.
    ColourBlind,
    /// No colour at all (`NO_COLOR`).
    Mono,
}

impl ThemeName {
    /// All, in the order in which the theme key goes through them.
    pub const ALL: [Self; 6] =
        [Self::Terminal, Self::Dark, Self::Light, Self::HighContrast, Self::ColourBlind, Self::Mono];

    /// The name as typed on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::Mono => "mono",
        }
    }

    /// The theme of a name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The theme for a background.
    pub fn suiting(background: Background) -> Self {
        match background {
            Background::Dark => Self::Dark,
            Background::Light => Self::Light,
        }
    }

    pub(crate) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|theme| *theme == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

pub use self::depth::ColourDepth;
pub use self::file::{FileTheme, ThemeError};

/// Styles by role.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Theme {
    pub(crate) text: Style,
    pub(crate) dim: Style,
    pub(crate) strong: Style,
    pub(crate) accent: Style,
    pub(crate) good: Style,
    pub(crate) waiting: Style,
    pub(crate) bad: Style,
    pub(crate) border: Style,
    pub(crate) border_focused: Style,
    pub(crate) title: Style,
    pub(crate) title_focused: Style,
    /// The selected row of the focused pane; patched over the row.
    pub(crate) selection: Style,
    /// A row of the last second.
    pub(crate) fresh: Style,
    pub(crate) key: Style,
    /// What a filter found; patched over the text. Never by colour alone.
    pub(crate) found: Style,
    /// JSON names in the document view.
    pub(crate) json_name: Style,
    /// Only ASCII glyphs for frames and bars.
    pub(crate) ascii: bool,
}

struct Palette {
    accent: Color,
    good: Color,
    waiting: Color,
    bad: Color,
    dim: Style,
    border: Style,
    selection: Style,
}

impl Theme {
    /// The styles of a theme.
    pub(crate) fn of(name: ThemeName) -> Self {
        let faint = Style::new().add_modifier(Modifier::DIM);
        let rgb = |hex: u32| Color::from_u32(hex);
        let palette = match name {
            ThemeName::Terminal => Palette {
                accent: Color::Cyan,
                good: Color::Green,
                waiting: Color::Yellow,
                bad: Color::Red,
                dim: faint,
                border: faint,
                selection: Style::new().add_modifier(Modifier::REVERSED),
            },
            ThemeName::Dark => Palette {
                accent: rgb(0x0056_C8F5),
                good: rgb(0x007B_D88F),
                waiting: rgb(0x00F2_C46D),
                bad: rgb(0x00FF_6B81),
                dim: Style::new().fg(rgb(0x0080_889A)),
                border: Style::new().fg(rgb(0x003E_4658)),
                selection: Style::new().bg(rgb(0x0023_3348)),
            },
            ThemeName::Light => Palette {
                accent: rgb(0x0000_63B1),
                good: rgb(0x0018_7A33),
                waiting: rgb(0x0095_5E00),
                bad: rgb(0x00BE_1931),
                dim: Style::new().fg(rgb(0x006B_7280)),
                border: Style::new().fg(rgb(0x00BD_C3CD)),
                selection: Style::new().bg(rgb(0x00D6_E8FA)),
            },
            ThemeName::HighContrast => Palette {
                accent: Color::LightCyan,
                good: Color::LightGreen,
                waiting: Color::LightYellow,
                bad: Color::LightRed,
                dim: Style::new(),
                border: Style::new(),
                selection: Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
            },
            ThemeName::ColourBlind => Palette {
                accent: rgb(0x0056_B4E9),
                good: rgb(0x0000_9EC9),
                waiting: rgb(0x00E6_9F00),
                bad: rgb(0x00D5_5E00),
                dim: faint,
                border: faint,
                selection: Style::new().add_modifier(Modifier::REVERSED),
            },
            ThemeName::Mono => Palette {
                accent: Color::Reset,
                good: Color::Reset,
                waiting: Color::Reset,
                bad: Color::Reset,
                dim: faint,
                border: faint,
                selection: Style::new().add_modifier(Modifier::REVERSED),
            },
        };
        Self::build(name, &palette)
    }

    fn build(name: ThemeName, palette: &Palette) -> Self {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let of = |colour: Color| if colour == Color::Reset { Style::new() } else { Style::new().fg(colour) };
        // Without colour the focused frame still has to stand out from the dim ones.
        let focused = if name == ThemeName::Mono { bold } else { of(palette.accent) };
        Self {
            text: Style::new(),
            dim: palette.dim,
            strong: bold,
            accent: of(palette.accent),
            good: of(palette.good),
            waiting: of(palette.waiting),
            bad: of(palette.bad).add_modifier(Modifier::BOLD),
            border: palette.border,
            border_focused: focused,
            title: Style::new(),
            title_focused: focused.add_modifier(Modifier::BOLD),
            selection: palette.selection,
            fresh: bold,
            key: of(palette.accent).add_modifier(Modifier::BOLD),
            found: of(palette.accent).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            json_name: of(palette.accent),
            ascii: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_mono_has_no_colour() {
        for theme in ThemeName::ALL {
            assert_eq!(ThemeName::parse(theme.name()), Some(theme));
        }
        let mono = Theme::of(ThemeName::Mono);
        for style in [mono.accent, mono.good, mono.waiting, mono.bad, mono.border_focused, mono.selection] {
            assert!(style.fg.is_none() && style.bg.is_none());
        }
    }
}
