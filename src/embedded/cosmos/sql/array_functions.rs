//! Functions of arrays and objects.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::functions::{Arg, Function, array, bounded, value, whole};
use super::value::{canonical, equal};

pub(super) static TABLE: &[Function] = &[
    Function::new("ARRAY_LENGTH", 1, 1, |args| Ok(array(args, 0).map(|items| items.len().into()))),
    Function::new("ARRAY_CONCAT", 2, usize::MAX, |args| {
        let Some(parts) = (0..args.len()).map(|i| array(args, i)).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        bounded(parts.iter().map(|part| part.len()).sum())?;
        Ok(Some(Value::Array(parts.into_iter().flatten().cloned().collect())))
    }),
    Function::new("ARRAY_CONTAINS", 2, 3, |args| Ok(contains(args))),
    Function::new("ARRAY_CONTAINS_ANY", 2, usize::MAX, |args| {
        let Some(items) = array(args, 0) else { return Ok(None) };
        let wanted = (1..args.len()).filter_map(|i| value(args, i));
        Ok(Some(wanted.into_iter().any(|wanted| items.iter().any(|item| equal(item, wanted))).into()))
    }),
    Function::new("ARRAY_CONTAINS_ALL", 2, usize::MAX, |args| {
        let Some(items) = array(args, 0) else { return Ok(None) };
        let has = |i| value(args, i).is_some_and(|wanted| items.iter().any(|item| equal(item, wanted)));
        Ok(Some((1..args.len()).all(has).into()))
    }),
    Function::new("ARRAY_SLICE", 2, 3, |args| Ok(slice(args))),
    Function::new("CHOOSE", 2, usize::MAX, |args| {
        let chosen = whole(args, 0).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        Ok(chosen.and_then(|n| value(args, n)).cloned())
    }),
    Function::new("SETUNION", 2, 2, |args| {
        let (Some(a), Some(b)) = (array(args, 0), array(args, 1)) else { return Ok(None) };
        Ok(Some(distinct(a.iter().chain(b))))
    }),
    Function::new("SETINTERSECT", 2, 2, |args| {
        let (Some(a), Some(b)) = (array(args, 0), array(args, 1)) else { return Ok(None) };
        let others: HashSet<String> = b.iter().map(canonical).collect();
        Ok(Some(distinct(a.iter().filter(|item| others.contains(&canonical(item))))))
    }),
    Function::new("SETDIFFERENCE", 2, 2, |args| {
        let (Some(a), Some(b)) = (array(args, 0), array(args, 1)) else { return Ok(None) };
        let others: HashSet<String> = b.iter().map(canonical).collect();
        Ok(Some(distinct(a.iter().filter(|item| !others.contains(&canonical(item))))))
    }),
    Function::new("OBJECTTOARRAY", 1, 3, |args| {
        let Some(fields) = value(args, 0).and_then(Value::as_object) else { return Ok(None) };
        let name = |at, usual: &str| value(args, at).and_then(Value::as_str).unwrap_or(usual).to_owned();
        let (key, of) = (name(1, "k"), name(2, "v"));
        let item = |(k, v): (&String, &Value)| json!({ key.as_str(): k, of.as_str(): v });
        Ok(Some(Value::Array(fields.iter().map(item).collect())))
    }),
];

/// The third argument true: an element that holds these properties at least.
fn contains(args: &[Arg<'_>]) -> Option<Value> {
    let (Some(items), Some(wanted)) = (array(args, 0), value(args, 1)) else { return None };
    let partial = match (args.len(), value(args, 2)) {
        (2, _) | (_, Some(Value::Bool(false))) => false,
        (_, Some(Value::Bool(true))) => true,
        _ => return None,
    };
    let found = items.iter().any(|item| if partial { includes(item, wanted) } else { equal(item, wanted) });
    Some(found.into())
}

fn includes(item: &Value, part: &Value) -> bool {
    match (item, part) {
        (Value::Object(item), Value::Object(part)) => {
            part.iter().all(|(name, part)| item.get(name).is_some_and(|value| includes(value, part)))
        }
        _ => equal(item, part),
    }
}

/// From a place (counted from the end if negative), so many or the rest.
fn slice(args: &[Arg<'_>]) -> Option<Value> {
    let (Some(items), Some(start)) = (array(args, 0), whole(args, 1)) else { return None };
    let clamp = |n: i64| usize::try_from(n.max(0)).unwrap_or(usize::MAX).min(items.len());
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let start = clamp(if start < 0 { length.saturating_add(start) } else { start });
    let many = if args.len() == 3 { whole(args, 2).map(clamp) } else { Some(items.len()) };
    let end = start.saturating_add(many?).min(items.len());
    Some(Value::Array(items[start..end].to_vec()))
}

fn distinct<'v>(items: impl Iterator<Item = &'v Value>) -> Value {
    let mut seen = HashSet::new();
    Value::Array(items.filter(|item| seen.insert(canonical(item))).cloned().collect())
}
