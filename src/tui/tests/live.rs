//! The screen in motion: for eyes, and for figures. Neither is a test; both are run by hand.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect};
use tokio::sync::mpsc;

use super::fixture::{self, change, entry, tell};
use crate::{
    engine::{EntryState, Event},
    tui::{ScreenOptions, run, update::Msg, update::update, view},
};

/// Changes and entries of one moment.
fn batch(from: u64, rows: u64, now: Timestamp) -> [Event; 2] {
    let id = |i: u64| format!("p-{:06}", i * 7_919 % 5_000);
    let changes = (from..from + rows)
        .map(|i| crate::engine::ChangeRow {
            seen_at: now,
            ..change(i, &id(i), (i % 90) as f64, Some(1.0), (i % 4) as usize, 0)
        })
        .collect();
    let entries = (from..from + rows)
        .map(|i| crate::engine::EntryRow { changed_at: now, ..entry(&id(i), EntryState::InStep, 0) })
        .collect();
    [Event::Changes(changes), Event::Entries(entries)]
}

/// The real loop on a real terminal, fed by a fixture:
/// `cargo test --lib -- --ignored --nocapture live_screen` (`SYNCSCOPE_RATE` = changes a second).
#[test]
#[ignore = "needs a terminal and eyes"]
fn live_screen() {
    let rate: u64 = std::env::var("SYNCSCOPE_RATE").ok().and_then(|rate| rate.parse().ok()).unwrap_or(20);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (commands, mut asked) = mpsc::channel(64);
        let (events, told) = mpsc::channel(1_024);
        tokio::spawn(async move {
            for event in fixture::running() {
                events.send(event).await.unwrap();
            }
            let mut tick = tokio::time::interval(Duration::from_millis(50));
            let mut i = 0;
            loop {
                tokio::select! {
                    _ = tick.tick() => {
                        let rows = (rate / 20).max(1);
                        for event in batch(i, rows, Timestamp::now()) {
                            if events.send(event).await.is_err() { return }
                        }
                        i += rows;
                    }
                    command = asked.recv() => {
                        let Some(command) = command else { return };
                        if let crate::engine::Command::ShowDocument { .. } = command {
                            let effect = [crate::tui::update::Effect::Send(command)];
                            drop(events.send(fixture::document(&effect, false)).await);
                        } else if matches!(command, crate::engine::Command::PlanRebuild(_)) {
                            drop(events.send(Event::RebuildPlan(Box::new(fixture::plan()))).await);
                        }
                    }
                }
            }
        });
        run(commands, told, ScreenOptions::default()).await.unwrap();
    });
}

/// Frame times under 10,000 changes and as many entries a second at 240×60:
/// `cargo test --release --lib -- --ignored --nocapture flood_figures`.
#[test]
#[ignore = "prints figures, best with --release"]
fn flood_figures() {
    const FRAMES: usize = 1_200;
    let mut model = fixture::model(240, 60);
    tell(&mut model, fixture::running());
    let area = Rect::new(0, 0, 240, 60);
    let mut before = Buffer::empty(area);
    let mut times = Vec::with_capacity(FRAMES);
    for frame in 0..FRAMES as u64 {
        let events = batch(frame * 167, 167, fixture::start());
        let start = Instant::now();
        tell(&mut model, events);
        update(&mut model, Msg::Tick(fixture::start()));
        let mut buf = Buffer::empty(area);
        view::draw(&model, &mut buf);
        let cells = before.diff(&buf).len();
        times.push(start.elapsed());
        assert!(cells > 0);
        before = buf;
    }
    times.sort_unstable();
    let at = |share: f64| times[((FRAMES - 1) as f64 * share) as usize];
    println!(
        "frames of 167 changes and 167 entries at 240x60: p50 {:?} p99 {:?} max {:?}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
