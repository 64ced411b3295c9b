//! jq expressions over documents, by the `jaq` crates. Compiled once, when the settings are read;
//! faults are told with line and column. An expression sees its document and nothing else: not the
//! environment (it may hold keys), not the clock (the same document must give the same entry).

mod arithmetic;
mod budget;
mod conversions;
mod natives;
mod order;
mod slices;
mod value;

use std::fmt::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, ValT, Vars};
use serde::de::IgnoredAny;
use thiserror::Error;

use crate::config::line_and_column;

use budget::{Bounded, Counted};
use natives::{RANGE, WITHHELD};
use value::Measured;

/// Most outputs of an expression for one document: more is a mistake, or never ends.
const MOST_OUTPUTS: usize = 1_000;
/// Most bytes of all outputs for one document: as much as a dozen of the largest documents.
const MOST_BYTES: usize = 32 << 20;
/// Deepest document that is read: as deep as Cosmos stores any. The reader recurses.
const DEEPEST: usize = 128;

/// Longest words of an error, in characters.
const LINE: usize = 160;
/// Filters that only definitions of the library call.
const INTERNAL: [&str; 4] = ["__admit", "__matches", "__split_matches", "__split"];

type Filter = jaq_core::Filter<Counted>;

/// A compiled expression. It is the user's own program: its steps, its depth, the size and nesting of
/// every value under way and its outputs are bounded, so that one that never ends (`def f: f; f`,
/// `[recurse([.])]`, `"x" * 1e12`) fails for its document and holds up nothing.
///
/// Beyond that it differs from jq in little: members are named by texts only, numbers have at most
/// 1,000 digits, and there is no `tobytes`.
#[derive(Clone)]
pub struct Jq {
    source: String,
    filter: Arc<Filter>,
}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jq").field(&self.source).finish()
    }
}

/// An expression that cannot be used. Line and column count from 1, the column in characters.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {what}")]
pub struct JqError {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl Jq {
    /// Compiles an expression.
    ///
    /// # Errors
    /// It is no jq, or names what is not there.
    pub fn compile(source: &str) -> Result<Self, JqError> {
        // Nobody but the definitions may go past what counts.
        for name in INTERNAL {
            if let Some(at) = source.find(name) {
                return Err(fault(source, at, &format!("there is no filter {name}")));
            }
        }
        let own = load::parse(natives::DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
        let defs = own
            .into_iter()
            .chain(jaq_core::defs())
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|def| !WITHHELD.contains(&def.name));
        let funs = jaq_core::funs::<Counted>()
            .chain(jaq_std::funs())
            .filter(|(name, _, _)| !WITHHELD.contains(name) && *name != RANGE)
            .map(|(name, arguments, filter)| (natives::renamed(name), arguments, filter))
            .chain(natives::funs());
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, File { code: source, path: () }).map_err(|errors| {
            first(errors, |error| match error {
                load::Error::Io(found) => found,
                load::Error::Lex(found) => found
                    .into_iter()
                    .map(|(wanted, at)| (at, format!("{} expected", wanted.as_str())))
                    .collect(),
                load::Error::Parse(found) => found
                    .into_iter()
                    .map(|(wanted, at)| (at, format!("{} expected", wanted.as_str())))
                    .collect(),
            })
        })?;
        let filter = jaq_core::Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
            first(errors, |found| {
                found
                    .into_iter()
                    .map(|(at, undefined)| (at, format!("there is no {} {at}", undefined.as_str())))
                    .collect()
            })
        })?;
        Ok(Self { source: source.to_owned(), filter: Arc::new(filter) })
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// All outputs for a document, as compact JSON.
    ///
    /// # Errors
    /// In words: the expression failed, did not end, gave too much, or something that is not JSON.
    pub fn run(&self, document: &[u8]) -> Result<Vec<Bytes>, String> {
        self.evaluate(document, |results| {
            let mut outputs = Vec::with_capacity(1);
            let mut room = MOST_BYTES;
            for result in results {
                if outputs.len() == MOST_OUTPUTS {
                    return Err(format!("the jq expression gives more than {MOST_OUTPUTS} outputs"));
                }
                let mut text = Bounded::new(room);
                write!(text, "{}", result?)
                    .map_err(|_| format!("the jq expression gives more than {} MB", MOST_BYTES >> 20))?;
                let text = text.into_text();
                // jq knows values that JSON does not, such as NaN and bytes.
                serde_json::from_str::<IgnoredAny>(&text)
                    .map_err(|_| "the jq expression gives a value that JSON does not know".to_owned())?;
                room -= text.len();
                outputs.push(Bytes::from(text));
            }
            Ok(outputs)
        })
    }

    /// Whether the first output for a document is anything but `false` and `null`.
    ///
    /// # Errors
    /// In words: the expression failed, or did not end.
    pub fn holds(&self, document: &[u8]) -> Result<bool, String> {
        self.evaluate(document, |results| {
            let first = results.next().transpose()?;
            Ok(first.is_some_and(|value| value.as_bool()))
        })
    }

    /// The same for somebody who cannot wait, a screen: an expression that takes long fails. Gives also how
    /// many steps it took.
    pub fn holds_at_once(&self, document: &[u8]) -> (Result<bool, String>, u64) {
        let input = match budget::aside(document.len(), || parse(document)) {
            Ok(input) => input,
            Err(fault) => return (Err(fault), 0),
        };
        budget::at_once(&self.filter.lut, document.len(), |terms| {
            let context = Ctx::<Counted>::new(terms, Vars::new([]));
            let first = self.filter.id.run((context, input)).map(told_of).next().transpose()?;
            Ok(first.is_some_and(|value| value.as_bool()))
        })
    }

    /// Hands the outputs for a document to `take` as they come, within the budget; a long evaluation
    /// hands them out a second time.
    fn evaluate<T: Send>(
        &self,
        document: &[u8],
        take: impl Fn(&mut dyn Iterator<Item = Result<Measured, String>>) -> Result<T, String> + Sync,
    ) -> Result<T, String> {
        budget::run(&self.filter.lut, document.len(), &|terms| {
            let input = parse(document)?;
            let context = Ctx::<Counted>::new(terms, Vars::new([]));
            take(&mut self.filter.id.run((context, input)).map(told_of))
        })
    }
}

/// A document as a value.
fn parse(document: &[u8]) -> Result<Measured, String> {
    let input = natives::parse(document)?;
    if usize::from(input.depth()) > DEEPEST {
        return Err(format!("nested deeper than {DEEPEST} levels"));
    }
    Ok(input)
}

/// An output, or in words why there is none.
fn told_of(output: jaq_core::ValX<'_, Measured>) -> Result<Measured, String> {
    output.map_err(|exception| match exception.get_err() {
        Ok(error) => format!("the jq expression failed: {}", told(&error)),
        Err(_) => "the jq expression stopped".to_owned(),
    })
}

/// The place and the words of the first error.
fn first<'s, E>(errors: load::Errors<&'s str, (), E>, tell: impl Fn(E) -> Vec<(&'s str, String)>) -> JqError {
    let found = errors
        .into_iter()
        .find_map(|(file, error)| tell(error).into_iter().next().map(|(at, what)| (file.code, at, what)));
    let Some((code, at, what)) = found else {
        return JqError { line: 1, column: 1, what: "not a jq expression".to_owned() };
    };
    // A token at the end of the expression may be an empty text of its own.
    let start = (at.as_ptr() as usize).checked_sub(code.as_ptr() as usize).filter(|at| *at <= code.len());
    fault(code, start.unwrap_or(code.len()), &what)
}

/// A fault at a byte of the expression.
fn fault(code: &str, at: usize, what: &str) -> JqError {
    let (line, column) = line_and_column(code, at);
    JqError { line, column, what: shortened(what) }
}

/// One short line: errors quote values, and values may be whole documents.
fn shortened(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LINE).collect();
    if text.chars().nth(LINE).is_some() {
        line.push('…');
    }
    line
}

/// The beginning of an error's words: they quote values.
fn told(error: &jaq_core::Error<Measured>) -> String {
    let mut words = Cut(String::new());
    // Ends where it is long enough, whatever the value has left.
    let _ = write!(words, "{error}");
    shortened(&words.0)
}

/// Text that takes no more when it is longer than a line.
struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.len() > 4 * LINE { Err(fmt::Error) } else { Ok(()) }
    }
}

/// What is known of JSON without reading it.
struct Shape {
    /// How deep arrays and objects are nested.
    depth: usize,
    /// No fewer values than there are.
    values: usize,
    /// Digits of the longest number.
    digits: usize,
}

/// The shape of `json`, which is JSON.
fn shape_of(json: &[u8]) -> Shape {
    let mut shape = Shape { depth: 0, values: 1, digits: 0 };
    let (mut depth, mut digits, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        shape.digits = shape.digits.max(digits);
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                shape.values += 1;
                shape.depth = shape.depth.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => shape.values += 1,
            _ => {}
        }
    }
    shape
}

#[cfg(test)]
mod tests;
