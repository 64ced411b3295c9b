//! Instances that come, go and die, on tokio's paused clock with .NET's intervals.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use syncscope::config::StartPosition;
use syncscope::lease::{Clock, Lease, LeasePrefix};
use syncscope::processor::{Processor, ProcessorHandle, ProcessorOptions, ProcessorStatus};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::memory::{MemoryFeed, MemoryLeases};
use crate::support::recorder::Recorder;

/// Long enough for anything that .NET's intervals can cause.
const PATIENCE: Duration = Duration::from_secs(3_600);

struct World {
    feed: MemoryFeed,
    leases: Arc<MemoryLeases>,
    clock: Clock,
    handler: Arc<Recorder>,
}

impl World {
    fn new(ranges: u32) -> Self {
        let base: Timestamp = "2026-08-07T18:56:44Z".parse().unwrap();
        let clock = Clock::following_tokio(base);
        Self {
            feed: MemoryFeed::new(ranges),
            leases: Arc::new(MemoryLeases::new(clock)),
            clock,
            handler: Arc::default(),
        }
    }

    fn prefix() -> LeasePrefix {
        LeasePrefix::new("sim-", "localhost", "bQ8uAA==", "bQ8uAKjLr1s=")
    }

    async fn instance(&self, name: &str) -> ProcessorHandle {
        let options = ProcessorOptions {
            instance_name: name.into(),
            start: StartPosition::Beginning,
            clock: self.clock,
            // Many idle ranges: seldom reads, or the simulation does little else.
            poll_interval: Duration::from_secs(if self.leases.all().len() > 8 { 60 } else { 5 }),
            ..ProcessorOptions::default()
        };
        let (events, _) = mpsc::channel(1);
        let (feed, leases) = (self.feed.clone(), Arc::clone(&self.leases));
        Processor::start_with(feed, leases, Self::prefix(), Arc::clone(&self.handler), options, events)
            .await
            .unwrap()
    }

    /// Waits until the leases are shared like this, and stay so for two rounds; gives how long it took.
    async fn until_shares(&self, wanted: &[(&str, usize)]) -> Duration {
        let wanted: BTreeMap<String, usize> = wanted.iter().map(|(n, c)| ((*n).to_owned(), *c)).collect();
        let took = self.until(|shares| *shares == wanted).await;
        sleep(Duration::from_secs(27)).await;
        assert_eq!(self.leases.shares(), wanted, "settled only for a moment");
        took
    }

    async fn until(&self, holds: impl Fn(&BTreeMap<String, usize>) -> bool) -> Duration {
        let began = Instant::now();
        let waited = timeout(PATIENCE, async {
            while !holds(&self.leases.shares()) {
                sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
        assert!(waited.is_ok(), "never settled: {:?}", self.leases.shares());
        began.elapsed()
    }

    async fn until_delivered(&self) {
        let waited = timeout(PATIENCE, async {
            while !self.is_in_step() {
                sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
        assert!(waited.is_ok(), "changes lost: {:?} of {:?}", self.sink(), self.feed.latest());
    }

    fn sink(&self) -> BTreeMap<String, u64> {
        let latest = self.handler.latest();
        latest.into_iter().map(|(id, d)| (id, d["version"].as_u64().unwrap())).collect()
    }

    fn is_in_step(&self) -> bool {
        self.sink() == self.feed.latest()
    }
}

#[tokio::test(start_paused = true)]
async fn two_share_one_dies_a_third_joins_and_nothing_is_lost() {
    let world = World::new(8);
    let writer = tokio::spawn({
        let feed = world.feed.clone();
        async move {
            for n in 0_usize.. {
                feed.write(n * 7 % 200);
                sleep(Duration::from_millis(40)).await;
            }
        }
    });
    let a = world.instance("a").await;
    let b = world.instance("b").await;
    world.until_shares(&[("a", 4), ("b", 4)]).await;

    b.kill();
    let took = world.until_shares(&[("a", 8)]).await;
    // expiry, plus one round, plus the age that a heartbeat may have at the death counts for us
    assert!(took <= Duration::from_secs(60 + 13 + 1), "{took:?}");

    let c = world.instance("c").await;
    world.until_shares(&[("a", 4), ("c", 4)]).await;
    let d = world.instance("d").await;
    // target 3 for each: 8 leases among three
    world.until(|s| s.values().all(|n| (2..=3).contains(n)) && s.len() == 3).await;
    writer.abort();
    world.until_delivered().await;

    for handle in [a, c, d] {
        handle.stop().await;
    }
    assert!(world.leases.shares().is_empty(), "released at the stop");
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_in_the_next_round() {
    let world = World::new(4);
    let a = world.instance("a").await;
    let _b = world.instance("b").await;
    world.until_shares(&[("a", 2), ("b", 2)]).await;
    a.stop().await;
    let took = world.until_shares(&[("b", 4)]).await;
    assert!(took <= Duration::from_secs(14), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn many_instances_and_leases_settle_to_equal_shares() {
    let world = World::new(256);
    let names: Vec<String> = (0..32).map(|n| format!("i-{n:02}")).collect();
    let began = Instant::now();
    let handles = futures::future::join_all(names.iter().map(|n| world.instance(n))).await;
    let took = world.until(|s| s.len() == 32 && s.values().all(|n| *n == 8)).await;
    let rounds = world.leases.lists.load(Ordering::Relaxed) as f64 / 32.0;
    let requests = world.leases.requests.load(Ordering::Relaxed);
    println!("32 × 256: settled after {took:?}, {rounds:.0} listings an instance, {requests} lease requests");
    sleep(Duration::from_secs(60)).await;
    assert!(world.leases.shares().values().all(|n| *n == 8), "{:?}", world.leases.shares());
    assert!(began.elapsed() < Duration::from_secs(13 * 300));
    drop(handles);
}

#[tokio::test(start_paused = true)]
async fn instances_that_start_at_once_make_one_set_of_leases() {
    let world = World::new(8);
    let names = ["a", "b", "c", "d", "e"];
    let handles = futures::future::join_all(names.iter().map(|n| world.instance(n))).await;
    world.until(|s| s.values().sum::<usize>() == 8).await;
    assert_eq!(world.leases.all().len(), 8);
    drop(handles);
}

/// A foreign owner works as .NET does: takes the lease, reads, delivers, then writes the etag and a heartbeat.
async fn foreign(world: &World, lease: &mut Lease, pages: u32) -> u64 {
    use syncscope::cosmos::FeedPosition;
    use syncscope::processor::{ChangeBatch, ChangeHandler as _, FeedSource as _};
    let mut delivered = 0;
    for _ in 0..pages {
        let from = lease.position().map_or(FeedPosition::Beginning, FeedPosition::Continuation);
        let page = world.feed.feed_page(&lease.scope(), &from, Some(5)).await.unwrap();
        if page.not_modified {
            break;
        }
        delivered += page.len() as u64;
        let batch = ChangeBatch {
            lease_id: lease.id().into(),
            range: lease.range().unwrap().clone(),
            documents: page.documents().unwrap(),
            page: page.clone(),
        };
        world.handler.handle(batch).await.unwrap();
        lease.set_continuation(page.etag.as_deref());
        lease.set_heartbeat(world.clock.now());
        world.leases.put(lease.clone());
    }
    delivered
}

#[tokio::test(start_paused = true)]
async fn handing_over_with_a_foreign_owner_loses_and_repeats_nothing() {
    let world = World::new(1);
    for n in 0..100 {
        world.feed.write(n);
    }
    // The foreign one begins with a lease of its own kind (v0), gets some way, and dies.
    let physical = {
        use syncscope::processor::FeedSource as _;
        world.feed.feed_ranges(false).await.unwrap().remove(0)
    };
    let mut lease = Lease::new_by_range_id(&World::prefix(), &physical, None);
    lease.set_owner(Some("dotnet"));
    let theirs = foreign(&world, &mut lease, 6).await;
    assert_eq!(theirs, 30);

    // Ours waits for the expiry, then goes on exactly there.
    let ours = world.instance("ours").await;
    let mut status = ours.status();
    timeout(PATIENCE, status.wait_for(|s| s.delivered >= 70)).await.unwrap().unwrap();
    assert_eq!(status.borrow().delivered, 70);
    for n in 100..150 {
        world.feed.write(n);
    }
    timeout(PATIENCE, status.wait_for(|s| s.delivered >= 120)).await.unwrap().unwrap();
    ours.stop().await;

    // And back: the lease is free, of the same kind, at the right place.
    let mut lease = world.leases.all().remove(0);
    assert_eq!((lease.owner(), lease.token()), (None, "0"));
    for n in 140..160 {
        world.feed.write(n);
    }
    lease.set_owner(Some("dotnet"));
    assert_eq!(foreign(&world, &mut lease, 100).await, 20);
    assert!(world.is_in_step());
    assert_eq!(world.handler.ids().len(), 170);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_told_of_and_keeps_its_lease() {
    let world = World::new(1);
    world.feed.write(0);
    world.handler.delay_ms.store(200_000, Ordering::Relaxed);
    let a = world.instance("a").await;
    let b = world.instance("b").await;
    let (mut of_a, mut of_b) = (a.status(), b.status());
    let hangs = |s: &ProcessorStatus| {
        s.leases
            .iter()
            .any(|w| w.problem.as_deref().is_some_and(|p| p.contains("the handler has had a batch")))
    };
    tokio::select! {
        told = timeout(PATIENCE, of_a.wait_for(hangs)) => drop(told.unwrap().unwrap()),
        told = timeout(PATIENCE, of_b.wait_for(hangs)) => drop(told.unwrap().unwrap()),
    }
    let owner = world.leases.shares();
    // Longer than the expiration: heartbeats go on all the same.
    sleep(Duration::from_secs(120)).await;
    assert_eq!(world.leases.shares(), owner);
    world.until_delivered().await;
    sleep(Duration::from_secs(1)).await;
    assert!(
        a.status().borrow().leases.iter().chain(&b.status().borrow().leases).all(|w| w.problem.is_none())
    );
}
