//! One request from its arrival to its answer: path, authorization, body, dispatch.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use azure_data_cosmos_driver::binary_json;
use bytes::Bytes;
use futures::FutureExt as _;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::{RwLock, RwLockWriteGuard, mpsc, oneshot};
use url::Url;

use super::answer::Answer;
use super::authorization::MasterKey;
use super::budget::too_many_requests;
use super::catalog::Catalog;
use super::container::Container;
use super::errors::{bad_request, internal, not_found, too_large};
use super::faults::{Fault, Faults};
use super::feed::answer::Scope;
use super::feed::topology::TopologyError;
use super::ids::refused_document;
use super::injection::{Injection, TopologyChange, TopologyKind};
use super::request::Ask;
use super::route::Path;
use super::state::{Loading, Snapshot, StateFault};
use super::store::Store;
use super::tls::Tls;
use super::{batch, control, feed, offers, pkranges, points, queries, scan};

/// Largest body read, bytes: a batch may hold 2 MB of documents and their frame.
const MAX_BODY: usize = 4 << 20;

/// Where splits and merges take place unless said otherwise: the source.
const DEFAULT_CONTAINER: (&str, &str) = ("shop", "prices");

/// Where clients fetch the certificate, unsigned, as from the classic emulator.
const CERTIFICATE: &str = "/_explorer/emulator.pem";

/// A fault closed the connection.
#[derive(Debug, thiserror::Error)]
#[error("closed by a fault that was asked for")]
pub(super) struct Dropped;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Service {
    store: Store,
    catalog: Catalog,
    key: MasterKey,
    faults: Faults,
    /// Our address as the account advertises it, with the other scheme too.
    advertised: String,
    tls: Option<Arc<Tls>>,
    /// Held to read by every write, to write by a snapshot: one instant for all containers.
    gate: RwLock<()>,
    /// Who saves the state on request, if anybody.
    saver: OnceLock<mpsc::Sender<SaveRequest>>,
    /// Request units a second of a container without an offer; `None` = nothing is limited.
    throughput: Option<u32>,
}

/// A wish to save the state; answered with what was saved as JSON, or why not.
pub type SaveRequest = oneshot::Sender<Result<serde_json::Value, String>>;

/// Wishes that may wait at once; more are refused.
const SAVE_REQUESTS: usize = 4;

impl Service {
    /// A service over `store`, for those who hold `key`.
    pub(super) fn new(
        store: Store,
        catalog: Catalog,
        key: MasterKey,
        endpoint: &Url,
        tls: Option<Arc<Tls>>,
        throughput: Option<u32>,
    ) -> Self {
        let faults = Faults::default();
        let advertised = endpoint.to_string();
        let (gate, saver) = (RwLock::new(()), OnceLock::new());
        Self { store, catalog, key, faults, advertised, tls, gate, saver, throughput }
    }

    /// No write begins or goes on while the guard is held.
    pub(super) async fn pause(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().await
    }

    /// Everything as it is now; writes should be paused.
    pub(super) async fn snapshot(&self) -> Snapshot {
        let (databases, containers) = self.catalog.everything();
        let mut snapshot = Snapshot::new(databases);
        for container in containers {
            let path = ["dbs", container.database.as_str(), "colls", container.id.as_str()];
            let said = self.store.ask(&Method::GET, &path, &HeaderMap::new(), Bytes::new()).await;
            snapshot.add(&container, serde_json::from_slice(&said.body).unwrap_or_default());
        }
        snapshot
    }

    /// Takes a line of a state file.
    pub(super) async fn load(&self, loading: &mut Loading, line: &str) -> Result<(), StateFault> {
        loading.take(line, &self.store, &self.catalog).await
    }

    /// Puts a fault in force, or a change of topology on its way.
    pub(super) fn take(self: &Arc<Self>, injection: Injection) {
        let change = match injection {
            Injection::Fault(fault) => return self.faults.add(fault),
            Injection::Topology(change) => change,
        };
        // Whoever has stopped the emulator by then does not want it any more.
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(change.after).await;
            let Some(service) = service.upgrade() else { return };
            match service.change_topology(&change) {
                Ok(done) => tracing::info!("{done}"),
                Err(error) => {
                    tracing::warn!(%error, "a split or merge that was asked for did not take place");
                }
            }
        });
    }

    fn change_topology(&self, change: &TopologyChange) -> Result<String, TopologyError> {
        let usual = || (DEFAULT_CONTAINER.0.to_owned(), DEFAULT_CONTAINER.1.to_owned());
        let (database, id) = change.container.clone().unwrap_or_else(usual);
        let missing = || TopologyError::NoContainer(format!("{database}/{id}"));
        let container = self.catalog.container(&database, &id).ok_or_else(missing)?;
        let mut ranges = container.ranges_mut();
        match change.kind {
            TopologyKind::Split(range) => {
                let range = range.or_else(|| ranges.fullest()).ok_or_else(missing)?;
                let [a, b] = ranges.split(range)?;
                Ok(format!("range {range} of {database}/{id} was split into {a} and {b}"))
            }
            TopologyKind::Merge(pair) => {
                let [a, b] = pair.or_else(|| ranges.emptiest_pair()).ok_or(TopologyError::OneRange)?;
                let merged = ranges.merge([a, b])?;
                Ok(format!("ranges {a} and {b} of {database}/{id} were merged into {merged}"))
            }
        }
    }

    /// From now on wishes to save arrive here; only the first caller gets them.
    pub(super) fn save_requests(&self) -> mpsc::Receiver<SaveRequest> {
        let (sender, receiver) = mpsc::channel(SAVE_REQUESTS);
        let _only_the_first = self.saver.set(sender);
        receiver
    }

    /// What exists.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The faults in force.
    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Answers, whatever was asked. `Err`: the connection is to be closed instead, a fault's wish.
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        secure: bool,
    ) -> Result<Response<Full<Bytes>>, Dropped> {
        let answered = AssertUnwindSafe(self.serve(request, secure)).catch_unwind().await;
        answered.unwrap_or_else(|_| Ok(internal("the request was not understood"))).map(Response::from)
    }

    async fn serve(self: &Arc<Self>, request: Request<Incoming>, secure: bool) -> Result<Answer, Dropped> {
        let ask = match self.authorized(request).await {
            Ok(ask) => ask,
            Err(answer) => return Ok(*answer),
        };
        let fault = self.faults.meet(&ask);
        if let Some(fault) = &fault {
            tokio::time::sleep(fault.delay()).await;
        }
        if let Some(met) = fault.as_ref().filter(|fault| !fault.after).and_then(outcome) {
            return met;
        }
        let mut answer = self.dispatch(&ask).await;
        if let Some(owner) = owner_path(&ask.segments) {
            answer.set("x-ms-alt-content-path", owner);
        }
        if ask.segments.is_empty() {
            self.advertise(&mut answer, secure);
        }
        fault.as_ref().and_then(outcome).unwrap_or(Ok(answer))
    }

    /// Reads and checks a request. `Err` is its answer: a refusal, or of what needs no signature.
    async fn authorized(self: &Arc<Self>, request: Request<Incoming>) -> Result<Ask, Box<Answer>> {
        let (head, body) = request.into_parts();
        let whole = |body| async move {
            Limited::new(body, MAX_BODY)
                .collect()
                .await
                .map(Collected::to_bytes)
                .map_err(|_| Box::new(too_large()))
        };
        let path = head.uri.path();
        if path == CERTIFICATE {
            return Err(Box::new(self.certificate()));
        }
        if path.starts_with(control::PREFIX) {
            let body = whole(body).await?;
            let host = head.uri.host().map(str::to_owned);
            let request =
                control::Request { method: &head.method, path, host, headers: &head.headers, body: &body };
            let done = control::answer(&request, self, self.saver.get()).await;
            return Err(Box::new(done));
        }
        let wrong = |message| Box::new(bad_request(message));
        let path =
            Path::parse(path).ok_or_else(|| wrong("The request path is not a valid resource address."))?;
        self.key.check(head.method.as_str(), &path, &head.headers, Timestamp::now())?;
        let body = text_of(whole(body).await?)
            .ok_or_else(|| wrong("The request body is not valid in Cosmos's binary encoding."))?;
        let mut segments = path.into_segments();
        self.catalog.name_rids(&mut segments);
        let mut headers = head.headers;
        // Java's SDK begins a query with an empty continuation.
        if headers.get("x-ms-continuation").is_some_and(|v| v.as_bytes().trim_ascii().is_empty()) {
            headers.remove("x-ms-continuation");
        }
        Ok(Ask { method: head.method, segments, headers, body })
    }

    /// The account's address with the scheme that the client came by: http and https share the port.
    fn advertise(&self, answer: &mut Answer, secure: bool) {
        let Some((_, rest)) = self.advertised.split_once("://") else { return };
        let here = format!("{}://{rest}", if secure { "https" } else { "http" });
        if here != self.advertised
            && let Ok(account) = std::str::from_utf8(&answer.body)
        {
            answer.body = account.replace(&self.advertised, &here).into();
        }
    }

    fn certificate(&self) -> Answer {
        let Some(tls) = &self.tls else { return not_found() };
        let mut answer = Answer::new(StatusCode::OK);
        answer.set("content-type", "application/x-pem-file");
        answer.body = tls.pem.clone().into();
        answer
    }

    /// Does what an authorized request asks for.
    pub(super) async fn dispatch(&self, ask: &Ask) -> Answer {
        let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
        if let Some(refusal) = segments.iter().skip(1).step_by(2).find_map(|id| refused_document(id)) {
            return refusal;
        }
        let (store, catalog) = (&self.store, &self.catalog);
        let writes = ask.method != Method::GET && !ask.is_query();
        let _open = if writes { Some(self.gate.read().await) } else { None };
        match (&ask.method, segments.as_slice()) {
            (&Method::POST, ["dbs"]) if !ask.is_query() => catalog.create_database(store, ask).await,
            (&Method::DELETE, ["dbs", id]) => catalog.delete_database(store, ask, id).await,
            (&Method::POST, ["dbs", database, "colls"]) if !ask.is_query() => {
                catalog.create_container(store, ask, database).await
            }
            (&Method::PUT, ["dbs", database, "colls", id]) => {
                catalog.replace_container(store, ask, database, id).await
            }
            (&Method::DELETE, ["dbs", database, "colls", id]) => {
                catalog.delete_container(store, ask, database, id).await
            }
            (_, ["dbs", database, "colls", id, rest @ ..]) if !rest.is_empty() => {
                match catalog.container(database, id) {
                    Some(container) => self.inside(ask, &container, rest).await,
                    None => store.forward(ask).await,
                }
            }
            (_, ["offers", ..]) => offers::answer(store, ask, catalog).await,
            _ if ask.is_query() => queries::of_metadata(store, ask).await,
            _ => store.forward(ask).await,
        }
    }

    /// What is asked of a container that exists.
    async fn inside(&self, ask: &Ask, container: &Arc<Container>, rest: &[&str]) -> Answer {
        let limited = self.throughput.filter(|_| rest.first() == Some(&"docs"));
        let Some((ranges, rate)) = limited.and_then(|usual| shares(ask, container, usual)) else {
            return self.within(ask, container, rest).await;
        };
        if let Err(wait) = container.budgets.admit(&ranges, rate, Instant::now()) {
            return too_many_requests(wait);
        }
        let answer = self.within(ask, container, rest).await;
        container.budgets.spend(&ranges, answer.charge);
        answer
    }

    async fn within(&self, ask: &Ask, container: &Arc<Container>, rest: &[&str]) -> Answer {
        let store = &self.store;
        points::expire(container);
        match (&ask.method, rest) {
            (&Method::GET, ["pkranges"]) => pkranges::answer(ask, container),
            (&Method::GET, ["docs"]) if ask.header("a-im").is_some() => feed::answer::answer(ask, container),
            (&Method::GET, ["docs"]) => scan::read_all(ask, container),
            (&Method::POST, ["docs"]) if ask.flag("x-ms-cosmos-is-batch-request") => {
                batch::answer(ask, container)
            }
            (&Method::POST, ["docs"]) if ask.flag("x-ms-cosmos-is-query-plan-request") => {
                queries::plan(store, ask, container).await
            }
            (&Method::POST, ["docs"]) if ask.is_query() => queries::query(ask, container).await,
            (&Method::GET, ["docs", id]) => points::read(ask, container, id),
            (&Method::POST, ["docs"]) | (&Method::PUT | &Method::PATCH | &Method::DELETE, ["docs", _]) => {
                points::write(ask, container)
            }
            _ => store.forward(ask).await,
        }
    }
}

/// The ranges that a request is about, and the request units a second of each. `None`: the request is refused anyway.
fn shares(ask: &Ask, container: &Container, usual: u32) -> Option<(Vec<u32>, f64)> {
    let ranges = container.ranges();
    let scope = Scope::of(ask, container, &ranges).ok()?;
    let touched = scope.ranges(&ranges).iter().map(|range| range.id).collect();
    let whole = container.offered().unwrap_or(usual);
    Some((touched, f64::from(whole) / ranges.live().len() as f64))
}

/// The path by names of the database or container that holds what was asked for. Java's SDK builds the links of
/// containers with it, and its processor reads no feed without them.
fn owner_path(segments: &[String]) -> Option<String> {
    let [dbs, database, colls, rest @ ..] = segments else { return None };
    let owner = match rest {
        [] | [_] => format!("{dbs}/{database}"),
        [container, ..] => format!("{dbs}/{database}/{colls}/{container}"),
    };
    owner.is_ascii().then_some(owner)
}

/// What a fault makes of a request; `None`: only a delay.
fn outcome(fault: &Fault) -> Option<Result<Answer, Dropped>> {
    if fault.drop { Some(Err(Dropped)) } else { fault.refusal().map(Ok) }
}

/// The body as JSON text: the SDK for Rust sends documents in Cosmos's binary encoding by default.
fn text_of(body: Bytes) -> Option<Bytes> {
    if !binary_json::is_binary(&body) {
        return Some(body);
    }
    binary_json::transcode_to_text(&body).ok().map(Bytes::from)
}
