//! Walks over values. Values share their parts: sixty doublings of a small array make one with 2^60
//! leaves in no memory at all. So every node that is looked at counts.

use std::cmp::Ordering;

use jaq_json::{Map, Val};

use super::budget::take_steps;

/// Bytes of text that are looked at in one step.
pub(super) const BYTES_A_STEP: usize = 64;

/// The order of jq: null, booleans, numbers, texts, arrays, objects.
pub(super) fn compare(left: &Val, right: &Val) -> Ordering {
    take_steps(1);
    match (left, right) {
        (Val::Arr(left), Val::Arr(right)) => {
            let pairs = left.iter().zip(right.iter()).map(|(left, right)| compare(left, right));
            first_difference(pairs).then(left.len().cmp(&right.len()))
        }
        (Val::Obj(left), Val::Obj(right)) => compare_objects(left, right),
        (Val::TStr(left), Val::TStr(right)) => {
            take_steps(left.len().min(right.len()) / BYTES_A_STEP);
            left.cmp(right)
        }
        // At least one is a scalar, or they are of different kinds: their insides do not count.
        _ => left.cmp(right),
    }
}

fn compare_objects(left: &Map, right: &Map) -> Ordering {
    let sorted = |object: &Map| {
        take_steps(object.len());
        let mut members: Vec<(Val, Val)> =
            object.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        members.sort_unstable_by(|left, right| compare(&left.0, &right.0));
        members
    };
    // As the interpreter has it: an empty object is the least, then the keys count, then the values.
    if left.is_empty() || right.is_empty() {
        return left.len().cmp(&right.len());
    }
    let (left, right) = (sorted(left), sorted(right));
    let keys = left.iter().zip(&right).map(|(left, right)| compare(&left.0, &right.0));
    let values = left.iter().zip(&right).map(|(left, right)| compare(&left.1, &right.1));
    first_difference(keys).then(left.len().cmp(&right.len())).then_with(|| first_difference(values))
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Whether two values are the same.
pub(super) fn same(left: &Val, right: &Val) -> bool {
    take_steps(1);
    match (left, right) {
        (Val::Arr(left), Val::Arr(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| same(left, right))
        }
        (Val::Obj(left), Val::Obj(right)) => {
            let has = |(key, value)| right.get(key).is_some_and(|known| same(value, known));
            left.len() == right.len() && left.iter().all(has)
        }
        (Val::TStr(left), Val::TStr(right)) => {
            take_steps(left.len().min(right.len()) / BYTES_A_STEP);
            left == right
        }
        _ => left == right,
    }
}

/// Whether `part` is contained in `whole`, as jq has it: texts by their pieces, arrays and objects
/// member by member.
pub(super) fn contains(whole: &Val, part: &Val) -> bool {
    take_steps(1);
    match (whole, part) {
        (Val::TStr(whole), Val::TStr(part)) => {
            take_steps(whole.len() / BYTES_A_STEP);
            memchr::memmem::find(whole, part).is_some()
        }
        (Val::Arr(whole), Val::Arr(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (Val::Obj(whole), Val::Obj(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => same(whole, part),
    }
}

/// How deep arrays and objects are nested; a scalar is 0.
pub(super) fn depth(value: &Val) -> u16 {
    take_steps(1);
    let deepest = match value {
        Val::Arr(items) => items.iter().map(depth).max(),
        Val::Obj(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    deepest.unwrap_or(0) + 1
}
