//! `/_emulator/…`: what a test may do to the emulator from outside, unsigned. We listen on loopback
//! only, and demand JSON, which no page of a browser may send here unasked.
//!
//! | request | effect |
//! | --- | --- |
//! | `POST /_emulator/faults` | adds a [`Fault`](super::Fault), or an array of them |
//! | `GET`, `DELETE /_emulator/faults` | lists them, clears them |
//! | `POST /_emulator/split` | `{"database":"shop","container":"prices","range":0}` → `{"ranges":[4,5]}` |
//! | `POST /_emulator/merge` | `{"database":"shop","container":"prices","ranges":[4,5]}` → `{"range":6}` |

use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::catalog::Catalog;
use super::errors::{bad_request, not_found};
use super::faults::{Fault, Faults};
use super::feed::topology::TopologyError;

/// The prefix of all control requests.
pub(super) const PREFIX: &str = "/_emulator/";

#[derive(Deserialize)]
#[serde(untagged)]
enum Sent {
    Many(Vec<Fault>),
    One(Fault),
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

/// Answers a control request.
pub(super) fn answer(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
    catalog: &Catalog,
    faults: &Faults,
) -> Answer {
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
            Ok(Sent::One(fault)) => add(faults, vec![fault]),
            Ok(Sent::Many(many)) => add(faults, many),
            Err(_) => bad_request("not a fault, nor an array of faults: see the documentation of its fields"),
        },
        (&Method::POST, "split") => topology(catalog, body, |place, ranges| {
            ranges.split(place.range).map(|ids| json!({ "ranges": ids }))
        }),
        (&Method::POST, "merge") => topology(catalog, body, |place, ranges| {
            ranges.merge(place.ranges).map(|id| json!({ "range": id }))
        }),
        _ => not_found(),
    }
}

fn add(faults: &Faults, many: Vec<Fault>) -> Answer {
    for fault in many {
        faults.add(fault);
    }
    Answer::json(StatusCode::CREATED, json!(faults.list()).to_string())
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
