//! Reads entries of any type: first type and TTL, then the value in the way that its type needs.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use redis::{Pipeline, Value};

use super::distributed::DistributedExpiry;
use super::guard::VERSION_FIELD;
use super::key_text::bytes_of;
use super::link::error_line;
use super::status::text;

/// Fields of a hash that are read at most; bigger ones are marked as cut.
const MAX_FIELDS: usize = 512;

/// What a key held when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Redis type: `string`, `hash`, `list`, `ReJSON-RL`, …
    pub kind: String,
    /// How the value was written, as far as can be told.
    pub encoding: Encoding,
    /// The payload: the string; the `data` of an `IDistributedCache` hash; a JSON object of a hash's
    /// fields (values as JSON strings); RedisJSON's document. Empty for other types.
    pub value: Bytes,
    /// The value was longer than asked for, and was cut.
    pub cut: bool,
    /// Length in bytes of the whole value (of a hash: of the fields read, names and values). 0 for other types.
    pub size: u64,
    /// When it expires, by our clock; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// What an `IDistributedCache` hash says of its own end; `None` for other encodings.
    pub distributed: Option<DistributedExpiry>,
}

/// How a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// A string.
    Text,
    /// A hash with a field per property.
    Fields,
    /// .NET's `IDistributedCache`: a hash of `absexp`, `sldexp` and `data` (aspnetcore `RedisCache`).
    DistributedCache,
    /// RedisJSON.
    Json,
    /// A type that no mapping writes.
    Other,
}

/// Type and TTL of a key.
#[derive(Debug)]
pub(super) struct Head {
    kind: String,
    expires_at: Option<Timestamp>,
}

/// What was asked for one key in the second round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Nothing,
    Text,
    Hash,
    Json,
}

impl Body {
    fn of(kind: &str) -> Self {
        match kind {
            "string" => Self::Text,
            "hash" => Self::Hash,
            "ReJSON-RL" => Self::Json,
            _ => Self::Nothing,
        }
    }

    fn replies(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Json => 1,
            Self::Text | Self::Hash => 2,
        }
    }
}

pub(super) fn head_pipeline(keys: &[String]) -> Pipeline {
    let mut pipe = Pipeline::with_capacity(keys.len() * 2);
    for key in keys {
        let key = &*bytes_of(key);
        pipe.cmd("TYPE").arg(key).cmd("PTTL").arg(key);
    }
    pipe
}

/// `Ok(None)` where there is no such key, the server's words where it refused.
pub(super) fn heads(replies: Vec<Value>) -> Vec<Result<Option<Head>, String>> {
    let now = Timestamp::now();
    let mut heads = Vec::with_capacity(replies.len() / 2);
    let mut replies = replies.into_iter();
    while let (Some(kind), Some(ttl)) = (replies.next(), replies.next()) {
        heads.push(match text(&kind) {
            Some(kind) if kind == "none" => Ok(None),
            Some(kind) => Ok(Some(Head { kind, expires_at: expiry(now, &ttl) })),
            None => Err(error_line(kind).unwrap_or_else(|| "ERR TYPE is not a text".into())),
        });
    }
    heads
}

fn expiry(now: Timestamp, ttl: &Value) -> Option<Timestamp> {
    match ttl {
        Value::Int(millis) if *millis >= 0 => now.checked_add(SignedDuration::from_millis(*millis)).ok(),
        _ => None,
    }
}

pub(super) fn body_pipeline(
    keys: &[String],
    heads: &[Option<Head>],
    max_value: usize,
) -> (Pipeline, Vec<Body>) {
    let mut pipe = Pipeline::with_capacity(keys.len() * 2);
    let mut plan = Vec::with_capacity(keys.len());
    for (key, head) in keys.iter().zip(heads) {
        let key = &*bytes_of(key);
        let body = head.as_ref().map_or(Body::Nothing, |head| Body::of(&head.kind));
        match body {
            Body::Nothing => {}
            Body::Text => {
                pipe.cmd("STRLEN").arg(key);
                pipe.cmd("GETRANGE").arg(key).arg(0).arg(max_value.saturating_sub(1));
            }
            Body::Hash => {
                // HSCAN gives a small hash at once and a huge one in bounded portions, unlike HGETALL.
                pipe.cmd("HMGET").arg(key).arg("absexp").arg("sldexp").arg("data");
                pipe.cmd("HSCAN").arg(key).arg(0).arg("COUNT").arg(MAX_FIELDS);
            }
            Body::Json => {
                pipe.cmd("JSON.GET").arg(key);
            }
        }
        plan.push(body);
    }
    (pipe, plan)
}

pub(super) fn assemble(
    heads: Vec<Option<Head>>,
    plan: &[Body],
    bodies: Vec<Value>,
    max_value: usize,
) -> Vec<Option<Entry>> {
    let mut bodies = bodies.into_iter();
    heads
        .into_iter()
        .zip(plan)
        .map(|(head, &body)| {
            let replies: Vec<Value> = bodies.by_ref().take(body.replies()).collect();
            head.and_then(|head| entry(head, body, replies, max_value))
        })
        .collect()
}

/// `None` where the key went away or changed its type between the two round trips: its next change tells.
fn entry(head: Head, body: Body, replies: Vec<Value>, max_value: usize) -> Option<Entry> {
    let Head { kind, expires_at } = head;
    let mut distributed = None;
    let (encoding, value, size) = match body {
        Body::Nothing => (Encoding::Other, Bytes::new(), 0),
        Body::Text => {
            let mut replies = replies.into_iter();
            let (Some(Value::Int(length)), Some(Value::BulkString(value))) = (replies.next(), replies.next())
            else {
                return None;
            };
            if length == 0 && value.is_empty() {
                // Also what a key that has just gone looks like; an empty string is as good as that.
                (Encoding::Text, Bytes::new(), 0)
            } else {
                (Encoding::Text, Bytes::from(value), u64::try_from(length).unwrap_or(0))
            }
        }
        Body::Hash => hash(replies, &mut distributed)?,
        Body::Json => {
            let document = Bytes::from(text(&replies.into_iter().next()?)?);
            let size = document.len() as u64;
            (Encoding::Json, document, size)
        }
    };
    let limited = value.slice(..value.len().min(max_value));
    let cut = (limited.len() as u64) < size && encoding == Encoding::Text || limited.len() < value.len();
    Some(Entry { kind, encoding, value: limited, cut, size, expires_at, distributed })
}

fn hash(replies: Vec<Value>, distributed: &mut Option<DistributedExpiry>) -> Option<(Encoding, Bytes, u64)> {
    let mut replies = replies.into_iter();
    let known: [Option<Vec<u8>>; 3] = redis::from_redis_value(replies.next()?).ok()?;
    let (_, flat): (u64, Vec<Vec<u8>>) = redis::from_redis_value(replies.next()?).ok()?;
    if flat.is_empty() {
        return None;
    }
    let flat: Vec<(Vec<u8>, Vec<u8>)> = flat
        .chunks_exact(2)
        .filter(|pair| pair[0] != VERSION_FIELD.as_bytes())
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect();
    let size = flat.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum();
    if let [Some(absexp), Some(sldexp), Some(data)] = known
        && let Some(expiry) = DistributedExpiry::decode(&absexp, &sldexp)
    {
        *distributed = Some(expiry);
        return Some((Encoding::DistributedCache, Bytes::from(data), size));
    }
    let fields: serde_json::Map<String, serde_json::Value> = flat
        .iter()
        .map(|(name, value)| {
            let [name, value] = [name, value].map(|part| String::from_utf8_lossy(part).into_owned());
            (name, serde_json::Value::String(value))
        })
        .collect();
    Some((Encoding::Fields, Bytes::from(serde_json::Value::Object(fields).to_string()), size))
}
