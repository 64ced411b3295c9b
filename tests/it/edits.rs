//! Edits of a document and its entry, as the view that follows it asks for them.

use std::time::Duration;

use serde_json::{Value, json};
use syncscope::cache::CacheWrite;
use syncscope::config::{RedisConnection, Settings};
use syncscope::cosmos::PartitionKey;
use syncscope::engine::{
    Command, Edit, EditEnd, EditOrder, Engine, EngineOptions, Event, Face, TextPair, channels,
};
use tokio::sync::mpsc;

use crate::support::cosmos::{connection, put};
use crate::support::pair::Pair;
use crate::support::wait::eventually;

struct Desk {
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    asked: u64,
}

impl Desk {
    async fn edit(&mut self, edit: Edit) -> EditEnd {
        self.asked += 1;
        let order = EditOrder { request: self.asked, edit };
        self.commands.send(Command::Edit(order)).await.unwrap();
        loop {
            let event = tokio::time::timeout(Duration::from_secs(60), self.events.recv()).await;
            if let Event::Edited(outcome) = event.expect("in time").expect("the engine runs") {
                assert_eq!(outcome.request, self.asked);
                return outcome.end;
            }
        }
    }

    /// Asks again while the engine is still looking for its servers.
    async fn edit_when_connected(&mut self, edit: Edit) -> EditEnd {
        let mut end = EditEnd::Refused { reason: String::new() };
        eventually("the engine has found its servers", async || {
            end = self.edit(edit.clone()).await;
            !matches!(&end, EditEnd::Refused { reason } if reason.contains("not connected"))
        })
        .await;
        end
    }
}

fn save(json: &Value, if_match: Option<&str>) -> Edit {
    Edit::Document {
        id: "a".to_owned(),
        partition_key: Some("\"a\"".to_owned()),
        json: json.to_string(),
        if_match: if_match.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_saved_over_the_version_seen_and_its_entry_written_and_deleted() {
    let pair = Pair::start().await;
    let seen = put(&pair.prices, "a", &json!({ "price": 1 })).await.etag;
    let redis = RedisConnection::parse(&pair.cache.url()).unwrap();
    let settings = Settings {
        cosmos: connection(&pair.emulator),
        redis,
        key: "price:{id}".to_owned(),
        ..Settings::default()
    };
    let (Face { commands, events }, inside) = channels();
    let engine = Engine::start(EngineOptions::new(settings), inside).unwrap();
    let mut desk = Desk { commands, events, asked: 0 };
    let stored = async || {
        let document = pair.prices.read("a", &PartitionKey::from("a")).await.unwrap();
        document.map(|document| serde_json::from_slice::<Value>(&document.body).unwrap()["price"].clone())
    };

    let end = desk.edit_when_connected(save(&json!({ "id": "a", "price": 2 }), Some(&seen))).await;
    let EditEnd::Saved { etag } = end else { panic!("{end:?}") };
    assert_eq!(stored().await, Some(json!(2)));
    let late = desk.edit(save(&json!({ "id": "a", "price": 3 }), Some(&seen))).await;
    assert_eq!(
        (late, stored().await),
        (EditEnd::ChangedMeanwhile, Some(json!(2))),
        "never over another version"
    );
    let again = desk.edit(save(&json!({ "id": "a", "price": 3 }), None)).await;
    assert_eq!(again, EditEnd::ChangedMeanwhile, "there is one, though none was seen");
    for other in [json!({ "id": "b", "price": 4 }), json!([1])] {
        let end = desk.edit(save(&other, Some(&etag))).await;
        assert!(matches!(&end, EditEnd::Refused { reason } if reason.contains("id must stay")), "{end:?}");
    }
    assert_eq!(stored().await, Some(json!(2)));

    let write = Edit::WriteEntry { id: "a".to_owned(), partition_key: None };
    let written = EditEnd::Written { keys: vec!["price:a".to_owned()], kept: false };
    assert_eq!(desk.edit(write.clone()).await, written);
    let cache = pair.redis().await;
    let entry = cache.entry("price:a", 1 << 20).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&entry.value).unwrap()["price"], 2);
    let delete = Edit::DeleteEntry { key: "price:a".to_owned() };
    assert_eq!(desk.edit(delete.clone()).await, EditEnd::Deleted { existed: true });
    assert_eq!(desk.edit(delete).await, EditEnd::Deleted { existed: false });
    assert!(cache.entry("price:a", 1 << 20).await.unwrap().is_none());

    pair.prices.delete("a", &PartitionKey::from("a"), None).await.unwrap();
    assert_eq!(
        desk.edit(save(&json!({ "id": "a", "price": 5 }), Some(&etag))).await,
        EditEnd::ChangedMeanwhile
    );
    let gone = desk.edit(write).await;
    assert!(matches!(&gone, EditEnd::Refused { reason } if reason.contains("no such document")), "{gone:?}");
    engine.stop(desk.events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_what_differs_and_does_the_same() {
    let pair = Pair::start().await;
    let etag = put(&pair.prices, "a", &json!({ "price": 1, "tags": ["x", "y"] })).await.etag;
    let mapped = ["--key", "price:{id}", "--jq", "{id, price, tags}"];
    let with = |args: &[&'static str]| [args, &mapped].concat();

    let missing = pair.run(&with(&["document", "show", "a", "--json"])).await.code(1);
    assert_eq!((&missing.json()["state"], &missing.json()["key"]), (&json!("missing"), &json!("price:a")));
    let written = pair.run(&with(&["document", "write-entry", "a", "--json"])).await.code(0);
    assert_eq!(written.json()["written"], json!(["price:a"]));
    pair.run(&with(&["document", "show", "a"])).await.code(0);

    let cache = pair.redis().await;
    let held = r#"{"tags": ["x", "z"], "id": "a", "price": 1.0, "old": true}"#;
    let set = CacheWrite::Set { key: "price:a".into(), value: held.into(), ttl: None };
    cache.write(&[set]).await.unwrap()[0].as_ref().unwrap();
    let stale = pair.run(&with(&["document", "show", "a", "--json"])).await.code(1);
    assert_eq!((&stale.json()["state"], &stale.json()["differences"]), (&json!("stale"), &json!(2)));
    let fields = &stale.json()["fields"];
    let tags = json!({ "path": "tags[1]", "change": "changed", "source": "\"y\"", "entry": "\"z\"" });
    assert_eq!((&fields[0]["path"], &fields[0]["change"]), (&json!("old"), &json!("extra")), "{fields}");
    assert_eq!(fields[1], tags);

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"id":"a","price":2,"tags":[]}"#).unwrap();
    let path = file.path().to_str().unwrap();
    pair.run(&["document", "save", path]).await.code(1);
    let saved = pair.run(&["document", "save", path, "--if-match", &etag, "--json"]).await.code(0);
    assert_eq!(saved.json()["saved"], true);
    pair.run(&["document", "save", path, "--if-match", &etag]).await.code(1);

    let asked = pair.run(&["document", "delete-entry", "price:a"]).await.code(2);
    assert!(asked.stderr.contains("exactly one key") && asked.stderr.contains("price:a"), "{asked:?}");
    pair.run(&["document", "delete-entry", "price:a", "--yes"]).await.code(0);
    pair.run(&["document", "delete-entry", "price:a", "--yes"]).await.code(1);
    assert!(cache.entry("price:a", 1 << 20).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_texts_are_compared_and_of_several_questions_the_newest_is_answered() {
    let (Face { commands, mut events }, inside) = channels();
    let engine = Engine::start(EngineOptions::new(Settings::default()), inside).unwrap();
    let text = |price: u32| Some(format!("{{\"price\":{price},\"name\":\"tent\"}}").into());
    for request in 1..=20 {
        let comparison = TextPair { left: text(0), right: text(request), judged: true };
        commands.send(Command::Compare { request: request.into(), comparison }).await.unwrap();
    }
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await;
        if let Event::Compared { request, diff } = event.expect("in time").expect("the engine runs") {
            assert_eq!(diff.named()[0].1, "price");
            if request == 20 {
                break;
            }
        }
    }
    engine.stop(events).await;
}
