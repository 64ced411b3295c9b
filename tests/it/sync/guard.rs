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

#[tokio::test]
async fn one_call_writes_many_in_order_and_blames_the_right_one() {
    for (cache, client) in caches().await {
        let guarded = |write, n| CacheWrite::Guarded { write: Box::new(write), version: version(n) };
        let json = CacheWrite::Json { key: "json".into(), document: "{}".into(), ttl: None };
        let long = Some(std::time::Duration::from_secs(500));
        let living = CacheWrite::Set { key: "living".into(), value: "7".into(), ttl: long };
        let many = (0..3_000).map(|n| (format!("f{n}").into(), "x".into())).collect();
        let wide = CacheWrite::Fields { key: "wide".into(), fields: many, ttl: None };
        // Versions of one key within one call count, too: the third is older than the second.
        let batch = [
            write("same", 1, Kind::Text, true),
            write("same", 5, Kind::Text, true),
            write("same", 4, Kind::Text, true),
            guarded(json, 1),
            write("hash", 3, Kind::Hash, true),
            write("hash", 2, Kind::Hash, true),
            guarded(CacheWrite::Delete { key: "same".into() }, 6),
            write("same", 5, Kind::Text, true),
            guarded(living, 1),
            guarded(wide, 1),
            write("plain", 9, Kind::Text, false),
            write("last", 1, Kind::Text, true),
        ];
        let outcomes = client.write(&batch).await.unwrap();
        let blamed: Vec<usize> = (0..batch.len()).filter(|at| outcomes[*at].is_err()).collect();
        assert_eq!(blamed, [3], "{outcomes:?} on {}", client.product());
        let value = async |key: &str| {
            let entry = client.entry(key, 100_000).await.unwrap();
            entry
                .map(|entry| (String::from_utf8_lossy(&entry.value).into_owned(), entry.expires_at.is_some()))
        };
        assert_eq!(value("same").await, None);
        assert_eq!(value("hash").await, Some((r#"{"n":"3"}"#.to_owned(), false)));
        assert_eq!(value("living").await, Some(("7".to_owned(), true)));
        assert_eq!(value("last").await, Some(("1".to_owned(), false)));
        let server = redis::Client::open(cache.url()).unwrap();
        let mut server = server.get_multiplexed_async_connection().await.unwrap();
        // And the version.
        let fields: usize = redis::cmd("HLEN").arg("wide").query_async(&mut server).await.unwrap();
        assert_eq!(fields, 3_001);
    }
}

#[tokio::test]
async fn a_server_that_is_full_refuses_every_write_of_a_call() {
    for (cache, client) in caches().await {
        let server = redis::Client::open(cache.url()).unwrap();
        let mut server = server.get_multiplexed_async_connection().await.unwrap();
        let mut limit = async |bytes: &str| {
            let mut command = redis::cmd("CONFIG");
            command.arg("SET").arg("maxmemory").arg(bytes);
            command.query_async::<()>(&mut server).await.unwrap();
        };
        // An empty in-process server would have room for the first call.
        client.write(&[write("there", 0, Kind::Text, false)]).await.unwrap();
        for kind in [Kind::Text, Kind::Hash] {
            let batch: Vec<_> = (0..100).map(|n| write(&format!("{kind:?}{n}"), n, kind, true)).collect();
            limit("1").await;
            let refused = client.write(&batch).await.unwrap();
            for outcome in refused {
                let told = outcome.as_ref().map_err(|error| error.text.as_str());
                assert!(
                    told.is_err_and(|text| text.contains("OOM")),
                    "{outcome:?} {kind:?} on {}",
                    client.product()
                );
            }
            limit("0").await;
            assert!(client.write(&batch).await.unwrap().iter().all(Result::is_ok));
            assert!(client.entry(&format!("{kind:?}99"), 10).await.unwrap().is_some());
        }
    }
}
