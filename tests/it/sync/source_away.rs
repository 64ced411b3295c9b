//! The source goes away in mid-sync and comes back: each side of it says how long it was and what came late.

use std::time::{Duration, Instant};

use serde_json::json;
use syncscope::config::{RedisConnection, Settings, StartPosition};
use syncscope::engine::{Create, Engine, EngineOptions, Event, Face, LogLine, Watch, channels};
use tokio::sync::mpsc;

use crate::support::cosmos::{connection, put};
use crate::support::faults::FaultyGateway;
use crate::support::pair::Pair;

/// Reads events until the log has a line with this text; gives all lines from then back to the call before.
async fn until_told(events: &mut mpsc::Receiver<Event>, lines: &mut Vec<LogLine>, text: &str) {
    let start = Instant::now();
    while !lines.iter().any(|line| line.text.contains(text)) {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await;
        let Ok(Some(event)) = event else { panic!("never told {text:?}: {lines:#?}") };
        assert!(start.elapsed() < Duration::from_secs(60), "never told {text:?}: {lines:#?}");
        if let Event::Log(line) = event {
            lines.push(line);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_was_away_is_told_with_its_length_and_what_came_late() {
    let pair = Pair::start().await;
    let gateway = FaultyGateway::start(&pair.emulator, 1).await;
    let mut settings = Settings { cosmos: connection(&pair.emulator), ..Settings::default() };
    settings.cosmos.endpoint = gateway.endpoint.clone();
    settings.redis = RedisConnection::parse(&pair.cache.url()).unwrap();
    settings.sync.start = StartPosition::Beginning;
    settings.sync.poll_interval = Duration::from_millis(200);
    settings.sync.acquire_interval = Duration::from_millis(500);
    for n in 0..20 {
        put(&pair.prices, &format!("a-{n}"), &json!({ "n": n })).await;
    }
    let (Face { events: mut told, commands: _commands }, inside) = channels();
    let options = EngineOptions {
        watch: Watch::all(),
        sync: true,
        create: Create { source: false, leases: true },
        ..EngineOptions::new(settings)
    };
    let engine = Engine::start(options, inside).unwrap();
    let drained = async {
        while !matches!(told.recv().await, Some(Event::Sync(sync)) if sync.idle && sync.delivered == 20) {}
    };
    tokio::time::timeout(Duration::from_secs(60), drained).await.expect("everything is delivered");
    let owned = async {
        loop {
            if let Some(Event::Leases(leases)) = told.recv().await
                && leases.rows.len() == 4
                && leases.rows.iter().all(|lease| lease.mine)
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), owned).await.expect("the owners are seen");

    let mut lines = Vec::new();
    gateway.cut(true);
    let cut = Instant::now();
    // All three have met it: the feed, the listing of leases, and the workers.
    until_told(&mut told, &mut lines, "cannot be reached").await;
    for n in 0..7 {
        put(&pair.prices, &format!("b-{n}"), &json!({ "n": n })).await;
    }
    let seen = async {
        while !matches!(told.recv().await, Some(Event::Leases(leases)) if leases.problem.is_some()) {}
        while !matches!(told.recv().await, Some(Event::Sync(sync)) if sync.problem.is_some()) {}
    };
    tokio::time::timeout(Duration::from_secs(60), seen).await.expect("leases and sync tell it");
    let at_least = cut.elapsed().as_secs_f64();
    gateway.cut(false);

    lines.clear();
    for text in
        ["Cosmos is back at", "without the source", "the source answers again after", "listed again after"]
    {
        until_told(&mut told, &mut lines, text).await;
    }
    let line = |text: &str| &lines.iter().find(|line| line.text.contains(text)).unwrap().text;
    let feed = line("without the source");
    assert!(feed.contains("7 changes came late, nothing lost") && feed.contains("where it stood"), "{feed}");
    let sync = line("the source answers again");
    assert!(sync.contains("7 changes came late; 4 leases go on where they stood, nothing lost"), "{sync}");
    assert!(line("listed again").contains("4 leases, each with the owner that it had"), "{lines:#?}");
    for text in ["Cosmos is back at", "without the source", "the source answers again"] {
        let (_, after) = line(text).split_once("after ").unwrap();
        let seconds: f64 = after.split(' ').next().unwrap().parse().unwrap();
        assert!(seconds + 1.0 >= at_least && seconds < 60.0, "{seconds} of {at_least}: {}", line(text));
    }
    pair.in_step(Duration::from_secs(10)).await;
    engine.stop(told).await;
}
