//! What was typed as a filter, or what is wrong with it and where.

use jiff::{Timestamp, tz::TimeZone};

use super::{Comparison, Filter, Moment, Operator, RefCell, Value, Word};
use crate::{
    engine::{Level, Predicate},
    tui::{fuzzy::Fuzzy, model::Pane},
};

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterFault {
    /// In characters from 1, within the text.
    pub(crate) column: usize,
    pub(crate) what: String,
}

/// What a field is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// Seconds, or `90s`, `10m`, `2h`, `1d`; `never`.
    Span,
    /// Bytes, or `2kb`, `1mb`.
    Bytes,
    Level,
}

type Field = (&'static str, Kind);

const FEED: &[Field] = &[
    ("id", Kind::Text),
    ("key", Kind::Text),
    ("lsn", Kind::Number),
    ("partition", Kind::Text),
    ("range", Kind::Text),
    ("time", Kind::Text),
    ("etag", Kind::Text),
];
const LEASES: &[Field] = &[
    ("owner", Kind::Text),
    ("token", Kind::Text),
    ("range", Kind::Text),
    ("id", Kind::Text),
    ("at", Kind::Text),
    ("age", Kind::Span),
    ("lag", Kind::Number),
];
const CACHE: &[Field] = &[
    ("key", Kind::Text),
    ("id", Kind::Text),
    ("state", Kind::Text),
    ("type", Kind::Text),
    ("ttl", Kind::Span),
    ("size", Kind::Bytes),
    ("age", Kind::Span),
];
const LOG: &[Field] =
    &[("level", Kind::Level), ("room", Kind::Text), ("text", Kind::Text), ("time", Kind::Text)];

const fn table(pane: Pane) -> &'static [Field] {
    match pane {
        Pane::Feed => FEED,
        Pane::Leases => LEASES,
        Pane::Cache => CACHE,
        Pane::Log => LOG,
        Pane::Latency => &[],
    }
}

/// Names of the fields that a pane's rows have.
pub(crate) fn fields_of(pane: Pane) -> String {
    let mut names: Vec<&str> = table(pane).iter().map(|(name, _)| *name).collect();
    if pane == Pane::Feed {
        names.push("any field of the document");
    }
    names.join(", ")
}

impl Filter {
    /// Reads what was typed for a pane; white space around it does not count.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(crate) fn parse(
        typed: &str,
        pane: Pane,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Self, FilterFault> {
        let text = typed.trim();
        let before = typed.chars().count() - typed.trim_start().chars().count();
        let filter =
            Self { text: text.to_owned(), moment: Moment { now, zone: zone.clone() }, ..Self::default() };
        let read = if text.starts_with('.') { filter.read_jq(pane) } else { filter.read(pane) };
        read.map_err(|fault| FilterFault {
            // What is missing at the end is told at the last character.
            column: (fault.column.clamp(1, text.chars().count().max(1))) + before,
            what: fault.what,
        })
    }

    fn read_jq(mut self, pane: Pane) -> Result<Self, FilterFault> {
        if pane != Pane::Feed {
            let what = "jq asks documents, which only the feed has; quotes take a dot as text".to_owned();
            return Err(FilterFault { column: 1, what });
        }
        match Predicate::compile(&self.text) {
            Ok(jq) => self.jq = Some(jq),
            Err(fault) => {
                return Err(FilterFault { column: fault.column, what: format!("jq: {}", fault.what) });
            }
        }
        Ok(self)
    }

    fn read(mut self, pane: Pane) -> Result<Self, FilterFault> {
        let text = self.text.clone();
        let mut reader = Reader { text: &text, at: 0, pane };
        let mut words: Vec<&str> = Vec::new();
        while let Some(term) = reader.term()? {
            match term {
                Term::Exact(text) => self.exact.push(text.to_lowercase()),
                Term::Word(word) if Fuzzy::is_word(word) => words.push(word),
                Term::Word(_) => {}
                Term::Comparison(comparison) => self.comparisons.push(comparison),
            }
        }
        self.exact.retain(|text| !text.is_empty());
        if !words.is_empty() {
            self.words = words.iter().map(|word| plain(word)).collect();
            self.fuzzy = Some(RefCell::new(Fuzzy::words(words)));
        }
        Ok(self)
    }
}

/// A word without its signs.
fn plain(word: &str) -> Word {
    let (negative, rest) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
    let tied = rest.starts_with('^') || (rest.ends_with('$') && !rest.ends_with("\\$"));
    let rest = rest.strip_prefix('\'').unwrap_or(rest).to_lowercase();
    Word { plain: (!tied).then_some(rest), negative }
}

enum Term<'t> {
    Word(&'t str),
    Exact(&'t str),
    Comparison(Comparison),
}

struct Reader<'t> {
    text: &'t str,
    /// Bytes read so far.
    at: usize,
    pane: Pane,
}

const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::IsNot),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Is),
    ("=", Operator::Is),
    (">", Operator::More),
    ("<", Operator::Less),
];

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Reads as long as characters are of a kind.
    fn take(&mut self, part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn fault(&self, at: usize, what: impl Into<String>) -> FilterFault {
        FilterFault { column: self.text[..at].chars().count() + 1, what: what.into() }
    }

    fn term(&mut self) -> Result<Option<Term<'t>>, FilterFault> {
        self.take(char::is_whitespace);
        let start = self.at;
        if self.rest().is_empty() {
            return Ok(None);
        }
        if let Some(quoted) = self.quoted() {
            return Ok(Some(Term::Exact(quoted)));
        }
        if let Some((sign, _)) = self.operator() {
            return Err(self.fault(start, format!("a field before {sign}")));
        }
        let name = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '$'));
        let end = self.at;
        if !name.is_empty() {
            self.take(char::is_whitespace);
            let at = self.at;
            if let Some((sign, operator)) = self.operator() {
                return self.comparison((start, name), (at, sign, operator)).map(Some);
            }
        }
        // No comparison: a word goes on to the next white space.
        self.at = end;
        self.take(|c| !c.is_whitespace());
        Ok(Some(Term::Word(&self.text[start..self.at])))
    }

    /// A text in quotes; one that is not closed yet goes to the end.
    fn quoted(&mut self) -> Option<&'t str> {
        let rest = self.rest().strip_prefix('"')?;
        let quoted = &rest[..rest.find('"').unwrap_or(rest.len())];
        self.at = (self.at + quoted.len() + 2).min(self.text.len());
        Some(quoted)
    }

    fn operator(&mut self) -> Option<(&'static str, Operator)> {
        let found = OPERATORS.into_iter().find(|(sign, _)| self.rest().starts_with(sign))?;
        self.at += found.0.len();
        Some(found)
    }

    fn comparison(
        &mut self,
        (start, name): (usize, &str),
        (at, sign, operator): (usize, &str, Operator),
    ) -> Result<Term<'t>, FilterFault> {
        let name = name.to_lowercase();
        let known = table(self.pane).iter().find(|(field, _)| *field == name);
        let kind = match known {
            Some((_, kind)) => *kind,
            None if self.pane == Pane::Feed => Kind::Text,
            None => {
                let fields = fields_of(self.pane);
                return Err(self.fault(start, format!("there is no {name} here: {fields}")));
            }
        };
        self.take(char::is_whitespace);
        let from = self.at;
        let (text, exact) = match self.quoted() {
            Some(text) => (text, true),
            None => (self.take(|c| !c.is_whitespace()), false),
        };
        if text.is_empty() && !exact {
            return Err(self.fault(at, format!("a value after {sign}")));
        }
        let text = text.to_lowercase();
        let number = number(&text, kind).map_err(|what| self.fault(from, format!("{name}: {what}")))?;
        let value = Value { text, number, exact };
        let reads_document = known.is_none();
        Ok(Term::Comparison(Comparison { name, operator, value, reads_document, ages: kind == Kind::Span }))
    }
}

/// A value as a number of its field's unit.
fn number(text: &str, kind: Kind) -> Result<Option<f64>, String> {
    let plain = |text: &str| text.replace(',', "").parse::<f64>().ok().filter(|number| number.is_finite());
    let with_unit = |units: &[(&str, f64)]| {
        plain(text).or_else(|| {
            units.iter().find_map(|(unit, factor)| Some(plain(text.strip_suffix(unit)?.trim_end())? * factor))
        })
    };
    match kind {
        // Only what is written as a number throughout; commas are text here.
        Kind::Text => Ok(text.parse::<f64>().ok().filter(|number| number.is_finite())),
        Kind::Number => plain(text).map(Some).ok_or_else(|| format!("{text} is no number")),
        Kind::Span if matches!(text, "never" | "∞") => Ok(Some(f64::INFINITY)),
        Kind::Span => with_unit(&[("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)])
            .map(Some)
            .ok_or_else(|| format!("{text} is no time: 90, 90s, 10m, 2h, 1d")),
        Kind::Bytes => with_unit(&[
            ("kb", 1e3),
            ("mb", 1e6),
            ("gb", 1e9),
            ("k", 1e3),
            ("m", 1e6),
            ("g", 1e9),
            ("b", 1.0),
        ])
        .map(Some)
        .ok_or_else(|| format!("{text} is no size: 200, 2kb, 1mb")),
        Kind::Level => [Level::Info, Level::Warning, Level::Error]
            .into_iter()
            .find(|level| level_word(*level).starts_with(text) && !text.is_empty())
            .map(|level| Some(f64::from(level as u8)))
            .ok_or_else(|| format!("{text} is no level: info, warning, error")),
    }
}

pub(super) fn level_word(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}
