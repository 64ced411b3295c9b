//! Containers and documents put in from inside of this program, by the same way as clients' requests but
//! without HTTP.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::json;
use thiserror::Error;

use super::Emulator;
use super::request::Ask;

/// The emulator refused what was put in.
#[derive(Debug, Error)]
#[error("{what} could not be put into the embedded Cosmos: {reason}")]
pub struct SeedError {
    what: String,
    reason: String,
}

impl Emulator {
    /// Makes a container with this partition key path, and its database, unless they are there.
    /// `ttl`: its default time to live in seconds, -1 = on without a default.
    ///
    /// # Errors
    /// The emulator refuses a name or the path.
    pub async fn ensure_container(
        &self,
        database: &str,
        id: &str,
        key: &str,
        ttl: Option<i64>,
    ) -> Result<(), SeedError> {
        self.make(&["dbs"], &json!({ "id": database }), database).await?;
        let mut definition =
            json!({ "id": id, "partitionKey": { "paths": [key], "kind": "Hash", "version": 2 } });
        if let Some(ttl) = ttl {
            definition["defaultTtl"] = ttl.into();
        }
        self.make(&["dbs", database, "colls"], &definition, id).await
    }

    async fn make(&self, path: &[&str], body: &serde_json::Value, name: &str) -> Result<(), SeedError> {
        self.perform(path, HeaderMap::new(), body.to_string(), name).await.map(drop)
    }

    /// Creates or replaces a document.
    ///
    /// # Errors
    /// The container is missing, or the document is not valid.
    pub async fn put(&self, database: &str, container: &str, document: String) -> Result<(), SeedError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-documentdb-is-upsert", HeaderValue::from_static("True"));
        let path = ["dbs", database, "colls", container, "docs"];
        match self.perform(&path, headers, document, "a document").await? {
            StatusCode::CONFLICT => {
                Err(SeedError { what: "a document".to_owned(), reason: "conflict".to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// The status of a POST that was not refused; what is there already counts as made.
    async fn perform(
        &self,
        path: &[&str],
        headers: HeaderMap,
        body: String,
        what: &str,
    ) -> Result<StatusCode, SeedError> {
        let segments = path.iter().map(|segment| (*segment).to_owned()).collect();
        let ask = Ask { method: Method::POST, segments, headers, body: Bytes::from(body) };
        let answer = self.service.dispatch(&ask).await;
        if answer.status.is_success() || answer.status == StatusCode::CONFLICT {
            return Ok(answer.status);
        }
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let reason = said["message"].as_str().unwrap_or("no reason given").to_owned();
        Err(SeedError { what: what.to_owned(), reason })
    }
}
