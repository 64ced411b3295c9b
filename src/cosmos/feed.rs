//! One page of the change feed with one request: own headers in, bytes and etag out.
//!
//! The page goes to exactly one physical range and never silently to a child of it: the driver's own plan for
//! a change feed hides a split by answering for the first child only, so this asks for the range by its id and
//! gets the service's 410 instead.

use std::collections::HashMap;
use std::sync::Arc;

use azure_core::http::Etag;
use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_data_cosmos_driver::models::{
    CosmosOperation, CosmosRequestHeaders, CosmosResponse, MaxItemCountHint, PartitionKey, Precondition,
};
use azure_data_cosmos_driver::options::OperationOptions;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::num::NonZeroU32;

use super::topology::overlapping;
use super::{Container, CosmosError, EpkRange, PhysicalRange};

/// Which part of the container to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedScope {
    /// A range of the key space: a physical range or a part of one.
    Range(EpkRange),
    /// A physical range by its id, as v0 leases name it.
    PartitionKeyRange(String),
}

/// Where to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedPosition {
    /// The first change.
    Beginning,
    /// Only what comes from here on.
    Now,
    /// Only what came after this time (whole seconds).
    After(Timestamp),
    /// After the page that brought this etag (raw, quotes inside).
    Continuation(String),
}

/// One answer of the change feed.
#[derive(Debug, Clone)]
pub struct FeedPage {
    /// The page as it came; empty when nothing was new.
    pub body: Bytes,
    /// Position after this page: raw etag with its quotes. Also told when nothing was new.
    pub etag: Option<String>,
    /// LSN of the partition at the time of the answer, from the session token.
    pub session_lsn: Option<u64>,
    /// 304: nothing new.
    pub not_modified: bool,
    /// Id of the physical range that answered, where told.
    pub range_id: Option<String>,
    /// Request units.
    pub charge: f64,
    documents: Arc<[(u32, u32)]>,
}

impl FeedPage {
    /// Reads the envelope `{"_rid":…,"Documents":[…]}` once; documents stay slices of `body`.
    pub fn from_body(body: Bytes, etag: Option<String>) -> Result<Self, CosmosError> {
        let (_, documents) = envelope(&body)?;
        Ok(Self {
            not_modified: false,
            session_lsn: None,
            range_id: None,
            charge: 0.0,
            body,
            etag,
            documents: documents.into(),
        })
    }

    /// The answer "nothing new", with the position to go on from.
    pub fn nothing_new(etag: Option<String>) -> Self {
        Self {
            body: Bytes::new(),
            etag,
            session_lsn: None,
            not_modified: true,
            range_id: None,
            charge: 0.0,
            documents: Arc::from([]),
        }
    }

    /// The documents, oldest change first, as slices of the page: nothing is copied or parsed.
    pub fn documents(&self) -> Result<Vec<Bytes>, CosmosError> {
        Ok(self
            .documents
            .iter()
            .map(|(at, len)| self.body.slice(*at as usize..(*at + *len) as usize))
            .collect())
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// No documents in it.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

impl Container {
    /// Reads one page. `Split` when the scope is served by several ranges now (read each of them from the same
    /// position), `Gone` when a range id is no more and has no children, `Recreated` when the page comes from
    /// another container of the same name. Ends at once with `not_modified` when nothing is new.
    pub async fn feed_page(
        &self,
        scope: &FeedScope,
        from: &FeedPosition,
        max_items: Option<u32>,
    ) -> Result<FeedPage, CosmosError> {
        let (target, part) = match self.target(scope, false).await {
            // A range that is younger than the topology that we know: another instance has seen the split first.
            Err(CosmosError::Gone(_)) => self.target(scope, true).await?,
            other => other?,
        };
        match self.feed_page_of(&target, part, from, max_items).await {
            Err(CosmosError::Gone(_)) => {
                // The topology that we know is old. After a refresh the scope is either one other range
                // (merge), or several (split), which `target` tells.
                let (target, part) = self.target(scope, true).await?;
                self.feed_page_of(&target, part, from, max_items).await
            }
            other => other,
        }
    }

    /// The one physical range that serves the scope, and the part of it if the scope is smaller.
    async fn target<'s>(
        &self,
        scope: &'s FeedScope,
        refresh: bool,
    ) -> Result<(PhysicalRange, Option<&'s EpkRange>), CosmosError> {
        let ranges = self.topology(refresh).await?;
        match scope {
            FeedScope::Range(range) => {
                let mut found = overlapping(&ranges, range);
                match found.len() {
                    1 => {
                        let only = found.remove(0);
                        let part = (only.range != *range).then_some(range);
                        Ok((only, part))
                    }
                    0 => Err(CosmosError::Gone(format!("{}-{} of {}", range.min, range.max, self.path()))),
                    _ => Err(CosmosError::Split(found)),
                }
            }
            FeedScope::PartitionKeyRange(id) => {
                if let Some(same) = ranges.iter().find(|r| r.id == *id) {
                    return Ok((same.clone(), None));
                }
                let children: Vec<_> = ranges.iter().filter(|r| r.parents.contains(id)).cloned().collect();
                if children.is_empty() {
                    return Err(CosmosError::Gone(format!("{id} of {}", self.path())));
                }
                Err(CosmosError::Split(children))
            }
        }
    }

    async fn feed_page_of(
        &self,
        target: &PhysicalRange,
        part: Option<&EpkRange>,
        from: &FeedPosition,
        max_items: Option<u32>,
    ) -> Result<FeedPage, CosmosError> {
        let mut headers = CosmosRequestHeaders::new();
        headers.incremental_feed = true;
        headers.max_item_count = max_items.and_then(NonZeroU32::new).map(MaxItemCountHint::Limit);
        match from {
            FeedPosition::Beginning => {}
            FeedPosition::Now => headers.precondition = Some(Precondition::if_none_match(Etag::from("*"))),
            FeedPosition::After(time) => headers.if_modified_since = Some(http_date(*time)),
            FeedPosition::Continuation(etag) => {
                headers.precondition = Some(Precondition::if_none_match(Etag::from(etag.clone())));
            }
        }
        let mut options = OperationOptions::default();
        options.custom_headers = Some(range_headers(target, part));
        // A partition key without components means "no specific partition" to the driver: it adds no routing
        // of its own, and the range that is named in our headers counts.
        let nowhere = PartitionKey::try_from(Vec::new()).map_err(|e| self.account.error(&e, "the feed"))?;
        let operation =
            CosmosOperation::read_all_items(self.reference.clone(), nowhere).with_request_headers(headers);
        let what = || format!("range {} of {}", target.id, self.path());
        let response = self.account.run(operation, options, true, what).await?;
        self.page(response)
    }

    fn page(&self, response: CosmosResponse) -> Result<FeedPage, CosmosError> {
        let not_modified = u16::from(response.status().status_code()) == 304;
        let headers = response.headers();
        let mut page = FeedPage {
            body: Bytes::new(),
            etag: headers.etag.as_ref().map(ToString::to_string),
            session_lsn: headers.session_token.as_ref().map(|token| session_lsn(token.as_str())),
            not_modified,
            range_id: headers.partition_key_range_id.clone(),
            charge: headers
                .request_charge
                .map_or(0.0, azure_data_cosmos_driver::models::RequestCharge::value),
            documents: Arc::from([]),
        };
        if !not_modified {
            page.body = super::container::single(response)?;
            let (rid, documents) = envelope(&page.body)?;
            if rid.is_some_and(|rid| rid != self.rid()) {
                return Err(CosmosError::Recreated(self.what()));
            }
            page.documents = documents.into();
        }
        Ok(page)
    }
}

fn range_headers(target: &PhysicalRange, part: Option<&EpkRange>) -> HashMap<HeaderName, HeaderValue> {
    let mut headers = HashMap::with_capacity(4);
    let mut set = |name: &'static str, value: String| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    };
    set("x-ms-documentdb-partitionkeyrangeid", target.id.clone());
    if let Some(part) = part {
        set("x-ms-read-key-type", "EffectivePartitionKeyRange".into());
        set("x-ms-start-epk", part.min.clone());
        set("x-ms-end-epk", part.max.clone());
    }
    headers
}

/// RFC 1123, whole seconds, as `If-Modified-Since` wants it.
fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The global LSN of a session token: after the first `:`, split at `#`; the second part if there are two, else
/// the first; 0 if it is no number. (.NET's estimator, ChangeFeedEstimatorIterator.cs)
fn session_lsn(token: &str) -> u64 {
    let token = token.split(',').next().unwrap_or(token);
    let value = token.split_once(':').map_or(token, |(_, v)| v);
    let mut parts = value.split('#');
    let first = parts.next().unwrap_or("");
    parts.next().unwrap_or(first).parse().unwrap_or(0)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "_rid", default)]
    rid: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, rename = "Documents", default)]
    documents: Vec<&'a RawValue>,
}

type Rid = Option<String>;

/// Offsets of the documents in a page `{"_rid":…,"Documents":[…],"_count":…}`.
fn envelope(body: &Bytes) -> Result<(Rid, Vec<(u32, u32)>), CosmosError> {
    let shape: Envelope<'_> =
        serde_json::from_slice(body).map_err(|e| CosmosError::Unreadable(format!("a page: {e}")))?;
    let start = body.as_ptr().addr();
    // Pages are a few megabytes at most, so offsets fit.
    let documents = shape
        .documents
        .iter()
        .map(|d| ((d.get().as_ptr().addr() - start) as u32, d.get().len() as u32))
        .collect();
    Ok((shape.rid.map(std::borrow::Cow::into_owned), documents))
}

/// The rows of a page as slices of it.
pub(super) fn slices(body: &Bytes) -> Result<(Rid, Vec<Bytes>), CosmosError> {
    let (rid, offsets) = envelope(body)?;
    let rows = offsets.iter().map(|(at, len)| body.slice(*at as usize..(*at + *len) as usize)).collect();
    Ok((rid, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_slices_of_the_page() {
        let body =
            Bytes::from_static(br#"{"_rid":"x=","Documents":[{"id":"a"} , {"id":"b","n":[1]}],"_count":2}"#);
        let page = FeedPage::from_body(body.clone(), None).unwrap();
        let documents = page.documents().unwrap();
        assert_eq!(documents, [&br#"{"id":"a"}"#[..], br#"{"id":"b","n":[1]}"#]);
        assert!(body.as_ptr_range().contains(&documents[1].as_ptr()));
        assert!(FeedPage::from_body(Bytes::from_static(b"<html>"), None).is_err());
    }

    #[test]
    fn lsn_of_session_tokens() {
        for (token, lsn) in
            [("0:1#4300#1=2", 4300), ("3:0#1#0=1", 1), ("0:4300", 4300), ("0:x", 0), ("17", 17)]
        {
            assert_eq!(session_lsn(token), lsn, "{token}");
        }
    }

    #[test]
    fn dates_as_http_wants_them() {
        let time: Timestamp = "2026-08-07T18:56:44.9Z".parse().unwrap();
        assert_eq!(http_date(time), "Fri, 07 Aug 2026 18:56:44 GMT");
    }
}
