//! All entries of a server as text and back, one line an entry, for state files:
//! `{"entry":{"db":0,"key":"price:p-1","expires":1790000000000,"string":"…"}}`.
//!
//! `expires` is in milliseconds since 1970; absent = never. The value is one of `string`, `hash` (pairs), `list`, `set`,
//! `zset` (pairs of member and score), or `dump` (base64 of Redis's own format) for any other type. A text that is not
//! UTF-8 is `{"base64":"…"}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisError, cmd, pipe};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Entries that a step of a scan looks at, and that are written in one go.
const STEP: usize = 200;
/// Bytes that are written in one go.
const STEP_BYTES: usize = 4 << 20;
/// No answer for so long is a failure.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// What went wrong with the cache.
#[derive(Debug, Error)]
pub enum CacheStateError {
    /// Its words.
    #[error("redis: {0}")]
    Redis(#[from] RedisError),
    /// A line that is not an entry.
    #[error("it is not an entry of a cache: {0}")]
    Line(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Bytes { base64: String },
}

impl Text {
    fn of(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes)
            .map_or_else(|e| Self::Bytes { base64: STANDARD.encode(e.into_bytes()) }, Self::Plain)
    }

    fn bytes(self) -> Result<Vec<u8>, CacheStateError> {
        match self {
            Self::Plain(text) => Ok(text.into_bytes()),
            Self::Bytes { base64 } => {
                STANDARD.decode(base64).map_err(|_| CacheStateError::Line("a value is not base64".to_owned()))
            }
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Value {
    String(Text),
    Hash(Vec<(Text, Text)>),
    List(Vec<Text>),
    Set(Vec<Text>),
    /// Scores as Redis writes them: `inf` is no JSON number.
    Zset(Vec<(Text, String)>),
    /// Base64.
    Dump(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    db: u32,
    key: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    #[serde(flatten)]
    value: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    entry: Entry,
}

async fn connect(url: &str) -> Result<MultiplexedConnection, RedisError> {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
    redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await
}

/// Reads all entries, some at a time.
pub(crate) struct EntryReader {
    connection: MultiplexedConnection,
    /// Databases with keys in them that are still to be read, the present one first.
    databases: Vec<u32>,
    /// Of the present database's scan; `None` = not begun.
    cursor: Option<u64>,
}

impl EntryReader {
    pub(crate) async fn open(url: &str) -> Result<Self, CacheStateError> {
        let mut connection = connect(url).await?;
        let info: String = cmd("INFO").arg("keyspace").query_async(&mut connection).await?;
        let number = |line: &str| line.strip_prefix("db")?.split(':').next()?.parse().ok();
        Ok(Self { connection, databases: info.lines().filter_map(number).collect(), cursor: None })
    }

    /// Lines of the next entries; `None` = there are no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<String>>, CacheStateError> {
        let Some(db) = self.databases.first().copied() else { return Ok(None) };
        if self.cursor.is_none() {
            cmd("SELECT").arg(db).query_async::<()>(&mut self.connection).await?;
        }
        let (next, keys): (u64, Vec<Vec<u8>>) = cmd("SCAN")
            .arg(self.cursor.unwrap_or(0))
            .arg("COUNT")
            .arg(STEP)
            .query_async(&mut self.connection)
            .await?;
        self.cursor = Some(next);
        if next == 0 {
            self.databases.remove(0);
            self.cursor = None;
        }
        let mut kinds = pipe();
        for key in &keys {
            kinds.cmd("TYPE").arg(key).cmd("PTTL").arg(key);
        }
        let kinds: Vec<(String, i64)> = pairs(kinds, keys.len(), &mut self.connection).await?;
        let now = Timestamp::now().as_millisecond();
        let mut lines = Vec::with_capacity(keys.len());
        for (key, (kind, ttl)) in keys.into_iter().zip(kinds) {
            // It may have gone in the meantime.
            let Some(value) = value(&key, &kind, &mut self.connection).await? else { continue };
            let expires = (ttl >= 0).then_some(now.saturating_add(ttl));
            let line = Line { entry: Entry { db, key: Text::of(key), expires, value } };
            let line =
                serde_json::to_string(&line).map_err(|error| CacheStateError::Line(error.to_string()))?;
            lines.push(line);
        }
        Ok(Some(lines))
    }
}

/// The answers of a pipeline, two by two.
async fn pairs(
    pipeline: Pipeline,
    many: usize,
    connection: &mut MultiplexedConnection,
) -> Result<Vec<(String, i64)>, RedisError> {
    if many == 0 {
        return Ok(Vec::new());
    }
    let answers: Vec<redis::Value> = pipeline.query_async(connection).await?;
    answers
        .chunks_exact(2)
        .map(|pair| {
            Ok((redis::from_redis_value(pair[0].clone())?, redis::from_redis_value(pair[1].clone())?))
        })
        .collect()
}

async fn value(
    key: &[u8],
    kind: &str,
    connection: &mut MultiplexedConnection,
) -> Result<Option<Value>, RedisError> {
    let texts = |all: Vec<Vec<u8>>| all.into_iter().map(Text::of).collect::<Vec<_>>();
    Ok(match kind {
        "none" => None,
        "string" => {
            let value: Option<Vec<u8>> = cmd("GET").arg(key).query_async(connection).await?;
            value.map(|value| Value::String(Text::of(value)))
        }
        "hash" => {
            let fields: Vec<(Vec<u8>, Vec<u8>)> = cmd("HGETALL").arg(key).query_async(connection).await?;
            let fields = fields.into_iter().map(|(name, value)| (Text::of(name), Text::of(value))).collect();
            Some(Value::Hash(fields))
        }
        "list" => {
            Some(Value::List(texts(cmd("LRANGE").arg(key).arg(0).arg(-1).query_async(connection).await?)))
        }
        "set" => Some(Value::Set(texts(cmd("SMEMBERS").arg(key).query_async(connection).await?))),
        "zset" => {
            let all = cmd("ZRANGE").arg(key).arg(0).arg(-1).arg("WITHSCORES").clone();
            let members: Vec<(Vec<u8>, String)> = all.query_async(connection).await?;
            Some(Value::Zset(members.into_iter().map(|(member, score)| (Text::of(member), score)).collect()))
        }
        _ => {
            let dump: Option<Vec<u8>> = cmd("DUMP").arg(key).query_async(connection).await?;
            dump.map(|dump| Value::Dump(STANDARD.encode(dump)))
        }
    })
}

/// Puts entries back, some at a time.
pub(crate) struct EntryWriter {
    connection: MultiplexedConnection,
    pending: Pipeline,
    bytes: usize,
    db: u32,
    /// The in-process server, which has strings and hashes only.
    in_process: bool,
}

impl EntryWriter {
    pub(crate) async fn open(url: &str, in_process: bool) -> Result<Self, CacheStateError> {
        Ok(Self { connection: connect(url).await?, pending: pipe(), bytes: 0, db: 0, in_process })
    }

    /// Takes a line; what it holds is in the cache after [`Self::finish`] at the latest.
    pub(crate) async fn put(&mut self, line: &str) -> Result<(), CacheStateError> {
        let parsed =
            serde_json::from_str::<Line>(line).map_err(|error| CacheStateError::Line(error.to_string()))?;
        let Entry { db, key, expires, value } = parsed.entry;
        if self.in_process && !matches!(value, Value::String(_) | Value::Hash(_)) {
            let what =
                "the in-process cache holds strings and hashes only: install redis-server to load this file";
            return Err(CacheStateError::Line(what.to_owned()));
        }
        if expires.is_some_and(|at| at <= Timestamp::now().as_millisecond()) {
            return Ok(());
        }
        if db != self.db {
            self.pending.cmd("SELECT").arg(db).ignore();
            self.db = db;
        }
        let key = key.bytes()?;
        self.pending.cmd("DEL").arg(&key).ignore();
        if let Some(fill) = filling(&key, value)? {
            self.pending.add_command(fill).ignore();
        }
        if let Some(at) = expires {
            self.pending.cmd("PEXPIREAT").arg(&key).arg(at).ignore();
        }
        self.bytes += line.len();
        if self.pending.len() >= 3 * STEP || self.bytes >= STEP_BYTES {
            self.finish().await?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub(crate) async fn finish(&mut self) -> Result<(), CacheStateError> {
        if !self.pending.is_empty() {
            self.pending.query_async::<()>(&mut self.connection).await?;
        }
        self.pending = pipe();
        self.bytes = 0;
        Ok(())
    }
}

/// The command that makes a value; `None`: it has no elements, so there is no such entry.
fn filling(key: &[u8], value: Value) -> Result<Option<Cmd>, CacheStateError> {
    let mut fill = Cmd::new();
    let mut elements = 0;
    match value {
        Value::String(text) => return Ok(Some(fill.arg("SET").arg(key).arg(text.bytes()?).clone())),
        Value::Dump(dump) => {
            let dump = Text::Bytes { base64: dump }.bytes()?;
            return Ok(Some(fill.arg("RESTORE").arg(key).arg(0).arg(dump).clone()));
        }
        Value::Hash(fields) => {
            fill.arg("HSET").arg(key);
            for (name, value) in fields {
                fill.arg(name.bytes()?).arg(value.bytes()?);
                elements += 1;
            }
        }
        Value::List(all) | Value::Set(all) if all.is_empty() => return Ok(None),
        Value::List(all) => {
            fill.arg("RPUSH").arg(key);
            for one in all {
                fill.arg(one.bytes()?);
                elements += 1;
            }
        }
        Value::Set(all) => {
            fill.arg("SADD").arg(key);
            for one in all {
                fill.arg(one.bytes()?);
                elements += 1;
            }
        }
        Value::Zset(all) => {
            fill.arg("ZADD").arg(key);
            for (member, score) in all {
                fill.arg(score).arg(member.bytes()?);
                elements += 1;
            }
        }
    }
    Ok((elements > 0).then_some(fill))
}
