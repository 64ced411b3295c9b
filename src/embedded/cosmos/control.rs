//! `/_emulator/…`: what a test may do to the emulator from outside, unsigned. We listen on loopback
//! only, and demand JSON and a local name in `Host`, which no page of a browser may send here unasked.
//!
//! | request | effect |
//! | --- | --- |
//! | `POST /_emulator/faults` | adds a [`Fault`](super::Fault) (`{"status":503,"next":3}`), a text as for `--fault` (`"503:next=3"`, `"split:at=5s"`), or an array of both |
//! | `GET`, `DELETE /_emulator/faults` | lists them, clears them |
//! | `POST /_emulator/split` | `{"database":"shop","container":"prices","range":0}` → `{"ranges":[4,5]}` |
//! | `POST /_emulator/save` | saves the state to the file of `--save`; answers `{"file":…,"documents":…,"entries":…}` |
//! | `POST /_emulator/merge` | `{"database":"shop","container":"prices","ranges":[4,5]}` → `{"range":6}` |

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::answer::Answer;
use super::catalog::Catalog;
use super::errors::{bad_request, internal, not_found, refusal};
use super::faults::Fault;
use super::feed::topology::TopologyError;
use super::injection::Injection;
use super::service::{SaveRequest, Service};

/// The prefix of all control requests.
pub(super) const PREFIX: &str = "/_emulator/";

#[derive(Deserialize)]
#[serde(untagged)]
enum Sent {
    Many(Vec<One>),
    One(One),
}

/// By its fields, or as text of the command line.
#[derive(Deserialize)]
#[serde(untagged)]
enum One {
    Text(String),
    Fields(Box<Fault>),
}

#[derive(Deserialize)]
struct Place {
    database: String,
    container: String,
    #[serde(default)]
    range: u32,
    #[serde(default)]
    ranges: [u32; 2],
}

/// One control request.
pub(super) struct Request<'r> {
    pub(super) method: &'r Method,
    pub(super) path: &'r str,
    /// Of the address, where HTTP/2 has it.
    pub(super) host: Option<String>,
    pub(super) headers: &'r HeaderMap,
    pub(super) body: &'r [u8],
}

/// Answers a control request.
pub(super) async fn answer(
    request: &Request<'_>,
    service: &Arc<Service>,
    saver: Option<&mpsc::Sender<SaveRequest>>,
) -> Answer {
    let Request { method, path, headers, body, .. } = *request;
    if !request.is_local() {
        return refusal(
            StatusCode::FORBIDDEN,
            0,
            "Forbidden",
            "Control requests come from this machine only.",
        );
    }
    let (catalog, faults) = (service.catalog(), service.faults());
    let json = headers.get("content-type").is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
    if *method == Method::POST && !json {
        return bad_request("control requests are application/json");
    }
    match (method, path.strip_prefix(PREFIX).unwrap_or_default()) {
        (&Method::GET, "faults") => Answer::json(StatusCode::OK, json!(faults.list()).to_string()),
        (&Method::DELETE, "faults") => {
            faults.clear();
            Answer::new(StatusCode::NO_CONTENT)
        }
        (&Method::POST, "faults") => match serde_json::from_slice(body) {
            Ok(Sent::One(one)) => add(service, vec![one]),
            Ok(Sent::Many(many)) => add(service, many),
            Err(_) => bad_request("not a fault, nor an array of faults: see the documentation of its fields"),
        },
        (&Method::POST, "save") => save(saver).await,
        (&Method::POST, "split") => topology(catalog, body, |place, ranges| {
            ranges.split(place.range).map(|ids| json!({ "ranges": ids }))
        }),
        (&Method::POST, "merge") => topology(catalog, body, |place, ranges| {
            ranges.merge(place.ranges).map(|id| json!({ "range": id }))
        }),
        _ => not_found(),
    }
}

impl Request<'_> {
    /// A page that has a name of its own point at us still says that name.
    fn is_local(&self) -> bool {
        let header = self.headers.get("host").and_then(|host| host.to_str().ok());
        let host = self.host.as_deref().or(header).unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        matches!(name, "localhost" | "127.0.0.1" | "[::1]" | "::1")
    }
}

async fn save(saver: Option<&mpsc::Sender<SaveRequest>>) -> Answer {
    const NOBODY: &str = "There is no file to save to: start the emulator with --save FILE.";
    let Some(saver) = saver else { return bad_request(NOBODY) };
    let (sender, saved) = oneshot::channel();
    if saver.try_send(sender).is_err() {
        return refusal(
            StatusCode::TOO_MANY_REQUESTS,
            3200,
            "TooManyRequests",
            "The state is being saved already.",
        );
    }
    match saved.await {
        Ok(Ok(done)) => Answer::json(StatusCode::OK, done.to_string()),
        Ok(Err(reason)) => internal(&reason),
        Err(_) => internal("the emulator is stopping"),
    }
}

/// All of them, or none if one is wrong.
fn add(service: &Arc<Service>, many: Vec<One>) -> Answer {
    let read = |one| match one {
        One::Fields(fault) => Ok(Injection::Fault(*fault)),
        One::Text(text) => text.parse::<Injection>(),
    };
    match many.into_iter().map(read).collect::<Result<Vec<_>, _>>() {
        Ok(all) => {
            for injection in all {
                service.take(injection);
            }
            Answer::json(StatusCode::CREATED, json!(service.faults().list()).to_string())
        }
        Err(error) => bad_request(&error.to_string()),
    }
}

fn topology(
    catalog: &Catalog,
    body: &[u8],
    change: impl FnOnce(&Place, &mut super::feed::ranges::Ranges) -> Result<serde_json::Value, TopologyError>,
) -> Answer {
    let Ok(place) = serde_json::from_slice::<Place>(body) else {
        return bad_request("expected database, container and range or ranges");
    };
    let Some(container) = catalog.container(&place.database, &place.container) else {
        return not_found();
    };
    match change(&place, &mut container.ranges_mut()) {
        Ok(done) => Answer::json(StatusCode::OK, done.to_string()),
        Err(e) => bad_request(&e.to_string()),
    }
}
