//! How many took how long, over time: counts by logarithmic buckets in slots of seconds. Either the
//! newest slots are kept, or the slots grow wider so that a whole run fits.

/// Buckets of a decade.
const PER_DECADE: usize = 24;
/// The first bucket begins here, in microseconds; faster ones count in it.
const LEAST_MICROS: f64 = 100.0;
/// 0.1 ms to 100 s.
const DECADES: usize = 6;
/// Buckets of a slot.
pub const BUCKETS: usize = PER_DECADE * DECADES;

/// What happens when the slots are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Policy {
    /// The oldest goes.
    #[default]
    Newest,
    /// Two become one, and slots are twice as wide from then on.
    Whole,
}

/// Counts by time and latency.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatMap {
    policy: Policy,
    most: usize,
    /// Seconds of a slot.
    width: u64,
    /// Number of the first slot kept, in widths since the start.
    first: u64,
    slots: std::collections::VecDeque<Slot>,
}

/// Counts of one slot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slot {
    /// Most slots of a quiet run stay empty: room comes with the first count.
    counts: Vec<u32>,
    /// Longest, in microseconds.
    max: u64,
}

impl Slot {
    /// Everything counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// Counts, regrouped into bands of `bands` a decade (a divisor of 24), fastest first.
    pub fn bands(&self, per_decade: usize) -> Vec<u64> {
        let group = (PER_DECADE / per_decade.clamp(1, PER_DECADE)).max(1);
        let mut bands = vec![0; BUCKETS.div_ceil(group)];
        for (i, count) in self.counts.iter().enumerate() {
            bands[i / group] += u64::from(*count);
        }
        bands
    }

    /// A quantile in milliseconds, exact to a bucket (10%); `None` in an empty slot.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let count = self.count();
        let wanted = ((count as f64 * quantile).ceil() as u64).max(1);
        let mut sum = 0;
        for (i, in_bucket) in self.counts.iter().enumerate() {
            sum += u64::from(*in_bucket);
            if sum >= wanted && count > 0 {
                let middle = edge(i as f64 + 0.5) / 1_000.0;
                return Some(middle.min(self.max as f64 / 1_000.0));
            }
        }
        None
    }

    /// The longest in milliseconds.
    pub fn max(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.max as f64 / 1_000.0)
    }

    fn note(&mut self, micros: u64) {
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        let count = &mut self.counts[bucket(micros)];
        *count = count.saturating_add(1);
        self.max = self.max.max(micros);
    }

    fn add(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.counts.clone_from(&other.counts);
        } else {
            for (count, more) in self.counts.iter_mut().zip(&other.counts) {
                *count = count.saturating_add(*more);
            }
        }
        self.max = self.max.max(other.max);
    }
}

/// Lower edge of a bucket in microseconds.
fn edge(bucket: f64) -> f64 {
    LEAST_MICROS * 10_f64.powf(bucket / PER_DECADE as f64)
}

/// Lower edge of a band in milliseconds, of `per_decade` bands a decade.
pub fn band_edge(band: usize, per_decade: usize) -> f64 {
    LEAST_MICROS / 1_000.0 * 10_f64.powf(band as f64 / per_decade as f64)
}

fn bucket(micros: u64) -> usize {
    let place = (micros.max(1) as f64 / LEAST_MICROS).log10() * PER_DECADE as f64;
    (place.max(0.0) as usize).min(BUCKETS - 1)
}

impl HeatMap {
    pub(super) fn new(policy: Policy, most: usize) -> Self {
        Self { policy, most: most.max(2), width: 1, first: 0, slots: std::collections::VecDeque::new() }
    }

    /// Seconds of a slot.
    pub fn width(&self) -> u64 {
        self.width.max(1)
    }

    /// Seconds from the start to the first slot.
    pub fn begins(&self) -> u64 {
        self.first * self.width()
    }

    /// Oldest first.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = &Slot> + DoubleEndedIterator {
        self.slots.iter()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| slot.counts.is_empty())
    }

    pub(super) fn note(&mut self, micros: u64, second: u64) {
        self.advance(second);
        // What became known late counts in the newest slot.
        if let Some(slot) = self.slots.back_mut() {
            slot.note(micros);
        }
    }

    /// Makes slots up to this second.
    pub(super) fn advance(&mut self, second: u64) {
        if self.slots.is_empty() {
            self.first = if self.policy == Policy::Newest { second / self.width() } else { 0 };
            self.slots.push_back(Slot::default());
        }
        loop {
            let number = second / self.width();
            let last = self.first + self.slots.len() as u64 - 1;
            if number <= last {
                return;
            }
            if number - last > self.most as u64 && self.policy == Policy::Newest {
                self.slots.clear();
                self.first = number;
                self.slots.push_back(Slot::default());
                return;
            }
            if self.slots.len() < self.most {
                self.slots.push_back(Slot::default());
                continue;
            }
            match self.policy {
                Policy::Newest => {
                    self.slots.pop_front();
                    self.first += 1;
                    self.slots.push_back(Slot::default());
                }
                Policy::Whole => self.widen(),
            }
        }
    }

    fn widen(&mut self) {
        let old = std::mem::take(&mut self.slots);
        for (i, slot) in old.into_iter().enumerate() {
            match self.slots.back_mut() {
                Some(last) if i % 2 == 1 => last.add(&slot),
                _ => self.slots.push_back(slot),
            }
        }
        self.width *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(map: &HeatMap) -> Vec<u64> {
        map.slots().map(Slot::count).collect()
    }

    #[test]
    fn the_newest_seconds_are_kept() {
        let mut map = HeatMap::new(Policy::Newest, 3);
        for second in [5, 5, 6, 8, 9] {
            map.note(1_000, second);
        }
        assert_eq!((counts(&map), map.begins()), (vec![0, 1, 1], 7));
        map.advance(1_000_000);
        assert_eq!((counts(&map), map.begins()), (vec![0], 1_000_000));
    }

    #[test]
    fn a_whole_run_fits_by_wider_slots() {
        let mut map = HeatMap::new(Policy::Whole, 4);
        (0..9).for_each(|second| map.note(1_000, second));
        assert_eq!((counts(&map), map.width()), (vec![4, 4, 1], 4));
        map.advance(1_000_000);
        assert_eq!(counts(&map).iter().sum::<u64>(), 9, "nothing is lost");
        assert!(map.slots().len() <= 4);
    }

    #[test]
    fn quantiles_are_right_to_a_bucket() {
        let mut map = HeatMap::new(Policy::Newest, 4);
        for millis in 1..=100_u64 {
            map.note(millis * 1_000, 0);
        }
        let slot = map.slots().next().unwrap();
        for (quantile, expected) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0)] {
            let found = slot.quantile(quantile).unwrap();
            assert!((found / expected - 1.0_f64).abs() < 0.1, "{quantile}: {found}");
        }
        assert!((slot.max().unwrap() - 100.0).abs() < 0.01);
        assert_eq!(slot.bands(6).iter().sum::<u64>(), 100);
        let band = slot.bands(1);
        assert_eq!(band, [0, 9, 90, 1, 0, 0], "1 to 9 ms, 10 to 99 ms, 100 ms");
        assert!((band_edge(2, 1) - 10.0).abs() < 1e-9);
        assert_eq!(Slot::default().quantile(0.5), None);
    }
}
