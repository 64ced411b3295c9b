//! Documents as text: kept as the client wrote them (order of keys, spelling of numbers), with the
//! service's properties appended.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cosmos::SYSTEM_PROPERTIES;

use super::keys::Epk;

/// Where a document lives: its logical partition and its id.
pub(super) type Key = (Epk, Box<str>);

/// One version of a document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) key: Key,
    /// A JSON object with the system properties but `_lsn`.
    pub(super) text: Bytes,
    pub(super) etag: Box<str>,
    /// Seconds since 1970.
    pub(super) ts: u64,
    /// `ttl` of the document itself: seconds, -1 = never.
    pub(super) ttl: Option<i64>,
    /// Its place in the log of its range; several documents of one batch share it.
    pub(super) lsn: u64,
    /// Its place within the transaction.
    pub(super) part: u32,
    /// Counts the documents that the container ever had; the end of the rid.
    pub(super) ordinal: u64,
}

impl Document {
    /// Appends the text with `_lsn`, as the feed delivers it.
    pub(super) fn write_with_lsn(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.strip_suffix(b"}").unwrap_or(&self.text));
        out.extend_from_slice(b",\"_lsn\":");
        out.extend_from_slice(self.lsn.to_string().as_bytes());
        out.push(b'}');
    }

    /// The same version before it has a place in the log.
    pub(super) fn uncommitted(&self) -> Self {
        Self {
            key: self.key.clone(),
            text: self.text.clone(),
            etag: self.etag.clone(),
            lsn: 0,
            part: 0,
            ..*self
        }
    }

    /// The text parsed; `Null` if it should ever not be JSON.
    pub(super) fn value(&self) -> Value {
        serde_json::from_slice(&self.text).unwrap_or_default()
    }
}

/// The rid of a container's document: the container's eight bytes and the ordinal, as the service's are
/// made. `None` if the container's rid is not one.
pub(super) fn rid_of(container: &str, ordinal: u64) -> Option<String> {
    let mut bytes = STANDARD.decode(container.replace('-', "/")).ok()?;
    bytes.extend_from_slice(&ordinal.to_le_bytes());
    Some(STANDARD.encode(bytes).replace('/', "-"))
}

/// The ordinal that a document's rid ends with.
pub(super) fn ordinal_of(rid: &str) -> Option<u64> {
    let bytes = STANDARD.decode(rid.replace('-', "/")).ok()?;
    bytes.get(8..16)?.try_into().ok().map(u64::from_le_bytes)
}

/// What the service sets on each write.
#[derive(Debug, serde::Deserialize)]
pub(super) struct System<'a> {
    #[serde(rename = "_rid", borrow)]
    pub(super) rid: Cow<'a, str>,
    #[serde(rename = "_self", borrow)]
    pub(super) link: Cow<'a, str>,
    #[serde(rename = "_etag", borrow)]
    pub(super) etag: Cow<'a, str>,
    #[serde(rename = "_ts")]
    pub(super) ts: u64,
}

/// The properties of an object in their order and spelling; of a repeated name the last counts.
#[derive(Debug)]
pub(super) struct Fields<'a>(IndexMap<Cow<'a, str>, (&'a str, &'a str)>);

impl<'a> Fields<'a> {
    /// `None` if `text` is not a JSON object.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// The property's value as JSON text.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|(_, value)| *value)
    }

    /// The property if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok())
    }

    /// The property if it is a whole number.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok())
    }

    /// The object without the properties that only the service sets.
    pub(super) fn without_system(&self) -> Vec<u8> {
        let mut out = self.own();
        if out.len() > 1 {
            out.pop(); // the last comma
        }
        out.push(b'}');
        out
    }

    /// `{`, and each own property with a comma after it.
    fn own(&self) -> Vec<u8> {
        let size: usize = self.0.values().map(|(key, value)| key.len() + value.len() + 2).sum();
        let mut out = Vec::with_capacity(size + 256);
        out.push(b'{');
        for (name, (key, value)) in &self.0 {
            if SYSTEM_PROPERTIES.contains(&name.as_ref()) {
                continue;
            }
            out.extend_from_slice(key.as_bytes());
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
            out.push(b',');
        }
        out
    }

    /// The document's text with these system properties.
    pub(super) fn with_system(&self, system: &System<'_>) -> Bytes {
        let mut out = self.own();
        for (name, value) in [("_rid", &system.rid), ("_self", &system.link), ("_etag", &system.etag)] {
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(Value::from(value.as_ref()).to_string().as_bytes());
            out.push(b',');
        }
        out.extend_from_slice(b"\"_attachments\":\"attachments/\",\"_ts\":");
        out.extend_from_slice(system.ts.to_string().as_bytes());
        out.push(b'}');
        Bytes::from(out)
    }

    /// These fields where they mean the same as in `new`, else `new`'s; in this order, then what is new.
    pub(super) fn patched(self, new: Fields<'a>) -> Self {
        let Fields(old) = self;
        let Fields(mut new) = new;
        let mut merged = IndexMap::with_capacity(new.len());
        for (name, (key, value)) in old {
            if let Some((_, changed)) = new.shift_remove(&name) {
                merged.insert(name, (key, if same(value, changed) { value } else { changed }));
            }
        }
        merged.extend(new);
        Self(merged)
    }
}

/// Whether two JSON texts mean the same value; `1.50` and `1.5` do.
fn same(a: &str, b: &str) -> bool {
    a == b
        || matches!(
            (serde_json::from_str::<Value>(a), serde_json::from_str::<Value>(b)),
            (Ok(a), Ok(b)) if equal(&a, &b)
        )
}

/// Equality of values by meaning: numbers by size, objects in any order.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a.to_bits() == b.to_bits())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = IndexMap::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let (key, value) = (key.get(), value.get());
                    let name = if key.contains('\\') {
                        Cow::Owned(serde_json::from_str(key).map_err(serde::de::Error::custom)?)
                    } else {
                        Cow::Borrowed(key.trim_matches('"'))
                    };
                    fields.insert(name, (key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system() -> System<'static> {
        System { rid: "r".into(), link: "s".into(), etag: "\"e\"".into(), ts: 7 }
    }

    #[test]
    fn text_keeps_order_and_numbers_and_drops_forged_properties() {
        let sent = br#"{ "z": 1.50, "_etag": null, "\u005fts":0, "a": {"b" : 1e3}, "id":"x" }"#;
        let text = Fields::parse(sent).unwrap().with_system(&system());
        assert_eq!(
            std::str::from_utf8(&text).unwrap(),
            r#"{"z":1.50,"a":{"b" : 1e3},"id":"x","_rid":"r","_self":"s","_etag":"\"e\"","_attachments":"attachments/","_ts":7}"#
        );
    }

    #[test]
    fn a_patch_leaves_the_rest_as_written() {
        let old = Fields::parse(br#"{"b":1.50,"a":2,"gone":1}"#).unwrap();
        let new = Fields::parse(br#"{"a":3,"b":1.5,"c":true}"#).unwrap();
        let text = old.patched(new).with_system(&system());
        assert!(text.starts_with(br#"{"b":1.50,"a":3,"c":true,"_rid""#));
    }

    #[test]
    fn a_repeated_name_counts_once() {
        let fields = Fields::parse(br#"{"id":"a","id":"b"}"#).unwrap();
        assert_eq!(fields.text("id").as_deref(), Some("b"));
    }
}
