//! Key templates: `price:{id}`, `{market}:{product.id}`, `{.sku}`.

use std::borrow::Cow;

use thiserror::Error;

use super::MappingError;
use crate::cache::{key_bytes, key_text};
use crate::sync::fields;

/// A key template such as `price:{id}` or `{market}:{product.id}`; `{{` and `}}` are plain braces.
/// `{a.b}` is a field of the document, `{.a.b}` one of the value, `{.}` the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTemplate {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Vec<String>),
    /// Of the value that the mapping made.
    OfValue(Vec<String>),
}

/// Why a template cannot be used. Columns count characters from 1.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// `{` without its `}`.
    #[error(
        "key template {template:?}: the brace at column {column} is never closed; write {{{{ for a plain brace"
    )]
    Unclosed {
        /// The template.
        template: String,
        /// Where.
        column: usize,
    },
    /// `}` without its `{`.
    #[error("key template {template:?}: stray brace at column {column}; write }}}} for a plain brace")]
    Stray {
        /// The template.
        template: String,
        /// Where.
        column: usize,
    },
    /// `{}` or an empty step as in `{a..b}`.
    #[error("key template {template:?}: empty field name at column {column}; name a field as in {{id}}")]
    EmptyField {
        /// The template.
        template: String,
        /// Where.
        column: usize,
    },
    /// Every document would get the same key.
    #[error(
        "key template {template:?} names no field: all documents would share one key; use for example {{id}}"
    )]
    Constant {
        /// The template.
        template: String,
    },
}

impl TemplateError {
    /// Where, in characters from 1, if it has a place.
    pub fn column(&self) -> Option<usize> {
        match self {
            Self::Unclosed { column, .. } | Self::Stray { column, .. } | Self::EmptyField { column, .. } => {
                Some(*column)
            }
            Self::Constant { .. } => None,
        }
    }
}

impl KeyTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut chars = template.chars().enumerate().peekable();
        while let Some((at, c)) = chars.next() {
            let column = at + 1;
            match c {
                '{' | '}' if chars.peek().is_some_and(|(_, next)| *next == c) => {
                    chars.next();
                    text.push(c);
                }
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some((_, '}')) => break,
                            Some((_, c)) => name.push(c),
                            None => {
                                return Err(TemplateError::Unclosed {
                                    template: template.to_owned(),
                                    column,
                                });
                            }
                        }
                    }
                    let Some(field) = field(name.trim()) else {
                        return Err(TemplateError::EmptyField { template: template.to_owned(), column });
                    };
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(field);
                }
                '}' => return Err(TemplateError::Stray { template: template.to_owned(), column }),
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err(TemplateError::Constant { template: template.to_owned() });
        }
        Ok(Self { source: template.to_owned(), parts })
    }

    /// The same with a text before every key; braces in it are plain.
    #[must_use]
    pub fn after(mut self, prefix: &str) -> Self {
        match self.parts.first_mut() {
            _ if prefix.is_empty() => {}
            Some(Part::Text(text)) => text.insert_str(0, prefix),
            _ => self.parts.insert(0, Part::Text(prefix.to_owned())),
        }
        self
    }

    /// Whether a key needs the value and not only the document.
    pub fn uses_value(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::OfValue(_)))
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The key of a document that is its own value, as [`key_text`].
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn key(&self, document: &[u8]) -> Result<String, MappingError> {
        self.key_with(document, document)
    }

    /// The key of a document and the value that was made of it, as [`key_text`].
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn key_with(&self, document: &[u8], value: &[u8]) -> Result<String, MappingError> {
        let mut key = String::with_capacity(self.source.len() + 24);
        for part in &self.parts {
            let (found, path) = match part {
                Part::Text(text) => {
                    key.push_str(text);
                    continue;
                }
                Part::Field(path) => (fields::scalar(document, path)?, path),
                Part::OfValue(path) => (of_value(value, path)?, path),
            };
            let Some(text) = found else {
                let dot = if matches!(part, Part::OfValue(_)) { "." } else { "" };
                return Err(MappingError::MissingField(format!("{dot}{}", path.join("."))));
            };
            key.push_str(&text);
        }
        Ok(key_text(key))
    }

    /// A Redis glob that matches every key the template can make, for SCAN.
    pub fn scan_pattern(&self) -> String {
        let mut pattern = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    for c in text.chars() {
                        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                            pattern.push('\\');
                        }
                        pattern.push(c);
                    }
                }
                Part::Field(_) | Part::OfValue(_) => pattern.push('*'),
            }
        }
        pattern
    }

    /// The document id that a key stands for, where the template is `text{id}text` and the key is text.
    pub fn document_id<'k>(&self, key: &'k str) -> Option<Cow<'k, str>> {
        let (before, after) = match self.parts.as_slice() {
            [Part::Field(path)] if path.as_slice() == ["id"] => ("", ""),
            [Part::Text(before), Part::Field(path)] if path.as_slice() == ["id"] => (before.as_str(), ""),
            [Part::Field(path), Part::Text(after)] if path.as_slice() == ["id"] => ("", after.as_str()),
            [Part::Text(before), Part::Field(path), Part::Text(after)] if path.as_slice() == ["id"] => {
                (before.as_str(), after.as_str())
            }
            _ => return None,
        };
        let id = |key: &str| {
            let id = key.strip_prefix(before)?.strip_suffix(after).filter(|id| !id.is_empty())?;
            Some((before.len(), id.len()))
        };
        Some(match key_bytes(key) {
            Cow::Borrowed(_) => {
                let (from, length) = id(key)?;
                Cow::Borrowed(&key[from..from + length])
            }
            Cow::Owned(bytes) => {
                let key = String::from_utf8(bytes).ok()?;
                let (from, length) = id(&key)?;
                Cow::Owned(key[from..from + length].to_owned())
            }
        })
    }
}

/// What stands between braces; `None` where a step of the path is empty.
fn field(name: &str) -> Option<Part> {
    if name == "." {
        return Some(Part::OfValue(Vec::new()));
    }
    let (of_value, path) = name.strip_prefix('.').map_or((false, name), |path| (true, path));
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return None;
    }
    Some(if of_value { Part::OfValue(path) } else { Part::Field(path) })
}

/// A value need not be an object: then it has no fields.
fn of_value<'v>(value: &'v [u8], path: &[String]) -> Result<Option<Cow<'v, str>>, MappingError> {
    if !path.is_empty() && !value.trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    Ok(fields::scalar(value, path)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_come_from_fields() {
        let template = KeyTemplate::parse("{market}:{product.id}:{{x}}").unwrap();
        let key = template.key(br#"{"id":"1","market":"UK","product":{"id":7}}"#).unwrap();
        assert_eq!(key, "UK:7:{x}");
    }

    #[test]
    fn a_dot_before_the_path_means_the_value() {
        let template = KeyTemplate::parse("{id}:{.sku}").unwrap().after("{shop}:");
        assert!(template.uses_value());
        assert_eq!(template.key_with(br#"{"id":"1"}"#, br#"{"sku":"a"}"#).unwrap(), "{shop}:1:a");
        assert!(template.key_with(br#"{"id":"1"}"#, b"7").is_err());
        assert_eq!(KeyTemplate::parse("n:{.}").unwrap().key_with(b"{}", b"7").unwrap(), "n:7");
        assert_eq!(template.scan_pattern(), "{shop}:*:*");
    }

    #[test]
    fn faults_tell_the_column() {
        assert!(matches!(KeyTemplate::parse("a{id"), Err(TemplateError::Unclosed { column: 2, .. })));
        assert!(matches!(KeyTemplate::parse("a}"), Err(TemplateError::Stray { column: 2, .. })));
        assert!(matches!(KeyTemplate::parse("{}"), Err(TemplateError::EmptyField { column: 1, .. })));
        assert!(matches!(KeyTemplate::parse("price"), Err(TemplateError::Constant { .. })));
    }

    #[test]
    fn a_missing_field_is_named() {
        let template = KeyTemplate::parse("{a.b}").unwrap();
        let error = template.key(br#"{"a":{"b":null}}"#).unwrap_err();
        assert!(error.to_string().contains("\"a.b\""));
    }

    #[test]
    fn ids_and_patterns_of_keys() {
        let template = KeyTemplate::parse("pr*ce:{id}").unwrap();
        assert_eq!(template.scan_pattern(), "pr\\*ce:*");
        assert_eq!(template.document_id("pr*ce:p-1"), Some("p-1".into()));
        assert_eq!(template.document_id("other:p-1"), None);
        assert_eq!(KeyTemplate::parse("{a}{id}").unwrap().document_id("x"), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(template in ".{0,40}", body in ".{0,60}") {
            if let Ok(template) = KeyTemplate::parse(&template) {
                let _ = template.key(body.as_bytes());
                let _ = template.document_id(&body);
            }
        }

        #[test]
        fn an_id_survives_the_way_into_the_key_and_back(id in "[\\PC\u{FDD0}-\u{FDEF}]{1,40}", prefix in "[a-z:*]{0,8}") {
            let template = KeyTemplate::parse(&format!("{prefix}{{id}}")).unwrap();
            let document = serde_json::json!({ "id": id }).to_string();
            let key = template.key(document.as_bytes()).unwrap();
            prop_assert_eq!(key_bytes(&key).into_owned(), format!("{prefix}{id}").into_bytes());
            let found = template.document_id(&key);
            prop_assert_eq!(found.as_deref(), Some(id.as_str()));
        }
    }
}
