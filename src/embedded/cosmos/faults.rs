//! Faults for the tests of any client: refusals, delays and dropped connections, on the next N
//! requests that match or on a share of them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::errors::refusal;
use super::request::Ask;

/// Faults held at once; the oldest goes when there are more.
const MAX_FAULTS: usize = 64;
/// Longest delay, milliseconds: an hour.
const MAX_DELAY: u64 = 3_600_000;

/// One fault. As JSON its fields are in camelCase; what is absent does not narrow it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fault {
    /// Only requests of this verb.
    pub method: Option<String>,
    /// Only requests whose path, decoded and by names, contains this: `/colls/prices/`.
    pub path: Option<String>,
    /// Only reads of a change feed.
    pub feed: bool,
    /// Answer with this status instead of doing what is asked.
    pub status: Option<u16>,
    /// Sub-status of the answer; 429 has 3200 and 410 has 1002 by default.
    pub sub_status: Option<u32>,
    /// `x-ms-retry-after-ms` of the answer.
    pub retry_after_ms: Option<u64>,
    /// Wait first, milliseconds.
    pub delay_ms: u64,
    /// Close the connection without an answer.
    pub drop: bool,
    /// Do what is asked, and only then refuse or close: the client cannot know that it was done.
    pub after: bool,
    /// Holds for so many matching requests; absent = until cleared.
    pub next: Option<u32>,
    /// Share of the matching requests, 0 to 1.
    pub rate: f64,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            method: None,
            path: None,
            feed: false,
            status: None,
            sub_status: None,
            retry_after_ms: None,
            delay_ms: 0,
            drop: false,
            after: false,
            next: None,
            rate: 1.0,
        }
    }
}

impl Fault {
    /// This status on the next `count` requests.
    pub fn status(status: u16, count: u32) -> Self {
        Self { status: Some(status), next: Some(count), ..Self::default() }
    }

    fn matches(&self, ask: &Ask) -> bool {
        let path = || format!("/{}/", ask.segments.join("/"));
        self.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(ask.method.as_str()))
            && (!self.feed
                || (ask.header("a-im").is_some() && ask.segments.last().is_some_and(|s| s == "docs")))
            && self.path.as_ref().is_none_or(|part| path().contains(part))
    }

    /// How long to wait first.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.min(MAX_DELAY))
    }

    /// The refusal, if the fault has one.
    pub(super) fn refusal(&self) -> Option<Answer> {
        let status = StatusCode::from_u16(self.status?).ok()?;
        let (code, sub, message) = match status.as_u16() {
            429 => (
                "TooManyRequests",
                3200,
                "Request rate is large. More Request Units may be needed, so no changes were made.",
            ),
            503 => ("ServiceUnavailable", 0, "Service is currently unavailable, please retry after a while."),
            410 => ("Gone", 1002, "The requested resource is no longer available at the server."),
            408 => ("RequestTimeout", 0, "The request timed out."),
            449 => (
                "RetryWith",
                0,
                "Conflicting request to resource has been attempted. Retry to avoid conflicts.",
            ),
            _ => ("InjectedFault", 0, "A fault that was asked for."),
        };
        let mut answer = refusal(status, self.sub_status.unwrap_or(sub), code, message);
        if let Some(wait) = self.retry_after_ms.or((status.as_u16() == 429).then_some(100)) {
            answer.set("x-ms-retry-after-ms", wait.to_string());
        }
        Some(answer)
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// One more.
    pub(super) fn add(&self, fault: Fault) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() >= MAX_FAULTS {
            faults.remove(0);
        }
        faults.push(fault);
    }

    /// None from now on.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What is in force.
    pub(super) fn list(&self) -> Vec<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The fault that this request meets, counted.
    pub(super) fn meet(&self, ask: &Ask) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let met = faults
            .iter_mut()
            .find(|fault| fault.matches(ask) && (fault.rate >= 1.0 || rand::random::<f64>() < fault.rate))?;
        if let Some(next) = &mut met.next {
            *next = next.saturating_sub(1);
        }
        let fault = met.clone();
        faults.retain(|fault| fault.next != Some(0));
        Some(fault)
    }
}
