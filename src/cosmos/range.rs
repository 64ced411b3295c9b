//! Ranges of the effective partition key (EPK) space: hexadecimal text compared as text,
//! `""` is the least bound and `"FF"` the greatest.

use serde::{Deserialize, Serialize};

/// A half-open range `[min, max)` of the effective partition key space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EpkRange {
    /// Inclusive lower bound; `""` = from the start.
    pub min: String,
    /// Exclusive upper bound; `"FF"` = to the end.
    pub max: String,
}

impl EpkRange {
    /// The whole key space.
    pub fn full() -> Self {
        Self { min: String::new(), max: "FF".to_owned() }
    }

    /// A range of these bounds.
    pub fn new(min: impl Into<String>, max: impl Into<String>) -> Self {
        Self { min: min.into(), max: max.into() }
    }

    /// Whether the two have a point in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.min < other.max && other.min < self.max
    }

    /// Whether an effective partition key lies inside this range.
    pub fn has(&self, key: &str) -> bool {
        self.min.as_str() <= key && key < self.max.as_str()
    }

    /// Whether `other` lies inside this range.
    pub fn contains(&self, other: &Self) -> bool {
        self.min <= other.min && other.max <= self.max
    }

    /// The range as fractions `0.0..=1.0` of the key space, for drawing.
    ///
    /// Hash V2 bounds use the lower quarter of the byte space (`"3FFF…"` is the last hash), so the
    /// first byte is scaled by that; `"FF"` is the end in any case.
    pub fn share(&self) -> (f64, f64) {
        (position(&self.min), position(&self.max))
    }

    /// The range in percent of the key space, for words: `25–50`, with a decimal where it is a small part.
    pub fn percent(&self) -> String {
        const SMALL: f64 = 0.05;
        let (from, to) = self.share();
        let decimals = usize::from(to - from < SMALL);
        format!("{:.decimals$}–{:.decimals$}", from * 100.0, to * 100.0)
    }
}

fn position(bound: &str) -> f64 {
    const HASH_V2_END: f64 = 0x4000_0000_u32 as f64;
    if bound == "FF" {
        return 1.0;
    }
    let mut value = 0_u32;
    for i in 0..8 {
        let digit = bound.as_bytes().get(i).and_then(|b| char::from(*b).to_digit(16)).unwrap_or(0);
        value = (value << 4) | digit;
    }
    (f64::from(value) / HASH_V2_END).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_of_quarters() {
        let third = EpkRange::new("1FFFFFFFFFFFFFFF", "2FFFFFFFFFFFFFFF");
        let (from, to) = third.share();
        assert!((from - 0.5).abs() < 1e-6 && (to - 0.75).abs() < 1e-6);
        assert_eq!(EpkRange::full().share(), (0.0, 1.0));
    }

    #[test]
    fn percent_tells_small_ranges_apart() {
        assert_eq!(EpkRange::new("1FFFFFFFFFFFFFFF", "2FFFFFFFFFFFFFFF").percent(), "50–75");
        assert_eq!(EpkRange::new("30", "FF").percent(), "75–100");
        assert_eq!(EpkRange::full().percent(), "0–100");
        assert_eq!(EpkRange::new("01", "02").percent(), "1.6–3.1");
    }

    #[test]
    fn overlap_is_half_open() {
        let a = EpkRange::new("", "1F");
        let b = EpkRange::new("1F", "FF");
        assert!(!a.overlaps(&b));
        assert!(EpkRange::full().overlaps(&b) && EpkRange::full().contains(&a));
    }
}
