//! The way out of the engine: rows are telemetry (dropped and counted when the receiver is slow),
//! states and answers wait for room.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::event::{ConnectionState, Event, Level, LogLine, Server};

/// Room for events: a screen drains hundreds per frame, so this is some frames' worth.
pub(super) const EVENTS: usize = 1_024;

/// Sends events to whoever listens; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Reporter {
    events: mpsc::Sender<Event>,
    dropped: Arc<AtomicU64>,
    /// Since when servers are told to be down, so that each loss and each return is one line in the log.
    down: Arc<[Mutex<Option<Instant>>; 2]>,
}

impl Reporter {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        Self { events, dropped: Arc::new(AtomicU64::new(0)), down: Arc::default() }
    }

    /// Rows: never waits; what finds no room is counted by `weight`.
    pub(super) fn telemetry(&self, event: Event, weight: u64) {
        if self.events.try_send(event).is_err() {
            self.dropped.fetch_add(weight, Ordering::Relaxed);
        }
    }

    /// States and answers: waits for room. A receiver that is gone ends the engine anyway.
    pub(super) async fn state(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// The state of a connection; its first loss and its return also go into the log.
    pub(super) async fn connection(&self, server: Server, state: ConnectionState) {
        let (slot, name, room) = match server {
            Server::Cosmos => (&self.down[0], "Cosmos", "cosmos"),
            Server::Redis => (&self.down[1], "Redis", "cache"),
        };
        let down = |down: Option<Instant>| {
            std::mem::replace(&mut *slot.lock().unwrap_or_else(PoisonError::into_inner), down)
        };
        match &state {
            ConnectionState::Down { cause, remedy, .. } => {
                let since = down(None);
                down(Some(since.unwrap_or_else(Instant::now)));
                if since.is_none() {
                    self.log(Level::Error, room, format!("{cause}; {remedy}")).await;
                }
            }
            ConnectionState::Up { address, product } => {
                if let Some(since) = down(None) {
                    let away = since.elapsed().as_secs_f64();
                    let text = format!("{name} is back at {address} ({product}) after {away:.1} s");
                    self.log(Level::Info, room, text).await;
                }
            }
            ConnectionState::Connecting { .. } => {}
        }
        self.state(Event::Connection(server, state)).await;
    }

    /// A line for the activity pane.
    pub(super) async fn log(&self, level: Level, room: &'static str, text: impl Into<String>) {
        let text = text.into();
        match level {
            Level::Info => tracing::info!(room, "{text}"),
            Level::Warning => tracing::warn!(room, "{text}"),
            Level::Error => tracing::error!(room, "{text}"),
        }
        self.state(Event::Log(LogLine { at: Timestamp::now(), level, room, text })).await;
    }

    /// Rows dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
