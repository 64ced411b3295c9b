//! Leases in a Cosmos container: partitioned by `/id` or `/partitionKey`, nothing else, as .NET demands.
//! (.NET: DocumentServiceLeaseStoreManagerBuilder.cs)

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cosmos::{Container, CosmosError, PartitionKey};

use super::{IdPart, Lease, LeaseId, LeasePrefix, LeaseStorage, Marker};

/// A lease container.
#[derive(Debug, Clone)]
pub struct LeaseStore {
    container: Container,
    own_key: bool,
}

impl LeaseStore {
    /// Uses this container; `BadRequest` if its partition key is neither `/id` nor `/partitionKey`.
    pub fn new(container: Container) -> Result<Self, CosmosError> {
        let own_key = match container.partition_key_paths() {
            [path] if path == "/id" => false,
            [path] if path == "/partitionKey" => true,
            other => {
                return Err(CosmosError::BadRequest(format!(
                    "{} cannot hold leases: its partition key is {}, not /id or /partitionKey; use another container",
                    container.path(),
                    other.join(", ")
                )));
            }
        };
        Ok(Self { container, own_key })
    }

    /// The container itself.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// Deletes a document of this container by its exact id, if it is there; tells whether it was.
    pub async fn delete_by_id(&self, id: &str) -> Result<bool, CosmosError> {
        let key = if self.own_key { self.stored_key(id).await? } else { Some(PartitionKey::from(id)) };
        let Some(key) = key else { return Ok(false) };
        match self.container.delete(id, &key, None).await {
            Ok(_) => Ok(true),
            Err(CosmosError::NotFound(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Deletes a lease if nobody wrote it since it was read; else `PreconditionFailed`.
    pub async fn delete_as_seen(&self, lease: &Lease) -> Result<(), CosmosError> {
        self.container.delete(lease.id(), &self.key_of(lease), lease.etag()).await.map(|_| ())
    }

    /// The value that a document stores in `/partitionKey`: old .NET libraries put a random GUID there.
    async fn stored_key(&self, id: &str) -> Result<Option<PartitionKey>, CosmosError> {
        let rows = self.container.query("SELECT * FROM c WHERE c.id = @id", &[("@id", json!(id))]).await?;
        rows.first()
            .map(|row| PartitionKey::of_document(row, self.container.partition_key_paths()))
            .transpose()
    }

    fn key_of(&self, lease: &Lease) -> PartitionKey {
        let own = lease.partition_value().filter(|_| self.own_key);
        PartitionKey::from(own.unwrap_or(lease.id()))
    }

    fn what(&self) -> String {
        format!("the lease container {}", self.container.path())
    }
}

impl LeaseStorage for LeaseStore {
    async fn list(&self, prefix: &LeasePrefix) -> Result<Vec<Lease>, CosmosError> {
        let sql = "SELECT * FROM c WHERE STARTSWITH(c.id, @prefix)";
        let rows = self.container.query(sql, &[("@prefix", json!(prefix.leases()))]).await?;
        // Something that is no lease must not stop the rest; it is not ours to judge either.
        Ok(rows.iter().filter_map(|row| Lease::parse(row).ok()).collect())
    }

    async fn read(&self, lease: &Lease) -> Result<Option<Lease>, CosmosError> {
        let Some(found) = self.container.read(lease.id(), &self.key_of(lease)).await? else {
            return Ok(None);
        };
        let lease = Lease::parse(&found.body)
            .map_err(|e| CosmosError::Unreadable(format!("{} in {}", e, self.what())))?;
        Ok(Some(lease))
    }

    async fn create(&self, lease: &mut Lease) -> Result<(), CosmosError> {
        if self.own_key && lease.partition_value().is_none() {
            lease.set_partition_value(lease.id().to_owned());
        }
        let receipt = self.container.create(&self.key_of(lease), &lease.to_json()).await?;
        lease.set_etag(&receipt.etag);
        Ok(())
    }

    async fn replace(&self, lease: &mut Lease) -> Result<(), CosmosError> {
        let key = self.key_of(lease);
        let receipt = self.container.replace(lease.id(), &key, &lease.to_json(), lease.etag()).await?;
        lease.set_etag(&receipt.etag);
        Ok(())
    }

    async fn delete(&self, lease: &Lease) -> Result<(), CosmosError> {
        self.container.delete(lease.id(), &self.key_of(lease), None).await.map(|_| ())
    }

    async fn marker(&self, id: &str) -> Result<Option<Marker>, CosmosError> {
        let Some(found) = self.container.read(id, &PartitionKey::from(id)).await? else { return Ok(None) };
        let body: Value = serde_json::from_slice(&found.body)
            .map_err(|e| CosmosError::Unreadable(format!("{id} in {}: {e}", self.what())))?;
        Ok(Some(Marker {
            etag: found.etag,
            ts: body["_ts"].as_i64().unwrap_or(0),
            ttl: body["ttl"].as_i64(),
        }))
    }

    async fn create_marker(&self, id: &str, ttl: Option<i64>) -> Result<String, CosmosError> {
        let mut body = json!({ "id": id });
        if self.own_key {
            body["partitionKey"] = id.into();
        }
        if let Some(ttl) = ttl {
            body["ttl"] = ttl.into();
        }
        let receipt = self.container.create(&PartitionKey::from(id), body.to_string().as_bytes()).await?;
        Ok(receipt.etag)
    }

    async fn delete_marker(&self, id: &str, etag: &str) -> Result<(), CosmosError> {
        self.container.delete(id, &PartitionKey::from(id), Some(etag)).await.map(|_| ())
    }
}

/// All prefixes in a lease container with the number of their leases, in order of the prefix.
pub async fn all_prefixes(container: &Container) -> Result<Vec<(LeasePrefix, usize)>, CosmosError> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for row in container.query("SELECT VALUE c.id FROM c", &[]).await? {
        let Ok(id) = serde_json::from_slice::<String>(&row) else { continue };
        let Some(id) = LeaseId::parse(&id) else { continue };
        let count = found.entry(id.prefix.as_str().to_owned()).or_default();
        *count += usize::from(matches!(id.part, IdPart::Lease(_)));
    }
    Ok(found.into_iter().map(|(prefix, count)| (LeasePrefix::from_raw(prefix), count)).collect())
}
