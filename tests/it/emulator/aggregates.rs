//! Aggregates as the SDKs of .NET, Java and Go ask for them: first a plan, then each range for its part.

use serde_json::{Value, json};

use crate::support::emulator::emulator;
use crate::support::raw::Raw;

const DOCS: &str = "/dbs/shop/colls/prices/docs";
const QUERY: [(&str, &str); 3] = [
    ("x-ms-documentdb-isquery", "True"),
    ("content-type", "application/query+json"),
    ("x-ms-documentdb-query-enablecrosspartition", "True"),
];

async fn ask(raw: &Raw, query: &Value, more: (&str, &str)) -> Value {
    let headers: Vec<_> = QUERY.into_iter().chain([more]).collect();
    let answer = raw.send("POST", DOCS, &headers, query.to_string()).await;
    assert_eq!(answer.status(), 200, "{query}");
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// The plan's description of a query, and the rows of all ranges.
async fn parts(raw: &Raw, query: &str) -> (Value, Vec<Value>) {
    let mut sent = json!({"query": query, "parameters": [{"name": "@least", "value": 10}]});
    let mut plan = ask(raw, &sent, ("x-ms-cosmos-is-query-plan-request", "True")).await;
    sent["query"] = plan["queryInfo"]["rewrittenQuery"].take();
    let mut rows = Vec::new();
    for range in ["0", "1", "2", "3"] {
        let page = ask(raw, &sent, ("x-ms-documentdb-partitionkeyrangeid", range)).await;
        rows.extend(page["Documents"].as_array().unwrap().iter().cloned());
    }
    (plan["queryInfo"].take(), rows)
}

#[tokio::test]
async fn the_parts_of_each_range_add_up_as_the_plan_says() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    for n in 0..40 {
        let document = json!({"id": format!("p-{n}"), "n": n, "kind": if n % 4 == 0 { "it's" } else { "b" }});
        raw.upsert(DOCS, &format!("p-{n}"), &document.to_string()).await;
    }
    let (plan, rows) = parts(&raw, "SELECT VALUE COUNT(1) FROM c WHERE c.n >= @least").await;
    assert_eq!((&plan["aggregates"], rows.len()), (&json!(["Count"]), 4));
    assert_eq!(rows.iter().map(|row| row[0]["item"].as_u64().unwrap()).sum::<u64>(), 30);

    let (plan, rows) = parts(&raw, "SELECT AVG(c.n) AS mean, MAX(c.n) FROM c").await;
    assert_eq!(plan["groupByAliasToAggregateType"], json!({"mean": "Average", "$1": "Max"}));
    let of = |row: &Value, path: &str| row.pointer(path).and_then(Value::as_u64).unwrap();
    assert_eq!(rows.iter().map(|row| of(row, "/payload/mean/item/sum")).sum::<u64>(), 780);
    assert_eq!(rows.iter().map(|row| of(row, "/payload/mean/item/count")).sum::<u64>(), 40);
    assert_eq!(rows.iter().map(|row| of(row, "/payload/$1/item")).max(), Some(39));

    // A string in double quotes and an escape survive the way through the plan.
    let query = r#"SELECT c.kind, SUM(c.n) AS total FROM c WHERE c.kind = "it\u0027s" GROUP BY c.kind"#;
    let (plan, rows) = parts(&raw, query).await;
    assert_eq!((&plan["groupByExpressions"], &plan["aggregates"]), (&json!(["c.kind"]), &json!([])));
    assert!(rows.iter().all(|row| row["groupByItems"] == json!([{"item": "it's"}])), "{rows:?}");
    assert_eq!(rows.iter().map(|row| of(row, "/payload/total/item")).sum::<u64>(), 180);
}
