//! Equality and order of values, and numbers as the service writes them.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Above it a double no longer holds every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as the service writes it: whole ones without a fraction. `None`: not a JSON number.
pub(super) fn number(n: f64) -> Option<Value> {
    if n.fract() == 0.0 && n.abs() < EXACT {
        return Some(Value::from(n as i64));
    }
    Number::from_f64(n).map(Value::Number)
}

/// Equality by meaning: numbers by size, objects in any order of their names.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|b| equal(value, b)))
        }
        _ => a == b,
    }
}

/// `<` and its kin: only within null, booleans, numbers and strings; else undefined.
pub(super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => Some(compare_numbers(a, b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Ordering {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return a.cmp(&b);
    }
    let of = |n: &Number| n.as_f64().unwrap_or_default();
    of(a).partial_cmp(&of(b)).unwrap_or(Ordering::Equal)
}

/// `ORDER BY`'s order over all types: undefined, null, booleans, numbers, strings, arrays, objects.
pub(super) fn order(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let rank = |value: Option<&Value>| match value {
        None => 0,
        Some(Value::Null) => 1,
        Some(Value::Bool(_)) => 2,
        Some(Value::Number(_)) => 3,
        Some(Value::String(_)) => 4,
        Some(Value::Array(_)) => 5,
        Some(Value::Object(_)) => 6,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            let pairs = a.iter().zip(b).map(|(a, b)| order(Some(a), Some(b)));
            pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
        }
        (Some(Value::Object(_)), Some(Value::Object(_))) => {
            canonical(a.unwrap_or(&Value::Null)).cmp(&canonical(b.unwrap_or(&Value::Null)))
        }
        (Some(a), Some(b)) => compare(a, b).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    })
}

/// One text for all values that are equal.
pub(super) fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Number(n) => {
            let whole = n.as_f64().and_then(number).filter(|_| !n.is_i64());
            out.push_str(&whole.unwrap_or_else(|| Value::Number(n.clone())).to_string());
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            out.push('{');
            for name in names {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(&fields[name.as_str()], out);
                out.push(',');
            }
            out.push('}');
        }
        _ => out.push_str(&value.to_string()),
    }
}

/// The value as a whole number that JavaScript would accept as an index or a count.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < EXACT).map(|n| n as i64))
}
