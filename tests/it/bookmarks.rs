//! Bookmarks of lease positions, as the screen asks the engine for them while its own sync runs.

use std::time::Duration;

use serde_json::json;
use syncscope::config::{RedisConnection, Settings, StartPosition, SyncSettings};
use syncscope::engine::{
    BookmarkAsk, BookmarkList, BookmarkQuestion, BookmarkTold, Command, Comparison, Create, Engine,
    EngineOptions, Event, Face, RestoreOrder, RestoreOutcome, RestorePlan, SyncPhase, channels,
};
use tokio::sync::mpsc;

use crate::support::cosmos::{connection, put};
use crate::support::pair::Pair;

struct Desk {
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    asked: u64,
    /// What the sync told last.
    delivered: u64,
    phase: SyncPhase,
}

impl Desk {
    async fn event(&mut self) -> Event {
        let event = tokio::time::timeout(Duration::from_secs(60), self.events.recv()).await;
        let event = event.expect("in time").expect("the engine runs");
        if let Event::Sync(status) = &event {
            (self.delivered, self.phase) = (status.delivered, status.phase);
        }
        event
    }

    async fn delivered(&mut self, documents: u64) {
        while self.delivered < documents || self.phase != SyncPhase::Running {
            self.event().await;
        }
        assert_eq!(self.delivered, documents);
    }

    async fn ask(&mut self, ask: BookmarkAsk) -> BookmarkTold {
        self.asked += 1;
        let question = BookmarkQuestion { request: self.asked, ask };
        self.commands.send(Command::Bookmarks(question)).await.unwrap();
        loop {
            if let Event::Bookmarks(answer) = self.event().await {
                assert_eq!(answer.request, self.asked);
                return answer.told;
            }
        }
    }

    async fn save(&mut self, name: &str) -> Result<usize, String> {
        self.commands.send(Command::SaveBookmark { name: name.to_owned() }).await.unwrap();
        loop {
            if let Event::Bookmarked(told) = self.event().await {
                assert_eq!(told.name, name);
                return told.outcome;
            }
        }
    }

    async fn list(&mut self, ask: BookmarkAsk) -> BookmarkList {
        let BookmarkTold::List(list) = self.ask(ask).await else { panic!("no list") };
        assert_eq!(list.problem, None);
        list
    }

    async fn compare(&mut self, name: &str) -> Result<Comparison, String> {
        let BookmarkTold::Compared(found) = self.ask(BookmarkAsk::Compare(name.to_owned())).await else {
            panic!("no comparison")
        };
        found
    }

    async fn plan(&mut self, order: &RestoreOrder) -> RestorePlan {
        let BookmarkTold::Plan(plan) = self.ask(BookmarkAsk::PlanRestore(order.clone())).await else {
            panic!("no plan")
        };
        plan
    }

    async fn restore(&mut self, order: &RestoreOrder) -> RestoreOutcome {
        let BookmarkTold::Restored(outcome) = self.ask(BookmarkAsk::Restore(order.clone())).await else {
            panic!("no outcome")
        };
        outcome
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leases_of_the_running_sync_go_back_and_deliver_again_what_came_since() {
    let pair = Pair::start().await;
    for number in 0..20 {
        put(&pair.prices, &format!("old-{number}"), &json!({ "price": number })).await;
    }
    let settings = Settings {
        cosmos: connection(&pair.emulator),
        redis: RedisConnection::parse(&pair.cache.url()).unwrap(),
        // Bookmarks are kept by prefix, and ports come again.
        lease_prefix: format!("marks-{}-", uuid::Uuid::new_v4().simple()),
        sync: SyncSettings {
            start: StartPosition::Beginning,
            acquire_interval: Duration::from_millis(200),
            ..SyncSettings::default()
        },
        ..Settings::default()
    };
    let (Face { commands, events }, inside) = channels();
    let options = EngineOptions {
        sync: true,
        create: Create { source: true, leases: true },
        ..EngineOptions::new(settings)
    };
    let engine = Engine::start(options, inside).unwrap();
    let mut desk = Desk { commands, events, asked: 0, delivered: 0, phase: SyncPhase::Off };
    desk.delivered(20).await;
    // A position is stored after the batch is in the cache: until then there is nothing to keep.
    let leases = loop {
        let leases = desk.save("before").await.unwrap();
        let found = desk.compare("before").await.unwrap();
        let placed = found.leases.iter().all(|lease| lease.then.is_some());
        if placed && found.differing() == 0 {
            break leases;
        }
        desk.list(BookmarkAsk::Delete("before".to_owned())).await;
    };
    assert!(desk.save("before").await.is_err(), "the name is taken");
    let list = desk.list(BookmarkAsk::List).await;
    let kept = list.rows[0].kept.as_ref().unwrap();
    assert_eq!((list.rows.len(), list.rows[0].name.as_str(), kept.leases), (1, "before", leases));

    for number in 0..25 {
        put(&pair.prices, &format!("new-{number}"), &json!({ "price": number })).await;
    }
    desk.delivered(45).await;
    while desk.compare("before").await.unwrap().replayed() != (25, 0) {}

    let keys: Vec<String> = (0..25).map(|number| format!("new-{number}")).collect();
    assert_eq!(pair.redis().await.delete(&keys).await.unwrap(), 25);
    let mut order = RestoreOrder { name: "before".to_owned(), ..RestoreOrder::default() };
    let unseen = desk.restore(&order).await;
    assert!(unseen.refused[0].1.contains("never shown"), "{unseen:?}");
    let plan = desk.plan(&order).await;
    assert!(plan.live().count() > 0 && plan.hindrance().unwrap().contains("live owner"), "{plan:?}");
    let refused = desk.restore(&order).await;
    assert!(refused.restored.is_empty() && refused.refused[0].1.contains("live owner"), "{refused:?}");
    let plan = desk.plan(&order).await;
    order.take_over = true;
    let outcome = desk.restore(&order).await;
    assert_eq!((outcome.restored.len(), outcome.refused.len()), (plan.touched().count(), 0), "{outcome:?}");
    desk.delivered(70).await;
    assert_eq!(pair.differences().await, [""; 0], "what was deleted came again");

    // What a file holds that is no bookmark is told, and can be deleted by its name.
    std::fs::write(format!("{}/broken.json", list.directory), "{").unwrap();
    let list = desk.list(BookmarkAsk::List).await;
    assert_eq!(list.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["before", "broken"]);
    assert!(list.rows[1].kept.as_ref().is_err_and(|why| why.contains("no bookmark")), "{list:?}");
    assert!(desk.compare("broken").await.is_err());
    let outside = desk.list(BookmarkAsk::Delete("../x".to_owned())).await;
    assert!(outside.deleted.unwrap().1.is_err(), "no file of another directory");
    for left in [1, 0] {
        let name = if left == 1 { "broken" } else { "before" };
        let list = desk.list(BookmarkAsk::Delete(name.to_owned())).await;
        assert_eq!((list.rows.len(), list.deleted), (left, Some((name.to_owned(), Ok(())))));
    }
    assert!(desk.compare("before").await.unwrap_err().contains("no bookmark before"));
    engine.stop(desk.events).await;
    std::fs::remove_dir(list.directory).unwrap();
}
