//! Several documents in one request: atomic (one logical partition, all or nothing) and bulk (each
//! operation for itself). Format: what the SDKs of .NET, Java and Node send.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::Answer;
use super::container::Container;
use super::errors::{bad_request, internal, too_large};
use super::feed::log::{Operation as Logged, Range};
use super::feed::ranges::Change;
use super::ids::refused_document;
use super::keys::Epk;
use super::patch::Patch;
use super::points::{self, MAX_DOCUMENT, key_of_header, now, put};
use super::request::Ask;
use super::store::Store;

/// Operations of one request, as at the service.
const MAX_OPERATIONS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation<'a> {
    #[serde(rename = "operationType")]
    kind: String,
    id: Option<String>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    #[serde(borrow)]
    partition_key: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_body: Option<&'a RawValue>,
}

impl Operation<'_> {
    fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }

    /// Whether a replacement names one document and carries another.
    fn contradicts(&self) -> bool {
        self.is("replace") && self.id.is_some() && self.id != self.target()
    }

    /// The id that the operation names, in its body or beside it.
    fn target(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let body = self.resource_body.and_then(|body| serde_json::from_str::<Named>(body.get()).ok());
        if self.is("patch") { self.id.clone() } else { body.map(|b| b.id).or_else(|| self.id.clone()) }
    }
}

/// Answers a request marked as a batch.
pub(super) async fn answer(store: &Store, ask: &Ask, container: &Arc<Container>) -> Answer {
    if ask.body.len() > MAX_DOCUMENT {
        return too_large();
    }
    let Ok(operations) = serde_json::from_slice::<Vec<Operation<'_>>>(&ask.body) else {
        return bad_request("The batch is not a JSON array of operations.");
    };
    if operations.len() > MAX_OPERATIONS {
        return bad_request(
            "Batch request has more operations than what is supported in a single batch request.",
        );
    }
    for operation in &operations {
        if operation.contradicts() {
            return bad_request("The id in the document must be the one of the operation.");
        }
        if let Some(refusal) = operation.target().and_then(|id| refused_document(&id)) {
            return refusal;
        }
    }
    let atomic = ask.header("x-ms-cosmos-batch-atomic").is_none_or(|v| !v.eq_ignore_ascii_case("false"));
    if atomic {
        transaction(store, ask, container, &operations).await
    } else {
        bulk(store, ask, container, &operations).await
    }
}

async fn transaction(
    store: &Store,
    ask: &Ask,
    container: &Arc<Container>,
    operations: &[Operation<'_>],
) -> Answer {
    let epk = match key_of_header(ask, container) {
        Ok(Some(epk)) => epk,
        Ok(None) => return bad_request("A transactional batch needs a partition key."),
        Err(message) => return bad_request(message),
    };
    let path = container.path(&[]);
    let _order = container.order.lock().await;
    let (body, texts) = match without_patches(container, &epk, operations) {
        Ok(replaced) => replaced,
        Err(failed) => return abandoned(ask, operations.len(), failed),
    };
    let mut answer = store.ask(&ask.method, &path, &ask.headers, body.into()).await;
    let Ok(results) = serde_json::from_slice::<Vec<Value>>(&answer.body) else { return answer };
    let mut changes = Vec::new();
    if answer.status == StatusCode::OK {
        for ((operation, text), result) in operations.iter().zip(&texts).zip(&results) {
            let Some(id) = operation.target().filter(|_| !operation.is("read")) else { continue };
            let key = (epk.clone(), id.into_boxed_str());
            let stored = result["resourceBody"].to_string();
            let change = if operation.is("delete") {
                Some(Change::Remove { key, ts: now(), operation: Logged::Delete })
            } else {
                put(key, text.as_bytes(), stored.as_bytes())
            };
            let Some(change) = change else {
                return internal("the store's document could not be read");
            };
            changes.push(change);
        }
    }
    let mut ranges = container.ranges_mut();
    let at = if changes.is_empty() {
        ranges.of(&epk).map(Range::commit_now)
    } else {
        Some(ranges.commit(&epk, changes))
    };
    drop(ranges);
    if let Some(at) = at {
        answer.commit(at, None);
    }
    answer
}

/// The batch for the inner store, which knows no patches: each becomes the replacement that it makes
/// of the document as the operations before it leave it. With it the text that each operation writes.
/// `Err`: the index of an operation that cannot be applied.
fn without_patches(
    container: &Container,
    epk: &Epk,
    operations: &[Operation<'_>],
) -> Result<(String, Vec<String>), usize> {
    let mut pending: HashMap<String, String> = HashMap::new();
    let (mut batch, mut texts) = (Vec::new(), Vec::new());
    for (index, operation) in operations.iter().enumerate() {
        let sent = operation.resource_body.map_or("", RawValue::get);
        let id = operation.target().unwrap_or_default();
        let mut kind = operation.kind.as_str();
        let mut text = sent.to_owned();
        if operation.is("patch") {
            kind = "Replace";
            let stored = || container.ranges().get(&(epk.clone(), id.as_str().into())).cloned();
            let old = pending.get(&id).map(|text| Bytes::from(text.clone()));
            // Of a document that is not there nothing remains but the id: the store says 404.
            let old = old.or_else(|| stored().map(|document| document.text.clone()));
            text = match old {
                None => json!({ "id": id }).to_string(),
                Some(old) => Patch::parse(sent.as_bytes())
                    .ok()
                    .and_then(|patch| patch.apply(&old).ok())
                    .and_then(|text| String::from_utf8(text).ok())
                    .ok_or(index)?,
            };
        }
        let mut one = serde_json::Map::new();
        one.insert("operationType".into(), kind.into());
        let named = operation.id.clone().or_else(|| Some(id.clone()).filter(|id| !id.is_empty()));
        for (name, value) in
            [("id", &named), ("ifMatch", &operation.if_match), ("ifNoneMatch", &operation.if_none_match)]
        {
            if let Some(value) = value {
                one.insert(name.into(), value.as_str().into());
            }
        }
        if !text.is_empty() {
            let body = serde_json::from_str(&text).map_err(|_| index)?;
            one.insert("resourceBody".into(), body);
            pending.insert(id, text.clone());
        }
        batch.push(Value::Object(one));
        texts.push(text);
    }
    Ok((Value::from(batch).to_string(), texts))
}

/// The answer of a batch whose operation `failed` is not valid: 400 for it, 424 for the rest.
fn abandoned(ask: &Ask, operations: usize, failed: usize) -> Answer {
    let results: Vec<Value> = (0..operations)
        .map(|i| json!({ "statusCode": if i == failed { 400 } else { 424 }, "requestCharge": 0 }))
        .collect();
    let mut answer = Answer::json(StatusCode::MULTI_STATUS, Value::from(results).to_string());
    answer.common(ask, "1");
    answer
}

async fn bulk(store: &Store, ask: &Ask, container: &Arc<Container>, operations: &[Operation<'_>]) -> Answer {
    let mut results = Vec::with_capacity(operations.len());
    for operation in operations {
        results.push(one(store, ask, container, operation).await);
    }
    let failed = results.iter().any(|r| r["statusCode"].as_u64().is_some_and(|s| s >= 300));
    let status = if failed { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    let mut answer = Answer::json(status, Value::from(results).to_string());
    answer.common(ask, &operations.len().to_string());
    if let Some(range) = ask.range_id().and_then(|id| container.ranges().by_id(id).map(Range::commit_now)) {
        answer.commit(range, None);
    }
    answer
}

/// One operation of a bulk request, as the request of its own that it could have been.
async fn one(store: &Store, ask: &Ask, container: &Arc<Container>, operation: &Operation<'_>) -> Value {
    let path = |id: &str| container.path(&[id]).into_iter().map(str::to_owned).collect();
    let id = operation.target().unwrap_or_default();
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: Option<&str>| {
        if let Some(value) = value.and_then(|v| HeaderValue::from_str(v).ok()) {
            headers.insert(name, value);
        }
    };
    let key = operation.partition_key.map(|key| match serde_json::from_str::<String>(key.get()) {
        Ok(text) => text,
        Err(_) => key.get().to_owned(),
    });
    set("x-ms-documentdb-partitionkey", key.map(|k| points::ascii(&k)).as_deref());
    set("if-match", operation.if_match.as_deref());
    set("if-none-match", operation.if_none_match.as_deref());
    if operation.is("upsert") {
        set("x-ms-documentdb-is-upsert", Some("True"));
    }
    if ask.wants_minimal() {
        set("prefer", Some("return=minimal"));
    }
    let body = Bytes::from(operation.resource_body.map_or(String::new(), |b| b.get().to_owned()));
    let (method, segments): (Method, Vec<String>) = match operation.kind.to_lowercase().as_str() {
        "create" | "upsert" => (Method::POST, container.path(&[]).into_iter().map(str::to_owned).collect()),
        "replace" => (Method::PUT, path(operation.id.as_deref().unwrap_or(&id))),
        "patch" => (Method::PATCH, path(&id)),
        "delete" => (Method::DELETE, path(&id)),
        "read" => (Method::GET, path(&id)),
        _ => return json!({ "statusCode": 400, "requestCharge": 0 }),
    };
    let ask = Ask { method, segments, headers, body };
    let answer = if ask.method == Method::GET {
        points::read(&ask, container, &id)
    } else {
        points::write(store, &ask, container).await
    };
    let mut result = json!({ "statusCode": answer.status.as_u16(), "requestCharge": 1 });
    if let Some(etag) = answer.header("etag") {
        result["eTag"] = etag.into();
    }
    if let Some(sub) = answer.header("x-ms-substatus").and_then(|s| s.parse::<u32>().ok()) {
        result["subStatusCode"] = sub.into();
    }
    if answer.status.is_success()
        && let Ok(body) = serde_json::from_slice::<Value>(&answer.body)
    {
        result["resourceBody"] = body;
    }
    result
}
