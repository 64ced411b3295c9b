//! The guard against going backwards: two writers in any order never leave an older version.

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use syncscope::cache::{CacheClient, CacheWrite, Version};

use super::caches;

/// Interleavings of one run, each with a key of its own.
const INTERLEAVINGS: usize = 10_000;
/// Versions of each document; both writers write all of them in order, as two processors that overlap do.
const VERSIONS: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Hash,
}

/// Version `n`: seconds move only with every other version, so that the LSN has to decide, too.
fn version(n: u64) -> Version {
    Version { ts: 1_000 + n / 2, lsn: Some(n) }
}

fn write(key: &str, n: u64, kind: Kind, guarded: bool) -> CacheWrite {
    let key = Bytes::from(key.to_owned());
    let value = Bytes::from(n.to_string());
    let write = match kind {
        Kind::Text => CacheWrite::Set { key, value, ttl: None },
        Kind::Hash => CacheWrite::Fields { key, fields: vec![("n".into(), value)], ttl: None },
    };
    if guarded { CacheWrite::Guarded { write: Box::new(write), version: version(n) } } else { write }
}

#[expect(clippy::needless_range_loop, reason = "all plans go on step by step")]
/// Writes every interleaving, and looks after each write whether the entry went backwards.
async fn backwards(client: &CacheClient, kind: Kind, guarded: bool, seed: u64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    // Version by version of both writers, in a random order of the two; checked step by step.
    let plans: Vec<Vec<u64>> = (0..INTERLEAVINGS)
        .map(|_| {
            let mut next = [0; 2];
            let mut plan = Vec::new();
            while next.iter().any(|n| *n < VERSIONS) {
                let who = usize::from(random.random::<bool>());
                if next[who] < VERSIONS {
                    plan.push(next[who]);
                    next[who] += 1;
                }
            }
            plan
        })
        .collect();
    let keys: Vec<String> = (0..INTERLEAVINGS).map(|n| format!("{kind:?}{guarded}{n}")).collect();
    let mut newest = vec![0; INTERLEAVINGS];
    let mut failures = 0;
    let steps = plans[0].len();
    for step in 0..steps {
        for chunk in (0..INTERLEAVINGS).collect::<Vec<_>>().chunks(1_000) {
            let writes: Vec<_> =
                chunk.iter().map(|at| write(&keys[*at], plans[*at][step], kind, guarded)).collect();
            let outcomes = client.write(&writes).await.unwrap();
            assert!(outcomes.iter().all(Result::is_ok), "{:?}", outcomes.iter().find(|one| one.is_err()));
            let entries = client.entries(&keys[chunk[0]..=chunk[chunk.len() - 1]], 100).await.unwrap();
            for (at, entry) in chunk.iter().zip(entries) {
                let text = String::from_utf8_lossy(&entry.unwrap().value).into_owned();
                let found: u64 =
                    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap();
                failures += usize::from(found < newest[*at]);
                newest[*at] = newest[*at].max(found);
                if guarded {
                    assert!(found >= plans[*at][step], "a newer version was kept out");
                }
            }
        }
    }
    failures
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_interleavings_of_two_writers_never_go_backwards() {
    for (_cache, client) in caches().await {
        for kind in [Kind::Text, Kind::Hash] {
            assert_eq!(backwards(&client, kind, true, 7).await, 0, "{kind:?} on {}", client.product());
        }
        // The same without the guard goes backwards: the test can fail.
        assert!(backwards(&client, Kind::Text, false, 7).await > INTERLEAVINGS / 10);
    }
}

#[tokio::test]
async fn a_deletion_keeps_older_versions_out_and_newer_ones_come_in() {
    for (_cache, client) in caches().await {
        for kind in [Kind::Text, Kind::Hash] {
            let key = format!("{kind:?}");
            let delete = CacheWrite::Delete { key: key.clone().into() };
            let steps = [
                (write(&key, 1, kind, true), true),
                (CacheWrite::Guarded { write: Box::new(delete), version: version(5) }, false),
                (write(&key, 4, kind, true), false),
                (write(&key, 6, kind, true), true),
                (write(&key, 5, kind, true), true),
            ];
            for (n, (step, there)) in steps.into_iter().enumerate() {
                assert_eq!(client.write(&[step]).await.unwrap(), [Ok(())]);
                let entry = client.entry(&key, 10).await.unwrap();
                assert_eq!(entry.is_some(), there, "{kind:?} step {n} on {}", client.product());
            }
        }
        let (_, keys) = client.scan(0, None, 1_000).await.unwrap();
        assert!(keys.iter().all(|key| ["Text", "Hash"].contains(&key.as_str())), "{keys:?}");
    }
}

#[tokio::test]
async fn without_an_lsn_only_the_seconds_decide() {
    for (_cache, client) in caches().await {
        let set = |n: u64, version| CacheWrite::Guarded {
            write: Box::new(write("k", n, Kind::Text, false)),
            version,
        };
        let (ts, lsn) = (100, Some(50));
        for (write, wanted) in [
            (set(1, Version { ts, lsn }), "1"),
            // As read from the source by its id, where there is no `_lsn`.
            (set(2, Version { ts, lsn: None }), "2"),
            // The LSN known before still holds.
            (set(3, Version { ts, lsn: Some(49) }), "2"),
            (set(4, Version { ts: 99, lsn: Some(90) }), "2"),
            (set(5, Version { ts, lsn }), "5"),
        ] {
            client.write(&[write]).await.unwrap();
            assert_eq!(client.entry("k", 10).await.unwrap().unwrap().value, wanted);
        }
    }
}
