//! Which keys the documents make, in bounded memory: a Bloom filter. A key that is not in it was
//! made by no document of this pass; only those are looked at one by one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bits for each key: one key in some millions is then taken for seen by mistake.
const BITS: u64 = 32;
/// Bits set for each key.
const PROBES: u64 = 16;
/// Most memory: 32 MiB, enough for 8 million keys at full precision; an orphan among 30 million
/// escapes with a chance of 2 %.
const MOST_WORDS: u64 = (32 << 20) / 8;
/// Least memory, for sources that grow while they are read.
const LEAST_WORDS: u64 = 8 << 10;

/// The keys seen so far.
pub(super) struct SeenKeys(Box<[AtomicU64]>);

impl SeenKeys {
    /// With room for about so many keys.
    pub(super) fn for_about(keys: u64) -> Self {
        let words = (keys.saturating_mul(BITS) / 64).clamp(LEAST_WORDS, MOST_WORDS);
        Self((0..words).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn add(&self, key: &str) {
        for bit in self.bits(key) {
            self.0[(bit / 64) as usize].fetch_or(1 << (bit % 64), Ordering::Relaxed);
        }
    }

    /// Whether it was added; hardly ever true for one that was not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.bits(key).all(|bit| self.0[(bit / 64) as usize].load(Ordering::Relaxed) & (1 << (bit % 64)) != 0)
    }

    fn bits(&self, key: &str) -> impl Iterator<Item = u64> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let one = hasher.finish();
        0_u8.hash(&mut hasher);
        let step = hasher.finish() | 1;
        let size = self.0.len() as u64 * 64;
        (0..PROBES).map(move |n| one.wrapping_add(n.wrapping_mul(step)) % size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_was_added_and_nothing_else() {
        let seen = SeenKeys::for_about(20_000);
        for n in 0..20_000 {
            seen.add(&format!("price:{n}"));
        }
        assert!((0..20_000).all(|n| seen.has(&format!("price:{n}"))));
        let mistaken = (20_000..220_000).filter(|n| seen.has(&format!("price:{n}"))).count();
        assert!(mistaken <= 2, "{mistaken} of 200,000 taken for seen");
    }
}
