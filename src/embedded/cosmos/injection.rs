//! Faults and changes of topology as text: `429:rate=5%,path=/docs`, `split:range=0,at=5s`. The same on the
//! command line and at the control endpoint.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::faults::Fault;

/// What a text asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Injection {
    /// A fault from now on.
    Fault(Fault),
    /// A split or merge after some time.
    Topology(TopologyChange),
}

/// A split or a merge to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyChange {
    /// Database and container; the source by default.
    pub container: Option<(String, String)>,
    /// What.
    pub kind: TopologyKind,
    /// When, from now.
    pub after: Duration,
}

/// See [`TopologyChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopologyKind {
    /// This range, or the one with the most documents.
    Split(Option<u32>),
    /// These neighbours, or the two with the fewest documents.
    Merge(Option<[u32; 2]>),
}

/// Why a text is no injection; one line.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{0}; e.g. 429:rate=5%,path=/docs, 503:next=3, delay:time=200ms, drop:next=1,after, split:range=0,at=5s"
)]
pub struct InjectionError(String);

impl InjectionError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl FromStr for Injection {
    type Err = InjectionError;

    fn from_str(text: &str) -> Result<Self, InjectionError> {
        let (what, options) = text.split_once(':').unwrap_or((text, ""));
        let options = options.split(',').map(str::trim).filter(|option| !option.is_empty());
        let options = options.map(|option| option.split_once('=').unwrap_or((option, "")));
        match what.trim() {
            "split" | "merge" => topology(what.trim() == "split", options).map(Self::Topology),
            "delay" => fault(Fault::default(), options).and_then(|fault| {
                if fault.delay_ms == 0 {
                    Err(InjectionError::new("a delay needs its time"))
                } else {
                    Ok(Self::Fault(fault))
                }
            }),
            "drop" => fault(Fault { drop: true, ..Fault::default() }, options).map(Self::Fault),
            status => match status.parse::<u16>() {
                Ok(status @ 400..=599) => {
                    fault(Fault { status: Some(status), ..Fault::default() }, options).map(Self::Fault)
                }
                _ => Err(InjectionError(format!(
                    "'{status}' is no status from 400 to 599, nor delay, drop, split or merge"
                ))),
            },
        }
    }
}

fn fault<'o>(
    mut fault: Fault,
    options: impl Iterator<Item = (&'o str, &'o str)>,
) -> Result<Fault, InjectionError> {
    for (name, value) in options {
        match name {
            "rate" => fault.rate = share(value)?,
            "next" => fault.next = Some(number(name, value)?),
            "path" => fault.path = Some(value.to_owned()),
            "method" => fault.method = Some(value.to_owned()),
            "feed" => fault.feed = true,
            "after" => fault.after = true,
            "time" | "delay" => fault.delay_ms = millis(name, value)?,
            "retry-after" => fault.retry_after_ms = Some(millis(name, value)?),
            "sub" => fault.sub_status = Some(number(name, value)?),
            _ => {
                let known = "rate, next, path, method, feed, after, time, retry-after, sub";
                return Err(InjectionError(format!("a fault has no option '{name}' ({known})")));
            }
        }
    }
    Ok(fault)
}

fn topology<'o>(
    splits: bool,
    options: impl Iterator<Item = (&'o str, &'o str)>,
) -> Result<TopologyChange, InjectionError> {
    let kind = if splits { TopologyKind::Split(None) } else { TopologyKind::Merge(None) };
    let mut change = TopologyChange { container: None, kind, after: Duration::ZERO };
    for (name, value) in options {
        match name {
            "container" => {
                let (database, container) = value
                    .split_once('/')
                    .ok_or_else(|| InjectionError::new("container is DATABASE/CONTAINER"))?;
                change.container = Some((database.to_owned(), container.to_owned()));
            }
            "range" if splits => change.kind = TopologyKind::Split(Some(number(name, value)?)),
            "ranges" if !splits => {
                let (a, b) =
                    value.split_once('+').ok_or_else(|| InjectionError::new("ranges are two ids: 4+5"))?;
                change.kind = TopologyKind::Merge(Some([number(name, a)?, number(name, b)?]));
            }
            "at" => change.after = Duration::from_millis(millis(name, value)?),
            _ => {
                let known = if splits { "container, range, at" } else { "container, ranges, at" };
                return Err(InjectionError(format!("there is no option '{name}' here ({known})")));
            }
        }
    }
    Ok(change)
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, InjectionError> {
    value.trim().parse().map_err(|_| InjectionError(format!("{name}='{value}' is not a whole number")))
}

/// `5%` or `0.05`.
fn share(value: &str) -> Result<f64, InjectionError> {
    let (digits, of) = value.strip_suffix('%').map_or((value, 1.0), |percent| (percent, 100.0));
    let share =
        digits.trim().parse::<f64>().ok().map(|n| n / of).filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| InjectionError(format!("rate='{value}' is not a share such as 5% or 0.05")))
}

/// `200ms`, `5s`, `1m`; a number alone is milliseconds.
fn millis(name: &str, value: &str) -> Result<u64, InjectionError> {
    let units = [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0), ("", 1.0)];
    let (digits, unit) =
        units.iter().find_map(|(unit, ms)| Some((value.strip_suffix(unit)?, ms))).unwrap_or((value, &1.0));
    let time =
        digits.trim().parse::<f64>().ok().map(|n| n * unit).filter(|ms| (0.0..=3_600_000.0).contains(ms));
    time.map(|ms| ms as u64)
        .ok_or_else(|| InjectionError(format!("{name}='{value}' is not a time such as 200ms, up to 1h")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_what_json_says() {
        let of = |text: &str| text.parse::<Injection>();
        let throttled = Fault { rate: 0.05, path: Some("/docs".into()), ..Fault::default() };
        let throttled = Fault { status: Some(429), ..throttled };
        assert_eq!(of("429:rate=5%,path=/docs"), Ok(Injection::Fault(throttled)));
        let lost = Fault { drop: true, after: true, next: Some(1), ..Fault::default() };
        assert_eq!(of("drop:next=1,after"), Ok(Injection::Fault(lost)));
        let slow = Fault { delay_ms: 1_500, feed: true, ..Fault::default() };
        assert_eq!(of("delay:time=1.5s, feed"), Ok(Injection::Fault(slow)));
        let gone = Fault { sub_status: Some(1007), retry_after_ms: Some(5), ..Fault::status(410, 3) };
        assert_eq!(of("410:sub=1007,retry-after=5ms,next=3"), Ok(Injection::Fault(gone)));
        let kind = TopologyKind::Merge(Some([4, 5]));
        let container = Some(("shop".to_owned(), "prices".to_owned()));
        let merge = TopologyChange { container, kind, after: Duration::from_secs(5) };
        assert_eq!(of("merge:container=shop/prices,ranges=4+5,at=5s"), Ok(Injection::Topology(merge)));
        let split =
            TopologyChange { container: None, kind: TopologyKind::Split(None), after: Duration::ZERO };
        assert_eq!(of("split"), Ok(Injection::Topology(split)));
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line() {
        for (text, part) in [
            ("", "''"),
            ("200", "'200'"),
            ("429:rate=200%", "rate='200%'"),
            ("429:rat=5%", "'rat'"),
            ("503:next=x", "next='x'"),
            ("delay", "needs its time"),
            ("delay:time=soon", "time='soon'"),
            ("merge:range=4", "'range'"),
            ("split:container=prices", "DATABASE/CONTAINER"),
        ] {
            let error = text.parse::<Injection>().unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
