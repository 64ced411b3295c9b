//! Functions of time. Date texts are `2026-11-24T15:04:05.1234567Z`, UTC; ticks are 100 ns since 1601 at
//! the service's `GetCurrentTicks`, which counts them from year 1 as .NET does.

use jiff::{SignedDuration, Timestamp, ToSpan as _, Unit, civil::DateTime, tz::TimeZone};
use serde_json::Value;

use super::functions::{Arg, Function, text, whole};

/// 100 ns from year 1 (.NET's `DateTime.Ticks`) to 1970.
const TICKS_TO_EPOCH: i128 = 621_355_968_000_000_000;

pub(super) static TABLE: &[Function] = &[
    Function::new("GETCURRENTTIMESTAMP", 0, 0, |_| Ok(Some(Timestamp::now().as_millisecond().into()))),
    Function::new("GETCURRENTTIMESTAMPSTATIC", 0, 0, |_| Ok(Some(Timestamp::now().as_millisecond().into()))),
    Function::new("GETCURRENTDATETIME", 0, 0, |_| Ok(Some(written(Timestamp::now()).into()))),
    Function::new("GETCURRENTDATETIMESTATIC", 0, 0, |_| Ok(Some(written(Timestamp::now()).into()))),
    Function::new("GETCURRENTTICKS", 0, 0, |_| Ok(ticks(Timestamp::now()))),
    Function::new("GETCURRENTTICKSSTATIC", 0, 0, |_| Ok(ticks(Timestamp::now()))),
    Function::new("DATETIMETOTIMESTAMP", 1, 1, |args| Ok(read(args, 0).map(|t| t.as_millisecond().into()))),
    Function::new("TIMESTAMPTODATETIME", 1, 1, |args| {
        let at = whole(args, 0).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Ok(at.map(|at| written(at).into()))
    }),
    Function::new("DATETIMETOTICKS", 1, 1, |args| Ok(read(args, 0).and_then(ticks))),
    Function::new("TICKSTODATETIME", 1, 1, |args| {
        let nanos = whole(args, 0).map(|ticks| (i128::from(ticks) - TICKS_TO_EPOCH) * 100);
        Ok(nanos.and_then(|n| Timestamp::from_nanosecond(n).ok()).map(|at| written(at).into()))
    }),
    Function::new("DATETIMEADD", 3, 3, |args| Ok(add(args))),
    Function::new("DATETIMEDIFF", 3, 3, |args| Ok(diff(args))),
    Function::new("DATETIMEPART", 2, 2, |args| Ok(part(args))),
    Function::new("DATETIMEFROMPARTS", 3, 7, |args| Ok(from_parts(args))),
];

fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}

fn ticks(at: Timestamp) -> Option<Value> {
    i64::try_from(at.as_nanosecond() / 100 + TICKS_TO_EPOCH).ok().map(Value::from)
}

/// A date text with or without time.
fn read(args: &[Arg<'_>], at: usize) -> Option<Timestamp> {
    let text = text(args, at)?;
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil: DateTime = text.trim_end_matches('Z').parse().ok()?;
    civil.to_zoned_datetime(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Part {
    fn of(args: &[Arg<'_>]) -> Option<Self> {
        Some(match text(args, 0)?.to_ascii_lowercase().as_str() {
            "year" | "yyyy" | "yy" => Self::Year,
            "month" | "mm" | "m" => Self::Month,
            "day" | "dd" | "d" => Self::Day,
            "hour" | "hh" => Self::Hour,
            "minute" | "mi" | "n" => Self::Minute,
            "second" | "ss" | "s" => Self::Second,
            "millisecond" | "ms" => Self::Millisecond,
            "microsecond" | "mcs" => Self::Microsecond,
            "nanosecond" | "ns" => Self::Nanosecond,
            _ => return None,
        })
    }

    /// Nanoseconds of the parts that have a fixed length.
    fn nanos(self) -> Option<i128> {
        Some(match self {
            Self::Year | Self::Month => return None,
            Self::Day => 86_400_000_000_000,
            Self::Hour => 3_600_000_000_000,
            Self::Minute => 60_000_000_000,
            Self::Second => 1_000_000_000,
            Self::Millisecond => 1_000_000,
            Self::Microsecond => 1_000,
            Self::Nanosecond => 1,
        })
    }
}

fn add(args: &[Arg<'_>]) -> Option<Value> {
    let (Some(part), Some(n), Some(at)) = (Part::of(args), whole(args, 1), read(args, 2)) else {
        return None;
    };
    let moved = match part.nanos() {
        Some(nanos) => {
            let total = at.as_nanosecond().saturating_add(nanos.saturating_mul(i128::from(n)));
            Timestamp::from_nanosecond(total).ok()
        }
        None => i32::try_from(n).ok().filter(|n| n.abs() < 10_000 * 12).and_then(|n| {
            let months = if part == Part::Year { n.checked_mul(12)? } else { n };
            let civil = at.to_zoned_datetime(TimeZone::UTC).datetime().checked_add(months.months()).ok()?;
            civil.to_zoned_datetime(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        }),
    };
    moved.map(|at| written(at).into())
}

/// How many boundaries of the part lie between the two.
fn diff(args: &[Arg<'_>]) -> Option<Value> {
    let (Some(part), Some(a), Some(b)) = (Part::of(args), read(args, 1), read(args, 2)) else {
        return None;
    };
    let months = |at: Timestamp| {
        let date = at.to_zoned_datetime(TimeZone::UTC).date();
        i64::from(date.year()) * 12 + i64::from(date.month()) - 1
    };
    let counted = match part {
        Part::Year => months(b).div_euclid(12) - months(a).div_euclid(12),
        Part::Month => months(b) - months(a),
        _ => {
            let nanos = part.nanos().unwrap_or(1);
            let between = b.as_nanosecond().div_euclid(nanos) - a.as_nanosecond().div_euclid(nanos);
            return i64::try_from(between).ok().map(Value::from);
        }
    };
    Some(counted.into())
}

fn part(args: &[Arg<'_>]) -> Option<Value> {
    let (Some(part), Some(at)) = (Part::of(args), read(args, 1)) else { return None };
    let at = at.to_zoned_datetime(TimeZone::UTC).datetime();
    let nanos = i64::from(at.subsec_nanosecond());
    Some(Value::from(match part {
        Part::Year => i64::from(at.year()),
        Part::Month => i64::from(at.month()),
        Part::Day => i64::from(at.day()),
        Part::Hour => i64::from(at.hour()),
        Part::Minute => i64::from(at.minute()),
        Part::Second => i64::from(at.second()),
        Part::Millisecond => nanos / 1_000_000,
        Part::Microsecond => nanos / 1_000,
        Part::Nanosecond => nanos,
    }))
}

/// Year, month, day, and as much of the time as is given; the last part is 100 ns.
fn from_parts(args: &[Arg<'_>]) -> Option<Value> {
    let number = |at: usize| if at < args.len() { whole(args, at) } else { Some(0) };
    let read = || -> Option<Timestamp> {
        let small = |at: usize| number(at).and_then(|n| i8::try_from(n).ok());
        let year = number(0).and_then(|n| i16::try_from(n).ok())?;
        let civil = DateTime::new(year, small(1)?, small(2)?, small(3)?, small(4)?, small(5)?, 0).ok()?;
        let fraction = SignedDuration::from_nanos(number(6)?.checked_mul(100)?);
        let at = civil.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().checked_add(fraction).ok()?;
        at.round(Unit::Nanosecond).ok()
    };
    read().map(|at| written(at).into())
}
