//! Queries and plain reads of all documents. Queries are the inner store's, over our ranges.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::container::Container;
use super::document::{Document, Key};
use super::errors::{bad_request, wrong_container};
use super::feed::answer::{Scope, session_token};
use super::feed::ranges::Ranges;
use super::keys::Epk;
use super::request::Ask;
use super::store::Store;
use super::{originals, sql};

/// Documents of a page when the client names no number.
const PAGE: usize = 1_000;
/// Bytes after which a page ends, as at the service.
const PAGE_BYTES: usize = 4 << 20;

/// Answers a query or the request for a query's plan.
pub(super) async fn query(store: &Store, ask: &Ask, container: &Container) -> Answer {
    let (headers, session) = {
        let ranges = container.ranges();
        let scope = match Scope::of(ask, container, &ranges) {
            Ok(scope) => scope,
            Err(refusal) => return *refusal,
        };
        (scoped(ask, &scope), session_of(&scope, &ranges))
    };
    let path = container.path(&[]);
    let mut headers = headers;
    headers.insert("x-ms-documentdb-isquery", HeaderValue::from_static("True"));
    let body = match sql::translated(&ask.body) {
        Ok(body) => body,
        Err(message) => return bad_request(message),
    };
    let mut answer = store.ask(&ask.method, &path, &headers, body).await;
    if answer.status == StatusCode::OK
        && let Some(body) = originals::restored(&answer.body, container)
    {
        answer.body = body;
    }
    answer.set("x-ms-session-token", &session.0);
    answer.set("lsn", session.1.to_string());
    if let Some(id) = ask.range_id() {
        answer.set("x-ms-documentdb-partitionkeyrangeid", id);
    }
    answer
}

/// Whether a patch's condition (`from c where …`) holds for a document.
/// `Err`: the refusal of a condition that is not valid.
pub(super) async fn holds(
    store: &Store,
    ask: &Ask,
    container: &Container,
    id: &str,
    condition: &str,
) -> Result<bool, Box<Answer>> {
    let invalid = || Box::new(bad_request("The patch condition must be of the form 'from c where …'."));
    let lower = condition.to_ascii_lowercase();
    let (from, filter) = lower.find(" where ").map(|at| condition.split_at(at)).ok_or_else(invalid)?;
    let alias = from.split_whitespace().nth(1).ok_or_else(invalid)?;
    let filter = filter.get(" where ".len()..).unwrap_or_default();
    let sql = format!("SELECT VALUE {alias}.id {from} WHERE {alias}.id = @id AND ({filter})");
    let body = json!({ "query": sql, "parameters": [{ "name": "@id", "value": id }] });
    let mut headers = HeaderMap::new();
    if let Some(key) = ask.headers.get("x-ms-documentdb-partitionkey") {
        headers.insert("x-ms-documentdb-partitionkey", key.clone());
    }
    headers.insert("x-ms-documentdb-isquery", HeaderValue::from_static("True"));
    let answer = store.ask(&Method::POST, &container.path(&[]), &headers, body.to_string().into()).await;
    if !answer.status.is_success() {
        return Err(Box::new(answer));
    }
    let found: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(found["Documents"].as_array().is_some_and(|found| !found.is_empty()))
}

/// The client's headers with the range turned into bounds: the store's ranges are others.
fn scoped(ask: &Ask, scope: &Scope) -> HeaderMap {
    let mut headers = ask.headers.clone();
    for name in ["x-ms-start-epk", "x-ms-end-epk", "x-ms-read-key-type"] {
        headers.remove(name);
    }
    let whole = ask.range_id().is_none() && ask.header("x-ms-start-epk").is_none();
    let keyed = headers.contains_key("x-ms-documentdb-partitionkey");
    if let Some((min, max)) = scope.bounds().filter(|_| !whole || keyed)
        && let (Ok(min), Ok(max)) = (HeaderValue::from_str(&min), HeaderValue::from_str(&max))
    {
        headers.insert("x-ms-start-epk", min);
        headers.insert("x-ms-end-epk", max);
        headers.insert("x-ms-read-key-type", HeaderValue::from_static("EffectivePartitionKeyRange"));
    }
    headers
}

/// Session tokens of all ranges that are read, and the greatest lsn.
fn session_of(scope: &Scope, ranges: &Ranges) -> (String, u64) {
    let touched = scope.ranges(ranges);
    let tokens: Vec<_> = touched.iter().map(|range| session_token(range.id, range.lsn)).collect();
    (tokens.join(","), touched.iter().map(|range| range.lsn).max().unwrap_or(0))
}

/// Answers `GET …/docs` without `A-IM`: all documents, in order of their keys.
pub(super) fn read_all(ask: &Ask, container: &Container) -> Answer {
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
    let (mut page, mut bytes, mut next) = (Vec::new(), 0, None);
    let touched = scope.ranges(&ranges);
    let all = touched.iter().flat_map(|range| range.by_key(after.as_ref()));
    for document in all.filter(|document| scope.holds(&document.key.0)) {
        if page.len() >= limit || bytes >= PAGE_BYTES {
            next = page.last().map(|last: &Arc<Document>| token(&last.key));
            break;
        }
        bytes += document.text.len();
        page.push(document.clone());
    }
    drop(touched);
    let session = session_of(&scope, &ranges);
    drop(ranges);
    let mut body = format!("{{\"_rid\":{},\"Documents\":[", json!(container.rid)).into_bytes();
    for (i, document) in page.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&document.text);
    }
    body.extend_from_slice(format!("],\"_count\":{}}}", page.len()).as_bytes());
    let mut answer = Answer::json(StatusCode::OK, body);
    answer.set("x-ms-item-count", page.len().to_string());
    answer.set("x-ms-session-token", session.0);
    answer.set("lsn", session.1.to_string());
    if let Some(next) = next {
        answer.set("x-ms-continuation", next);
    }
    answer.common(ask, "1");
    answer
}

fn token(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(json!([key.0.to_hex(), key.1]).to_string())
}

fn key_of_token(token: &str) -> Option<Key> {
    let (epk, id): (String, String) = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    Some((Epk::try_from(epk).ok()?, id.into()))
}
