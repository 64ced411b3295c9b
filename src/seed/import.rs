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

/// Nothing can be read after this.
pub(super) fn end(take: &mut Taker<'_>, error: ImportError) {
    let _ = take(Err(error));
}

/// An array, or objects one after the other.
fn json(mut input: impl BufRead, take: &mut Taker<'_>) {
    let mut line = 1;
    let first = match first_byte(&mut input, &mut line) {
        Ok(first) => first,
        Err(error) => return end(take, ImportError::last(line, error.to_string())),
    };
    match first {
        None => end(take, ImportError::last(line, "the file is empty")),
        Some(b'[') => array(input, line, take),
        Some(b'{') => objects(input, line, take),
        Some(_) => end(
            take,
            ImportError::last(
                line,
                "neither a JSON object nor an array of them (CSV is read from files named .csv)",
            ),
        ),
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

/// How far a reader is.
struct Place {
    /// Bytes that the document under way may still have.
    left: Cell<usize>,
    line: Cell<u64>,
}

/// A reader that counts lines, and fails when one document grows too long. It is asked for single
/// bytes, so the count is that of the byte in hand.
struct Limited<R> {
    inner: R,
    place: Rc<Place>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let Some(left) = self.place.left.get().checked_sub(count) else {
            return Err(io::Error::other("a document is longer than 2 MB"));
        };
        self.place.left.set(left);
        self.place.line.set(self.place.line.get() + lines_in(&buffer[..count]));
        Ok(count)
    }
}

/// The elements of an array, one by one.
fn array(input: impl BufRead, first_line: u64, take: &mut Taker<'_>) {
    let place = Rc::new(Place { left: Cell::new(LONGEST_DOCUMENT), line: Cell::new(first_line) });
    let reader = Limited { inner: input, place: Rc::clone(&place) };
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let mut wanted = true;
    let elements = Elements { take, place: &place, wanted: &mut wanted };
    if let Err(error) = elements.deserialize(&mut deserializer).and_then(|()| deserializer.end())
        && wanted
    {
        let line = first_line + (error.line() as u64).saturating_sub(1);
        take(Err(ImportError::last(line, words(&error))));
    }
}

struct Elements<'a, 't> {
    take: &'a mut Taker<'t>,
    place: &'a Place,
    wanted: &'a mut bool,
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<Box<RawValue>>()? {
            self.place.left.set(LONGEST_DOCUMENT);
            let first = self.place.line.get() - lines_in(raw.get().as_bytes());
            let made = document(raw.get(), first);
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
    let (mut text, mut depth) = (Vec::new(), Depth::default());
    loop {
        let before = text.len();
        let room = (LONGEST_DOCUMENT + 1).saturating_sub(before) as u64;
        let read = match (&mut input).take(room).read_until(b'\n', &mut text) {
            Ok(read) => read,
            Err(error) => return end(take, ImportError::last(line, error.to_string())),
        };
        if text.len() > LONGEST_DOCUMENT {
            return end(take, ImportError::last(from, "a document is longer than 2 MB"));
        }
        if read == 0 && text.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            text.clear();
            (line, from) = (line + 1, line + 1);
            continue;
        }
        depth.scan(&text[before..]);
        // A document over several lines is parsed once, when its last line is there.
        if depth.is_open() && read > 0 && !begins_document(&mut input) {
            line += 1;
            continue;
        }
        for piece in pieces(&text, from) {
            if !take(piece) {
                return;
            }
        }
        text.clear();
        depth = Depth::default();
        line += 1;
        from = line;
        if read == 0 {
            return;
        }
    }
}

/// How deep in a document a text ends.
#[derive(Default)]
struct Depth {
    open: usize,
    in_text: bool,
    escaped: bool,
    /// A text does not end in its line: no JSON, whatever comes.
    broken: bool,
}

impl Depth {
    fn scan(&mut self, text: &[u8]) {
        for byte in text {
            if self.in_text {
                self.broken |= *byte == b'\n';
                self.in_text = self.escaped || *byte != b'"';
                self.escaped = !self.escaped && *byte == b'\\';
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.open += 1,
                b'}' | b']' => self.open = self.open.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn is_open(&self) -> bool {
        self.open > 0 && !self.broken
    }
}

/// A line that begins with `{` in its first column begins a document: those inside are indented.
fn begins_document(input: &mut impl BufRead) -> bool {
    input.fill_buf().is_ok_and(|rest| rest.first() == Some(&b'{'))
}

/// The documents of a text; what is wrong ends it.
fn pieces(text: &[u8], first_line: u64) -> Vec<Result<SeedDocument, ImportError>> {
    let mut found = Vec::new();
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    loop {
        let at = values.byte_offset().min(text.len());
        let blank = text[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let line = first_line + lines_in(&text[..at + blank]);
        match values.next() {
            None => return found,
            Some(Ok(raw)) => found.push(document(raw.get(), line)),
            Some(Err(error)) => {
                let line = first_line + (error.line() as u64).saturating_sub(1);
                found.push(Err(ImportError::skipped(line, words(&error))));
                return found;
            }
        }
    }
}

fn lines_in(text: &[u8]) -> u64 {
    text.split(|byte| *byte == b'\n').count() as u64 - 1
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

    #[expect(clippy::unnecessary_wraps, reason = "what is read is compared with it")]
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
        let all = read(FileForm::Json, "[{\"id\":\"a\"},\n\n{\"x\":\n1}\n,{\"id\":\"b\"}]");
        assert_eq!(all[1], Err("line 3: it has no id".to_owned()));
        assert_eq!(all[2], good("{\"id\":\"b\"}"));
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
