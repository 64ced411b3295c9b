//! Functions of strings. Positions count characters, from 0.

use serde_json::Value;

use super::functions::{Arg, Function, Outcome, array, bounded, text, value, whole};

/// Longest result of `REPLICATE`, as at the service.
const REPLICATED: usize = 10_000;

pub(super) static TABLE: &[Function] = &[
    Function::new("CONCAT", 2, usize::MAX, concat),
    Function::new("CONTAINS", 2, 3, |args| Ok(search(args, |text, part| text.contains(part)))),
    Function::new("STARTSWITH", 2, 3, |args| Ok(search(args, |text, part| text.starts_with(part)))),
    Function::new("ENDSWITH", 2, 3, |args| Ok(search(args, |text, part| text.ends_with(part)))),
    Function::new("STRINGEQUALS", 2, 3, |args| Ok(search(args, |text, part| text == part))),
    Function::new("INDEX_OF", 2, 3, |args| Ok(index_of(args))),
    Function::new("LENGTH", 1, 1, |args| Ok(text(args, 0).map(|s| s.chars().count().into()))),
    Function::new("LOWER", 1, 1, |args| Ok(text(args, 0).map(|s| s.to_lowercase().into()))),
    Function::new("UPPER", 1, 1, |args| Ok(text(args, 0).map(|s| s.to_uppercase().into()))),
    Function::new("LTRIM", 1, 2, |args| Ok(trim(args, true, false))),
    Function::new("RTRIM", 1, 2, |args| Ok(trim(args, false, true))),
    Function::new("TRIM", 1, 2, |args| Ok(trim(args, true, true))),
    Function::new("LEFT", 2, 2, |args| {
        let (Some(s), Some(n)) = (text(args, 0), length(args, 1)) else { return Ok(None) };
        Ok(Some(s.chars().take(n).collect::<String>().into()))
    }),
    Function::new("RIGHT", 2, 2, |args| {
        let (Some(s), Some(n)) = (text(args, 0), length(args, 1)) else { return Ok(None) };
        let skipped = s.chars().count().saturating_sub(n);
        Ok(Some(s.chars().skip(skipped).collect::<String>().into()))
    }),
    Function::new("SUBSTRING", 3, 3, |args| {
        let (Some(s), Some(start), Some(n)) = (text(args, 0), length(args, 1), length(args, 2)) else {
            return Ok(None);
        };
        Ok(Some(s.chars().skip(start).take(n).collect::<String>().into()))
    }),
    Function::new("REPLACE", 3, 3, replace),
    Function::new("REPLICATE", 2, 2, |args| {
        let (Some(s), Some(n)) = (text(args, 0), whole(args, 1)) else { return Ok(None) };
        let times = usize::try_from(n).ok().filter(|n| n.saturating_mul(s.len()) <= REPLICATED);
        Ok(times.map(|n| s.repeat(n).into()))
    }),
    Function::new("REVERSE", 1, 1, |args| {
        Ok(text(args, 0).map(|s| s.chars().rev().collect::<String>().into()))
    }),
    Function::new("STRINGTONUMBER", 1, 1, |args| Ok(parsed(args, Value::is_number))),
    Function::new("STRINGTOBOOLEAN", 1, 1, |args| Ok(parsed(args, Value::is_boolean))),
    Function::new("STRINGTONULL", 1, 1, |args| Ok(parsed(args, Value::is_null))),
    Function::new("STRINGTOARRAY", 1, 1, |args| Ok(parsed(args, Value::is_array))),
    Function::new("STRINGTOOBJECT", 1, 1, |args| Ok(parsed(args, Value::is_object))),
    Function::new("STRINGJOIN", 2, 2, |args| {
        let (Some(parts), Some(between)) = (array(args, 0), text(args, 1)) else { return Ok(None) };
        let Some(parts) = parts.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        bounded(parts.iter().map(|part| part.len() + between.len()).sum())?;
        Ok(Some(parts.join(between).into()))
    }),
    Function::new("STRINGSPLIT", 2, 2, |args| {
        let (Some(s), Some(between)) = (text(args, 0), text(args, 1)) else { return Ok(None) };
        if between.is_empty() {
            return Ok(Some(vec![Value::from(s)].into()));
        }
        Ok(Some(s.split(between).collect::<Vec<_>>().into()))
    }),
];

/// What `||` does too.
pub(super) fn concat(args: &[Arg<'_>]) -> Outcome {
    let Some(parts) = (0..args.len()).map(|i| text(args, i)).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    bounded(parts.iter().map(|part| part.len()).sum())?;
    Ok(Some(parts.concat().into()))
}

/// A search for a part, without regard to case if the third argument is true.
fn search(args: &[Arg<'_>], found: fn(&str, &str) -> bool) -> Option<Value> {
    let (s, part) = text(args, 0).zip(text(args, 1))?;
    match (args.len(), value(args, 2)) {
        (2, _) | (_, Some(Value::Bool(false))) => Some(found(s, part).into()),
        (_, Some(Value::Bool(true))) => Some(found(&s.to_lowercase(), &part.to_lowercase()).into()),
        _ => None,
    }
}

fn index_of(args: &[Arg<'_>]) -> Option<Value> {
    let (s, part) = text(args, 0).zip(text(args, 1))?;
    let start = if args.len() == 3 { length(args, 2) } else { Some(0) };
    let from = s.char_indices().nth(start?).map_or(s.len(), |(at, _)| at);
    let found = s[from..].find(part).map(|at| s[..from + at].chars().count());
    Some(found.map_or(Value::from(-1), Value::from))
}

fn trim(args: &[Arg<'_>], left: bool, right: bool) -> Option<Value> {
    let mut s = text(args, 0)?;
    if args.len() == 1 {
        s = if left { s.trim_start() } else { s };
        s = if right { s.trim_end() } else { s };
    } else {
        let part = text(args, 1).filter(|part| !part.is_empty())?;
        s = if left { s.trim_start_matches(part) } else { s };
        s = if right { s.trim_end_matches(part) } else { s };
    }
    Some(s.into())
}

fn replace(args: &[Arg<'_>]) -> Outcome {
    let (Some(s), Some(old), Some(new)) = (text(args, 0), text(args, 1), text(args, 2)) else {
        return Ok(None);
    };
    if old.is_empty() {
        return Ok(Some(s.into()));
    }
    bounded(s.matches(old).count().saturating_mul(new.len()).saturating_add(s.len()))?;
    Ok(Some(s.replace(old, new).into()))
}

/// The text read as JSON, if it is of the type.
fn parsed(args: &[Arg<'_>], wanted: fn(&Value) -> bool) -> Option<Value> {
    let value = text(args, 0).and_then(|s| serde_json::from_str::<Value>(s.trim()).ok());
    value.filter(wanted)
}

/// A count of characters; what is negative or no whole number is undefined.
fn length(args: &[Arg<'_>], at: usize) -> Option<usize> {
    whole(args, at).and_then(|n| usize::try_from(n).ok())
}
