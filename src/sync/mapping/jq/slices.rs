//! Places and slices of arrays and texts, as jq counts them: negative from the end, texts in characters.

use jaq_core::val::Range;
use jaq_json::Val;
use jaq_std::ValT as _;

use super::budget::take_steps;
use super::order::BYTES_A_STEP;
use super::value::{DEEPEST, Error, Measured};

/// `start` and `end` of an object that stands for a slice.
pub(super) fn bounds(index: &Val) -> (Option<Measured>, Option<Measured>) {
    let bound = |name: &'static str| match index {
        Val::Obj(members) => {
            members.get(&Val::utf8_str(name)).cloned().map(|value| Measured::new(value, DEEPEST))
        }
        _ => None,
    };
    (bound("start"), bound("end"))
}

/// The place that an index means in something so long; a negative one counts from the end.
pub(super) fn place(index: &Val, length: usize) -> Option<usize> {
    let index = index.as_isize()?;
    if index < 0 { length.checked_sub(index.unsigned_abs()) } else { usize::try_from(index).ok() }
}

/// Where a slice of something so long begins and ends.
pub(super) fn slice(range: &Range<&Measured>, length: usize) -> Result<(usize, usize), Error> {
    let bound = |bound: Option<&Measured>, without: usize| match bound {
        None => Ok(without),
        Some(bound) if matches!(bound.value, Val::Null) => Ok(without),
        Some(bound) if !bound.is_int() => Err(Error::typ(bound.clone(), "integer")),
        // An integer that no machine counts to is beyond either end.
        Some(bound) if bound.as_isize().is_none() => {
            Ok(if bound.value > Val::from(0_isize) { length } else { 0 })
        }
        Some(bound) => Ok(place(&bound.value, length).unwrap_or(0).min(length)),
    };
    let from = bound(range.start, 0)?;
    Ok((from, bound(range.end, length)?.max(from)))
}

/// Where a slice of a text, counted in characters, begins and ends in bytes.
pub(super) fn slice_of_text(range: &Range<&Measured>, text: &[u8]) -> Result<(usize, usize), Error> {
    take_steps(text.len() / BYTES_A_STEP);
    let starts =
        || text.iter().enumerate().filter(|(_, byte)| !matches!(byte, 0x80..=0xBF)).map(|(at, _)| at);
    let (from, to) = slice(range, starts().count())?;
    let byte = |character| starts().nth(character).unwrap_or(text.len());
    Ok((byte(from), byte(to)))
}
