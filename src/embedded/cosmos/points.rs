//! Operations on one document. Reads are answered from our own text; writes go through the inner
//! store, which checks them, and are then committed to the log under the container's order.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use super::answer::Answer;
use super::container::Container;
use super::document::{Fields, Key, System};
use super::errors::{
    bad_request, internal, not_found, precondition_failed, too_large, wrong_container, wrong_key,
};
use super::feed::log::Operation;
use super::feed::ranges::{Change, Commit};
use super::ids::refused_document;
use super::keys::{self, Epk, KeyScope};
use super::patch::Patch;
use super::queries;
use super::request::Ask;
use super::store::{Inner, Store};

/// Largest document, bytes: the service's 2 MB.
pub(super) const MAX_DOCUMENT: usize = 2 << 20;

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_second()).unwrap_or(0)
}

/// Answers `GET …/docs/ID`.
pub(super) fn read(ask: &Ask, container: &Container, id: &str) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    let epk = match key_of_header(ask, container) {
        Ok(Some(epk)) => epk,
        Ok(None) => {
            return bad_request("PartitionKey value must be supplied for this operation.");
        }
        Err(message) => return bad_request(message),
    };
    let ranges = container.ranges();
    let Some(range) = ranges.of(&epk) else { return not_found() };
    let at = Commit { range: range.id, lsn: range.lsn };
    let found = range.get(&(epk, id.into())).cloned();
    drop(ranges);
    let mut answer = match &found {
        None => not_found(),
        Some(document) if ask.header("if-none-match") == Some(&document.etag) => {
            Answer::new(StatusCode::NOT_MODIFIED)
        }
        Some(document) => Answer::json(StatusCode::OK, document.text.clone()),
    };
    if let Some(document) = &found {
        answer.set("etag", &document.etag);
    }
    answer.common(ask, "1");
    answer.commit(at, found.map(|document| document.lsn));
    answer
}

/// The logical partition that the request's header names.
pub(super) fn key_of_header(ask: &Ask, container: &Container) -> Result<Option<Epk>, &'static str> {
    let Some(header) = ask.header("x-ms-documentdb-partitionkey") else { return Ok(None) };
    match keys::of_header(header, &container.key)? {
        Some(KeyScope::Point(epk)) => Ok(Some(epk)),
        Some(KeyScope::Prefix(..)) => {
            Err("Partition key provided doesn't correspond to definition in the collection.")
        }
        None => Ok(None),
    }
}

/// Answers a write of one document: `POST …/docs`, or `PUT`, `PATCH`, `DELETE …/docs/ID`.
pub(super) async fn write(store: &Store, ask: &Ask, container: &Arc<Container>) -> Answer {
    let named = ask.segments.get(5).map(String::as_str);
    let written = match Written::of(ask, container, named) {
        Ok(written) => written,
        Err(refusal) => return *refusal,
    };
    // From here to the commit nothing waits: a client that goes away cannot leave the store and the
    // log of different opinions.
    let _order = container.order.lock().await;
    let (method, body) = if ask.method == Method::PATCH {
        match patched(store, ask, container, &written.key).await {
            Ok(body) => (Method::PUT, body),
            Err(refusal) => return *refusal,
        }
    } else {
        (ask.method.clone(), written.body)
    };
    let headers = inner_headers(ask);
    let path = container.path(named.as_slice());
    let Some(inner) = store.execute(&method, &path, &headers, body.clone()).await else {
        return internal("the store did not answer");
    };
    if inner.status.is_success() {
        return settle(ask, container, Written { key: written.key, body }, &inner);
    }
    let mut answer = inner.into_answer();
    if answer.status == StatusCode::BAD_REQUEST && contradicts(ask, container) {
        answer = wrong_key();
    }
    if let Some(range) = container.ranges().of(&written.key.0) {
        answer.commit(range.commit_now(), None);
    }
    answer
}

/// Whether the header names another logical partition than the document.
fn contradicts(ask: &Ask, container: &Container) -> bool {
    let document = serde_json::from_slice::<Value>(&ask.body).ok();
    let of_document = document.and_then(|d| keys::of_document(&d, &container.key).ok());
    let of_header = key_of_header(ask, container).ok().flatten();
    matches!((of_document, of_header), (Some(a), Some(b)) if a != b)
}

/// The document that a patch makes of the present one.
async fn patched(store: &Store, ask: &Ask, container: &Container, key: &Key) -> Result<Bytes, Box<Answer>> {
    let refuse = |message: &str| Box::new(bad_request(message));
    let patch = Patch::parse(&ask.body).map_err(refuse)?;
    let old = container.ranges().get(key).cloned();
    let old = old.ok_or_else(|| Box::new(not_found()))?;
    if let Some(condition) = &patch.condition
        && !queries::holds(store, ask, container, &key.1, condition).await?
    {
        return Err(Box::new(precondition_failed()));
    }
    patch.apply(&old.text).map(Bytes::from).map_err(|message| refuse(&message))
}

/// A write as the client sent it.
struct Written {
    key: Key,
    body: Bytes,
}

impl Written {
    fn of(ask: &Ask, container: &Container, named: Option<&str>) -> Result<Self, Box<Answer>> {
        let refuse = |message: &str| Box::new(bad_request(message));
        if ask.body.len() > MAX_DOCUMENT {
            return Err(Box::new(too_large()));
        }
        let header = key_of_header(ask, container).map_err(refuse)?;
        if ask.method == Method::PATCH || ask.method == Method::DELETE {
            let id = named.unwrap_or_default();
            let epk =
                header.ok_or_else(|| refuse("PartitionKey value must be supplied for this operation."))?;
            return Ok(Self { key: (epk, id.into()), body: Bytes::new() });
        }
        let fields = Fields::parse(&ask.body)
            .ok_or_else(|| refuse("The document body must be a valid JSON object."))?;
        let id = fields.text("id").ok_or_else(|| {
            refuse("The input content is invalid because the required properties - 'id; ' - are missing")
        })?;
        if let Some(refusal) = refused_document(&id) {
            return Err(Box::new(refusal));
        }
        if named.is_some_and(|named| named != id) {
            return Err(refuse("The id in the document must be the one in the address."));
        }
        let epk = if let Some(epk) = header {
            epk
        } else {
            let value: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
            keys::of_document(&value, &container.key).map_err(refuse)?
        };
        Ok(Self { key: (epk, id.into()), body: ask.body.clone() })
    }
}

/// The client's headers, asking for the whole document in return: we need what the store set.
fn inner_headers(ask: &Ask) -> HeaderMap {
    let mut headers = ask.headers.clone();
    // `If-Match: *` means "if it is there", which replace and delete demand anyway.
    if headers.get("if-match").is_some_and(|etag| etag == HeaderValue::from_static("*")) {
        headers.remove("if-match");
    }
    headers
}

/// Commits what the store has accepted, and answers.
fn settle(ask: &Ask, container: &Container, written: Written, inner: &Inner) -> Answer {
    let epk = written.key.0.clone();
    let charge = inner.header("x-ms-request-charge").unwrap_or("1");
    if ask.method == Method::DELETE {
        let change = Change::Remove { key: written.key, ts: now(), operation: Operation::Delete };
        let at = container.ranges_mut().commit(&epk, [change]);
        let mut answer = Answer::new(StatusCode::NO_CONTENT);
        answer.common(ask, charge);
        answer.commit(at, None);
        return answer;
    }
    let Some(change) = put(written.key, &written.body, &inner.body) else {
        return internal("the store's document could not be read");
    };
    let (text, etag) = match &change {
        Change::Put { text, etag, .. } => (text.clone(), etag.clone()),
        Change::Remove { .. } => return internal("a write became a deletion"),
    };
    let at = container.ranges_mut().commit(&epk, [change]);
    let mut answer =
        if ask.wants_minimal() { Answer::new(inner.status) } else { Answer::json(inner.status, text) };
    answer.set("etag", etag);
    answer.common(ask, charge);
    answer.commit(at, Some(at.lsn));
    answer
}

/// The change that a write made: the client's text with the properties that the store set.
pub(super) fn put(key: Key, sent: &[u8], stored: &[u8]) -> Option<Change> {
    let system: System<'_> = serde_json::from_slice(stored).ok()?;
    let fields = Fields::parse(sent)?;
    Some(Change::Put {
        key,
        text: fields.with_system(&system),
        etag: system.etag.as_ref().into(),
        ts: system.ts,
        ttl: fields.integer("ttl"),
    })
}

/// Deletes what has outlived its time, everywhere.
pub(super) async fn expire(store: &Store, container: &Container) {
    if !container.ranges().has_expired(now()) {
        return;
    }
    let _order = container.order.lock().await;
    let expired = container.ranges().expired(now());
    for document in expired {
        let mut headers = HeaderMap::new();
        let key = keys::header_of(&document.value(), &container.key).to_string();
        if let Ok(key) = HeaderValue::from_str(&ascii(&key)) {
            headers.insert("x-ms-documentdb-partitionkey", key);
        }
        let path = container.path(&[&document.key.1]);
        store.execute(&Method::DELETE, &path, &headers, Bytes::new()).await;
        let change = Change::Remove { key: document.key.clone(), ts: now(), operation: Operation::Expire };
        container.ranges_mut().commit(&document.key.0, [change]);
    }
}

/// JSON with everything beyond ASCII escaped: headers carry no more.
pub(super) fn ascii(json: &str) -> String {
    use std::fmt::Write as _;
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
        out
    })
}
