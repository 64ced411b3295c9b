//! Replies in one form, encoded by `redis-protocol` for a RESP2 or a RESP3 client.

use bytes::{Bytes, BytesMut};
use redis_protocol::resp2::encode::extend_encode as extend_resp2;
use redis_protocol::resp2::types::BytesFrame as Resp2;
use redis_protocol::resp3::encode::complete::extend_encode as extend_resp3;
use redis_protocol::resp3::types::{BytesFrame as Resp3, VerbatimStringFormat};

/// What a command answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+OK` and the like.
    Simple(&'static str),
    /// An error line, with its code.
    Error(String),
    Int(i64),
    Bulk(Bytes),
    Nil,
    /// No array at all (EXEC after a failed WATCH).
    NilArray,
    Array(Vec<Reply>),
    /// A flat array for RESP2 clients.
    Map(Vec<(Reply, Reply)>),
    /// An array for RESP2 clients.
    Set(Vec<Reply>),
    /// Out of band for RESP3 clients, an array for RESP2 clients.
    Push(Vec<Reply>),
    /// Plain text with line ends (INFO).
    Text(String),
    /// One after the other (SUBSCRIBE to several channels); nothing when empty.
    Several(Vec<Reply>),
}

impl Reply {
    pub(super) const OK: Self = Self::Simple("OK");

    pub(super) fn bulk(text: impl Into<String>) -> Self {
        Self::Bulk(Bytes::from(text.into()))
    }

    /// A count.
    pub(super) fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// 1 or 0.
    pub(super) fn flag(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }

    /// The value, or nil.
    pub(super) fn optional(value: Option<Bytes>) -> Self {
        value.map_or(Self::Nil, Self::Bulk)
    }

    /// Appends the reply in the client's protocol.
    pub(super) fn encode(self, resp3: bool, out: &mut BytesMut) {
        match self {
            Self::Several(replies) => {
                for reply in replies {
                    reply.encode(resp3, out);
                }
            }
            // RESP2 knows two nulls; the crate knows the one of strings only.
            Self::NilArray if !resp3 => out.extend_from_slice(b"*-1\r\n"),
            reply if resp3 => {
                let start = out.len();
                if extend_resp3(out, &reply.resp3(), false).is_err() {
                    out.truncate(start);
                    out.extend_from_slice(b"-ERR the reply cannot be encoded\r\n");
                }
            }
            reply => {
                let start = out.len();
                if extend_resp2(out, &reply.resp2(), false).is_err() {
                    out.truncate(start);
                    out.extend_from_slice(b"-ERR the reply cannot be encoded\r\n");
                }
            }
        }
    }

    fn resp2(self) -> Resp2 {
        let list = |replies: Vec<Self>| Resp2::Array(replies.into_iter().map(Self::resp2).collect());
        match self {
            Self::Simple(text) => Resp2::SimpleString(Bytes::from_static(text.as_bytes())),
            Self::Error(text) => Resp2::Error(one_line(text).into()),
            Self::Int(number) => Resp2::Integer(number),
            Self::Bulk(bytes) => Resp2::BulkString(bytes),
            Self::Nil | Self::NilArray => Resp2::Null,
            Self::Array(replies) | Self::Set(replies) | Self::Push(replies) | Self::Several(replies) => {
                list(replies)
            }
            Self::Map(pairs) => list(pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()),
            Self::Text(text) => Resp2::BulkString(Bytes::from(text)),
        }
    }

    fn resp3(self) -> Resp3 {
        let attributes = None;
        let list = |replies: Vec<Self>| replies.into_iter().map(Self::resp3).collect();
        match self {
            Self::Simple(text) => {
                Resp3::SimpleString { data: Bytes::from_static(text.as_bytes()), attributes }
            }
            Self::Error(text) => Resp3::SimpleError { data: one_line(text).into(), attributes },
            Self::Int(data) => Resp3::Number { data, attributes },
            Self::Bulk(data) => Resp3::BlobString { data, attributes },
            Self::Nil | Self::NilArray => Resp3::Null,
            Self::Array(replies) | Self::Several(replies) => Resp3::Array { data: list(replies), attributes },
            Self::Set(replies) => {
                Resp3::Set { data: replies.into_iter().map(Self::resp3).collect(), attributes }
            }
            Self::Push(replies) => Resp3::Push { data: list(replies), attributes },
            Self::Map(pairs) => Resp3::Map {
                data: pairs.into_iter().map(|(name, value)| (name.resp3(), value.resp3())).collect(),
                attributes,
            },
            Self::Text(text) => Resp3::VerbatimString {
                data: Bytes::from(text),
                format: VerbatimStringFormat::Text,
                attributes,
            },
        }
    }
}

/// An error ends at its line's end: a client's own text in it must not open a second reply.
fn one_line(text: String) -> String {
    if text.contains(['\r', '\n']) { text.replace(['\r', '\n'], " ") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(reply: Reply, resp3: bool) -> String {
        let mut out = BytesMut::new();
        reply.encode(resp3, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn both_protocols() {
        let map = Reply::Map(vec![(Reply::bulk("a"), Reply::Int(1)), (Reply::bulk("b"), Reply::Nil)]);
        assert_eq!(encoded(map.clone(), false), "*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$-1\r\n");
        assert_eq!(encoded(map, true), "%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n_\r\n");
        let push = Reply::Push(vec![Reply::bulk("x"), Reply::Set(vec![Reply::Int(-5)])]);
        assert_eq!(encoded(push.clone(), false), "*2\r\n$1\r\nx\r\n*1\r\n:-5\r\n");
        assert_eq!(encoded(push, true), ">2\r\n$1\r\nx\r\n~1\r\n:-5\r\n");
        assert_eq!(encoded(Reply::NilArray, false), "*-1\r\n");
        assert_eq!(encoded(Reply::NilArray, true), "_\r\n");
        assert_eq!(encoded(Reply::Text("a\r\n".into()), true), "=7\r\ntxt:a\r\n\r\n");
        assert_eq!(encoded(Reply::Several(vec![]), true), "");
    }

    #[test]
    fn an_error_stays_on_its_line() {
        assert_eq!(encoded(Reply::Error("ERR a\r\n+OK".into()), false), "-ERR a  +OK\r\n");
    }
}
