//! Values that are checked while they are read, so that a file's error has its line and column.
//! The messages quote no value: a connection string may stand in the wrong place.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::{StartPosition, host};

/// Reads a text by a function; anything but a text is refused without printing it.
pub(super) struct Parsed<F>(pub(super) F);

impl<T, F: Fn(&str) -> Result<T, String>> Visitor<'_> for Parsed<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<T, E> {
        Err(E::custom("must be a text in quotes"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<T, E> {
        Err(E::custom("must be a text in quotes"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<T, E> {
        Err(E::custom("must be a text in quotes"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<T, E> {
        Err(E::custom("must be a text in quotes"))
    }
}

/// How a value of a layer is read from text.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

/// A checked text value of a layer.
#[derive(Debug, PartialEq)]
pub(super) struct Checked<T>(pub(super) T);

impl<'de, T: FromText> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed(T::from_text)).map(Checked)
    }
}

/// A name that must not be empty: database, container, key template, instance.
#[derive(Debug, PartialEq)]
pub(super) struct Name(pub(super) String);

impl FromText for Name {
    fn from_text(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() { Err("must not be empty".to_owned()) } else { Ok(Self(text.to_owned())) }
    }
}

/// A host that may be written to.
#[derive(Debug, PartialEq)]
pub(super) struct Host(pub(super) String);

impl FromText for Host {
    fn from_text(text: &str) -> Result<Self, String> {
        host::named(text).map(Self)
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromText for Duration {
    fn from_text(text: &str) -> Result<Self, String> {
        interval(text)
    }
}

impl FromText for StartPosition {
    fn from_text(text: &str) -> Result<Self, String> {
        start_position(text)
    }
}

/// A whole number within bounds, given as number or as text.
#[derive(Debug, PartialEq)]
pub(super) struct Whole<const MIN: u64, const MAX: u64>(pub(super) u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    fn new(number: Option<u64>) -> Result<Self, String> {
        match number {
            Some(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!("must be a whole number from {MIN} to {MAX}")),
        }
    }
}

impl<const MIN: u64, const MAX: u64> FromText for Whole<MIN, MAX> {
    fn from_text(text: &str) -> Result<Self, String> {
        Self::new(text.trim().parse().ok())
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Some(u64::deserialize(deserializer)?)).map_err(de::Error::custom)
    }
}

/// Longest interval: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads an interval with its unit: `5s`, `250ms`, `1m 30s`.
pub fn interval(text: &str) -> Result<Duration, String> {
    let told = || "must be a time with its unit, e.g. 5s, 250ms or 1m 30s".to_owned();
    let length: SignedDuration = text.trim().parse().map_err(|_| told())?;
    let length = Duration::try_from(length).map_err(|_| told())?;
    if length.is_zero() || length > LONGEST {
        return Err("must be longer than nothing and at most 24h".to_owned());
    }
    Ok(length)
}

/// Reads `beginning`, `now` or a time of RFC 3339.
pub fn start_position(text: &str) -> Result<StartPosition, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("beginning") {
        Ok(StartPosition::Beginning)
    } else if text.eq_ignore_ascii_case("now") {
        Ok(StartPosition::Now)
    } else {
        text.parse::<Timestamp>()
            .map(StartPosition::At)
            .map_err(|_| "must be beginning, now or a time such as 2026-03-01T12:00:00Z".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_need_a_unit() {
        assert_eq!(interval("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(interval("250 ms"), Ok(Duration::from_millis(250)));
        assert_eq!(interval("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "5", "0s", "-1s", "25h", "5 parsecs", "1 month"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn starts() {
        assert_eq!(start_position("Beginning"), Ok(StartPosition::Beginning));
        assert_eq!(start_position("now"), Ok(StartPosition::Now));
        let at = "2026-03-01T12:00:00+01:00";
        assert_eq!(start_position(at), Ok(StartPosition::At("2026-03-01T11:00:00Z".parse().unwrap())));
        assert!(start_position("yesterday").is_err());
        assert!(start_position("2026-03-01").is_err());
    }
}
