//! The embedded cache: a private redis-server where there is one, else the in-process RESP server.

use super::redis_server::RedisServer;
use super::resp::RespServer;

/// How to start the embedded cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheOptions {
    /// TCP port on 127.0.0.1; `None` or `Some(0)` = a free one.
    pub port: Option<u16>,
    /// Use the in-process server even where a redis-server is installed.
    pub in_process: bool,
}

/// Why no cache could be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedCacheError {
    /// Somebody else has the port.
    #[error("port {port} on 127.0.0.1 is taken; free it or choose another with --redis-port (0 = any)")]
    PortTaken {
        /// Which.
        port: u16,
    },
    /// The private server's directory or process could not be made.
    #[error("private redis-server: {what}: {source}")]
    Start {
        /// What was tried.
        what: &'static str,
        /// The system's words.
        source: std::io::Error,
    },
    /// The process ended or did not answer in time.
    #[error("private redis-server did not come up: {log}")]
    NotUp {
        /// The end of its log, in one line.
        log: String,
    },
    /// The in-process server cannot listen.
    #[error("in-process redis server: cannot listen on 127.0.0.1: {0}")]
    Listen(std::io::Error),
}

/// A cache of our own on 127.0.0.1. Ends when dropped.
#[derive(Debug)]
pub struct EmbeddedCache {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Private(Box<RedisServer>),
    InProcess(RespServer),
}

impl EmbeddedCache {
    /// Starts it; once this returns, clients can connect.
    ///
    /// A private redis-server that is there but does not come up is told in the log, and the in-process
    /// server takes its place.
    pub async fn start(options: CacheOptions) -> Result<Self, EmbeddedCacheError> {
        let port = options.port.filter(|&port| port != 0);
        if !options.in_process
            && let Some(program) = RedisServer::find()
        {
            match RedisServer::start(&program, port).await {
                Ok(server) => return Ok(Self { kind: Kind::Private(Box::new(server)) }),
                Err(error @ EmbeddedCacheError::PortTaken { .. }) => return Err(error),
                Err(error) => tracing::warn!(%error, "the in-process server is used instead"),
            }
        }
        match (RespServer::start(port).await, port) {
            (Ok(server), _) => Ok(Self { kind: Kind::InProcess(server) }),
            (Err(error), Some(port)) if error.kind() == std::io::ErrorKind::AddrInUse => {
                Err(EmbeddedCacheError::PortTaken { port })
            }
            (Err(error), _) => Err(EmbeddedCacheError::Listen(error)),
        }
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        match &self.kind {
            Kind::Private(server) => server.port(),
            Kind::InProcess(server) => server.port(),
        }
    }

    /// `redis 7.0.15`, or `in-process`.
    pub fn product(&self) -> String {
        match &self.kind {
            Kind::Private(server) => server.product().to_owned(),
            Kind::InProcess(_) => "in-process".to_owned(),
        }
    }

    /// Whether it is our own server in this process.
    pub fn is_in_process(&self) -> bool {
        matches!(self.kind, Kind::InProcess(_))
    }

    /// Ends it, within a second.
    pub async fn stop(self) {
        match self.kind {
            Kind::Private(server) => server.stop().await,
            Kind::InProcess(server) => server.stop().await,
        }
    }
}
