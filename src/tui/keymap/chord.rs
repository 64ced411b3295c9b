//! One key press, as people write it and as the terminal reports it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of the character (`G`), so it counts for no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

pub(super) const fn key(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), modifiers: KeyModifiers::NONE }
}

pub(super) const fn ctrl(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
}

pub(super) const fn code(code: KeyCode) -> Chord {
    Chord { code, modifiers: KeyModifiers::NONE }
}

impl Chord {
    /// The chord of a key event, made comparable.
    pub(crate) fn of(event: &KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        // Terminals report shift-tab with or without the modifier.
        if event.code != KeyCode::BackTab && !matches!(event.code, KeyCode::Char(_)) {
            modifiers |= event.modifiers & KeyModifiers::SHIFT;
        }
        Self { code: event.code, modifiers }
    }

    /// A press of it.
    #[cfg(test)]
    pub(crate) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// As people write it: `ctrl-c`, `enter`, `↑`.
    pub(crate) fn text(self) -> String {
        self.named(|code| match code {
            KeyCode::Up => Some("↑"),
            KeyCode::Down => Some("↓"),
            KeyCode::Left => Some("←"),
            KeyCode::Right => Some("→"),
            _ => None,
        })
    }

    /// As a keymap file has it: ASCII only.
    pub(crate) fn name(self) -> String {
        self.named(|_| None)
    }

    fn named(self, sign: impl Fn(KeyCode) -> Option<&'static str>) -> String {
        let mut text = String::new();
        for (modifier, name) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                text.push_str(name);
                text.push('-');
            }
        }
        match self.code {
            KeyCode::Char(' ') => text.push_str("space"),
            KeyCode::Char(c) => text.push(c),
            KeyCode::F(n) => text.extend(["f", &n.to_string()]),
            code => {
                match sign(code).or_else(|| NAMES.iter().find(|(_, of)| *of == code).map(|(name, _)| *name)) {
                    Some(name) => text.push_str(name),
                    None => text.push_str(&format!("{code:?}").to_lowercase()),
                }
            }
        }
        text
    }

    /// Printable without a modifier: text where text is typed.
    pub(super) fn is_plain(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// Reads a chord; the error says what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        while let Some((modifier, tail)) = MODIFIERS.iter().find_map(|(modifier, name)| {
            let tail = rest.strip_prefix(name)?.strip_prefix('-')?;
            (!tail.is_empty()).then_some((*modifier, tail))
        }) {
            modifiers |= modifier;
            rest = tail;
        }
        let code = named_code(rest).ok_or_else(|| {
            format!("`{text}` is no key: write one character, or ctrl-x, alt-x, enter, space, up, pgdn, f5 …")
        })?;
        if !modifiers.contains(KeyModifiers::SHIFT) {
            return Ok(Self { code, modifiers });
        }
        match code {
            KeyCode::Tab => Ok(Self { code: KeyCode::BackTab, modifiers: modifiers - KeyModifiers::SHIFT }),
            KeyCode::Char(_) => Err(format!("`{text}`: write the capital letter instead of shift")),
            _ => Ok(Self { code, modifiers }),
        }
    }
}

const MODIFIERS: [(KeyModifiers, &str); 3] =
    [(KeyModifiers::CONTROL, "ctrl"), (KeyModifiers::ALT, "alt"), (KeyModifiers::SHIFT, "shift")];

const NAMES: [(&str, KeyCode); 18] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("↑", KeyCode::Up),
    ("↓", KeyCode::Down),
    ("space", KeyCode::Char(' ')),
];

fn named_code(name: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMES.iter().find(|(of, _)| *of == name) {
        return Some(*code);
    }
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control()).then_some(KeyCode::Char(c));
    }
    let number = name.strip_prefix('f')?.parse::<u8>().ok()?;
    (1..=24).contains(&number).then_some(KeyCode::F(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_read_as_written() {
        for text in [
            "a",
            "G",
            "/",
            "-",
            "ctrl-c",
            "alt-x",
            "ctrl-alt-x",
            "ctrl--",
            "enter",
            "space",
            "f12",
            "shift-tab",
            "shift-up",
            "ctrl-left",
        ] {
            assert_eq!(Chord::parse(text).map(Chord::name).as_deref(), Ok(text));
        }
        for text in ["", "ctrl-", "enterr", "f0", "f99", "xy", "shift-a", "\t"] {
            assert!(Chord::parse(text).is_err(), "{text}");
        }
        assert_eq!(Chord::parse("up").map(Chord::text).as_deref(), Ok("↑"));
    }
}
