//! What can go wrong with Cosmos DB, in the words of a person, and what to do next.
//! The table of statuses is the one of the SDK's own sources, tried against its emulator.

use std::time::Duration;

use azure_data_cosmos_driver as driver;
use thiserror::Error;

use crate::wording::counted;

/// A failed request to Cosmos DB. One line each; never a secret.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CosmosError {
    /// Nothing listens there, the name is unknown, or TLS failed.
    #[error("{address} cannot be reached: {cause}")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// The last cause of the chain.
        cause: String,
    },
    /// The connection was made, then reset, cut or silent for too long.
    #[error("{address} dropped the connection: {cause}")]
    Dropped {
        /// `host:port`.
        address: String,
        /// The last cause of the chain.
        cause: String,
    },
    /// 401: the signature was refused.
    #[error("{address} refuses the account key: {cause}")]
    WrongKey {
        /// `host:port`.
        address: String,
        /// The service's words.
        cause: String,
    },
    /// 403 because `x-ms-date` is too far from the service's clock.
    #[error("{address} refuses the request's time: {cause}")]
    Clock {
        /// `host:port`.
        address: String,
        /// The service's words; they hold its time.
        cause: String,
    },
    /// 403 for any other reason.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// 404: the database, container or document does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// 409: a document (or container, database) of this id is there already.
    #[error("{0} exists already")]
    Conflict(String),
    /// 412: somebody else wrote in between.
    #[error("{0} was changed by somebody else")]
    PreconditionFailed(String),
    /// 429, after the driver's own retries.
    #[error("too many requests{}", retry_after.map(|d| format!(", try again in {} ms", d.as_millis())).unwrap_or_default())]
    Throttled {
        /// What the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// 410/1002: this physical range is gone; read its children instead.
    #[error("range {0} is gone (split or merged)")]
    Gone(String),
    /// The scope is now served by several physical ranges: read one scope for each.
    #[error("the range is now served by {}", counted(.0.len(), "physical range"))]
    Split(Vec<super::PhysicalRange>),
    /// 410/1007, 500/20206: a split or merge is under way, for some seconds at most.
    #[error("a split or merge of {0} is under way")]
    SplitRunning(String),
    /// The container was deleted and made again: positions and ranges of the old one mean nothing.
    #[error("{0} was deleted and created again")]
    Recreated(String),
    /// 413.
    #[error("{0} is larger than Cosmos takes (2 MB)")]
    TooLarge(String),
    /// 400.
    #[error("{0}")]
    BadRequest(String),
    /// 408, 449: no answer in time, or a write that met another one.
    #[error("no answer in time: {0}")]
    Timeout(String),
    /// An answer that is not what the protocol says.
    #[error("an answer could not be read: {0}")]
    Unreadable(String),
    /// 501, or what this server does not do.
    #[error("the server does not do this: {0}")]
    Unsupported(String),
    /// Anything else.
    #[error("Cosmos answered {status}{}: {cause}", if *sub_status == 0 { String::new() } else { format!("/{sub_status}") })]
    Other {
        /// HTTP status.
        status: u16,
        /// `x-ms-substatus`, 0 if none.
        sub_status: u16,
        /// The service's words.
        cause: String,
    },
}

impl CosmosError {
    /// What failed, in one line.
    pub fn cause(&self) -> String {
        self.to_string()
    }

    /// Cause and remedy in one line.
    pub fn with_remedy(&self) -> String {
        format!("{}; {}", self.cause(), self.remedy())
    }

    /// What the user can do, in one line.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreachable { cause, .. } if is_tls(cause) => {
                "check https or http: the vNext emulator speaks http, the classic one https".into()
            }
            Self::Unreachable { .. } => {
                "start the emulator, or run `syncscope demo`; tried again by itself".into()
            }
            Self::Dropped { .. } | Self::Timeout(_) => {
                "it may be starting or overloaded; tried again by itself".into()
            }
            Self::WrongKey { .. } => "check AccountKey in --cosmos or SYNCSCOPE_COSMOS".into(),
            Self::Clock { .. } => "set this machine's clock".into(),
            Self::Forbidden(_) => "check the account's firewall and the key's rights".into(),
            Self::NotFound(_) => "create it, or check --database and --container".into(),
            Self::Conflict(_) => "use another id, or replace the document".into(),
            Self::PreconditionFailed(_) => "read it again, then write".into(),
            Self::Throttled { .. } => "raise the throughput or slow down; tried again by itself".into(),
            Self::Gone(_) | Self::Split(_) | Self::SplitRunning(_) => "handled by itself".into(),
            Self::Recreated(_) => "start the sync again: it gets new leases".into(),
            Self::TooLarge(_) => "make the document smaller".into(),
            Self::BadRequest(_) => "correct the request".into(),
            Self::Unreadable(_) | Self::Other { .. } => {
                "see the log (-v); tried again by itself where it can".into()
            }
            Self::Unsupported(_) => "use an account or emulator that does".into(),
        }
    }

    /// Whether waiting and trying again may help without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Dropped { .. }
            | Self::Throttled { .. }
            | Self::SplitRunning(_)
            | Self::Timeout(_) => true,
            Self::Other { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// Whether nobody answers at all.
    pub fn is_out_of_reach(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Dropped { .. } | Self::Timeout(_))
    }

    /// Whether the document, container or database was not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// What the service asks to wait before the next try, if it said.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => *retry_after,
            _ => None,
        }
    }
}

fn is_tls(cause: &str) -> bool {
    let cause = cause.to_ascii_lowercase();
    cause.contains("tls") || cause.contains("corrupt message") || cause.contains("certificate")
}

/// Maps the driver's error. `what` names the thing that was asked for, e.g. `document p-1 of shop/prices`.
pub(super) fn from_driver(error: &driver::CosmosError, address: &str, what: &str) -> CosmosError {
    let status = error.status();
    let code = u16::from(status.status_code());
    let sub = status.sub_status().map_or(0, |s| s.value());
    let words = words(error);
    let (address, what) = (address.to_owned(), what.to_owned());
    match (code, sub) {
        (503, 20003 | 20010 | 20004) => CosmosError::Unreachable { address, cause: root(error) },
        (503, 20011) => CosmosError::Dropped { address, cause: root(error) },
        (401, _) => CosmosError::WrongKey { address, cause: words },
        (403, _) if words.contains("not valid at the current time") => {
            CosmosError::Clock { address, cause: words }
        }
        (403, _) => CosmosError::Forbidden(words),
        (404, 1002) => CosmosError::Timeout(format!("{what}: the replica is behind this session")),
        (404, _) => CosmosError::NotFound(what),
        (409, _) => CosmosError::Conflict(what),
        (412, _) => CosmosError::PreconditionFailed(what),
        (429, _) => CosmosError::Throttled {
            retry_after: error.response().and_then(|r| r.headers().retry_after_ms).map(Duration::from_millis),
        },
        (410, 1007 | 1008) | (500, 20206) => CosmosError::SplitRunning(what),
        (410, 1000) => CosmosError::Recreated(what),
        (410, _) => CosmosError::Gone(what),
        (400, 0) if !error.is_from_wire() => CosmosError::Recreated(what),
        (413, _) => CosmosError::TooLarge(what),
        (400, _) => CosmosError::BadRequest(words),
        (408 | 449, _) => CosmosError::Timeout(format!("{what}: {words}")),
        (501, _) => CosmosError::Unsupported(words),
        _ if !error.is_from_wire() && matches!(sub, 20005..=20012) => {
            CosmosError::Dropped { address, cause: root(error) }
        }
        _ => CosmosError::Other { status: code, sub_status: sub, cause: words },
    }
}

/// The service's `message`, first line; else the first line of the driver's own text.
fn words(error: &driver::CosmosError) -> String {
    #[derive(serde::Deserialize)]
    struct Shape {
        message: String,
    }
    let body = error.response().and_then(|r| r.body().clone().single().ok());
    let text = body
        .and_then(|b| serde_json::from_slice::<Shape>(&b).ok())
        .map_or_else(|| error.to_string(), |shape| shape.message);
    one_line(&text)
}

/// The innermost cause: "Connection refused" says more than "request failed".
fn root(error: &driver::CosmosError) -> String {
    let mut at: &dyn std::error::Error = error;
    let mut depth = 0;
    while let Some(next) = at.source() {
        at = next;
        depth += 1;
    }
    if depth == 0 { words(error) } else { one_line(&at.to_string()) }
}

fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("no reason given");
    line.chars().take(LONGEST).collect()
}
