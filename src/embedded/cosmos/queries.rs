//! Queries: the simplest ones from our own text, all others by the inner store over our ranges.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::container::Container;
use super::errors::{bad_request, wrong_container};
use super::feed::answer::Scope;
use super::request::Ask;
use super::simple::Simple;
use super::store::Store;
use super::{originals, partial, scan, sql};

/// Answers a query or the request for a query's plan.
pub(super) async fn query(store: &Store, ask: &Ask, container: &Container) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    let planning = ask.flag("x-ms-cosmos-is-query-plan-request");
    let sent = text_of(&ask.body).unwrap_or_default();
    let planned = partial::planned(&sent);
    let whole = planned.map_or_else(|| ask.body.clone(), |query| with_text(&ask.body, query));
    let body = match sql::translated(&whole) {
        Ok(body) => body,
        Err(message) => return bad_request(message),
    };
    if !planning
        && planned.is_none()
        && let Some(simple) = Simple::parse(&body)
    {
        return scan::query(ask, container, &simple);
    }
    let query = text_of(&body).unwrap_or_default();
    let body = match planned.map(|_| partial::parts(&query)) {
        None => body,
        Some(Some(parts)) => with_text(&body, &parts),
        Some(None) => return bad_request("Syntax error: the query is not one that a plan has handed out."),
    };
    let (headers, session) = {
        let ranges = container.ranges();
        let scope = match Scope::of(ask, container, &ranges) {
            Ok(scope) => scope,
            Err(refusal) => return *refusal,
        };
        (scoped(ask, &scope), scan::session_of(&scope, &ranges))
    };
    let path = container.path(&[]);
    let mut headers = headers;
    headers.insert("x-ms-documentdb-isquery", HeaderValue::from_static("True"));
    let mut answer = store.ask(&ask.method, &path, &headers, body).await;
    if answer.status == StatusCode::OK {
        let changed = if planning {
            with_aggregates(&answer.body, &sent, &query)
        } else if planned.is_some() {
            with_shape(&answer.body, &query)
        } else {
            originals::restored(&answer.body, container)
        };
        answer.body = changed.unwrap_or(answer.body);
    }
    answer.set("x-ms-session-token", &session.0);
    answer.set("lsn", session.1.to_string());
    if let Some(id) = ask.range_id() {
        answer.set("x-ms-documentdb-partitionkeyrangeid", id);
    }
    answer
}

/// The text of a query.
fn text_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Sent {
        query: String,
    }
    serde_json::from_slice::<Sent>(body).ok().map(|sent| sent.query)
}

/// The same parameters with another text.
fn with_text(body: &Bytes, text: &str) -> Bytes {
    let Ok(mut sent) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    sent["query"] = text.into();
    sent.to_string().into()
}

/// The store's plan with the aggregates that it leaves out.
fn with_aggregates(body: &[u8], sent: &str, query: &str) -> Option<Bytes> {
    let mut plan = serde_json::from_slice(body).ok()?;
    partial::plan(&mut plan, sent, query).then(|| plan.to_string().into())
}

/// The store's page of a range's parts, each row in the shape that the plan promised.
fn with_shape(body: &[u8], query: &str) -> Option<Bytes> {
    let mut page: Value = serde_json::from_slice(body).ok()?;
    let rows = partial::shaped(query, page["Documents"].as_array()?)?;
    page["Documents"] = rows.into();
    Some(page.to_string().into())
}

/// Answers a query of databases or containers, which the inner store keeps.
pub(super) async fn of_metadata(store: &Store, ask: &Ask) -> Answer {
    match sql::translated(&ask.body) {
        Ok(body) => store.forward(&Ask { body, ..ask.clone() }).await,
        Err(message) => bad_request(message),
    }
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
