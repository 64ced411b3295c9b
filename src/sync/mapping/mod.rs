//! Document → entries. The keys come from templates over the document's fields. The plain value is
//! the document as Cosmos sent it: a slice of the feed page, not parsed and not copied.

mod entry;
mod jq;
mod lifetime;
mod template;

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use thiserror::Error;

use crate::cache::{Encoding, Version};
use crate::config::{Key, Settings, ValueEncoding, ValueShape};
use crate::cosmos::SYSTEM_PROPERTIES;

use super::fields;
pub use entry::{Expiry, MappedEntry, MappedValue};
pub use jq::{Jq, JqError};
use lifetime::Lifetime;
pub use template::{KeyTemplate, TemplateError};

/// Settings that make no mapping: which one, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {what}", setting.path())]
pub struct MappingFault {
    /// The setting.
    pub setting: Key,
    /// In one line, with its column (and line, where it can have several).
    pub what: String,
    /// Line and column in the setting's text, counted from 1, where it has a place.
    pub place: Option<(usize, usize)>,
}

/// Why a document makes no entry: it is set aside with this reason.
#[derive(Debug, Error)]
pub enum MappingError {
    /// The body is not a JSON object.
    #[error("not a JSON object: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A field that the key needs is missing, null, an object or an array.
    #[error("the key template needs field {0:?}, which is missing or not a plain value")]
    MissingField(String),
    /// A jq expression failed.
    #[error("{0}")]
    Jq(String),
    /// A hash of fields needs an object.
    #[error("the value is no JSON object, or has no field that is not null; encoding fields needs one")]
    NoFields,
    /// The field with the TTL holds something else.
    #[error("the TTL field {field:?} must hold seconds or a time such as 2026-03-01T12:00:00Z")]
    WrongTtl {
        /// Its path.
        field: String,
    },
}

/// How the value is made.
#[derive(Debug, Clone)]
enum Shape {
    Document,
    Stripped,
    Jq(Jq),
}

/// The mapping in force: which entries a document becomes.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// At least one.
    keys: Vec<KeyTemplate>,
    shape: Shape,
    encoding: Encoding,
    lifetime: Lifetime,
    delete_field: Option<Vec<String>>,
    delete_jq: Option<Jq>,
    guarded: bool,
}

impl Mapping {
    /// Key by template, value verbatim in a string, for ever.
    ///
    /// # Errors
    /// The template is wrong.
    pub fn new(key_template: &str) -> Result<Self, TemplateError> {
        Ok(Self {
            keys: vec![KeyTemplate::parse(key_template)?],
            shape: Shape::Document,
            encoding: Encoding::Text,
            lifetime: Lifetime::default(),
            delete_field: None,
            delete_jq: None,
            guarded: false,
        })
    }

    /// As the settings say.
    ///
    /// # Errors
    /// A template, a path or an expression is wrong.
    pub fn from_settings(settings: &Settings) -> Result<Self, MappingFault> {
        let wanted = &settings.mapping;
        let template = |setting, text: &str| {
            KeyTemplate::parse(text).map(|template| template.after(&wanted.cache_instance)).map_err(|error| {
                MappingFault {
                    setting,
                    what: error.to_string(),
                    place: error.column().map(|column| (1, column)),
                }
            })
        };
        let mut keys = vec![template(Key::KeyTemplate, &settings.key)?];
        for text in &wanted.more_keys {
            keys.push(template(Key::MoreKeys, text)?);
        }
        let shape = match (&wanted.jq, wanted.value) {
            (Some(source), _) => Shape::Jq(expression(Key::Jq, source)?),
            (None, ValueShape::Document) => Shape::Document,
            (None, ValueShape::Stripped) => Shape::Stripped,
        };
        let encoding = match wanted.encoding {
            ValueEncoding::String => Encoding::Text,
            ValueEncoding::DistributedCache => Encoding::DistributedCache,
            ValueEncoding::Fields => Encoding::Fields,
            ValueEncoding::Json => Encoding::Json,
        };
        let path_of =
            |setting, text: &Option<String>| text.as_deref().map(|text| path(setting, text)).transpose();
        Ok(Self {
            keys,
            shape,
            encoding,
            lifetime: Lifetime::new(wanted.ttl, path_of(Key::TtlField, &wanted.ttl_field)?),
            delete_field: path_of(Key::DeleteField, &wanted.delete_field)?,
            delete_jq: wanted
                .delete_jq
                .as_deref()
                .map(|source| expression(Key::DeleteJq, source))
                .transpose()?,
            guarded: wanted.is_guarded(),
        })
    }

    /// The first key template.
    pub fn key_template(&self) -> &KeyTemplate {
        &self.keys[0]
    }

    /// All key templates.
    pub fn key_templates(&self) -> &[KeyTemplate] {
        &self.keys
    }

    /// How values are kept.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether writes carry the document's version, to be compared in the server.
    pub fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// The fixed time that entries live, if there is one.
    pub fn ttl(&self) -> Option<Duration> {
        self.lifetime.fixed()
    }

    /// Redis globs that together match every key the mapping can make, for SCAN.
    pub fn scan_patterns(&self) -> Vec<String> {
        let mut patterns: Vec<String> = self.keys.iter().map(KeyTemplate::scan_pattern).collect();
        if patterns.iter().any(|pattern| pattern.chars().all(|c| c == '*')) {
            return vec!["*".to_owned()];
        }
        patterns.sort_unstable();
        patterns.dedup();
        patterns
    }

    /// The id of the document that a key stands for, where the templates tell it.
    pub fn document_id<'k>(&self, key: &'k str) -> Option<Cow<'k, str>> {
        self.keys.iter().find_map(|template| template.document_id(key))
    }

    /// The entry that a document has under a key now; `None` = another one or none.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn entry_under(&self, document: &Bytes, key: &str) -> Result<Option<MappedEntry>, MappingError> {
        Ok(self.entries(document)?.into_iter().find(|entry| entry.key == key))
    }

    /// Whether there should be an entry under this key for a document.
    pub fn makes(&self, document: &Bytes, key: &str) -> bool {
        self.entry_under(document, key).is_ok_and(|entry| entry.is_some_and(|entry| entry.value.is_some()))
    }

    /// The keys of a document, in the order of its entries.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn keys(&self, document: &Bytes) -> Result<Vec<String>, MappingError> {
        if !matches!(self.shape, Shape::Jq(_)) && !self.keys.iter().any(KeyTemplate::uses_value) {
            return self.keys.iter().map(|template| template.key(document)).collect();
        }
        Ok(self.entries(document)?.into_iter().map(|entry| entry.key).collect())
    }

    /// The entries of a document as of now.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn entries(&self, document: &Bytes) -> Result<Vec<MappedEntry>, MappingError> {
        let mut entries = Vec::with_capacity(1);
        self.add_entries(document, Timestamp::now(), &mut entries)?;
        Ok(entries)
    }

    /// Adds the entries of a document as of `now`; a plain value shares the document's memory.
    /// Adds nothing where it fails.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn add_entries(
        &self,
        document: &Bytes,
        now: Timestamp,
        entries: &mut Vec<MappedEntry>,
    ) -> Result<(), MappingError> {
        let before = entries.len();
        let added = self.add(document, now, entries);
        if added.is_err() {
            entries.truncate(before);
        }
        added
    }

    fn add(
        &self,
        document: &Bytes,
        now: Timestamp,
        entries: &mut Vec<MappedEntry>,
    ) -> Result<(), MappingError> {
        let version = if self.guarded {
            Version::of(number(document, "_ts")?, number(document, "_lsn")?)
        } else {
            None
        };
        let expiry = if self.is_deleted(document)? { None } else { self.lifetime.expiry(document, now)? };
        let before = entries.len();
        if expiry.is_none() && !self.keys.iter().any(KeyTemplate::uses_value) {
            // The value may be impossible to make of a deleted document; its key is enough.
            for template in &self.keys {
                entries.push(MappedEntry { key: template.key(document)?, value: None, version });
            }
            return Ok(());
        }
        for bytes in self.values(document)? {
            for template in &self.keys {
                let key = template.key_with(document, &bytes)?;
                let value = expiry
                    .map(|expiry| MappedValue::new(bytes.clone(), self.encoding, expiry))
                    .transpose()?;
                let entry = MappedEntry { key, value, version };
                // Two outputs under one key: the later one is what a reader would find.
                match entries[before..].iter_mut().find(|known| known.key == entry.key) {
                    Some(known) => *known = entry,
                    None => entries.push(entry),
                }
            }
        }
        Ok(())
    }

    fn values(&self, document: &Bytes) -> Result<Values, MappingError> {
        Ok(match &self.shape {
            Shape::Document => Values::One(Some(document.clone())),
            Shape::Stripped => Values::One(Some(stripped(document)?)),
            Shape::Jq(jq) => Values::Many(jq.run(document).map_err(MappingError::Jq)?.into_iter()),
        })
    }

    fn is_deleted(&self, document: &Bytes) -> Result<bool, MappingError> {
        if let Some(path) = &self.delete_field
            && fields::pick(document, path)?.is_some_and(|raw| is_set(raw.get()))
        {
            return Ok(true);
        }
        match &self.delete_jq {
            Some(jq) => jq.holds(document).map_err(MappingError::Jq),
            None => Ok(false),
        }
    }
}

/// The values of one document, without a list for the usual one.
enum Values {
    One(Option<Bytes>),
    Many(std::vec::IntoIter<Bytes>),
}

impl Iterator for Values {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::One(value) => value.take(),
            Self::Many(values) => values.next(),
        }
    }
}

fn expression(setting: Key, source: &str) -> Result<Jq, MappingFault> {
    Jq::compile(source).map_err(|error| MappingFault {
        setting,
        what: error.to_string(),
        place: Some((error.line, error.column)),
    })
}

fn path(setting: Key, text: &str) -> Result<Vec<String>, MappingFault> {
    let path: Vec<String> = text.trim().split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        let what = format!("{text:?} is no path to a field; write for example price.validUntil");
        return Err(MappingFault { setting, what, place: None });
    }
    Ok(path)
}

fn number(document: &[u8], name: &str) -> Result<Option<u64>, serde_json::Error> {
    Ok(fields::scalar(document, &[name])?.and_then(|text| text.parse().ok()))
}

/// Anything but `false`, `null`, `0` and `""`: a flag, or the time of the deletion.
fn is_set(json: &str) -> bool {
    !matches!(json, "false" | "null" | "\"\"") && json.parse::<f64>() != Ok(0.0)
}

/// The document without the fields that Cosmos adds; everything else as it is spelled.
fn stripped(document: &[u8]) -> Result<Bytes, MappingError> {
    let mut value = Vec::with_capacity(document.len());
    value.push(b'{');
    for (name, raw) in fields::members(document)? {
        if SYSTEM_PROPERTIES.contains(&name.as_str()) {
            continue;
        }
        if value.len() > 1 {
            value.push(b',');
        }
        serde_json::to_writer(&mut value, &name)?;
        value.push(b':');
        value.extend_from_slice(raw.get().as_bytes());
    }
    value.push(b'}');
    Ok(Bytes::from(value))
}

#[cfg(test)]
mod tests;
