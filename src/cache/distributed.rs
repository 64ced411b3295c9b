//! .NET's `IDistributedCache` over Redis (aspnetcore `RedisCache`): a hash of `absexp`, `sldexp` and `data`.
//!
//! Times are .NET ticks of 100 ns: `absexp` since the year 1, `sldexp` a span, −1 = none.

use std::time::Duration;

use jiff::Timestamp;

/// 1970-01-01 in ticks since 0001-01-01.
const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;
/// Nanoseconds in a tick.
const TICK_NANOS: i128 = 100;
/// `DateTimeOffset.MaxValue` in ticks.
const MAX_TICKS: i64 = 3_155_378_975_999_999_999;
/// What stands for "no time".
const NONE: i64 = -1;

/// When such an entry expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DistributedExpiry {
    /// At this time, whatever happens. Kept to 100 ns.
    pub absolute: Option<Timestamp>,
    /// This long after the last read. Kept to 100 ns.
    pub sliding: Option<Duration>,
}

impl DistributedExpiry {
    /// The texts of the fields `absexp` and `sldexp`.
    pub fn encode(&self) -> (String, String) {
        let absolute = self.absolute.map_or(NONE, |time| {
            let ticks = time.as_nanosecond().div_euclid(TICK_NANOS) + i128::from(UNIX_EPOCH_TICKS);
            i64::try_from(ticks).unwrap_or(MAX_TICKS).clamp(0, MAX_TICKS)
        });
        let sliding = self.sliding.map_or(NONE, |span| {
            i64::try_from(span.as_nanos() / TICK_NANOS.unsigned_abs()).unwrap_or(i64::MAX)
        });
        (absolute.to_string(), sliding.to_string())
    }

    /// From the texts of `absexp` and `sldexp`; `None` where these are not what .NET writes.
    pub fn decode(absexp: &[u8], sldexp: &[u8]) -> Option<Self> {
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
        let absolute = match number(absexp)? {
            NONE => None,
            ticks if ticks < 0 => return None,
            ticks => {
                let nanos = (i128::from(ticks) - i128::from(UNIX_EPOCH_TICKS)) * TICK_NANOS;
                Some(Timestamp::from_nanosecond(nanos).ok()?)
            }
        };
        let sliding = match number(sldexp)? {
            NONE => None,
            ticks => {
                let ticks = u64::try_from(ticks).ok()?;
                Some(Duration::new(ticks / 10_000_000, (ticks % 10_000_000) as u32 * 100))
            }
        };
        Some(Self { absolute, sliding })
    }

    /// Seconds for EXPIRE as .NET computes them: the shorter of both, in whole seconds; `None` = for ever.
    /// At least 1, because EXPIRE 0 would delete what was just written.
    pub fn seconds(&self, now: Timestamp) -> Option<u64> {
        let left = self.absolute.map(|time| {
            let nanos = (time.as_nanosecond() - now.as_nanosecond()).max(0);
            u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX)
        });
        let sliding = self.sliding.map(|span| span.as_secs());
        let shorter = match (left, sliding) {
            (Some(left), Some(sliding)) => Some(left.min(sliding)),
            (left, sliding) => left.or(sliding),
        };
        shorter.map(|seconds| seconds.max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_dotnet_writes() {
        // new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks, TimeSpan.FromMinutes(20).Ticks
        let expiry = DistributedExpiry {
            absolute: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            sliding: Some(Duration::from_secs(20 * 60)),
        };
        assert_eq!(expiry.encode(), ("639028224000000000".into(), "12000000000".into()));
        assert_eq!(DistributedExpiry::default().encode(), ("-1".into(), "-1".into()));
        let now = "2025-12-31T23:50:00.5Z".parse().unwrap();
        assert_eq!(expiry.seconds(now), Some(599));
        assert_eq!(DistributedExpiry { absolute: None, ..expiry }.seconds(now), Some(1200));
        assert_eq!(DistributedExpiry::default().seconds(now), None);
        let late = "2026-02-01T00:00:00Z".parse().unwrap();
        assert_eq!(expiry.seconds(late), Some(1));
    }

    #[test]
    fn what_dotnet_does_not_write() {
        for (absexp, sldexp) in [("", "-1"), ("x", "-1"), ("-1", ""), ("-2", "-1"), ("-1", "-2")] {
            assert_eq!(DistributedExpiry::decode(absexp.as_bytes(), sldexp.as_bytes()), None);
        }
    }

    proptest! {
        #[test]
        fn decode_after_encode_is_the_identity(
            absolute in proptest::option::of(0i64..2_534_022_072_000_000_000),
            sliding in proptest::option::of((0u64..900_000_000_000, 0u32..10_000_000)),
        ) {
            let time = |ticks: i64| {
                Timestamp::from_nanosecond((i128::from(ticks) - i128::from(UNIX_EPOCH_TICKS)) * TICK_NANOS).unwrap()
            };
            let expiry = DistributedExpiry {
                absolute: absolute.map(time),
                sliding: sliding.map(|(seconds, ticks)| Duration::new(seconds, ticks * 100)),
            };
            let (absexp, sldexp) = expiry.encode();
            prop_assert_eq!(DistributedExpiry::decode(absexp.as_bytes(), sldexp.as_bytes()), Some(expiry));
        }

        #[test]
        fn decoding_never_panics(absexp in ".{0,24}", sldexp in "-?[0-9]{0,24}") {
            let _ = DistributedExpiry::decode(absexp.as_bytes(), sldexp.as_bytes());
        }
    }
}
