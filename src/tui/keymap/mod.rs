//! Keys are data: one row (context, chords, action, help) feeds dispatch, footer, help page, palette,
//! `syncscope keys` and the README. A user's file lays other chords over the table.

mod action;
mod bookmark_table;
mod chord;
mod context;
mod file;
mod table;

use std::collections::HashMap;

pub use self::file::KeymapError;
pub(crate) use self::{action::Action, chord::Chord, context::Context};

/// One row in force.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) context: Context,
    /// Empty = only in the palette.
    pub(crate) chords: Vec<Chord>,
    pub(crate) action: Action,
    /// What it does, for the help page and the palette.
    pub(crate) help: &'static str,
    /// The word in the footer, where there is room.
    pub(crate) hint: Option<&'static str>,
}

impl Binding {
    /// All its chords, as people write them.
    pub(crate) fn keys(&self) -> String {
        let keys: Vec<String> = self.chords.iter().map(|chord| chord.text()).collect();
        keys.join(" ")
    }
}

/// The keys in force. Order is the order of footer and help page.
#[derive(Debug, Clone)]
pub struct Keymap {
    rows: Vec<Binding>,
    actions: HashMap<(Context, Chord), Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        let rows = table::KEYS.iter().chain(bookmark_table::KEYS).map(|row| Binding {
            context: row.context,
            chords: row.chords.to_vec(),
            action: row.action,
            help: row.help,
            hint: row.hint,
        });
        Self::of(rows.collect())
    }
}

impl Keymap {
    fn of(rows: Vec<Binding>) -> Self {
        let chords = rows.iter().flat_map(|row| row.chords.iter().map(move |chord| (row, *chord)));
        let actions = chords.map(|(row, chord)| ((row.context, chord), row.action)).collect();
        Self { rows, actions }
    }

    /// The action of a chord in a context.
    pub(crate) fn action(&self, context: Context, chord: Chord) -> Option<Action> {
        let find = |context| self.actions.get(&(context, chord)).copied();
        find(context).or_else(|| find(Context::Global))
    }

    /// The action of a chord in a context alone.
    pub(crate) fn own(&self, context: Context, chord: Chord) -> Option<Action> {
        self.actions.get(&(context, chord)).copied()
    }

    /// Rows of a context, in order.
    pub(crate) fn rows(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.rows.iter().filter(move |row| row.context == context)
    }

    /// All contexts that have keys, in the table's order.
    pub(crate) fn contexts(&self) -> Vec<Context> {
        let mut contexts: Vec<Context> = Vec::new();
        for row in &self.rows {
            if !contexts.contains(&row.context) {
                contexts.push(row.context);
            }
        }
        contexts
    }

    /// The first key of an action where one is, for words such as "press s".
    pub(crate) fn key_of(&self, context: Context, action: Action) -> Option<String> {
        let row = self.rows(context).find(|row| row.action == action)?;
        row.chords.first().map(|chord| chord.text())
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    #[test]
    fn no_chord_means_two_things_in_one_place() {
        let keys = Keymap::default();
        let mut seen = HashMap::new();
        for row in &keys.rows {
            for chord in &row.chords {
                let before = seen.insert((row.context, *chord), row.help);
                assert!(before.is_none(), "{} is bound twice in {:?}", chord.text(), row.context);
                if row.context != Context::Global {
                    assert!(
                        !keys.rows(Context::Global).any(|global| global.chords.contains(chord)),
                        "{} of {:?} hides a key that works everywhere",
                        chord.text(),
                        row.context
                    );
                }
            }
        }
    }

    #[test]
    fn no_action_has_two_rows_in_one_place() {
        let keys = Keymap::default();
        let mut seen = HashMap::new();
        for row in &keys.rows {
            let before = seen.insert((row.context, row.action), row.help);
            assert!(
                before.is_none(),
                "{:?} has two rows in {:?}: one name, one row",
                row.action,
                row.context
            );
        }
    }

    #[test]
    fn contexts_that_take_text_bind_no_plain_character() {
        for row in Keymap::default().rows.iter().filter(|row| row.context.takes_text()) {
            for chord in &row.chords {
                assert!(!chord.is_plain(), "{} in {:?} could not be typed", chord.text(), row.context);
            }
        }
    }

    #[test]
    fn shift_is_part_of_the_character() {
        let keys = Keymap::default();
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(keys.action(Context::Main, Chord::of(&event)), Some(Action::Last));
        let tab = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(keys.action(Context::Main, Chord::of(&tab)), Some(Action::FocusPrevious));
    }
}
