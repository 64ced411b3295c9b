//! One lease document: read in all kinds, written back with everything it held.
//! (.NET: DocumentServiceLeaseCore.cs, …CoreEpk.cs, …Converter.cs; Java: ServiceItemLease.java, …V1.java)

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::time::Duration;
use thiserror::Error;

use crate::cosmos::{EpkRange, FeedScope, PhysicalRange};

use super::{IdPart, LeaseId, LeaseKind, LeasePrefix, timestamp};

/// .NET's order of properties; no reader cares, but a diff does.
const ORDER: [&str; 13] = [
    "id",
    "partitionKey",
    "version",
    "_etag",
    "PartitionId",
    "LeaseToken",
    "FeedRange",
    "Owner",
    "ContinuationToken",
    "properties",
    "Mode",
    "timestamp",
    "_ts",
];
const MODE: &str = "Incremental Feed";
/// Our note in `properties` on leases that were made again after a loss: replay rather than skip.
const FROM_BEGINNING: &str = "syncscope.start";

/// A lease document.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    document: Map<String, Value>,
    kind: LeaseKind,
    id: String,
    token: String,
    range: Option<EpkRange>,
}

/// Why a document of the lease container is no lease.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeaseParseError {
    /// Not a JSON object.
    #[error("a lease document is not a JSON object: {0}")]
    Json(String),
    /// No `id`, or one without `..`.
    #[error("{0:?} is not the id of a lease")]
    Id(String),
}

impl Lease {
    /// Reads a document.
    pub fn parse(body: &[u8]) -> Result<Self, LeaseParseError> {
        let document: Map<String, Value> =
            serde_json::from_slice(body).map_err(|e| LeaseParseError::Json(e.to_string()))?;
        Self::from_document(document)
    }

    fn from_document(document: Map<String, Value>) -> Result<Self, LeaseParseError> {
        let id = text(&document, "id").unwrap_or_default().to_owned();
        let Some(LeaseId { part: IdPart::Lease(id_token), .. }) = LeaseId::parse(&id) else {
            return Err(LeaseParseError::Id(id));
        };
        let kind = LeaseKind::of(&document);
        let token = text(&document, "LeaseToken")
            .or_else(|| text(&document, "PartitionId"))
            .map_or(id_token, ToOwned::to_owned);
        let range = range_of(&document, kind, &token);
        Ok(Self { document, kind, id, token, range })
    }

    /// A new EPK lease (`version` 1) without owner, exactly as .NET creates it.
    pub fn new_epk(prefix: &LeasePrefix, range: &EpkRange, continuation: Option<&str>) -> Self {
        let token = format!("{}-{}", range.min, range.max);
        let mut document = common(prefix, &token, Some(range), continuation);
        document.insert("version".into(), 1.into());
        Self {
            document,
            kind: LeaseKind::EpkRange,
            id: prefix.lease_id(&token),
            token,
            range: Some(range.clone()),
        }
    }

    /// A new lease by partition key range (`version` 0) without owner, as .NET's bootstrap creates it.
    pub fn new_by_range_id(
        prefix: &LeasePrefix,
        physical: &PhysicalRange,
        continuation: Option<&str>,
    ) -> Self {
        let mut document = common(prefix, &physical.id, Some(&physical.range), continuation);
        document.insert("version".into(), 0.into());
        Self {
            document,
            kind: LeaseKind::PartitionKeyRange,
            id: prefix.lease_id(&physical.id),
            token: physical.id.clone(),
            range: Some(physical.range.clone()),
        }
    }

    /// The document's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who wrote it, in which form.
    pub fn kind(&self) -> LeaseKind {
        self.kind
    }

    /// `LeaseToken`: range id or `min-max`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The range of the key space, where the document tells it.
    pub fn range(&self) -> Option<&EpkRange> {
        self.range.as_ref()
    }

    /// What to read for it.
    pub fn scope(&self) -> FeedScope {
        match (&self.range, self.kind.is_by_range_id()) {
            (Some(range), false) => FeedScope::Range(range.clone()),
            _ => FeedScope::PartitionKeyRange(self.token.clone()),
        }
    }

    /// Instance name of the owner; `None` if null, missing or blank.
    pub fn owner(&self) -> Option<&str> {
        text(&self.document, "Owner").filter(|o| !o.trim().is_empty())
    }

    /// The stored continuation, unchanged.
    pub fn continuation(&self) -> Option<&str> {
        text(&self.document, "ContinuationToken").filter(|c| !c.is_empty())
    }

    /// The raw etag to read on from: the stored one, or the one packed inside Java's.
    pub fn position(&self) -> Option<String> {
        let stored = self.continuation()?;
        if self.kind == LeaseKind::JavaEpkRange { java_position(stored) } else { Some(stored.to_owned()) }
    }

    /// The position for people: an LSN without quotes, else the raw text.
    pub fn position_text(&self) -> Option<String> {
        let position = self.position().or_else(|| self.continuation().map(ToOwned::to_owned))?;
        Some(position.trim_matches('"').to_owned())
    }

    /// The owner's last write: `timestamp`, else `_ts`.
    pub fn heartbeat(&self) -> Option<Timestamp> {
        text(&self.document, "timestamp").and_then(timestamp::parse).or_else(|| {
            let seconds = self.document.get("_ts").and_then(Value::as_i64).filter(|s| *s > 0)?;
            Timestamp::from_second(seconds).ok()
        })
    }

    /// No heartbeat for `interval`, by the reader's clock. A lease without any heartbeat is expired.
    pub fn is_expired(&self, now: Timestamp, interval: Duration) -> bool {
        self.heartbeat().and_then(|h| h.checked_add(interval).ok()).is_none_or(|end| end < now)
    }

    /// `_etag`, quotes included.
    pub fn etag(&self) -> Option<&str> {
        text(&self.document, "_etag").filter(|e| !e.is_empty())
    }

    /// `Mode`; absent = incremental.
    pub fn is_incremental(&self) -> bool {
        text(&self.document, "Mode").is_none_or(|m| m.eq_ignore_ascii_case(MODE))
    }

    /// The `properties` map.
    pub fn properties(&self) -> Option<&Map<String, Value>> {
        self.document.get("properties").and_then(Value::as_object)
    }

    /// Value of the partition key in a container by `/partitionKey`; `None` in one by `/id`.
    pub fn partition_value(&self) -> Option<&str> {
        text(&self.document, "partitionKey")
    }

    /// The owner asked for a replay when nothing is stored (see [`Lease::mark_from_beginning`]).
    pub fn starts_from_beginning(&self) -> bool {
        self.properties().and_then(|p| p.get(FROM_BEGINNING)).is_some_and(|v| v == "beginning")
    }

    /// Notes that this lease begins with the first change, whatever the start option says.
    pub fn mark_from_beginning(&mut self) {
        if let Some(properties) =
            self.document.entry("properties").or_insert_with(|| json!({})).as_object_mut()
        {
            properties.insert(FROM_BEGINNING.into(), "beginning".into());
        }
    }

    /// Takes over the parent's `properties`, as .NET does at a split.
    pub fn set_properties(&mut self, properties: Map<String, Value>) {
        self.document.insert("properties".into(), Value::Object(properties));
    }

    /// Sets the key of a container by `/partitionKey`.
    pub fn set_partition_value(&mut self, value: impl Into<String>) {
        self.document.insert("partitionKey".into(), value.into().into());
    }

    /// Sets or frees (`null` stays in the JSON) the owner.
    pub fn set_owner(&mut self, owner: Option<&str>) {
        self.document.insert("Owner".into(), owner.into());
    }

    /// Sets the continuation.
    pub fn set_continuation(&mut self, etag: Option<&str>) {
        self.document.insert("ContinuationToken".into(), etag.into());
    }

    /// Sets the heartbeat.
    pub fn set_heartbeat(&mut self, now: Timestamp) {
        self.document.insert("timestamp".into(), timestamp::format(now).into());
    }

    /// Sets what the store told after a write.
    pub fn set_etag(&mut self, etag: &str) {
        self.document.insert("_etag".into(), etag.into());
    }

    /// Fills in the range of a lease by range id, so that a later split finds its children.
    pub fn fill_range(&mut self, range: &EpkRange) {
        if self.range.is_none() && self.kind == LeaseKind::PartitionKeyRange {
            self.document.insert("FeedRange".into(), feed_range(range));
            self.range = Some(range.clone());
        }
    }

    /// The document as JSON text: .NET's properties in its order, then all others as they were.
    pub fn to_json(&self) -> Bytes {
        let mut text = String::from("{");
        let known = ORDER.iter().filter_map(|name| self.document.get_key_value(*name));
        let others = self.document.iter().filter(|(name, _)| !ORDER.contains(&name.as_str()));
        for (name, value) in known.chain(others) {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&Value::from(name.as_str()).to_string());
            text.push(':');
            match &self.range {
                // .NET writes min before max; a map would sort them.
                Some(range) if name == "FeedRange" && *value == feed_range(range) => {
                    let (min, max) = (Value::from(range.min.as_str()), Value::from(range.max.as_str()));
                    text.extend([
                        r#"{"Range":{"min":"#,
                        &min.to_string(),
                        r#","max":"#,
                        &max.to_string(),
                        "}}",
                    ]);
                }
                _ => text.push_str(&value.to_string()),
            }
        }
        text.push('}');
        Bytes::from(text)
    }
}

fn common(
    prefix: &LeasePrefix,
    token: &str,
    range: Option<&EpkRange>,
    continuation: Option<&str>,
) -> Map<String, Value> {
    let mut document = Map::new();
    let mut set = |name: &str, value: Value| {
        document.insert(name.into(), value);
    };
    set("id", prefix.lease_id(token).into());
    set("_etag", Value::Null);
    set("LeaseToken", token.into());
    if let Some(range) = range {
        set("FeedRange", feed_range(range));
    }
    set("Owner", Value::Null);
    set("ContinuationToken", continuation.into());
    set("properties", json!({}));
    set("timestamp", Value::Null);
    set("_ts", 0.into());
    set("Mode", MODE.into());
    document
}

fn feed_range(range: &EpkRange) -> Value {
    json!({ "Range": { "min": range.min, "max": range.max } })
}

/// Exact name first, then without case, as Newtonsoft reads.
fn text<'a>(document: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let exact = document.get(name);
    let any = || document.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    exact.or_else(any).and_then(Value::as_str)
}

fn range_of(document: &Map<String, Value>, kind: LeaseKind, token: &str) -> Option<EpkRange> {
    let told = ["FeedRange", "feedRange"].iter().find_map(|n| document.get(*n)).and_then(|v| {
        let range = v.get("Range").or_else(|| v.get("range"))?;
        Some(EpkRange::new(range.get("min")?.as_str()?, range.get("max")?.as_str()?))
    });
    told.or_else(|| {
        if kind.is_by_range_id() {
            return None;
        }
        let (min, max) = token.split_once('-')?;
        Some(EpkRange::new(min, max))
    })
}

/// Java packs `{…"Continuation":{"Continuation":[{"token":"\"11\"",…}]}}` in base64 of either alphabet.
fn java_position(packed: &str) -> Option<String> {
    let packed = packed.trim_end_matches('=');
    let json = URL_SAFE_NO_PAD.decode(packed).or_else(|_| STANDARD_NO_PAD.decode(packed)).ok()?;
    let state: Value = serde_json::from_slice(&json).ok()?;
    state["Continuation"]["Continuation"][0]["token"].as_str().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V0: &str = r#"{"id":"localhost_bQ8uAA==_bQ8uAKjLr1s=..0","version":0,"_etag":"\"0100-2\"","LeaseToken":"0","FeedRange":{"Range":{"min":"","max":"FF"}},"Owner":"host-a","ContinuationToken":"\"4211\"","properties":{},"timestamp":"2026-08-07T18:56:44.1234567Z","_ts":1786129004,"Mode":"Incremental Feed"}"#;
    const V1: &str = r#"{"id":"cache-localhost_bQ8uAA==_bQ8uAKjLr1s=..-FF","partitionKey":"cache-localhost_bQ8uAA==_bQ8uAKjLr1s=..-FF","version":1,"_etag":"\"0100-3\"","LeaseToken":"-FF","FeedRange":{"Range":{"min":"","max":"FF"}},"Owner":null,"ContinuationToken":null,"properties":{},"Mode":"Incremental Feed","timestamp":null,"_ts":1786129004}"#;
    const LEGACY: &str = r#"{"id":"localhost_bQ8uAA==_bQ8uAKjLr1s=..0","_etag":"\"0100-4\"","PartitionId":"0","Owner":"host-c","ContinuationToken":"\"19\"","properties":{},"timestamp":"2020-01-01T00:00:00.5Z","_ts":1577836800}"#;
    const JAVA_PK: &str = r#"{"id":"localhost_shop_prices..0","_etag":"\"0100-5\"","LeaseToken":"0","ContinuationToken":"\"11\"","timestamp":"2026-08-07T18:56:44.123456Z","Owner":"host-d"}"#;
    const JAVA_EPK: &str = r#"{"id":"localhost_bQ8uAA==_bQ8uAKjLr1s=..-FF","_etag":"\"0100-6\"","LeaseToken":"-FF","ContinuationToken":"eyJWIjoxLCJSaWQiOiJiUTh1QUtqTHIxcz0iLCJNb2RlIjoiSU5DUkVNRU5UQUwiLCJTdGFydEZyb20iOnsiVHlwZSI6IkJFR0lOTklORyJ9LCJDb250aW51YXRpb24iOnsiViI6MSwiUmlkIjoiYlE4dUFLakxyMXM9IiwiQ29udGludWF0aW9uIjpbeyJ0b2tlbiI6IlwiMTFcIiIsInJhbmdlIjp7Im1pbiI6IiIsIm1heCI6IkZGIn19XSwiUmFuZ2UiOnsibWluIjoiIiwibWF4IjoiRkYiLCJpc01pbkluY2x1c2l2ZSI6dHJ1ZSwiaXNNYXhJbmNsdXNpdmUiOmZhbHNlfX19","timestamp":"2026-08-07T18:56:44.123456Z","Owner":"host-d","version":1,"feedRange":{"Range":{"min":"","max":"FF","isMinInclusive":true,"isMaxInclusive":false}}}"#;

    #[test]
    fn every_kind_is_read() {
        use LeaseKind::{EpkRange as V1Kind, JavaEpkRange, JavaPartitionKeyRange, Legacy, PartitionKeyRange};
        let full = Some(EpkRange::full());
        for (name, text, kind, token, range, owner, position) in [
            ("v0", V0, PartitionKeyRange, "0", full.clone(), Some("host-a"), Some("4211")),
            ("v1", V1, V1Kind, "-FF", full.clone(), None, None),
            ("legacy", LEGACY, Legacy, "0", None, Some("host-c"), Some("19")),
            ("java pk", JAVA_PK, JavaPartitionKeyRange, "0", None, Some("host-d"), Some("11")),
            ("java epk", JAVA_EPK, JavaEpkRange, "-FF", full, Some("host-d"), Some("11")),
        ] {
            let lease = Lease::parse(text.as_bytes()).unwrap();
            assert_eq!(lease.kind(), kind, "{name}");
            assert_eq!(lease.token(), token, "{name}");
            assert_eq!(lease.range(), range.as_ref(), "{name}");
            assert_eq!(lease.owner(), owner, "{name}");
            assert_eq!(lease.position_text().as_deref(), position, "{name}");
            assert!(
                lease.is_incremental() && lease.etag().is_some() && lease.heartbeat().is_some(),
                "{name}"
            );
        }
        let v0 = Lease::parse(V0.as_bytes()).unwrap();
        assert_eq!(v0.continuation(), Some("\"4211\""));
        assert_eq!(v0.scope(), FeedScope::PartitionKeyRange("0".into()));
        assert_eq!(Lease::parse(V1.as_bytes()).unwrap().scope(), FeedScope::Range(EpkRange::full()));
    }

    #[test]
    fn a_migrated_legacy_lease_is_v0() {
        let both = LEGACY.replace("\"PartitionId\":\"0\"", "\"PartitionId\":\"0\",\"LeaseToken\":\"0\"");
        assert_eq!(Lease::parse(both.as_bytes()).unwrap().kind(), LeaseKind::PartitionKeyRange);
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        for text in [V0, V1, LEGACY, JAVA_PK, JAVA_EPK] {
            let strange = text.replacen('{', r#"{"state":"x","SequenceNumber":7,"neu":{"a":[1,null]},"#, 1);
            let lease = Lease::parse(strange.as_bytes()).unwrap();
            let before: Value = serde_json::from_str(&strange).unwrap();
            let after: Value = serde_json::from_slice(&lease.to_json()).unwrap();
            assert_eq!(after, before);
        }
        assert_eq!(Lease::parse(V1.as_bytes()).unwrap().to_json(), V1);
    }

    #[test]
    fn a_new_lease_is_spelled_as_dotnet_does() {
        let prefix = LeasePrefix::from_raw("cache-localhost_bQ8uAA==_bQ8uAKjLr1s=");
        let mut lease = Lease::new_epk(&prefix, &EpkRange::full(), None);
        lease.set_partition_value(lease.id().to_owned());
        let expected = V1.replace(r#""\"0100-3\"""#, "null").replace("1786129004", "0");
        assert_eq!(lease.to_json(), expected);

        lease.set_owner(Some("me"));
        lease.set_continuation(Some("\"7\""));
        lease.set_heartbeat("2026-08-07T18:56:44.123456789Z".parse().unwrap());
        let text = String::from_utf8(lease.to_json().to_vec()).unwrap();
        assert!(text.contains(r#""Owner":"me","ContinuationToken":"\"7\"","properties":{},"Mode":"Incremental Feed","timestamp":"2026-08-07T18:56:44.1234567Z""#), "{text}");
        lease.set_owner(None);
        assert!(String::from_utf8(lease.to_json().to_vec()).unwrap().contains(r#""Owner":null"#));
    }

    #[test]
    fn expiry_by_heartbeat_else_by_ts() {
        let minute = Duration::from_mins(1);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let lease = Lease::parse(V0.as_bytes()).unwrap();
        assert!(!lease.is_expired(at("2026-08-07T18:57:44Z"), minute));
        assert!(lease.is_expired(at("2026-08-07T18:57:45Z"), minute));
        let silent = Lease::parse(V1.as_bytes()).unwrap();
        let after = |seconds: i64| Timestamp::from_second(1_786_129_004 + seconds).unwrap();
        assert!(!silent.is_expired(after(60), minute));
        assert!(silent.is_expired(after(61), minute));
    }

    #[test]
    fn what_is_no_lease_is_refused() {
        assert!(matches!(Lease::parse(b"[1]"), Err(LeaseParseError::Json(_))));
        for id in ["localhost_bQ8uAA==_bQ8uAKjLr1s=.info", "p-1", ""] {
            assert!(matches!(
                Lease::parse(json!({ "id": id }).to_string().as_bytes()),
                Err(LeaseParseError::Id(_))
            ));
        }
    }
}
