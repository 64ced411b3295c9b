//! Events as lines for people and as JSON for programs.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::engine::{
    ChangeRow, DriftStatus, EntryRow, Finding, LeaseRow, LeaseSnapshot, Level, LogLine, Summary, SyncStatus,
};

/// Wall clock time of a row.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
}

/// A log line for stderr.
pub(super) fn log(line: &LogLine) -> String {
    let level = match line.level {
        Level::Info => "",
        Level::Warning => "warning: ",
        Level::Error => "error: ",
    };
    format!("{}  {level}{}: {}", clock(line.at), line.room, line.text)
}

/// Control characters would let a document write to the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// A change for people.
pub(super) fn change(row: &ChangeRow) -> String {
    let fields = row.fields.iter().map(|field| plain(&field.value)).collect::<Vec<_>>().join("  ");
    format!("{}  {}  {fields}", clock(row.seen_at), plain(&row.id))
}

/// A change for programs.
pub(super) fn change_json(row: &ChangeRow) -> Value {
    let fields: serde_json::Map<String, Value> =
        row.fields.iter().map(|field| (field.name.clone(), json!(field.value))).collect();
    json!({
        "seenAt": row.seen_at.to_string(),
        "id": row.id,
        "etag": row.etag,
        "lsn": row.lsn,
        "range": { "min": row.range.min, "max": row.range.max },
        "keys": row.keys,
        "fields": fields,
    })
}

/// A lease for people.
pub(super) fn lease(row: &LeaseRow) -> String {
    let owner = row.owner.as_deref().unwrap_or("-");
    let state = match (&row.owner, row.expired) {
        (None, _) => "free",
        (Some(_), true) => "expired",
        (Some(_), false) => "owned",
    };
    format!(
        "{:<24}  {state:<7}  {:<28}  at {:<12}  lag {}",
        plain(&row.token),
        plain(owner),
        row.continuation.as_deref().unwrap_or("-"),
        row.lag.map_or_else(|| "?".to_owned(), |lag| lag.to_string()),
    )
}

/// Leases for programs.
pub(super) fn leases_json(snapshot: &LeaseSnapshot) -> Value {
    let rows: Vec<Value> = snapshot
        .rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "token": row.token,
                "kind": format!("{:?}", row.kind),
                "owner": row.owner,
                "expired": row.expired,
                "heartbeat": row.heartbeat.map(|at| at.to_string()),
                "continuation": row.continuation,
                "lag": row.lag,
            })
        })
        .collect();
    json!({
        "readAt": snapshot.read_at.map(|at| at.to_string()),
        "container": snapshot.container,
        "prefix": snapshot.prefix,
        "leases": rows,
        "problem": snapshot.problem,
    })
}

/// An entry for people.
pub(super) fn entry(row: &EntryRow) -> String {
    let size = row.size.map_or_else(|| "-".to_owned(), |size| format!("{size} B"));
    let ttl = row.expires_at.map_or_else(|| "no expiry".to_owned(), |at| format!("until {}", clock(at)));
    format!("{}  {}  {size}  {ttl}  {}", clock(row.changed_at), plain(&row.key), row.state.name())
}

/// An entry for programs.
pub(super) fn entry_json(row: &EntryRow) -> Value {
    json!({
        "changedAt": row.changed_at.to_string(),
        "key": row.key,
        "type": row.kind,
        "size": row.size,
        "expiresAt": row.expires_at.map(|at| at.to_string()),
        "state": row.state.name(),
        "documentId": row.document_id,
    })
}

/// A wrong entry for people.
pub(super) fn finding(found: &Finding) -> String {
    let details = match found.details.as_slice() {
        [] => String::new(),
        details => format!("  ({})", plain(&details.join(", "))),
    };
    let (kind, cause) = (found.kind.word(), found.cause.words());
    format!("{kind:<14}  {}{details}  {cause}: {}", plain(&found.key), plain(&found.evidence))
}

/// A wrong entry for programs.
pub(super) fn finding_json(found: &Finding) -> Value {
    json!({
        "finding": found.kind.word(),
        "key": found.key,
        "id": found.id,
        "details": found.details,
        "reason": found.cause.word(),
        "evidence": found.evidence,
        "lsn": found.lsn,
        "leaseLsn": found.lease_lsn,
    })
}

/// What a verification found, for programs.
pub(super) fn summary_json(summary: &Summary) -> Value {
    json!({
        "documents": summary.documents,
        "inStep": summary.in_step,
        "missing": summary.missing,
        "stale": summary.stale,
        "wrongTtl": summary.wrong_ttl,
        "wrongEncoding": summary.wrong_encoding,
        "orphans": summary.orphans,
        "unsettled": summary.unsettled,
        "unmapped": summary.unmapped,
        "keys": summary.keys,
        "undecided": summary.undecided,
        "seconds": (summary.elapsed.as_secs_f64() * 1e3).round() / 1e3,
    })
}

/// The continuous verification for programs.
pub(super) fn drift_json(status: &DriftStatus) -> Value {
    let windows: Vec<Value> = status
        .windows
        .iter()
        .map(|window| {
            json!({
                "seconds": window.length.as_secs(),
                "compared": window.compared,
                "wrong": window.wrong,
                "share": window.share(),
                "inStep": window.nines(),
                "full": window.full,
            })
        })
        .collect();
    json!({
        "compared": status.compared,
        "wrong": status.wrong,
        "passes": status.passes,
        "passShare": status.pass_share,
        "windows": windows,
        "problem": status.problem,
    })
}

/// The sync for programs.
pub(super) fn sync_json(status: &SyncStatus) -> Value {
    json!({
        "phase": format!("{:?}", status.phase).to_lowercase(),
        "owned": status.owned,
        "leases": status.leases,
        "delivered": status.delivered,
        "setAside": status.set_aside,
        "rate": (status.rate * 10.0).round() / 10.0,
        "lag": status.lag,
        "idle": status.idle,
        "problem": status.problem,
    })
}
