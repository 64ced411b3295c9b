//! jq expressions over documents, by the `jaq` crates. Compiled once, when the settings are read;
//! faults are told with line and column. An expression sees its document and nothing else: not the
//! environment (it may hold keys), not the clock (the same document must give the same entry).

use std::fmt::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, Vars};
use jaq_json::Val;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::budget::{self, Bounded, Counted};

/// Most outputs of an expression for one document: more is a mistake, or never ends.
const MOST_OUTPUTS: usize = 1_000;
/// Most bytes of all outputs for one document: as much as a dozen of the largest documents.
const MOST_BYTES: usize = 32 << 20;
/// Deepest document that is read: as deep as Cosmos stores any. The reader recurses.
const DEEPEST: usize = 128;
/// Functions that see more than the document, write over the screen, or end the program.
const WITHHELD: [&str; 6] = ["env", "now", "halt", "halt_error", "stderr", "stderr_empty"];

type Filter = jaq_core::Filter<Counted>;

/// A compiled expression. It is the user's own program: its steps, its depth and its outputs are
/// bounded, so that one that never ends (`def f: f; f`, `[repeat(.)]`) fails for its document and
/// holds up nothing. Not bounded is the size of a value under way: one that doubles a text sixty
/// times, or nests an array a million times, takes the program with it, as it does with jq itself.
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
        let defs = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|def| !WITHHELD.contains(&def.name));
        let funs = jaq_core::funs::<Counted>()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs())
            .filter(|(name, _, _)| !WITHHELD.contains(name) && *name != budget::RANGE)
            .chain([budget::range()]);
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
            Ok(first.is_some_and(|value| !matches!(value, Val::Null | Val::Bool(false))))
        })
    }

    /// Hands the outputs for a document to `take` as they come, within the budget.
    fn evaluate<T>(
        &self,
        document: &[u8],
        take: impl FnOnce(&mut dyn Iterator<Item = Result<Val, String>>) -> Result<T, String>,
    ) -> Result<T, String> {
        // Checked first: the crate's reader takes more than JSON, and recurses without a bound.
        serde_json::from_slice::<IgnoredAny>(document).map_err(|error| format!("not JSON: {error}"))?;
        if depth(document) > DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        let input = jaq_json::read::parse_single(document).map_err(|error| format!("not JSON: {error}"))?;
        budget::run(&self.filter.lut, document.len(), |meter| {
            let context = Ctx::<Counted>::new(meter, Vars::new([]));
            take(&mut self.filter.id.run((context, input)).map(|output| {
                output.map_err(|exception| match exception.get_err() {
                    Ok(error) => format!("the jq expression failed: {}", shortened(&error.to_string())),
                    Err(_) => "the jq expression stopped".to_owned(),
                })
            }))
        })
    }
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
    let before = code.get(..start.unwrap_or(code.len())).unwrap_or(code);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    JqError {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        what: shortened(&what),
    }
}

/// One short line: errors quote values, and values may be whole documents.
fn shortened(text: &str) -> String {
    const MOST: usize = 160;
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}

/// How deep arrays and objects are nested. `json` is JSON.
fn depth(json: &[u8]) -> usize {
    let (mut now, mut most, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(expression: &str, document: &str) -> Result<Vec<String>, String> {
        let outputs = Jq::compile(expression).unwrap().run(document.as_bytes())?;
        Ok(outputs.iter().map(|output| String::from_utf8_lossy(output).into_owned()).collect())
    }

    #[test]
    fn outputs_are_compact_json_and_numbers_keep_their_spelling() {
        let document = r#"{"id":"p","price":{"current":39.90},"big":12345678901234567890}"#;
        assert_eq!(
            run("{id, p: .price.current, big}", document).unwrap(),
            [r#"{"id":"p","p":39.90,"big":12345678901234567890}"#]
        );
        assert_eq!(run(".price | .current, 1", document).unwrap(), ["39.90", "1"]);
        assert_eq!(run("empty", document).unwrap(), [""; 0]);
    }

    #[test]
    fn faults_have_line_and_column() {
        let fault = |expression| Jq::compile(expression).unwrap_err();
        let wrong = fault("{id}\n| foo");
        assert_eq!((wrong.line, wrong.column), (2, 3));
        assert!(wrong.what.contains("foo"), "{wrong}");
        assert_eq!(fault("{id").line, 1);
        assert_eq!(fault("").to_string(), "line 1, column 1: term expected");
        assert_eq!((fault(".a + ]").line, fault(".a + ]").column), (1, 6));
    }

    #[test]
    fn an_expression_sees_its_document_only() {
        for expression in ["env", "$ENV", "now", "halt", "input", "halt_error", "stderr"] {
            assert!(Jq::compile(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn an_expression_that_does_not_end_fails_for_its_document() {
        let endless = [
            "def f: f; f",
            "[repeat(.)]",
            "[range(infinite)]",
            "last(range(0; 1; 0))",
            "first(range(infinite) | select(. < 0))",
        ];
        for expression in endless {
            let told = run(expression, "{}").unwrap_err();
            assert!(told.contains("steps") || told.contains("deeply"), "{expression}: {told}");
        }
        let deep = run("def f: 1 + f; f", "{}").unwrap_err();
        assert!(deep.contains("deeply"), "{deep}");
        assert!(Jq::compile("until(false; .)").unwrap().holds(b"{}").unwrap_err().contains("steps"));
    }

    #[test]
    fn an_expression_that_takes_long_but_ends_is_let_be() {
        assert_eq!(run("[range(10000)] | map(. * 2) | add", "{}").unwrap(), ["99990000"]);
        assert_eq!(run("[range(5; 0; -2)], [range(0; 1; 0.4)]", "{}").unwrap(), ["[5,3,1]", "[0,0.4,0.8]"]);
        assert_eq!(run("[range(3)], [range(2; 2)]", "{}").unwrap(), ["[0,1,2]", "[]"]);
        assert_eq!(run("[limit(2; range(7; infinite))]", "{}").unwrap(), ["[7,8]"]);
    }

    #[test]
    fn huge_outputs_are_refused() {
        let told = run("\"0123456789abcdef\" * 4000000", "{}").unwrap_err();
        assert!(told.contains("32 MB"), "{told}");
        let told = run("range(40) | \"0123456789abcdef\" * 65536", "{}").unwrap_err();
        assert!(told.contains("32 MB"), "{told}");
    }

    #[test]
    fn what_goes_wrong_is_told_in_one_line() {
        assert!(run(".a.b", r#"{"a":1}"#).unwrap_err().contains("cannot index"));
        assert!(run("range(infinite)", "{}").unwrap_err().contains("1000 outputs"));
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(run(".", &deep).unwrap_err().contains("deeper"));
        assert!(run(".", "{\"a\":NaN}").is_err());
    }

    #[test]
    fn predicates() {
        let holds = |expression, document: &str| Jq::compile(expression).unwrap().holds(document.as_bytes());
        assert_eq!(holds(".gone", r#"{"gone":true}"#), Ok(true));
        assert_eq!(holds(".gone", "{}"), Ok(false));
        assert_eq!(holds("empty", "{}"), Ok(false));
        assert!(holds("error", "{}").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_an_expression_or_an_error(source in "\\PC{0,40}") {
            let _ = Jq::compile(&source);
        }

        #[test]
        fn texts_near_the_grammar_run_or_fail_in_words(
            source in "([.|,{}()\\[\\]:;?+*/-]|\\.a|\\.b|id|map|select|keys|tostring|length|\"x\"|1|as \\$x|\\$x|if|then|else|end|é){0,14}",
            document in "(\\{\"a\":[0-9]{1,3},\"b\":\"[a-zé]{0,5}\"\\}|\\PC{0,20}|\\[\\]|1e999)",
        ) {
            if let Ok(jq) = Jq::compile(&source) {
                let _ = jq.run(document.as_bytes());
                let _ = jq.holds(document.as_bytes());
            }
        }
    }
}
