//! The versions of documents as the feed brought them in this run: what "follow a document" shows,
//! and what price differences are made from. Bounded in documents and in versions of each.

use std::collections::{HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::event::{VersionSeen, Versions};

/// Documents remembered.
const DOCUMENTS: usize = 20_000;
/// Bytes of document texts kept, over all versions.
const BODIES: usize = 16 << 20;
/// Documents whose figures wait to be told; of more, the rows say what they said.
const NEWS: usize = 4_096;
/// Versions remembered of each.
const VERSIONS: usize = 20;
/// Own versions of a document that may be on their way at once; of more, the oldest counts as folded.
const ON_THEIR_WAY: usize = 64;
/// An own version that was written so long before somebody else's was delivered is not coming any more.
const SURELY_BEFORE: Duration = Duration::from_secs(1);

/// What is remembered of one document.
#[derive(Debug, Clone, Default)]
struct Past {
    versions: VecDeque<VersionSeen>,
    numbers: Vec<Option<f64>>,
    partition_key: Option<String>,
    folding: Folding,
}

/// Versions of a document: written by us, and delivered by the feed.
#[derive(Debug, Clone, Default)]
struct Folding {
    figures: Versions,
    /// Etags of own versions that the feed has not delivered yet, oldest first.
    on_their_way: VecDeque<(Box<str>, Instant)>,
}

impl Folding {
    fn written(&mut self, etag: &str, came_already: bool, now: Instant) -> u64 {
        self.figures.written += 1;
        if came_already {
            return self.fold(self.on_their_way.len());
        }
        self.on_their_way.push_back((etag.into(), now));
        let over = self.on_their_way.len().saturating_sub(ON_THEIR_WAY);
        self.fold(over)
    }

    /// A version was delivered: those of ours before it were folded into it.
    fn delivered(&mut self, etag: &str, now: Instant) -> u64 {
        self.figures.delivered += 1;
        let before = match self.on_their_way.iter().position(|(known, _)| &**known == etag) {
            Some(place) => place,
            None => self
                .on_their_way
                .iter()
                .take_while(|(_, at)| now.saturating_duration_since(*at) > SURELY_BEFORE)
                .count(),
        };
        let folded = self.fold(before);
        if self.on_their_way.front().is_some_and(|(known, _)| &**known == etag) {
            self.on_their_way.pop_front();
        }
        folded
    }

    fn fold(&mut self, count: usize) -> u64 {
        self.on_their_way.drain(..count);
        self.figures.folded += count as u64;
        count as u64
    }
}

/// Shared between the feed observer, which writes it, and whoever shows a document.
#[derive(Debug, Clone)]
pub(super) struct History {
    inner: Arc<Mutex<Inner>>,
    folded: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Inner {
    /// Documents whose figures changed after the feed had delivered them; told at the next look.
    news: HashSet<String>,
    documents: LruCache<String, Past>,
    /// Bodies that are kept, oldest first: id, `_etag`, bytes. Some may be gone with their document.
    bodies: VecDeque<(String, String, usize)>,
    bytes: usize,
}

impl Inner {
    /// Lets the oldest bodies go; their versions stay known without a text.
    fn bound_bodies(&mut self) {
        while self.bytes > BODIES {
            let Some((id, etag, bytes)) = self.bodies.pop_front() else { return };
            self.bytes -= bytes;
            if let Some(past) = self.documents.peek_mut(&id)
                && let Some(version) = past.versions.iter_mut().find(|version| version.etag == etag)
            {
                version.json = None;
            }
        }
    }
}

impl Default for History {
    fn default() -> Self {
        let cap = NonZeroUsize::new(DOCUMENTS).unwrap_or(NonZeroUsize::MIN);
        let inner =
            Inner { documents: LruCache::new(cap), bodies: VecDeque::new(), bytes: 0, news: HashSet::new() };
        Self { inner: Arc::new(Mutex::new(inner)), folded: Arc::default() }
    }
}

impl History {
    /// Adds a version; gives the numeric values of the version before, if one was seen.
    pub(super) fn add(
        &self,
        id: &str,
        partition_key: Option<&str>,
        version: VersionSeen,
        numbers: Vec<Option<f64>>,
    ) -> Option<Vec<Option<f64>>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(json) = &version.json {
            let bytes = json.len();
            inner.bodies.push_back((id.to_owned(), version.etag.clone(), bytes));
            inner.bytes += bytes;
            inner.bound_bodies();
        }
        let past = inner.documents.get_or_insert_mut(id.to_owned(), Past::default);
        let folded = past.folding.delivered(&version.etag, Instant::now());
        self.folded.fetch_add(folded, Ordering::Relaxed);
        if past.versions.len() == VERSIONS {
            past.versions.pop_back();
        }
        let known = !past.versions.is_empty();
        past.versions.push_front(version);
        past.partition_key = partition_key.map(str::to_owned);
        let before = std::mem::replace(&mut past.numbers, numbers);
        known.then_some(before)
    }

    /// We wrote this version of a document.
    pub(super) fn written(&self, id: &str, etag: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let past = inner.documents.get_or_insert_mut(id.to_owned(), Past::default);
        // The feed may be quicker than the answer to the write.
        let came_already = past.versions.iter().any(|version| version.etag == etag);
        let folded = past.folding.written(etag, came_already, Instant::now());
        self.folded.fetch_add(folded, Ordering::Relaxed);
        let changed = past.folding.figures.folded > 0;
        if changed && inner.news.len() < NEWS {
            inner.news.insert(id.to_owned());
        }
    }

    /// How many versions of a document were written and delivered.
    pub(super) fn figures(&self, id: &str) -> Versions {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.documents.peek(id).map(|past| past.folding.figures).unwrap_or_default()
    }

    /// Documents with folded versions of which more were written since they were told of last.
    pub(super) fn news(&self) -> Vec<(String, Versions)> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = std::mem::take(&mut inner.news);
        ids.into_iter()
            .filter_map(|id| {
                let figures = inner.documents.peek(&id)?.folding.figures;
                Some((id, figures))
            })
            .collect()
    }

    /// Own versions that the feed did not deliver because a later one came instead, of all documents.
    pub(super) fn folded(&self) -> u64 {
        self.folded.load(Ordering::Relaxed)
    }

    /// Versions of a document, newest first.
    pub(super) fn versions(&self, id: &str) -> Vec<VersionSeen> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.documents.get(id).map(|past| past.versions.iter().cloned().collect()).unwrap_or_default()
    }

    /// JSON text of a document's partition key value, if it was seen.
    pub(super) fn partition_key(&self, id: &str) -> Option<String> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.documents.get(id).and_then(|past| past.partition_key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(history: &History, etag: &str) -> bool {
        let version = VersionSeen {
            seen_at: jiff::Timestamp::UNIX_EPOCH,
            etag: etag.to_owned(),
            lsn: None,
            summary: String::new(),
            range: crate::cosmos::EpkRange::full(),
            json: None,
            timing: None,
        };
        history.add("a", None, version, Vec::new()).is_some()
    }

    fn figures(history: &History) -> (u64, u64, u64) {
        let Versions { written, delivered, folded } = history.figures("a");
        (written, delivered, folded)
    }

    #[test]
    fn versions_before_the_delivered_one_are_folded() {
        let history = History::default();
        (1..=50).for_each(|n| history.written("a", &n.to_string()));
        assert_eq!(figures(&history), (50, 0, 0));
        assert!(!deliver(&history, "20"), "the first that the feed brings");
        assert!(deliver(&history, "50"));
        assert_eq!(figures(&history), (50, 2, 48));
        assert_eq!(history.folded(), 48);
        assert!(history.news().is_empty(), "the row of the delivery has told it");
        deliver(&history, "50");
        assert_eq!(figures(&history), (50, 3, 48), "what is delivered twice folds nothing");
        deliver(&history, "quick");
        history.written("a", "quick");
        assert_eq!(figures(&history), (51, 4, 48), "delivered before its answer came");
        assert_eq!(history.news(), [("a".to_owned(), history.figures("a"))], "the row says 50 until then");
        assert!(history.news().is_empty());
        history.written("a", "51");
        deliver(&history, "of somebody else");
        assert_eq!(figures(&history), (52, 5, 48), "the own one may still come");
    }

    #[test]
    fn versions_that_nobody_delivers_are_bounded() {
        let history = History::default();
        (0..1_000).for_each(|n| history.written("a", &n.to_string()));
        assert_eq!(figures(&history), (1_000, 0, 1_000 - ON_THEIR_WAY as u64));
    }

    #[test]
    fn texts_are_kept_of_the_newest_versions_only() {
        let history = History::default();
        let text: Arc<str> = "x".repeat(BODIES / 4).into();
        for n in 0..7 {
            let version = VersionSeen {
                seen_at: jiff::Timestamp::UNIX_EPOCH,
                etag: n.to_string(),
                lsn: None,
                summary: String::new(),
                range: crate::cosmos::EpkRange::full(),
                json: Some(Arc::clone(&text)),
                timing: None,
            };
            history.add(if n % 2 == 0 { "even" } else { "odd" }, None, version, Vec::new());
        }
        let kept = |id| {
            let versions = history.versions(id);
            versions
                .iter()
                .filter(|version| version.json.is_some())
                .map(|v| v.etag.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!((kept("even"), kept("odd")), (vec!["6".into(), "4".into()], vec!["5".into(), "3".into()]));
        assert_eq!(history.versions("even").len(), 4, "the versions themselves stay known");
    }
}
