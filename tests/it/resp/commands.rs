//! Commands and their answers, line by line.

use super::{Wire, conversation};
use crate::support::servers::servers;

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
