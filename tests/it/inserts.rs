//! Documents from files and scenarios, taking inserts back, and measuring their way into the cache.

use std::time::Duration;

use serde_json::{Value, json};
use syncscope::config::Settings;
use syncscope::engine::{Command, Engine, EngineOptions, Event, Face, Insert, JobStatus, Undoable, channels};
use tokio::sync::mpsc;

use crate::support::cosmos::{connection, put};
use crate::support::pair::Pair;
use crate::support::wait::eventually;

async fn value(pair: &Pair, id: &str) -> Option<Value> {
    pair.documents().await.get(id).map(|body| serde_json::from_slice(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_file_is_written_and_its_wrong_lines_are_told() {
    let pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.csv");
    std::fs::write(&path, "id,price.current,active\na,12.50,true\nb\nc/d,1,false\ne,7,\n").unwrap();
    let ran = pair.run(&["seed", "--json", "--file", path.to_str().unwrap()]).await.code(1);
    assert_eq!((ran.json()["written"].clone(), ran.json()["refused"].clone()), (json!(2), json!(2)));
    assert!(
        ran.stderr.contains("line 3: it has 1 field") && ran.stderr.contains("line 4: its id"),
        "{ran:#?}"
    );
    let a = value(&pair, "a").await.unwrap();
    assert_eq!((&a["price"]["current"], &a["active"]), (&json!(12.5), &json!(true)));
    assert_eq!(value(&pair, "e").await.unwrap().get("active"), None);
    let missing = pair.run(&["seed", "--file", "nothing.csv"]).await.code(2);
    assert!(missing.stderr.contains("cannot read nothing.csv"), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_of_lines_and_an_array_arrive_whole() {
    let pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let lines = (0..3_000).map(|n| format!("{{\"id\":\"l-{n}\",\"n\":{n}}}\n")).collect::<Vec<_>>().concat();
    let array: Vec<String> = (0..500).map(|n| format!("{{\"id\": \"a-{n}\"}}")).collect();
    for (name, text, count) in
        [("lines.ndjson", lines, 3_000), ("array.json", format!("[{}]", array.join(",\n")), 500)]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let ran = pair.run(&["seed", "--json", "--file", path.to_str().unwrap()]).await.code(0);
        assert_eq!(ran.json()["written"], count, "{name}");
    }
    assert_eq!(pair.documents().await.len(), 3_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_of_ones_own_changes_what_is_there() {
    let pair = Pair::start().await;
    pair.run(&["seed", "--count", "20"]).await.code(0);
    let before = pair.documents().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.toml");
    std::fs::write(&path, "about = \"x\"\n[[step]]\nproducts = \"50%\"\noff = [50, 60]\nduring = \"200ms\"")
        .unwrap();
    let ran = pair.run(&["seed", "--json", "--scenario", path.to_str().unwrap()]).await.code(0);
    assert_eq!(ran.json()["written"], 10);
    let price = |body: &bytes::Bytes| {
        serde_json::from_slice::<Value>(body).unwrap()["price"]["current"].as_f64().unwrap()
    };
    let after = pair.documents().await;
    let cheaper = after.iter().filter(|(id, body)| price(body) < price(&before[*id])).count();
    assert_eq!((after.len(), cheaper), (20, 10));
    let wrong = pair.run(&["seed", "--scenario", "nobody"]).await.code(2);
    assert!(wrong.stderr.contains("there are sale-starts, drip, burst, same-product"), "{wrong:#?}");
}

/// The end of the job of this number, and what can be undone then.
async fn ended(events: &mut mpsc::Receiver<Event>, number: u64) -> (JobStatus, Undoable) {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await.expect("in time");
        if let Event::Traffic(status) = event.expect("the engine runs")
            && let Some(job) = status.last.filter(|job| job.number == number)
        {
            return (job, status.undoable);
        }
    }
}

async fn undoable(events: &mut mpsc::Receiver<Event>, wanted: Undoable) {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await.expect("in time");
        if let Event::Traffic(status) = event.expect("the engine runs")
            && status.undoable == wanted
        {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_takes_back_exactly_what_was_inserted() {
    let pair = Pair::start().await;
    for id in ["kept", "replaced", "contested"] {
        put(&pair.prices, id, &json!({ "version": "before" })).await;
    }
    let mut settings = Settings { cosmos: connection(&pair.emulator), ..Settings::default() };
    settings.redis = syncscope::config::RedisConnection::parse(&pair.cache.url()).unwrap();
    let (Face { commands, mut events }, inside) = channels();
    let engine = Engine::start(EngineOptions::new(settings), inside).unwrap();
    commands.send(Command::Insert(Insert::Generated { count: 700 })).await.unwrap();
    let (job, _) = ended(&mut events, 1).await;
    assert_eq!((job.done, job.failed), (700, 0));
    for version in ["first", "second"] {
        for id in ["replaced", "contested", "new"] {
            let json = json!({ "id": id, "version": version }).to_string();
            commands.send(Command::Insert(Insert::One { json })).await.unwrap();
        }
    }
    undoable(&mut events, Undoable { created: 701, replaced: 2, forgotten: 0 }).await;
    eventually("the second version", async || {
        value(&pair, "new").await.is_some_and(|new| new["version"] == "second")
    })
    .await;
    put(&pair.prices, "contested", &json!({ "version": "of somebody else" })).await;
    commands.send(Command::UndoInserts).await.unwrap();
    let (job, left) = ended(&mut events, 2).await;
    assert_eq!((job.done, job.failed, left), (702, 1, Undoable::default()));
    let found: Vec<(String, String)> = pair
        .documents()
        .await
        .into_iter()
        .map(|(id, body)| {
            let document: Value = serde_json::from_slice(&body).unwrap();
            (id, document["version"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [("contested", "of somebody else"), ("kept", "before"), ("replaced", "before")];
    assert_eq!(found, expected.map(|(id, version)| (id.to_owned(), version.to_owned())));
    engine.stop(events).await;
}
#[tokio::test(flavor = "multi_thread")]
async fn latency_is_measured_reported_and_judged() {
    let pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, log) = (path("a.html"), path("a.hlog"));
    let args = ["latency", "--json", "--for", "2s", "--rate", "20/s", "--sync", "--poll-interval", "50ms"];
    let mut good = args.to_vec();
    good.extend(["--slo", "60s", "--report", &page, "--report", &log]);
    let ran = pair.run(&good).await.code(0);
    assert_eq!(ran.json()["target"]["met"], true, "{ran:#?}");
    let whole = &ran.json()["stages"][5];
    assert_eq!((&whole["stage"], &whole["count"]), (&json!("whole"), &json!(40)));
    assert!(std::fs::read_to_string(&page).unwrap().contains("target met"));
    assert!(std::fs::read_to_string(&log).unwrap().contains("Tag=whole"));
    let mut bad = args.to_vec();
    bad.extend(["--slo", "1ms"]);
    let ran = pair.run(&bad).await.code(1);
    assert_eq!(ran.json()["target"]["met"], false);
    assert!(ran.stderr.contains("target missed"), "{ran:#?}");
}
