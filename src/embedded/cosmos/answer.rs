//! One answer on its way to the client.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

use super::charge;
use super::feed::answer::session_token;
use super::feed::ranges::Commit;
use super::request::Ask;

/// Status, headers and whole body.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Request units that it cost.
    pub(super) charge: f64,
}

impl Answer {
    /// An answer without headers and body.
    pub(super) fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), charge: 0.0 }
    }

    /// An answer with a JSON body.
    pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::new(status);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer.body = body.into();
        answer
    }

    /// The headers of every answer: charge, activity id (the client's, if it sent one), version.
    pub(super) fn common(&mut self, ask: &Ask, charge: f64) {
        self.set("x-ms-request-charge", charge::text(charge));
        self.charge = charge;
        match ask.header("x-ms-activity-id") {
            Some(id) => self.set("x-ms-activity-id", id),
            None => self.set("x-ms-activity-id", uuid::Uuid::new_v4().to_string()),
        }
        self.set("x-ms-gatewayversion", "version=2.14.0");
        self.set("x-ms-version", "2020-07-15");
    }

    /// The headers that say where and when an item operation took place.
    pub(super) fn commit(&mut self, at: Commit, item_lsn: Option<u64>) {
        self.set("x-ms-documentdb-partitionkeyrangeid", at.range.to_string());
        self.set("x-ms-session-token", session_token(at.range, at.lsn));
        self.set("lsn", at.lsn.to_string());
        if let Some(lsn) = item_lsn {
            self.set("x-ms-item-lsn", lsn.to_string());
        }
    }

    /// The header as text, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Sets a header; a value that HTTP cannot carry is left out.
    pub(super) fn set(&mut self, name: &'static str, value: impl AsRef<str>) {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }
}

impl From<Answer> for Response<Full<Bytes>> {
    fn from(answer: Answer) -> Self {
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }
}
