//! One suite for the in-process RESP server and real Redis: what the one answers, the other answers.

use std::time::Duration;

use bytes::BytesMut;
use redis_protocol::resp2::decode::decode as decode_resp2;
use redis_protocol::resp2::types::OwnedFrame as Resp2;
use redis_protocol::resp3::decode::complete::decode;
use redis_protocol::resp3::types::OwnedFrame;
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::servers::servers;

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

#[tokio::test]
async fn strings() {
    conversation(&[
        ("PING", "PONG"),
        ("PING hello", "\"hello\""),
        ("ECHO x", "\"x\""),
        ("GET a", "nil"),
        ("SET a 1", "OK"),
        ("get a", "\"1\""),
        ("SET a 2 NX", "nil"),
        ("SET b 2 XX", "nil"),
        ("SET a 3 XX GET", "\"1\""),
        ("SET n 3 GET", "nil"),
        ("SET a 3 NX XX", "-ERR syntax error"),
        ("SET a 3 EX 0", "-ERR invalid expire time in 'set' command"),
        ("SET a 3 EX x", "-ERR value is not an integer or out of range"),
        ("SET a 3 EX 10 PX 10", "-ERR syntax error"),
        ("SET a 3 EX", "-ERR syntax error"),
        ("SET t 1 EX 100", "OK"),
        ("TTL t", ":100"),
        ("SET t 2 KEEPTTL", "OK"),
        ("TTL t", ":100"),
        ("SET t 2", "OK"),
        ("TTL t", ":-1"),
        ("SETEX t 50 x", "OK"),
        ("SETEX t -1 x", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX t 50000 x", "OK"),
        ("TTL t", ":50"),
        ("GETEX t PERSIST", "\"x\""),
        ("TTL t", ":-1"),
        ("GETEX t EX 7", "\"x\""),
        ("TTL t", ":7"),
        ("GETEX nobody", "nil"),
        ("SETNX a 9", ":0"),
        ("SETNX new 9", ":1"),
        ("GETSET new 10", "\"9\""),
        ("GETDEL new", "\"10\""),
        ("EXISTS new", ":0"),
        ("MSET a 1 b 2", "OK"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("MSETNX c 1 a 2", ":0"),
        ("MGET a b c", "[\"1\" \"2\" nil]"),
        ("STRLEN a", ":1"),
        ("STRLEN nobody", ":0"),
        ("SET r Hello", "OK"),
        ("GETRANGE r 0 -1", "\"Hello\""),
        ("GETRANGE r 1 3", "\"ell\""),
        ("GETRANGE r -3 -2", "\"ll\""),
        ("GETRANGE r -2 -3", "\"\""),
        ("GETRANGE r 3 100", "\"lo\""),
        ("GETRANGE r 100 200", "\"\""),
        ("GETRANGE nobody 0 -1", "\"\""),
        ("APPEND r World", ":10"),
        ("GET r", "\"HelloWorld\""),
        ("INCR i", ":1"),
        ("INCRBY i 10", ":11"),
        ("DECR i", ":10"),
        ("DECRBY i 3", ":7"),
        ("INCR r", "-ERR value is not an integer or out of range"),
        ("SET max 9223372036854775807", "OK"),
        ("INCR max", "-ERR increment or decrement would overflow"),
        ("SET '' empty", "OK"),
        ("GET ''", "\"empty\""),
    ])
    .await;
}

#[tokio::test]
async fn hashes() {
    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    conversation(&[
        ("HSET h a 1 b 2", ":2"),
        ("HSET h a 3 c 4", ":1"),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h d 5", "OK"),
        ("HGET h a", "\"3\""),
        ("HGET h x", "nil"),
        ("HGET x x", "nil"),
        ("HMGET h a x b", "[\"3\" nil \"2\"]"),
        ("HMGET nobody a", "[nil]"),
        ("HGETALL h", "[\"a\" \"3\" \"b\" \"2\" \"c\" \"4\" \"d\" \"5\"]"),
        ("HKEYS h", "[\"a\" \"b\" \"c\" \"d\"]"),
        ("HVALS h", "[\"3\" \"2\" \"4\" \"5\"]"),
        ("HLEN h", ":4"),
        ("HEXISTS h a", ":1"),
        ("HEXISTS h x", ":0"),
        ("HSTRLEN h a", ":1"),
        ("HSETNX h a 9", ":0"),
        ("HSETNX h e 9", ":1"),
        ("HINCRBY h e 5", ":14"),
        ("HINCRBY h e x", "-ERR value is not an integer or out of range"),
        ("HSET h text abc", ":1"),
        ("HINCRBY h text 1", "-ERR hash value is not an integer"),
        (
            "HSCAN h 0",
            "[\"0\" [\"a\" \"3\" \"b\" \"2\" \"c\" \"4\" \"d\" \"5\" \"e\" \"14\" \"text\" \"abc\"]]",
        ),
        ("HSCAN h 0 MATCH t*", "[\"0\" [\"text\" \"abc\"]]"),
        ("HDEL h a x", ":1"),
        ("HDEL h b c d e text", ":5"),
        ("EXISTS h", ":0"),
        ("HDEL h a", ":0"),
        ("SET s 1", "OK"),
        ("HSET s a 1", wrong),
        ("HGET s a", wrong),
        ("HGETALL s", wrong),
        ("HDEL s a", wrong),
        ("HSET h a 1", ":1"),
        ("GET h", wrong),
        ("APPEND h x", wrong),
        ("INCR h", wrong),
        ("SET h x GET", wrong),
        ("MGET h s", "[nil \"1\"]"),
        ("GETEX h", wrong),
        ("TYPE h", "hash"),
        ("SET h 1", "OK"),
        ("TYPE h", "string"),
        ("TYPE nobody", "none"),
    ])
    .await;
}

#[tokio::test]
async fn keys_and_expiry() {
    conversation(&[
        ("MSET a 1 b 2 c 3", "OK"),
        ("EXISTS a b x a", ":3"),
        ("DEL a x", ":1"),
        ("UNLINK b b", ":1"),
        ("DBSIZE", ":1"),
        ("RENAME c d", "OK"),
        ("RENAME c d", "-ERR no such key"),
        ("RENAMENX d d", ":0"),
        ("EXPIRE d 100", ":1"),
        ("EXPIRE nobody 100", ":0"),
        ("TTL d", ":100"),
        ("TTL nobody", ":-2"),
        ("PTTL nobody", ":-2"),
        ("EXPIRE d 200 NX", ":0"),
        ("EXPIRE d 200 GT", ":1"),
        ("EXPIRE d 100 GT", ":0"),
        ("EXPIRE d 100 LT", ":1"),
        ("EXPIRE d 300 XX", ":1"),
        ("EXPIRE d 1 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE d 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE d 1 ZZ", "-ERR Unsupported option ZZ"),
        ("EXPIRE d x", "-ERR value is not an integer or out of range"),
        ("EXPIRE d 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("PERSIST d", ":1"),
        ("PERSIST d", ":0"),
        ("TTL d", ":-1"),
        ("EXPIREAT d 4102444800", ":1"),
        ("EXPIRETIME d", ":4102444800"),
        ("PEXPIRETIME d", ":4102444800000"),
        ("RENAME d e", "OK"),
        ("EXPIRETIME e", ":4102444800"),
        ("EXPIRE e -1", ":1"),
        ("EXISTS e", ":0"),
        ("SET e 1", "OK"),
        ("PEXPIREAT e 1", ":1"),
        ("EXISTS e", ":0"),
        ("KEYS *", "[]"),
        ("RANDOMKEY", "nil"),
        ("SET only 1", "OK"),
        ("RANDOMKEY", "\"only\""),
        ("KEYS o*", "[\"only\"]"),
        ("SCAN 0", "[\"0\" [\"only\"]]"),
        ("SCAN 0 MATCH x* COUNT 100", "[\"0\" []]"),
        ("SCAN 0 TYPE hash", "[\"0\" []]"),
        ("SCAN x", "-ERR invalid cursor"),
        ("SCAN 0 COUNT 0", "-ERR syntax error"),
        ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
        ("SCAN 0 WHAT 1", "-ERR syntax error"),
        ("SELECT 3", "OK"),
        ("GET only", "nil"),
        ("SET three 3", "OK"),
        ("DBSIZE", ":1"),
        ("FLUSHDB", "OK"),
        ("DBSIZE", ":0"),
        ("SELECT 0", "OK"),
        ("DBSIZE", ":1"),
        ("FLUSHALL ASYNC", "OK"),
        ("FLUSHALL WHAT", "-ERR syntax error"),
        ("DBSIZE", ":0"),
        ("SELECT 16", "-ERR DB index is out of range"),
        ("SELECT x", "-ERR value is not an integer or out of range"),
        ("TOUCH a", ":0"),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_there_or_not_right() {
    conversation(&[
        ("FOO", "-ERR unknown command 'FOO', with args beginning with: "),
        ("foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' "),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("get a b", "-ERR wrong number of arguments for 'get' command"),
        ("CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command"),
        ("CLIENT MAINT_NOTIFICATIONS on", "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP."),
        ("CONFIG WHAT", "-ERR unknown subcommand 'WHAT'. Try CONFIG HELP."),
        ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command"),
        (
            "CONFIG SET what 1",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'what'",
        ),
        ("CLUSTER NODES", "-ERR This instance has cluster support disabled"),
        ("SENTINEL MASTERS", "-ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' "),
        (
            "AUTH secret",
            "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
        ),
        ("AUTH default any", "OK"),
        ("AUTH who any", "-WRONGPASS invalid username-password pair or user is disabled."),
        ("HELLO 4", "-NOPROTO unsupported protocol version"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range"),
        ("HELLO 2 WHAT", "-ERR Syntax error in HELLO option 'WHAT'"),
        ("CLIENT SETNAME a\nb", "-ERR Client names cannot contain spaces, newlines or special characters."),
        ("CLIENT SETNAME me", "OK"),
        ("CLIENT GETNAME", "\"me\""),
        ("CONFIG GET notify-keyspace-events", "[\"notify-keyspace-events\" \"\"]"),
        ("CONFIG SET notify-keyspace-events KEA", "OK"),
        ("CONFIG GET notify-keyspace-events", "[\"notify-keyspace-events\" \"AKE\"]"),
        ("CONFIG SET notify-keyspace-events Kg$", "OK"),
        ("CONFIG GET notify-keyspace-events", "[\"notify-keyspace-events\" \"g$K\"]"),
        ("CONFIG GET databases", "[\"databases\" \"16\"]"),
        ("RESET", "RESET"),
        ("CLIENT GETNAME", "nil"),
        ("QUIT", "OK"),
        ("PING", "(closed)"),
    ])
    .await;
}

#[tokio::test]
async fn transactions() {
    conversation(&[
        ("EXEC", "-ERR EXEC without MULTI"),
        ("DISCARD", "-ERR DISCARD without MULTI"),
        ("MULTI", "OK"),
        ("MULTI", "-ERR MULTI calls can not be nested"),
        ("SET a 1", "QUEUED"),
        ("HSET a b c", "QUEUED"),
        ("GET a", "QUEUED"),
        ("EXEC", "[OK -WRONGTYPE Operation against a key holding the wrong kind of value \"1\"]"),
        ("MULTI", "OK"),
        ("SET a 2", "QUEUED"),
        ("DISCARD", "OK"),
        ("GET a", "\"1\""),
        ("MULTI", "OK"),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("WATCH a", "OK"),
        ("SET a 5", "OK"),
        ("MULTI", "OK"),
        ("WATCH a", "-ERR WATCH inside MULTI is not allowed"),
        ("SET a 6", "QUEUED"),
        ("EXEC", "nil"),
        ("WATCH a", "OK"),
        ("FLUSHALL", "OK"),
        ("UNWATCH", "OK"),
        ("MULTI", "OK"),
        ("SET a 7", "QUEUED"),
        ("EXEC", "[OK]"),
        ("WATCH a", "OK"),
        ("FLUSHALL", "OK"),
        ("MULTI", "OK"),
        ("EXEC", "nil"),
    ])
    .await;
}

#[tokio::test]
async fn resp3_answers_have_their_own_types() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        let hello = wire.ask("HELLO 3 SETNAME me").await;
        for part in ["\"server\":\"redis\"", "\"proto\":3", "\"mode\":\"standalone\"", "\"role\":\"master\""]
        {
            let part = part.replace("\"proto\":3", "\"proto\"::3");
            assert!(hello.contains(&part), "{hello}");
        }
        for (command, expected) in [
            ("CLIENT GETNAME", "\"me\""),
            ("HSET h a 1 b 2", ":2"),
            ("HGETALL h", "{\"a\":\"1\" \"b\":\"2\"}"),
            ("HGETALL nobody", "{}"),
            ("GET nobody", "nil"),
            ("CONFIG GET databases", "{\"databases\":\"16\"}"),
            ("CLIENT TRACKINGINFO", "{\"flags\":~[\"off\"] \"prefixes\":[] \"redirect\"::-1}"),
            ("SUBSCRIBE c", ">[\"subscribe\" \"c\" :1]"),
            ("GET nobody", "nil"), // a RESP3 client may do anything while subscribed
            ("PUBLISH c hi", ">[\"message\" \"c\" \"hi\"]"),
        ] {
            assert_eq!(wire.ask(command).await, expected, "{command} on {}", server.product());
        }
        assert_eq!(wire.text().await, ":1");
        assert!(wire.ask("INFO server").await.starts_with("=# Server\r\nredis_version:7."));
    }
}

#[tokio::test]
async fn subscriptions_of_resp2() {
    for server in servers().await {
        let mut listener = Wire::open(&server).await;
        let mut sender = Wire::open(&server).await;
        assert_eq!(listener.ask("SUBSCRIBE a b").await, "[\"subscribe\" \"a\" :1]");
        assert_eq!(listener.text().await, "[\"subscribe\" \"b\" :2]");
        assert_eq!(listener.ask("PSUBSCRIBE n*").await, "[\"psubscribe\" \"n*\" :3]");
        assert_eq!(
            listener.ask("GET a").await,
            "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
        );
        assert_eq!(listener.ask("PING").await, "[\"pong\" \"\"]");
        assert_eq!(sender.ask("PUBLISH a hello").await, ":1");
        assert_eq!(listener.text().await, "[\"message\" \"a\" \"hello\"]");
        assert_eq!(sender.ask("PUBLISH news x").await, ":1");
        assert_eq!(listener.text().await, "[\"pmessage\" \"n*\" \"news\" \"x\"]");
        assert_eq!(sender.ask("PUBLISH other x").await, ":0");
        assert_eq!(sender.ask("PUBSUB NUMSUB a other").await, "[\"a\" :1 \"other\" :0]");
        assert_eq!(sender.ask("PUBSUB NUMPAT").await, ":1");
        assert_eq!(listener.ask("PUNSUBSCRIBE").await, "[\"punsubscribe\" \"n*\" :2]");
        assert_eq!(listener.ask("UNSUBSCRIBE a b").await, "[\"unsubscribe\" \"a\" :1]");
        assert_eq!(listener.text().await, "[\"unsubscribe\" \"b\" :0]");
        assert_eq!(listener.ask("UNSUBSCRIBE").await, "[\"unsubscribe\" nil :0]");
        assert_eq!(listener.ask("GET a").await, "nil");
    }
}

#[tokio::test]
async fn keyspace_notifications() {
    for server in servers().await {
        let mut listener = Wire::open(&server).await;
        let mut sender = Wire::open(&server).await;
        assert_eq!(sender.ask("CONFIG SET notify-keyspace-events EA").await, "OK");
        listener.ask("PSUBSCRIBE __key*__:*").await;
        for (command, events) in [
            ("SET a 1", &["set a"][..]),
            ("SET a 1 EX 100", &["set a", "expire a"]),
            ("SETEX a 10 1", &["set a", "expire a"]),
            ("PERSIST a", &["persist a"]),
            ("PEXPIRE a 5000", &["expire a"]),
            ("MSET a 1 b 2", &["set a", "set b"]),
            ("APPEND a x", &["append a"]),
            ("INCR n", &["incrby n"]),
            ("RENAME a c", &["rename_from a", "rename_to c"]),
            ("UNLINK b c", &["del b", "del c"]),
            ("HSET h a 1 b 2", &["hset h"]),
            ("HMSET h a 1", &["hset h"]),
            ("HINCRBY h a 1", &["hincrby h"]),
            ("HDEL h a", &["hdel h"]),
            ("HDEL h b", &["hdel h", "del h"]),
            ("EXPIRE n 0", &["del n"]),
            ("SET x 1 NX", &["set x"]),
            ("SET x 1 NX", &[]),
            ("GETDEL x", &["del x"]),
            ("FLUSHALL", &[]),
            ("SET brief 1 PX 20", &["set brief", "expire brief", "expired brief"]),
            ("SET end 1", &["set end"]),
        ] {
            sender.ask(command).await;
            for event in events {
                let (event, key) = event.split_once(' ').unwrap();
                let expected = format!("[\"pmessage\" \"__key*__:*\" \"__keyevent@0__:{event}\" \"{key}\"]");
                assert_eq!(listener.text().await, expected, "{command} on {}", server.product());
            }
        }
        sender.ask("CONFIG SET notify-keyspace-events K$").await;
        sender.ask("SELECT 2").await;
        sender.ask("SET a 1").await;
        assert_eq!(
            listener.text().await,
            "[\"pmessage\" \"__key*__:*\" \"__keyspace@2__:a\" \"set\"]",
            "{}",
            server.product()
        );
    }
}

#[tokio::test]
async fn tracking_by_prefix() {
    for server in servers().await {
        let product = server.product();
        let mut tracker = Wire::open(&server).await;
        let mut sender = Wire::open(&server).await;
        tracker.ask("HELLO 3").await;
        for (command, expected) in [
            ("CLIENT TRACKING ON PREFIX p:", "-ERR PREFIX option requires BCAST mode to be enabled"),
            ("CLIENT TRACKING ON REDIRECT 9999", "-ERR The client ID you want redirect to does not exist"),
            (
                "CLIENT TRACKING ON BCAST PREFIX p: PREFIX p:x",
                "-ERR Prefix 'p:' overlaps with another provided prefix 'p:x'. Prefixes for a single client must not overlap.",
            ),
            ("CLIENT TRACKING ON BCAST PREFIX p: PREFIX q: NOLOOP", "OK"),
            (
                "CLIENT TRACKING ON BCAST PREFIX p:z",
                "-ERR Prefix 'p:z' overlaps with an existing prefix 'p:'. Prefixes for a single client must not overlap.",
            ),
            (
                "CLIENT TRACKING ON",
                "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
            ),
            ("CLIENT GETREDIR", ":0"),
            ("CLIENT TRACKING MAYBE", "-ERR syntax error"),
        ] {
            assert_eq!(tracker.ask(command).await, expected, "{command} on {product}");
        }
        let info = tracker.ask("CLIENT TRACKINGINFO").await;
        assert!(info.contains("\"flags\":~[\"bcast\" \"noloop\" \"on\"]"), "{info} on {product}");

        // Own writes are not told with NOLOOP, those of others are, in all databases, also without a change.
        tracker.ask("SET p:own 1").await;
        sender.ask("SET other 1").await;
        sender.ask("SET p:a 1").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"p:a\"]]", "{product}");
        sender.ask("SET p:a 1").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"p:a\"]]", "{product}");
        sender.ask("SET p:a 1 NX").await;
        sender.ask("GET p:a").await;
        sender.ask("SELECT 3").await;
        sender.ask("HSET q:h a 1").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"q:h\"]]", "{product}");
        sender.ask("EXPIRE q:h 100").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"q:h\"]]", "{product}");
        sender.ask("PEXPIRE q:h 20").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"q:h\"]]", "{product}");
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"q:h\"]]", "{product}: it expired");
        sender.ask("FLUSHDB").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" nil]", "{product}");
        assert_eq!(tracker.ask("CLIENT TRACKING OFF").await, "OK");
        sender.ask("SET p:a 1").await;
        assert_eq!(tracker.ask("PING").await, "PONG", "{product}");
    }
}

#[tokio::test]
async fn tracking_of_what_was_read() {
    for server in servers().await {
        let product = server.product();
        let mut tracker = Wire::open(&server).await;
        let mut sender = Wire::open(&server).await;
        tracker.ask("HELLO 3").await;
        assert_eq!(tracker.ask("CLIENT TRACKING ON").await, "OK");
        tracker.ask("GET a").await;
        sender.ask("SET b 1").await;
        sender.ask("SET a 1").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"a\"]]", "{product}");
        sender.ask("SET a 2").await; // not told twice
        tracker.ask("MGET a b").await;
        sender.ask("DEL b").await;
        assert_eq!(tracker.text().await, ">[\"invalidate\" [\"b\"]]", "{product}");
    }
}

#[tokio::test]
async fn tracking_of_resp2_by_redirection() {
    for server in servers().await {
        let product = server.product();
        let mut receiver = Wire::open(&server).await;
        let mut tracker = Wire::open(&server).await;
        let mut sender = Wire::open(&server).await;
        let id = receiver.ask("CLIENT ID").await;
        let id = id.strip_prefix(':').unwrap();
        receiver.ask("SUBSCRIBE __redis__:invalidate").await;
        assert_eq!(tracker.ask(&format!("CLIENT TRACKING ON BCAST REDIRECT {id}")).await, "OK");
        sender.ask("SET a 1").await;
        let expected = "[\"message\" \"__redis__:invalidate\" [\"a\"]]";
        assert_eq!(receiver.text().await, expected, "{product}");
        sender.ask("FLUSHALL").await;
        assert_eq!(receiver.text().await, "[\"message\" \"__redis__:invalidate\" nil]", "{product}");
        drop(receiver);
        // Real Redis notices with the next message that cannot be sent.
        loop {
            sender.ask("SET a 1").await;
            let info = tracker.ask("CLIENT TRACKINGINFO").await;
            if info.contains("broken_redirect") {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn protocol_errors_close_the_connection() {
    for server in servers().await {
        for (bytes, answer) in [
            (&b"*a\r\n"[..], "-ERR Protocol error: invalid multibulk length"),
            (b"*1\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'"),
            (b"*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length"),
            (b"GET \"a\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ] {
            let mut wire = Wire::open(&server).await;
            wire.stream.write_all(bytes).await.unwrap();
            assert_eq!(wire.text().await, answer, "{}", server.product());
            assert_eq!(wire.text().await, "(closed)", "{}", server.product());
        }
        let mut wire = Wire::open(&server).await;
        wire.stream.write_all(b"SET \"a b\" 'x'\r\nGET \"a b\"\r\n*1\r\n$4\r\nPING\r\n").await.unwrap();
        assert_eq!(wire.text().await, "OK");
        assert_eq!(wire.text().await, "\"x\"");
        assert_eq!(wire.text().await, "PONG");
    }
}

#[tokio::test]
async fn a_full_server_refuses_what_needs_more() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        assert_eq!(wire.ask("SET a 1").await, "OK");
        wire.ask("CONFIG SET maxmemory 1").await;
        let full = "-OOM command not allowed when used memory > 'maxmemory'.";
        assert_eq!(wire.ask("SET b 1").await, full, "{}", server.product());
        assert_eq!(wire.ask("GET a").await, "\"1\"");
        assert_eq!(wire.ask("DEL a").await, ":1");
        wire.ask("CONFIG SET maxmemory 0").await;
        assert_eq!(wire.ask("SET b 1").await, "OK");
    }
}

#[tokio::test]
async fn a_scan_finds_all_that_stays() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        for number in 0..500 {
            wire.ask(&format!("SET stays:{number} 1")).await;
            wire.ask(&format!("SET goes:{number} 1")).await;
        }
        let mut found = std::collections::BTreeSet::new();
        let (mut cursor, mut step) = ("0".to_owned(), 0);
        loop {
            wire.send(&[b"SCAN", cursor.as_bytes(), b"COUNT", b"20", b"MATCH", b"stays:*"]).await;
            let Some(OwnedFrame::Array { data, .. }) = wire.frame().await else { panic!("no array") };
            let [OwnedFrame::BlobString { data: next, .. }, OwnedFrame::Array { data: keys, .. }] = &data[..]
            else {
                panic!("{data:?}")
            };
            found.extend(keys.iter().map(show));
            cursor = String::from_utf8(next.clone()).unwrap();
            if cursor == "0" {
                break;
            }
            wire.ask(&format!("DEL goes:{step}")).await;
            wire.ask(&format!("SET new:{step} 1")).await;
            step += 1;
        }
        assert_eq!(found.len(), 500, "{}", server.product());
    }
}

#[tokio::test]
async fn long_pipelines_are_answered_although_nobody_reads_meanwhile() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        let value = vec![b'v'; 10_000];
        wire.send(&[b"SET", b"big", &value]).await;
        assert_eq!(wire.text().await, "OK");
        // 40 MB of answers, asked for in one piece before the first is read.
        let count = 4_000;
        wire.stream.write_all(&b"GET big\r\n".repeat(count)).await.unwrap();
        for _ in 0..count {
            assert!(matches!(wire.frame().await, Some(OwnedFrame::BlobString { data, .. }) if data == value));
        }
    }
}

#[tokio::test]
async fn clients_are_listed_and_killed() {
    for server in servers().await {
        let mut victim = Wire::open(&server).await;
        let mut other = Wire::open(&server).await;
        victim.ask("CLIENT SETNAME victim").await;
        let list = other.ask("CLIENT LIST").await;
        assert!(list.contains("name=victim") && list.contains("resp=") || server.product() != "in-process");
        let id = victim.ask("CLIENT ID").await;
        assert_eq!(other.ask(&format!("CLIENT KILL ID {}", &id[1..])).await, ":1");
        assert_eq!(victim.text().await, "(closed)", "{}", server.product());
        assert_eq!(other.ask("CLIENT KILL ID 9999").await, ":0");
    }
}

#[tokio::test]
async fn random_bytes_neither_crash_nor_hang_the_server() {
    use rand::{Rng, SeedableRng};
    let server = EmbeddedCache::start(CacheOptions { port: None, in_process: true }).await.unwrap();
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let alphabet = b"*$:+-0123456789\r\n\r\n SETGETclient\"'\\x";
    for _ in 0..300 {
        let mut wire = Wire::open(&server).await;
        let bytes: Vec<u8> = (0..random.random_range(1..600))
            .map(|_| {
                if random.random_bool(0.9) {
                    alphabet[random.random_range(0..alphabet.len())]
                } else {
                    random.random()
                }
            })
            .collect();
        let _ = wire.stream.write_all(&bytes).await;
        let _ = wire.stream.shutdown().await;
        let mut rest = Vec::new();
        timeout(LIMIT, wire.stream.read_to_end(&mut rest)).await.expect("the server hangs").ok();
    }
    assert_eq!(Wire::open(&server).await.ask("PING").await, "PONG");
    let began = std::time::Instant::now();
    let _open = Wire::open(&server).await;
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// What StackExchange.Redis sends when it connects (from its source), in one piece as it does.
#[tokio::test]
async fn the_greeting_of_stackexchange_redis() {
    for server in servers().await {
        let mut wire = Wire::open(&server).await;
        let greeting = [
            "CLIENT SETNAME app(SE.Redis-v2.8.0)",
            "CLIENT SETINFO lib-name SE.Redis",
            "CLIENT SETINFO lib-ver 2.8.0",
            "CLIENT ID",
            "CONFIG GET timeout",
            "CONFIG GET slave-read-only",
            "CONFIG GET databases",
            "SENTINEL MASTERS",
            "INFO replication",
            "INFO server",
            "CLUSTER NODES",
            "GET __Booksleeve_TieBreak",
            "ECHO 0123456789abcdef",
            "SELECT 0",
            "SUBSCRIBE __Booksleeve_MasterChanged",
        ];
        for line in greeting {
            wire.send(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>()).await;
        }
        let mut answers = Vec::new();
        for _ in greeting {
            answers.push(wire.text().await);
        }
        let product = server.product();
        assert_eq!(answers[0], "OK", "{product}");
        assert!(answers[3].starts_with(':'), "{product}: {}", answers[3]);
        assert_eq!(answers[4], "[\"timeout\" \"0\"]", "{product}");
        assert_eq!(answers[5], "[\"slave-read-only\" \"yes\"]", "{product}");
        assert_eq!(answers[6], "[\"databases\" \"16\"]", "{product}");
        assert!(answers[7].starts_with("-ERR unknown command"), "{product}");
        assert!(answers[8].contains("\r\nrole:master\r\n"), "{product}");
        assert!(answers[9].contains("\r\nredis_version:7."), "{product}");
        assert!(answers[10].starts_with("-ERR This instance has cluster support disabled"), "{product}");
        assert_eq!(answers[11..14], ["nil", "\"0123456789abcdef\"", "OK"], "{product}");
        assert_eq!(answers[14], "[\"subscribe\" \"__Booksleeve_MasterChanged\" :1]", "{product}");
    }
}

/// K = a key, F = a field, V = a value, N = a number, M = milliseconds that outlast the test, D = a database.
const RANDOM_COMMANDS: &str = "\
    GET K, SET K V, SET K V NX, SET K V XX, SET K V GET, SET K V KEEPTTL, SET K V EX N, SET K V PX M, \
    SETNX K V, SETEX K N V, GETSET K V, GETDEL K, GETEX K, GETEX K PERSIST, MGET K K K, MSET K V K V, \
    MSETNX K V K V, STRLEN K, GETRANGE K N N, APPEND K V, INCR K, INCRBY K N, DECRBY K N, DECR K, \
    HSET K F V, HSET K F V F V, HMSET K F V, HSETNX K F V, HGET K F, HMGET K F F, HGETALL K, HKEYS K, \
    HVALS K, HLEN K, HEXISTS K F, HSTRLEN K F, HDEL K F, HDEL K F F, HINCRBY K F N, HSCAN K 0, DEL K, \
    DEL K K, UNLINK K K, EXISTS K K, TYPE K, RENAME K K, RENAMENX K K, PERSIST K, EXPIRE K 1000, \
    EXPIRE K N, EXPIRE K 2000 GT, EXPIRE K 500 LT, EXPIRE K 700 NX, EXPIRE K 800 XX, TTL K, DBSIZE, \
    TOUCH K, SELECT D, MULTI, EXEC, DISCARD, WATCH K, UNWATCH, FLUSHDB, GET, SET K, HSET K F, OBJECT, \
    PING V, ECHO V, NOSUCH K V, EXPIRETIME K, EXPIREAT K 4102444800";

/// Random commands over a few keys, the same for both servers: every answer and all that is left are equal.
#[tokio::test]
async fn random_commands_are_answered_alike() {
    use rand::seq::IndexedRandom;
    use rand::{Rng, SeedableRng};
    let templates: Vec<&str> = RANDOM_COMMANDS.split(", ").collect();
    let both = servers().await;
    let [ours, real] = &both[..] else { return };
    for seed in 0..30 {
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        let (mut left, mut right) = (Wire::open(ours).await, Wire::open(real).await);
        if seed % 2 == 1 {
            left.ask("HELLO 3").await;
            right.ask("HELLO 3").await;
        }
        left.ask("FLUSHALL").await;
        right.ask("FLUSHALL").await;
        let mut history = Vec::new();
        for _ in 0..400 {
            let command: Vec<String> = templates
                .choose(&mut random)
                .unwrap()
                .split(' ')
                .map(|word| match word {
                    "K" => format!("k{}", random.random_range(0..5)),
                    "F" => format!("f{}", random.random_range(0..4)),
                    "D" => random.random_range(0..3).to_string(),
                    "V" => ["", "1", "-7", "word", "9223372036854775807", "a b", "007"]
                        .choose(&mut random)
                        .unwrap()
                        .to_string(),
                    "N" => ["0", "-1", "1000", "2000", "x", "9223372036854775807", "-5"]
                        .choose(&mut random)
                        .unwrap()
                        .to_string(),
                    "M" => ["0", "-1", "1000000", "x"].choose(&mut random).unwrap().to_string(),
                    word => word.to_owned(),
                })
                .collect();
            let words: Vec<&[u8]> = command.iter().map(String::as_bytes).collect();
            left.send(&words).await;
            right.send(&words).await;
            history.push(command.join(" "));
            let (mine, theirs) = (left.text().await, right.text().await);
            if command[0].ends_with("TTL") || command[0] == "EXPIRETIME" {
                // The one was asked a moment after the other.
                let seconds = |answer: &str| answer.trim_start_matches(':').parse::<i64>().ok();
                if seconds(&mine).zip(seconds(&theirs)).is_some_and(|(a, b)| a > 2 && (a - b).abs() <= 2) {
                    continue;
                }
            }
            assert_eq!(
                mine,
                theirs,
                "seed {seed}, after {:#?}",
                &history[history.len().saturating_sub(12)..]
            );
        }
    }
}
