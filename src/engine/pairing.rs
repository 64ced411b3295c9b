//! Document and entry side by side: what the mapping makes of the newest version seen, compared
//! with what the cache was seen to hold. Bounded: the least recently changed pairs are forgotten.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lru::LruCache;

use crate::sync::Digest;

use super::event::{EntryRow, EntryState, EntryValue};

/// How long a changed document may be on its way before its entry counts as stale or missing.
const GRACE: Duration = Duration::from_secs(2);

/// What the source says about a key.
#[derive(Debug, Clone)]
struct Wanted {
    /// `None` = the document is deleted, and its entry should be gone.
    digest: Option<Digest>,
    id: String,
    etag: String,
    seen: Instant,
    /// It was in the cache once.
    arrived: bool,
}

/// What the cache holds under a key.
#[derive(Debug, Clone)]
struct Held {
    digest: Digest,
    kind: String,
    size: u64,
    expires_at: Option<Timestamp>,
    shown: Arc<EntryValue>,
    changed_at: Timestamp,
    notified: Instant,
    scanned: bool,
}

#[derive(Debug, Clone, Default)]
struct Pair {
    wanted: Option<Wanted>,
    held: Option<Held>,
    told: Option<EntryState>,
    delay_ms: Option<f64>,
}

/// An entry as the cache observer saw it.
#[derive(Debug, Clone)]
pub(super) struct SeenEntry {
    pub(super) key: String,
    pub(super) value: Digest,
    pub(super) kind: String,
    pub(super) size: u64,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) shown: Arc<EntryValue>,
    pub(super) changed_at: Timestamp,
    pub(super) notified: Instant,
    pub(super) scanned: bool,
}

/// A version that has arrived in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) id: String,
    pub(super) etag: String,
    pub(super) at: Instant,
}

/// All pairs within the window.
#[derive(Debug)]
pub(super) struct Pairing {
    pairs: LruCache<String, Pair>,
    /// Every key of the window was looked for in the cache once.
    scanned: bool,
    /// The figures while no pair changes and none waits for the time to pass: a cache at rest is not walked.
    at_rest: Option<(u64, u64)>,
}

impl Pairing {
    /// Keeps at most `window` pairs.
    pub(super) fn new(window: usize) -> Self {
        let window = NonZeroUsize::new(window).unwrap_or(NonZeroUsize::MIN);
        Self { pairs: LruCache::new(window), scanned: false, at_rest: None }
    }

    /// A version of a document was seen in the feed; without a digest it is deleted. No row where
    /// there is nothing to show.
    pub(super) fn document(
        &mut self,
        key: &str,
        (id, etag): (String, String),
        digest: Option<Digest>,
        now: Instant,
    ) -> Option<(EntryRow, Option<Arrival>)> {
        self.at_rest = None;
        if digest.is_none() && self.pairs.peek(key).is_none_or(|pair| pair.held.is_none()) {
            self.pairs.pop(key);
            return None;
        }
        let pair = self.pairs.get_or_insert_mut(key.to_owned(), Pair::default);
        pair.wanted = Some(Wanted { digest, id, etag, seen: now, arrived: false });
        Some(pair.settle(key, now, self.scanned))
    }

    /// An entry was read from the cache.
    pub(super) fn entry(&mut self, seen: SeenEntry) -> (EntryRow, Option<Arrival>) {
        self.at_rest = None;
        let now = seen.notified;
        let pair = self.pairs.get_or_insert_mut(seen.key.clone(), Pair::default);
        pair.held = Some(Held {
            digest: seen.value,
            kind: seen.kind,
            size: seen.size,
            expires_at: seen.expires_at,
            shown: seen.shown,
            changed_at: seen.changed_at,
            notified: seen.notified,
            scanned: seen.scanned,
        });
        pair.settle(&seen.key, now, self.scanned)
    }

    /// A key is gone. Gives the row to show instead, where its document is known.
    pub(super) fn removed(&mut self, key: &str, now: Instant) -> Option<EntryRow> {
        self.at_rest = None;
        let scanned = self.scanned;
        let pair = self.pairs.get_mut(key)?;
        pair.held = None;
        if pair.wanted.as_ref().is_none_or(|wanted| wanted.digest.is_none()) {
            self.pairs.pop(key);
            return None;
        }
        Some(pair.settle(key, now, scanned).0)
    }

    /// The cache was emptied.
    pub(super) fn flushed(&mut self, now: Instant) -> Vec<EntryRow> {
        let keys: Vec<String> = self.pairs.iter().map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.removed(key, now)).collect()
    }

    /// Whether the cache was looked through once: before, absence means nothing.
    pub(super) fn set_scanned(&mut self, scanned: bool) {
        (self.scanned, self.at_rest) = (scanned, None);
    }

    /// Rows whose state has changed by the mere passing of time.
    pub(super) fn aged(&mut self, now: Instant) -> Vec<EntryRow> {
        if self.at_rest.is_some() {
            return Vec::new();
        }
        let scanned = self.scanned;
        self.pairs
            .iter_mut()
            .filter(|(_, pair)| pair.told == Some(EntryState::Pending))
            .filter_map(|(key, pair)| {
                let before = pair.told;
                let row = pair.settle(key, now, scanned).0;
                (pair.told != before).then_some(row)
            })
            .collect()
    }

    /// Pairs in step and pairs compared.
    pub(super) fn figures(&mut self) -> (u64, u64) {
        if let Some(figures) = self.at_rest {
            return figures;
        }
        let (mut in_step, mut compared, mut pending) = (0, 0, false);
        for (_, pair) in &self.pairs {
            let Some(state) = pair.told.filter(|state| *state != EntryState::Unknown) else { continue };
            compared += 1;
            in_step += u64::from(state == EntryState::InStep);
            pending |= state == EntryState::Pending;
        }
        self.at_rest = (!pending).then_some((in_step, compared));
        (in_step, compared)
    }
}

impl Pair {
    /// Decides the state anew and makes the row.
    fn settle(&mut self, key: &str, now: Instant, scanned: bool) -> (EntryRow, Option<Arrival>) {
        let state = match (&self.wanted, &self.held) {
            (Some(Wanted { digest: Some(digest), .. }), Some(held)) if digest.agrees(held.digest) => {
                EntryState::InStep
            }
            (Some(wanted), held) => {
                let young = now.saturating_duration_since(wanted.seen) < GRACE;
                match held {
                    _ if young => EntryState::Pending,
                    Some(_) if wanted.digest.is_none() => EntryState::Orphan,
                    Some(_) => EntryState::Stale,
                    None if scanned => EntryState::Missing,
                    None => EntryState::Pending,
                }
            }
            (None, _) => EntryState::Unknown,
        };
        let mut arrival = None;
        if let (EntryState::InStep, Some(wanted), Some(held)) = (state, &mut self.wanted, &self.held) {
            // The first time counts: a version that is written again later does not become late.
            if !std::mem::replace(&mut wanted.arrived, true) {
                arrival =
                    Some(Arrival { id: wanted.id.clone(), etag: wanted.etag.clone(), at: held.notified });
                // What was there before it was seen in the feed (or was found by SCAN) has no delay to tell.
                self.delay_ms = held
                    .notified
                    .checked_duration_since(wanted.seen)
                    .filter(|_| !held.scanned)
                    .map(|delay| delay.as_secs_f64() * 1e3);
            }
        } else {
            self.delay_ms = None;
        }
        self.told = Some(state);
        (self.row(key, state), arrival)
    }

    fn row(&self, key: &str, state: EntryState) -> EntryRow {
        let held = self.held.as_ref();
        EntryRow {
            key: key.to_owned(),
            document_id: self.wanted.as_ref().map(|wanted| wanted.id.clone()),
            kind: held.map_or_else(String::new, |held| held.kind.clone()),
            size: held.map(|held| held.size),
            expires_at: held.and_then(|held| held.expires_at),
            value: held.map(|held| Arc::clone(&held.shown)),
            state,
            delay_ms: self.delay_ms,
            changed_at: held.map_or_else(Timestamp::now, |held| held.changed_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Encoding;
    use crate::engine::decoded::decoded;

    fn seen(key: &str, value: &str, at: Instant) -> SeenEntry {
        SeenEntry {
            key: key.to_owned(),
            value: Digest::of(value.as_bytes()),
            kind: "string".to_owned(),
            size: value.len() as u64,
            expires_at: None,
            shown: Arc::new(decoded(Encoding::Text, value.as_bytes(), false, None)),
            changed_at: Timestamp::UNIX_EPOCH,
            notified: at,
            scanned: false,
        }
    }

    fn document(pairing: &mut Pairing, value: &str, at: Instant) -> EntryState {
        let digest = Some(Digest::of(value.as_bytes()));
        pairing.document("k", ("k".into(), "e".into()), digest, at).unwrap().0.state
    }

    #[test]
    fn the_entry_of_a_deleted_document_is_an_orphan_until_it_goes() {
        let mut pairing = Pairing::new(10);
        let start = Instant::now();
        let gone = |pairing: &mut Pairing| pairing.document("k", ("k".into(), "f".into()), None, start);
        assert!(gone(&mut pairing).is_none());
        pairing.entry(seen("k", "1", start));
        assert_eq!(gone(&mut pairing).unwrap().0.state, EntryState::Pending);
        assert_eq!(pairing.aged(start + GRACE)[0].state, EntryState::Orphan);
        assert!(pairing.removed("k", start + GRACE).is_none());
        assert_eq!(pairing.figures(), (0, 0));
    }

    #[test]
    fn a_change_is_pending_then_in_step() {
        let mut pairing = Pairing::new(10);
        let start = Instant::now();
        assert_eq!(document(&mut pairing, "1", start), EntryState::Pending);
        let (row, arrival) = pairing.entry(seen("k", "1", start + Duration::from_millis(3)));
        assert_eq!(row.state, EntryState::InStep);
        assert!((row.delay_ms.unwrap() - 3.0).abs() < 0.1);
        assert_eq!(arrival.unwrap().etag, "e");
    }

    #[test]
    fn a_version_that_is_written_again_does_not_become_late() {
        let mut pairing = Pairing::new(10);
        let start = Instant::now();
        document(&mut pairing, "1", start);
        pairing.entry(seen("k", "1", start + Duration::from_millis(3)));
        let (row, arrival) = pairing.entry(seen("k", "1", start + Duration::from_secs(60)));
        assert!(row.delay_ms.unwrap() < 4.0 && arrival.is_none());
    }

    #[test]
    fn an_entry_that_was_there_first_tells_no_delay() {
        let mut pairing = Pairing::new(10);
        let start = Instant::now();
        pairing.entry(seen("k", "1", start));
        let later = start + Duration::from_millis(5);
        let digest = Some(Digest::of(b"1"));
        let (row, arrival) = pairing.document("k", ("k".into(), "e".into()), digest, later).unwrap();
        assert_eq!((row.state, row.delay_ms), (EntryState::InStep, None));
        assert_eq!(arrival.unwrap().at, start);
    }

    #[test]
    fn an_old_difference_is_stale_and_an_old_absence_is_missing() {
        let mut pairing = Pairing::new(10);
        let start = Instant::now();
        pairing.entry(seen("k", "1", start));
        assert_eq!(document(&mut pairing, "2", start), EntryState::Pending);
        assert!(pairing.aged(start + Duration::from_secs(1)).is_empty());
        let aged = pairing.aged(start + GRACE);
        assert_eq!(aged[0].state, EntryState::Stale);
        pairing.set_scanned(true);
        let gone = pairing.removed("k", start + GRACE).unwrap();
        assert_eq!(gone.state, EntryState::Missing);
        assert_eq!(pairing.figures(), (0, 1));
    }

    #[test]
    fn figures_asked_for_again_and_again_follow_every_change() {
        let mut pairing = Pairing::new(10);
        let start = Instant::now();
        pairing.set_scanned(true);
        pairing.entry(seen("k", "1", start));
        assert_eq!([pairing.figures(), pairing.figures()], [(0, 0); 2], "its document is not known");
        document(&mut pairing, "1", start);
        assert_eq!([pairing.figures(), pairing.figures()], [(1, 1); 2]);
        document(&mut pairing, "2", start);
        assert_eq!([pairing.figures(), pairing.figures()], [(0, 1); 2]);
        assert_eq!(
            pairing.aged(start + GRACE).len(),
            1,
            "what is pending ages, however often it was counted"
        );
        assert_eq!(pairing.figures(), (0, 1));
        pairing.entry(seen("k", "2", start + GRACE));
        assert_eq!([pairing.figures(), pairing.figures()], [(1, 1); 2]);
        pairing.removed("k", start + GRACE);
        assert_eq!(pairing.figures(), (0, 1));
    }

    #[test]
    fn the_window_bounds_the_pairs() {
        let mut pairing = Pairing::new(2);
        for key in ["a", "b", "c"] {
            pairing.entry(seen(key, "1", Instant::now()));
        }
        assert_eq!(pairing.pairs.len(), 2);
    }
}
