//! Finds out whether a port speaks http or https when nobody said: one plain request tells, since a
//! TLS server answers it with an alert, a close, or a 400.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_millis(800);

/// What a plain request to the port brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// An http server.
    Http,
    /// Most likely a TLS server.
    Https,
    /// Connected, but nothing could be told.
    Unclear,
    /// No connection; the cause.
    Closed(String),
}

/// `host:port` of `endpoint`.
fn address(endpoint: &Url) -> String {
    format!("{}:{}", endpoint.host_str().unwrap_or_default(), endpoint.port_or_known_default().unwrap_or(443))
}

/// A connection, or why there is none.
async fn connect(address: &str) -> Result<TcpStream, String> {
    match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer to the connection attempt".into()),
    }
}

/// Why nobody can connect to `endpoint`, if so.
pub(super) async fn closed(endpoint: &Url) -> Option<String> {
    connect(&address(endpoint)).await.err()
}

/// Asks the host and port of `endpoint`.
pub(super) async fn spoken(endpoint: &Url) -> Spoken {
    let address = address(endpoint);
    let mut stream = match connect(&address).await {
        Ok(stream) => stream,
        Err(cause) => return Spoken::Closed(cause),
    };
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut head = [0_u8; 12]; // "HTTP/1.1 401"
    let asked = timeout(ANSWER, async {
        stream.write_all(request.as_bytes()).await?;
        let mut got = 0;
        while got < head.len() {
            match stream.read(&mut head[got..]).await? {
                0 => break,
                n => got += n,
            }
        }
        Ok::<_, std::io::Error>(got)
    })
    .await;
    match asked {
        Ok(Ok(got)) => judge(&head[..got]),
        Ok(Err(_)) => Spoken::Https, // reset on a plain request
        Err(_) => Spoken::Unclear,
    }
}

fn judge(head: &[u8]) -> Spoken {
    if head.starts_with(b"HTTP/1.") {
        // "400 Client sent an HTTP request to an HTTPS server", as several TLS servers say in plain text
        return if head.ends_with(b" 400") { Spoken::Https } else { Spoken::Http };
    }
    Spoken::Https
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_a_plain_request() {
        assert_eq!(judge(b"HTTP/1.1 401"), Spoken::Http);
        assert_eq!(judge(b"HTTP/1.1 400"), Spoken::Https);
        assert_eq!(judge(&[0x15, 3, 3, 0, 2, 2, 22]), Spoken::Https);
        assert_eq!(judge(b""), Spoken::Https);
    }

    #[tokio::test]
    async fn a_closed_port_is_told_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        assert!(matches!(spoken(&url).await, Spoken::Closed(_)));
    }
}
