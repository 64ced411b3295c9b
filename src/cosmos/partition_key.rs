//! The value of a document's partition key, taken from its JSON or given as JSON text.

use std::fmt;

use azure_data_cosmos_driver::models as driver;
use serde_json::Value;

use super::CosmosError;

/// One component of a partition key.
#[derive(Debug, Clone, PartialEq)]
pub enum PartitionKeyPart {
    /// A string.
    Text(String),
    /// A number; Cosmos knows no other than doubles.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// JSON `null`.
    Null,
    /// The document has no such property.
    Undefined,
}

/// A whole partition key: one component, or up to three of a hierarchical key.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionKey(Vec<PartitionKeyPart>);

impl PartitionKey {
    /// A key of these components, in the order of the container's paths.
    pub fn new(parts: Vec<PartitionKeyPart>) -> Self {
        Self(parts)
    }

    /// The components, in the order of the container's paths.
    pub fn parts(&self) -> &[PartitionKeyPart] {
        &self.0
    }

    /// The key that a document has in a container with these paths (`/id`, `/address/zip`).
    pub fn of_document(document: &[u8], paths: &[String]) -> Result<Self, CosmosError> {
        let value: Value = serde_json::from_slice(document)
            .map_err(|e| CosmosError::BadRequest(format!("the document is not JSON: {e}")))?;
        Ok(Self(paths.iter().map(|path| part_at(&value, path)).collect()))
    }

    /// From JSON text: `"p-1"`, `7`, `null`, or an array of them for a hierarchical key.
    pub fn from_json(text: &str) -> Result<Self, CosmosError> {
        let value: Value = serde_json::from_str(text)
            .map_err(|e| CosmosError::BadRequest(format!("the partition key is not JSON: {e}")))?;
        Ok(match value {
            Value::Array(items) => Self(items.iter().map(part).collect()),
            single => Self(vec![part(&single)]),
        })
    }

    /// JSON text of the key: the bare value where it has one component, else an array.
    pub fn to_json(&self) -> String {
        let json = |p: &PartitionKeyPart| match p {
            PartitionKeyPart::Text(s) => Value::from(s.as_str()),
            PartitionKeyPart::Number(n) if n.fract() == 0.0 && n.abs() < 9.0e15 => Value::from(*n as i64),
            PartitionKeyPart::Number(n) => Value::from(*n),
            PartitionKeyPart::Bool(b) => Value::from(*b),
            PartitionKeyPart::Null => Value::Null,
            PartitionKeyPart::Undefined => Value::Object(serde_json::Map::new()),
        };
        match self.0.as_slice() {
            [one] => json(one).to_string(),
            many => Value::Array(many.iter().map(json).collect()).to_string(),
        }
    }

    pub(super) fn to_driver(&self) -> Result<driver::PartitionKey, CosmosError> {
        let parts = self
            .0
            .iter()
            .map(|p| {
                Ok(match p {
                    PartitionKeyPart::Text(s) => driver::PartitionKeyValue::from(s.clone()),
                    PartitionKeyPart::Number(n) => driver::PartitionKeyValue::try_from(*n).map_err(|_| {
                        CosmosError::BadRequest("a partition key must be a finite number".into())
                    })?,
                    PartitionKeyPart::Bool(b) => driver::PartitionKeyValue::from(*b),
                    PartitionKeyPart::Null => driver::PartitionKeyValue::NULL,
                    PartitionKeyPart::Undefined => driver::PartitionKeyValue::UNDEFINED,
                })
            })
            .collect::<Result<Vec<_>, CosmosError>>()?;
        driver::PartitionKey::try_from(parts)
            .map_err(|_| CosmosError::BadRequest("a partition key has at most three components".into()))
    }
}

impl From<&str> for PartitionKey {
    fn from(text: &str) -> Self {
        Self(vec![PartitionKeyPart::Text(text.to_owned())])
    }
}

impl From<String> for PartitionKey {
    fn from(text: String) -> Self {
        Self(vec![PartitionKeyPart::Text(text)])
    }
}

impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

fn part_at(document: &Value, path: &str) -> PartitionKeyPart {
    let mut at = Some(document);
    for step in path.split('/').filter(|s| !s.is_empty()) {
        at = at.and_then(|v| v.get(step.trim_matches('"')));
    }
    at.map_or(PartitionKeyPart::Undefined, part)
}

// Objects and arrays cannot be keys; Cosmos treats them as absent.
fn part(value: &Value) -> PartitionKeyPart {
    match value {
        Value::String(s) => PartitionKeyPart::Text(s.clone()),
        Value::Number(n) => n.as_f64().map_or(PartitionKeyPart::Undefined, PartitionKeyPart::Number),
        Value::Bool(b) => PartitionKeyPart::Bool(*b),
        Value::Null => PartitionKeyPart::Null,
        Value::Array(_) | Value::Object(_) => PartitionKeyPart::Undefined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_documents() {
        let paths = |p: &str| vec![p.to_owned()];
        let doc = br#"{"id":"a","n":7,"b":true,"z":null,"deep":{"zip code":"x"},"o":{}}"#;
        for (path, json) in [
            ("/id", "\"a\""),
            ("/n", "7"),
            ("/b", "true"),
            ("/z", "null"),
            ("/deep/\"zip code\"", "\"x\""),
            ("/missing", "{}"),
            ("/o", "{}"),
        ] {
            assert_eq!(PartitionKey::of_document(doc, &paths(path)).unwrap().to_json(), json, "{path}");
        }
        assert!(PartitionKey::of_document(b"{", &paths("/id")).is_err());
    }

    #[test]
    fn json_text_goes_both_ways() {
        for text in ["\"p-1\"", "7", "1.5", "null", "true", r#"["a",7,null]"#] {
            assert_eq!(PartitionKey::from_json(text).unwrap().to_json(), text);
        }
        assert_eq!(PartitionKey::from("a"), PartitionKey::from_json("\"a\"").unwrap());
    }
}
