//! One container: its identity, its physical ranges, and point operations on documents as bytes.

use std::sync::{Arc, RwLock};

use azure_core::http::Etag;
use azure_data_cosmos_driver::models::{
    ContainerReference, CosmosOperation, CosmosResponse, FeedRange, ItemReference, Precondition,
};
use azure_data_cosmos_driver::options::OperationOptions;
use bytes::Bytes;

use super::topology::overlapping;
use super::{Account, CosmosError, EpkRange, News, PartitionKey, PhysicalRange};

/// A container of an account. Cheap to clone; clones share what is known of its ranges.
#[derive(Clone)]
pub struct Container {
    pub(super) account: Account,
    pub(super) reference: ContainerReference,
    identity: Arc<Identity>,
    ranges: Arc<RwLock<Arc<[PhysicalRange]>>>,
    news: Option<News>,
}

struct Identity {
    database: String,
    name: String,
    rid: String,
    database_rid: String,
    paths: Vec<String>,
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Container({} at {})", self.path(), self.account.address())
    }
}

/// A document as it is in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `_etag`, quotes included: what If-Match takes.
    pub etag: String,
    /// LSN of its last write within its partition, where the server tells.
    pub lsn: Option<u64>,
    /// JSON text.
    pub body: Bytes,
}

/// What a write brought.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteReceipt {
    /// New `_etag`, quotes included; empty after a deletion.
    pub etag: String,
    /// The write's own LSN within its partition, where the server tells.
    pub lsn: Option<u64>,
    /// Request units.
    pub charge: f64,
}

impl Container {
    pub(super) async fn open(account: Account, database: &str, name: &str) -> Result<Self, CosmosError> {
        #[derive(serde::Deserialize)]
        struct Properties {
            #[serde(rename = "_rid")]
            rid: String,
        }
        let what = || format!("container {database}/{name}");
        let options = OperationOptions::default;
        let reference = account
            .inner
            .driver
            .resolve_container(database, name, options())
            .await
            .map_err(|e| account.error(&e, &what()))?;
        // The driver's answer may come from its cache; after a deletion and re-creation only a read tells
        // the rid of today, and lease prefixes hang on it.
        let read = CosmosOperation::read_container_by_name(account.database(database), name.to_owned());
        let body = single(account.run(read, options(), true, what).await?)?;
        let properties: Properties =
            serde_json::from_slice(&body).map_err(|e| CosmosError::Unreadable(format!("{}: {e}", what())))?;
        let identity = Identity {
            database: database.to_owned(),
            name: name.to_owned(),
            rid: properties.rid,
            database_rid: reference.database_rid().to_owned(),
            paths: reference.partition_key_definition().paths().iter().map(ToString::to_string).collect(),
        };
        Ok(Self {
            account,
            reference,
            identity: Arc::new(identity),
            ranges: Arc::new(RwLock::new(Arc::from([]))),
            news: None,
        })
    }

    /// The same container, whose server tells of writes.
    #[must_use]
    pub fn with_news(mut self, news: Option<News>) -> Self {
        self.news = news;
        self
    }

    /// What its server tells of writes, where it does.
    pub fn news(&self) -> Option<News> {
        self.news.clone()
    }

    /// The account it is in.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Name of its database.
    pub fn database(&self) -> &str {
        &self.identity.database
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// `database/container`, for messages.
    pub fn path(&self) -> String {
        format!("{}/{}", self.identity.database, self.identity.name)
    }

    /// Its resource id, e.g. `bQ8uAKjLr1s=`: another one after deletion and re-creation.
    pub fn rid(&self) -> &str {
        &self.identity.rid
    }

    /// Its database's resource id, e.g. `bQ8uAA==`.
    pub fn database_rid(&self) -> &str {
        &self.identity.database_rid
    }

    /// Paths of the partition key, e.g. `/id`.
    pub fn partition_key_paths(&self) -> &[String] {
        &self.identity.paths
    }

    /// Where a partition key lies in the key space: its effective key as hexadecimal text, to be compared
    /// with the bounds of an [`EpkRange`].
    pub fn effective_key(&self, key: &PartitionKey) -> Result<String, CosmosError> {
        let definition = self.reference.partition_key_definition();
        Ok(FeedRange::for_partition(key.to_driver()?, definition).min_inclusive().to_hex())
    }

    /// The physical ranges alive now, in order. With `refresh` the server is asked, else only the first time.
    pub async fn feed_ranges(&self, refresh: bool) -> Result<Vec<PhysicalRange>, CosmosError> {
        Ok(self.topology(refresh).await?.to_vec())
    }

    pub(super) async fn topology(&self, refresh: bool) -> Result<Arc<[PhysicalRange]>, CosmosError> {
        if !refresh {
            let known = self.known_ranges();
            if !known.is_empty() {
                return Ok(known);
            }
        }
        let found = self
            .account
            .inner
            .driver
            .resolve_all_partition_key_ranges(&self.reference, refresh)
            .await
            .map_err(|e| self.account.error(&e, &self.what()))?;
        let Some(found) = found else {
            // The driver swallows the reason here; a point read of the properties tells it.
            let read = CosmosOperation::read_container(self.reference.clone());
            self.account.run(read, OperationOptions::default(), true, || self.what()).await?;
            return Err(CosmosError::Timeout(format!("{}: its ranges could not be read", self.what())));
        };
        let found: Vec<PhysicalRange> = found.iter().map(PhysicalRange::from).collect();
        let alive: Arc<[PhysicalRange]> = overlapping(&found, &EpkRange::full()).into();
        if let Ok(mut slot) = self.ranges.write() {
            *slot = Arc::clone(&alive);
        }
        Ok(alive)
    }

    fn known_ranges(&self) -> Arc<[PhysicalRange]> {
        self.ranges.read().map_or_else(|_| Arc::from([]), |known| Arc::clone(&known))
    }

    /// Reads a document; `None` if it is not there.
    pub async fn read(&self, id: &str, key: &PartitionKey) -> Result<Option<Document>, CosmosError> {
        let operation = CosmosOperation::read_item(self.item(id, key)?);
        match self.account.run(operation, OperationOptions::default(), true, || self.what_of(id)).await {
            Ok(response) => {
                let (etag, lsn) = (etag_of(&response), response.headers().item_lsn);
                Ok(Some(Document { etag, lsn, body: single(response)? }))
            }
            Err(CosmosError::NotFound(_)) => {
                // Missing document, or missing container? Only the latter is an error.
                if self.known_ranges().is_empty() {
                    self.topology(true).await?;
                }
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Creates a document; `Conflict` if one of its id is there.
    pub async fn create(&self, key: &PartitionKey, body: &[u8]) -> Result<WriteReceipt, CosmosError> {
        let operation = CosmosOperation::create_item(self.new_item(key)?).with_body(body.to_vec());
        self.write(operation, false, || format!("a new document in {}", self.path())).await
    }

    /// Creates or replaces a document.
    pub async fn upsert(&self, key: &PartitionKey, body: &[u8]) -> Result<WriteReceipt, CosmosError> {
        let operation = CosmosOperation::upsert_item(self.new_item(key)?).with_body(body.to_vec());
        self.write(operation, true, || format!("a document in {}", self.path())).await
    }

    /// Replaces a document; `PreconditionFailed` unless its etag is `if_match` (where given).
    pub async fn replace(
        &self,
        id: &str,
        key: &PartitionKey,
        body: &[u8],
        if_match: Option<&str>,
    ) -> Result<WriteReceipt, CosmosError> {
        let operation = CosmosOperation::replace_item(self.item(id, key)?).with_body(body.to_vec());
        self.write(matching(operation, if_match), if_match.is_none(), || self.what_of(id)).await
    }

    /// Deletes a document; `NotFound` if it is not there, `PreconditionFailed` as for `replace`.
    pub async fn delete(
        &self,
        id: &str,
        key: &PartitionKey,
        if_match: Option<&str>,
    ) -> Result<WriteReceipt, CosmosError> {
        let operation = CosmosOperation::delete_item(self.item(id, key)?);
        self.write(matching(operation, if_match), false, || self.what_of(id)).await
    }

    async fn write(
        &self,
        operation: CosmosOperation,
        idempotent: bool,
        what: impl Fn() -> String,
    ) -> Result<WriteReceipt, CosmosError> {
        let response = self.account.run(operation, OperationOptions::default(), idempotent, what).await?;
        let headers = response.headers();
        Ok(WriteReceipt {
            etag: etag_of(&response),
            lsn: headers.item_lsn.or(headers.lsn),
            charge: headers
                .request_charge
                .map_or(0.0, azure_data_cosmos_driver::models::RequestCharge::value),
        })
    }

    /// An id goes into the path of the URL here, and a server that normalizes the path may then hit something
    /// else: with `..` it would be the container itself.
    fn item(&self, id: &str, key: &PartitionKey) -> Result<ItemReference, CosmosError> {
        let forbidden =
            id.is_empty() || id == "." || id == ".." || id.chars().any(|c| "/\\?#\t\r\n".contains(c));
        if forbidden {
            return Err(CosmosError::BadRequest(format!(
                "{id:?} cannot be an id: Cosmos forbids it empty, `.`, `..`, and with / \\ ? #"
            )));
        }
        Ok(ItemReference::from_name(&self.reference, key.to_driver()?, id.to_owned()))
    }

    // Creating goes to the container's own path; the id inside the body is judged by the server.
    fn new_item(&self, key: &PartitionKey) -> Result<ItemReference, CosmosError> {
        Ok(ItemReference::from_name(&self.reference, key.to_driver()?, "new"))
    }

    pub(super) fn what(&self) -> String {
        format!("container {}", self.path())
    }

    fn what_of(&self, id: &str) -> String {
        format!("document {id} of {}", self.path())
    }
}

fn matching(operation: CosmosOperation, etag: Option<&str>) -> CosmosOperation {
    match etag {
        Some(etag) => operation.with_precondition(Precondition::if_match(Etag::from(etag.to_owned()))),
        None => operation,
    }
}

fn etag_of(response: &CosmosResponse) -> String {
    response.headers().etag.as_ref().map(ToString::to_string).unwrap_or_default()
}

pub(super) fn single(response: CosmosResponse) -> Result<Bytes, CosmosError> {
    response.into_body().single().map_err(|e| {
        CosmosError::Unreadable(e.to_string().lines().next().unwrap_or("an empty answer").to_owned())
    })
}
