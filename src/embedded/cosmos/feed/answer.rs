//! A feed request to its answer: which ranges, from where, how much, in which of the two formats.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use super::super::answer::Answer;
use super::super::charge;
use super::super::container::Container;
use super::super::document::Document;
use super::super::errors::{bad_request, gone, wrong_container};
use super::super::keys::{self, Epk, KeyScope};
use super::super::request::Ask;
use super::cursor::{Cursor, etag};
use super::log::{Operation, Range, Version};
use super::ranges::Ranges;

/// Documents of a page when the client names no number.
const PAGE: usize = 1_000;
/// Bytes after which a page ends, as at the service.
const PAGE_BYTES: usize = 4 << 20;

/// The part of the key space that a request reads.
#[derive(Debug, Clone)]
pub(in super::super) struct Scope {
    min: Epk,
    /// Exclusive, unless it equals `min`: then that one key.
    max: Epk,
    range: Option<u32>,
}

impl Scope {
    /// From range id, EPK bounds and partition key; `Err` is the refusal.
    pub(in super::super) fn of(
        ask: &Ask,
        container: &Container,
        ranges: &Ranges,
    ) -> Result<Self, Box<Answer>> {
        let wrong = |message| Box::new(bad_request(message));
        let mut scope = Self { min: Epk::MIN.clone(), max: Epk::MAX.clone(), range: None };
        if let Some(id) = ask.range_id() {
            let range = ranges.by_id(id).ok_or_else(|| Box::new(gone()))?;
            scope = Self { min: range.min.clone(), max: range.max.clone(), range: Some(range.id) };
        }
        let bound = |name| {
            ask.header(name)
                .map(Epk::try_from)
                .transpose()
                .map_err(|_| wrong("an EPK bound is not hexadecimal"))
        };
        if let Some(min) = bound("x-ms-start-epk")? {
            scope.min = scope.min.max(min);
        }
        if let Some(max) = bound("x-ms-end-epk")? {
            scope.max = scope.max.min(max);
        }
        if let Some(header) = ask.header("x-ms-documentdb-partitionkey") {
            match keys::of_header(header, &container.key).map_err(wrong)? {
                Some(KeyScope::Point(epk)) => (scope.min, scope.max) = (epk.clone(), epk),
                Some(KeyScope::Prefix(min, max)) => (scope.min, scope.max) = (min, max),
                None => {}
            }
        }
        Ok(scope)
    }

    /// Whether a document of this key is in it.
    pub(in super::super) fn holds(&self, epk: &Epk) -> bool {
        self.min == *epk || (self.min < *epk && *epk < self.max)
    }

    /// Whether the whole range is in it.
    fn covers(&self, range: &Range) -> bool {
        self.min <= range.min && range.max <= self.max
    }

    /// The ranges that it touches.
    pub(in super::super) fn ranges<'a>(&self, ranges: &'a Ranges) -> Vec<&'a Range> {
        let touched = |range: &&Range| {
            self.range.is_none_or(|id| id == range.id)
                && (range.holds(&self.min) || (self.min < range.max && range.min < self.max))
        };
        ranges.live().iter().filter(touched).collect()
    }

    /// The one key that it is, if it is.
    pub(in super::super) fn one_key(&self) -> Option<&Epk> {
        (self.min == self.max).then_some(&self.min)
    }
}

/// Answers a GET with `A-IM`.
pub(in super::super) fn answer(ask: &Ask, container: &Container) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    let cursor = match Cursor::of(ask) {
        Ok(cursor) => cursor,
        Err(message) => return bad_request(message),
    };
    let all_versions = ask.header("a-im").is_some_and(|mode| mode.eq_ignore_ascii_case("full-fidelity feed"));
    if all_versions && matches!(cursor, Cursor::Beginning | Cursor::After(_)) {
        return bad_request(
            "The AllVersionsAndDeletes change feed mode starts from now or from a continuation only.",
        );
    }
    let ranges = container.ranges();
    let scope = match Scope::of(ask, container, &ranges) {
        Ok(scope) => scope,
        Err(refusal) => return *refusal,
    };
    let touched = scope.ranges(&ranges);
    let mut page = Page::new(ask, container);
    for range in &touched {
        let from = cursor.in_range(range);
        let at = if all_versions {
            page.add_versions(range, &scope, from)
        } else {
            Some(page.add_latest(range, &scope, from, &cursor))
        };
        let Some(at) = at else {
            return bad_request(
                "The continuation is older than the changes that this emulator keeps for AllVersionsAndDeletes.",
            );
        };
        page.at.push((range.id, at));
    }
    let lsn = touched.iter().map(|range| range.lsn).max().unwrap_or(0);
    // One token, as the service: clients take several for one and tear them.
    let session = touched.first().map(|range| session_token(range.id, range.lsn)).unwrap_or_default();
    drop(ranges);
    page.into_answer(lsn, &session)
}

/// `ID:VERSION#GLOBAL#REGION=LOCAL`, the service's vector session token.
pub(in super::super) fn session_token(range: u32, lsn: u64) -> String {
    format!("{range}:0#{lsn}#0={lsn}")
}

/// A page being filled.
struct Page<'a> {
    ask: &'a Ask,
    container: &'a Container,
    limit: usize,
    /// Envelopes of the newer wire format, not flat documents.
    enveloped: bool,
    latest: Vec<Arc<Document>>,
    versions: Vec<Version>,
    bytes: usize,
    at: Vec<(u32, u64)>,
}

impl<'a> Page<'a> {
    fn new(ask: &'a Ask, container: &'a Container) -> Self {
        let limit = ask
            .header("x-ms-max-item-count")
            .and_then(|n| n.trim().parse::<i64>().ok())
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n > 0)
            .unwrap_or(PAGE);
        Self {
            ask,
            container,
            limit,
            enveloped: ask.header("x-ms-cosmos-changefeed-wire-format-version").is_some(),
            latest: Vec::new(),
            versions: Vec::new(),
            bytes: 0,
            at: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        self.latest.len() + self.versions.len()
    }

    /// A page ends at its limits, but never within a transaction: the etag could not say so.
    fn is_full(&self) -> bool {
        self.len() >= self.limit || self.bytes >= PAGE_BYTES
    }

    /// Adds latest versions; returns up to which commit the page has read.
    fn add_latest(&mut self, range: &Range, scope: &Scope, from: u64, cursor: &Cursor) -> u64 {
        let whole = scope.covers(range);
        let mut at = from;
        let documents: Box<dyn Iterator<Item = &Arc<Document>>> = match scope.one_key() {
            Some(epk) => Box::new(range.since_of_key(epk, from).into_iter()),
            None => Box::new(range.since(from)),
        };
        for document in documents {
            if self.is_full() && document.lsn != at {
                return at;
            }
            at = document.lsn;
            let old = matches!(cursor, Cursor::After(second) if document.ts <= *second);
            if old || !(whole || scope.holds(&document.key.0)) {
                continue;
            }
            self.bytes += document.text.len();
            self.latest.push(Arc::clone(document));
        }
        range.lsn.max(from)
    }

    fn add_versions(&mut self, range: &Range, scope: &Scope, from: u64) -> Option<u64> {
        let mut at = from;
        for version in range.versions_since(from)? {
            if self.is_full() && version.lsn != at {
                return Some(at);
            }
            at = version.lsn;
            let image = version.current.as_ref().or(version.previous.as_ref());
            if !image.is_some_and(|document| scope.holds(&document.key.0)) {
                continue;
            }
            self.bytes += image.map_or(0, |document| document.text.len());
            self.versions.push(version.clone());
        }
        Some(range.lsn.max(from))
    }

    fn into_answer(self, lsn: u64, session: &str) -> Answer {
        let count = self.len();
        let bytes = self.bytes;
        let mut answer = if count == 0 {
            Answer::new(StatusCode::NOT_MODIFIED)
        } else {
            Answer::json(StatusCode::OK, self.body())
        };
        answer.set("etag", etag(&self.at));
        answer.set("x-ms-item-count", count.to_string());
        answer.set("lsn", lsn.to_string());
        answer.set("x-ms-session-token", session);
        if let [(id, _)] = self.at.as_slice() {
            answer.set("x-ms-documentdb-partitionkeyrangeid", id.to_string());
        }
        answer.common(self.ask, charge::page(bytes, count));
        answer
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes + self.len() * 64 + 128);
        out.extend_from_slice(b"{\"_rid\":");
        out.extend_from_slice(json!(self.container.rid).to_string().as_bytes());
        out.extend_from_slice(b",\"Documents\":[");
        let mut first = true;
        let mut comma = |out: &mut Vec<u8>| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
        };
        for document in &self.latest {
            comma(&mut out);
            if self.enveloped {
                out.extend_from_slice(b"{\"current\":");
                document.write_with_lsn(&mut out);
                let metadata = json!({ "crts": document.ts, "lsn": document.lsn });
                out.extend_from_slice(format!(",\"metadata\":{metadata}}}").as_bytes());
            } else {
                document.write_with_lsn(&mut out);
            }
        }
        for version in &self.versions {
            comma(&mut out);
            self.write_version(version, &mut out);
        }
        out.extend_from_slice(format!("],\"_count\":{}}}", self.len()).as_bytes());
        out
    }

    fn write_version(&self, version: &Version, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"current\":");
        match &version.current {
            Some(current) => current.write_with_lsn(out),
            None => out.extend_from_slice(b"{}"),
        }
        let mut metadata = json!({ "crts": version.ts, "lsn": version.lsn });
        let name = match version.operation {
            Operation::Create => "create",
            Operation::Replace => "replace",
            Operation::Delete | Operation::Expire => "delete",
        };
        metadata["operationType"] = name.into();
        if let Some(previous) = &version.previous {
            metadata["previousImageLSN"] = previous.lsn.into();
            if version.current.is_none() {
                metadata["id"] = previous.key.1.as_ref().into();
                metadata["partitionKey"] = keys::header_of(&previous.value(), &self.container.key);
                metadata["timeToLiveExpired"] = (version.operation == Operation::Expire).into();
            }
            out.extend_from_slice(b",\"previous\":");
            previous.write_with_lsn(out);
        }
        out.extend_from_slice(format!(",\"metadata\":{metadata}}}").as_bytes());
    }
}
