//! What the inserts of this session wrote, so that exactly that can be taken back. Bounded: the oldest
//! is forgotten, and counted.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use lru::LruCache;

use crate::cosmos::PartitionKey;
use crate::engine::event::Undoable;

/// Documents remembered.
const DOCUMENTS: usize = 50_000;
/// Bytes of earlier versions remembered.
const BYTES: usize = 64 << 20;

/// A document that an insert wrote.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) id: String,
    pub(super) key: PartitionKey,
    /// Of the version that we wrote last.
    pub(super) etag: String,
    /// The version that was there before; `None` = there was none.
    pub(super) before: Option<Bytes>,
}

impl Written {
    fn slot(&self) -> String {
        slot(&self.id, &self.key)
    }

    fn weight(&self) -> usize {
        self.before.as_ref().map_or(0, Bytes::len)
    }
}

fn slot(id: &str, key: &PartitionKey) -> String {
    format!("{id}\0{}", key.to_json())
}

/// Everything that can be taken back, oldest first.
#[derive(Debug)]
pub(super) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    written: LruCache<String, Written>,
    bytes: usize,
    replaced: u64,
    forgotten: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        // Room for one more than may stay, so that what is forgotten is counted in one place.
        let written = LruCache::new(NonZeroUsize::MIN.saturating_add(DOCUMENTS));
        let inner = Inner { written, bytes: 0, replaced: 0, forgotten: 0 };
        Self { inner: Mutex::new(inner) }
    }
}

impl Ledger {
    fn inner<T>(&self, with: impl FnOnce(&mut Inner) -> T) -> T {
        with(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether an earlier insert of this session wrote the document: then what was before is known.
    pub(super) fn knows(&self, id: &str, key: &PartitionKey) -> bool {
        self.inner(|inner| inner.written.contains(&slot(id, key)))
    }

    /// A document that is known was written again.
    pub(super) fn again(&self, id: &str, key: &PartitionKey, etag: &str) {
        self.inner(|inner| {
            if let Some(written) = inner.written.peek_mut(&slot(id, key)) {
                etag.clone_into(&mut written.etag);
            }
        });
    }

    /// A document was written for the first time.
    pub(super) fn add(&self, written: Written) {
        self.inner(|inner| {
            inner.put(written);
            while inner.written.len() > DOCUMENTS || inner.bytes > BYTES {
                let Some((_, oldest)) = inner.written.pop_lru() else { break };
                inner.forget(&oldest);
                inner.forgotten += 1;
            }
        });
    }

    /// Takes everything out, oldest first.
    pub(super) fn take(&self) -> Vec<Written> {
        self.inner(|inner| {
            let mut all = Vec::with_capacity(inner.written.len());
            while let Some((_, written)) = inner.written.pop_lru() {
                all.push(written);
            }
            (inner.bytes, inner.replaced) = (0, 0);
            all
        })
    }

    /// What could not be taken back now may be later.
    pub(super) fn give_back(&self, written: Written) {
        self.inner(|inner| {
            if !inner.written.contains(&written.slot()) {
                inner.put(written);
            }
        });
    }

    pub(super) fn figures(&self) -> Undoable {
        self.inner(|inner| Undoable {
            created: (inner.written.len() as u64).saturating_sub(inner.replaced),
            replaced: inner.replaced,
            forgotten: inner.forgotten,
        })
    }
}

impl Inner {
    fn put(&mut self, written: Written) {
        self.bytes += written.weight();
        self.replaced += u64::from(written.before.is_some());
        if let Some((_, old)) = self.written.push(written.slot(), written) {
            self.forget(&old);
        }
    }

    fn forget(&mut self, written: &Written) {
        self.bytes = self.bytes.saturating_sub(written.weight());
        self.replaced -= u64::from(written.before.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(id: &str, before: Option<usize>) -> Written {
        Written {
            id: id.to_owned(),
            key: PartitionKey::from_json(&format!("{id:?}")).unwrap(),
            etag: "1".to_owned(),
            before: before.map(|bytes| Bytes::from(vec![b'x'; bytes])),
        }
    }

    #[test]
    fn the_first_version_before_counts_and_the_last_etag() {
        let ledger = Ledger::default();
        let first = written("a", Some(9));
        assert!(!ledger.knows("a", &first.key));
        ledger.add(first.clone());
        ledger.again("a", &first.key, "7");
        ledger.add(written("b", None));
        assert_eq!(ledger.figures(), Undoable { created: 1, replaced: 1, forgotten: 0 });
        let all = ledger.take();
        assert_eq!((all[0].etag.as_str(), all[0].before.as_ref().map(Bytes::len)), ("7", Some(9)));
        assert_eq!(ledger.figures(), Undoable::default());
        ledger.give_back(all[0].clone());
        assert_eq!(ledger.figures(), Undoable { created: 0, replaced: 1, forgotten: 0 });
    }

    #[test]
    fn the_oldest_are_forgotten_and_counted() {
        let ledger = Ledger::default();
        for n in 0..DOCUMENTS + 3 {
            ledger.add(written(&n.to_string(), None));
        }
        assert_eq!(ledger.figures(), Undoable { created: DOCUMENTS as u64, replaced: 0, forgotten: 3 });
        ledger.add(written("large", Some(BYTES)));
        ledger.add(written("one more", Some(1)));
        let after = ledger.figures();
        assert!(after.replaced <= 1 && after.count() + after.forgotten == DOCUMENTS as u64 + 5, "{after:?}");
    }
}
