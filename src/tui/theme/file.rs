//! Theme files: a role a line, a style in words. Roles that the file does not name are those of its base.
//!
//! ```toml
//! base = "dark"
//! accent = "#56b4e9"
//! bad = "bold light-red"
//! selection = "black on cyan"
//! ```

use std::ops::Range;
use std::str::FromStr as _;

use ratatui::style::{Color, Modifier, Style};
use toml_edit::{ImDocument, Item};

use super::{Theme, ThemeName};
use crate::config::line_and_column;

/// Why a theme file is refused, with the place in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {message}")]
pub struct ThemeError {
    name: String,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    message: String,
}

/// A theme of the user's own.
#[derive(Debug, Clone, PartialEq)]
pub struct FileTheme {
    name: String,
    pub(crate) theme: Theme,
}

/// Roles by name, each with its place in the theme.
type Role = (&'static str, fn(&mut Theme) -> &mut Style);

const ROLES: [Role; 16] = [
    ("text", |theme| &mut theme.text),
    ("dim", |theme| &mut theme.dim),
    ("strong", |theme| &mut theme.strong),
    ("accent", |theme| &mut theme.accent),
    ("good", |theme| &mut theme.good),
    ("waiting", |theme| &mut theme.waiting),
    ("bad", |theme| &mut theme.bad),
    ("border", |theme| &mut theme.border),
    ("border-focused", |theme| &mut theme.border_focused),
    ("title", |theme| &mut theme.title),
    ("title-focused", |theme| &mut theme.title_focused),
    ("selection", |theme| &mut theme.selection),
    ("fresh", |theme| &mut theme.fresh),
    ("key", |theme| &mut theme.key),
    ("found", |theme| &mut theme.found),
    ("json-name", |theme| &mut theme.json_name),
];

/// A complaint with its place as an offset.
type Fault = (usize, String);

impl FileTheme {
    /// Its name: that of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a theme; `path` names it in errors.
    ///
    /// # Errors
    /// A text that is no TOML, and a role, colour or word that does not exist.
    pub fn parse(name: &str, path: &str, text: &str) -> Result<Self, ThemeError> {
        match read(text) {
            Ok(theme) => Ok(Self { name: name.to_owned(), theme }),
            Err((at, message)) => {
                let (line, column) = line_and_column(text, at);
                Err(ThemeError { name: path.to_owned(), line, column, message })
            }
        }
    }
}

fn start(span: Option<Range<usize>>) -> usize {
    span.map_or(0, |span| span.start)
}

fn read(text: &str) -> Result<Theme, Fault> {
    let document = ImDocument::parse(text).map_err(|error| {
        (error.span().map_or(text.len(), |span| span.start), error.message().replace('\n', "; "))
    })?;
    let table = document.as_table();
    let base = match table.get("base") {
        None => ThemeName::default(),
        Some(item) => ThemeName::parse(words(item)?).ok_or_else(|| {
            let known: Vec<_> = ThemeName::ALL.into_iter().map(ThemeName::name).collect();
            (start(item.span()), format!("the base must be one of {}", known.join(", ")))
        })?,
    };
    let mut theme = Theme::of(base);
    if let Some(item) = table.get("accent") {
        // What stands out does so in the accent, unless the file says otherwise.
        let accent = style(item)?;
        theme.border_focused = accent;
        theme.json_name = accent;
        theme.found = accent.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        theme.key = accent.add_modifier(Modifier::BOLD);
        theme.title_focused = accent.add_modifier(Modifier::BOLD);
    }
    for (name, item) in table.iter().filter(|(name, _)| *name != "base") {
        let Some((_, role)) = ROLES.iter().find(|(role, _)| *role == name) else {
            let known: Vec<_> = ROLES.iter().map(|(role, _)| *role).collect();
            let at = start(document.key(name).and_then(toml_edit::Key::span));
            return Err((at, format!("no role is called `{name}`: there are {}", known.join(", "))));
        };
        *role(&mut theme) = style(item)?;
    }
    Ok(theme)
}

fn words(item: &Item) -> Result<&str, Fault> {
    item.as_str().ok_or_else(|| (start(item.span()), "must be text in quotes".to_owned()))
}

/// `bold #56b4e9 on black`.
fn style(item: &Item) -> Result<Style, Fault> {
    let mut style = Style::new();
    let mut ground = false;
    for word in words(item)?.split_whitespace() {
        let modifier = match word {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            "on" => {
                ground = true;
                continue;
            }
            colour => {
                let colour = if colour == "default" { Ok(Color::Reset) } else { Color::from_str(colour) };
                let Ok(colour) = colour else {
                    let message = format!(
                        "`{word}` is neither a colour (red, light-blue, #56b4e9, 0 to 255, default) nor bold, \
                         dim, italic, underlined, reversed"
                    );
                    return Err((start(item.span()), message));
                };
                style = if ground { style.bg(colour) } else { style.fg(colour) };
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        FileTheme::parse("mine", "mine.toml", text).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn roles_take_words_and_the_rest_is_the_base() {
        let text = "base = 'light'\naccent = '#56b4e9'\nselection = 'bold black on cyan'\nkey = 'red'";
        let theme = FileTheme::parse("mine", "mine.toml", text).unwrap().theme;
        assert_eq!(theme.accent.fg, Some(Color::Rgb(0x56, 0xb4, 0xe9)));
        assert_eq!(theme.border_focused, theme.accent, "follows the accent");
        assert_eq!(theme.key, Style::new().fg(Color::Red), "unless it is named");
        assert_eq!((theme.selection.fg, theme.selection.bg), (Some(Color::Black), Some(Color::Cyan)));
        assert_eq!(theme.good, Theme::of(ThemeName::Light).good);
        let empty = FileTheme::parse("mine", "mine.toml", "").unwrap().theme;
        assert_eq!(empty, Theme::of(ThemeName::default()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert!(
            error("\n acent = 'red'")
                .starts_with("mine.toml:2:2: no role is called `acent`: there are text, ")
        );
        assert!(error("accent = 'redd'").starts_with("mine.toml:1:10: `redd` is neither a colour"));
        assert!(error("accent = 3").starts_with("mine.toml:1:10: must be text"));
        assert!(error("base = 'x'").starts_with("mine.toml:1:8: the base must be one of terminal, dark"));
        assert!(error("accent = 'red").starts_with("mine.toml:1:"));
    }
}
