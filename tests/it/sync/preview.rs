//! `syncscope map`, and settings that make no mapping.

use std::process::Stdio;

use serde_json::json;

use crate::support::pair::{Ran, finish, program};

async fn map(document: &str, args: &[&str]) -> Ran {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), document).unwrap();
    let mut command = program();
    command.arg("map").arg("--doc").arg(file.path()).args(args);
    finish(command).await
}

#[tokio::test]
async fn a_document_is_shown_as_the_entry_it_would_become() {
    let document = r#"{"id":"p-1","market":"UK","price":{"current":39.90},"_ts":1,"gone":true}"#;
    let ran = map(document, &["--key", "price:{id}", "--json"]).await.code(0);
    assert_eq!(ran.json()["key"], "price:p-1");
    assert_eq!(ran.json()["value"]["price"]["current"], 39.90);

    let jq = ["--jq", "{p: .price.current}", "--encoding", "distributed-cache", "--ttl", "15m", "--json"];
    let ran = map(document, &jq).await.code(0);
    let wanted = json!({
        "key": "p-1", "delete": false, "encoding": "distributed-cache", "ttlMs": 900_000,
        "value": {"p": 39.90}, "guarded": true
    });
    assert_eq!(ran.json(), wanted);

    let ran = map(document, &["--delete-field", "gone"]).await.code(0);
    assert_eq!(ran.stdout, "p-1  deleted\n");
}

#[tokio::test]
async fn several_documents_and_one_that_makes_no_entry() {
    let documents = r#"[{"id":"a","m":1},{"id":"b"}] {"id":"c","m":2}"#;
    let ran = map(documents, &["--key", "{m}:{id}", "--value", "stripped"]).await.code(1);
    let keys: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split("  ").next().unwrap())
        .collect();
    assert_eq!(keys, ["1:a", "2:c"]);
    assert!(ran.stderr.contains("\"b\"") && ran.stderr.contains("\"m\""), "{}", ran.stderr);
    assert!(map("{", &[]).await.code(2).stderr.contains("not JSON"));
}

#[tokio::test]
async fn a_wrong_template_or_expression_is_told_before_anything_runs() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.toml");
    std::fs::write(&file, "key = '{id}'\n[mapping]\njq = '''\n{id}\n| nothing'''\n").unwrap();
    for order in [&["sync"][..], &["watch", "feed"], &["map", "--doc", "/dev/null"]] {
        let mut command = program();
        command.arg("--config").arg(&file).args(order);
        let ran = finish(command).await.code(2);
        assert!(ran.stderr.contains("config.toml:3: mapping.jq: line 2, column 3:"), "{}", ran.stderr);
    }
    for (args, told) in [
        (["--key", "price:{id"], "--key: key: key template \"price:{id\": the brace at column 7"),
        (["--jq", "{id"], "--jq: mapping.jq: line 1, column 4: closing brace expected"),
        (["--ttl-field", "a."], "--ttl-field: mapping.ttl-field: \"a.\" is no path"),
        (["--encoding", "xml"], "--encoding must be one of string, distributed-cache, fields, json"),
    ] {
        let mut command = program();
        command.args(["sync"]).args(args);
        let ran = finish(command).await.code(2);
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
    }
}

/// A program of its own each, in little memory: a stack that overflows or memory that runs out ends
/// the process, which no test inside it would see. More of them are in `sync::mapping::jq`.
#[cfg(unix)]
#[tokio::test]
async fn a_jq_expression_cannot_take_the_program_down() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"id":"p-1"}"#).unwrap();
    for (expression, reason) in [
        ("[recurse([.])]", "nests values too deeply"),
        ("def f: [f]; f", "calls itself too deeply"),
        ("def f(g): f(g | .); f(.)", "was stopped"),
        ("[limit(1e9; repeat(1))]", "was stopped"),
        ("\"x\" * 1000000000000", "was stopped"),
        ("[range(1e12)]", "was stopped"),
        ("reduce range(1e9) as $i (0; [.])", "nests values too deeply"),
        ("reduce range(60) as $i (\"x\"; . + .)", "was stopped"),
        ("reduce range(60) as $i (1; [., .]) | tojson", "was stopped"),
        ("(\"[\" * 100000) + (\"]\" * 100000) | fromjson", "nested deeper"),
        ("last(path(recurse(.a)))", "was stopped"),
    ] {
        let mut command = tokio::process::Command::new("sh");
        // 1.5 GB of addresses, those of the threads' stacks among them.
        command.args(["-c", "ulimit -v 1500000 && exec \"$@\"", "sh"]);
        command.arg(env!("CARGO_BIN_EXE_syncscope")).arg("map").arg("--doc").arg(file.path());
        command.args(["--jq", expression]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ran = finish(command).await.code(1);
        assert!(ran.stderr.contains(reason), "{expression}: {}", ran.stderr);
    }
}
