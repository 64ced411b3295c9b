//! The socket: binds on loopback, serves HTTP/1.1 and HTTP/2 (prior knowledge) on one port,
//! and stops within a second whatever clients keep open.

use std::convert::Infallible;
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
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::EmulatorError;
use super::service::Service;

/// Connections served at once; more wait in the operating system's queue. Bounds memory, and is
/// far above what a machine's own clients open.
const MAX_CONNECTIONS: usize = 2048;
/// How long running requests may take once we stop.
const STOP_GRACE: Duration = Duration::from_millis(500);
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
    cancel: DropGuard,
    tasks: TaskTracker,
}

impl Listener {
    /// Starts to serve on `socket`.
    pub(super) fn serve(socket: TcpListener, service: Arc<Service>) -> Self {
        let cancel = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(accept(socket, service, cancel.clone(), tasks.clone()));
        Self { cancel: cancel.drop_guard(), tasks }
    }

    /// Stops and waits, at most the grace period.
    pub(super) async fn stop(self) {
        self.cancel.disarm().cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn accept(socket: TcpListener, service: Arc<Service>, cancel: CancellationToken, tasks: TaskTracker) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let next = async {
            let seat = Arc::clone(&room).acquire_owned().await;
            (seat, socket.accept().await)
        };
        let (seat, accepted) = tokio::select! {
            () = cancel.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let service = Arc::clone(&service);
                let cancel = cancel.clone();
                tasks.spawn(async move {
                    let _seat = seat;
                    serve_stream(stream, service, cancel).await;
                });
            }
            Err(e) => {
                tracing::warn!(error = %e, "the embedded Cosmos listener could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_stream(stream: TcpStream, service: Arc<Service>, cancel: CancellationToken) {
    // Without it each answer waits for the client's delayed acknowledgement: a quarter of the rate.
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "TCP_NODELAY refused");
    }
    serve_http(stream, service, cancel).await;
}

async fn serve_http<S>(stream: S, service: Arc<Service>, cancel: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(STOP_GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(e) = ended {
        tracing::debug!(error = %e, "connection to the embedded Cosmos ended early");
    }
}
