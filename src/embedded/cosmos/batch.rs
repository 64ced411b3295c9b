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
use super::charge;
use super::container::Container;
use super::document::Document;
use super::errors::{bad_request, not_found, too_large, wrong_container, wrong_key};
use super::feed::log::Range;
use super::feed::ranges::Ranges;
use super::ids::refused_document;
use super::keys::Epk;
use super::points::{self, key_of_header, now};
use super::request::Ask;
use super::writes::{self, Kind, MAX_DOCUMENT, Write, change};

/// Operations of one request, as at the service.
const MAX_OPERATIONS: usize = 100;
/// What operations beside a failed one are answered with.
const FAILED_DEPENDENCY: u16 = 424;

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

    fn body(&self) -> Bytes {
        Bytes::from(self.resource_body.map_or(String::new(), |body| body.get().to_owned()))
    }

    /// The write of a transaction in this logical partition; `None`: it is a read.
    fn write(&self, epk: &Epk, container: &Container) -> Result<Option<Write>, Box<Answer>> {
        let kind = match self.kind.to_lowercase().as_str() {
            "create" => Kind::Create,
            "upsert" => Kind::Upsert,
            "replace" => Kind::Replace,
            "patch" => Kind::Patch,
            "delete" => Kind::Delete,
            "read" => return Ok(None),
            _ => return Err(Box::new(bad_request("The batch has an operation of an unknown type."))),
        };
        let body = self.body();
        let key = if matches!(kind, Kind::Patch | Kind::Delete) {
            (epk.clone(), self.target().unwrap_or_default().into())
        } else {
            writes::key_of(&body, container)?
        };
        if key.0 != *epk {
            return Err(Box::new(wrong_key()));
        }
        let (if_match, if_none_match) = (self.if_match.clone(), self.if_none_match.clone());
        Ok(Some(Write { kind, key, body, if_match, if_none_match }))
    }
}

/// Answers a request marked as a batch.
pub(super) fn answer(ask: &Ask, container: &Arc<Container>) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
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
    if atomic { transaction(ask, container, &operations) } else { bulk(ask, container, &operations) }
}

/// What a transaction has come to before it is committed.
struct Transaction<'a> {
    container: &'a Container,
    epk: Epk,
    /// Documents as the operations so far leave them; `None` = deleted.
    pending: HashMap<Box<str>, Option<Arc<Document>>>,
    /// The writes in their order.
    done: Vec<(Box<str>, Option<Arc<Document>>)>,
    minimal: bool,
    charge: f64,
}

fn transaction(ask: &Ask, container: &Arc<Container>, operations: &[Operation<'_>]) -> Answer {
    let epk = match key_of_header(ask, container) {
        Ok(Some(epk)) => epk,
        Ok(None) => return bad_request("A transactional batch needs a partition key."),
        Err(message) => return bad_request(message),
    };
    let minimal = ask.wants_minimal();
    let mut running =
        Transaction { container, epk, pending: HashMap::new(), done: Vec::new(), minimal, charge: 0.0 };
    let ts = now();
    let mut ranges = container.ranges_mut();
    let mut results = Vec::with_capacity(operations.len());
    let mut failed = None;
    for (index, operation) in operations.iter().enumerate() {
        match running.take(operation, &mut ranges, ts) {
            Ok(result) => results.push(result),
            Err(refusal) => {
                failed = Some((index, refusal));
                break;
            }
        }
    }
    let at = if let Some((index, refusal)) = &failed {
        results = (0..operations.len())
            .map(|i| if i == *index { outcome(refusal) } else { status_only(FAILED_DEPENDENCY) })
            .collect();
        ranges.of(&running.epk).map(Range::commit_now)
    } else if running.done.is_empty() {
        ranges.of(&running.epk).map(Range::commit_now)
    } else {
        let changes: Vec<_> = running
            .done
            .into_iter()
            .map(|(id, document)| {
                change((running.epk.clone(), id), document.as_deref().map(Document::uncommitted), ts)
            })
            .collect();
        Some(ranges.commit(&running.epk, changes))
    };
    drop(ranges);
    let status = if failed.is_some() { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    let mut answer = Answer::json(status, Value::from(results).to_string());
    answer.common(ask, running.charge.max(charge::REFUSED));
    if let Some(at) = at {
        answer.commit(at, None);
    }
    answer
}

impl Transaction<'_> {
    fn take(
        &mut self,
        operation: &Operation<'_>,
        ranges: &mut Ranges,
        ts: u64,
    ) -> Result<Value, Box<Answer>> {
        let Some(write) = operation.write(&self.epk, self.container)? else {
            let id = operation.target().unwrap_or_default();
            let found = self.present(&id, ranges).ok_or_else(|| Box::new(not_found()))?;
            let charge = charge::read(found.text.len());
            self.charge += charge;
            return Ok(result(StatusCode::OK, charge, Some(&found), false));
        };
        let old = self.present(&write.key.1, ranges);
        let decided = write.decide(old.as_ref(), self.container, ranges, ts)?;
        let bytes = decided.document.as_ref().map_or(decided.replaced, |document| document.text.len());
        let charge = charge::write(bytes, decided.replaced > 0);
        self.charge += charge;
        let document = decided.document.map(Arc::new);
        let result = result(decided.status, charge, document.as_ref(), self.minimal);
        self.pending.insert(write.key.1.clone(), document.clone());
        self.done.push((write.key.1, document));
        Ok(result)
    }

    fn present(&self, id: &str, ranges: &Ranges) -> Option<Arc<Document>> {
        match self.pending.get(id) {
            Some(pending) => pending.clone(),
            None => ranges.get(&(self.epk.clone(), id.into())).cloned(),
        }
    }
}

fn result(status: StatusCode, charge: f64, document: Option<&Arc<Document>>, minimal: bool) -> Value {
    let mut result = status_only(status.as_u16());
    result["requestCharge"] = charge.into();
    if let Some(document) = document {
        result["eTag"] = document.etag.as_ref().into();
        if !minimal {
            result["resourceBody"] = document.value();
        }
    }
    result
}

fn status_only(status: u16) -> Value {
    json!({ "statusCode": status, "requestCharge": 0 })
}

/// An answer of a request of its own as the result of an operation.
fn outcome(answer: &Answer) -> Value {
    let mut result = json!({ "statusCode": answer.status.as_u16(), "requestCharge": answer.charge });
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

fn bulk(ask: &Ask, container: &Arc<Container>, operations: &[Operation<'_>]) -> Answer {
    let mut charge = 0.0;
    let mut results = Vec::with_capacity(operations.len());
    for operation in operations {
        let Some(answer) = one(ask, container, operation) else {
            results.push(status_only(400));
            continue;
        };
        charge += answer.charge;
        results.push(outcome(&answer));
    }
    let failed = results.iter().any(|r| r["statusCode"].as_u64().is_some_and(|s| s >= 300));
    let status = if failed { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    let mut answer = Answer::json(status, Value::from(results).to_string());
    answer.common(ask, charge);
    if let Some(range) = ask.range_id().and_then(|id| container.ranges().by_id(id).map(Range::commit_now)) {
        answer.commit(range, None);
    }
    answer
}

/// One operation of a bulk request, as the request of its own that it could have been.
fn one(ask: &Ask, container: &Arc<Container>, operation: &Operation<'_>) -> Option<Answer> {
    let path = |tail: &[&str]| container.path(tail).into_iter().map(str::to_owned).collect::<Vec<_>>();
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
    let (method, segments) = match operation.kind.to_lowercase().as_str() {
        "create" | "upsert" => (Method::POST, path(&[])),
        "replace" => (Method::PUT, path(&[operation.id.as_deref().unwrap_or(&id)])),
        "patch" => (Method::PATCH, path(&[&id])),
        "delete" => (Method::DELETE, path(&[&id])),
        "read" => (Method::GET, path(&[&id])),
        _ => return None,
    };
    let ask = Ask { method, segments, headers, body: operation.body() };
    Some(if ask.method == Method::GET {
        points::read(&ask, container, &id)
    } else {
        points::write(&ask, container)
    })
}
