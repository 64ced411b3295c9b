//! `syncscope emulator --seed`, `--load`, `--save`: what a user finds again, and what a broken file says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use syncscope::embedded::{CacheOptions, EmbeddedCache};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::support::pair::{Ran, finish, gather, program, signal};
use crate::support::raw::Raw;

const DOCS: &str = "/dbs/shop/colls/prices/docs";

/// A running `syncscope emulator`.
pub(super) struct Running {
    child: Child,
    cosmos: String,
    pub(super) endpoint: String,
    redis: String,
}

impl Running {
    pub(super) async fn start(args: &[&str]) -> Self {
        let mut command = program();
        command.args(["emulator", "--cosmos-port", "0", "--redis-port", "0", "--json"]).args(args);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
        let Some(line) = line.expect("ready within a minute").unwrap() else {
            panic!("it ended: {:?}", gather(child).await);
        };
        let told: Value = serde_json::from_str(&line).unwrap();
        let cosmos = told["cosmos"].as_str().unwrap().to_owned();
        let endpoint = cosmos.strip_prefix("AccountEndpoint=").unwrap().split(';').next().unwrap().to_owned();
        Self { child, cosmos, endpoint, redis: told["redis"].as_str().unwrap().to_owned() }
    }

    pub(super) fn raw(&self) -> Raw {
        Raw::at(&self.endpoint)
    }

    async fn redis(&self) -> redis::aio::MultiplexedConnection {
        redis::Client::open(self.redis.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    async fn sync(&self, args: &[&str]) -> Ran {
        let mut command = program();
        command.env("SYNCSCOPE_COSMOS", &self.cosmos).env("SYNCSCOPE_REDIS", &self.redis);
        command.args(["sync", "--until-idle", "--poll-interval", "100ms"]).args(args);
        finish(command).await.code(0)
    }

    pub(super) async fn end(self) -> Ran {
        signal(&self.child, "TERM").await;
        gather(self.child).await.code(0)
    }
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("state.ndjson")
}

async fn value(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn header(response: &reqwest::Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

async fn feed(raw: &Raw, mode: &str, etag: Option<&str>) -> (Vec<Value>, String) {
    let mut headers = vec![("a-im", mode)];
    headers.extend(etag.map(|etag| ("if-none-match", etag)));
    let page = raw.send("GET", DOCS, &headers, "").await;
    let etag = header(&page, "etag");
    if page.status() == 304 {
        return (Vec::new(), etag);
    }
    assert_eq!(page.status(), 200);
    (value(page).await["Documents"].as_array().unwrap().clone(), etag)
}

async fn ranges(raw: &Raw) -> Value {
    value(raw.send("GET", "/dbs/shop/colls/prices/pkranges", &[], "").await).await["PartitionKeyRanges"]
        .take()
}

async fn has_real_redis() -> bool {
    let cache = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    let real = !cache.is_in_process();
    cache.stop().await;
    real
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_save_and_a_load() {
    let kinds: &[&[&str]] =
        if has_real_redis().await { &[&[], &["--in-process-cache"]] } else { &[&["--in-process-cache"]] };
    for kind in kinds {
        survives(kind).await;
    }
}

/// Entries of every type that the server has, with and without a life.
async fn fill(redis: &mut redis::aio::MultiplexedConnection, real: bool) {
    let _: () = redis.set_ex("short", "gone in an hour", 3_600).await.unwrap();
    let _: () = redis.set("bytes", &b"\xff\0\x01"[..]).await.unwrap();
    let _: () = redis.hset_multiple("hash", &[("data", "x"), ("absexp", "-1")]).await.unwrap();
    if real {
        let _: () = redis.rpush("list", &["a", "b"]).await.unwrap();
        let _: () = redis.zadd("scores", "m", "inf").await.unwrap();
        let _: () = redis.sadd("set", "s").await.unwrap();
        let _: () =
            redis::cmd("XADD").arg("stream").arg("1-1").arg("f").arg("v").query_async(redis).await.unwrap();
        let _: () = redis::cmd("SELECT").arg(3).query_async(redis).await.unwrap();
        let _: () = redis.set("elsewhere", 3).await.unwrap();
    }
}

async fn survives(kind: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let name = file.to_str().unwrap();
    let args = |more: &[&'static str], name: &str| {
        kind.iter()
            .copied()
            .chain(more.iter().copied())
            .map(str::to_owned)
            .chain([name.to_owned()])
            .collect::<Vec<_>>()
    };
    let seeded = args(&["--seed", "40", "--save"], name);
    let first = Running::start(&seeded.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let raw = first.raw();
    // A database and a container that are gone have left their numbers behind.
    for gone in ["x", "y"] {
        raw.send("POST", "/dbs", &[], json!({ "id": gone }).to_string()).await;
        raw.send("DELETE", &format!("/dbs/{gone}"), &[], "").await;
    }
    raw.send("POST", "/dbs", &[], r#"{"id":"later"}"#).await;
    let locks = json!({"id": "locks", "partitionKey": {"paths": ["/id"], "kind": "Hash", "version": 2}, "defaultTtl": -1});
    assert_eq!(raw.send("POST", "/dbs/later/colls", &[], locks.to_string()).await.status(), 201);
    let lock = r#"{"id":"l","ttl":3600}"#;
    assert_eq!(raw.upsert("/dbs/later/colls/locks/docs", "l", lock).await.status(), 201);
    let (_, before) = feed(&raw, "Full-Fidelity Feed", Some("*")).await;
    let odd = r#"{"z":1.50,"id":"it's 🍏","a":{"y":1e3}}"#;
    raw.upsert(DOCS, "it's 🍏", odd).await;
    raw.upsert(DOCS, "p-000001", r#"{"id":"p-000001","v":1}"#).await;
    raw.upsert(DOCS, "p-000001", r#"{"id":"p-000001","v":2}"#).await;
    let key = [("x-ms-documentdb-partitionkey", r#"["p-000002"]"#)];
    assert_eq!(raw.send("DELETE", &format!("{DOCS}/p-000002"), &key, "").await.status(), 204);
    let control = format!("{}_emulator/", first.endpoint);
    let post = |what: &str, body: String| {
        let request = reqwest::Client::new().post(format!("{control}{what}"));
        request.header("content-type", "application/json").body(body).send()
    };
    let split = json!({"database": "shop", "container": "prices", "range": 0}).to_string();
    assert_eq!(post("split", split).await.unwrap().status(), 200);
    let (all, end) = feed(&raw, "Incremental feed", None).await;
    let (versions, _) = feed(&raw, "Full-Fidelity Feed", Some(&before)).await;
    assert_eq!((all.len(), versions.len()), (40, 4));
    let layout = ranges(&raw).await;
    let container = value(raw.send("GET", "/dbs/shop/colls/prices", &[], "").await).await;
    fill(&mut first.redis().await, kind.is_empty()).await;
    // On request, and again at the end.
    let saved = post("save", "{}".to_owned()).await.unwrap();
    assert_eq!(saved.status(), 200);
    let entries = if kind.is_empty() { 8 } else { 3 };
    let said = value(saved).await;
    assert_eq!((&said["documents"], &said["entries"]), (&json!(41), &json!(entries)), "{said}");
    let on_request = std::fs::read_to_string(&file).unwrap();
    let ended = first.end().await;
    assert!(ended.stderr.contains(&format!("41 documents and {entries} cache entries saved")), "{ended:?}");
    assert_eq!(on_request.lines().count(), std::fs::read_to_string(&file).unwrap().lines().count());
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["state.ndjson"], "no draft is left");

    let loaded = args(&["--load"], name);
    let again = Running::start(&loaded.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let raw = again.raw();
    assert_eq!(feed(&raw, "Incremental feed", None).await, (all, end.clone()));
    assert_eq!(feed(&raw, "Full-Fidelity Feed", Some(&before)).await.0, versions);
    assert_eq!(ranges(&raw).await, layout);
    let container_now = value(raw.send("GET", "/dbs/shop/colls/prices", &[], "").await).await;
    assert_eq!((&container_now["_rid"], &container_now["_self"]), (&container["_rid"], &container["_self"]));
    let by_key = [("x-ms-documentdb-partitionkey", "[\"it's \\ud83c\\udf4f\"]")];
    let path = format!("{DOCS}/it%27s%20%F0%9F%8D%8F");
    let read = raw.send("GET", &path, &by_key, "").await;
    let etag = header(&read, "etag");
    let text = String::from_utf8(read.bytes().await.unwrap().to_vec()).unwrap();
    assert!(text.starts_with(r#"{"z":1.50,"id":"it's 🍏","a":{"y":1e3},"_rid""#), "{text}");
    assert!(feed(&raw, "Incremental feed", Some(&end)).await.0.is_empty(), "nothing is delivered again");
    let guarded = [by_key[0], ("if-match", etag.as_str())];
    let replaced = raw.send("PUT", &path, &guarded, r#"{"id":"it's 🍏","v":2}"#).await;
    assert_eq!(replaced.status(), 200);
    let replaced = value(replaced).await;
    assert!(text.contains(replaced["_rid"].as_str().unwrap()), "a document keeps its rid");
    let (new, _) = feed(&raw, "Incremental feed", Some(&end)).await;
    assert_eq!((new.len(), &new[0]["v"]), (1, &json!(2)));
    let created = value(raw.upsert(DOCS, "new", r#"{"id":"new"}"#).await).await;
    assert!(!text.contains(created["_rid"].as_str().unwrap()));
    let mut redis = again.redis().await;
    let ttl: i64 = redis.ttl("short").await.unwrap();
    assert!((3_500..=3_600).contains(&ttl), "{ttl}");
    assert_eq!(redis.get::<_, Vec<u8>>("bytes").await.unwrap(), b"\xff\0\x01");
    assert_eq!(redis.ttl::<_, i64>("hash").await.unwrap(), -1);
    assert_eq!(redis.hget::<_, _, String>("hash", "absexp").await.unwrap(), "-1");
    if kind.is_empty() {
        assert_eq!(redis.lrange::<_, Vec<String>>("list", 0, -1).await.unwrap(), ["a", "b"]);
        assert_eq!(redis.zscore::<_, _, f64>("scores", "m").await.unwrap().to_string(), "inf");
        assert!(redis.sismember::<_, _, bool>("set", "s").await.unwrap());
        assert_eq!(redis::cmd("XLEN").arg("stream").query_async::<i64>(&mut redis).await.unwrap(), 1);
        let _: () = redis::cmd("SELECT").arg(3).query_async(&mut redis).await.unwrap();
        assert_eq!(redis.get::<_, i64>("elsewhere").await.unwrap(), 3);
    }
    again.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_goes_on_where_its_saved_leases_stood() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder);
    let name = file.to_str().unwrap();
    let first = Running::start(&["--seed", "60", "--save", name]).await;
    first.sync(&["--start", "beginning"]).await;
    let mut redis = first.redis().await;
    assert_eq!(redis::cmd("DBSIZE").query_async::<u64>(&mut redis).await.unwrap(), 60);
    first.end().await;
    let again = Running::start(&["--load", name]).await;
    let mut redis = again.redis().await;
    assert_eq!(redis::cmd("DBSIZE").query_async::<u64>(&mut redis).await.unwrap(), 60);
    // What would be delivered again would be there again.
    let _: () = redis.del("p-000007").await.unwrap();
    again.raw().upsert(DOCS, "new", r#"{"id":"new","v":1}"#).await;
    again.sync(&[]).await;
    assert!(!redis.exists::<_, bool>("p-000007").await.unwrap(), "delivered again");
    assert!(redis.exists::<_, bool>("new").await.unwrap());
    again.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_files_are_told_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let whole = file(&folder);
    let first = Running::start(&["--seed", "3", "--save", whole.to_str().unwrap()]).await;
    let mut redis = first.redis().await;
    let _: () = redis.set("key", "value").await.unwrap();
    first.raw().upsert(DOCS, "p-000001", r#"{"id":"p-000001"}"#).await;
    first.end().await;
    let text = std::fs::read_to_string(&whole).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
    let with = |index: usize, line: &str| {
        let mut lines = lines.clone();
        lines[index] = line;
        lines.join("\n")
    };
    let (entry, database, container) = (at("{\"entry\""), at("{\"database\""), at("{\"container\""));
    let version = at("\"version\":\"create\"");
    let cases = [
        (String::new(), 1, "empty"),
        ("{}\n".to_owned(), 1, "not a state file"),
        (text.replacen("\"version\":1", "\"version\":2", 1), 1, "format version 2 is not known"),
        (lines[..lines.len() - 1].join("\n"), lines.len() - 1, "cut off"),
        (text[..text.len() - 10].to_owned(), lines.len(), "not a line of a state file"),
        (format!("{text}{{}}\n"), lines.len() + 1, "goes on after its end"),
        (with(entry, r#"{"entry":{"db":0,"key":"k","blob":"x"}}"#), entry + 1, "not an entry"),
        (with(entry, r#"{"entry":{"db":0,"key":"k","string":{"base64":"%"}}}"#), entry + 1, "not base64"),
        (with(database, r#"{"database":{"id":"shop","rid":"nonsense"}}"#), database + 1, "rid is not one"),
        (with(database, ""), database + 1, "not a line"),
        (with(container, "{\"unknown\":1}"), container + 1, "not a line of a state file"),
        (
            with(version, r#"{"lsn":1,"document":{"id":"a"}}"#),
            version + 1,
            "not one that this emulator wrote",
        ),
        (
            with(version, r#"{"lsn":1,"version":"delete","ts":1,"epk":"00","id":"a"}"#),
            version + 1,
            "before it is missing",
        ),
        (lines[version].to_owned() + "\n", 1, "not a state file"),
        (format!("{}\n{}\n", lines[0], lines[version]), 2, "no container comes before it"),
        (
            with(container, &lines[container].replace("\"max\":\"FF\"", "\"max\":\"3E\"")),
            container + 1,
            "end of the key space",
        ),
    ];
    for (content, line, part) in cases {
        let broken = folder.path().join("broken.ndjson");
        std::fs::write(&broken, content).unwrap();
        refused(&broken, &format!("broken.ndjson, line {line}: "), part).await;
    }
    std::fs::write(&whole, b"\xff\xfe\0").unwrap();
    refused(&whole, "line 1", "not text").await;
    refused(Path::new("/nonexistent/state"), "cannot read /nonexistent/state", "No such file").await;
}

/// Ends with code 2 and one line that says where and what.
async fn refused(file: &Path, place: &str, part: &str) {
    let mut command = program();
    command.args(["emulator", "--cosmos-port", "0", "--redis-port", "0", "--json", "--load"]).arg(file);
    let ran = finish(command).await.code(2);
    assert!(ran.stderr.contains(place) && ran.stderr.contains(part), "{place} … {part}: {}", ran.stderr);
    assert_eq!((ran.stderr.trim_end().lines().count(), ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_is_told_at_the_start() {
    let mut command = program();
    command.args([
        "emulator",
        "--cosmos-port",
        "0",
        "--redis-port",
        "0",
        "--save",
        "/nonexistent/folder/state",
    ]);
    let ran = finish(command).await.code(2);
    assert!(ran.stderr.contains("cannot save to /nonexistent/folder/state"), "{}", ran.stderr);
    let running = Running::start(&[]).await;
    let wish = reqwest::Client::new().post(format!("{}_emulator/save", running.endpoint));
    let answer = wish.header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(value(answer).await["message"].as_str().unwrap().contains("--save FILE"));
    running.end().await;
}
