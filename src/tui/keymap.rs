//! Keys are data: one row (context, chords, action, help) feeds dispatch, footer, help page and palette.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::model::Pane;

/// Where keys are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// Everywhere, after the context's own keys.
    Global,
    /// The panes.
    Main,
    /// A document beside its entry.
    Follow,
    /// The insert form.
    Insert,
    /// The rebuild dialog.
    Rebuild,
    /// What a verification found.
    Verify,
    /// The page of keys.
    Help,
    /// The line of a filter.
    Filter,
    /// The command palette.
    Palette,
    /// A question with yes and no.
    Confirm,
    /// Large figures for a stage.
    Stage,
}

impl Context {
    /// Heading on the help page.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Main => "Panes",
            Self::Follow => "Following a document",
            Self::Insert => "Insert form",
            Self::Rebuild => "Rebuild",
            Self::Verify => "Verify",
            Self::Help => "This page",
            Self::Filter => "Filter line",
            Self::Palette => "Commands",
            Self::Confirm => "Questions",
            Self::Stage => "Stage mode",
        }
    }

    /// Printable keys are text here, not actions.
    pub(crate) fn takes_text(self) -> bool {
        matches!(self, Self::Insert | Self::Filter | Self::Palette)
    }
}

/// What a person means by a key, a click or a palette entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Quit,
    Suspend,
    Redraw,
    Screenshot,
    Focus(Pane),
    FocusNext,
    FocusPrevious,
    FocusLeft,
    FocusRight,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Insert,
    Rebuild,
    ToggleSync,
    TogglePause,
    ToggleTraffic,
    TrafficUp,
    TrafficDown,
    Filter,
    ClearFilter,
    Sort,
    Zoom,
    Stage,
    Mask,
    NextTheme,
    CopyKey,
    Copy,
    Palette,
    Help,
    Back,
    Submit,
    NextField,
    PreviousField,
    NextChoice,
    PreviousChoice,
    OlderVersion,
    NewerVersion,
    TakeOver,
    NextShape,
    Verify,
    StopVerify,
    Repair,
    AddInstance,
    RemoveInstance,
    KillInstance,
    SplitPartition,
}

/// A key with its modifiers. Shift is part of the character (`G`), so it counts for no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const fn key(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), modifiers: KeyModifiers::NONE }
}

const fn ctrl(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
}

const fn code(code: KeyCode) -> Chord {
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

    /// As people write it: `ctrl-c`, `enter`, `↑`.
    pub(crate) fn text(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Enter => "enter".to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Home => "home".to_owned(),
            KeyCode::End => "end".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        if self.modifiers.contains(KeyModifiers::CONTROL) { format!("ctrl-{name}") } else { name }
    }
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) context: Context,
    pub(crate) chords: &'static [Chord],
    pub(crate) action: Action,
    /// What it does, for the help page and the palette.
    pub(crate) help: &'static str,
    /// The word in the footer, where there is room; most important rows first.
    pub(crate) hint: Option<&'static str>,
}

const fn row(
    context: Context,
    chords: &'static [Chord],
    action: Action,
    help: &'static str,
    hint: Option<&'static str>,
) -> Binding {
    Binding { context, chords, action, help, hint }
}

/// All keys. Order is the order of footer and help page.
pub(crate) const KEYS: &[Binding] = {
    use Action as A;
    use Context as C;
    use KeyCode as K;
    &[
        row(C::Main, &[code(K::Enter)], A::Open, "open the document beside its entry", Some("follow")),
        row(C::Main, &[key('i')], A::Insert, "insert documents", Some("insert")),
        row(C::Main, &[key('b')], A::Rebuild, "rebuild the cache: shows a plan first", Some("rebuild")),
        row(
            C::Main,
            &[key('v')],
            A::Verify,
            "verify: every document against its entry, and back",
            Some("verify"),
        ),
        row(C::Main, &[key('s')], A::ToggleSync, "start or stop the built-in sync", Some("sync")),
        row(C::Main, &[key(' ')], A::TogglePause, "pause or resume the sync", Some("pause")),
        row(C::Main, &[key('/')], A::Filter, "filter the focused pane: text, or field=value", Some("filter")),
        row(C::Main, &[key('t')], A::ToggleTraffic, "pause or resume the sample traffic", Some("traffic")),
        row(C::Main, &[key('>')], A::TrafficUp, "more sample traffic", None),
        row(C::Main, &[key('<')], A::TrafficDown, "less sample traffic", None),
        row(C::Main, &[key('+'), key('=')], A::AddInstance, "one more instance of the built-in sync", None),
        row(C::Main, &[key('-')], A::RemoveInstance, "one instance fewer; it releases its leases", None),
        row(C::Main, &[key('K')], A::KillInstance, "kill an instance: its leases have to expire", None),
        row(C::Main, &[key('S')], A::SplitPartition, "split a partition of the embedded emulator", None),
        row(C::Main, &[code(K::Up), key('k')], A::Up, "up; the list then stands still", None),
        row(C::Main, &[code(K::Down), key('j')], A::Down, "down", None),
        row(C::Main, &[code(K::PageUp), ctrl('u')], A::PageUp, "a page up", None),
        row(C::Main, &[code(K::PageDown), ctrl('d')], A::PageDown, "a page down", None),
        row(C::Main, &[key('g'), code(K::Home)], A::First, "first row", None),
        row(C::Main, &[key('G'), code(K::End)], A::Last, "follow what comes again; last lease", None),
        row(C::Main, &[code(K::Left), key('h')], A::FocusLeft, "pane to the left", None),
        row(C::Main, &[code(K::Right), key('l')], A::FocusRight, "pane to the right", None),
        row(C::Main, &[code(K::Tab)], A::FocusNext, "next pane", None),
        row(C::Main, &[code(K::BackTab)], A::FocusPrevious, "pane before", None),
        row(C::Main, &[key('1')], A::Focus(Pane::Feed), "change feed", None),
        row(C::Main, &[key('2')], A::Focus(Pane::Leases), "leases", None),
        row(C::Main, &[key('3')], A::Focus(Pane::Cache), "cache", None),
        row(C::Main, &[key('4')], A::Focus(Pane::Latency), "latency", None),
        row(C::Main, &[key('5')], A::Focus(Pane::Log), "activity", None),
        row(C::Main, &[key('o')], A::Sort, "cache: recent, by key, by state, by size", None),
        row(C::Main, &[key('f')], A::Zoom, "the focused pane on the whole screen, and back", None),
        row(C::Main, &[key('z')], A::Stage, "large figures, for the back of a room", None),
        row(C::Main, &[key('m')], A::Mask, "mask ids, keys and values", None),
        row(C::Main, &[key('T')], A::NextTheme, "next theme", None),
        row(C::Main, &[key('y')], A::CopyKey, "copy the id or key of the selected row", None),
        row(C::Main, &[key(':'), ctrl('p')], A::Palette, "all commands, by name", Some("commands")),
        row(C::Main, &[key('?')], A::Help, "keys", Some("help")),
        row(C::Main, &[code(K::Esc)], A::ClearFilter, "clear the filter; forget the selection", None),
        row(C::Main, &[key('q')], A::Quit, "quit", Some("quit")),
        row(C::Follow, &[key('[')], A::OlderVersion, "older version", Some("older")),
        row(C::Follow, &[key(']')], A::NewerVersion, "newer version", Some("newer")),
        row(C::Follow, &[code(K::Up), key('k')], A::Up, "up", None),
        row(C::Follow, &[code(K::Down), key('j')], A::Down, "down", Some("scroll")),
        row(C::Follow, &[code(K::PageUp), ctrl('u')], A::PageUp, "a page up", None),
        row(C::Follow, &[code(K::PageDown), ctrl('d')], A::PageDown, "a page down", None),
        row(C::Follow, &[key('g'), code(K::Home)], A::First, "first line", None),
        row(C::Follow, &[key('G'), code(K::End)], A::Last, "last line", None),
        row(C::Follow, &[key('y')], A::Copy, "copy the document as JSON", Some("copy JSON")),
        row(C::Follow, &[key('Y')], A::CopyKey, "copy the cache key", Some("copy key")),
        row(C::Follow, &[key('n')], A::NextChoice, "next change in the feed", Some("next")),
        row(C::Follow, &[key('p')], A::PreviousChoice, "change before", Some("previous")),
        row(C::Follow, &[key('?')], A::Help, "keys", Some("help")),
        row(C::Follow, &[code(K::Esc), key('q'), code(K::Enter)], A::Back, "back", Some("back")),
        row(C::Insert, &[code(K::Enter)], A::Submit, "write", Some("write")),
        row(C::Insert, &[code(K::Tab), code(K::Down)], A::NextField, "next field", Some("next field")),
        row(C::Insert, &[code(K::BackTab), code(K::Up)], A::PreviousField, "field before", None),
        row(C::Insert, &[code(K::PageDown), ctrl('n')], A::NextChoice, "next kind of insert", Some("kind")),
        row(C::Insert, &[code(K::PageUp), ctrl('p')], A::PreviousChoice, "kind before", None),
        row(C::Insert, &[ctrl('t')], A::NextShape, "next shape of documents", Some("shape")),
        row(C::Insert, &[ctrl('y')], A::Copy, "copy the document, or the same command", Some("copy")),
        row(C::Insert, &[code(K::Esc)], A::Back, "cancel", Some("cancel")),
        row(C::Rebuild, &[code(K::Enter)], A::Submit, "start", Some("start")),
        row(C::Rebuild, &[key('t')], A::TakeOver, "agree that live foreign owners lose their leases", None),
        row(
            C::Rebuild,
            &[key('y')],
            A::Copy,
            "copy the command line that does the same",
            Some("copy command"),
        ),
        row(C::Rebuild, &[code(K::Up), key('k')], A::Up, "up", None),
        row(C::Rebuild, &[code(K::Down), key('j')], A::Down, "down", None),
        row(C::Rebuild, &[code(K::Esc), key('q')], A::Back, "cancel, or leave it running", Some("back")),
        row(C::Verify, &[code(K::Up), key('k')], A::Up, "up", None),
        row(C::Verify, &[code(K::Down), key('j')], A::Down, "down", None),
        row(C::Verify, &[code(K::PageUp), ctrl('u')], A::PageUp, "a page up", None),
        row(C::Verify, &[code(K::PageDown), ctrl('d')], A::PageDown, "a page down", None),
        row(
            C::Verify,
            &[code(K::Enter)],
            A::Submit,
            "follow the selected document; yes to a repair",
            Some("follow"),
        ),
        row(C::Verify, &[key('r')], A::Repair, "repair what is wrong: asks first", Some("repair")),
        row(C::Verify, &[key('v')], A::Verify, "verify again", Some("again")),
        row(C::Verify, &[key('x')], A::StopVerify, "stop it", Some("stop")),
        row(
            C::Verify,
            &[key('y')],
            A::Copy,
            "copy the command line that does the same",
            Some("copy command"),
        ),
        row(C::Verify, &[key('?')], A::Help, "keys", None),
        row(C::Verify, &[code(K::Esc), key('q')], A::Back, "back; it goes on", Some("back")),
        row(C::Help, &[code(K::Up), key('k')], A::Up, "up", None),
        row(C::Help, &[code(K::Down), key('j')], A::Down, "down", Some("scroll")),
        row(C::Help, &[code(K::PageUp), ctrl('u')], A::PageUp, "a page up", None),
        row(C::Help, &[code(K::PageDown), ctrl('d'), key(' ')], A::PageDown, "a page down", None),
        row(C::Help, &[code(K::Esc), key('q'), key('?'), code(K::Enter)], A::Back, "back", Some("back")),
        row(C::Filter, &[code(K::Enter), code(K::Down)], A::Submit, "keep the filter", Some("keep")),
        row(C::Filter, &[code(K::Esc)], A::Back, "clear it", Some("clear")),
        row(C::Palette, &[code(K::Enter)], A::Submit, "do it", Some("do it")),
        row(C::Palette, &[code(K::Up), ctrl('p')], A::Up, "up", None),
        row(C::Palette, &[code(K::Down), ctrl('n')], A::Down, "down", None),
        row(C::Palette, &[code(K::Esc)], A::Back, "back", Some("back")),
        row(C::Confirm, &[code(K::Enter), key('y')], A::Submit, "yes", Some("yes")),
        row(C::Confirm, &[code(K::Esc), key('n'), key('q')], A::Back, "no", Some("no")),
        row(C::Stage, &[key(' ')], A::TogglePause, "pause or resume the sync", Some("pause")),
        row(C::Stage, &[key('t')], A::ToggleTraffic, "pause or resume the sample traffic", Some("traffic")),
        row(C::Stage, &[key('>')], A::TrafficUp, "more sample traffic", None),
        row(C::Stage, &[key('<')], A::TrafficDown, "less sample traffic", None),
        row(C::Stage, &[key('T')], A::NextTheme, "next theme", None),
        row(C::Stage, &[code(K::Esc), key('z'), key('q')], A::Back, "back", Some("back")),
        row(C::Global, &[ctrl('c')], A::Quit, "quit", None),
        row(C::Global, &[ctrl('z')], A::Suspend, "to the shell; fg comes back", None),
        row(C::Global, &[ctrl('s')], A::Screenshot, "save this screen as SVG in the current directory", None),
        row(C::Global, &[ctrl('l')], A::Redraw, "draw everything again", None),
    ]
};

/// The action of a chord in a context.
pub(crate) fn action(context: Context, chord: Chord) -> Option<Action> {
    let find = |context| {
        KEYS.iter().find(|row| row.context == context && row.chords.contains(&chord)).map(|row| row.action)
    };
    find(context).or_else(|| find(Context::Global))
}

/// Rows of a context, in order.
pub(crate) fn rows(context: Context) -> impl Iterator<Item = &'static Binding> {
    KEYS.iter().filter(move |row| row.context == context)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_chord_means_two_things_in_one_place() {
        let mut seen = HashMap::new();
        for row in KEYS {
            for chord in row.chords {
                let before = seen.insert((row.context, *chord), row.help);
                assert!(before.is_none(), "{} is bound twice in {:?}", chord.text(), row.context);
                if row.context != Context::Global {
                    assert!(
                        !rows(Context::Global).any(|global| global.chords.contains(chord)),
                        "{} of {:?} hides a key that works everywhere",
                        chord.text(),
                        row.context
                    );
                }
            }
        }
    }

    #[test]
    fn contexts_that_take_text_bind_no_plain_character() {
        for row in KEYS.iter().filter(|row| row.context.takes_text()) {
            for chord in row.chords {
                let plain = matches!(chord.code, KeyCode::Char(_)) && chord.modifiers.is_empty();
                assert!(!plain, "{} in {:?} could not be typed", chord.text(), row.context);
            }
        }
    }

    #[test]
    fn shift_is_part_of_the_character() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(action(Context::Main, Chord::of(&event)), Some(Action::Last));
        let tab = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(action(Context::Main, Chord::of(&tab)), Some(Action::FocusPrevious));
    }
}
