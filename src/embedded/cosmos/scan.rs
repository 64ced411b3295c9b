//! Documents in order of their keys, a page at a time: plain reads of a container and queries that
//! need no order of their own. The continuation is the last key.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;

use super::answer::Answer;
use super::charge;
use super::container::Container;
use super::document::{Document, Key};
use super::errors::{bad_request, wrong_container};
use super::feed::answer::{Scope, session_token};
use super::feed::ranges::Ranges;
use super::keys::Epk;
use super::request::Ask;
use super::sql::{Fault, Rows};

/// Documents of a page when the client names no number.
const PAGE: usize = 1_000;
/// Bytes after which a page ends, as at the service.
pub(super) const PAGE_BYTES: usize = 4 << 20;
/// Documents taken from the ranges at once: writers wait no longer than this takes.
const TAKEN: usize = 1_000;

/// What a page takes of each document.
pub(super) trait Selection {
    /// Appends the results of a document.
    fn add(&self, document: &Arc<Document>, rows: &mut Rows) -> Result<(), Fault>;
}

/// The document itself.
struct Everything;

impl Selection for Everything {
    fn add(&self, document: &Arc<Document>, rows: &mut Rows) -> Result<(), Fault> {
        rows.push_text(&document.text);
        Ok(())
    }
}

/// Answers `GET …/docs` without `A-IM`.
pub(super) fn read_all(ask: &Ask, container: &Container) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    page(ask, container, &Everything)
}

/// Answers with a page of what is selected.
pub(super) fn page(ask: &Ask, container: &Container, selection: &impl Selection) -> Answer {
    let mut after = match ask.header("x-ms-continuation").filter(|c| !c.is_empty()).map(key_of_token) {
        Some(None) => return bad_request("The continuation is not valid."),
        Some(key) => key,
        None => None,
    };
    let limit = limit(ask);
    let mut rows = Rows::default();
    let (mut looked_at, mut next, mut session) = (0, None, None);
    'pages: loop {
        let ranges = container.ranges();
        let scope = match Scope::of(ask, container, &ranges) {
            Ok(scope) => scope,
            Err(refusal) => return *refusal,
        };
        session.get_or_insert_with(|| session_of(&scope, &ranges));
        let taken = take(&scope, &ranges, after.as_ref());
        drop(ranges);
        for document in &taken {
            if rows.len() >= limit || rows.bytes() >= PAGE_BYTES {
                next = after.as_ref().map(token);
                break 'pages;
            }
            looked_at += 1;
            if let Err(fault) = selection.add(document, &mut rows) {
                return bad_request(&fault.0);
            }
            after = Some(document.key.clone());
        }
        if taken.len() < TAKEN {
            break;
        }
    }
    let page = (0..rows.len()).map(|at| rows.get(at));
    answer(ask, container, page, &session.unwrap_or_default(), looked_at, next)
}

/// The next documents of a scope after a key.
fn take(scope: &Scope, ranges: &Ranges, after: Option<&Key>) -> Vec<Arc<Document>> {
    // One logical partition begins at its own key.
    let first = scope.one_key().map(|epk: &Epk| (epk.clone(), Box::from("")));
    let after = after.or(first.as_ref());
    let touched = scope.ranges(ranges);
    // Ranges that end before the key have nothing to give.
    let ahead = touched.iter().filter(|range| after.is_none_or(|key| key.0 < range.max));
    ahead
        .flat_map(|range| range.by_key(after))
        .take_while(|d| scope.one_key().is_none_or(|epk| d.key.0 == *epk))
        .filter(|d| scope.holds(&d.key.0))
        .take(TAKEN)
        .cloned()
        .collect()
}

/// All documents of a scope.
pub(super) fn documents(scope: &Scope, ranges: &Ranges) -> Vec<Arc<Document>> {
    if let Some(epk) = scope.one_key() {
        let first = (epk.clone(), Box::from(""));
        let of_key = ranges.of(epk).into_iter().flat_map(|range| range.by_key(Some(&first)));
        return of_key.take_while(|d| d.key.0 == *epk).cloned().collect();
    }
    let touched = scope.ranges(ranges);
    touched.iter().flat_map(|range| range.by_key(None)).filter(|d| scope.holds(&d.key.0)).cloned().collect()
}

/// The most that a page may hold.
pub(super) fn limit(ask: &Ask) -> usize {
    ask.header("x-ms-max-item-count")
        .and_then(|n| n.trim().parse::<usize>().ok())
        .filter(|n| *n > 0)
        .unwrap_or(PAGE)
}

/// A page with these results.
pub(super) fn answer<'r>(
    ask: &Ask,
    container: &Container,
    page: impl Iterator<Item = &'r [u8]>,
    session: &(String, u64),
    looked_at: usize,
    next: Option<String>,
) -> Answer {
    let mut body = format!("{{\"_rid\":{},\"Documents\":[", json!(container.rid)).into_bytes();
    let mut count = 0;
    for result in page {
        if count > 0 {
            body.push(b',');
        }
        body.extend_from_slice(result);
        count += 1;
    }
    body.extend_from_slice(format!("],\"_count\":{count}}}").as_bytes());
    let bytes = body.len();
    let mut answer = Answer::json(StatusCode::OK, body);
    answer.set("x-ms-item-count", count.to_string());
    answer.set("x-ms-session-token", &session.0);
    answer.set("lsn", session.1.to_string());
    if let Some(id) = ask.range_id() {
        answer.set("x-ms-documentdb-partitionkeyrangeid", id);
    }
    answer.common(ask, charge::page(bytes, looked_at));
    if let Some(next) = next {
        answer.set("x-ms-continuation", next);
    }
    answer
}

/// Session token of the first range that is read, and the greatest lsn. Several tokens with commas between are
/// for requests only: Java's SDK takes the answer's for one range's and sends it back torn.
pub(super) fn session_of(scope: &Scope, ranges: &Ranges) -> (String, u64) {
    let touched = scope.ranges(ranges);
    let token = touched.first().map(|range| session_token(range.id, range.lsn)).unwrap_or_default();
    (token, touched.iter().map(|range| range.lsn).max().unwrap_or(0))
}

fn token(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(json!([key.0.to_hex(), key.1]).to_string())
}

fn key_of_token(token: &str) -> Option<Key> {
    let (epk, id): (String, String) = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    Some((Epk::try_from(epk).ok()?, id.into()))
}
