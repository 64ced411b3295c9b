//! The containers that exist, by name and by rid, and their creation: the inner store is asked for
//! the answer, our ranges are kept beside it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use azure_data_cosmos_driver::models::PartitionKeyDefinition;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::answer::Answer;
use super::container::Container;
use super::errors::bad_request;
use super::feed::ranges::Ranges;
use super::ids::refused_resource;
use super::keys::Epk;
use super::request::Ask;
use super::store::Store;

/// What exists.
#[derive(Debug)]
pub(super) struct Catalog {
    known: RwLock<Known>,
    /// One creation or deletion at a time: they are several steps at the inner store.
    changes: Mutex<()>,
    /// Physical ranges of a new container.
    partitions: u32,
    /// `database/container` of the one that has a single range.
    small: Option<String>,
}

#[derive(Debug, Default)]
struct Known {
    containers: HashMap<(String, String), Arc<Container>>,
    /// Database rid → name.
    databases: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Created {
    id: String,
    #[serde(rename = "_rid")]
    rid: String,
    #[serde(rename = "_self", default)]
    link: String,
    #[serde(rename = "partitionKey")]
    key: Option<PartitionKeyDefinition>,
    #[serde(rename = "defaultTtl", default)]
    default_ttl: Option<i64>,
}

impl Catalog {
    /// Nothing yet; containers will have this many ranges, the small one a single one.
    pub(super) fn new(partitions: u32, small: Option<String>) -> Self {
        let partitions = partitions.clamp(1, 100);
        Self { known: RwLock::default(), changes: Mutex::new(()), partitions, small }
    }

    /// The container of this name.
    pub(super) fn container(&self, database: &str, id: &str) -> Option<Arc<Container>> {
        let key = (database.to_owned(), id.to_owned());
        self.known().containers.get(&key).cloned()
    }

    /// The rid of a database.
    pub(super) fn database_rid(&self, id: &str) -> Option<String> {
        self.known().databases.iter().find(|(_, name)| *name == id).map(|(rid, _)| rid.clone())
    }

    /// Ids and rids of all databases, and all containers, in the order in which they were made.
    pub(super) fn everything(&self) -> (Vec<(String, String)>, Vec<Arc<Container>>) {
        let known = self.known();
        let mut databases: Vec<_> =
            known.databases.iter().map(|(rid, id)| (id.clone(), rid.clone())).collect();
        databases.sort_by_key(|(_, rid)| STANDARD.decode(rid.replace('-', "/")).unwrap_or_default());
        let mut containers: Vec<_> = known.containers.values().cloned().collect();
        containers
            .sort_by_key(|container| STANDARD.decode(container.rid.replace('-', "/")).unwrap_or_default());
        (databases, containers)
    }

    /// Puts names where a path has rids (.NET addresses ranges and documents so).
    pub(super) fn name_rids(&self, segments: &mut [String]) {
        let known = self.known();
        if let [dbs, database, ..] = &mut *segments
            && dbs == "dbs"
            && let Some(name) = known.databases.get(database.as_str())
        {
            database.clone_from(name);
        }
        if let [_, database, colls, container, ..] = &mut *segments
            && colls == "colls"
            && !known.containers.contains_key(&(database.clone(), container.clone()))
            && let Some(found) = known.containers.values().find(|c| c.rid == *container)
        {
            database.clone_from(&found.database);
            container.clone_from(&found.id);
        }
    }

    /// The link of the database or container of this rid, as their `_self` says it.
    pub(super) fn link_of(&self, rid: &str) -> Option<String> {
        let known = self.known();
        let of_database = || known.databases.contains_key(rid).then(|| format!("dbs/{rid}/"));
        known.containers.values().find(|c| c.rid == rid).map(|c| c.link.clone()).or_else(of_database)
    }

    /// Creates a database.
    pub(super) async fn create_database(&self, store: &Store, ask: &Ask) -> Answer {
        if let Some(refusal) = body_id(ask).and_then(|id| refused_resource(&id)) {
            return refusal;
        }
        let note = |body: &[u8]| {
            if let Ok(created) = serde_json::from_slice::<Created>(body) {
                self.known_mut().databases.insert(created.rid, created.id);
            }
        };
        self.change(store, ask, note).await
    }

    /// Deletes a database and what is in it.
    pub(super) async fn delete_database(&self, store: &Store, ask: &Ask, id: &str) -> Answer {
        let note = |_: &[u8]| {
            let mut known = self.known_mut();
            known.databases.retain(|_, name| name != id);
            known.containers.retain(|(database, _), _| database != id);
        };
        self.change(store, ask, note).await
    }

    /// Has a change made and takes note of it if it was; changes come one after the other.
    async fn change(&self, store: &Store, ask: &Ask, note: impl FnOnce(&[u8])) -> Answer {
        let _one = self.changes.lock().await;
        let answer = store.forward(ask).await;
        if answer.status.is_success() {
            note(&answer.body);
        }
        answer
    }

    /// Creates a container with our number of ranges.
    pub(super) async fn create_container(&self, store: &Store, ask: &Ask, database: &str) -> Answer {
        let ask = &of_java(ask);
        let Some(id) = body_id(ask) else {
            return bad_request("The request body has no id.");
        };
        if let Some(refusal) = refused_resource(&id) {
            return refusal;
        }
        let _one = self.changes.lock().await;
        // The store checks the request and makes its own four partitions; then we make it again
        // with ours, which its HTTP-shaped door does not offer.
        let first = store.forward(ask).await;
        if first.status != StatusCode::CREATED {
            return first;
        }
        let Some(definition) = serde_json::from_slice::<Value>(&ask.body)
            .ok()
            .and_then(|body| serde_json::from_value(body.get("partitionKey")?.clone()).ok())
        else {
            return first;
        };
        let path = ["dbs", database, "colls", id.as_str()];
        let is_small = self.small.as_ref().is_some_and(|small| *small == format!("{database}/{id}"));
        let partitions = if is_small { 1 } else { self.partitions };
        store.remake_container(&path, definition, partitions, ask).await;
        let mut answer = store.ask(&Method::PUT, &path, &HeaderMap::new(), ask.body.clone()).await;
        if !answer.status.is_success() {
            return answer;
        }
        answer.status = StatusCode::CREATED;
        let bounds = store.bounds(&path).await;
        if let Some(container) = container_of(database, &answer, &bounds) {
            container.offer(offered(ask));
            self.known_mut().containers.insert((database.to_owned(), id), Arc::new(container));
        }
        answer
    }

    /// Replaces a container's properties; the TTL is ours to keep.
    pub(super) async fn replace_container(
        &self,
        store: &Store,
        ask: &Ask,
        database: &str,
        id: &str,
    ) -> Answer {
        let note = |body: &[u8]| {
            if let Ok(replaced) = serde_json::from_slice::<Created>(body)
                && let Some(container) = self.container(database, id)
            {
                container.ranges_mut().set_default_ttl(replaced.default_ttl);
            }
        };
        self.change(store, &of_java(ask), note).await
    }

    /// Deletes a container.
    pub(super) async fn delete_container(
        &self,
        store: &Store,
        ask: &Ask,
        database: &str,
        id: &str,
    ) -> Answer {
        let note = |_: &[u8]| drop(self.known_mut().containers.remove(&(database.to_owned(), id.to_owned())));
        self.change(store, ask, note).await
    }

    /// Takes note of an offer as it was replaced: the throughput of a container.
    pub(super) fn note_offer(&self, body: &[u8]) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Offer {
            offer_resource_id: String,
            content: Content,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Content {
            offer_throughput: u32,
        }
        if let Ok(offer) = serde_json::from_slice::<Offer>(body)
            && let Some(container) =
                self.known().containers.values().find(|container| container.rid == offer.offer_resource_id)
        {
            container.offer(Some(offer.content.offer_throughput));
        }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The throughput that a creation asks for, request units a second: fixed, or the most of autoscale.
fn offered(ask: &Ask) -> Option<u32> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Autoscale {
        max_throughput: u32,
    }
    let fixed = ask.header("x-ms-offer-throughput").and_then(|text| text.trim().parse().ok());
    fixed.or_else(|| {
        let settings = ask.header("x-ms-cosmos-offer-autopilot-settings")?;
        serde_json::from_str::<Autoscale>(settings).ok().map(|settings| settings.max_throughput)
    })
}

/// A container's properties as the store takes them. Java's SDK sends a policy of unique keys with each container,
/// which the store refuses to change, and the version of the key as a name.
fn of_java(ask: &Ask) -> Ask {
    let mut ask = ask.clone();
    let Ok(mut sent) = serde_json::from_slice::<Value>(&ask.body) else { return ask };
    if let Some(sent) = sent.as_object_mut() {
        sent.remove("uniqueKeyPolicy");
    }
    if let Some(version) = sent.pointer_mut("/partitionKey/version")
        && let Some(number) = version.as_str().and_then(|name| name.strip_prefix('V')?.parse::<u8>().ok())
    {
        *version = number.into();
    }
    ask.body = sent.to_string().into();
    ask
}

fn body_id(ask: &Ask) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_slice::<Named>(&ask.body).ok().map(|named| named.id)
}

fn container_of(database: &str, answer: &Answer, bounds: &[Epk]) -> Option<Container> {
    let created: Created = serde_json::from_slice(&answer.body).ok()?;
    let ranges = Ranges::new(bounds, created.default_ttl);
    Some(Container::new(database, &created.id, &created.rid, &created.link, created.key?, ranges))
}
