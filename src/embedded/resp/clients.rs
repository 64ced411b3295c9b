//! What the server knows of one connection, and how a message gets to it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::reply::Reply;
use super::state::State;
use super::tracking::TrackingMode;

/// A client that lets more than this pile up is closed, as Redis does with its output buffer limits.
const MAX_PENDING: usize = 64 * 1024 * 1024;

/// Channels and patterns, or keys watched, by one client at most.
pub(super) const MAX_FOLLOWED: usize = 10_000;

/// Commands queued between MULTI and EXEC.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) queue: Vec<Vec<Bytes>>,
    /// Bytes of all arguments queued.
    pub(super) size: usize,
    /// A command was refused while queueing.
    pub(super) failed: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) address: SocketAddr,
    pub(super) since: Instant,
    pub(super) name: Bytes,
    pub(super) library: (Bytes, Bytes),
    pub(super) resp3: bool,
    pub(super) db: usize,
    pub(super) last_command: &'static str,
    pub(super) channels: BTreeSet<Bytes>,
    pub(super) patterns: BTreeSet<Bytes>,
    pub(super) tracking: Option<TrackingMode>,
    pub(super) transaction: Option<Transaction>,
    pub(super) watching: BTreeSet<(usize, Bytes)>,
    pub(super) watch_failed: bool,
    /// Close once everything is written.
    pub(super) closing: bool,
    /// Encoded, not yet taken by the connection's task.
    pub(super) pending: BytesMut,
    /// Wakes the connection's task when something is pending.
    pub(super) wake: Arc<Notify>,
    /// Ends the connection at once.
    pub(super) kill: CancellationToken,
}

impl Client {
    pub(super) fn new(address: SocketAddr, wake: Arc<Notify>, kill: CancellationToken) -> Self {
        Self {
            id: 0,
            address,
            since: Instant::now(),
            name: Bytes::new(),
            library: (Bytes::new(), Bytes::new()),
            resp3: false,
            db: 0,
            last_command: "NULL",
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            tracking: None,
            transaction: None,
            watching: BTreeSet::new(),
            watch_failed: false,
            closing: false,
            pending: BytesMut::new(),
            wake,
            kill,
        }
    }

    /// Subscribed to anything.
    pub(super) fn is_subscribed(&self) -> bool {
        !self.channels.is_empty() || !self.patterns.is_empty()
    }

    /// Encodes a message behind what is pending.
    pub(super) fn send(&mut self, reply: Reply) {
        if self.pending.len() > MAX_PENDING {
            self.kill.cancel();
            return;
        }
        reply.encode(self.resp3, &mut self.pending);
        self.wake.notify_one();
    }

    /// The line of CLIENT LIST and CLIENT INFO.
    pub(super) fn line(&self, port: u16) -> String {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut flags = String::new();
        if self.is_subscribed() {
            flags.push('P');
        }
        if let Some(mode) = &self.tracking {
            flags.push('t');
            if mode.broken {
                flags.push('R');
            }
            if mode.broadcast {
                flags.push('B');
            }
        }
        if self.transaction.is_some() {
            flags.push('x');
        }
        if flags.is_empty() {
            flags.push('N');
        }
        let redirect = match &self.tracking {
            None => -1,
            Some(mode) => mode.redirect.map_or(0, |id| i64::try_from(id).unwrap_or(i64::MAX)),
        };
        format!(
            "id={} addr={} laddr=127.0.0.1:{port} fd=-1 name={} age={} idle=0 flags={flags} db={} sub={} psub={} \
             ssub=0 multi={} qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 obl={} oll=0 omem=0 tot-mem=0 events=r \
             cmd={} user=default redir={redirect} resp={} lib-name={} lib-ver={}",
            self.id,
            self.address,
            text(&self.name),
            self.since.elapsed().as_secs(),
            self.db,
            self.channels.len(),
            self.patterns.len(),
            self.transaction.as_ref().map_or(-1, |open| i64::try_from(open.queue.len()).unwrap_or(i64::MAX)),
            self.pending.len(),
            self.last_command,
            if self.resp3 { 3 } else { 2 },
            text(&self.library.0),
            text(&self.library.1),
        )
    }
}

impl State {
    /// Sends to a client, if it is still there.
    pub(super) fn send(&mut self, id: u64, reply: Reply) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.send(reply);
        }
    }
}
