//! Whether the terminal is dark or light: it is asked (OSC 11) once the first frame is drawn, and nobody waits
//! for the answer. That comes among the keys, as `alt-]`, `11;rgb:…` and an end, and is taken out of them; keys
//! that were typed before, during or after it stay what they are. A terminal that never answers costs nothing.

use std::{
    io::{self, Write},
    mem,
    time::{Duration, Instant},
};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Longest wait for an answer; later ones would be keys.
const LATEST: Duration = Duration::from_secs(20);
/// Most characters of an answer.
const LONGEST: usize = 48;
/// How an answer begins.
const HEAD: &str = "11;rgb";

/// The background of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Light text on it.
    Dark,
    /// Dark text on it.
    Light,
}

impl Background {
    /// What the variable `COLORFGBG` says, `15;0` or `0;default;15`: the last number is that of the background.
    pub fn of_variable(value: &str) -> Option<Self> {
        match value.rsplit(';').next()?.parse::<u8>().ok()? {
            0..=6 | 8 => Some(Self::Dark),
            7 | 9..=15 => Some(Self::Light),
            _ => None,
        }
    }

    /// An answer between `ESC ]` and its end.
    fn of_answer(text: &str) -> Option<Self> {
        let colour = xterm_color::Color::parse(text.strip_prefix("11;")?.as_bytes()).ok()?;
        Some(if colour.perceived_lightness() > 0.5 { Self::Light } else { Self::Dark })
    }
}

/// Asks the terminal.
pub(crate) fn ask() -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(b"\x1b]11;?\x1b\\")?;
    out.flush()
}

/// Takes the answer out of what the terminal sends.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    /// `None` = not asked, answered, or given up.
    asked: Option<Instant>,
    /// Keys of what may be the answer.
    held: Vec<Event>,
    text: String,
}

impl Sieve {
    /// After [`ask`].
    pub(crate) fn expecting(now: Instant) -> Self {
        Self { asked: Some(now), ..Self::default() }
    }

    /// Takes an event; gives the events that are the user's, and the answer once it is complete.
    pub(crate) fn sift(&mut self, event: Event, now: Instant) -> (Vec<Event>, Option<Background>) {
        if self.asked.is_none_or(|asked| now.duration_since(asked) > LATEST) {
            self.asked = None;
            return (self.release(Some(event)), None);
        }
        let Event::Key(key) = &event else { return (vec![event], None) };
        if key.kind != KeyEventKind::Press {
            return (vec![event], None);
        }
        match (part(key), self.held.is_empty()) {
            (Part::Begin, true) => self.held.push(event),
            (_, true) => return (vec![event], None),
            (Part::Character(c), false) => {
                self.text.push(c);
                self.held.push(event);
                let may_be = HEAD.starts_with(&self.text) || self.text.starts_with(HEAD);
                if !may_be || self.text.len() > LONGEST {
                    return (self.release(None), None);
                }
            }
            (Part::End, false) if self.text.starts_with(HEAD) => {
                let answer = Background::of_answer(&self.text);
                *self = Self::default();
                return (Vec::new(), answer);
            }
            _ => return (self.release(Some(event)), None),
        }
        (Vec::new(), None)
    }

    /// It was no answer: the keys are the user's.
    fn release(&mut self, last: Option<Event>) -> Vec<Event> {
        self.text.clear();
        let mut events = mem::take(&mut self.held);
        events.extend(last);
        events
    }
}

/// What a key may be in an answer.
enum Part {
    Begin,
    Character(char),
    End,
    Other,
}

fn part(key: &KeyEvent) -> Part {
    match (key.code, key.modifiers - KeyModifiers::SHIFT) {
        (KeyCode::Char(']'), KeyModifiers::ALT) => Part::Begin,
        // `ESC \`, or the bell.
        (KeyCode::Char('\\'), KeyModifiers::ALT) | (KeyCode::Char('g'), KeyModifiers::CONTROL) => Part::End,
        (KeyCode::Char(c), KeyModifiers::NONE) => Part::Character(c),
        _ => Part::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(c: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(c), modifiers))
    }

    fn plain(text: &str) -> Vec<Event> {
        text.chars().map(|c| key(c, KeyModifiers::NONE)).collect()
    }

    fn answer(text: &str, end: Event) -> Vec<Event> {
        let mut events = vec![key(']', KeyModifiers::ALT)];
        events.extend(plain(text));
        events.push(end);
        events
    }

    /// What comes through, and what was found out.
    fn sifted(events: Vec<Event>) -> (Vec<Event>, Option<Background>) {
        let now = Instant::now();
        let mut sieve = Sieve::expecting(now);
        let (mut through, mut found) = (Vec::new(), None);
        for event in events {
            let (events, background) = sieve.sift(event, now);
            through.extend(events);
            found = found.or(background);
        }
        (through, found)
    }

    #[test]
    fn the_answer_is_taken_out_of_the_keys() {
        let st = key('\\', KeyModifiers::ALT);
        let bell = key('g', KeyModifiers::CONTROL);
        for (text, end, background) in [
            ("11;rgb:0000/0000/0000", st.clone(), Background::Dark),
            ("11;rgb:ffff/ffff/ffff", bell, Background::Light),
            ("11;rgb:fd/f6/e3", st.clone(), Background::Light),
            ("11;rgba:1e1e/1e1e/2e2e/ffff", st, Background::Dark),
        ] {
            let mut events = plain("jj");
            events.extend(answer(text, end));
            events.extend(plain("q"));
            assert_eq!(sifted(events), (plain("jjq"), Some(background)), "{text}");
        }
    }

    #[test]
    fn keys_that_only_look_like_it_are_keys() {
        for events in [
            answer("x", key('a', KeyModifiers::ALT)),
            answer("11;q", key('\\', KeyModifiers::ALT)),
            answer(&format!("11;rgb:{}", "0".repeat(60)), key('a', KeyModifiers::NONE)),
            answer("", key('\\', KeyModifiers::ALT)),
        ] {
            assert_eq!(sifted(events.clone()), (events, None));
        }
    }

    #[test]
    fn after_the_answer_and_after_a_while_all_keys_are_keys() {
        let again = answer("11;rgb:0/0/0", key('\\', KeyModifiers::ALT));
        let mut events = again.clone();
        events.extend(again.clone());
        assert_eq!(sifted(events).0, again);
        let now = Instant::now();
        let mut sieve = Sieve::expecting(now);
        let late = now + LATEST + Duration::from_secs(1);
        let through: Vec<Event> = again.iter().flat_map(|event| sieve.sift(event.clone(), late).0).collect();
        assert_eq!(through, again);
    }

    #[test]
    fn the_variable_tells_by_its_last_number() {
        for (value, background) in [
            ("15;0", Some(Background::Dark)),
            ("0;15", Some(Background::Light)),
            ("0;default;15", Some(Background::Light)),
            ("7;8", Some(Background::Dark)),
            ("default", None),
            ("", None),
        ] {
            assert_eq!(Background::of_variable(value), background, "{value}");
        }
    }
}
