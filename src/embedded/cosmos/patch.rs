//! Partial updates: the service's six operations on a document (REST reference, "Patch Document").
//! Evaluated here, because the inner store takes neither conditions nor patches in a batch.

use serde::Deserialize;
use serde_json::{Number, Value};

use super::document::Fields;

/// Operations of one patch, as at the service.
const MAX_OPERATIONS: usize = 10;

/// What a client sends: the operations alone (Node), or beside a condition.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Sent {
    Bare(Vec<Operation>),
    Named { operations: Vec<Operation>, condition: Option<String> },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Operation {
    Add {
        path: String,
        value: Value,
    },
    Set {
        path: String,
        value: Value,
    },
    Replace {
        path: String,
        value: Value,
    },
    Remove {
        path: String,
    },
    #[serde(alias = "increment")]
    Incr {
        path: String,
        value: Number,
    },
    Move {
        from: String,
        path: String,
    },
}

/// A patch that has been read.
#[derive(Debug)]
pub(super) struct Patch {
    operations: Vec<Operation>,
    /// `from c where …`: the patch applies only where it holds.
    pub(super) condition: Option<String>,
}

impl Patch {
    /// `Err`: what is wrong with it.
    pub(super) fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let sent = serde_json::from_slice(body).map_err(|_| "The patch document is not valid.")?;
        let (operations, condition) = match sent {
            Sent::Bare(operations) => (operations, None),
            Sent::Named { operations, condition } => (operations, condition),
        };
        if operations.is_empty() {
            return Err("The patch has no operations.");
        }
        if operations.len() > MAX_OPERATIONS {
            return Err("The number of patch operations can't exceed '10'.");
        }
        Ok(Self { operations, condition: condition.filter(|c| !c.trim().is_empty()) })
    }

    /// The patched document; what is not touched keeps its spelling.
    pub(super) fn apply(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let mut document: Value = serde_json::from_slice(text).unwrap_or_default();
        for operation in &self.operations {
            one(&mut document, operation)?;
        }
        let patched = document.to_string();
        let (Some(old), Some(new)) = (Fields::parse(text), Fields::parse(patched.as_bytes())) else {
            return Err("the document is not an object".to_owned());
        };
        Ok(old.patched(new).without_system())
    }
}

fn one(document: &mut Value, operation: &Operation) -> Result<(), String> {
    match operation {
        Operation::Add { path, value } => put(document, path, value.clone(), Put::Insert),
        Operation::Set { path, value } => put(document, path, value.clone(), Put::Set),
        Operation::Replace { path, value } => put(document, path, value.clone(), Put::Existing),
        Operation::Remove { path } => take(document, path).map(drop),
        Operation::Incr { path, value } => increment(document, path, value),
        Operation::Move { from, path } => {
            if path.starts_with(&format!("{from}/")) || from == path {
                return Err(format!("'{path}' is inside of what moves there"));
            }
            let value = take(document, from)?;
            put(document, path, value, Put::Insert)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Put {
    /// Into an array before the element, into an object over what is there.
    Insert,
    /// Over the element.
    Set,
    /// Only over what is there.
    Existing,
}

/// The parent of a path, and its last step unescaped.
fn parent<'a>(document: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (above, last) = path.rsplit_once('/').ok_or_else(|| format!("'{path}' is not a path"))?;
    let last = last.replace("~1", "/").replace("~0", "~");
    if above.is_empty() && ["id", "_rid", "_self", "_etag", "_ts", "_attachments"].contains(&last.as_str()) {
        return Err(format!("'{path}' cannot be patched"));
    }
    let parent = document.pointer_mut(above).ok_or_else(|| missing(path))?;
    Ok((parent, last))
}

fn missing(path: &str) -> String {
    format!("For Operation: Path '{path}' or its parent does not exist in the document.")
}

fn put(document: &mut Value, path: &str, value: Value, how: Put) -> Result<(), String> {
    let (parent, last) = parent(document, path)?;
    match parent {
        Value::Object(fields) => {
            if how == Put::Existing && !fields.contains_key(&last) {
                return Err(missing(path));
            }
            fields.insert(last, value);
        }
        Value::Array(items) if last == "-" && how != Put::Existing => items.push(value),
        Value::Array(items) => {
            let at: usize = last.parse().map_err(|_| missing(path))?;
            if at < items.len() && how != Put::Insert {
                items[at] = value;
            } else if at <= items.len() && how != Put::Existing {
                items.insert(at, value);
            } else {
                return Err(missing(path));
            }
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

fn take(document: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, last) = parent(document, path)?;
    let taken = match parent {
        Value::Object(fields) => fields.remove(&last),
        Value::Array(items) => {
            last.parse().ok().filter(|at| *at < items.len()).map(|at: usize| items.remove(at))
        }
        _ => None,
    };
    taken.ok_or_else(|| missing(path))
}

fn increment(document: &mut Value, path: &str, by: &Number) -> Result<(), String> {
    let sum = match document.pointer(path) {
        None => Value::from(by.clone()),
        Some(Value::Number(old)) => {
            let whole = old.as_i64().zip(by.as_i64()).and_then(|(a, b)| a.checked_add(b));
            let sum = old.as_f64().unwrap_or(0.0) + by.as_f64().unwrap_or(0.0);
            match whole {
                Some(whole) => whole.into(),
                // As the service prints it: a float without a fraction is a whole number.
                None if sum.fract() == 0.0 && sum.abs() < 9.0e15 => (sum as i64).into(),
                None => sum.into(),
            }
        }
        Some(_) => return Err(format!("'{path}' is not a number")),
    };
    put(document, path, sum, Put::Set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(document: &str, patch: &str) -> Result<String, String> {
        let patch = Patch::parse(patch.as_bytes()).map_err(str::to_owned)?;
        patch.apply(document.as_bytes()).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn six_operations() {
        let document = r#"{"id":"a","n":1.50,"list":[1,2],"o":{"k":true}}"#;
        for (patch, expected) in [
            (
                r#"[{"op":"set","path":"/new","value":1}]"#,
                r#"{"id":"a","n":1.50,"list":[1,2],"o":{"k":true},"new":1}"#,
            ),
            (
                r#"[{"op":"add","path":"/list/1","value":9}]"#,
                r#"{"id":"a","n":1.50,"list":[1,9,2],"o":{"k":true}}"#,
            ),
            (
                r#"[{"op":"set","path":"/list/1","value":9}]"#,
                r#"{"id":"a","n":1.50,"list":[1,9],"o":{"k":true}}"#,
            ),
            (
                r#"[{"op":"add","path":"/list/-","value":9}]"#,
                r#"{"id":"a","n":1.50,"list":[1,2,9],"o":{"k":true}}"#,
            ),
            (
                r#"{"operations":[{"op":"replace","path":"/o/k","value":0}]}"#,
                r#"{"id":"a","n":1.50,"list":[1,2],"o":{"k":0}}"#,
            ),
            (r#"[{"op":"remove","path":"/list"}]"#, r#"{"id":"a","n":1.50,"o":{"k":true}}"#),
            (r#"[{"op":"incr","path":"/n","value":2}]"#, r#"{"id":"a","n":3.5,"list":[1,2],"o":{"k":true}}"#),
            (
                r#"[{"op":"incr","path":"/m","value":2}]"#,
                r#"{"id":"a","n":1.50,"list":[1,2],"o":{"k":true},"m":2}"#,
            ),
            (
                r#"[{"op":"move","from":"/o/k","path":"/k"}]"#,
                r#"{"id":"a","n":1.50,"list":[1,2],"o":{},"k":true}"#,
            ),
        ] {
            assert_eq!(patched(document, patch).as_deref(), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn what_is_refused() {
        for patch in [
            r#"[{"op":"replace","path":"/x","value":1}]"#,
            r#"[{"op":"remove","path":"/x/y"}]"#,
            r#"[{"op":"incr","path":"/id","value":1}]"#,
            r#"[{"op":"set","path":"/id","value":"b"}]"#,
            r#"[{"op":"set","path":"","value":{}}]"#,
            r#"[{"op":"fly","path":"/x"}]"#,
            "[]",
            "7",
        ] {
            assert!(patched(r#"{"id":"a"}"#, patch).is_err(), "{patch}");
        }
    }
}
