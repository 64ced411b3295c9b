//! The listener on 127.0.0.1, its limits, and the periodic work.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::connection::{Shared, serve};
use super::state::State;

/// A tool and its tests need dozens.
pub(super) const MAX_CLIENTS: usize = 1000;
/// How late an `expired` event may be. Redis looks ten times a second too.
const TICK: Duration = Duration::from_millis(100);
/// Pause after a failed accept (out of file descriptors, usually).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running in-process server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct RespServer {
    port: u16,
    tasks: TaskTracker,
    stop: CancellationToken,
    _guard: DropGuard,
}

impl RespServer {
    /// Listens on 127.0.0.1, on `port` or on a free one.
    pub(crate) async fn start(port: Option<u16>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await?;
        let port = listener.local_addr()?.port();
        let shared = Shared::new(State::new(port));
        shared.lock().read_clock();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(tick(shared.clone(), stop.clone()));
        tasks.spawn(accept(listener, shared, tasks.clone(), stop.clone()));
        tasks.close();
        Ok(Self { port, tasks, stop: stop.clone(), _guard: stop.drop_guard() })
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Closes all connections and gives the port free.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

async fn accept(listener: TcpListener, shared: Shared, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if shared.lock().clients.len() >= MAX_CLIENTS => {
                shared.lock().stats.refused += 1;
                tasks.spawn(refuse(stream));
            }
            Ok((stream, _)) => {
                tasks.spawn(serve(shared.clone(), stream, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "in-process redis: accept failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// As Redis does: unasked, then closed.
async fn refuse(mut stream: TcpStream) {
    let _ = stream.write_all(b"-ERR max number of clients reached\r\n").await;
}

async fn tick(shared: Shared, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => shared.lock().tick(),
        }
    }
}
