//! What `/` narrows a pane to. Compiled once when it is typed and then asked of every row that comes.
//!
//! ```text
//! p42 gbp        words: letters in order in ids and keys, or a text in other fields; !word leaves out
//! "p-42"         exactly this text, anywhere
//! price>10       a field against a number, a time or a text: = != > < >= <=
//! .price.sale    a jq predicate of the document: whatever begins with a dot (change feed)
//! ```

mod line;
mod marks;
mod parse;
mod rows;

use std::cell::RefCell;

use jiff::{Timestamp, tz::TimeZone};

pub(crate) use self::{
    line::FilterLine,
    marks::{Place, columns},
    parse::{FilterFault, fields_of},
    rows::state_word,
};
use crate::{
    engine::Predicate,
    tui::{fuzzy::Fuzzy, widgets::text},
};

/// A filter as typed, ready to be asked. Two are the same when they were typed alike.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    text: String,
    words: Vec<Word>,
    /// One matcher for all words and rows: it is large.
    fuzzy: Option<RefCell<Fuzzy>>,
    exact: Vec<String>,
    comparisons: Vec<Comparison>,
    jq: Option<Predicate>,
    moment: Moment,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// A word that must match somewhere in a row.
#[derive(Debug, Clone)]
struct Word {
    /// In lower case without signs, for fields that are no ids; `None` where signs tie it to ids.
    plain: Option<String>,
    /// No text may hold it.
    negative: bool,
}

/// A field against a value.
#[derive(Debug, Clone)]
struct Comparison {
    /// In lower case.
    name: String,
    operator: Operator,
    value: Value,
    /// It is a field of the document, not of the row.
    reads_document: bool,
    /// The field changes with time alone.
    ages: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    More,
    Less,
    AtLeast,
    AtMost,
}

#[derive(Debug, Clone)]
struct Value {
    /// In lower case.
    text: String,
    /// The same as a number, in the field's unit.
    number: Option<f64>,
    /// In quotes: equal, not contained.
    exact: bool,
}

/// What a field of a row is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fact<'a> {
    Number(f64),
    Text(&'a str),
}

/// Which field of a row is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// In lower case.
    pub(crate) name: &'a str,
    /// What it will be compared with.
    pub(crate) value: &'a str,
    pub(crate) moment: &'a Moment,
}

impl Asked<'_> {
    /// The wall clock of a time, as far as the value tells one.
    fn clock(&self, at: Timestamp) -> String {
        self.moment.clock(at, self.value)
    }

    /// Seconds since a time; negative for what is to come.
    fn age(&self, at: Timestamp) -> f64 {
        self.moment.now.duration_since(at).as_secs_f64()
    }
}

/// What ages and clocks are told by.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
}

impl Default for Moment {
    fn default() -> Self {
        Self { now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC }
    }
}

impl Moment {
    /// The wall clock of a time; with its date where the value that it is compared with has one.
    fn clock(&self, at: Timestamp, value: &str) -> String {
        if value.contains('-') {
            self.zone.to_datetime(at).to_string().to_lowercase()
        } else {
            text::clock(at, &self.zone)
        }
    }
}

/// What a filter says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passes,
    Fails,
    /// Cannot be told: the document is not kept, or the expression fails on it.
    Unknown,
}

impl Verdict {
    pub(crate) fn of(passes: bool) -> Self {
        if passes { Self::Passes } else { Self::Fails }
    }

    fn not(self) -> Self {
        match self {
            Self::Passes => Self::Fails,
            Self::Fails => Self::Passes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// A verdict, what it cost, and why there is none.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// About nanoseconds.
    pub(crate) cost: u64,
    pub(crate) why: Option<String>,
}

/// A row that a filter can be asked about.
pub(crate) trait Filtered {
    /// Whether any of its ids and keys passes.
    fn any_name(&self, test: &mut dyn FnMut(&str) -> bool) -> bool;

    /// Whether any of its other texts passes.
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool;

    /// Whether the field that is asked for passes.
    fn field(&self, asked: &Asked<'_>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict;

    /// Its document, where rows have one and it is kept.
    fn document(&self) -> Option<&str> {
        None
    }
}

impl Filter {
    pub(crate) fn is_none(&self) -> bool {
        self.text.is_empty()
    }

    /// As typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// It reads documents, which takes its time: thousands of rows are judged bit by bit.
    pub(crate) fn reads_documents(&self) -> bool {
        self.jq.is_some() || self.comparisons.iter().any(|comparison| comparison.reads_document)
    }

    /// What passes changes with time alone.
    pub(crate) fn ages(&self) -> bool {
        self.comparisons.iter().any(|comparison| comparison.ages)
    }

    /// Moves the time on that ages are counted to.
    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.moment.now = now;
    }

    /// Whether a row passes. What cannot be told does not.
    pub(crate) fn passes(&self, row: &impl Filtered) -> bool {
        self.judge(row).verdict == Verdict::Passes
    }

    /// Whether a row passes, or why that cannot be told.
    pub(crate) fn judge(&self, row: &impl Filtered) -> Judgement {
        const QUICK: u64 = 200;
        let judged = |verdict| Judgement { verdict, cost: QUICK, why: None };
        if !self.words_pass(row) {
            return judged(Verdict::Fails);
        }
        if let Some(jq) = &self.jq {
            return ask(jq, row);
        }
        let mut verdict = Verdict::Passes;
        for comparison in &self.comparisons {
            match comparison.judge(row, &self.moment) {
                Verdict::Passes => {}
                Verdict::Fails => {
                    verdict = Verdict::Fails;
                    break;
                }
                Verdict::Unknown => verdict = Verdict::Unknown,
            }
        }
        let bytes = if self.reads_documents() { row.document().map_or(0, str::len) } else { 0 };
        let why = (verdict == Verdict::Unknown).then(|| NOT_KEPT.to_owned());
        Judgement { verdict, cost: QUICK + 4 * bytes as u64, why }
    }

    fn words_pass(&self, row: &impl Filtered) -> bool {
        let anywhere = |needle: &str| {
            row.any_name(&mut |text| contains(text, needle))
                || row.any_text(&mut |text| contains(text, needle))
        };
        if !self.exact.iter().all(|needle| anywhere(needle)) {
            return false;
        }
        let Some(fuzzy) = &self.fuzzy else { return true };
        let mut fuzzy = fuzzy.borrow_mut();
        self.words.iter().enumerate().all(|(place, word)| {
            let in_text = |word: &Word| {
                word.plain.as_deref().is_some_and(|plain| row.any_text(&mut |text| contains(text, plain)))
            };
            if word.negative {
                !row.any_name(&mut |text| !fuzzy.word_matches(place, text)) && !in_text(word)
            } else {
                row.any_name(&mut |text| fuzzy.word_matches(place, text)) || in_text(word)
            }
        })
    }
}

const NOT_KEPT: &str = "the document is too large, or too long ago, to be kept here";

fn ask(jq: &Predicate, row: &impl Filtered) -> Judgement {
    let Some(document) = row.document() else {
        return Judgement { verdict: Verdict::Unknown, cost: 0, why: Some(NOT_KEPT.to_owned()) };
    };
    let (holds, steps) = jq.ask(document);
    // Reading costs about ten nanoseconds a byte, a step of the interpreter some thirty.
    let cost = 2_000 + 10 * document.len() as u64 + 30 * steps;
    match holds {
        Ok(holds) => Judgement { verdict: Verdict::of(holds), cost, why: None },
        Err(why) => Judgement { verdict: Verdict::Unknown, cost, why: Some(why) },
    }
}

impl Comparison {
    fn judge(&self, row: &impl Filtered, moment: &Moment) -> Verdict {
        let positive = if self.operator == Operator::IsNot { Operator::Is } else { self.operator };
        let asked = Asked { name: &self.name, value: &self.value.text, moment };
        let verdict = row.field(&asked, &mut |fact| self.value.stands(positive, fact));
        if self.operator == Operator::IsNot { verdict.not() } else { verdict }
    }
}

impl Value {
    /// Whether a fact stands so to the value.
    fn stands(&self, operator: Operator, fact: Fact<'_>) -> bool {
        match fact {
            Fact::Number(fact) => match self.number {
                Some(number) => operator.accepts(fact.partial_cmp(&number)),
                None => false,
            },
            Fact::Text(fact) if operator == Operator::Is && self.exact => fact.to_lowercase() == self.text,
            Fact::Text(fact) if operator == Operator::Is => contains(fact, &self.text),
            Fact::Text(fact) => match (self.number, fact.parse::<f64>()) {
                (Some(number), Ok(fact)) => operator.accepts(fact.partial_cmp(&number)),
                // A number against a date is fine, against a word it is not.
                (Some(_), Err(_)) if !fact.starts_with(|c: char| c.is_ascii_digit()) => false,
                _ => operator.accepts(Some(fact.to_lowercase().as_str().cmp(&self.text))),
            },
        }
    }
}

impl Operator {
    fn accepts(self, order: Option<std::cmp::Ordering>) -> bool {
        let Some(order) = order else { return false };
        match self {
            Self::Is => order.is_eq(),
            Self::IsNot => order.is_ne(),
            Self::More => order.is_gt(),
            Self::Less => order.is_lt(),
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
        }
    }
}

/// Whether a text contains another, which is lower case already.
fn contains(text: &str, needle: &str) -> bool {
    if text.is_ascii() && needle.is_ascii() {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        return needle.is_empty() || text.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle));
    }
    text.to_lowercase().contains(needle)
}

#[cfg(test)]
mod tests;
