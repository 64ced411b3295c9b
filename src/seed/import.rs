//! Documents from a file: JSON object, JSON array, NDJSON, CSV. Streamed: one document in memory at a
//! time; what is wrong is told with its line.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::csv_rows;
use super::{SeedDocument, check_id, template};

/// Longest document, as Cosmos DB takes them.
pub const LONGEST_DOCUMENT: usize = 2 << 20;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// One or more objects, an array of them, or one object a line.
    Json,
    /// A header, then one document a line.
    Csv,
}

impl FileForm {
    /// By the end of the name; what is not CSV is JSON.
    pub fn of(path: &str) -> Self {
        if path.to_ascii_lowercase().ends_with(".csv") { Self::Csv } else { Self::Json }
    }
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ImportError {
    /// From 1.
    pub line: u64,
    /// What is wrong, in one line.
    pub message: String,
    /// Nothing can be read after it.
    pub ends: bool,
}

impl ImportError {
    pub(super) fn skipped(line: u64, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), ends: false }
    }

    pub(super) fn last(line: u64, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), ends: true }
    }
}

/// Takes what was read; `false` ends the reading.
pub type Taker<'a> = dyn FnMut(Result<SeedDocument, ImportError>) -> bool + 'a;

/// Reads a file to its end, or until nobody wants more.
pub fn import(form: FileForm, input: impl BufRead, take: &mut Taker<'_>) {
    match form {
        FileForm::Csv => csv_rows::read(input, take),
        FileForm::Json => json(input, take),
    }
}

/// An array, or objects one after the other.
fn json(mut input: impl BufRead, take: &mut Taker<'_>) {
    let mut line = 1;
    let first = match first_byte(&mut input, &mut line) {
        Ok(first) => first,
        Err(error) => return drop(take(Err(ImportError::last(line, error.to_string())))),
    };
    match first {
        None => drop(take(Err(ImportError::last(line, "the file is empty")))),
        Some(b'[') => array(input, line, take),
        Some(b'{') => objects(input, line, take),
        Some(_) => drop(take(Err(ImportError::last(
            line,
            "neither a JSON object nor an array of them (CSV is read from files named .csv)",
        )))),
    }
}

/// The first byte that is no white space, left in the input; a byte order mark is skipped.
fn first_byte(input: &mut impl BufRead, line: &mut u64) -> io::Result<Option<u8>> {
    if input.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        input.consume(3);
    }
    loop {
        let Some(byte) = input.fill_buf()?.first().copied() else { return Ok(None) };
        if !byte.is_ascii_whitespace() {
            return Ok(Some(byte));
        }
        *line += u64::from(byte == b'\n');
        input.consume(1);
    }
}

/// A reader that fails when one document grows too long.
struct Limited<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other("a document is longer than 2 MB")),
        }
        Ok(count)
    }
}

/// The elements of an array, one by one.
fn array(input: impl BufRead, first_line: u64, take: &mut Taker<'_>) {
    let left = Rc::new(Cell::new(LONGEST_DOCUMENT));
    let reader = io::BufReader::with_capacity(8 << 10, Limited { inner: input, left: Rc::clone(&left) });
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let mut wanted = true;
    let elements = Elements { take, left: &left, wanted: &mut wanted, count: 0 };
    if let Err(error) = elements.deserialize(&mut deserializer).and_then(|()| deserializer.end())
        && wanted
    {
        let line = first_line + (error.line() as u64).saturating_sub(1);
        take(Err(ImportError::last(line, words(&error))));
    }
}

struct Elements<'a, 't> {
    take: &'a mut Taker<'t>,
    left: &'a Cell<usize>,
    wanted: &'a mut bool,
    count: u64,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<Box<RawValue>>()? {
            self.left.set(LONGEST_DOCUMENT);
            self.count += 1;
            // The deserializer tells no line here: an element is named by its number.
            let made = document(raw.get(), 0).map_err(|error| ImportError {
                message: format!("element {}: {}", self.count, error.message),
                ..error
            });
            if !(self.take)(made) {
                *self.wanted = false;
                return Err(A::Error::custom("nobody wants more"));
            }
        }
        Ok(())
    }
}

/// Objects one after the other: a line each, or over several lines.
fn objects(mut input: impl BufRead, first_line: u64, take: &mut Taker<'_>) {
    let (mut line, mut from) = (first_line, first_line);
    let mut text = Vec::new();
    loop {
        let before = text.len();
        let room = (LONGEST_DOCUMENT + 1).saturating_sub(before) as u64;
        let read = match (&mut input).take(room).read_until(b'\n', &mut text) {
            Ok(read) => read,
            Err(error) => return drop(take(Err(ImportError::last(line, error.to_string())))),
        };
        if text.len() > LONGEST_DOCUMENT {
            return drop(take(Err(ImportError::last(from, "a document is longer than 2 MB"))));
        }
        if read == 0 && text.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            text.clear();
            (line, from) = (line + 1, line + 1);
            continue;
        }
        let (found, rest) = pieces(&text, from);
        for piece in found {
            if !take(piece) {
                return;
            }
        }
        match rest {
            // It may go on in the next line, unless that begins a document itself.
            Rest::Open(at, _) if read > 0 && !begins_document(&mut input) => {
                from += lines_in(&text[..at]);
                text.drain(..at);
            }
            Rest::Open(_, error) | Rest::Wrong(error) => {
                if !take(Err(error)) || read == 0 {
                    return;
                }
                text.clear();
                from = line + 1;
            }
            Rest::None => {
                text.clear();
                from = line + 1;
            }
        }
        line += 1;
        if read == 0 {
            return;
        }
    }
}

/// A line that begins with `{` in its first column begins a document: those inside are indented.
fn begins_document(input: &mut impl BufRead) -> bool {
    input.fill_buf().is_ok_and(|rest| rest.first() == Some(&b'{'))
}

enum Rest {
    None,
    /// A document begins at this byte and does not end.
    Open(usize, ImportError),
    Wrong(ImportError),
}

/// The whole documents of a text, and what comes after them.
fn pieces(text: &[u8], first_line: u64) -> (Vec<Result<SeedDocument, ImportError>>, Rest) {
    let mut found = Vec::new();
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    loop {
        let at = values.byte_offset();
        let line = first_line + lines_in(&text[..at.min(text.len())]);
        match values.next() {
            None => return (found, Rest::None),
            Some(Ok(raw)) => found.push(document(raw.get(), line)),
            Some(Err(error)) => {
                let line = first_line + (error.line() as u64).saturating_sub(1);
                let told = ImportError::skipped(line, words(&error));
                let rest = if error.is_eof() { Rest::Open(at, told) } else { Rest::Wrong(told) };
                return (found, rest);
            }
        }
    }
}

fn lines_in(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// serde_json's message without its own place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// A document with an id that Cosmos takes, white space removed.
pub(super) fn document(json: &str, line: u64) -> Result<SeedDocument, ImportError> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: Option<serde_json::Value>,
    }
    if !json.trim_start().starts_with('{') {
        return Err(ImportError::skipped(line, "not an object"));
    }
    let Id { id } = serde_json::from_str(json).map_err(|error| ImportError::skipped(line, words(&error)))?;
    let id = match id {
        Some(serde_json::Value::String(id)) => id,
        Some(_) => return Err(ImportError::skipped(line, "its id is no text")),
        None => return Err(ImportError::skipped(line, "it has no id")),
    };
    match check_id(&id) {
        Some(problem) => Err(ImportError::skipped(line, format!("its id {problem}"))),
        None => Ok(SeedDocument { id, json: template::compact(json) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: FileForm, text: &str) -> Vec<Result<String, String>> {
        let mut all = Vec::new();
        import(form, text.as_bytes(), &mut |made| {
            all.push(made.map(|made| made.json).map_err(|error| error.to_string()));
            true
        });
        all
    }

    fn good(json: &str) -> Result<String, String> {
        Ok(json.to_owned())
    }

    #[test]
    fn an_object_an_array_and_lines_come_as_they_are_spelled() {
        let object = "\u{FEFF}\n{\n  \"id\": \"a b\",\n  \"price\": 39.90\n}\n";
        assert_eq!(read(FileForm::Json, object), [good("{\"id\":\"a b\",\"price\":39.90}")]);
        let array = "[ {\"id\":\"a\"},\n {\"id\":\"b\",\"n\":[{ \"x\":1}]} ]";
        assert_eq!(
            read(FileForm::Json, array),
            [good("{\"id\":\"a\"}"), good("{\"id\":\"b\",\"n\":[{\"x\":1}]}")]
        );
        let lines = "{\"id\":\"a\"}\n\n{\"id\":\"b\"}\n{\"id\":\"c\"} {\"id\":\"d\"}";
        assert_eq!(read(FileForm::Json, lines).len(), 4);
        let spread = "{\n \"id\":\"a\"\n}\n{\n \"id\":\"b\"\n}";
        assert_eq!(read(FileForm::Json, spread), [good("{\"id\":\"a\"}"), good("{\"id\":\"b\"}")]);
    }

    #[test]
    fn wrong_lines_are_told_and_the_others_are_read() {
        let text = "{\"id\":\"a\"}\n{\"id\":\"b\",}\n{\"id\":7}\n{\"no\":1}\n{\"id\":\"x/y\"}\n{\"id\":\"c\n{\"id\":\"d\"}";
        let all = read(FileForm::Json, text);
        assert_eq!(all[0], good("{\"id\":\"a\"}"));
        assert!(all[1].as_ref().unwrap_err().starts_with("line 2: key must be"), "{all:?}");
        assert_eq!(all[2].as_ref().unwrap_err(), "line 3: its id is no text");
        assert_eq!(all[3].as_ref().unwrap_err(), "line 4: it has no id");
        assert!(all[4].as_ref().unwrap_err().starts_with("line 5: its id must not contain /"));
        assert!(all[5].as_ref().unwrap_err().starts_with("line 6:"), "{all:?}");
        assert_eq!(all.last().unwrap(), &good("{\"id\":\"d\"}"));
    }

    #[test]
    fn what_ends_in_the_middle_is_told_with_its_line() {
        let all = read(FileForm::Json, "[\n{\"id\":\"a\"},\n{\"id\":");
        assert_eq!(all[0], good("{\"id\":\"a\"}"));
        assert!(all[1].as_ref().unwrap_err().starts_with("line 3: EOF"), "{all:?}");
        assert_eq!(read(FileForm::Json, " \n"), [Err("line 2: the file is empty".to_owned())]);
        assert!(read(FileForm::Json, "id,price\n").remove(0).unwrap_err().contains("CSV is read from"));
        let all = read(FileForm::Json, "[{\"id\":\"a\"},{\"x\":1}]");
        assert!(all[1].as_ref().unwrap_err().contains("element 2: it has no id"), "{all:?}");
    }

    #[test]
    fn a_document_that_never_ends_is_given_up() {
        for start in ["[{\"id\":\"", "{\"id\":\""] {
            let endless = io::BufReader::new(start.as_bytes().chain(io::repeat(b'x')));
            let mut told = Vec::new();
            import(FileForm::Json, endless, &mut |made| {
                told.push(made);
                true
            });
            assert!(told[0].as_ref().unwrap_err().message.contains("longer than 2 MB"), "{told:?}");
        }
    }

    #[test]
    fn whoever_takes_may_stop() {
        for text in ["[{\"id\":\"a\"},{\"id\":\"b\"}]", "{\"id\":\"a\"}\n{\"id\":\"b\"}"] {
            let mut count = 0;
            import(FileForm::Json, text.as_bytes(), &mut |_| {
                count += 1;
                false
            });
            assert_eq!(count, 1);
        }
    }
}
