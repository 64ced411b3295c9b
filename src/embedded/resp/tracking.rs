//! CLIENT TRACKING: invalidation messages, by prefix (BCAST) or for the keys that a client has read.
//!
//! Messages of one batch of commands are gathered, without doubles, and sent behind its replies.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use indexmap::IndexSet;

use super::commands::{Answer, Call, Failure};
use super::numbers::parse_unsigned;
use super::reply::Reply;
use super::state::State;

/// CLIENT TRACKING is a subcommand; this group has no command of its own.
pub(super) const COMMANDS: &[super::commands::Command] = &[];

/// Where RESP2 clients get their invalidations from.
const CHANNEL: &[u8] = b"__redis__:invalidate";
/// Each change is compared with all prefixes.
const MAX_PREFIXES: usize = 100;
/// Keys remembered for clients that track what they read; more are told at once, as in Redis.
const MAX_REMEMBERED: usize = 1_000_000;

/// How a client tracks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TrackingMode {
    pub(super) broadcast: bool,
    /// With `broadcast`: only keys with one of these; empty = all.
    pub(super) prefixes: Vec<Bytes>,
    pub(super) no_loop: bool,
    /// Send to this client instead.
    pub(super) redirect: Option<u64>,
    /// The redirect's target is gone.
    pub(super) broken: bool,
}

/// What is to be sent, and who has read what.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    /// Clients with tracking switched on.
    clients: BTreeSet<u64>,
    readers: HashMap<Bytes, BTreeSet<u64>>,
    gathered: HashMap<u64, IndexSet<Bytes>>,
}

impl State {
    pub(super) fn track_change(&mut self, key: &Bytes, actor: u64) {
        if self.tracking.clients.is_empty() {
            return;
        }
        let readers = self.tracking.readers.remove(key).unwrap_or_default();
        for &id in &self.tracking.clients {
            let Some(mode) = self.clients.get(&id).and_then(|client| client.tracking.as_ref()) else {
                continue;
            };
            let concerned = if mode.broadcast {
                mode.prefixes.is_empty() || mode.prefixes.iter().any(|prefix| key.starts_with(prefix))
            } else {
                readers.contains(&id)
            };
            if concerned && !(mode.no_loop && actor == id) {
                self.tracking.gathered.entry(id).or_default().insert(Bytes::copy_from_slice(key));
            }
        }
    }

    /// All keys are gone: a null instead of a list, at once.
    pub(super) fn track_flush(&mut self) {
        self.tracking.readers.clear();
        for id in self.tracking.clients.clone() {
            self.invalidate(id, Reply::Nil);
        }
    }

    /// Sends what was gathered.
    pub(super) fn flush_tracking(&mut self) {
        for (id, keys) in std::mem::take(&mut self.tracking.gathered) {
            self.invalidate(id, Reply::Array(keys.into_iter().map(Reply::Bulk).collect()));
        }
    }

    fn invalidate(&mut self, id: u64, keys: Reply) {
        let Some(client) = self.clients.get(&id) else { return };
        let target = client.tracking.as_ref().and_then(|mode| mode.redirect).unwrap_or(id);
        let Some(receiver) = self.clients.get(&target) else { return };
        if receiver.resp3 {
            self.send(target, Reply::Push(vec![Reply::bulk("invalidate"), keys]));
        } else if target != id && self.listens(target, CHANNEL) {
            let channel = Reply::Bulk(Bytes::from_static(CHANNEL));
            self.send(target, Reply::Push(vec![Reply::bulk("message"), channel, keys]));
        }
    }

    /// A client has read these keys.
    pub(super) fn remember_read(&mut self, id: u64, keys: &[&Bytes]) {
        if self.tracking.clients.is_empty() {
            return;
        }
        let mode = self.clients.get(&id).and_then(|client| client.tracking.as_ref());
        if mode.is_none_or(|mode| mode.broadcast) {
            return;
        }
        for &key in keys {
            if self.tracking.readers.len() >= MAX_REMEMBERED
                && let Some(forgotten) = self.tracking.readers.keys().next().cloned()
            {
                self.track_change(&forgotten, super::state::NOBODY);
            }
            self.tracking.readers.entry(Bytes::copy_from_slice(key)).or_default().insert(id);
        }
    }

    /// A client has gone: those who redirected to it are told, once.
    pub(super) fn tracking_target_gone(&mut self, gone: u64) {
        self.tracking.clients.remove(&gone);
        self.tracking.gathered.remove(&gone);
        for id in self.tracking.clients.clone() {
            let Some(client) = self.clients.get_mut(&id) else { continue };
            let Some(mode) = &mut client.tracking else { continue };
            if mode.redirect == Some(gone) && !mode.broken {
                mode.broken = true;
                if client.resp3 {
                    let parts =
                        vec![Reply::bulk("tracking-redir-broken"), Reply::Int(gone.try_into().unwrap_or(0))];
                    client.send(Reply::Push(parts));
                }
            }
        }
    }

    pub(super) fn stop_tracking(&mut self, id: u64) {
        self.tracking.clients.remove(&id);
        self.tracking.gathered.remove(&id);
        if let Some(client) = self.clients.get_mut(&id) {
            client.tracking = None;
        }
    }

    /// Clients that track, of all kinds (for INFO).
    pub(super) fn trackers(&self) -> usize {
        self.tracking.clients.len()
    }
}

/// `CLIENT TRACKING ON|OFF …`.
pub(super) fn switch(call: &mut Call<'_>) -> Answer {
    let mode = options(call)?;
    if call.is(2, "OFF") {
        call.state.stop_tracking(call.id);
        return Ok(Reply::OK);
    }
    if !call.is(2, "ON") {
        return Err(Failure::syntax());
    }
    if !mode.broadcast && !mode.prefixes.is_empty() {
        return Err(Failure::new("ERR PREFIX option requires BCAST mode to be enabled"));
    }
    let Some(client) = call.state.clients.get_mut(&call.id) else { return Ok(Reply::OK) };
    let old = client.tracking.clone();
    if old.as_ref().is_some_and(|old| old.broadcast != mode.broadcast) {
        return Err(Failure::new(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
        ));
    }
    let kept = old.map(|old| old.prefixes).unwrap_or_default();
    if kept.len() + mode.prefixes.len() > MAX_PREFIXES {
        return Err(Failure(format!("ERR a client can track {MAX_PREFIXES} prefixes at most")));
    }
    check_prefixes(&kept, &mode.prefixes)?;
    let prefixes = kept.into_iter().chain(mode.prefixes.iter().cloned()).collect();
    client.tracking = Some(TrackingMode { prefixes, ..mode });
    call.state.tracking.clients.insert(call.id);
    Ok(Reply::OK)
}

fn options(call: &Call<'_>) -> Result<TrackingMode, Failure> {
    let mut mode = TrackingMode::default();
    let mut at = 3;
    while at < call.args.len() {
        if call.is(at, "REDIRECT") && at + 1 < call.args.len() {
            if mode.redirect.is_some() {
                return Err(Failure::new("ERR A client can only redirect to a single other client"));
            }
            let id =
                parse_unsigned(&call.args[at + 1]).ok_or_else(|| Failure::new("ERR Invalid client ID"))?;
            if !call.state.clients.contains_key(&id) {
                return Err(Failure::new("ERR The client ID you want redirect to does not exist"));
            }
            mode.redirect = Some(id);
            at += 2;
        } else if call.is(at, "PREFIX") && at + 1 < call.args.len() {
            mode.prefixes.push(Bytes::copy_from_slice(&call.args[at + 1]));
            at += 2;
        } else if call.is(at, "BCAST") {
            mode.broadcast = true;
            at += 1;
        } else if call.is(at, "NOLOOP") {
            mode.no_loop = true;
            at += 1;
        } else {
            return Err(Failure::syntax());
        }
    }
    Ok(mode)
}

fn check_prefixes(kept: &[Bytes], given: &[Bytes]) -> Result<(), Failure> {
    let overlap = |a: &Bytes, b: &Bytes| a.starts_with(b) || b.starts_with(a);
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    for (index, prefix) in given.iter().enumerate() {
        if let Some(other) = kept.iter().find(|other| overlap(prefix, other)) {
            return Err(Failure(format!(
                "ERR Prefix '{}' overlaps with an existing prefix '{}'. Prefixes for a single client must not overlap.",
                text(prefix),
                text(other)
            )));
        }
        if let Some(other) = given[index + 1..].iter().find(|other| overlap(prefix, other)) {
            return Err(Failure(format!(
                "ERR Prefix '{}' overlaps with another provided prefix '{}'. Prefixes for a single client must not overlap.",
                text(prefix),
                text(other)
            )));
        }
    }
    Ok(())
}

/// `CLIENT TRACKINGINFO`.
pub(super) fn tracking_info(call: &Call<'_>) -> Reply {
    let mode = call.state.clients.get(&call.id).and_then(|client| client.tracking.clone());
    let mut flags = Vec::new();
    let (redirect, prefixes) = match mode {
        None => {
            flags.push("off");
            (-1, Vec::new())
        }
        Some(mode) => {
            flags.push("on");
            for (set, flag) in
                [(mode.broadcast, "bcast"), (mode.no_loop, "noloop"), (mode.broken, "broken_redirect")]
            {
                if set {
                    flags.push(flag);
                }
            }
            (mode.redirect.map_or(0, |id| id.try_into().unwrap_or(i64::MAX)), mode.prefixes)
        }
    };
    Reply::Map(vec![
        (Reply::bulk("flags"), Reply::Set(flags.into_iter().map(Reply::bulk).collect())),
        (Reply::bulk("redirect"), Reply::Int(redirect)),
        (Reply::bulk("prefixes"), Reply::Array(prefixes.into_iter().map(Reply::Bulk).collect())),
    ])
}

/// `CLIENT GETREDIR`.
pub(super) fn redirection(call: &Call<'_>) -> Reply {
    let mode = call.state.clients.get(&call.id).and_then(|client| client.tracking.as_ref());
    Reply::Int(mode.map_or(-1, |mode| mode.redirect.map_or(0, |id| id.try_into().unwrap_or(i64::MAX))))
}
