//! The signature of each request, checked as the service does: HMAC-SHA256 over verb, resource
//! type, resource link and date. Format: "Access control on Cosmos DB resources" (REST reference).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use sha2::Sha256;

use super::WELL_KNOWN_KEY;
use super::answer::Answer;
use super::errors::refusal;
use super::route::Path;

/// How far a request's date may be from our clock, either way.
const CLOCK_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// The account key, decoded; never shown.
pub(super) struct MasterKey(Vec<u8>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(***)")
    }
}

impl MasterKey {
    /// The key of all emulators.
    pub(super) fn well_known() -> Self {
        Self(STANDARD.decode(WELL_KNOWN_KEY).unwrap_or_default())
    }

    /// `Err` is the service's refusal: 401 for a wrong signature, 403 for a wrong clock.
    pub(super) fn check(
        &self,
        method: &str,
        path: &Path,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<(), Box<Answer>> {
        let Some(token) = text(headers, "authorization") else {
            return Err(Box::new(unauthorized(
                "Required Header authorization is missing. Ensure a valid Authorization token is passed.",
            )));
        };
        let date = text(headers, "x-ms-date").or_else(|| text(headers, "date")).unwrap_or_default();
        if !self.signed(token, method, path, date) {
            return Err(Box::new(wrong_signature()));
        }
        match jiff::fmt::rfc2822::parse(date) {
            Ok(sent) if (now.duration_since(sent.timestamp())).abs() <= CLOCK_WINDOW => Ok(()),
            Ok(_) => Err(Box::new(outside_window(date, now))),
            Err(_) => Err(Box::new(unauthorized(
                "The input date header is invalid format. Please pass in RFC 1123 style date format.",
            ))),
        }
    }

    fn signed(&self, token: &str, method: &str, path: &Path, date: &str) -> bool {
        let token = percent_decode_str(token).decode_utf8_lossy();
        let mut signature = None;
        let mut master = false;
        for part in token.split('&') {
            match part.split_once('=') {
                Some(("type", kind)) => master = kind == "master",
                Some(("sig", sig)) => signature = STANDARD.decode(sig).ok(),
                _ => {}
            }
        }
        let Some(signature) = signature.filter(|_| master) else { return false };
        let (kind, links) = path.signed_links();
        let (method, date) = (method.to_ascii_lowercase(), date.to_ascii_lowercase());
        links.iter().any(|link| {
            let plain = format!("{method}\n{kind}\n{link}\n{date}\n\n");
            Hmac::<Sha256>::new_from_slice(&self.0).is_ok_and(|mut mac| {
                mac.update(plain.as_bytes());
                mac.verify_slice(&signature).is_ok()
            })
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

fn unauthorized(message: &str) -> Answer {
    refusal(StatusCode::UNAUTHORIZED, 0, "Unauthorized", message)
}

fn wrong_signature() -> Answer {
    unauthorized(
        "The input authorization token can't serve the request. The wrong key is being used or the \
         expected payload is not built as per the protocol. For more info: \
         https://aka.ms/cosmosdb-tsg-unauthorized.",
    )
}

fn outside_window(date: &str, now: Timestamp) -> Answer {
    let server = now.strftime("%a, %d %b %Y %H:%M:%S GMT");
    refusal(
        StatusCode::FORBIDDEN,
        0,
        "Forbidden",
        &format!(
            "The authorization token is not valid at the current time. Please create another token \
             and retry (token start time: {date}, token expiry time: {date} + 15 min, current server \
             time: {server})."
        ),
    )
}
