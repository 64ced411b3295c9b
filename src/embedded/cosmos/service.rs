//! One request from its arrival to its answer: path, authorization, body, dispatch.

use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;

use super::answer::Answer;
use super::authorization::MasterKey;
use super::errors::{bad_request, internal, too_large};
use super::route::Path;
use super::store::Store;

/// Largest body read, bytes: a batch may hold 2 MB of documents and their frame.
const MAX_BODY: usize = 4 << 20;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Service {
    store: Store,
    key: MasterKey,
}

impl Service {
    /// A service over `store`, for those who hold `key`.
    pub(super) fn new(store: Store, key: MasterKey) -> Self {
        Self { store, key }
    }

    /// Answers, whatever was asked.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let answered = AssertUnwindSafe(self.serve(request)).catch_unwind().await;
        answered.unwrap_or_else(|_| internal("the request was not understood")).into()
    }

    async fn serve(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let Some(path) = Path::parse(head.uri.path()) else {
            return bad_request("The request path is not a valid resource address.");
        };
        let checked = self.key.check(head.method.as_str(), &path, &head.headers, Timestamp::now());
        if let Err(refusal) = checked {
            return *refusal;
        }
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return too_large();
        };
        let body = body.to_bytes();
        self.store.ask(&head.method, &path.segments(), &head.headers, body).await
    }
}
