//! Conversations that are the same on both servers: a client's greeting, and commands by chance.

use super::Wire;
use crate::support::servers::servers;

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

/// None whose answer hangs on the moment: the same time again is later than before, or just the same.
/// K = a key, F = a field, V = a value, N = a number, M = milliseconds that outlast the test, D = a database.
const RANDOM_COMMANDS: &str = "\
    GET K, SET K V, SET K V NX, SET K V XX, SET K V GET, SET K V KEEPTTL, SET K V EX N, SET K V PX M, \
    SETNX K V, SETEX K N V, GETSET K V, GETDEL K, GETEX K, GETEX K PERSIST, MGET K K K, MSET K V K V, \
    MSETNX K V K V, STRLEN K, GETRANGE K N N, APPEND K V, INCR K, INCRBY K N, DECRBY K N, DECR K, \
    HSET K F V, HSET K F V F V, HMSET K F V, HSETNX K F V, HGET K F, HMGET K F F, HGETALL K, HKEYS K, \
    HVALS K, HLEN K, HEXISTS K F, HSTRLEN K F, HDEL K F, HDEL K F F, HINCRBY K F N, HSCAN K 0, DEL K, \
    DEL K K, UNLINK K K, EXISTS K K, TYPE K, RENAME K K, RENAMENX K K, PERSIST K, EXPIRE K 1000, \
    EXPIRE K N, EXPIRE K 100 GT, EXPIRE K 500 LT, EXPIRE K 700 NX, EXPIRE K 800 XX, TTL K, DBSIZE, \
    TOUCH K, SELECT D, MULTI, EXEC, DISCARD, WATCH K, UNWATCH, FLUSHDB, GET, SET K, HSET K F, OBJECT, \
    PING V, ECHO V, NOSUCH K V, EXPIRETIME K, EXPIREAT K 4102444800, EXPIREAT K 4102444900 GT";

/// The same but for times: the one server was asked a moment after the other.
fn a_moment_apart(mine: &str, theirs: &str) -> bool {
    let words = |answer: &str| -> Vec<String> {
        answer.trim_matches(['[', ']']).split(' ').map(str::to_owned).collect()
    };
    let seconds = |word: &str| word.strip_prefix(':').and_then(|number| number.parse::<i64>().ok());
    let (mine, theirs) = (words(mine), words(theirs));
    mine.len() == theirs.len()
        && mine.iter().zip(&theirs).all(|(a, b)| {
            a == b || seconds(a).zip(seconds(b)).is_some_and(|(a, b)| a > 2 && (a - b).abs() <= 2)
        })
}

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
            if ["TTL", "EXPIRETIME", "EXEC"].contains(&&*command[0]) && a_moment_apart(&mine, &theirs) {
                continue;
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
