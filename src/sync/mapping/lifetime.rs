//! How long an entry lives: for ever, a fixed time from its write on, or as a field of the document says.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Expiry, MappingError, number};
use crate::sync::fields;

/// The TTL rule of a mapping.
#[derive(Debug, Clone, Default)]
pub(super) struct Lifetime {
    fixed: Option<Duration>,
    field: Option<Vec<String>>,
}

impl Lifetime {
    pub(super) fn new(fixed: Option<Duration>, field: Option<Vec<String>>) -> Self {
        Self { fixed, field }
    }

    pub(super) fn fixed(&self) -> Option<Duration> {
        self.fixed
    }

    /// When the entry of a document goes; `None` = it should have gone before `now`.
    pub(super) fn expiry(&self, document: &[u8], now: Timestamp) -> Result<Option<Expiry>, MappingError> {
        let otherwise = self.fixed.map_or(Expiry::Never, Expiry::After);
        let Some(path) = &self.field else { return Ok(Some(otherwise)) };
        let wrong = || MappingError::WrongTtl { field: path.join(".") };
        let Some(raw) = fields::pick(document, path)? else { return Ok(Some(otherwise)) };
        let at = match raw.get() {
            "null" => return Ok(Some(otherwise)),
            // Cosmos's own word for "never".
            "-1" => return Ok(Some(Expiry::Never)),
            _ => fields::text(raw).ok_or_else(wrong)?,
        };
        let at = if let Ok(seconds) = at.parse::<f64>() {
            let written = number(document, "_ts")?.and_then(|ts| i64::try_from(ts).ok());
            let from = written.and_then(|ts| Timestamp::from_second(ts).ok()).unwrap_or(now);
            if seconds < 0.0 {
                return Err(wrong());
            }
            // Beyond what a time can be: that is never.
            let length = SignedDuration::try_from_secs_f64(seconds).ok();
            let Some(at) = length.and_then(|length| from.checked_add(length).ok()) else {
                return if seconds.is_nan() { Err(wrong()) } else { Ok(Some(Expiry::Never)) };
            };
            at
        } else {
            at.parse::<Timestamp>().map_err(|_| wrong())?
        };
        Ok((at > now).then_some(Expiry::At(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn expiry(document: &str) -> Result<Option<Expiry>, String> {
        let lifetime = Lifetime::new(Some(Duration::from_secs(60)), Some(vec!["until".to_owned()]));
        lifetime.expiry(document.as_bytes(), at("2026-03-01T12:00:00Z")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_field_says_seconds_or_a_time() {
        let minute = Ok(Some(Expiry::After(Duration::from_secs(60))));
        assert_eq!(expiry("{}"), minute);
        assert_eq!(expiry(r#"{"until":null}"#), minute);
        assert_eq!(expiry(r#"{"until":-1}"#), Ok(Some(Expiry::Never)));
        let time = Ok(Some(Expiry::At(at("2026-03-01T12:01:30Z"))));
        assert_eq!(expiry(r#"{"until":90}"#), time);
        assert_eq!(expiry(r#"{"until":"2026-03-01T13:01:30+01:00"}"#), time);
        // 1772366400 = 2026-03-01T12:00:00Z: seconds count from the last write, as Cosmos counts its own.
        assert_eq!(expiry(r#"{"until":100,"_ts":1772366390}"#), time);
        assert_eq!(expiry(r#"{"until":10,"_ts":1772366390}"#), Ok(None));
        assert_eq!(expiry(r#"{"until":"2026-01-01T00:00:00Z"}"#), Ok(None));
        assert_eq!(expiry(r#"{"until":1e300}"#), Ok(Some(Expiry::Never)));
    }

    #[test]
    fn anything_else_is_told() {
        for value in ["true", "[]", "{}", "\"soon\"", "-2", "\"NaN\""] {
            let told = expiry(&format!(r#"{{"until":{value}}}"#)).unwrap_err();
            assert!(told.contains("\"until\""), "{value}: {told}");
        }
    }
}
