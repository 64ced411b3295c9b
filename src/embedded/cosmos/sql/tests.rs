//! What users of the SDKs send: the right answer, or an error; never silence.

use std::sync::Arc;

use azure_data_cosmos_driver::models::PartitionKeyDefinition;
use serde_json::{Value, json};

use super::super::document::Document;
use super::super::keys;
use super::{Work, parse};

const DOCUMENTS: [&str; 5] = [
    r#"{"id":"a","n":1,"s":"apple","tags":["x","y"],"o":{"p":1.50},"shop":"uk","t":true,"_etag":"\"1\""}"#,
    r#"{"id":"b","n":2,"s":"Banana","tags":["y"],"shop":"de","nil":null,"items":[{"k":1,"v":"one"},{"k":2,"v":"two"}]}"#,
    r#"{"id":"c","n":3,"s":"cherry","shop":"uk","tags":[]}"#,
    r#"{"id":"d","n":"three","s":"it's \"d\"","shop":"de"}"#,
    r#"{"id":"e","s":"apple pie","shop":"fr","order":7,"value":true}"#,
];

fn documents() -> Vec<Arc<Document>> {
    let definition = PartitionKeyDefinition::new(vec!["/id".into()]);
    let document = |(ordinal, text): (u64, &&'static str)| {
        let value: Value = serde_json::from_str(text).unwrap();
        let epk = keys::of_document(&value, &definition).unwrap();
        let key = (epk, value["id"].as_str().unwrap().into());
        let text = text.as_bytes().into();
        Arc::new(Document { key, text, etag: "".into(), ts: 0, ttl: None, lsn: 0, part: 0, ordinal })
    };
    (1..).zip(&DOCUMENTS).map(document).collect()
}

fn answer(sql: &str, parameters: &Value) -> Result<Vec<Value>, String> {
    let parameters: Vec<(String, Value)> =
        parameters.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let query = parse(sql, &parameters).map_err(|fault| fault.0)?;
    let rows = query.run(documents(), &Work::of(300_000)).map_err(|fault| fault.0)?;
    let rows: Vec<Value> = (0..rows.len()).map(|at| serde_json::from_slice(rows.get(at)).unwrap()).collect();
    if query.streams() {
        let (mut streamed, work) = (super::Rows::default(), Work::default());
        for document in documents() {
            query.stream(document, &mut streamed, &work).unwrap();
        }
        assert_eq!(streamed.len(), rows.len(), "{sql}");
    }
    Ok(rows)
}

#[track_caller]
fn gives(sql: &str, expected: Value) {
    assert_eq!(answer(sql, &json!({})).map(Value::from), Ok(expected), "{sql}");
}

/// The ids that a filter lets through.
#[track_caller]
fn finds(filter: &str, ids: &str) {
    let found = answer(&format!("SELECT VALUE c.id FROM c WHERE {filter}"), &json!({}));
    let found: String =
        found.unwrap_or_else(|e| panic!("{filter}: {e}")).iter().filter_map(Value::as_str).collect();
    assert_eq!(found, ids, "{filter}");
}

#[track_caller]
fn refuses(sql: &str, part: &str) {
    let fault = answer(sql, &json!({})).expect_err(sql);
    assert!(fault.contains(part), "{sql}: {fault}");
}

#[test]
fn names_and_literals() {
    for c in [r#"c["id"]"#, "c.id", "c['id']", "c .id"] {
        finds(&format!("{c} = 'b'"), "b");
    }
    finds(r#"c.s = "it's \"d\"""#, "d");
    finds(r"c.s = 'it\'s \u0022d\u0022'", "d");
    finds("c.s = 'it''s \"d\"'", "d");
    finds("c.o.p = 1.5 -- a comment", "a");
    finds("c.tags[0] = 'x' /* another */ AND true", "a");
    finds("c.order = 7 AND c.value", "e");
    finds("c.items[1].v = 'two'", "b");
    finds("c['items'][0]['k'] = 1e0", "b");
    gives("SELECT VALUE root.n FROM root WHERE root.id = 'a'", json!([1]));
    gives("SELECT VALUE x.n FROM Families AS x WHERE x.id = 'a';", json!([1]));
    gives("SELECT VALUE x.n FROM c x WHERE x.id = 'a'", json!([1]));
    gives("SELECT 1", json!([{"$1": 1}]));
    gives("SELECT VALUE {a: 1, 'b': [undefined, 2.0, -0x10]}", json!([{"a": 1, "b": [2, -16]}]));
}

#[test]
fn undefined_null_and_types() {
    finds("c.nil = null", "b");
    finds("IS_NULL(c.nil)", "b");
    finds("IS_DEFINED(c.n)", "abcd");
    finds("NOT IS_DEFINED(c.n)", "e");
    finds("IS_NUMBER(c.n)", "abc");
    finds("c.missing = undefined", "");
    finds("c.n != 1", "bcd");
    finds("NOT (c.n = 1)", "bcd");
    finds("c.n > 1", "bc");
    finds("c.n > '1'", "d");
    finds("c.missing OR c.n = 1", "a");
    finds("c.n = 1 AND c.missing", "");
    finds("c.missing ?? true", "abcde");
    finds("(c.n = 1 ? true : false)", "a");
    gives(
        "SELECT c.id, c.nil, c.n FROM c WHERE c.id IN ('b', 'e')",
        json!([{"id":"b","nil":null,"n":2},{"id":"e"}]),
    );
    gives("SELECT VALUE c.n FROM c WHERE c.shop = 'fr'", json!([]));
}

#[test]
fn operators() {
    finds("c.n BETWEEN 2 AND 3 AND c.shop = 'uk'", "c");
    finds("c.n NOT BETWEEN 2 AND 3", "a");
    finds("c.n IN (1, 'three', null)", "ad");
    finds("c.n NOT IN (1, 2)", "cd");
    finds("c.s LIKE 'apple%'", "ae");
    finds("c.s LIKE '_anan_' OR c.s LIKE '[b-d]herr[^x]'", "bc");
    finds("c.s NOT LIKE '%a%'", "cd");
    finds("c.s LIKE '%!%%' ESCAPE '!'", "");
    finds("c.n % 2 = 1 AND c.n * 2 - 1 >= 5", "c");
    finds("c.n & 2 = 2", "bc");
    finds("c.shop || '-' || c.id = 'uk-a'", "a");
    gives("SELECT VALUE 1 + 2 * 3 - 8 / 4", json!([5]));
    gives("SELECT VALUE [1/2, 7 % 4, 1 << 4, -1 >>> 28, ~5, 1/0]", json!([[0.5, 3, 16, 15, -6]]));
    gives("SELECT VALUE 'a' < 'b'", json!([true]));
}

#[test]
fn order_top_offset_distinct() {
    gives("SELECT VALUE c.id FROM c ORDER BY c.n DESC", json!(["d", "c", "b", "a", "e"]));
    gives("SELECT VALUE c.id FROM c ORDER BY c.shop, c.id DESC", json!(["d", "b", "e", "c", "a"]));
    gives("SELECT VALUE c.id FROM c ORDER BY c.shop", json!(["b", "d", "e", "a", "c"]));
    gives("SELECT TOP 2 VALUE c.id FROM c", json!(["a", "b"]));
    gives("SELECT VALUE c.id FROM c ORDER BY c.id DESC OFFSET 1 LIMIT 2", json!(["d", "c"]));
    gives("SELECT DISTINCT VALUE c.shop FROM c ORDER BY c.shop", json!(["de", "fr", "uk"]));
    gives("SELECT DISTINCT c.shop FROM c WHERE c.shop = 'uk'", json!([{"shop": "uk"}]));
    let parameters = json!({"@n": 2, "@skip": 1});
    let top = answer("SELECT TOP @n VALUE c.id FROM c ORDER BY c.id", &parameters);
    assert_eq!(top.map(Value::from), Ok(json!(["a", "b"])));
    let page = answer("SELECT VALUE c.id FROM c ORDER BY c.id OFFSET @skip LIMIT @n", &parameters);
    assert_eq!(page.map(Value::from), Ok(json!(["b", "c"])));
}

#[test]
fn aggregates_and_groups() {
    gives("SELECT VALUE COUNT(1) FROM c", json!([5]));
    gives(
        "SELECT COUNT(1) AS all, COUNT(c.n) AS n, MIN(c.s) AS s FROM c",
        json!([{"all": 5, "n": 4, "s": "Banana"}]),
    );
    gives("SELECT VALUE SUM(c.n) FROM c WHERE IS_NUMBER(c.n)", json!([6]));
    gives("SELECT VALUE AVG(c.n) FROM c WHERE c.n < 3", json!([1.5]));
    gives("SELECT VALUE SUM(c.n) FROM c", json!([]));
    gives("SELECT VALUE COUNT(1) FROM c WHERE false", json!([0]));
    gives("SELECT VALUE {\"x\": MAX(c.n) + 1} FROM c WHERE c.n <= 3", json!([{"x": 4}]));
    gives(
        "SELECT c.shop, COUNT(1) AS n FROM c GROUP BY c.shop ORDER BY c.shop",
        json!([{"shop":"de","n":2},{"shop":"fr","n":1},{"shop":"uk","n":2}]),
    );
    gives("SELECT VALUE COUNT(1) FROM c JOIN t IN c.tags GROUP BY t", json!([1, 2]));
    // As the SDKs rewrite it for each partition.
    gives(
        r#"SELECT [{"item": c.shop}] AS groupByItems, {"$1": {"item": SUM(c.n)}, "shop": c.shop} AS payload
           FROM c WHERE c.shop = 'fr' GROUP BY c.shop"#,
        json!([{"groupByItems":[{"item":"fr"}],"payload":{"$1":{"item":0},"shop":"fr"}}]),
    );
    refuses("SELECT c.shop, COUNT(1) FROM c", "'shop' is invalid in the select list");
    refuses("SELECT c.n FROM c GROUP BY c.shop", "'n' is invalid");
    refuses("SELECT VALUE c.id FROM c WHERE COUNT(1) > 1", "COUNT is not valid here");
    refuses("SELECT VALUE SUM(COUNT(1)) FROM c", "COUNT is not valid here");
    refuses("SELECT * FROM c GROUP BY c.shop", "'SELECT *'");
}

#[test]
fn joins_and_subqueries() {
    gives(
        "SELECT c.id, t FROM c JOIN t IN c.tags",
        json!([{"id":"a","t":"x"},{"id":"a","t":"y"},{"id":"b","t":"y"}]),
    );
    gives("SELECT VALUE t FROM t IN c.tags", json!(["x", "y", "y"]));
    gives("SELECT * FROM t IN c.tags", json!(["x", "y", "y"]));
    gives("SELECT * FROM c.o", json!([{"p": 1.5}]));
    gives("SELECT VALUE i.v FROM c JOIN i IN c.items WHERE i.k = 2", json!(["two"]));
    gives(
        "SELECT VALUE i.v FROM c JOIN (SELECT VALUE x FROM x IN c.items WHERE x.k > 1) AS i",
        json!(["two"]),
    );
    gives("SELECT VALUE i FROM c JOIN i IN (SELECT VALUE c.items) WHERE i.k = 1", json!([{"k":1,"v":"one"}]));
    finds("EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = 'x')", "a");
    finds("NOT EXISTS (SELECT VALUE t FROM t IN c.tags)", "cde");
    finds("EXISTS(SELECT VALUE i FROM i IN c.items WHERE i.k = c.n)", "b");
    gives(
        "SELECT c.id, ARRAY(SELECT VALUE i.v FROM i IN c.items) AS vs FROM c WHERE c.id = 'b'",
        json!([{"id":"b","vs":["one","two"]}]),
    );
    gives("SELECT VALUE (SELECT VALUE COUNT(1) FROM t IN c.tags) FROM c WHERE c.id = 'a'", json!([2]));
    refuses("SELECT * FROM c JOIN t IN c.tags", "single input set");
    refuses("SELECT VALUE (SELECT VALUE t FROM t IN c.tags) FROM c", "cardinality");
}

#[test]
fn functions_of_arrays_strings_numbers_and_time() {
    finds("ARRAY_CONTAINS(c.tags, 'y')", "ab");
    finds("ARRAY_CONTAINS(c.items, {k: 1})", "");
    finds("ARRAY_CONTAINS(c.items, {k: 1}, true)", "b");
    finds("ARRAY_CONTAINS(['a', \"c\"], c.id)", "ac");
    finds("ARRAY_LENGTH(c.tags) = 2", "a");
    finds("STARTSWITH(c.s, 'b', true)", "b");
    finds("CONTAINS(LOWER(c.s), 'an') AND ENDSWITH(c.s, 'a')", "b");
    finds("StringEquals(c.s, 'APPLE', true)", "a");
    finds("RegexMatch(c.s, '^b.*a$', 'i')", "b");
    finds("c.n < GetCurrentTimestamp()", "abc");
    finds("GetCurrentDateTime() > '2020-01-01T00:00:00.0000000Z' AND c.id = 'a'", "a");
    gives(
        "SELECT VALUE [CONCAT('a','b'), SUBSTRING('hello', 1, 3), INDEX_OF('hello', 'l'), LENGTH('äb'), \
         LEFT('abc', 2), RIGHT('abc', 2), TRIM(' a '), REPLACE('aXa', 'X', '-'), REVERSE('abc'), \
         REPLICATE('ab', 2), UPPER('a'), ToString(1.0), StringToNumber('1.5'), STRINGJOIN(['a','b'], '-')]",
        json!([["ab", "ell", 2, 2, "ab", "bc", "a", "a-a", "cba", "abab", "A", "1", 1.5, "a-b"]]),
    );
    gives(
        "SELECT VALUE [ABS(-2), FLOOR(1.7), CEILING(1.2), ROUND(2.5), POWER(2, 10), SQRT(9), SIGN(-3), TRUNC(-1.5)]",
        json!([[2, 1, 2, 3, 1024, 3, -1, -1]]),
    );
    gives(
        "SELECT VALUE [ARRAY_SLICE([1,2,3], 1), ARRAY_SLICE([1,2,3], -2, 1), ARRAY_CONCAT([1],[2]), \
         SetUnion([1,2],[2,3]), SetIntersect([1,2],[2,3]), CHOOSE(2, 'a', 'b'), IIF(true, 1, 2)]",
        json!([[[2, 3], [2], [1, 2], [1, 2, 3], [2], "b", 1]]),
    );
    gives(
        "SELECT VALUE [DateTimeAdd('mm', 1, '2026-01-31T00:00:00.0000000Z'), DateTimeDiff('hour', \
         '2026-01-01T00:59:00Z', '2026-01-01T02:00:00Z'), DateTimePart('dd', '2026-03-09'), \
         DateTimeToTimestamp('1970-01-01T00:00:01Z'), TimestampToDateTime(1000)]",
        json!([["2026-02-28T00:00:00.0000000Z", 2, 9, 1000, "1970-01-01T00:00:01.0000000Z"]]),
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    for (sql, part) in [
        ("SELECT * FROM c WHERE x.id = 'a'", "'x' could not be resolved"),
        ("SELECT * FROM c WHERE id = 'a'", "'id' could not be resolved"),
        ("SELECT c.id FROM root", "'c' could not be resolved"),
        ("SELECT * FROM c WHERE c.id = @p", "@p has no value"),
        ("SELECT * FROM c WHERE NOSUCH(c.id)", "'NOSUCH' is not a recognized"),
        ("SELECT * FROM c WHERE ST_DISTANCE(c.a, c.b) < 1", "'ST_DISTANCE' is not a recognized"),
        ("SELECT * FROM c WHERE udf.f(c.id)", "User-defined functions"),
        ("SELECT * FROM c WHERE STARTSWITH(c.id)", "does not take 1 argument"),
        ("SELECT * FROM c ORDER BY RANK FullTextScore(c.s, 'a')", "'RANK' could not be resolved"),
        ("SELECT * FROM c WHERE FullTextContains(c.s, 'a')", "not a recognized"),
        ("SELECT * FROM c WHERE c.id = 'open", "does not end"),
        ("SELECT * FROM c WHERE c.id == 'a'", "incorrect syntax"),
        ("SELECT * FROM c WHERE c.n NOT 5", "incorrect syntax"),
        ("SELECT * FROM c LIMIT 5", "incorrect syntax"),
        ("SELECT * FROM c WHERE c.id = 'a' extra", "incorrect syntax"),
        ("SELECT TOP 1 * FROM c OFFSET 1 LIMIT 1", "'TOP' cannot be used"),
        ("SELECT TOP -1 * FROM c", "whole number"),
        ("SELECT c.n, c.o.n FROM c", "selected twice"),
        ("SELECT * FROM c WHERE c.s LIKE '[a'", "does not end with ]"),
        ("SELECT * FROM c WHERE RegexMatch(c.s, '(')", "not valid"),
        ("SELEC * FROM c", "incorrect syntax"),
        ("SELECT", "ends too early"),
        ("", "ends too early"),
        ("DELETE FROM c", "incorrect syntax"),
        ("SELECT * FROM c WHERE c.a ? 1", "ends too early"),
        ("SELECT \u{1F34F}", "unexpected character"),
    ] {
        refuses(sql, part);
    }
}

#[test]
fn no_query_takes_everything_down() {
    let deep =
        |open: &str, close: &str| format!("SELECT VALUE {}1{}", open.repeat(5_000), close.repeat(5_000));
    for (open, close) in
        [("(", ")"), ("[", "]"), ("-", ""), ("NOT ", ""), ("{a:", "}"), ("1 ? ", ""), ("(SELECT VALUE ", ")")]
    {
        refuses(&deep(open, close), "");
    }
    refuses(&format!("SELECT VALUE {}1", "1+".repeat(5_000)), "too many operators");
    let many = (0..2_000).map(|n| format!("c.n = {n}")).collect::<Vec<_>>().join(" OR ");
    finds(&many, "abc");
    let tags = "[1,2,3,4,5,6,7,8,9,0]";
    let joins = (0..12).map(|n| format!(" JOIN t{n} IN (SELECT VALUE {tags})")).collect::<Vec<_>>().concat();
    refuses(&format!("SELECT VALUE COUNT(1) FROM c{joins}"), "more work");
    let mut big = String::from("'xxxxxxxxxxxxxxxxxxxx'");
    for _ in 0..30 {
        big = format!("REPLACE({big}, 'x', 'xxxxxxxxxxxxxxxxxxxx')");
    }
    refuses(&format!("SELECT VALUE {big}"), "too large");
}

#[test]
fn whole_documents_stay_as_they_were_written() {
    for sql in ["SELECT * FROM c WHERE c.id = 'a'", "SELECT VALUE c FROM c ORDER BY c.id OFFSET 0 LIMIT 1"] {
        let rows = parse(sql, &[]).unwrap().run(documents(), &Work::default()).unwrap();
        assert_eq!(rows.get(0), DOCUMENTS[0].as_bytes());
    }
    let sql = r#"SELECT c._etag, [{"item": c.n}] AS orderByItems, c AS payload FROM c WHERE (true) ORDER BY c.n ASC"#;
    let rows = parse(sql, &[]).unwrap().run(documents(), &Work::default()).unwrap();
    let expected = format!(r#"{{"_etag":"\"1\"","orderByItems":[{{"item":1}}],"payload":{}}}"#, DOCUMENTS[0]);
    assert_eq!(String::from_utf8_lossy(rows.get(1)), expected);
}
