//! Opens connections: address, TLS, HELLO/AUTH/SELECT, and the `redis` crate's errors in our words.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, Pipeline, ProtocolVersion,
    PushInfo, RedisError, Value,
};

use super::error::{CacheError, Refusal};
use crate::config::RedisConnection;

/// A local server answers in microseconds; a remote one that needs longer than this is no use as a cache.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longer than a busy script or a fork usually holds a server up, short enough to be told.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pages are written in one piece; the codec's default of 8 KiB would flush hundreds of times a page.
const WRITE_BUFFER: usize = 256 * 1024;

/// How a connection is to be opened.
pub(super) struct Opening<'a> {
    pub(super) target: &'a RedisConnection,
    /// Receives pushes; implies RESP3.
    pub(super) push: Option<Box<dyn Fn(PushInfo) + Send + Sync>>,
    /// Shown in `CLIENT LIST`.
    pub(super) name: &'static str,
}

/// `host:port`, with brackets around an IPv6 address.
pub(super) fn address(target: &RedisConnection) -> String {
    if target.host.contains(':') && !target.host.starts_with('[') {
        format!("[{}]:{}", target.host, target.port)
    } else {
        format!("{}:{}", target.host, target.port)
    }
}

/// Opens a connection that is authenticated and on the right database.
pub(super) async fn open(opening: Opening<'_>) -> Result<MultiplexedConnection, CacheError> {
    let Opening { target, push, name } = opening;
    let address = address(target);
    let client = client(target, push.is_some(), &address)?;
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_write_backpressure_boundary(WRITE_BUFFER);
    let resp3 = push.is_some();
    if let Some(push) = push {
        config = config.set_push_sender(move |info| {
            push(info);
            Ok::<(), ()>(())
        });
    }
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .map_err(|error| opening_error(&address, target.tls, &error))?;
    greet(&mut connection, target, resp3, name, &address).await?;
    Ok(connection)
}

fn client(target: &RedisConnection, resp3: bool, address: &str) -> Result<Client, CacheError> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let addr = if target.tls {
        // The crate asks for the process-wide provider; setting it twice is refused and harmless.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        ConnectionAddr::TcpTls { host, port: target.port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, target.port)
    };
    let mut settings = redis::RedisConnectionInfo::default().set_skip_set_lib_name();
    if resp3 {
        // HELLO carries the password; for RESP2 we send AUTH ourselves, to get the server's own words.
        settings = settings.set_protocol(ProtocolVersion::RESP3);
        if !target.password.is_empty() {
            settings = settings
                .set_username(target.username.as_deref().unwrap_or("default"))
                .set_password(target.password.expose());
        }
    }
    addr.into_connection_info()
        .map(|info| {
            info.set_tcp_settings(TcpSettings::default().set_nodelay(true)).set_redis_settings(settings)
        })
        .and_then(Client::open)
        .map_err(|error| CacheError::Unreachable { address: address.to_owned(), reason: words(&error) })
}

/// AUTH, SELECT and the connection's name in one round trip. The name is a courtesy: servers without it may refuse.
async fn greet(
    connection: &mut MultiplexedConnection,
    target: &RedisConnection,
    authenticated: bool,
    name: &str,
    address: &str,
) -> Result<(), CacheError> {
    let mut pipe = Pipeline::new();
    if !authenticated && !target.password.is_empty() {
        pipe.cmd("AUTH");
        if let Some(user) = &target.username {
            pipe.arg(user);
        }
        pipe.arg(target.password.expose());
    }
    // PING makes a server without SELECT to do still say NOAUTH, LOADING or DENIED now.
    pipe.cmd("PING");
    if target.database != 0 {
        pipe.cmd("SELECT").arg(target.database);
    }
    let needed = pipe.len();
    pipe.cmd("CLIENT").arg("SETNAME").arg(name);
    let replies = match send(connection, &pipe, address).await {
        // Also what another protocol's server looks like: it does not understand us and hangs up.
        Err(CacheError::Lost { address, .. }) => {
            let reason = "it closed the connection instead of answering PING; is it Redis?".to_owned();
            return Err(CacheError::Unreachable { address, reason });
        }
        outcome => outcome?,
    };
    match replies.into_iter().take(needed).find_map(error_line) {
        Some(text) => Err(refused(address, text)),
        None => Ok(()),
    }
}

/// One pipeline, one reply for each command; errors of single commands stay among the replies.
pub(super) async fn send(
    connection: &mut MultiplexedConnection,
    pipe: &Pipeline,
    address: &str,
) -> Result<Vec<Value>, CacheError> {
    let replies = connection
        .req_packed_commands(pipe, 0, pipe.len())
        .await
        .map_err(|error| running_error(address, &error))?;
    if replies.len() == pipe.len() {
        Ok(replies)
    } else {
        let what = format!("{} replies to {} commands", replies.len(), pipe.len());
        Err(CacheError::Unexpected { address: address.to_owned(), what })
    }
}

/// The server's error line, if the reply is one.
pub(super) fn error_line(reply: Value) -> Option<String> {
    match reply {
        Value::ServerError(error) => Some(match error.details() {
            Some(details) => format!("{} {details}", error.code()),
            None => error.code().to_owned(),
        }),
        _ => None,
    }
}

pub(super) fn refused(address: &str, text: String) -> CacheError {
    CacheError::Refused { address: address.to_owned(), refusal: Refusal::of(&text), text }
}

fn opening_error(address: &str, tls: bool, error: &RedisError) -> CacheError {
    let address = address.to_owned();
    if let Some(text) = server_words(error) {
        return refused(&address, text);
    }
    let reason = words(error);
    match error.kind() {
        ErrorKind::Io if tls && is_handshake(error) => CacheError::Tls { address, reason },
        // A plain Redis waits for the rest of what it takes for a command.
        ErrorKind::Io if tls && error.is_timeout() => {
            let reason = format!("{reason}; if it speaks no TLS, give it as redis://");
            CacheError::Unreachable { address, reason }
        }
        ErrorKind::Parse => CacheError::Unexpected { address, what: reason },
        ErrorKind::RESP3NotSupported => refused(&address, "ERR unknown command 'HELLO'".to_owned()),
        _ => CacheError::Unreachable { address, reason },
    }
}

/// The connection stood, but no TLS came about: a bad certificate, or a server that speaks something else.
fn is_handshake(error: &RedisError) -> bool {
    // The crate gives its source behind an `Arc`, which hides the type of what is in it.
    let source = error.source().and_then(|source| source.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    let io = source.and_then(|source| source.downcast_ref::<io::Error>());
    io.is_some_and(|io| matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
}

fn running_error(address: &str, error: &RedisError) -> CacheError {
    let address = address.to_owned();
    if let Some(text) = server_words(error) {
        return refused(&address, text);
    }
    if error.is_timeout() {
        return CacheError::Slow { address, after: RESPONSE_TIMEOUT };
    }
    match error.kind() {
        ErrorKind::Parse => CacheError::Unexpected { address, what: words(error) },
        _ => CacheError::Lost { address, reason: words(error) },
    }
}

/// The server's own error line, where the error came from the server.
fn server_words(error: &RedisError) -> Option<String> {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => {}
        _ => return None,
    }
    let code = error.code()?;
    Some(match error.detail() {
        Some(detail) => format!("{code} {detail}"),
        None => code.to_owned(),
    })
}

fn words(error: &RedisError) -> String {
    error.to_string().replace(['\r', '\n'], " ")
}
