//! The socket: binds on loopback, serves HTTP/1.1 and HTTP/2 (prior knowledge) on one port,
//! and stops within a second whatever clients keep open.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::EmulatorError;
use super::service::Service;
use super::tls::Tls;

/// Connections served at once; more wait in the operating system's queue. Bounds memory, and is
/// far above what a machine's own clients open.
const MAX_CONNECTIONS: usize = 2048;
/// Headers of one h2 request, bytes: continuations of queries over many ranges are long.
const MAX_HEADERS: u32 = 256 << 10;
/// How long running requests may take once we stop.
const STOP_GRACE: Duration = Duration::from_millis(500);
/// How long a client may take to say its first byte and to finish a TLS handshake, where https is on.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// First byte of a TLS connection (record type "handshake", RFC 8446 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// Pause after a failed accept (out of file descriptors, say), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Which port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// This one, or fail.
    Fixed(u16),
    /// This one, or a free one if it is taken.
    Prefer(u16),
    /// Any free one.
    Free,
}

/// Binds on 127.0.0.1.
pub(super) async fn bind(choice: PortChoice) -> Result<TcpListener, EmulatorError> {
    let wanted = match choice {
        PortChoice::Fixed(port) | PortChoice::Prefer(port) => port,
        PortChoice::Free => 0,
    };
    match (TcpListener::bind(loopback(wanted)).await, choice) {
        (Ok(socket), _) => Ok(socket),
        (Err(_), PortChoice::Prefer(_)) => {
            TcpListener::bind(loopback(0)).await.map_err(|source| EmulatorError::Listen { port: 0, source })
        }
        (Err(e), _) if e.kind() == io::ErrorKind::AddrInUse => Err(EmulatorError::PortTaken { port: wanted }),
        (Err(source), _) => Err(EmulatorError::Listen { port: wanted, source }),
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The accept loop and its connections; dropping it cancels them.
#[derive(Debug)]
pub(super) struct Listener {
    cancel: CancellationToken,
    _dropped: DropGuard,
    tasks: TaskTracker,
}

impl Listener {
    /// Starts to serve on `socket`.
    pub(super) fn serve(socket: TcpListener, service: Arc<Service>, tls: Option<Arc<Tls>>) -> Self {
        let cancel = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(accept(socket, Guest { service, tls, cancel: cancel.clone() }, tasks.clone()));
        Self { _dropped: cancel.clone().drop_guard(), cancel, tasks }
    }

    /// Stops and waits, at most the grace period.
    pub(super) async fn stop(self) {
        self.close().await;
    }

    /// As [`Self::stop`].
    pub(super) async fn close(&self) {
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// What every connection needs.
#[derive(Debug, Clone)]
struct Guest {
    service: Arc<Service>,
    tls: Option<Arc<Tls>>,
    cancel: CancellationToken,
}

async fn accept(socket: TcpListener, guest: Guest, tasks: TaskTracker) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let next = async {
            let seat = Arc::clone(&room).acquire_owned().await;
            (seat, socket.accept().await)
        };
        let (seat, accepted) = tokio::select! {
            () = guest.cancel.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let guest = guest.clone();
                tasks.spawn(async move {
                    let _seat = seat;
                    let cancel = guest.cancel.clone();
                    tokio::select! {
                        () = guest.serve(stream) => {}
                        // What neither finishes nor notices the shutdown (a client that has said
                        // nothing yet, half a handshake) is dropped.
                        () = async { cancel.cancelled().await; sleep(STOP_GRACE).await } => {}
                    }
                });
            }
            Err(e) => {
                tracing::warn!(error = %e, "the embedded Cosmos listener could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Guest {
    async fn serve(self, stream: TcpStream) {
        // Without it each answer waits for the client's delayed acknowledgement: a quarter of the rate.
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(error = %e, "TCP_NODELAY refused");
        }
        let Some(tls) = self.tls.clone() else { return self.serve_http(stream, false).await };
        let mut first = [0];
        let peeked = timeout(HANDSHAKE, stream.peek(&mut first)).await;
        if !matches!(peeked, Ok(Ok(1))) {
            return;
        }
        if first[0] != TLS_HANDSHAKE {
            return self.serve_http(stream, false).await;
        }
        match timeout(HANDSHAKE, tls.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.serve_http(stream, true).await,
            Ok(Err(e)) => tracing::debug!(error = %e, "TLS handshake with the embedded Cosmos failed"),
            Err(_) => tracing::debug!("TLS handshake with the embedded Cosmos took too long"),
        }
    }

    async fn serve_http<S>(self, stream: S, secure: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new());
        builder.http2().timer(TokioTimer::new()).max_header_list_size(MAX_HEADERS);
        let service = self.service;
        let answer = service_fn(move |request| {
            let service = Arc::clone(&service);
            async move { service.answer(request, secure).await }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), answer);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.cancel.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(e) = ended {
            tracing::debug!(error = %e, "connection to the embedded Cosmos ended early");
        }
    }
}
