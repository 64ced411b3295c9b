//! The in-memory emulator of the driver crate, asked through its HTTP-shaped door. It keeps
//! databases, containers and offers, and plans queries; documents, ranges and the feed are ours.

use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{Method, Request};
use azure_data_cosmos_driver::in_memory_emulator::{
    ContainerConfig, InMemoryEmulatorHttpClient, VirtualAccountConfig, VirtualRegion,
};
use azure_data_cosmos_driver::models::PartitionKeyDefinition;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use url::Url;

use super::EmulatorError;
use super::answer::Answer;
use super::errors::internal;
use super::keys::Epk;
use super::request::Ask;
use super::route::encoded;

/// A resource that only uses up a number.
const SCRATCH: &str = "~";

/// The region that `GET /` advertises.
const REGION: &str = "East US";

/// The request headers that the store understands. Range ids and session tokens are ours and would
/// be taken for its own.
const UNDERSTOOD: [&str; 16] = [
    "x-ms-documentdb-is-upsert",
    "x-ms-documentdb-partitionkey",
    "if-match",
    "if-none-match",
    "x-ms-activity-id",
    "x-ms-documentdb-isquery",
    "x-ms-documentdb-query",
    "x-ms-cosmos-is-query-plan-request",
    "x-ms-max-item-count",
    "x-ms-continuation",
    "x-ms-start-epk",
    "x-ms-end-epk",
    "x-ms-read-key-type",
    "x-ms-cosmos-is-batch-request",
    "x-ms-offer-throughput",
    "x-ms-cosmos-intended-collection-rid",
];

/// The inner store and the address that it believes to have.
pub(super) struct Store {
    client: InMemoryEmulatorHttpClient,
    base: Url,
}

impl Store {
    /// An empty account whose only region is at `base`.
    pub(super) fn new(base: &Url) -> Result<Self, EmulatorError> {
        let failed =
            |e: azure_data_cosmos_driver::error::CosmosError| EmulatorError::Store(e.status().to_string());
        let region = VirtualRegion::new(REGION, base.clone());
        let config = VirtualAccountConfig::new(vec![region]).map_err(failed)?;
        let client = InMemoryEmulatorHttpClient::try_new(config).map_err(failed)?;
        Ok(Self { client, base: base.clone() })
    }

    /// Asks what the client asked.
    pub(super) async fn forward(&self, ask: &Ask) -> Answer {
        let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
        self.ask(&ask.method, &segments, &ask.headers, ask.body.clone()).await
    }

    /// Asks the store; headers that it does not understand stay behind.
    pub(super) async fn ask(
        &self,
        method: &http::Method,
        segments: &[&str],
        headers: &HeaderMap,
        body: Bytes,
    ) -> Answer {
        match self.execute(method, segments, headers, body).await {
            Some(inner) => inner.into_answer(),
            None => internal("the store did not answer"),
        }
    }

    /// As [`Self::ask`], with the answer's headers as they came: converting them all costs more
    /// than most writes.
    pub(super) async fn execute(
        &self,
        method: &http::Method,
        segments: &[&str],
        headers: &HeaderMap,
        body: Bytes,
    ) -> Option<Inner> {
        let mut url = self.base.clone(); // not the client's Host: the store matches on it
        url.set_path(&encoded(segments));
        let mut request = Request::new(url, method.as_str().parse::<Method>().ok()?);
        for name in UNDERSTOOD {
            if let Some(value) = headers.get(name).and_then(|v| v.to_str().ok()) {
                request.insert_header(HeaderName::from_static(name), HeaderValue::from(value.to_owned()));
            }
        }
        if !body.is_empty() {
            request.set_body(body);
        }
        let answer = self.client.execute_request(&request).await.ok()?;
        let raw = answer.try_into_raw_response().await.ok()?;
        let status = StatusCode::from_u16(u16::from(raw.status())).ok()?;
        let (_, headers, body) = raw.deconstruct();
        Some(Inner { status, headers, body: Bytes::from(body.to_vec()) })
    }

    /// Deletes a container and makes it again with this many partitions, without its properties.
    /// Its database must exist.
    pub(super) async fn remake_container(
        &self,
        path: &[&str; 4],
        key: PartitionKeyDefinition,
        partitions: u32,
        ask: &Ask,
    ) {
        let none = HeaderMap::new();
        self.ask(&http::Method::DELETE, path, &none, Bytes::new()).await;
        let mut config = ContainerConfig::new().with_partition_count(partitions);
        if let Some(throughput) = ask.header("x-ms-offer-throughput").and_then(|t| t.trim().parse().ok()) {
            config = config.with_throughput(throughput);
        }
        let config = config.build().unwrap_or_default();
        self.client.store().create_container_with_config(path[1], path[3], key, config);
    }

    /// Uses up the numbers of so many databases: the next one's rid goes on after them.
    pub(super) async fn skip_databases(&self, many: u32) {
        for _ in 0..many {
            self.client.store().create_database(SCRATCH);
        }
        if many > 0 {
            self.ask(&http::Method::DELETE, &["dbs", SCRATCH], &HeaderMap::new(), Bytes::new()).await;
        }
    }

    /// Uses up the numbers of so many containers of a database that exists.
    pub(super) async fn skip_containers(&self, database: &str, many: u32) {
        for _ in 0..many {
            let config = ContainerConfig::new().with_partition_count(1).build().unwrap_or_default();
            let key = PartitionKeyDefinition::new(vec!["/id".into()]);
            self.client.store().create_container_with_config(database, SCRATCH, key, config);
        }
        if many > 0 {
            let path = ["dbs", database, "colls", SCRATCH];
            self.ask(&http::Method::DELETE, &path, &HeaderMap::new(), Bytes::new()).await;
        }
    }

    /// The lower bounds of its partitions but the first.
    pub(super) async fn bounds(&self, path: &[&str; 4]) -> Vec<Epk> {
        #[derive(Deserialize)]
        struct List {
            #[serde(rename = "PartitionKeyRanges")]
            ranges: Vec<Bounds>,
        }
        #[derive(Deserialize)]
        struct Bounds {
            #[serde(rename = "minInclusive")]
            min: String,
        }
        let [dbs, database, colls, container] = *path;
        let path = [dbs, database, colls, container, "pkranges"];
        let answer = self.ask(&http::Method::GET, &path, &HeaderMap::new(), Bytes::new()).await;
        let Ok(list) = serde_json::from_slice::<List>(&answer.body) else { return Vec::new() };
        let every = list.ranges.into_iter().skip(1);
        every.filter_map(|range| Epk::try_from(range.min).ok()).collect()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// The store's answer as it came.
pub(super) struct Inner {
    pub(super) status: StatusCode,
    headers: Headers,
    pub(super) body: Bytes,
}

/// What the store says of its own partitions and tokens, which no client shall see.
const HIDDEN: [&str; 10] = [
    "x-ms-session-token",
    "x-ms-documentdb-partitionkeyrangeid",
    "x-ms-cosmos-internal-partition-id",
    "lsn",
    "x-ms-item-lsn",
    "x-ms-cosmos-item-llsn",
    "x-ms-cosmos-llsn",
    "x-ms-cosmos-quorum-acked-llsn",
    "x-ms-quorum-acked-lsn",
    "x-ms-global-committed-lsn",
];

impl Inner {
    /// The whole answer but what is the store's own affair.
    pub(super) fn into_answer(self) -> Answer {
        let mut answer = Answer::new(self.status);
        for (name, value) in self.headers.iter() {
            if HIDDEN.contains(&name.as_str()) {
                continue;
            }
            if let (Ok(name), Ok(value)) = (name.as_str().parse::<http::HeaderName>(), value.as_str().parse())
            {
                answer.headers.insert(name, value);
            }
        }
        answer.body = self.body;
        answer
    }
}
