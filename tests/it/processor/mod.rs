//! The processor with real leases on the embedded emulator over HTTP.

mod chaos;
mod dotnet;
mod memory;
mod simulation;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use syncscope::config::StartPosition;
use syncscope::cosmos::{Container, EpkRange, PartitionKey};
use syncscope::embedded::cosmos::Emulator;
use syncscope::lease::{
    Clock, Lease, LeaseKind, LeasePrefix, LeaseStorage, LeaseStore, all_prefixes, estimate,
};
use syncscope::processor::{
    AcquireReason, Processor, ProcessorError, ProcessorEvent, ProcessorHandle, ProcessorOptions,
    ProcessorStatus,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::cosmos::{connection, container, prices, put};
use crate::support::emulator::empty_emulator;
use crate::support::faults::FaultyGateway;
use crate::support::recorder::Recorder;
use crate::support::wait::{PATIENCE, eventually};

struct Pair {
    emulator: Emulator,
    source: Container,
    leases: Container,
    prefix: LeasePrefix,
}

impl Pair {
    async fn new() -> Self {
        Self::with_leases_by("/id").await
    }

    async fn with_leases_by(path: &str) -> Self {
        let emulator = empty_emulator().await;
        let source = prices(&emulator).await;
        let leases = container(&emulator, "leases", path).await;
        let prefix = LeasePrefix::new("t-", source.account().host(), source.database_rid(), source.rid());
        Self { emulator, source, leases, prefix }
    }

    fn store(&self) -> LeaseStore {
        LeaseStore::new(self.leases.clone()).unwrap()
    }

    async fn fill(&self, ids: std::ops::Range<u32>) {
        for n in ids {
            put(&self.source, &format!("p-{n:04}"), &json!({ "price": n })).await;
        }
    }

    async fn try_start(
        &self,
        handler: &Arc<Recorder>,
        options: ProcessorOptions,
    ) -> Result<Running, ProcessorError> {
        let (events, received) = mpsc::channel(10_000);
        let handle = Processor::start(
            self.source.clone(),
            self.leases.clone(),
            self.prefix.clone(),
            Arc::clone(handler),
            options,
            events,
        )
        .await?;
        Ok(Running { handle, events: received })
    }

    async fn start(&self, handler: &Arc<Recorder>, options: ProcessorOptions) -> Running {
        self.try_start(handler, options).await.unwrap()
    }

    async fn list(&self) -> Vec<Lease> {
        let mut leases = self.store().list(&self.prefix).await.unwrap();
        leases.sort_by(|a, b| a.range().cmp(&b.range()));
        leases
    }
}

struct Running {
    handle: ProcessorHandle,
    events: mpsc::Receiver<ProcessorEvent>,
}

impl Running {
    async fn until(&self, what: &str, holds: impl FnMut(&ProcessorStatus) -> bool) {
        let mut status = self.handle.status();
        let waited = timeout(PATIENCE, status.wait_for(holds)).await;
        assert!(waited.is_ok(), "never {what}: {:#?}", self.handle.status().borrow());
    }

    async fn until_idle(&self) {
        self.until("idle", ProcessorStatus::is_idle).await;
    }

    async fn event(&mut self, mut wanted: impl FnMut(&ProcessorEvent) -> bool) -> ProcessorEvent {
        timeout(PATIENCE, async {
            loop {
                let event = self.events.recv().await.expect("the processor runs");
                if wanted(&event) {
                    return event;
                }
            }
        })
        .await
        .expect("the event comes")
    }
}

fn quick(name: &str) -> ProcessorOptions {
    ProcessorOptions {
        instance_name: name.into(),
        start: StartPosition::Beginning,
        max_items: Some(10),
        poll_interval: Duration::from_millis(100),
        acquire_interval: Duration::from_millis(150),
        expiration_interval: Duration::from_secs(2),
        renew_interval: Duration::from_millis(300),
        steal_grace: Duration::from_millis(50),
        ..ProcessorOptions::default()
    }
}

fn unique(ids: &[String]) -> BTreeSet<String> {
    ids.iter().cloned().collect()
}

#[tokio::test]
async fn everything_is_delivered_and_a_second_run_delivers_nothing() {
    let pair = Pair::new().await;
    pair.fill(0..200).await;
    let first = Arc::new(Recorder::default());
    let running = pair.start(&first, quick("a")).await;
    running.until_idle().await;
    let status = running.handle.status().borrow().clone();
    assert_eq!((status.delivered, status.total_leases), (200, 4));
    running.handle.stop().await;
    assert_eq!(first.ids().len(), 200);
    assert_eq!(unique(&first.ids()).len(), 200);

    // What is in the store is what .NET makes: one lease for each physical range, all free again.
    let leases = pair.list().await;
    let ranges: Vec<EpkRange> =
        pair.source.feed_ranges(true).await.unwrap().into_iter().map(|r| r.range).collect();
    assert_eq!(leases.iter().map(|l| l.range().unwrap().clone()).collect::<Vec<_>>(), ranges);
    for lease in &leases {
        assert_eq!((lease.kind(), lease.owner()), (LeaseKind::EpkRange, None));
        assert!(lease.continuation().is_some(), "{lease:?}");
        assert_eq!(estimate(&pair.source, lease).await.unwrap(), 0);
    }
    assert!(pair.store().marker(&pair.prefix.info_id()).await.unwrap().is_some());
    assert!(pair.store().marker(&pair.prefix.lock_id()).await.unwrap().is_none());
    assert_eq!(all_prefixes(&pair.leases).await.unwrap(), [(pair.prefix.clone(), 4)]);

    let second = Arc::new(Recorder::default());
    let running = pair.start(&second, quick("b")).await;
    running.until_idle().await;
    running.handle.stop().await;
    assert!(second.ids().is_empty(), "{:?}", second.ids());
}

#[tokio::test]
async fn a_stop_in_the_middle_is_resumed_exactly() {
    let pair = Pair::new().await;
    pair.fill(0..200).await;
    let first = Arc::new(Recorder::default());
    first.delay_ms.store(20, Ordering::SeqCst);
    let running = pair.start(&first, quick("a")).await;
    running.until("half way", |s| s.delivered >= 60).await;
    let began = std::time::Instant::now();
    running.handle.stop().await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let before = first.ids();
    assert!(before.len() < 200, "{}", before.len());
    assert!(pair.list().await.iter().all(|l| l.owner().is_none()));

    let second = Arc::new(Recorder::default());
    let running = pair.start(&second, quick("b")).await;
    running.until_idle().await;
    running.handle.stop().await;
    let after = second.ids();
    assert_eq!(before.len() + after.len(), 200, "nothing twice");
    assert_eq!(unique(&before).union(&unique(&after)).count(), 200, "nothing lost");
}

#[tokio::test]
async fn a_kill_loses_nothing_while_writes_go_on() {
    let pair = Arc::new(Pair::new().await);
    pair.fill(0..100).await;
    let recorder = Arc::new(Recorder::default());
    recorder.delay_ms.store(5, Ordering::SeqCst);
    let writer = tokio::spawn({
        let pair = Arc::clone(&pair);
        async move {
            for round in 1..=3_u32 {
                for n in (0..100).step_by(3) {
                    put(&pair.source, &format!("p-{n:04}"), &json!({ "price": n, "round": round })).await;
                }
            }
        }
    });
    for n in 0..3 {
        let running = pair.start(&recorder, quick(&format!("victim-{n}"))).await;
        let some = recorder.ids().len() + 15;
        eventually("some delivered", async || recorder.ids().len() >= some).await;
        running.handle.kill();
    }
    writer.await.unwrap();
    let mut running = pair.start(&recorder, quick("heir")).await;
    let expired =
        |e: &ProcessorEvent| matches!(e, ProcessorEvent::Acquired { reason: AcquireReason::Expired, .. });
    running.event(expired).await;
    running.until_idle().await;
    running.handle.stop().await;
    assert_same(&pair.source, &recorder).await;
}

/// Every document of the source was delivered, in its last version, after all its older ones.
async fn assert_same(source: &Container, recorder: &Recorder) {
    let latest = recorder.latest();
    let rows = source.query("SELECT * FROM c", &[]).await.unwrap();
    assert_eq!(rows.len(), latest.len());
    for row in rows {
        let row: Value = serde_json::from_slice(&row).unwrap();
        let seen = &latest[row["id"].as_str().unwrap()];
        assert_eq!(seen["_etag"], row["_etag"], "{row}");
    }
}

#[tokio::test]
async fn a_failing_handler_keeps_the_position_and_the_lease() {
    let pair = Pair::new().await;
    pair.fill(0..40).await;
    let recorder = Arc::new(Recorder::default());
    recorder.fail(true);
    let mut running = pair.start(&recorder, quick("a")).await;
    let third = running.event(|e| matches!(e, ProcessorEvent::HandlerFailed { attempt: 3, .. })).await;
    assert!(third.to_string().contains("told to fail"), "{third}");
    let leases = pair.list().await;
    assert!(leases.iter().all(|l| l.owner() == Some("a") && l.continuation().is_none()), "{leases:?}");
    let problem = |s: &ProcessorStatus| s.leases.iter().any(|w| w.problem.as_deref() == Some("told to fail"));
    assert!(problem(&running.handle.status().borrow()));
    recorder.fail(false);
    running.until_idle().await;
    assert!(!problem(&running.handle.status().borrow()));
    assert_eq!(recorder.ids().len(), 40);
    running.handle.stop().await;
}

#[tokio::test]
async fn now_begins_when_the_lease_is_first_read_and_survives_a_restart() {
    let pair = Pair::new().await;
    pair.fill(0..20).await;
    let recorder = Arc::new(Recorder::default());
    let options = || ProcessorOptions { start: StartPosition::Now, ..quick("a") };
    let running = pair.start(&recorder, options()).await;
    running.until_idle().await;
    running.handle.stop().await;
    // Nobody runs, and nothing had ever come: .NET would forget these.
    pair.fill(20..30).await;
    let running = pair.start(&recorder, options()).await;
    running.until("delivered", |s| s.delivered == 10).await;
    running.handle.stop().await;
    assert_eq!(unique(&recorder.ids()), (20..30).map(|n| format!("p-{n:04}")).collect());
}

#[tokio::test]
async fn a_change_after_a_silence_comes_quickly() {
    let pair = Pair::new().await;
    let recorder = Arc::new(Recorder::default());
    let running =
        pair.start(&recorder, ProcessorOptions { poll_interval: Duration::from_secs(5), ..quick("a") }).await;
    running.until_idle().await;
    // Time is the subject: a silence in which the pauses between reads grow.
    tokio::time::sleep(Duration::from_millis(800)).await;
    put(&pair.source, "late", &json!({})).await;
    let before = std::time::Instant::now();
    eventually("delivered", async || recorder.ids() == ["late"]).await;
    // The longest wait is 5 s.
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    running.handle.stop().await;
}

#[tokio::test]
async fn paused_keeps_the_leases_and_delivers_nothing() {
    let pair = Pair::new().await;
    let recorder = Arc::new(Recorder::default());
    let running = pair.start(&recorder, quick("a")).await;
    running.until_idle().await;
    running.handle.pause();
    tokio::time::sleep(Duration::from_millis(50)).await; // a read under way may still be delivered
    pair.fill(0..20).await;
    let beats: Vec<_> = pair.list().await.iter().map(Lease::heartbeat).collect();
    eventually("renewed while paused", async || {
        pair.list().await.iter().map(Lease::heartbeat).zip(&beats).all(|(now, then)| now > *then)
    })
    .await;
    assert!(recorder.ids().is_empty());
    running.handle.resume();
    running.until("delivered", |s| s.delivered == 20).await;
    running.handle.stop().await;
}

#[tokio::test]
async fn a_lease_taken_by_somebody_else_is_left_to_them() {
    let pair = Pair::new().await;
    let recorder = Arc::new(Recorder::default());
    let mut running =
        pair.start(&recorder, ProcessorOptions { acquire_interval: PATIENCE, ..quick("a") }).await;
    running.until_idle().await;
    let store = pair.store();
    let mut victim = pair.list().await.remove(0);
    victim.set_owner(Some("foreign"));
    while store.replace(&mut victim).await.is_err() {
        victim = store.read(&victim).await.unwrap().unwrap();
        victim.set_owner(Some("foreign"));
    }
    let lost = running.event(|e| matches!(e, ProcessorEvent::Lost { .. })).await;
    assert_eq!(lost, ProcessorEvent::Lost { lease_id: victim.id().into(), to: Some("foreign".into()) });
    running.until("three left", |s| s.leases.len() == 3).await;
    running.handle.stop().await;
    assert_eq!(store.read(&victim).await.unwrap().unwrap().owner(), Some("foreign"));
}

#[tokio::test]
async fn two_instances_share_and_one_takes_over() {
    let pair = Pair::with_leases_by("/partitionKey").await;
    pair.fill(0..100).await;
    let recorder = Arc::new(Recorder::default());
    let (a, b) = tokio::join!(pair.start(&recorder, quick("a")), pair.start(&recorder, quick("b")));
    for running in [&a, &b] {
        running.until("sharing", |s| s.leases.len() == 2 && s.total_leases == 4).await;
    }
    eventually("all delivered", async || unique(&recorder.ids()).len() == 100).await;
    a.handle.stop().await;
    b.until("alone", |s| s.leases.len() == 4).await;
    pair.fill(100..120).await;
    eventually("all delivered", async || unique(&recorder.ids()).len() == 120).await;
    b.handle.stop().await;
    assert_eq!(pair.list().await.len(), 4, "two bootstraps at once made one set");
}

#[tokio::test]
async fn a_panic_in_the_handler_costs_nothing() {
    let pair = Pair::new().await;
    pair.fill(0..30).await;
    let recorder = Arc::new(Recorder::default());
    recorder.panicking.store(true, Ordering::SeqCst);
    let mut running = pair.start(&recorder, quick("a")).await;
    running.event(|e| matches!(e, ProcessorEvent::WorkerPanicked { .. })).await;
    running.until_idle().await;
    running.handle.stop().await;
    assert_eq!(unique(&recorder.ids()).len(), 30);
}

#[tokio::test]
async fn deleted_leases_are_made_again_from_the_beginning() {
    let pair = Pair::new().await;
    pair.fill(0..40).await;
    let recorder = Arc::new(Recorder::default());
    let mut running =
        pair.start(&recorder, ProcessorOptions { start: StartPosition::Now, ..quick("a") }).await;
    running.until_idle().await;
    let victim = pair.list().await.remove(1);
    pair.store().delete(&victim).await.unwrap();
    let made = running.event(|e| matches!(e, ProcessorEvent::Recovered { .. })).await;
    assert_eq!(made, ProcessorEvent::Recovered { lease_ids: vec![victim.id().into()] });
    running.until("read again", |s| s.delivered > 0 && s.is_idle()).await;
    running.handle.stop().await;
    assert_eq!(pair.list().await.len(), 4);
}

#[tokio::test]
async fn what_would_do_damage_is_refused() {
    let pair = Pair::new().await;
    let recorder = Arc::new(Recorder::default());
    let id = pair.prefix.lease_id("0");
    let java =
        json!({ "id": id, "LeaseToken": "0", "ContinuationToken": null, "timestamp": null, "Owner": "j" });
    pair.leases.create(&PartitionKey::from(id), java.to_string().as_bytes()).await.unwrap();
    let refused = pair.try_start(&recorder, quick("a")).await.err().unwrap();
    assert!(matches!(refused, ProcessorError::JavaLeases { count: 1, .. }), "{refused}");

    let other = Pair::with_leases_by("/tenant").await;
    let refused = other.try_start(&recorder, quick("a")).await.err().unwrap();
    assert!(refused.to_string().contains("/tenant"), "{refused}");
}

/// Splits and merges while a processor reads pages of ten; gives the leases at the end.
async fn split_and_merge(version_0: bool) -> (Pair, Arc<Recorder>, Vec<Lease>) {
    let pair = Pair::new().await;
    pair.fill(0..200).await;
    let recorder = Arc::new(Recorder::default());
    recorder.delay_ms.store(10, Ordering::SeqCst);
    let mut running = pair.start(&recorder, ProcessorOptions { version_0, ..quick("a") }).await;
    running.until("under way", |s| s.delivered >= 40).await;
    let [first, second] = pair.emulator.split("shop", "prices", 0).unwrap();
    running.event(|e| matches!(e, ProcessorEvent::Split { children, .. } if children.len() == 2)).await;
    pair.fill(150..220).await;
    pair.emulator.merge("shop", "prices", [first, second]).unwrap();
    pair.emulator.split("shop", "prices", 3).unwrap();
    pair.fill(200..260).await;
    eventually("all delivered", async || recorder.latest().len() == 260).await;
    running.until("six leases", |s| s.is_idle() && s.total_leases == 6).await;
    running.handle.stop().await;
    let leases = pair.list().await;
    (pair, recorder, leases)
}

#[tokio::test]
async fn split_and_merge_lose_nothing_with_our_leases() {
    let (pair, recorder, leases) = split_and_merge(false).await;
    assert_same(&pair.source, &recorder).await;
    assert!(leases.iter().all(|l| l.kind() == LeaseKind::EpkRange), "{leases:?}");
    assert_whole(&leases);
}

#[tokio::test]
async fn split_and_merge_lose_nothing_with_leases_by_range_id() {
    let (pair, recorder, leases) = split_and_merge(true).await;
    assert_same(&pair.source, &recorder).await;
    // As .NET does: a split gives leases of the children's ids, a merge leases of the old ranges.
    let epk = leases.iter().filter(|l| l.kind() == LeaseKind::EpkRange).count();
    assert_eq!((leases.len(), epk), (6, 2), "{leases:?}");
    assert_whole(&leases);
}

/// The leases cover the key space without gap or overlap.
fn assert_whole(leases: &[Lease]) {
    let mut at = String::new();
    for lease in leases {
        let range = lease.range().unwrap();
        assert_eq!(range.min, at, "{leases:?}");
        at.clone_from(&range.max);
    }
    assert_eq!(at, "FF");
}

#[tokio::test]
async fn the_lock_of_a_dead_instance_is_void_after_its_time() {
    let pair = Pair::new().await;
    let lock = pair.prefix.lock_id();
    // Written by a clock a minute behind ours, as far as a test can tell.
    pair.store().create_marker(&lock, Some(30)).await.unwrap();
    let recorder = Arc::new(Recorder::default());
    let later = jiff::Timestamp::now().checked_add(Duration::from_secs(60)).unwrap();
    let clock = Clock::following_tokio(later);
    let running = pair.start(&recorder, ProcessorOptions { clock, ..quick("a") }).await;
    running.until_idle().await;
    running.handle.stop().await;
    assert!(pair.store().marker(&lock).await.unwrap().is_none());

    let other = LeasePrefix::from_raw("held-");
    pair.store().create_marker(&other.lock_id(), Some(30)).await.unwrap();
    let pair = Pair { prefix: other, ..pair };
    let running = pair.start(&recorder, quick("b")).await;
    // Time is the subject: nothing may happen meanwhile.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!running.handle.status().borrow().started, "the lock of a live instance holds");
    running.handle.stop().await;
}

#[tokio::test]
async fn a_source_that_goes_away_is_told_and_read_on_when_it_is_back() {
    let pair = Pair::new().await;
    pair.fill(0..20).await;
    let gateway = FaultyGateway::start(&pair.emulator, 1).await;
    let mut to = connection(&pair.emulator);
    to.endpoint = gateway.endpoint.clone();
    let account = syncscope::cosmos::Account::connect(&to).await.unwrap();
    let source = account.container("shop", "prices").await.unwrap();
    let leases = account.container("shop", "leases").await.unwrap();
    let recorder = Arc::new(Recorder::default());
    let (events, received) = mpsc::channel(10_000);
    let prefix = pair.prefix.clone();
    let handle =
        Processor::start(source, leases, prefix, Arc::clone(&recorder), quick("a"), events).await.unwrap();
    let mut running = Running { handle, events: received };
    running.until_idle().await;
    gateway.cut(true);
    let problem = |e: &ProcessorEvent| matches!(e, ProcessorEvent::Interrupted { .. });
    running.event(problem).await;
    running.until("told", |s| s.leases.iter().all(|w| w.problem.is_some())).await;
    pair.fill(20..30).await;
    gateway.cut(false);
    running.event(|e| matches!(e, ProcessorEvent::Resumed { lease_id: Some(_) })).await;
    running.until("read on", |s| s.delivered == 30).await;
    running.until("forgotten", |s| s.leases.iter().all(|w| w.problem.is_none())).await;
    running.handle.stop().await;
    assert_eq!(recorder.ids().len(), 30);
}
