//! Filters of the library that must count what they do, in place of the crate's. All others of the
//! standard library reach values through [`super::value`].

use bytes::Bytes;
use jaq_core::native::{self, Filter, Fun, bome, unary, v};
use jaq_core::{Error, Exn, RunPtr, ValR, ValX};
use jaq_json::Val;
use jaq_std::ValT as _;
use serde::de::IgnoredAny;

use super::budget::{Counted, take_bytes, take_steps};
use super::order::{self, BYTES_A_STEP};
use super::value::{DEEPEST, DIGITS, MEMBER, Measured};
use super::{Shape, shape_of};

/// Filters and definitions of the crates that are not offered: they see more than the document, write
/// over the screen or end the program.
pub(super) const WITHHELD: [&str; 6] = ["env", "now", "halt", "halt_error", "stderr", "stderr_empty"];
/// The one generator of the interpreter that evaluates no terms: replaced here.
pub(super) const RANGE: &str = "range";

/// The crate's regular expressions under the names that [`DEFINITIONS`] calls after [`admit`].
pub(super) fn renamed(name: &'static str) -> &'static str {
    match name {
        "matches" => "__matches",
        "split_matches" => "__split_matches",
        "split_" => "__split",
        name => name,
    }
}

/// Definitions beside those of the crates.
pub(super) const DEFINITIONS: &str = "
def matches(re; flags): re as $re | __admit($re) | __matches($re; flags);
def split_matches(re; flags): re as $re | __admit($re) | __split_matches($re; flags);
def split_(re; flags): re as $re | __admit($re) | __split($re; flags);
";

/// Filters beside those of the crates.
pub(super) fn funs() -> impl Iterator<Item = Fun<Counted>> {
    let filters: [Filter<RunPtr<Counted>>; 9] = [
        (RANGE, v(3), |mut cv| {
            let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            Box::new(range(from, to, by))
        }),
        ("__admit", v(1), |cv| {
            unary(cv, |text, expression| {
                admit(&text, &expression);
                Ok(text)
            })
        }),
        ("fromjson", v(0), |cv| bome(read(&cv.1))),
        ("tojson", v(0), |cv| bome(Ok(cv.1.json()))),
        ("length", v(0), |cv| bome(length(cv.1))),
        ("contains", v(1), |cv| {
            unary(cv, |whole, part| Ok(Measured::from(order::contains(&whole.value, &part.value))))
        }),
        ("has", v(1), |cv| unary(cv, |whole, key| whole.find(&key).map(|found| found.is_some().into()))),
        ("indices", v(1), |cv| unary(cv, |whole, part| whole.indices(&part))),
        ("bsearch", v(1), |cv| unary(cv, |array, wanted| search(array, &wanted))),
    ];
    filters.into_iter().map(|filter| native::run::<Counted>(filter))
}

/// `range(from; to; by)` as the interpreter has it.
fn range<'a>(from: Measured, to: Measured, by: Measured) -> impl Iterator<Item = ValX<'a, Measured>> {
    let mut next: Option<ValX<'_, Measured>> = Some(Ok(from));
    let rising = by > Measured::from(0_isize);
    let falling = by < Measured::from(0_isize);
    std::iter::from_fn(move || {
        take_steps(1);
        let value = match next.take()? {
            Ok(value) => value,
            error => return Some(error),
        };
        let within = match (rising, falling) {
            (true, _) => value < to,
            (_, true) => value > to,
            _ => value != to,
        };
        within.then(|| {
            next = Some((value.clone() + by.clone()).map_err(Exn::from));
            Ok(value)
        })
    })
}

/// Takes what matching a text against a regular expression can cost: the length of the one times that
/// of the other, with its repetitions (`{4}`, `{1,9}`) written out.
fn admit(text: &Measured, expression: &Measured) {
    let length = |value: &Measured| value.as_bytes().map_or(0, <[u8]>::len);
    let most = |braces: &[u8]| {
        let counts =
            braces.split(|byte| *byte == b'}').next().unwrap_or_default().split(|byte| *byte == b',');
        let counts = counts.filter_map(|count| std::str::from_utf8(count).ok()?.trim().parse::<usize>().ok());
        counts.max().unwrap_or(1).max(1)
    };
    let pieces = expression.as_bytes().unwrap_or_default().split(|byte| *byte == b'{');
    let repeated = pieces.skip(1).map(most).fold(1, usize::saturating_mul);
    let states = length(expression).saturating_mul(repeated);
    take_bytes(states.saturating_mul(BYTES_A_STEP));
    take_steps(states.saturating_mul(length(text) / 16 + 1) / 2);
}

/// JSON in a text.
fn read(text: &Measured) -> ValR<Measured> {
    let bytes = text.try_as_utf8_bytes()?;
    let wrong = |what: &dyn std::fmt::Display| Error::str(format_args!("cannot parse as JSON: {what}"));
    // What jq prints for numbers that JSON does not know, jq reads.
    if matches!(bytes, b"nan" | b"NaN") {
        return Ok(Measured::from(f64::NAN));
    }
    parse(bytes).map_err(|what| wrong(&what))
}

/// A document or text as a value, once it is known to be plain JSON of a bearable shape: the crate's
/// reader takes more than JSON, recurses without a bound, and takes long over long numbers.
///
/// # Errors
/// In words.
pub(super) fn parse(json: &[u8]) -> Result<Measured, String> {
    serde_json::from_slice::<IgnoredAny>(json).map_err(|error| format!("not JSON: {error}"))?;
    let Shape { depth, values, digits } = shape_of(json);
    if digits > DIGITS {
        return Err(format!("a number of more than {DIGITS} digits"));
    }
    let depth = u16::try_from(depth).unwrap_or(u16::MAX);
    if depth > DEEPEST {
        return Err(format!("nested deeper than {DEEPEST} levels"));
    }
    take_bytes(json.len() + values.saturating_mul(MEMBER));
    take_steps(json.len() / BYTES_A_STEP);
    let value = jaq_json::read::parse_single(json).map_err(|error| format!("not JSON: {error}"))?;
    Ok(Measured::new(value, depth))
}

/// As the crate has it: of numbers their size, of texts their characters.
fn length(value: Measured) -> ValR<Measured> {
    let zero = || Measured::from(0_isize);
    match &value.value {
        Val::Null => Ok(zero()),
        Val::Num(_) if value < zero() => -value,
        Val::Num(_) => Ok(value),
        Val::TStr(text) => {
            take_steps(text.len() / BYTES_A_STEP);
            Ok(Measured::from(characters(text)))
        }
        Val::Arr(items) => Ok(Measured::from(items.len())),
        Val::Obj(members) => Ok(Measured::from(members.len())),
        Val::BStr(bytes) => Ok(Measured::from(bytes.len())),
        Val::Bool(_) => Err(Error::str(format_args!("{value} has no length"))),
    }
}

/// Characters of a text; of what is no UTF-8, each piece that would be shown as one.
fn characters(text: &Bytes) -> usize {
    match std::str::from_utf8(text) {
        Ok(text) => text.chars().count(),
        Err(_) => String::from_utf8_lossy(text).chars().count(),
    }
}

/// The place of a value in a sorted array, or `-1 -` where it would be.
fn search(array: Measured, wanted: &Measured) -> ValR<Measured> {
    let Val::Arr(items) = &array.value else { return Err(Error::typ(array, "array")) };
    let place = |at: usize| isize::try_from(at).unwrap_or(isize::MAX);
    let found = items.binary_search_by(|item| order::compare(item, &wanted.value));
    Ok(Measured::from(found.map_or_else(|at| -1 - place(at), place)))
}
