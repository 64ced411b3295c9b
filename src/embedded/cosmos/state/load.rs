//! Reading the emulator's part of a state file. Nothing in a file is trusted: what cannot have been
//! written by us is refused with its reason, never taken and never a panic.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::value::RawValue;
use thiserror::Error;

use super::super::answer::Answer;
use super::super::catalog::Catalog;
use super::super::container::Container;
use super::super::document::{Document, Fields, Key, System, ordinal_of};
use super::super::feed::log::{Operation, Version};
use super::super::feed::ranges::Ranges;
use super::super::feed::snapshot::Told;
use super::super::keys::{self, Epk};
use super::super::request::Ask;
use super::super::store::Store;
use super::{ContainerLine, Database, Line};

/// Why a line was not taken; for the end of a sentence.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct StateFault(pub String);

impl StateFault {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Greatest number of a database or container that is made again; each before it costs some microseconds.
const MOST: u32 = 1_000_000;

/// Where the reading stands: lines follow their container's.
#[derive(Debug, Default)]
pub(in super::super) struct Loading {
    container: Option<Arc<Container>>,
    told: Told,
    /// Number of the last database, and of the last container of each: the store counts, and rids are
    /// made of the counts.
    last_database: u32,
    last_container: HashMap<String, u32>,
}

impl Loading {
    /// Takes one line.
    pub(in super::super) async fn take(
        &mut self,
        text: &str,
        store: &Store,
        catalog: &Catalog,
    ) -> Result<(), StateFault> {
        let line: Line<'_> = serde_json::from_str(text)
            .map_err(|error| StateFault(format!("it is not a line of a state file: {error}")))?;
        if let Some(database) = line.database {
            return self.database(&database, store, catalog).await;
        }
        if let Some(container) = line.container {
            self.told = Told::default();
            self.container = Some(self.made(container, store, catalog).await?);
            return Ok(());
        }
        let container =
            self.container.as_ref().ok_or_else(|| StateFault::new("no container comes before it"))?;
        let lsn = line.lsn.ok_or_else(|| StateFault::new("it has no lsn"))?;
        if let Some(document) = line.document {
            let document = Arc::new(document_of(document, lsn, line.part, container)?);
            return container.ranges_mut().put_back(&document).map_err(StateFault::new);
        }
        let container = Arc::clone(container);
        self.version(&line, lsn, &container)
    }

    async fn database(
        &mut self,
        database: &Database,
        store: &Store,
        catalog: &Catalog,
    ) -> Result<(), StateFault> {
        let number =
            number(&database.rid, 0).ok_or_else(|| StateFault::new("the database's rid is not one"))?;
        let skipped = number.checked_sub(self.last_database + 1);
        let skipped = skipped.ok_or_else(|| StateFault::new("databases come in the order of their rids"))?;
        store.skip_databases(skipped).await;
        self.last_database = number;
        let body = serde_json::json!({ "id": database.id }).to_string();
        let asked = ask(Method::POST, &["dbs"], HeaderMap::new(), body);
        let answer = catalog.create_database(store, &asked).await;
        if !answer.status.is_success() {
            return Err(refused("the database", &answer));
        }
        match catalog.database_rid(&database.id) {
            Some(rid) if rid == database.rid => Ok(()),
            _ => Err(StateFault::new("the database cannot have its rid again")),
        }
    }

    async fn made(
        &mut self,
        line: ContainerLine,
        store: &Store,
        catalog: &Catalog,
    ) -> Result<Arc<Container>, StateFault> {
        if catalog.database_rid(&line.database).is_none() {
            return Err(StateFault::new("the container's database does not come before it"));
        }
        let number = number(&line.rid, 4).ok_or_else(|| StateFault::new("the container's rid is not one"))?;
        let last = self.last_container.entry(line.database.clone()).or_default();
        // Making one takes two numbers: see the catalog.
        let skipped = number.checked_sub(*last + 2);
        let skipped = skipped.ok_or_else(|| StateFault::new("containers come in the order of their rids"))?;
        *last = number;
        store.skip_containers(&line.database, skipped).await;
        let mut headers = HeaderMap::new();
        if let Some(throughput) = line.throughput {
            headers.insert("x-ms-offer-throughput", HeaderValue::from(throughput));
        }
        let path = ["dbs", line.database.as_str(), "colls"];
        let asked = ask(Method::POST, &path, headers, line.definition.to_string());
        let answer = catalog.create_container(store, &asked, &line.database).await;
        if !answer.status.is_success() {
            return Err(refused("the container", &answer));
        }
        let made = catalog.container(&line.database, &line.id);
        let made = made.ok_or_else(|| StateFault::new("the container's definition has another id"))?;
        if made.rid != line.rid {
            return Err(StateFault::new("the container cannot have its rid again"));
        }
        let mut ranges = made.ranges_mut();
        *ranges = Ranges::restored(&line.layout, ranges.default_ttl()).map_err(StateFault)?;
        drop(ranges);
        Ok(made)
    }

    fn version(&mut self, line: &Line<'_>, lsn: u64, container: &Container) -> Result<(), StateFault> {
        let operation = match line.version.as_deref() {
            Some("create") => Operation::Create,
            Some("replace") => Operation::Replace,
            Some("delete") => Operation::Delete,
            Some("expire") => Operation::Expire,
            _ => return Err(StateFault::new("it is neither a document nor a version")),
        };
        let document = |raw: Option<&RawValue>, lsn, part| {
            raw.map(|raw| document_of(raw, lsn, part, container).map(Arc::new)).transpose()
        };
        let current = document(line.current, lsn, line.part)?;
        let mut previous = document(line.previous, line.previous_lsn.unwrap_or(0), 0)?;
        let named = || Some((Epk::try_from(line.epk.clone()?).ok()?, Box::from(line.id.as_deref()?)));
        let image = current.as_ref().or(previous.as_ref());
        let key: Key = image
            .map(|document| document.key.clone())
            .or_else(named)
            .ok_or_else(|| StateFault::new("it does not say of which document it is a version"))?;
        if operation != Operation::Create && previous.is_none() {
            previous = self.told.last(&key).cloned();
            if previous.is_none() {
                return Err(StateFault::new("the version before it is missing"));
            }
        }
        self.told.tell(key.clone(), current.as_ref());
        let version = Version { lsn, operation, ts: line.ts.unwrap_or(0), current, previous };
        container.ranges_mut().replay(&key, version).map_err(StateFault::new)
    }
}

fn document_of(raw: &RawValue, lsn: u64, part: u32, container: &Container) -> Result<Document, StateFault> {
    let broken = || StateFault::new("its document is not one that this emulator wrote");
    let text = Bytes::from(raw.get().to_owned());
    let system: System<'_> = serde_json::from_slice(&text).map_err(|_| broken())?;
    let fields = Fields::parse(&text).ok_or_else(broken)?;
    let id = fields.text("id").ok_or_else(broken)?;
    let value = serde_json::from_slice(&text).map_err(|_| broken())?;
    let epk = keys::of_document(&value, &container.key).map_err(StateFault::new)?;
    let ordinal = ordinal_of(&system.rid).ok_or_else(broken)?;
    let (etag, ts, ttl) = (Box::from(system.etag.as_ref()), system.ts, fields.integer("ttl"));
    drop(fields);
    Ok(Document { key: (epk, id.into()), text: text.clone(), etag, ts, ttl, lsn, part, ordinal })
}

/// The number in a rid's four bytes from `at`; the highest bit marks containers.
fn number(rid: &str, at: usize) -> Option<u32> {
    let bytes = STANDARD.decode(rid.replace('-', "/")).ok()?;
    let number = bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)?;
    Some(number & 0x7FFF_FFFF).filter(|number| (1..=MOST).contains(number))
}

fn ask(method: Method, segments: &[&str], headers: HeaderMap, body: String) -> Ask {
    let segments = segments.iter().map(|segment| (*segment).to_owned()).collect();
    Ask { method, segments, headers, body: Bytes::from(body) }
}

fn refused(what: &str, answer: &Answer) -> StateFault {
    let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    StateFault(format!("{what} could not be made: {}", said["message"].as_str().unwrap_or("no reason given")))
}
