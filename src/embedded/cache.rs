//! The embedded cache: a private redis-server where there is one, else the in-process RESP server.

use super::redis_server::RedisServer;

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
    /// There is no redis-server on the PATH.
    #[error("no redis-server on the PATH")]
    NoServer,
}

/// A cache of our own on 127.0.0.1. Ends when dropped.
#[derive(Debug)]
pub struct EmbeddedCache {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Private(RedisServer),
}

impl EmbeddedCache {
    /// Starts it; once this returns, clients can connect.
    pub async fn start(options: CacheOptions) -> Result<Self, EmbeddedCacheError> {
        let port = options.port.filter(|&port| port != 0);
        let server = RedisServer::start(port).await?;
        Ok(Self { kind: Kind::Private(server) })
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        match &self.kind {
            Kind::Private(server) => server.port(),
        }
    }

    /// `redis 7.0.15`, or `in-process`.
    pub fn product(&self) -> String {
        match &self.kind {
            Kind::Private(server) => server.product().to_owned(),
        }
    }

    /// Ends it, within a second.
    pub async fn stop(self) {
        match self.kind {
            Kind::Private(server) => server.stop().await,
        }
    }
}
