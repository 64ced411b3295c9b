//! The in-memory emulator of the driver crate, asked through its HTTP-shaped door.

use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{Method, Request};
use azure_data_cosmos_driver::in_memory_emulator::{
    InMemoryEmulatorHttpClient, VirtualAccountConfig, VirtualRegion,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::EmulatorError;
use super::answer::Answer;
use super::errors::{bad_request, internal};
use super::route::encoded;

/// The region that `GET /` advertises.
const REGION: &str = "East US";

/// The inner store and the address that it believes to have.
pub(super) struct Store {
    client: InMemoryEmulatorHttpClient,
    base: Url,
}

impl Store {
    /// An empty account whose only region is at `base`.
    pub(super) fn new(base: &Url, _partitions: u32) -> Result<Self, EmulatorError> {
        let failed =
            |e: azure_data_cosmos_driver::error::CosmosError| EmulatorError::Store(e.status().to_string());
        let region = VirtualRegion::new(REGION, base.clone());
        let config = VirtualAccountConfig::new(vec![region]).map_err(failed)?;
        let client = InMemoryEmulatorHttpClient::try_new(config).map_err(failed)?;
        Ok(Self { client, base: base.clone() })
    }

    /// Asks the inner store. Headers that are not text are left out.
    pub(super) async fn ask(
        &self,
        method: &http::Method,
        segments: &[&str],
        headers: &HeaderMap,
        body: Bytes,
    ) -> Answer {
        let Ok(method) = method.as_str().parse::<Method>() else {
            return bad_request("the HTTP verb is not known");
        };
        let mut url = self.base.clone(); // not the client's Host: the store matches on it
        url.set_path(&encoded(segments));
        let mut request = Request::new(url, method);
        for (name, value) in headers {
            if let Ok(value) = value.to_str() {
                request.insert_header(
                    HeaderName::from(name.as_str().to_owned()),
                    HeaderValue::from(value.to_owned()),
                );
            }
        }
        if !body.is_empty() {
            request.set_body(body);
        }
        let Ok(answer) = self.client.execute_request(&request).await else {
            return internal("the store did not answer");
        };
        let Ok(raw) = answer.try_into_raw_response().await else {
            return internal("the store's answer could not be read");
        };
        let status =
            StatusCode::from_u16(u16::from(raw.status())).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = Answer::new(status);
        for (name, value) in raw.headers().iter() {
            if let (Ok(name), Ok(value)) = (name.as_str().parse::<http::HeaderName>(), value.as_str().parse())
            {
                answer.headers.insert(name, value);
            }
        }
        answer.body = Bytes::from(raw.into_body().to_vec());
        answer
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
