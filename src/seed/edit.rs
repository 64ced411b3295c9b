//! A document opened for editing: its single values by path, changed one by one, everything else as it
//! was spelled.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::check_id;

/// Fields shown at most; the others stay as they are.
const MOST_FIELDS: usize = 200;
/// As `cosmos::SYSTEM_PROPERTIES`; this room knows no other.
const SYSTEM_PROPERTIES: [&str; 6] = ["_rid", "_self", "_etag", "_attachments", "_ts", "_lsn"];

/// Why a text cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Not a JSON object.
    #[error("not a JSON object: {0}")]
    NoObject(String),
    /// No id.
    #[error("the document has no id")]
    NoId,
}

/// A single value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditableField {
    /// Names from the root, joined by dots.
    pub path: String,
    /// Texts without quotes, all else as JSON spells it.
    pub value: String,
    /// It is a text, and stays one.
    pub is_text: bool,
}

impl EditableField {
    /// What is wrong with a value for this field.
    pub fn check(&self, value: &str) -> Option<String> {
        if self.path == "id" {
            return check_id(value);
        }
        if self.is_text {
            return None;
        }
        let good = serde_json::from_str::<&RawValue>(value).is_ok();
        (!good).then(|| "must be a number, true, false, null, or \"text\" in quotes".to_owned())
    }
}

enum Node {
    /// JSON as it is spelled.
    Raw(Box<RawValue>),
    /// Number of a field.
    Field(usize),
    Object(Vec<(String, Node)>),
}

/// A document, open.
pub struct Editable {
    root: Vec<(String, Node)>,
    fields: Vec<EditableField>,
}

impl Editable {
    /// Opens a document; members of the system are left out.
    pub fn parse(json: &str) -> Result<Self, EditError> {
        let Members(members) =
            serde_json::from_str(json).map_err(|error| EditError::NoObject(error.to_string()))?;
        let mut fields = Vec::new();
        let members = members.into_iter().filter(|(name, _)| !SYSTEM_PROPERTIES.contains(&name.as_str()));
        let root = open(members, "", &mut fields);
        let has_id = fields.iter().any(|field| field.path == "id" && field.is_text);
        if has_id { Ok(Self { root, fields }) } else { Err(EditError::NoId) }
    }

    /// Its single values, in the order of the document.
    pub fn fields(&self) -> &[EditableField] {
        &self.fields
    }

    /// The document with these values, one for each field.
    pub fn with(&self, values: &[&str]) -> String {
        let mut out = String::new();
        self.write(&self.root, values, &mut out);
        out
    }

    fn write(&self, object: &[(String, Node)], values: &[&str], out: &mut String) {
        out.push('{');
        for (i, (name, node)) in object.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            match node {
                Node::Raw(raw) => out.push_str(raw.get()),
                Node::Object(inner) => self.write(inner, values, out),
                Node::Field(number) => {
                    let field = &self.fields[*number];
                    let value = values.get(*number).copied().unwrap_or(&field.value);
                    if field.is_text {
                        out.push_str(&quoted(value));
                    } else {
                        out.push_str(value.trim());
                    }
                }
            }
        }
        out.push('}');
    }
}

impl fmt::Debug for Editable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editable").field("fields", &self.fields.len()).finish_non_exhaustive()
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn open(
    members: impl Iterator<Item = (String, Box<RawValue>)>,
    prefix: &str,
    fields: &mut Vec<EditableField>,
) -> Vec<(String, Node)> {
    members
        .map(|(name, raw)| {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let node = match raw.get().as_bytes().first() {
                Some(b'{') => match serde_json::from_str::<Members>(raw.get()) {
                    Ok(Members(inner)) if !inner.is_empty() => {
                        Node::Object(open(inner.into_iter(), &path, fields))
                    }
                    _ => Node::Raw(raw),
                },
                Some(b'[') | None => Node::Raw(raw),
                Some(_) if fields.len() >= MOST_FIELDS => Node::Raw(raw),
                Some(b'"') => match serde_json::from_str::<String>(raw.get()) {
                    Ok(value) => push(fields, EditableField { path, value, is_text: true }),
                    Err(_) => Node::Raw(raw),
                },
                Some(_) => {
                    let value = raw.get().to_owned();
                    push(fields, EditableField { path, value, is_text: false })
                }
            };
            (name, node)
        })
        .collect()
}

fn push(fields: &mut Vec<EditableField>, field: EditableField) -> Node {
    fields.push(field);
    Node::Field(fields.len() - 1)
}

/// Members of an object in their order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"id":"a","price":{"current":39.90,"tags":[1, 2]},"on":true,"none":null,"x":{},"_etag":"1","_ts":5}"#;

    #[test]
    fn what_is_not_touched_stays_as_it_was_spelled() {
        let open = Editable::parse(DOCUMENT).unwrap();
        let paths: Vec<&str> = open.fields().iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["id", "price.current", "on", "none"]);
        assert_eq!(
            open.with(&["b \"2\"", "40", "false"]),
            r#"{"id":"b \"2\"","price":{"current":40,"tags":[1, 2]},"on":false,"none":null,"x":{}}"#
        );
    }

    #[test]
    fn wrong_values_are_told() {
        let open = Editable::parse(DOCUMENT).unwrap();
        let check = |path: &str, value: &str| {
            open.fields().iter().find(|field| field.path == path).unwrap().check(value)
        };
        assert!(check("id", "a/b").is_some() && check("id", "").is_some());
        assert!(check("price.current", "12,50").is_some() && check("price.current", "").is_some());
        assert_eq!(check("price.current", "12.50"), None);
        assert!(matches!(Editable::parse("[]"), Err(EditError::NoObject(_))));
        assert!(matches!(Editable::parse("{\"id\":1}"), Err(EditError::NoId)));
    }
}
