//! A shared connection that comes back by itself: writing, reading and deleting entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use tokio::sync::Mutex;

use super::entry::{self, Entry};
use super::error::{CacheError, EntryError};
use super::guard;
use super::key_text::{bytes_of, text_of};
use super::link::{self, Opening, error_line, refused};
use super::reconnects::Reconnects;
use super::reserved::is_reserved_key;
use super::status::{self, ServerStatus};
use super::write::{self, CacheWrite};
use crate::config::RedisConnection;

/// Name of our connections in `CLIENT LIST`.
const CONNECTION_NAME: &str = "syncscope";

/// A multiplexed connection. Clones share it; requests of all clones are pipelined.
///
/// When the connection is lost, the next request opens a new one. A request that meets a connection
/// that had died before is sent once more: all requests here may be repeated without harm. Nobody
/// notices but [`Reconnects`].
#[derive(Clone)]
pub struct CacheClient {
    shared: Arc<Shared>,
}

struct Shared {
    target: RedisConnection,
    address: String,
    product: String,
    live: Mutex<Live>,
    reconnects: Reconnects,
    /// The server does not set several keys with one command.
    one_by_one: AtomicBool,
}

struct Live {
    connection: Option<MultiplexedConnection>,
    /// Counts the connections, so that a late failure does not close the next one.
    generation: u64,
}

impl std::fmt::Debug for CacheClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheClient")
            .field("address", &self.shared.address)
            .field("product", &self.shared.product)
            .finish_non_exhaustive()
    }
}

impl CacheClient {
    /// Connects, authenticates, selects the database and asks what kind of server it is.
    pub async fn connect(target: &RedisConnection) -> Result<Self, CacheError> {
        Self::connect_noting(target, Reconnects::default()).await
    }

    /// As [`CacheClient::connect`]; connections that are replaced are noted there.
    pub async fn connect_noting(
        target: &RedisConnection,
        reconnects: Reconnects,
    ) -> Result<Self, CacheError> {
        let address = link::address(target);
        let mut connection = link::open(Opening { target, push: None, name: CONNECTION_NAME }).await?;
        let mut pipe = Pipeline::new();
        pipe.cmd("INFO").arg("server");
        let reply = link::send(&mut connection, &pipe, &address).await?.pop();
        let product = status::product(&reply.as_ref().and_then(status::text).unwrap_or_default());
        let live = Mutex::new(Live { connection: Some(connection), generation: 0 });
        let one_by_one = AtomicBool::new(false);
        let shared = Shared { target: target.clone(), address, product, live, reconnects, one_by_one };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What answered at [`CacheClient::connect`]: `redis 7.0.15`, `valkey 9.1.2`, …
    pub fn product(&self) -> &str {
        &self.shared.product
    }

    /// `host:port`, without secrets.
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    /// Writes a batch as one pipeline; the outcome of each write is in the same order.
    ///
    /// An error means that nothing can be said of the batch: write it again.
    pub async fn write(&self, batch: &[CacheWrite]) -> Result<Vec<Result<(), EntryError>>, CacheError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let one_by_one = &self.shared.one_by_one;
        let (mut pipe, mut plan) = write::pipeline(batch, one_by_one.load(Ordering::Relaxed));
        let mut replies = self.run(&pipe).await?;
        if write::wants_one_by_one(&replies, &plan) {
            one_by_one.store(true, Ordering::Relaxed);
            (pipe, plan) = write::pipeline(batch, true);
            replies = self.run(&pipe).await?;
        }
        if write::script_is_missing(&replies) {
            // A server that has not seen the guard's script, or was restarted since.
            let mut load = Pipeline::new();
            load.cmd("SCRIPT").arg("LOAD").arg(guard::SCRIPT);
            self.single(&load).await?;
            replies = self.run(&pipe).await?;
        }
        Ok(write::outcomes(replies, &plan))
    }

    /// Reads one entry with at most `max_value` bytes of its value; `None` when there is no such key.
    pub async fn entry(&self, key: &str, max_value: usize) -> Result<Option<Entry>, CacheError> {
        Ok(self.entries(&[key.to_owned()], max_value).await?.pop().flatten())
    }

    /// Reads entries in two pipelined round trips; in the order of `keys`.
    pub async fn entries(&self, keys: &[String], max_value: usize) -> Result<Vec<Option<Entry>>, CacheError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let heads = entry::heads(self.run(&entry::head_pipeline(keys)).await?);
        if let Some(text) = heads.iter().find_map(|head| head.as_ref().err()) {
            return Err(refused(&self.shared.address, text.clone()));
        }
        let heads: Vec<_> = heads.into_iter().flatten().collect();
        let (pipe, plan) = entry::body_pipeline(keys, &heads, max_value);
        let bodies = if pipe.is_empty() { Vec::new() } else { self.run(&pipe).await? };
        Ok(entry::assemble(heads, &plan, bodies, max_value))
    }

    /// One step of SCAN: the next cursor (0 = done) and keys, as text that leads back to the key where it is
    /// not UTF-8, without those of our own that are no entries.
    pub async fn scan(
        &self,
        cursor: u64,
        pattern: Option<&str>,
        count: usize,
    ) -> Result<(u64, Vec<String>), CacheError> {
        let mut pipe = Pipeline::new();
        pipe.cmd("SCAN").arg(cursor);
        if let Some(pattern) = pattern {
            pipe.arg("MATCH").arg(pattern);
        }
        pipe.arg("COUNT").arg(count.max(1));
        let reply = self.single(&pipe).await?;
        redis::from_redis_value::<(u64, Vec<Vec<u8>>)>(reply)
            .map(|(next, keys)| {
                let keys = keys.into_iter().map(text_of);
                (next, keys.filter(|key| !is_reserved_key(key)).collect())
            })
            .map_err(|error| self.unexpected(format!("SCAN: {error}")))
    }

    /// Figures of the server and of our database.
    pub async fn status(&self) -> Result<ServerStatus, CacheError> {
        let mut pipe = Pipeline::new();
        pipe.cmd("INFO").cmd("DBSIZE");
        let mut replies = self.run(&pipe).await?.into_iter();
        let info = replies.next().unwrap_or(Value::Nil);
        let keys = replies.next().unwrap_or(Value::Nil);
        let Some(info) = status::text(&info) else {
            return Err(match error_line(info) {
                Some(text) => refused(&self.shared.address, text),
                None => self.unexpected("INFO is not a text".into()),
            });
        };
        let keys = match keys {
            Value::Int(keys) => u64::try_from(keys).ok(),
            _ => None,
        };
        Ok(ServerStatus::read(&info, keys))
    }

    /// Deletes exactly these keys (`UNLINK`); how many were there.
    pub async fn delete(&self, keys: &[String]) -> Result<u64, CacheError> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut pipe = Pipeline::new();
        pipe.cmd("UNLINK");
        for key in keys {
            pipe.arg(&*bytes_of(key));
        }
        match self.single(&pipe).await? {
            Value::Int(deleted) => Ok(u64::try_from(deleted).unwrap_or(0)),
            _ => Err(self.unexpected("UNLINK is not a number".into())),
        }
    }

    /// Runs a pipeline of one command; an error reply becomes an error.
    async fn single(&self, pipe: &Pipeline) -> Result<Value, CacheError> {
        match self.run(pipe).await?.pop() {
            Some(reply @ Value::ServerError(_)) => {
                Err(refused(&self.shared.address, error_line(reply).unwrap_or_default()))
            }
            Some(reply) => Ok(reply),
            None => Err(self.unexpected("no reply".into())),
        }
    }

    async fn run(&self, pipe: &Pipeline) -> Result<Vec<Value>, CacheError> {
        let (mut connection, generation, fresh) = self.connection().await?;
        match link::send(&mut connection, pipe, &self.shared.address).await {
            Err(CacheError::Lost { reason, .. }) if !fresh => {
                let lost = Instant::now();
                self.forget(generation).await;
                let (mut connection, next, opened) = self.connection().await?;
                let outcome = link::send(&mut connection, pipe, &self.shared.address).await;
                // Requests that were under way together lose one connection, not several.
                if outcome.is_ok() && opened {
                    self.shared.reconnects.add(reason, lost.elapsed());
                }
                self.judge(outcome, next).await
            }
            outcome => self.judge(outcome, generation).await,
        }
    }

    /// Gives up a connection that can no longer be trusted to answer in order and in time.
    async fn judge(
        &self,
        outcome: Result<Vec<Value>, CacheError>,
        generation: u64,
    ) -> Result<Vec<Value>, CacheError> {
        if let Err(CacheError::Lost { .. } | CacheError::Slow { .. } | CacheError::Unexpected { .. }) =
            &outcome
        {
            self.forget(generation).await;
        }
        outcome
    }

    /// The connection, its number, and whether it was opened just now.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64, bool), CacheError> {
        let mut live = self.shared.live.lock().await;
        if let Some(connection) = &live.connection {
            return Ok((connection.clone(), live.generation, false));
        }
        let opening = Opening { target: &self.shared.target, push: None, name: CONNECTION_NAME };
        let connection = link::open(opening).await?;
        live.generation += 1;
        live.connection = Some(connection.clone());
        Ok((connection, live.generation, true))
    }

    async fn forget(&self, generation: u64) {
        let mut live = self.shared.live.lock().await;
        if live.generation == generation {
            live.connection = None;
        }
    }

    fn unexpected(&self, what: String) -> CacheError {
        CacheError::Unexpected { address: self.shared.address.clone(), what }
    }
}
