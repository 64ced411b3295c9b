//! Queries: their plans from the inner store's planner, their results from our own documents.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::container::Container;
use super::document::Document;
use super::errors::{bad_request, internal, wrong_container};
use super::feed::answer::Scope;
use super::keys::Epk;
use super::partial;
use super::request::Ask;
use super::scan::{self, Selection};
use super::sql::{self, Query, Rows, Work, dialect};
use super::store::Store;

/// Answers a query.
pub(super) async fn query(ask: &Ask, container: &Arc<Container>) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    let asked = match Asked::of(ask) {
        Ok(asked) => asked,
        Err(message) => return bad_request(&message),
    };
    // Looking at many documents takes its time, and others are served by the same threads.
    let (ask, container) = (ask.clone(), Arc::clone(container));
    let answered = tokio::task::spawn_blocking(move || {
        if asked.query.streams() {
            streamed(&ask, &container, &asked.query)
        } else {
            whole(&ask, &container, &asked)
        }
    });
    answered.await.unwrap_or_else(|_| internal("the query was not answered"))
}

/// A query, and the shape that a plan has promised for its rows.
struct Asked {
    query: Query,
    /// The query that was planned, in the planner's dialect.
    planned: Option<String>,
}

impl Asked {
    /// `Err`: what is wrong with it.
    fn of(ask: &Ask) -> Result<Self, String> {
        let sent = text_of(&ask.body).unwrap_or_default();
        let Some(planned) = partial::planned(&sent) else {
            let query = sql::parse_body(&ask.body).map_err(|fault| fault.0)?;
            return Ok(Self { query, planned: None });
        };
        let body = dialect::to_store(&with_text(&ask.body, planned))?;
        let planned = text_of(&body).unwrap_or_default();
        let parts = partial::parts(&planned)
            .ok_or("Syntax error: the query is not one that a plan has handed out.")?;
        let body = with_text(&ask.body, &dialect::from_store(&parts));
        let query = sql::parse_body(&body).map_err(|fault| fault.0)?;
        Ok(Self { query, planned: Some(planned) })
    }

    /// The rows as the client expects them.
    fn shaped(&self, rows: Rows) -> Rows {
        let Some(planned) = &self.planned else { return rows };
        let values: Vec<Value> =
            (0..rows.len()).filter_map(|at| serde_json::from_slice(rows.get(at)).ok()).collect();
        let Some(shaped) = partial::shaped(planned, &values) else { return rows };
        let mut rows = Rows::default();
        for row in shaped {
            rows.push_text(row.to_string().as_bytes());
        }
        rows
    }
}

/// A page that ends after any document: the continuation is the document's key.
fn streamed(ask: &Ask, container: &Container, query: &Query) -> Answer {
    struct Results<'q> {
        query: &'q Query,
        work: Work,
    }
    impl Selection for Results<'_> {
        fn add(&self, document: &Arc<Document>, rows: &mut Rows) -> Result<(), sql::Fault> {
            self.query.stream(Arc::clone(document), rows, &self.work)
        }
    }
    scan::page(ask, container, &Results { query, work: Work::default() })
}

/// A page of results that all documents had to be looked at for: the continuation is a place in them.
fn whole(ask: &Ask, container: &Container, asked: &Asked) -> Answer {
    let start = match ask.header("x-ms-continuation").filter(|c| !c.is_empty()).map(place_of) {
        Some(None) => return bad_request("The continuation is not valid."),
        Some(Some(place)) => place,
        None => 0,
    };
    let ranges = container.ranges();
    let scope = match Scope::of(ask, container, &ranges) {
        Ok(scope) => scope,
        Err(refusal) => return *refusal,
    };
    let documents = scan::documents(&scope, &ranges);
    let session = scan::session_of(&scope, &ranges);
    drop(ranges);
    let looked_at = documents.len();
    let rows = match asked.query.run(documents, &Work::default()) {
        Ok(rows) => asked.shaped(rows),
        Err(fault) => return bad_request(&fault.0),
    };
    let (limit, mut end) = (scan::limit(ask), start);
    let mut bytes = 0;
    while end < rows.len() && end - start < limit && bytes < scan::PAGE_BYTES {
        bytes += rows.get(end).len();
        end += 1;
    }
    let next = (end < rows.len()).then(|| URL_SAFE_NO_PAD.encode(end.to_string()));
    let page = (start..end).map(|at| rows.get(at));
    scan::answer(ask, container, page, &session, looked_at, next)
}

fn place_of(token: &str) -> Option<usize> {
    std::str::from_utf8(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?.parse().ok()
}

/// Answers a request for a query's plan. The query must be one that we could answer.
pub(super) async fn plan(store: &Store, ask: &Ask, container: &Container) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    if let Err(fault) = sql::parse_body(&ask.body) {
        return bad_request(&fault.0);
    }
    let body = match dialect::to_store(&ask.body) {
        Ok(body) => body,
        Err(message) => return bad_request(message),
    };
    let mut headers = ask.headers.clone();
    headers.insert("x-ms-documentdb-isquery", HeaderValue::from_static("True"));
    let mut answer = store.ask(&ask.method, &container.path(&[]), &headers, body.clone()).await;
    if answer.status == StatusCode::OK {
        let (sent, query) = (text_of(&ask.body).unwrap_or_default(), text_of(&body).unwrap_or_default());
        let planned = with_aggregates(&answer.body, &sent, &query);
        answer.body = planned.or_else(|| dialect::plan_from_store(&answer.body)).unwrap_or(answer.body);
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

/// Answers a query of databases or containers: the inner store lists them, the query is ours. All results come in one
/// page; there are few.
pub(super) async fn of_metadata(store: &Store, ask: &Ask) -> Answer {
    let list = match ask.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["dbs"] => "Databases",
        ["dbs", _, "colls"] => "DocumentCollections",
        _ => return store.forward(ask).await,
    };
    let query = match sql::parse_body(&ask.body) {
        Ok(query) => query,
        Err(fault) => return bad_request(&fault.0),
    };
    let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    let mut answer = store.ask(&Method::GET, &segments, &HeaderMap::new(), Bytes::new()).await;
    let Ok(mut said) = serde_json::from_slice::<Value>(&answer.body) else { return answer };
    let Some(all) = said.get_mut(list).and_then(Value::as_array_mut) else { return answer };
    let resources =
        std::mem::take(all).into_iter().zip(0..).map(|(value, ordinal)| resource(&value, ordinal));
    match query.run(resources, &Work::default()) {
        Ok(rows) => {
            let found = (0..rows.len()).filter_map(|at| serde_json::from_slice::<Value>(rows.get(at)).ok());
            *all = found.collect();
            let count = all.len();
            said["_count"] = count.into();
            answer.body = said.to_string().into();
            answer.set("x-ms-item-count", count.to_string());
            answer
        }
        Err(fault) => bad_request(&fault.0),
    }
}

/// A database or container as a query sees it.
fn resource(value: &Value, ordinal: u64) -> Arc<Document> {
    let id = value["id"].as_str().unwrap_or_default().into();
    let text = Bytes::from(value.to_string());
    let key = (Epk::MIN.clone(), id);
    Arc::new(Document { key, text, etag: "".into(), ts: 0, ttl: None, lsn: 0, part: 0, ordinal })
}

/// Whether a patch's condition (`from c where …`) holds for a document.
/// `Err`: the refusal of a condition that is not valid.
pub(super) fn holds(document: &Arc<Document>, condition: &str) -> Result<bool, Box<Answer>> {
    let refuse =
        |fault: sql::Fault| Box::new(bad_request(&format!("The patch condition is not valid. {}", fault.0)));
    let query = sql::parse(&format!("SELECT VALUE 1 {condition}"), &[]).map_err(refuse)?;
    query.matches(document).map_err(refuse)
}
