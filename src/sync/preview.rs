//! What a document would become, before anything runs: for `syncscope map` and for the screen.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::cache::{Encoding, key_bytes};

use super::mapping::{Expiry, MappedEntry, Mapping, MappingError, MappingFault};

/// An entry that a document would become.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewEntry {
    /// Redis key.
    pub key: String,
    /// The document counts as deleted: the key would be deleted, and what follows is empty.
    pub deletes: bool,
    /// How the value would be kept: `string`, `fields`, `distributed-cache`, `json`.
    pub encoding: &'static str,
    /// When it would expire, in words.
    pub expiry: String,
    /// How long it would live if it was written now; `None` = for ever.
    pub ttl: Option<Duration>,
    /// The value as JSON text.
    pub value: String,
    /// Written only where no newer version is.
    pub guarded: bool,
}

/// Why a document makes no entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct PreviewFault {
    /// In one line.
    pub what: String,
    /// Line in the document, or in the setting if one is named, from 1.
    pub line: Option<usize>,
    /// Column there, in characters from 1.
    pub column: Option<usize>,
    /// The setting that is wrong; `None` = it is the document.
    pub setting: Option<&'static str>,
}

impl From<MappingFault> for PreviewFault {
    fn from(fault: MappingFault) -> Self {
        let (line, column) = fault.place.unzip();
        Self { what: fault.to_string(), line, column, setting: Some(fault.setting.path()) }
    }
}

impl From<MappingError> for PreviewFault {
    fn from(error: MappingError) -> Self {
        let place = match &error {
            MappingError::NotJson(error) => Some((error.line(), error.column())),
            _ => None,
        };
        let (line, column) = place.unzip();
        Self { what: error.to_string(), line, column, setting: None }
    }
}

/// The entries of a document if it was written `now`; none where the mapping gives no value.
///
/// # Errors
/// The document is no JSON object, or lacks what the mapping needs.
pub fn preview(
    mapping: &Mapping,
    document: &Bytes,
    now: Timestamp,
) -> Result<Vec<PreviewEntry>, PreviewFault> {
    // A plain value is a slice of the document: that it is JSON is checked by nobody else.
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(document)
        .map_err(MappingError::from)?;
    let mut entries = Vec::new();
    mapping.add_entries(document, now, &mut entries)?;
    Ok(entries.iter().map(|entry| entry_of(entry, now)).collect())
}

fn entry_of(entry: &MappedEntry, now: Timestamp) -> PreviewEntry {
    let key = String::from_utf8_lossy(&key_bytes(&entry.key)).into_owned();
    let guarded = entry.version.is_some();
    let Some(value) = &entry.value else {
        return PreviewEntry {
            key,
            deletes: true,
            encoding: "",
            expiry: String::new(),
            ttl: None,
            value: String::new(),
            guarded,
        };
    };
    let ttl = value.expiry.from(now);
    let expiry = match (value.expiry, ttl) {
        (Expiry::At(time), _) => format!("until {time}"),
        (_, Some(ttl)) => {
            SignedDuration::try_from(ttl).map_or_else(|_| "long".to_owned(), |ttl| format!("for {ttl:#}"))
        }
        (_, None) => "no expiry".to_owned(),
    };
    let value_text = String::from_utf8_lossy(&value.as_read()).into_owned();
    PreviewEntry {
        key,
        deletes: false,
        encoding: word(value.encoding),
        expiry,
        ttl,
        value: value_text,
        guarded,
    }
}

fn word(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Text => "string",
        Encoding::Fields => "fields",
        Encoding::DistributedCache => "distributed-cache",
        Encoding::Json => "json",
        Encoding::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{MappingSettings, Settings};

    fn previewed(settings: &Settings, document: &'static str) -> Result<Vec<PreviewEntry>, PreviewFault> {
        let mapping = Mapping::from_settings(settings)?;
        preview(&mapping, &Bytes::from_static(document.as_bytes()), Timestamp::UNIX_EPOCH)
    }

    fn settings(key: &str, jq: Option<&str>) -> Settings {
        let mapping = MappingSettings {
            jq: jq.map(str::to_owned),
            ttl: Some(Duration::from_secs(60)),
            ..MappingSettings::default()
        };
        Settings { key: key.to_owned(), mapping, ..Settings::default() }
    }

    #[test]
    fn entries_are_told_whole() {
        let entries = previewed(&settings("p:{id}", Some(".offers[]")), r#"{"id":"a","offers":[1]}"#);
        let entry = entries.unwrap().remove(0);
        assert_eq!((entry.key.as_str(), entry.value.as_str(), entry.encoding), ("p:a", "1", "string"));
        assert_eq!((entry.ttl, entry.expiry.as_str()), (Some(Duration::from_secs(60)), "for 1m"));
        assert!(previewed(&settings("p:{id}", Some("empty")), r#"{"id":"a"}"#).unwrap().is_empty());
    }

    #[test]
    fn faults_have_their_place() {
        let fault = |key, jq, document| previewed(&settings(key, jq), document).unwrap_err();
        let place = |fault: &PreviewFault| (fault.line, fault.column, fault.setting);
        assert_eq!(place(&fault("p:{id", None, "{}")), (Some(1), Some(3), Some("key")));
        assert_eq!(place(&fault("{id}", Some(".\n | nope"), "{}")), (Some(2), Some(4), Some("mapping.jq")));
        assert_eq!(place(&fault("{id}", None, "{\n\"id\": }")), (Some(2), Some(7), None));
        assert_eq!(place(&fault("{id}", None, "[1]")).2, None);
        assert!(fault("{market}", None, r#"{"id":"a"}"#).what.contains("market"));
    }
}
