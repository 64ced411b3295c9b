//! Documents in order of their keys, a page at a time: plain reads of a container and the simplest
//! queries. The continuation is the last key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;

use super::answer::Answer;
use super::container::Container;
use super::document::{Document, Key};
use super::errors::{bad_request, wrong_container};
use super::feed::answer::{Scope, session_token};
use super::feed::ranges::Ranges;
use super::keys::Epk;
use super::request::Ask;
use super::simple::Simple;

/// Documents of a page when the client names no number.
const PAGE: usize = 1_000;
/// Bytes after which a page ends, as at the service.
const PAGE_BYTES: usize = 4 << 20;

/// Answers `GET …/docs` without `A-IM`.
pub(super) fn read_all(ask: &Ask, container: &Container) -> Answer {
    page(ask, container, |_| true, |document, out| out.extend_from_slice(&document.text))
}

/// Answers a simple query.
pub(super) fn query(ask: &Ask, container: &Container, query: &Simple) -> Answer {
    if !query.counts() {
        return page(ask, container, |d| query.holds(d), |d, out| query.write(d, out));
    }
    let ranges = container.ranges();
    let scope = match Scope::of(ask, container, &ranges) {
        Ok(scope) => scope,
        Err(refusal) => return *refusal,
    };
    let touched = scope.ranges(&ranges);
    let all = touched.iter().flat_map(|range| range.by_key(None));
    let count = all.filter(|d| scope.holds(&d.key.0) && query.holds(d)).count();
    let body = json!({ "_rid": container.rid, "Documents": [count], "_count": 1 });
    let mut answer = Answer::json(StatusCode::OK, body.to_string());
    finish(&mut answer, ask, &scope, &ranges, 1);
    answer
}

fn page(
    ask: &Ask,
    container: &Container,
    wanted: impl Fn(&Document) -> bool,
    write: impl Fn(&Document, &mut Vec<u8>),
) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    let after = match ask.header("x-ms-continuation").filter(|c| !c.is_empty()).map(key_of_token) {
        Some(None) => return bad_request("The continuation is not valid."),
        Some(key) => key,
        None => None,
    };
    let limit = ask
        .header("x-ms-max-item-count")
        .and_then(|n| n.trim().parse::<usize>().ok())
        .filter(|n| *n > 0)
        .unwrap_or(PAGE);
    let ranges = container.ranges();
    let scope = match Scope::of(ask, container, &ranges) {
        Ok(scope) => scope,
        Err(refusal) => return *refusal,
    };
    // One logical partition begins at its own key.
    let after = after.or_else(|| scope.one_key().map(|epk| (epk.clone(), Box::from(""))));
    let mut body = format!("{{\"_rid\":{},\"Documents\":[", json!(container.rid)).into_bytes();
    let (mut count, mut last, mut next) = (0, None, None);
    let touched = scope.ranges(&ranges);
    let all = touched.iter().flat_map(|range| range.by_key(after.as_ref()));
    let all = all.take_while(|d| scope.one_key().is_none_or(|epk| d.key.0 == *epk));
    for document in all.filter(|d| scope.holds(&d.key.0) && wanted(d)) {
        if count >= limit || body.len() >= PAGE_BYTES {
            next = last.map(token);
            break;
        }
        if count > 0 {
            body.push(b',');
        }
        write(document, &mut body);
        count += 1;
        last = Some(&document.key);
    }
    body.extend_from_slice(format!("],\"_count\":{count}}}").as_bytes());
    let mut answer = Answer::json(StatusCode::OK, body);
    finish(&mut answer, ask, &scope, &ranges, count);
    if let Some(next) = next {
        answer.set("x-ms-continuation", next);
    }
    answer
}

fn finish(answer: &mut Answer, ask: &Ask, scope: &Scope, ranges: &Ranges, count: usize) {
    let (session, lsn) = session_of(scope, ranges);
    answer.set("x-ms-item-count", count.to_string());
    answer.set("x-ms-session-token", session);
    answer.set("lsn", lsn.to_string());
    if let Some(id) = ask.range_id() {
        answer.set("x-ms-documentdb-partitionkeyrangeid", id);
    }
    answer.common(ask, "1");
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
