//! Documents: text as written, ids, preconditions, batches, time to live.

use serde_json::{Value, json};

use crate::support::emulator::emulator;
use crate::support::raw::Raw;
use crate::support::wait::eventually;

const DOCS: &str = "/dbs/shop/colls/prices/docs";

fn encoded(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn text(response: reqwest::Response) -> String {
    String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap()
}

async fn value(response: reqwest::Response) -> Value {
    serde_json::from_str(&text(response).await).unwrap()
}

/// The partition key header of an id, in ASCII as SDKs send it.
fn key(id: &str) -> String {
    let text: String = id
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(b'"') => "\\\"".to_owned(),
            Ok(b'\\') => "\\\\".to_owned(),
            Ok(b) if (32..127).contains(&b) => char::from(b).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    format!("[\"{text}\"]")
}

#[tokio::test]
async fn text_comes_back_as_it_was_written() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let sent = r#"{"z":1.50,"id":"p-1","a":{"y":1e3,"b":[1.0, 2]},"_etag":null,"_ts":0}"#;
    let kept = r#"{"z":1.50,"id":"p-1","a":{"y":1e3,"b":[1.0, 2]},"_rid":"#;
    let written = text(raw.upsert(DOCS, "p-1", sent).await).await;
    assert!(written.starts_with(kept), "{written}");
    let by_key = [("x-ms-documentdb-partitionkey", r#"["p-1"]"#)];
    let path = format!("{DOCS}/p-1");
    let read = text(raw.send("GET", &path, &by_key, "").await).await;
    assert_eq!(read, written);
    let patch = r#"[{"op":"incr","path":"/a/y","value":1}]"#;
    let patched = raw.send("PATCH", &path, &by_key, patch).await;
    assert_eq!(patched.status(), 200);
    let patched = text(patched).await;
    assert!(patched.starts_with(r#"{"z":1.50,"id":"p-1","a":{"#), "{patched}");
    assert_eq!(serde_json::from_str::<Value>(&patched).unwrap()["a"]["y"], 1001);
}

#[tokio::test]
async fn odd_ids_work_and_forbidden_ones_are_refused() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    for id in ["a b", "100%", "\"q\"", "🍏", "سعر", "localhost_bQ8uAA==_bQ8uAKjLr1s=..0", "it's", "<&>;,+"]
    {
        let (pk, path) = (key(id), format!("{DOCS}/{}", encoded(id)));
        let by_key = [("x-ms-documentdb-partitionkey", pk.as_str())];
        let body = json!({ "id": id }).to_string();
        assert_eq!(raw.send("POST", DOCS, &by_key, body).await.status(), 201, "{id}");
        assert_eq!(value(raw.send("GET", &path, &by_key, "").await).await["id"], id);
        assert_eq!(raw.send("DELETE", &path, &by_key, "").await.status(), 204, "{id}");
        assert_eq!(raw.send("GET", &path, &by_key, "").await.status(), 404, "{id}");
    }
    let long = "x".repeat(1024);
    for id in ["", "..", ".", "a/b", "a\\b", "a?b", "a#b", "a\tb", "a\nb", &long] {
        let body = json!({ "id": id }).to_string();
        let refused = raw.send("POST", DOCS, &[], body).await;
        assert_eq!(refused.status(), 400, "{id:?}");
        assert_eq!(value(refused).await["code"], "BadRequest");
    }
    // Nothing of it has touched the container.
    let by_key = [("x-ms-documentdb-partitionkey", r#"["a/b"]"#)];
    let slashed = raw.send("DELETE", &format!("{DOCS}/a%2Fb"), &by_key, "").await;
    assert_eq!(slashed.status(), 400);
    assert_eq!(raw.send("GET", "/dbs/shop/colls/prices", &[], "").await.status(), 200);
}

#[tokio::test]
async fn preconditions_hold_for_replace_upsert_and_delete() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let first = raw.upsert(DOCS, "l", r#"{"id":"l"}"#).await;
    let old = first.headers()["etag"].to_str().unwrap().to_owned();
    let minimal = [
        ("x-ms-documentdb-partitionkey", r#"["l"]"#),
        ("if-match", old.as_str()),
        ("prefer", "return=minimal"),
    ];
    let path = format!("{DOCS}/l");
    let replaced = raw.send("PUT", &path, &minimal, r#"{"id":"l","v":1}"#).await;
    assert_eq!(replaced.status(), 200);
    assert!(replaced.headers().contains_key("etag"));
    assert_eq!(text(replaced).await, "");
    let stale = [minimal[0], minimal[1]];
    assert_eq!(raw.send("PUT", &path, &stale, r#"{"id":"l"}"#).await.status(), 412);
    assert_eq!(raw.send("DELETE", &path, &stale, "").await.status(), 412);
    let upsert = [stale[0], stale[1], ("x-ms-documentdb-is-upsert", "True")];
    assert_eq!(raw.send("POST", DOCS, &upsert, r#"{"id":"l"}"#).await.status(), 412);
    let any = [stale[0], ("if-match", "*")];
    assert_eq!(raw.send("DELETE", &path, &any, "").await.status(), 204);
    assert_eq!(raw.send("POST", DOCS, &[stale[0]], r#"{"id":"l"}"#).await.status(), 201);
    assert_eq!(raw.send("POST", DOCS, &[stale[0]], r#"{"id":"l"}"#).await.status(), 409);
}

#[tokio::test]
async fn two_megabytes_is_the_limit() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let of = |kilobytes: usize| format!("{{\"id\":\"big\",\"text\":\"{}\"}}", "x".repeat(kilobytes * 1024));
    assert_eq!(raw.upsert(DOCS, "big", &of(2_000)).await.status(), 201);
    for size in [2_100, 6_000] {
        let refused = raw.upsert(DOCS, "big", &of(size)).await;
        assert_eq!(refused.status(), 413);
        assert_eq!(value(refused).await["code"], "RequestEntityTooLarge");
    }
}

#[tokio::test]
async fn batches_are_one_transaction_and_bulk_is_many() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let key = ("x-ms-documentdb-partitionkey", r#"["k"]"#);
    let batch = [("x-ms-cosmos-is-batch-request", "True"), ("x-ms-cosmos-batch-atomic", "True"), key];
    let operations = json!([
        {"operationType": "Create", "resourceBody": {"id": "k", "n": 1.0}},
        {"operationType": "Patch", "id": "k", "resourceBody": {"operations": [{"op": "set", "path": "/n", "value": 2}]}},
    ]);
    let done = raw.send("POST", DOCS, &batch, operations.to_string()).await;
    assert_eq!(done.status(), 200);
    let read = value(raw.send("GET", &format!("{DOCS}/k"), &[key], "").await).await;
    assert_eq!(read["n"], 2);
    let again = raw.send("POST", DOCS, &batch, operations.to_string()).await;
    assert_eq!(again.status(), 207);
    assert_eq!(value(again).await[0]["statusCode"], 409);
    let bulk = [("x-ms-cosmos-is-batch-request", "True"), ("x-ms-cosmos-batch-atomic", "False")];
    let operations = json!([
        {"operationType": "Upsert", "partitionKey": "[\"a\"]", "resourceBody": {"id": "a"}},
        {"operationType": "Create", "partitionKey": "[\"k\"]", "resourceBody": {"id": "k"}},
        {"operationType": "Delete", "partitionKey": "[\"k\"]", "id": "k"},
        {"operationType": "Read", "partitionKey": "[\"a\"]", "id": "a"},
    ]);
    let done = raw.send("POST", DOCS, &bulk, operations.to_string()).await;
    assert_eq!(done.status(), 207);
    let codes: Vec<_> =
        value(done).await.as_array().unwrap().iter().map(|r| r["statusCode"].clone()).collect();
    assert_eq!(codes, [201, 409, 204, 200]);
    let feed = value(raw.send("GET", DOCS, &[("a-im", "Incremental feed")], "").await).await;
    assert_eq!(feed["_count"], 1);
}

#[tokio::test]
async fn expired_documents_are_gone_from_reads_queries_and_feed() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let container = json!({
        "id": "locks", "partitionKey": {"paths": ["/id"], "kind": "Hash", "version": 2}, "defaultTtl": -1
    });
    assert_eq!(raw.send("POST", "/dbs/shop/colls", &[], container.to_string()).await.status(), 201);
    let docs = "/dbs/shop/colls/locks/docs";
    assert_eq!(raw.upsert(docs, ".lock", r#"{"id":".lock","ttl":1}"#).await.status(), 201);
    assert_eq!(raw.upsert(docs, "stays", r#"{"id":"stays"}"#).await.status(), 201);
    let by_key = [("x-ms-documentdb-partitionkey", r#"[".lock"]"#)];
    let path = format!("{docs}/.lock");
    assert_eq!(raw.send("GET", &path, &by_key, "").await.status(), 200);
    eventually("expired", async || raw.send("GET", &path, &by_key, "").await.status() == 404).await;
    let feed = value(raw.send("GET", docs, &[("a-im", "Incremental feed")], "").await).await;
    assert_eq!(feed["Documents"].as_array().unwrap().len(), 1);
    let query = [
        ("x-ms-documentdb-isquery", "True"),
        ("x-ms-documentdb-query-enablecrosspartition", "True"),
        ("content-type", "application/query+json"),
    ];
    let found = raw.send("POST", docs, &query, r#"{"query":"SELECT VALUE c.id FROM c"}"#).await;
    assert_eq!(value(found).await["Documents"], json!(["stays"]));
    assert_eq!(raw.upsert(docs, ".lock", r#"{"id":".lock","ttl":1}"#).await.status(), 201);
}

#[tokio::test]
async fn queries_take_double_quotes_and_return_documents_as_written() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let written = text(raw.upsert(DOCS, "it's", r#"{"z":1.50,"id":"it's","a":1.0}"#).await).await;
    raw.upsert(DOCS, "other", r#"{"id":"other","z":2}"#).await;
    let query = |sql: &str| {
        let raw = raw.clone();
        let body = json!({"query": sql, "parameters": []}).to_string();
        async move {
            let headers = [
                ("x-ms-documentdb-isquery", "True"),
                ("x-ms-documentdb-query-enablecrosspartition", "True"),
                ("content-type", "application/query+json"),
            ];
            raw.send("POST", DOCS, &headers, body).await
        }
    };
    for sql in [
        r#"SELECT * FROM c WHERE c.id = "it's""#,
        r#"SELECT * FROM c WHERE c["id"] IN ("it's", "x")"#,
        r"SELECT * FROM c WHERE c.id = 'it\'s'",
        "SELECT VALUE c FROM c WHERE c.z = 1.5 -- by number",
    ] {
        let found = text(query(sql).await).await;
        assert!(found.contains(&format!("\"Documents\":[{written}]")), "{sql}: {found}");
    }
    let part = value(
        query(r#"SELECT c.id, c.z ? "yes" : "no" AS has, {"n": c.z} AS o FROM c WHERE c.id = "other""#).await,
    )
    .await;
    assert_eq!(part["Documents"][0]["o"], json!({"n": 2}));
    for sql in
        ["SELECT * FROM c WHERE c.id = \"open", "SELEC", "SELECT * FROM c WHERE ST_DISTANCE(c.a, c.b) < 1"]
    {
        let refused = query(sql).await;
        assert_eq!(refused.status(), 400, "{sql}");
    }
}

#[tokio::test]
async fn a_document_cannot_be_written_under_another_id_or_key() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    raw.upsert(DOCS, "a", r#"{"id":"a"}"#).await;
    let by_a = [("x-ms-documentdb-partitionkey", r#"["a"]"#)];
    let other = raw.send("PUT", &format!("{DOCS}/a"), &by_a, r#"{"id":"b"}"#).await;
    assert_eq!(other.status(), 400);
    let wrong = raw.send("POST", DOCS, &by_a, r#"{"id":"b"}"#).await;
    assert_eq!((wrong.status().as_u16(), wrong.headers()["x-ms-substatus"].to_str().unwrap()), (400, "1001"));
    let all = value(raw.send("GET", DOCS, &[], "").await).await;
    assert_eq!(all["_count"], 1);
}

#[tokio::test]
async fn the_sdk_may_write_in_its_binary_encoding() {
    use azure_data_cosmos::{AccountReference, CosmosClient, RoutingStrategy};
    let (emulator, _) = emulator().await;
    let endpoint = emulator.endpoint().as_str().parse().unwrap();
    let account = AccountReference::with_authentication_key(endpoint, emulator.key().to_owned());
    let routing = RoutingStrategy::ProximityTo("East US".into());
    let client = CosmosClient::builder().build(account, routing).await.unwrap();
    let prices = client.database_client("shop").container_client("prices", None).await.unwrap();
    prices.upsert_item("b-1", "b-1", &json!({"id": "b-1", "price": 1.5}), None).await.unwrap();
    let read: Value = prices.read_item("b-1", "b-1", None).await.unwrap().into_model().unwrap();
    assert_eq!(read["price"], 1.5);
}

#[tokio::test]
async fn simple_queries_page_through_everything_once() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    for i in 0..50 {
        raw.upsert(DOCS, &format!("p-{i}"), &format!("{{\"id\":\"p-{i}\"}}")).await;
    }
    emulator.split("shop", "prices", 2).unwrap();
    let ask = |sql: &'static str, continuation: Option<String>| {
        let raw = raw.clone();
        async move {
            let mut headers = vec![
                ("x-ms-documentdb-isquery", "True"),
                ("content-type", "application/query+json"),
                ("x-ms-max-item-count", "7"),
            ];
            if let Some(continuation) = &continuation {
                headers.push(("x-ms-continuation", continuation));
            }
            raw.send("POST", DOCS, &headers, json!({ "query": sql }).to_string()).await
        }
    };
    let (mut seen, mut continuation) = (Vec::new(), None);
    loop {
        let page = ask("SELECT VALUE c.id FROM c", continuation.take()).await;
        continuation = page.headers().get("x-ms-continuation").map(|c| c.to_str().unwrap().to_owned());
        let page = value(page).await;
        seen.extend(page["Documents"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
        if continuation.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 50);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 50);
    let count = value(ask("SELECT VALUE COUNT(1) FROM c", None).await).await;
    assert_eq!(count["Documents"], json!([50]));
    let one = value(ask("SELECT * FROM c WHERE c.id = \"p-31\"", None).await).await;
    assert_eq!(one["Documents"][0]["id"], "p-31");
    // The engine agrees.
    let slow = value(ask("SELECT VALUE COUNT(1) FROM c WHERE true", None).await).await;
    assert_eq!(slow["Documents"], json!([50]));
}

#[tokio::test]
async fn databases_and_containers_can_be_queried() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let ask = |path: &'static str, sql: &'static str| {
        let raw = raw.clone();
        async move {
            let query = [("x-ms-documentdb-isquery", "True"), ("content-type", "application/query+json")];
            let parameters = json!([{"name": "@id", "value": "prices"}]);
            let body = json!({ "query": sql, "parameters": parameters }).to_string();
            raw.send("POST", path, &query, body).await
        }
    };
    let found = value(ask("/dbs", r#"SELECT VALUE r.id FROM root r WHERE r.id = "shop""#).await).await;
    assert_eq!((&found["Databases"], &found["_count"]), (&json!(["shop"]), &json!(1)));
    let one = value(ask("/dbs/shop/colls", "SELECT * FROM root r WHERE r.id = @id").await).await;
    assert_eq!(one["DocumentCollections"][0]["id"], "prices");
    let all = value(ask("/dbs/shop/colls", "SELECT VALUE COUNT(1) FROM c").await).await;
    assert_eq!(all["DocumentCollections"], json!([2]));
    assert_eq!(ask("/dbs", "SELECT * FROM r WHERE NOSUCH(r.id)").await.status(), 400);
    assert_eq!(ask("/dbs/nowhere/colls", "SELECT * FROM r").await.status(), 404);
}
