//! One suite for the in-process RESP server and real Redis: what the one answers, the other answers.

use std::time::Duration;

use bytes::BytesMut;
use redis_protocol::resp2::decode::decode as decode_resp2;
use redis_protocol::resp2::types::OwnedFrame as Resp2;
use redis_protocol::resp3::decode::complete::decode;
use redis_protocol::resp3::types::OwnedFrame;
use syncscope::embedded::EmbeddedCache;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::servers::servers;

mod alike;
mod commands;
mod limits;
mod pushes;

/// An answer that takes longer than this will not come.
const LIMIT: Duration = Duration::from_secs(5);

/// A connection that shows what comes over the wire.
struct Wire {
    stream: TcpStream,
    buffer: BytesMut,
    resp3: bool,
}

impl Wire {
    async fn open(server: &EmbeddedCache) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: BytesMut::new(), resp3: false }
    }

    async fn send(&mut self, words: &[&[u8]]) {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend(format!("${}\r\n", word.len()).into_bytes());
            bytes.extend(*word);
            bytes.extend(b"\r\n");
        }
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn frame(&mut self) -> Option<OwnedFrame> {
        loop {
            let decoded = if self.resp3 {
                decode(&self.buffer).expect("a frame")
            } else {
                decode_resp2(&self.buffer).expect("a frame").map(|(frame, used)| (plain(frame), used))
            };
            if let Some((frame, used)) = decoded {
                let _ = self.buffer.split_to(used);
                return Some(frame);
            }
            match timeout(LIMIT, self.stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(0) | Err(_)) => return None,
                Ok(Ok(_)) => {}
                Err(elapsed) => panic!("no answer within {LIMIT:?}: {elapsed}"),
            }
        }
    }

    async fn text(&mut self) -> String {
        self.frame().await.map_or_else(|| "(closed)".to_owned(), |frame| show(&frame))
    }

    /// Sends one command, given as a line without quoting, and shows the answer.
    async fn ask(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> =
            line.split(' ').map(|word| if word == "''" { &b""[..] } else { word.as_bytes() }).collect();
        self.send(&words).await;
        self.resp3 |= line.starts_with("HELLO 3");
        self.text().await
    }
}

/// The same in RESP3's form (the crate's own conversion makes pushes of messages).
fn plain(frame: Resp2) -> OwnedFrame {
    let attributes = None;
    match frame {
        Resp2::SimpleString(data) => OwnedFrame::SimpleString { data, attributes },
        Resp2::Error(data) => OwnedFrame::SimpleError { data, attributes },
        Resp2::Integer(data) => OwnedFrame::Number { data, attributes },
        Resp2::BulkString(data) => OwnedFrame::BlobString { data, attributes },
        Resp2::Array(frames) => {
            OwnedFrame::Array { data: frames.into_iter().map(plain).collect(), attributes }
        }
        Resp2::Null => OwnedFrame::Null,
    }
}

/// A frame in one line; sets and maps in the order in which they came.
fn show(frame: &OwnedFrame) -> String {
    let list = |items: &[OwnedFrame]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match frame {
        OwnedFrame::BlobString { data, .. } => format!("\"{}\"", text(data)),
        OwnedFrame::SimpleString { data, .. } => text(data),
        OwnedFrame::SimpleError { data, .. } => format!("-{data}"),
        OwnedFrame::Number { data, .. } => format!(":{data}"),
        OwnedFrame::Null => "nil".into(),
        OwnedFrame::Array { data, .. } => format!("[{}]", list(data)),
        OwnedFrame::Push { data, .. } => format!(">[{}]", list(data)),
        OwnedFrame::VerbatimString { data, .. } => format!("={}", text(data)),
        OwnedFrame::Map { data, .. } => {
            let mut pairs: Vec<String> =
                data.iter().map(|(name, value)| format!("{}:{}", show(name), show(value))).collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(" "))
        }
        OwnedFrame::Set { data, .. } => {
            let mut items: Vec<String> = data.iter().map(show).collect();
            items.sort();
            format!("~[{}]", items.join(" "))
        }
        other => format!("{other:?}"),
    }
}

/// Runs commands and expected answers on a fresh connection of each server.
async fn conversation(lines: &[(&str, &str)]) {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        for (command, expected) in lines {
            assert_eq!(wire.ask(command).await, *expected, "{command} on {}", server.product());
        }
        server.stop().await;
    }
}
