//! Requests that nobody should send.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::emulator::emulator;
use crate::support::raw::Raw;

/// `SYNCSCOPE_FUZZ_REQUESTS` sends as many.
fn requests() -> usize {
    std::env::var("SYNCSCOPE_FUZZ_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000)
}

/// `SYNCSCOPE_FUZZ_SEED` replays a run.
fn seed() -> u64 {
    std::env::var("SYNCSCOPE_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7)
}

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
const PIECES: [&str; 22] = [
    "dbs",
    "other",
    "colls",
    "open",
    "docs",
    "pkranges",
    "offers",
    "sprocs",
    "a",
    "%2E%2E",
    "%2e",
    "..%2f",
    "%00",
    "%F0%9F%8D%8F",
    "a%2Fb",
    "%5C",
    "%25",
    "x==..0",
    "%FF",
    "conflicts",
    "users",
    "AAAAAA==",
];
const HEADERS: [(&str, &str); 20] = [
    ("a-im", "Incremental feed"),
    ("a-im", "Full-Fidelity Feed"),
    ("if-none-match", "*"),
    ("if-none-match", "\"99999999999999999999\""),
    ("if-none-match", "\"0:1,7:9\""),
    ("if-match", "\"x\""),
    ("if-modified-since", "yesterday"),
    ("x-ms-max-item-count", "-9"),
    ("x-ms-max-item-count", "99999999999"),
    ("x-ms-continuation", "W10"),
    ("x-ms-documentdb-partitionkey", "[\"a\"]"),
    ("x-ms-documentdb-partitionkey", "[[]]"),
    ("x-ms-documentdb-partitionkey", "[1e999]"),
    ("x-ms-documentdb-partitionkeyrangeid", "0"),
    ("x-ms-start-epk", "3F"),
    ("x-ms-end-epk", "00"),
    ("x-ms-documentdb-isquery", "True"),
    ("x-ms-cosmos-is-batch-request", "True"),
    ("x-ms-cosmos-is-query-plan-request", "True"),
    ("x-ms-cosmos-batch-atomic", "False"),
];
const BODIES: [&str; 20] = [
    "",
    "{}",
    "[]",
    "null",
    "{\"id\":\"a\"}",
    "{\"id\":\"..\"}",
    "{\"id\":\"a\",\"ttl\":-5}",
    "{\"id\":\"a\",\"id\":{}}",
    "{\"query\":\"SELECT * FROM c WHERE c.id = \\\"\"}",
    "{\"query\":\"SELECT VALUE {\\\"a\\\": c[c.id]} FROM c ORDER BY c.x\"}",
    "{\"query\":7}",
    "{\"query\":\"SELECT * FROM c WHERE c.a IN (1, 'x') AND EXISTS(SELECT VALUE t FROM t IN c.tags) ORDER BY c.a\"}",
    "{\"query\":\"SELECT c.a, COUNT(1) FROM c GROUP BY c.a\",\"parameters\":[{\"name\":\"@p\"}]}",
    "{\"query\":\"SELECT TOP @n VALUE REPLACE(c.id, 'a', @p) FROM c\",\"parameters\":[{\"name\":\"@n\",\"value\":1}]}",
    "{\"query\":\"PARTIAL SELECT COUNT(1) FROM c\"}",
    "[{\"op\":\"add\",\"path\":\"/a/b/-\",\"value\":1}]",
    "[{\"operationType\":\"Patch\",\"id\":\"a\",\"partitionKey\":\"[\\\"a\\\"]\"}]",
    "[{\"operationType\":\"Create\",\"resourceBody\":{\"id\":\"a\"}}]",
    "\u{80}\u{7f}\u{1}",
    "{\"id\":\"open\",\"partitionKey\":{\"paths\":[\"/id\"],\"kind\":\"Hash\",\"version\":2},\"defaultTtl\":0}",
];

/// What a body may suddenly hold thousands of.
const PARTS: [&[u8]; 6] = [b"[", b"{\"a\":", b"(", b"\\u0000", b"NOT ", b"1e9"];

/// The body with some bytes changed, left out, or repeated many times.
fn garbled(body: &str, random: &mut StdRng) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..4_u32) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.random()),
            2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.random();
                }
            }
            _ => {
                let part = PARTS.choose(random).unwrap();
                bytes.splice(at..at, part.repeat(random.random_range(1..2_000)));
            }
        }
    }
    bytes
}

/// Kilobytes of this process in memory; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn random_requests_break_nothing() {
    let (emulator, prices) = emulator().await;
    let raw = Raw::new(&emulator);
    let docs = "/dbs/shop/colls/prices/docs";
    raw.upsert(docs, "a", r#"{"id":"a","kept":true}"#).await;
    raw.send("POST", "/dbs", &[], r#"{"id":"other"}"#).await;
    let mut random = StdRng::seed_from_u64(seed());
    let before = resident();
    for i in 0..requests() {
        // Mostly inside of one container, else anywhere; never where the kept document is.
        let mut path =
            if random.random_bool(0.7) { "/dbs/other/colls/open".to_owned() } else { String::new() };
        for _ in 0..random.random_range(0..4) {
            path = format!("{path}/{}", PIECES.choose(&mut random).unwrap());
        }
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let many = random.random_range(0..4);
        let mut headers: Vec<_> = HEADERS.choose_multiple(&mut random, many).copied().collect();
        headers.dedup_by_key(|(name, _)| *name);
        let method = METHODS.choose(&mut random).unwrap();
        let body = *BODIES.choose(&mut random).unwrap();
        let body = if *method == "HEAD" || *method == "GET" {
            Vec::new()
        } else if random.random_bool(0.3) {
            garbled(body, &mut random)
        } else {
            body.as_bytes().to_vec()
        };
        let shown = String::from_utf8_lossy(&body).into_owned();
        let answer = raw.send(method, &path, &headers, body).await;
        let status = answer.status().as_u16();
        assert!(status < 500 || status == 501, "request {i}: {method} {path} {headers:?} {shown}: {status}");
        // Nobody who asks elsewhere sees the kept document or its container.
        let told = answer.bytes().await.unwrap();
        assert!(
            !told.windows(6).any(|part| part == b"kept\":"),
            "request {i}: {method} {path} was answered by another"
        );
    }
    // Other tests share the process, so this says something only in a run of its own.
    if std::env::var_os("SYNCSCOPE_FUZZ_REQUESTS").is_some() {
        let grown = resident().saturating_sub(before);
        assert!(grown < 100 << 10, "{grown} KB more after {} requests", requests());
    }
    let container = raw.send("GET", "/dbs/shop/colls/prices", &[], "").await;
    assert_eq!(container.status(), 200);
    let read: Value = prices.read_item("a", "a", None).await.unwrap().into_model().unwrap();
    assert_eq!(read["kept"], true);
}

#[tokio::test]
async fn bytes_that_are_no_request_are_hung_up_on() {
    let (emulator, _) = emulator().await;
    let port = emulator.endpoint().port().unwrap();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls to a plain port\r\n\r\n".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let ended =
            tokio::time::timeout(std::time::Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "still open after {bytes:?}");
    }
    let raw = Raw::new(&emulator);
    assert_eq!(raw.send("GET", "/", &[], "").await.status(), 200);
}

#[test]
fn each_row_of_the_fidelity_table_names_tests_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    let mut folders = vec![root.join("tests/it"), root.join("src/embedded/cosmos")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                code += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let table = std::fs::read_to_string(root.join("src/embedded/cosmos/fidelity.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
    let mut named = 0;
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for test in tests.split('`').skip(1).step_by(2) {
            assert!(code.contains(&format!("fn {test}(")), "{test}");
            named += 1;
        }
        assert!(tests.contains('`'), "no test in: {row}");
    }
    assert!(named > 20);
}
