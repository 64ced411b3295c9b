//! What a server sends unasked: messages, notifications of keys, and what a client's tracking drops.

use super::Wire;
use crate::support::servers::servers;

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
