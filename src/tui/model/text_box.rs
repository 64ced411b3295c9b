//! Text of several lines with a cursor: what the editor of a document types into.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Steps that can be taken back, while they fit.
const UNDO: usize = 100;
/// Bytes of text kept over all of these steps.
const UNDO_BYTES: usize = 4 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    lines: Vec<String>,
    row: usize,
    column: usize,
}

/// Lines, never none, and a cursor between two characters.
#[derive(Debug, Clone)]
pub(crate) struct TextBox {
    lines: Vec<String>,
    row: usize,
    /// In characters.
    column: usize,
    undo: Vec<Step>,
}

impl TextBox {
    pub(crate) fn new(lines: Vec<String>) -> Self {
        let lines = if lines.is_empty() { vec![String::new()] } else { lines };
        Self { lines, row: 0, column: 0, undo: Vec::new() }
    }

    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Line and column of the cursor, from 0, in characters.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// Puts the cursor somewhere, or as near as there is text.
    pub(crate) fn go(&mut self, row: usize, column: usize) {
        self.row = row.min(self.lines.len() - 1);
        self.column = column.min(self.length());
    }

    /// Characters of the cursor's line.
    fn length(&self) -> usize {
        self.lines.get(self.row).map_or(0, |line| line.chars().count())
    }

    /// Byte of a column in the cursor's line.
    fn byte(&self, column: usize) -> usize {
        let line = self.lines.get(self.row).map_or("", String::as_str);
        line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
    }

    fn remember(&mut self) {
        let bytes: usize = self.lines.iter().map(String::len).sum();
        let most = (UNDO_BYTES / bytes.max(1)).clamp(1, UNDO);
        if self.undo.len() >= most {
            self.undo.drain(..=self.undo.len() - most);
        }
        self.undo.push(Step { lines: self.lines.clone(), row: self.row, column: self.column });
    }

    /// Takes a key; `true` = the text is another one now.
    pub(crate) fn key(&mut self, key: &KeyEvent, page: usize) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if control => self.column = 0,
            KeyCode::Char('e') if control => self.column = self.length(),
            KeyCode::Char('u') if control => return self.take_back(),
            KeyCode::Char('k') if control => return self.cut(self.column, self.length()),
            KeyCode::Char(c) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
                return self.insert(&c.to_string());
            }
            KeyCode::Enter => return self.insert("\n"),
            KeyCode::Tab => return self.insert("  "),
            KeyCode::Backspace => return self.delete_before(),
            KeyCode::Delete => return self.delete_behind(),
            KeyCode::Left if self.column > 0 => self.column -= 1,
            KeyCode::Left if self.row > 0 => self.go(self.row - 1, usize::MAX),
            KeyCode::Right if self.column < self.length() => self.column += 1,
            KeyCode::Right if self.row + 1 < self.lines.len() => self.go(self.row + 1, 0),
            KeyCode::Up => self.go(self.row.saturating_sub(1), self.column),
            KeyCode::Down => self.go(self.row + 1, self.column),
            KeyCode::PageUp => self.go(self.row.saturating_sub(page), self.column),
            KeyCode::PageDown => self.go(self.row + page, self.column),
            KeyCode::Home if control => self.go(0, 0),
            KeyCode::End if control => self.go(usize::MAX, usize::MAX),
            KeyCode::Home => self.column = 0,
            KeyCode::End => self.column = self.length(),
            _ => {}
        }
        false
    }

    /// Puts text, perhaps of several lines, before the cursor.
    pub(crate) fn insert(&mut self, text: &str) -> bool {
        if text.is_empty() {
            return false;
        }
        self.remember();
        let at = self.byte(self.column);
        let Some(line) = self.lines.get_mut(self.row) else { return false };
        let tail = line.split_off(at);
        let mut parts = text.split('\n');
        line.push_str(parts.next().unwrap_or_default());
        for part in parts {
            self.row += 1;
            self.lines.insert(self.row, part.to_owned());
        }
        self.column = self.length();
        if let Some(line) = self.lines.get_mut(self.row) {
            line.push_str(&tail);
        }
        true
    }

    fn cut(&mut self, from: usize, to: usize) -> bool {
        if from >= to {
            return false;
        }
        self.remember();
        let range = self.byte(from)..self.byte(to);
        if let Some(line) = self.lines.get_mut(self.row) {
            line.replace_range(range, "");
        }
        self.column = from;
        true
    }

    fn delete_before(&mut self) -> bool {
        if self.column > 0 {
            return self.cut(self.column - 1, self.column);
        }
        if self.row == 0 {
            return false;
        }
        self.remember();
        let line = self.lines.remove(self.row);
        self.row -= 1;
        self.column = self.length();
        if let Some(before) = self.lines.get_mut(self.row) {
            before.push_str(&line);
        }
        true
    }

    fn delete_behind(&mut self) -> bool {
        if self.column < self.length() {
            return self.cut(self.column, self.column + 1);
        }
        if self.row + 1 >= self.lines.len() {
            return false;
        }
        self.go(self.row + 1, 0);
        self.delete_before()
    }

    fn take_back(&mut self) -> bool {
        let Some(step) = self.undo.pop() else { return false };
        self.lines = step.lines;
        self.go(step.row, step.column);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(text: &mut TextBox, code: KeyCode) -> bool {
        text.key(&KeyEvent::new(code, KeyModifiers::NONE), 10)
    }

    #[test]
    fn lines_are_typed_broken_and_joined() {
        let mut text = TextBox::new(vec!["äb".into()]);
        press(&mut text, KeyCode::Right);
        press(&mut text, KeyCode::Char('価'));
        press(&mut text, KeyCode::Enter);
        assert_eq!((text.lines(), text.cursor()), (&["ä価".to_owned(), "b".to_owned()][..], (1, 0)));
        press(&mut text, KeyCode::Backspace);
        assert_eq!((text.lines(), text.cursor()), (&["ä価b".to_owned()][..], (0, 2)));
        press(&mut text, KeyCode::Delete);
        text.insert("x\ny");
        assert_eq!(text.lines(), ["ä価x", "y"]);
        let back = KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL);
        for _ in 0..5 {
            assert!(text.key(&back, 10));
        }
        assert_eq!(text.lines(), ["äb"], "step by step back to the beginning");
        assert!(!text.key(&back, 10));
    }

    #[test]
    fn the_cursor_never_leaves_the_text() {
        let mut text = TextBox::new(vec!["long line".into(), String::new(), "c".into()]);
        press(&mut text, KeyCode::End);
        for code in [KeyCode::Down, KeyCode::Down, KeyCode::Down, KeyCode::PageDown, KeyCode::Right] {
            press(&mut text, code);
        }
        assert_eq!(text.cursor().0, 2);
        assert!(!press(&mut text, KeyCode::Delete) || text.lines().len() == 3);
        press(&mut text, KeyCode::PageUp);
        assert_eq!(text.cursor().0, 0);
        assert!(TextBox::new(Vec::new()).lines().len() == 1);
    }
}
