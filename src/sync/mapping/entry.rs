//! What a document becomes: key, value, lifetime, and the write that puts it there.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::MappingError;
use crate::cache::{CacheWrite, DistributedExpiry, Encoding, Version, key_bytes};
use crate::sync::fields;

/// One entry of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedEntry {
    /// Redis key, as [`crate::cache::key_text`].
    pub key: String,
    /// What the key holds; `None` = the document is deleted, and there must be no such key.
    pub value: Option<MappedValue>,
    /// The document's version, where writes are guarded.
    pub version: Option<Version>,
}

/// A value, how it is kept and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedValue {
    /// JSON.
    pub json: Bytes,
    /// How it is kept.
    pub encoding: Encoding,
    /// Until when.
    pub expiry: Expiry,
}

/// When an entry goes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It stays.
    Never,
    /// So long after it was written.
    After(Duration),
    /// At this time.
    At(Timestamp),
}

impl Expiry {
    /// How long the entry lives if it is written `now`; `None` = for ever.
    pub fn from(self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(length) => Some(length),
            Self::At(time) => Some(Duration::try_from(time.duration_since(now)).unwrap_or(Duration::ZERO)),
        }
    }
}

impl MappedValue {
    pub(super) fn new(json: Bytes, encoding: Encoding, expiry: Expiry) -> Result<Self, MappingError> {
        let value = Self { json, encoding, expiry };
        if encoding == Encoding::Fields && value.fields().is_empty() {
            return Err(MappingError::NoFields);
        }
        Ok(value)
    }

    /// The value as [`crate::cache::Entry::value`] gives it back: what an entry is compared with.
    pub fn as_read(&self) -> Bytes {
        if self.encoding != Encoding::Fields {
            return self.json.clone();
        }
        let text = |bytes: &Bytes| serde_json::Value::from(String::from_utf8_lossy(bytes).into_owned());
        let object: serde_json::Map<_, _> = self
            .fields()
            .iter()
            .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), text(value)))
            .collect();
        Bytes::from(serde_json::Value::Object(object).to_string())
    }

    /// Top-level fields for a hash: texts as they are, numbers and booleans as written, the rest as
    /// JSON. Redis has no null: such fields are left out. Empty for what is no object.
    fn fields(&self) -> Vec<(Bytes, Bytes)> {
        let members = fields::members(&self.json).unwrap_or_default();
        let members = members.into_iter().filter(|(_, raw)| raw.get() != "null");
        members
            .map(|(name, raw)| {
                let value = match fields::text(raw) {
                    Some(text) => Bytes::copy_from_slice(text.as_bytes()),
                    None => Bytes::copy_from_slice(raw.get().as_bytes()),
                };
                (Bytes::from(name), value)
            })
            .collect()
    }
}

impl MappedEntry {
    /// The value as it is read back; empty where there should be none.
    pub fn expected(&self) -> Bytes {
        self.value.as_ref().map(MappedValue::as_read).unwrap_or_default()
    }

    /// The write that makes the cache hold this entry, as of `now`.
    pub fn into_write(self, now: Timestamp) -> CacheWrite {
        let key = match key_bytes(&self.key) {
            Cow::Owned(bytes) => Bytes::from(bytes),
            Cow::Borrowed(_) => Bytes::from(self.key),
        };
        let write = match self.value {
            None => CacheWrite::Delete { key },
            Some(value) => {
                let ttl = value.expiry.from(now);
                match value.encoding {
                    Encoding::Fields => CacheWrite::Fields { key, fields: value.fields(), ttl },
                    Encoding::DistributedCache => {
                        let absolute = ttl
                            .and_then(|ttl| SignedDuration::try_from(ttl).ok())
                            .and_then(|ttl| now.checked_add(ttl).ok());
                        let expiry = DistributedExpiry { absolute, sliding: None };
                        CacheWrite::DistributedCache { key, data: value.json, expiry }
                    }
                    Encoding::Json => CacheWrite::Json { key, document: value.json, ttl },
                    Encoding::Text | Encoding::Other => CacheWrite::Set { key, value: value.json, ttl },
                }
            }
        };
        match self.version {
            Some(version) => CacheWrite::Guarded { write: Box::new(write), version },
            None => write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_hash() {
        let json = br#"{"id":"p","n":1.50,"o":{"a":[1]},"none":null,"t":"a\"b"}"#;
        let value = MappedValue::new(Bytes::from_static(json), Encoding::Fields, Expiry::Never).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&value.as_read()).unwrap();
        assert_eq!(read, serde_json::json!({"id":"p","n":"1.50","o":"{\"a\":[1]}","t":"a\"b"}));
        for none in ["[]", "7", "{}", r#"{"a":null}"#] {
            let made = MappedValue::new(Bytes::from(none), Encoding::Fields, Expiry::Never);
            assert!(matches!(made, Err(MappingError::NoFields)), "{none}");
        }
    }
}
