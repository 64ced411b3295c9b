//! The user's keymap: sections are contexts, names are actions, values are keys. What the file does
//! not name keeps the keys of the table.
//!
//! ```toml
//! [main]
//! insert = "a"                  # one key
//! toggle_sync = ["s", "f5"]     # or several
//! kill_instance = []            # none: only in the palette
//! ```

use std::{collections::HashMap, fmt::Write as _, ops::Range};

use toml_edit::{ImDocument, Item, Value};

use super::{Action, Binding, Chord, Context, Keymap};
use crate::config::line_and_column;

/// Why a keymap file is refused, with the place in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {message}")]
pub struct KeymapError {
    name: String,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    message: String,
}

/// A complaint before its place is known as line and column.
struct Fault {
    at: usize,
    message: String,
}

fn fault<T>(span: Option<Range<usize>>, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { at: span.map_or(0, |span| span.start), message: message.into() })
}

impl Keymap {
    /// Lays a file over the keys that come with the program.
    ///
    /// # Errors
    /// A text that is no TOML, a section, action or key that does not exist, a key that would mean two
    /// things in one place or could not be typed as text any more, and a place without a way out.
    pub fn parse(name: &str, text: &str) -> Result<Self, KeymapError> {
        Self::read(text).map_err(|fault| {
            let (line, column) = line_and_column(text, fault.at);
            KeymapError { name: name.to_owned(), line, column, message: fault.message }
        })
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let document = ImDocument::parse(text).map_err(|error| Fault {
            at: error.span().map_or(text.len(), |span| span.start),
            message: error.message().replace('\n', "; "),
        })?;
        let mut rows = Self::default().rows;
        // Where the file binds a row, for complaints about what follows from it.
        let mut bound: HashMap<(Context, Action), usize> = HashMap::new();
        for (section, item) in document.as_table() {
            let span = document.key(section).and_then(toml_edit::Key::span);
            let Some(context) = rows.iter().map(|row| row.context).find(|context| context.name() == section)
            else {
                let known: Vec<_> = Self::default().contexts().into_iter().map(Context::name).collect();
                return fault(span, format!("no place is called `{section}`: {}", known.join(", ")));
            };
            let Some(table) = item.as_table_like() else {
                return fault(span, format!("`{section}` must be a section: [{section}]"));
            };
            for (action, item) in table.iter() {
                let span = table.key(action).and_then(toml_edit::Key::span);
                let row = rows.iter_mut().find(|row| row.context == context && row.action.name() == action);
                let Some(row) = row else {
                    return fault(span, unknown_action(context, action));
                };
                bound.insert((context, row.action), span.map_or(0, |span| span.start));
                row.chords = chords(item)?;
            }
        }
        check(&rows, &bound)?;
        Ok(Self::of(rows))
    }

    /// The table as a keymap file, every action of every place with its keys.
    pub(crate) fn as_toml(&self) -> String {
        let mut text = String::from(
            "# Keys of syncscope: a section a place, an action a line, with one key or several.\n",
        );
        for context in self.contexts() {
            let _ = writeln!(text, "\n[{}]  # {}", context.name(), context.heading());
            for row in self.rows(context) {
                let keys: Vec<_> =
                    row.chords.iter().map(|chord| Value::from(chord.name()).to_string()).collect();
                let _ = writeln!(text, "{} = [{}]  # {}", row.action.name(), keys.join(", "), row.help);
            }
        }
        text
    }
}

/// What the nearest right names are.
fn unknown_action(context: Context, wrong: &str) -> String {
    let keys = Keymap::default();
    let nearest = keys
        .rows(context)
        .map(|row| row.action.name())
        .map(|name| (similar::TextDiff::from_chars(wrong, name.as_str()).ratio(), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match nearest {
        Some((likeness, name)) if likeness > 0.6 => format!("did you mean `{name}`?"),
        _ => "`syncscope keys` lists them".to_owned(),
    };
    format!("[{}] has no action `{wrong}`: {hint}", context.name())
}

/// One key or a list of keys.
fn chords(item: &Item) -> Result<Vec<Chord>, Fault> {
    let one = |value: &Value| match value.as_str() {
        Some(text) => Chord::parse(text).or_else(|message| fault(value.span(), message)),
        None => fault(value.span(), "a key must be text in quotes"),
    };
    match item.as_value() {
        Some(Value::Array(list)) => list.iter().map(one).collect(),
        Some(value) => one(value).map(|chord| vec![chord]),
        None => fault(item.span(), "must be a key in quotes, or a list of keys"),
    }
}

/// What no single row can violate.
fn check(rows: &[Binding], bound: &HashMap<(Context, Action), usize>) -> Result<(), Fault> {
    let at = |row: &Binding| bound.get(&(row.context, row.action)).copied();
    let mut seen: HashMap<(Context, Chord), &Binding> = HashMap::new();
    for row in rows {
        for chord in &row.chords {
            if row.context.takes_text() && chord.is_plain() {
                let message =
                    format!("`{}` could not be typed any more in [{}]", chord.text(), row.context.name());
                return Err(Fault { at: at(row).unwrap_or(0), message });
            }
            if let Some(other) = seen.insert((row.context, *chord), row) {
                return Err(twice(*chord, row, other, at(row).max(at(other))));
            }
        }
    }
    for ((context, chord), row) in &seen {
        if *context != Context::Global
            && let Some(global) = seen.get(&(Context::Global, *chord))
        {
            return Err(twice(*chord, row, global, at(row).max(at(global))));
        }
    }
    for row in rows.iter().filter(|row| row.chords.is_empty()) {
        let way_out =
            row.action == Action::Back || (row.context == Context::Global && row.action == Action::Quit);
        if way_out {
            let message = format!(
                "[{}] {} must keep a key: there would be no way out",
                row.context.name(),
                row.action.name()
            );
            return Err(Fault { at: at(row).unwrap_or(0), message });
        }
    }
    Ok(())
}

fn twice(chord: Chord, row: &Binding, other: &Binding, at: Option<usize>) -> Fault {
    let name = |row: &Binding| format!("[{}] {}", row.context.name(), row.action.name());
    let message = format!(
        "`{}` would be both {} and {}: give one of them another key, or none with []",
        chord.text(),
        name(row),
        name(other)
    );
    Fault { at: at.unwrap_or(0), message }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    fn press(keys: &Keymap, context: Context, c: char) -> Option<Action> {
        keys.action(context, Chord::of(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)))
    }

    #[test]
    fn a_file_is_laid_over_the_table() {
        let keys = Keymap::parse(
            "k.toml",
            "[main]\ninsert = 'a'\nkill_instance = []\ntoggle_sync = ['s', 'ctrl-x']",
        )
        .unwrap();
        assert_eq!(press(&keys, Context::Main, 'a'), Some(Action::Insert));
        assert_eq!(press(&keys, Context::Main, 'i'), None, "replaced, not added");
        assert_eq!(press(&keys, Context::Main, 'K'), None);
        assert_eq!(press(&keys, Context::Main, 'b'), Some(Action::Rebuild), "not named, not changed");
        assert_eq!(keys.key_of(Context::Main, Action::Insert).as_deref(), Some("a"));
        assert!(
            keys.rows(Context::Main).any(|row| row.action == Action::KillInstance),
            "still in the palette"
        );
    }

    #[test]
    fn the_whole_table_can_be_written_and_read() {
        let text = Keymap::default().as_toml();
        let again = Keymap::parse("keys.toml", &text).unwrap();
        assert_eq!(again.as_toml(), text);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, told) in [
            ("[main]\ninsrt = 'a'", "k.toml:2:1: [main] has no action `insrt`: did you mean `insert`?"),
            ("[main]\nxyz = 'a'", "k.toml:2:1: [main] has no action `xyz`: `syncscope keys` lists them"),
            ("[mian]\ninsert = 'a'", "k.toml:1:2: no place is called `mian`: main, "),
            ("[main]\ninsert = 'hyper-a'", "k.toml:2:10: `hyper-a` is no key"),
            ("[main]\ninsert = ['a', 'shift-b']", "k.toml:2:16: `shift-b`: write the capital letter"),
            ("[main]\ninsert = 5", "k.toml:2:10: a key must be text in quotes"),
            ("[main]\n\ninsert = 'b'", "k.toml:3:1: `b` would be both [main] rebuild and [main] insert"),
            (
                "[main]\ninsert = 'ctrl-c'",
                "k.toml:2:1: `ctrl-c` would be both [main] insert and [global] quit",
            ),
            ("[filter]\nsubmit = 'a'", "k.toml:2:1: `a` could not be typed any more in [filter]"),
            ("[follow]\nback = []", "k.toml:2:1: [follow] back must keep a key"),
            ("[global]\nquit = []", "k.toml:2:1: [global] quit must keep a key"),
            ("main = 1", "k.toml:1:1: `main` must be a section"),
            ("[main]\nä = ' x", "k.toml:2:"),
        ] {
            let error = Keymap::parse("k.toml", text).map(drop).unwrap_err().to_string();
            assert!(error.starts_with(told), "{text}: {error}");
            assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn keys_can_be_exchanged() {
        let keys = Keymap::parse("k.toml", "[main]\ninsert = 'b'\nrebuild = 'i'").unwrap();
        assert_eq!(press(&keys, Context::Main, 'b'), Some(Action::Insert));
        assert_eq!(press(&keys, Context::Main, 'i'), Some(Action::Rebuild));
    }
}
