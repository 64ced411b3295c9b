//! Follows the cache: what was there before (SCAN), then every change (`CLIENT TRACKING … BCAST`, else
//! keyspace notifications if they are on, else SCAN again and again). Touches no key and no setting.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::CacheClient;
use super::entry::Entry;
use super::error::CacheError;
use super::inbox::Inbox;
use super::link::{self, Opening, error_line};
use super::status::{ServerStatus, text};
use crate::beat::beat;
use crate::config::RedisConnection;

/// Keys read in one pipeline at most.
const BATCH: usize = 512;
/// Bytes that a pipeline's values may take, judged by the batch before: entries of megabytes are read a few at a time.
const BATCH_BYTES: usize = 4 << 20;
/// Before anything is known of the values' size.
const FIRST_BATCH: usize = 32;
/// Between two looks at the server's figures, which are its health check too.
const STATUS: Duration = Duration::from_secs(2);
/// Between two SCANs where nothing better is possible.
const RESCAN: Duration = Duration::from_secs(2);
/// Batches of changes before the status and a SCAN under way get their turn.
const ROUNDS: usize = 32;
/// First pause after a lost connection; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A server that comes back is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How much is kept in view.
#[derive(Debug, Clone, Copy)]
pub struct ObserverOptions {
    /// Most entries whose values are read while scanning; the rest is only counted.
    pub window: usize,
    /// Batches of observations waiting for the receiver.
    pub channel: usize,
    /// Most bytes read of one value.
    pub max_value: usize,
}

impl Default for ObserverOptions {
    fn default() -> Self {
        Self { window: 10_000, channel: 64, max_value: 4 << 20 }
    }
}

/// How changes reach us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// `CLIENT TRACKING ON BCAST` over RESP3.
    Tracking,
    /// Keyspace notifications that somebody had switched on.
    Notifications,
    /// Repeated SCAN.
    Polling {
        /// Why nothing better is possible.
        reason: String,
    },
}

/// Something seen of the cache.
#[derive(Debug, Clone)]
pub enum Observation {
    /// A connection is up; everything is looked through from here.
    Connected {
        /// `redis 7.0.15`, …
        product: String,
    },
    /// No connection.
    Down {
        /// What failed.
        cause: String,
        /// What the user can do.
        remedy: String,
        /// Time to the next attempt.
        retry_in: Option<Duration>,
    },
    /// How changes are followed on this connection.
    Follow(Follow),
    /// Entries that were found or have changed.
    Entries(Vec<ObservedEntry>),
    /// Keys that are gone.
    Removed(Vec<String>),
    /// The cache was emptied.
    Flushed,
    /// Every key was looked at once.
    ScanDone,
    /// So many changes found no room: every key is looked at again from here.
    Overflowed(u64),
    /// The server's figures.
    Status(ServerStatus),
    /// Keys beyond the window, seen by the newest SCAN and not read.
    Dropped(u64),
}

/// An entry, and how it came to our notice.
#[derive(Debug, Clone)]
pub struct ObservedEntry {
    /// Key as text; where it is not UTF-8, a text that leads back to it.
    pub key: String,
    /// When the notice of its change arrived.
    pub notified_at: Instant,
    /// The same on the wall clock.
    pub seen_at: Timestamp,
    /// Found by SCAN: when it was written is not known.
    pub scanned: bool,
    /// What it held when it was read.
    pub entry: Entry,
}

/// Follows one database of one server.
#[derive(Debug)]
pub struct CacheObserver;

impl CacheObserver {
    /// Starts following; reconnects by itself until cancelled. The receiver slows the observer down,
    /// never the server: keys that change meanwhile are read once, later.
    pub fn start(
        connection: RedisConnection,
        options: ObserverOptions,
        cancel: CancellationToken,
    ) -> (mpsc::Receiver<Observation>, JoinHandle<()>) {
        let (out, observations) = mpsc::channel(options.channel.max(1));
        let task = tokio::spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = out.closed() => {}
                () = follow_for_ever(&connection, options, &out) => {}
            }
        });
        (observations, task)
    }
}

async fn follow_for_ever(
    connection: &RedisConnection,
    options: ObserverOptions,
    out: &mpsc::Sender<Observation>,
) {
    let mut pause = FIRST_PAUSE;
    let mut known = HashMap::new();
    loop {
        let error = match Following::begin(connection, options, out, std::mem::take(&mut known)).await {
            Ok(mut following) => {
                pause = FIRST_PAUSE;
                let error = following.run().await;
                known = following.known;
                error
            }
            Err(error) => error,
        };
        let retry_in = Some(pause);
        let down = Observation::Down { cause: error.cause(), remedy: error.remedy(), retry_in };
        if out.send(down).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One pair of connections: pushes come over one, values are read over the other.
struct Following<'a> {
    options: ObserverOptions,
    out: &'a mpsc::Sender<Observation>,
    reader: CacheClient,
    pushes: Option<MultiplexedConnection>,
    inbox: Arc<Inbox>,
    polling: bool,
    /// Keys to read at once, from 1 to [`BATCH`].
    batch: usize,
    /// Keys in view with a digest of what they held, at most `window`.
    known: HashMap<String, u64>,
    scan: Option<Scan>,
}

/// A SCAN under way.
#[derive(Debug, Default)]
struct Scan {
    cursor: u64,
    beyond: u64,
    seen: std::collections::HashSet<String>,
}

impl<'a> Following<'a> {
    async fn begin(
        connection: &RedisConnection,
        options: ObserverOptions,
        out: &'a mpsc::Sender<Observation>,
        known: HashMap<String, u64>,
    ) -> Result<Self, CacheError> {
        let reader = CacheClient::connect(connection).await?;
        let inbox = Arc::new(Inbox::default());
        let (pushes, follow) = subscribe(connection, &inbox).await?;
        let product = reader.product().to_owned();
        let polling = matches!(follow, Follow::Polling { .. });
        // A receiver that is gone ends the task elsewhere.
        let _ = out.send(Observation::Connected { product }).await;
        let _ = out.send(Observation::Follow(follow)).await;
        Ok(Self {
            options,
            out,
            reader,
            pushes,
            inbox,
            polling,
            batch: FIRST_BATCH,
            known,
            scan: Some(Scan::default()),
        })
    }

    /// Runs until the connection is lost.
    async fn run(&mut self) -> CacheError {
        let mut status = beat(STATUS);
        let mut rescan = tokio::time::interval_at(tokio::time::Instant::now() + RESCAN, RESCAN);
        loop {
            let step = tokio::select! {
                biased;
                _ = status.tick() => self.status().await,
                () = self.inbox.arrived() => match self.changes().await {
                    // A cache that never rests is looked through all the same.
                    Ok(()) if self.scan.is_some() => self.scan_on().await,
                    outcome => outcome,
                },
                () = std::future::ready(()), if self.scan.is_some() => self.scan_on().await,
                _ = rescan.tick(), if self.polling => {
                    self.scan = Some(Scan::default());
                    Ok(())
                }
            };
            if let Err(error) = step {
                return error;
            }
        }
    }

    async fn tell(&self, observation: Observation) {
        let _ = self.out.send(observation).await;
    }

    async fn status(&mut self) -> Result<(), CacheError> {
        let status = self.reader.status().await?;
        if let Some(pushes) = &mut self.pushes {
            // A push connection that has died in silence must not be taken for a quiet cache.
            let mut ping = Pipeline::new();
            ping.cmd("PING");
            link::send(pushes, &ping, self.reader.address()).await?;
        }
        self.tell(Observation::Status(status)).await;
        Ok(())
    }

    /// Reads what has changed, until nothing more waits (or for [`ROUNDS`] batches).
    async fn changes(&mut self) -> Result<(), CacheError> {
        for _ in 0..ROUNDS {
            let most = self.batch;
            let taken = self.inbox.take(most);
            if taken.flushed {
                self.known.clear();
                self.tell(Observation::Flushed).await;
            }
            if taken.overflowed > 0 {
                self.scan = Some(Scan::default());
                self.tell(Observation::Overflowed(taken.overflowed)).await;
            }
            let more = taken.changed.len() == most;
            if !taken.changed.is_empty() {
                self.read(taken.changed, false).await?;
            }
            if taken.disconnected {
                let address = self.reader.address().to_owned();
                let reason = "the connection that brings the changes was closed".to_owned();
                return Err(CacheError::Lost { address, reason });
            }
            if !more {
                return Ok(());
            }
        }
        self.inbox.look_again();
        Ok(())
    }

    /// Reads entries and tells those that are there, and those that are gone.
    async fn read(&mut self, changed: Vec<(String, Instant)>, scanned: bool) -> Result<(), CacheError> {
        let (keys, notified): (Vec<String>, Vec<Instant>) = changed.into_iter().unzip();
        let entries = self.reader.entries(&keys, self.options.max_value).await?;
        let seen_at = Timestamp::now();
        let bytes: usize = entries.iter().flatten().map(|entry| entry.value.len()).sum();
        self.batch = (BATCH_BYTES * entries.len() / bytes.max(1)).clamp(1, BATCH);
        let mut found = Vec::with_capacity(entries.len());
        let mut gone = Vec::new();
        for ((key, notified_at), entry) in keys.into_iter().zip(notified).zip(entries) {
            match entry {
                None => {
                    self.known.remove(&key);
                    gone.push(key);
                }
                Some(entry) => {
                    if self.is_news(&key, &entry) || !scanned {
                        found.push(ObservedEntry { key, notified_at, seen_at, scanned, entry });
                    }
                }
            }
        }
        if !found.is_empty() {
            self.tell(Observation::Entries(found)).await;
        }
        if !gone.is_empty() {
            self.tell(Observation::Removed(gone)).await;
        }
        Ok(())
    }

    /// Notes what a key holds; whether that differs from what it held when it was read last.
    fn is_news(&mut self, key: &str, entry: &Entry) -> bool {
        let mut hasher = DefaultHasher::new();
        (&entry.kind, &entry.value, entry.expires_at.map(Timestamp::as_second)).hash(&mut hasher);
        let digest = hasher.finish();
        if let Some(known) = self.known.get_mut(key) {
            return std::mem::replace(known, digest) != digest;
        }
        if self.known.len() < self.options.window {
            self.known.insert(key.to_owned(), digest);
        }
        true
    }

    async fn scan_on(&mut self) -> Result<(), CacheError> {
        let Some(mut scan) = self.scan.take() else { return Ok(()) };
        let (cursor, keys) = self.reader.scan(scan.cursor, None, self.batch).await?;
        let now = Instant::now();
        let mut wanted = Vec::with_capacity(keys.len());
        for key in keys {
            if scan.seen.contains(&key) {
                continue;
            }
            if scan.seen.len() < self.options.window {
                scan.seen.insert(key.clone());
                wanted.push((key, now));
            } else {
                scan.beyond += 1;
            }
        }
        if !wanted.is_empty() {
            self.read(wanted, true).await?;
        }
        if cursor != 0 {
            scan.cursor = cursor;
            self.scan = Some(scan);
            return Ok(());
        }
        // What was in view and was not met this time is gone: SCAN meets whatever stays throughout.
        if scan.beyond == 0 {
            let gone: Vec<String> =
                self.known.keys().filter(|key| !scan.seen.contains(*key)).cloned().collect();
            if !gone.is_empty() {
                let now = Instant::now();
                // Read again, rather than believed: it may have come while the scan was under way.
                self.read(gone.into_iter().map(|key| (key, now)).collect(), true).await?;
            }
        }
        self.tell(Observation::Dropped(scan.beyond)).await;
        self.tell(Observation::ScanDone).await;
        Ok(())
    }
}

/// The best way to follow that this server allows.
async fn subscribe(
    connection: &RedisConnection,
    inbox: &Arc<Inbox>,
) -> Result<(Option<MultiplexedConnection>, Follow), CacheError> {
    let receiver = Arc::clone(inbox);
    let opening = Opening {
        target: connection,
        push: Some(Box::new(move |push| receiver.push(push))),
        name: "syncscope-observer",
    };
    let address = link::address(connection);
    let mut pushes = match link::open(opening).await {
        Ok(pushes) => pushes,
        Err(error) if error.refusal().is_some() && !error.is_passing() => {
            let reason = format!("the server does not speak RESP3 with us ({})", error.cause());
            return Ok((None, Follow::Polling { reason }));
        }
        Err(error) => return Err(error),
    };
    let mut tracking = Pipeline::new();
    tracking.cmd("CLIENT").arg("TRACKING").arg("ON").arg("BCAST");
    let Some(refusal) = ask(&mut pushes, &tracking, &address).await?.and_then(error_line) else {
        return Ok((Some(pushes), Follow::Tracking));
    };
    let mut setting = Pipeline::new();
    setting.cmd("CONFIG").arg("GET").arg("notify-keyspace-events");
    let events = ask(&mut pushes, &setting, &address).await?.and_then(setting_value).unwrap_or_default();
    if notifies_all(&events) {
        let mut subscribe = Pipeline::new();
        subscribe.cmd("PSUBSCRIBE").arg(format!("__keyevent@{}__:*", connection.database));
        if ask(&mut pushes, &subscribe, &address).await?.and_then(error_line).is_none() {
            return Ok((Some(pushes), Follow::Notifications));
        }
    }
    let reason = format!("CLIENT TRACKING is refused ({refusal}) and notify-keyspace-events is {events:?}");
    Ok((None, Follow::Polling { reason }))
}

async fn ask(
    pushes: &mut MultiplexedConnection,
    pipe: &Pipeline,
    address: &str,
) -> Result<Option<Value>, CacheError> {
    Ok(link::send(pushes, pipe, address).await?.pop())
}

/// The value of `CONFIG GET name` in RESP2's or RESP3's form.
fn setting_value(reply: Value) -> Option<String> {
    match reply {
        Value::Map(pairs) => pairs.first().and_then(|(_, value)| text(value)),
        Value::Array(items) => items.get(1).and_then(text),
        _ => None,
    }
}

/// Key events for strings, hashes, generic commands, expiry and eviction.
fn notifies_all(events: &str) -> bool {
    events.contains('E') && (events.contains('A') || "g$hxe".chars().all(|class| events.contains(class)))
}
