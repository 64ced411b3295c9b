//! What a write makes of the document that is there, or why not: existence, preconditions, limits, and the
//! properties that the service sets. Operations alone and in batches are decided here alike.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::answer::Answer;
use super::container::Container;
use super::document::{Document, Fields, Key, System, rid_of};
use super::errors::{bad_request, conflict, internal, not_found, precondition_failed, too_large};
use super::feed::log::Operation;
use super::feed::ranges::{Change, Ranges};
use super::ids::refused_document;
use super::keys;
use super::patch::Patch;
use super::queries;

/// Largest document, bytes: the service's 2 MB.
pub(super) const MAX_DOCUMENT: usize = 2 << 20;
/// Greatest `ttl`, seconds.
const MAX_TTL: i64 = 2_147_483_647;

/// The operations that write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Upsert,
    Replace,
    Patch,
    Delete,
}

/// One write as the client asked for it.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) kind: Kind,
    pub(super) key: Key,
    /// The document, or the patch.
    pub(super) body: Bytes,
    pub(super) if_match: Option<String>,
    pub(super) if_none_match: Option<String>,
}

/// A write that may be done.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) status: StatusCode,
    /// The new version; `None` = deleted.
    pub(super) document: Option<Document>,
    /// Bytes that were there before, for the charge.
    pub(super) replaced: usize,
}

/// Checks the body of a document to be written, and says where it will live.
pub(super) fn key_of(body: &Bytes, container: &Container) -> Result<Key, Box<Answer>> {
    let refuse = |message: &str| Box::new(bad_request(message));
    if body.len() > MAX_DOCUMENT {
        return Err(Box::new(too_large()));
    }
    let fields =
        Fields::parse(body).ok_or_else(|| refuse("The document body must be a valid JSON object."))?;
    let id = fields.text("id").ok_or_else(|| {
        refuse("The input content is invalid because the required properties - 'id; ' - are missing")
    })?;
    if let Some(refusal) = refused_document(&id) {
        return Err(Box::new(refusal));
    }
    if let Some(raw) = fields.raw("ttl").filter(|raw| *raw != "null")
        && !fields.integer("ttl").is_some_and(|ttl| ttl == -1 || (1..=MAX_TTL).contains(&ttl))
    {
        let raw: String = raw.chars().take(40).collect();
        return Err(refuse(&format!(
            "The input ttl '{raw}' is invalid. Ensure to provide a nonzero positive integer less than or equal to \
             '{MAX_TTL}', or '-1' to never expire."
        )));
    }
    let epk = keys::of_fields(&fields, &container.key).map_err(refuse)?;
    Ok((epk, id.into()))
}

impl Write {
    /// What it makes of `old` at `ts` (seconds since 1970). `Err` is the service's refusal.
    pub(super) fn decide(
        &self,
        old: Option<&Arc<Document>>,
        container: &Container,
        ranges: &mut Ranges,
        ts: u64,
    ) -> Result<Decided, Box<Answer>> {
        let replaced = old.map_or(0, |old| old.text.len());
        match (self.kind, old) {
            (Kind::Create, Some(_)) => return Err(Box::new(conflict())),
            (Kind::Replace | Kind::Patch | Kind::Delete, None) => return Err(Box::new(not_found())),
            _ => {}
        }
        if let Some(old) = old {
            let fails = self.if_match.as_ref().is_some_and(|etag| etag != "*" && **etag != *old.etag);
            let exists = self.if_none_match.as_ref().is_some_and(|etag| etag == "*" || **etag == *old.etag);
            if fails || exists {
                return Err(Box::new(precondition_failed()));
            }
        }
        if self.kind == Kind::Delete {
            return Ok(Decided { status: StatusCode::NO_CONTENT, document: None, replaced });
        }
        let patched = match (self.kind, old) {
            (Kind::Patch, Some(old)) => Some(patched(&self.body, old, container)?),
            _ => None,
        };
        let body = patched.as_ref().unwrap_or(&self.body);
        let fields = Fields::parse(body).ok_or_else(|| Box::new(internal("a document could not be read")))?;
        let ordinal = old.map_or_else(|| ranges.next_ordinal(), |old| old.ordinal);
        let rid =
            rid_of(&container.rid, ordinal).ok_or_else(|| Box::new(internal("a rid could not be made")))?;
        let link = format!("{}docs/{rid}/", container.link);
        let etag = new_etag();
        let text = fields.with_system(&System {
            rid: rid.into(),
            link: link.into(),
            etag: etag.as_str().into(),
            ts,
        });
        let document = Document {
            key: self.key.clone(),
            text,
            etag: etag.into(),
            ts,
            ttl: fields.integer("ttl"),
            lsn: 0,
            part: 0,
            ordinal,
        };
        let status = if old.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        Ok(Decided { status, document: Some(document), replaced })
    }
}

/// The change that commits a decision.
pub(super) fn change(key: Key, document: Option<Document>, ts: u64) -> Change {
    match document {
        None => Change::Remove { key, ts, operation: Operation::Delete },
        Some(document) => Change::Put {
            key,
            text: document.text,
            etag: document.etag,
            ts,
            ttl: document.ttl,
            ordinal: document.ordinal,
        },
    }
}

fn patched(body: &Bytes, old: &Arc<Document>, container: &Container) -> Result<Bytes, Box<Answer>> {
    let patch = Patch::parse(body).map_err(|message| Box::new(bad_request(message)))?;
    if let Some(condition) = &patch.condition
        && !queries::holds(old, condition)?
    {
        return Err(Box::new(precondition_failed()));
    }
    let text = patch.apply(&old.text).map_err(|message| Box::new(bad_request(&message)))?;
    let text = Bytes::from(text);
    let (epk, id) = key_of(&text, container)?;
    if id != old.key.1 {
        return Err(Box::new(bad_request("The id of a document cannot be patched.")));
    }
    if epk != old.key.0 {
        return Err(Box::new(bad_request("The partition key of a document cannot be patched.")));
    }
    Ok(text)
}

/// An etag that no other version has, in quotes.
fn new_etag() -> String {
    let [a, b]: [u64; 2] = rand::random();
    let (a, b) = (a.to_be_bytes(), b & 0xFFFF_FFFF_FFFF);
    let part = |i: usize| u16::from_be_bytes([a[i], a[i + 1]]);
    let head = u32::from_be_bytes([a[0], a[1], a[2], a[3]]);
    format!("\"{head:08x}-{:04x}-{:04x}-{:04x}-{b:012x}\"", part(4), part(6), part(2))
}
