//! The share of documents that has to keep a target.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// Millionths in the whole.
const WHOLE: u32 = 1_000_000;

/// A share above nothing and at most everything, exact to a ten-thousandth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    millionths: u32,
}

impl Share {
    /// What p99 says: the share where nobody names another.
    pub const USUAL: Self = Self { millionths: 990_000 };

    /// Reads percent: `99.9` or `99.9%`.
    ///
    /// # Errors
    /// It is no number above 0 and at most 100.
    pub fn percent(text: &str) -> Result<Self, String> {
        let number = text.trim().trim_end_matches('%').trim_end().parse::<f64>().ok();
        number.and_then(Self::of_percent).ok_or_else(|| "must be percent above 0, at most 100".to_owned())
    }

    fn of_percent(percent: f64) -> Option<Self> {
        let millionths = (percent * 10_000.0).round();
        // NaN fails both.
        (millionths >= 1.0 && millionths <= f64::from(WHOLE))
            .then_some(Self { millionths: millionths as u32 })
    }

    /// Between 0 and 1.
    pub fn as_f64(self) -> f64 {
        f64::from(self.millionths) / f64::from(WHOLE)
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::USUAL
    }
}

/// In percent, without the sign: `99.9`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.millionths / 10_000, self.millionths % 10_000);
        let digits = format!("{rest:04}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    /// A number of percent, or the same as text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Percent;
        impl Visitor<'_> for Percent {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("percent above 0, at most 100")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Share, E> {
                Share::percent(text).map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, percent: f64) -> Result<Share, E> {
                Share::of_percent(percent).ok_or_else(|| E::custom("must be percent above 0, at most 100"))
            }

            fn visit_i64<E: de::Error>(self, percent: i64) -> Result<Share, E> {
                self.visit_f64(percent as f64)
            }

            fn visit_u64<E: de::Error>(self, percent: u64) -> Result<Share, E> {
                self.visit_f64(percent as f64)
            }
        }
        deserializer.deserialize_any(Percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_written_as_people_do() {
        for (text, shown, share) in [
            ("99", "99", 0.99),
            ("99.90 %", "99.9", 0.999),
            ("99.995", "99.995", 0.999_95),
            ("100%", "100", 1.0),
        ] {
            let read = Share::percent(text).unwrap();
            assert_eq!((read.to_string().as_str(), read.as_f64()), (shown, share));
        }
        for text in ["0", "-1", "100.1", "NaN", "", "all"] {
            assert!(Share::percent(text).is_err(), "{text}");
        }
        assert_eq!(Share::default().to_string(), "99");
    }
}
