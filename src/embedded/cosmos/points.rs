//! Operations on one document.

use std::sync::Arc;

use http::{Method, StatusCode};
use jiff::Timestamp;

use super::answer::Answer;
use super::charge;
use super::container::Container;
use super::errors::{bad_request, not_found, wrong_container, wrong_key};
use super::feed::log::Operation;
use super::feed::ranges::{Change, Commit};
use super::keys::{self, Epk, KeyScope};
use super::request::Ask;
use super::writes::{self, Kind, Write, change};

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
    answer.common(ask, charge::read(answer.body.len()));
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
pub(super) fn write(ask: &Ask, container: &Arc<Container>) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    let write = match asked(ask, container) {
        Ok(write) => write,
        Err(refusal) => return *refusal,
    };
    let ts = now();
    let mut ranges = container.ranges_mut();
    let old = ranges.get(&write.key).cloned();
    let decided = match write.decide(old.as_ref(), container, &mut ranges, ts) {
        Ok(decided) => decided,
        Err(refusal) => {
            let mut answer = *refusal;
            if let Some(range) = ranges.of(&write.key.0) {
                answer.commit(range.commit_now(), None);
            }
            drop(ranges);
            answer.common(ask, charge::REFUSED);
            return answer;
        }
    };
    let shown = decided.document.as_ref().map(|d| (d.text.clone(), d.etag.clone()));
    let at = ranges.commit(&write.key.0, [change(write.key.clone(), decided.document, ts)]);
    drop(ranges);
    let bytes = shown.as_ref().map_or(decided.replaced, |(text, _)| text.len());
    let mut answer = Answer::new(decided.status);
    let item_lsn = shown.is_some().then_some(at.lsn);
    if let Some((text, etag)) = shown {
        if !ask.wants_minimal() {
            answer = Answer::json(decided.status, text);
        }
        answer.set("etag", &etag);
    }
    answer.common(ask, charge::write(bytes, decided.replaced > 0));
    answer.commit(at, item_lsn);
    answer
}

/// The write that a request asks for.
fn asked(ask: &Ask, container: &Container) -> Result<Write, Box<Answer>> {
    let refuse = |message: &str| Box::new(bad_request(message));
    let named = ask.segments.get(5).map(String::as_str);
    let header = key_of_header(ask, container).map_err(refuse)?;
    let kind = match ask.method {
        Method::PUT => Kind::Replace,
        Method::PATCH => Kind::Patch,
        Method::DELETE => Kind::Delete,
        _ if ask.flag("x-ms-documentdb-is-upsert") => Kind::Upsert,
        _ => Kind::Create,
    };
    let key = if matches!(kind, Kind::Patch | Kind::Delete) {
        let epk = header.ok_or_else(|| refuse("PartitionKey value must be supplied for this operation."))?;
        (epk, named.unwrap_or_default().into())
    } else {
        let (epk, id) = writes::key_of(&ask.body, container)?;
        if named.is_some_and(|named| *named != *id) {
            return Err(refuse("The id in the document must be the one in the address."));
        }
        if header.is_some_and(|header| header != epk) {
            return Err(Box::new(wrong_key()));
        }
        (epk, id)
    };
    Ok(Write {
        kind,
        key,
        body: ask.body.clone(),
        if_match: ask.header("if-match").map(str::to_owned),
        if_none_match: ask.header("if-none-match").map(str::to_owned),
    })
}

/// Deletes what has outlived its time.
pub(super) fn expire(container: &Container) {
    let ts = now();
    if !container.ranges().has_expired(ts) {
        return;
    }
    let mut ranges = container.ranges_mut();
    for document in ranges.expired(ts) {
        let key = document.key.clone();
        ranges.commit(&document.key.0, [Change::Remove { key, ts, operation: Operation::Expire }]);
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
