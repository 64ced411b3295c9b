//! Made-up instants: what a user would read off the latency strip.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{LatencySnapshot, LatencyTracker, ProbeTiming, Stage, TIME_LIMIT};

struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        // Far enough from the machine's start that a limit can be taken off.
        Self(Instant::now() + TIME_LIMIT * 4)
    }

    fn at(&self, millis: u64) -> Instant {
        self.0 + Duration::from_millis(millis)
    }
}

fn snapshot(tracker: &LatencyTracker, at: Instant) -> LatencySnapshot {
    tracker.snapshot(at, jiff::Timestamp::UNIX_EPOCH)
}

fn figures(snapshot: &LatencySnapshot, stage: Stage) -> (u64, f64) {
    snapshot.stages.iter().find(|s| s.stage == stage).map_or((0, 0.0), |s| (s.count, s.max))
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= expected * 0.001 + 0.002
}

#[test]
fn a_probe_is_measured_by_stage() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    assert!(!tracker.has_open());
    assert!(snapshot(&tracker, clock.at(0)).stages.is_empty());
    tracker.sent("p", clock.at(0), clock.at(0));
    assert!(tracker.has_open());
    tracker.acknowledged("p", "1", clock.at(2));
    tracker.seen_in_feed("p", "1", clock.at(7));
    assert_eq!(
        tracker.timing_of("p"),
        Some(ProbeTiming { write: Some(2.0), feed: Some(5.0), lease: None, cache: None })
    );
    tracker.in_cache("p", "1", clock.at(10));
    assert!(!tracker.has_open());
    let snapshot = snapshot(&tracker, clock.at(1_500));
    for (stage, millis) in [(Stage::Write, 2.0), (Stage::Feed, 5.0), (Stage::Cache, 3.0), (Stage::Total, 8.0)]
    {
        let (count, max) = figures(&snapshot, stage);
        assert!(count == 1 && near(max, millis), "{stage:?}: {max}");
    }
    assert!(near(snapshot.stages[4].recent[0].unwrap(), 8.0));
    assert_eq!((snapshot.open, snapshot.folded, snapshot.lost), (0, 0, 0));
    assert_eq!(tracker.timing_of("p").unwrap().cache, Some(3.0));
    assert_eq!(tracker.timing_of("q"), None);
}

#[test]
fn the_first_report_of_a_stage_wins() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    tracker.sent("p", clock.at(0), clock.at(0));
    tracker.acknowledged("p", "1", clock.at(1));
    for millis in [4, 40] {
        tracker.seen_in_feed("p", "1", clock.at(millis));
    }
    let (count, max) = figures(&snapshot(&tracker, clock.at(50)), Stage::Feed);
    assert!(count == 1 && near(max, 3.0));
}

#[test]
fn a_version_that_was_overtaken_is_folded() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    for (n, etag) in ["1", "2", "3"].into_iter().enumerate() {
        tracker.sent("p", clock.at(n as u64), clock.at(n as u64));
        tracker.acknowledged("p", etag, clock.at(n as u64 + 1));
    }
    tracker.seen_in_feed("p", "1", clock.at(5));
    tracker.seen_in_feed("p", "3", clock.at(6));
    tracker.in_cache("p", "3", clock.at(9));
    let snapshot = snapshot(&tracker, clock.at(10));
    // 2 never came to the feed, 1 never to the cache.
    assert_eq!((snapshot.open, snapshot.folded, snapshot.lost), (0, 2, 0));
    assert_eq!(figures(&snapshot, Stage::Feed).0, 2);
    assert_eq!(figures(&snapshot, Stage::Total).0, 1);
}

#[test]
fn what_never_comes_is_lost_after_the_limit_and_not_before() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    tracker.sent("silent", clock.at(0), clock.at(0));
    tracker.sent("foreign", clock.at(0), clock.at(0));
    tracker.acknowledged("foreign", "1", clock.at(1));
    tracker.seen_in_feed("foreign", "another writer's", clock.at(2));
    tracker.sent("unwatched", clock.at(0), clock.at(0));
    tracker.acknowledged("unwatched", "1", clock.at(1));
    tracker.in_cache("unwatched", "1", clock.at(2));
    let limit = u64::try_from(TIME_LIMIT.as_millis()).unwrap();
    let before = snapshot(&tracker, clock.at(limit));
    assert_eq!((before.open, before.folded, before.lost), (3, 0, 0));
    let after = snapshot(&tracker, clock.at(limit + 1));
    assert_eq!((after.open, after.folded, after.lost), (0, 1, 1));
    assert!(!tracker.has_open());
}

#[test]
fn the_lease_is_a_stage_where_the_processor_is_ours() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    tracker.sent("p", clock.at(0), clock.at(0));
    tracker.acknowledged("p", "1", clock.at(1));
    tracker.seen_in_feed("p", "1", clock.at(4));
    tracker.delivered("p", "1", clock.at(9));
    tracker.in_cache("p", "1", clock.at(11));
    let snapshot = snapshot(&tracker, clock.at(12));
    for (stage, millis) in
        [(Stage::Feed, 3.0), (Stage::Lease, 5.0), (Stage::Cache, 2.0), (Stage::Whole, 11.0)]
    {
        assert!(near(figures(&snapshot, stage).1, millis), "{stage:?}");
    }
    assert_eq!(snapshot.slowest[0].timing.lease, Some(5.0));
}

#[test]
fn a_stall_before_the_write_counts() {
    // Ten writes planned 10 ms apart; the source stalls before the third for 500 ms.
    let tracker = LatencyTracker::new().with_target(Duration::from_millis(100), 0.99);
    let clock = Clock::new();
    for n in 0..10_u64 {
        let intended = clock.at(n * 10);
        let sent = if n < 2 { n * 10 } else { 520 + n };
        let id = format!("p-{n}");
        tracker.sent(&id, intended, clock.at(sent));
        tracker.acknowledged(&id, "1", clock.at(sent + 1));
        tracker.seen_in_feed(&id, "1", clock.at(sent + 2));
        tracker.in_cache(&id, "1", clock.at(sent + 3));
    }
    let snapshot = snapshot(&tracker, clock.at(600));
    let stage = |stage| snapshot.stage(stage).unwrap();
    assert!(stage(Stage::Total).p99 < 3.0, "by itself each write was fast");
    assert!(stage(Stage::Whole).p50 > 400.0, "but most came half a second late: {:?}", stage(Stage::Whole));
    let target = snapshot.target.unwrap();
    assert_eq!((target.within, target.of, target.is_missed()), (2, 10, true));
    assert_eq!(snapshot.slowest.len(), 10);
    assert_eq!((snapshot.slowest[0].id.as_str(), snapshot.slowest[0].waited.round()), ("p-2", 502.0));
    assert!(snapshot.slowest.windows(2).all(|pair| pair[0].whole >= pair[1].whole));
}

#[test]
fn what_is_lost_misses_the_target() {
    let tracker = LatencyTracker::new().with_target(Duration::from_millis(100), 0.5);
    let clock = Clock::new();
    tracker.sent("p", clock.at(0), clock.at(0));
    let target = snapshot(&tracker, clock.at(100_000)).target.unwrap();
    assert_eq!((target.within, target.of, target.is_missed()), (0, 1, true));
    let idle = LatencyTracker::new().with_target(Duration::from_millis(100), 0.5);
    assert!(!snapshot(&idle, clock.at(100_000)).target.unwrap().is_missed(), "nothing is known yet");
}

#[test]
fn a_refused_write_is_no_probe() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    tracker.sent("p", clock.at(0), clock.at(0));
    tracker.refused("p", clock.at(1));
    let snapshot = snapshot(&tracker, clock.at(100_000));
    assert!(!tracker.has_open());
    assert_eq!((snapshot.open, snapshot.folded, snapshot.lost), (0, 0, 0));
}

#[test]
fn a_repeated_report_of_a_closed_version_does_not_fold_the_next() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    tracker.sent("p", clock.at(0), clock.at(0));
    tracker.acknowledged("p", "1", clock.at(1));
    tracker.seen_in_feed("p", "1", clock.at(2));
    tracker.in_cache("p", "1", clock.at(3));
    tracker.sent("p", clock.at(4), clock.at(4));
    tracker.in_cache("p", "1", clock.at(5));
    tracker.acknowledged("p", "2", clock.at(6));
    tracker.in_cache("p", "1", clock.at(7));
    let snapshot = snapshot(&tracker, clock.at(100_000));
    assert_eq!((snapshot.folded, snapshot.lost), (0, 1));
}

#[test]
fn open_probes_are_bounded() {
    let (tracker, clock) = (LatencyTracker::new(), Clock::new());
    for n in 0..10_050_u64 {
        tracker.sent(&format!("p-{n}"), clock.at(n), clock.at(n));
    }
    for n in 0..100 {
        tracker.sent("hot", clock.at(20_000 + n), clock.at(20_000 + n));
    }
    let snapshot = snapshot(&tracker, clock.at(20_100));
    assert_eq!((snapshot.open, snapshot.lost, snapshot.folded), (9_999 + 16, 51, 84));
}

/// A report about version `n` of one document.
#[derive(Debug, Clone, Copy)]
enum Report {
    Acknowledged,
    Feed,
    Cache,
}

fn shuffled() -> impl Strategy<Value = Vec<(Report, u64)>> {
    Just([Report::Acknowledged, Report::Feed, Report::Cache])
        .prop_shuffle()
        .prop_flat_map(|order| (Just(order), proptest::collection::vec(0_u64..1_000, 3)))
        .prop_map(|(order, times)| order.into_iter().zip(times).collect())
}

proptest! {
    // Each case makes histograms anew, which an unoptimized build takes its time for.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_arrival_gives_the_same_figures(reports in shuffled()) {
        let (tracker, clock) = (LatencyTracker::new(), Clock::new());
        tracker.sent("p", clock.at(0), clock.at(0));
        let mut at = [0_u64; 3];
        for (report, millis) in &reports {
            at[*report as usize] = *millis;
            let moment = clock.at(*millis);
            match report {
                Report::Acknowledged => tracker.acknowledged("p", "1", moment),
                Report::Feed => tracker.seen_in_feed("p", "1", moment),
                Report::Cache => tracker.in_cache("p", "1", moment),
            }
        }
        prop_assert!(!tracker.has_open());
        let [acknowledged, feed, cache] = at;
        let snapshot = snapshot(&tracker, clock.at(1_000));
        for (stage, expected) in [
            (Stage::Write, acknowledged),
            (Stage::Feed, feed.saturating_sub(acknowledged)),
            (Stage::Cache, cache.saturating_sub(feed)),
            (Stage::Total, cache.saturating_sub(acknowledged)),
        ] {
            let (count, max) = figures(&snapshot, stage);
            prop_assert_eq!(count, 1);
            prop_assert!(near(max, expected as f64), "{:?}: {} for {}", stage, max, expected);
        }
    }

    /// Whatever is reported about whatever: every probe is accounted for exactly once.
    #[test]
    fn no_probe_is_forgotten(
        steps in proptest::collection::vec((0_u8..5, 0_u8..3, 0_u8..6, 0_u64..90_000), 0..120),
    ) {
        let (tracker, clock) = (LatencyTracker::new(), Clock::new());
        let (mut sent, mut refused) = (0, 0);
        for (step, id, etag, millis) in steps {
            let (id, etag, at) = (id.to_string(), etag.to_string(), clock.at(millis));
            match step {
                0 => {
                    tracker.sent(&id, at, at);
                    sent += 1;
                }
                1 => tracker.acknowledged(&id, &etag, at),
                2 => tracker.seen_in_feed(&id, &etag, at),
                3 => tracker.in_cache(&id, &etag, at),
                _ => {
                    let open = snapshot(&tracker, clock.at(0)).open;
                    tracker.refused(&id, at);
                    refused += open - snapshot(&tracker, clock.at(0)).open;
                }
            }
        }
        let now = snapshot(&tracker, clock.at(0));
        prop_assert!(now.open + now.folded + now.lost + refused <= sent);
        let end = snapshot(&tracker, clock.at(1_000_000));
        prop_assert_eq!(end.open, 0);
        prop_assert!(!tracker.has_open());
    }
}
