//! The pass over the source: every range from its beginning, page by page, each page against the
//! cache while the next one is read. Ends although traffic goes on.

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::cosmos::{CosmosError, EpkRange, FeedPage, FeedPosition, FeedScope, PartitionKey};
use crate::sync::compare::compare;
use crate::sync::fields;
use crate::sync::mapping::MappedEntry;
use crate::sync::marker::is_marker;

use super::look::Suspect;
use super::seen::SeenKeys;
use super::{Run, Tally, VerifyError};

/// Ranges read at once.
const RANGES: usize = 4;
/// Most entries read in one pipeline …
const BATCH: usize = 500;
/// … and about so many bytes of them, so that pages of large documents stay small here too.
const BATCH_BYTES: usize = 2 << 20;

/// How much of a value is read: more than any form of the wanted value should need.
pub(super) fn most_of(wanted: usize) -> usize {
    wanted * 2 + 4_096
}

/// A document and what should be in the cache for it.
struct Check {
    document: Bytes,
    wanted: MappedEntry,
}

impl Run<'_> {
    pub(super) async fn read_documents(
        &self,
        suspects: &mpsc::Sender<Suspect>,
        seen: &SeenKeys,
    ) -> Result<(), VerifyError> {
        let ranges = self.with.source.feed_ranges(true).await?;
        futures::stream::iter(ranges)
            .map(|range| self.read_range(range.range, suspects, seen).boxed())
            .buffer_unordered(RANGES)
            .try_collect::<()>()
            .await
    }

    /// One range, and what it is split into meanwhile.
    async fn read_range(
        &self,
        range: EpkRange,
        suspects: &mpsc::Sender<Suspect>,
        seen: &SeenKeys,
    ) -> Result<(), VerifyError> {
        let mut open = vec![(range, FeedPosition::Beginning)];
        while let Some((range, from)) = open.pop() {
            if let Some((children, from)) = self.read_to_end(&range, from, suspects, seen).await? {
                open.extend(children.into_iter().map(|child| (child, from.clone())));
            }
        }
        Ok(())
    }

    /// Reads until nothing is new, or until what came while reading was read once: `Some` when the
    /// range was split, with the position to go on from in its children.
    async fn read_to_end(
        &self,
        range: &EpkRange,
        mut from: FeedPosition,
        suspects: &mpsc::Sender<Suspect>,
        seen: &SeenKeys,
    ) -> Result<Option<(Vec<EpkRange>, FeedPosition)>, VerifyError> {
        let scope = FeedScope::Range(range.clone());
        let source = &self.with.source;
        let mut ends = Ends::default();
        let most = Some(u32::try_from(self.pace.page()).unwrap_or(u32::MAX));
        let mut page = match source.feed_page(&scope, &from, most).await {
            Err(CosmosError::Split(children)) => {
                return Ok(Some((children.into_iter().map(|child| child.range).collect(), from)));
            }
            page => page?,
        };
        loop {
            if let Some(etag) = &page.etag {
                from = FeedPosition::Continuation(etag.clone());
            }
            if page.not_modified {
                return Ok(None);
            }
            let enough = ends.reached(&page);
            let (checked, next) = tokio::join!(self.check_page(&page, range, suspects, seen), async {
                if enough { None } else { Some(source.feed_page(&scope, &from, most).await) }
            });
            checked?;
            self.pace.rest(page.len()).await;
            page = match next {
                None => return Ok(None),
                Some(Err(CosmosError::Split(children))) => {
                    return Ok(Some((children.into_iter().map(|child| child.range).collect(), from)));
                }
                Some(next) => next?,
            };
        }
    }

    async fn check_page(
        &self,
        page: &FeedPage,
        range: &EpkRange,
        suspects: &mpsc::Sender<Suspect>,
        seen: &SeenKeys,
    ) -> Result<(), VerifyError> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for document in page.documents()? {
            if is_marker(&document) || !self.is_in_sample(&document) {
                continue;
            }
            Tally::add(&self.tally.documents, 1);
            match self.with.mapping.entries(&document) {
                Ok(entries) => {
                    // A deleted document should have no entry: the scan of the keys finds what it has.
                    for wanted in entries.into_iter().filter(|entry| entry.value.is_some()) {
                        seen.add(&wanted.key);
                        bytes += wanted.expected().len();
                        batch.push(Check { document: document.clone(), wanted });
                    }
                }
                Err(error) => {
                    tracing::debug!("a document makes no entry: {error}");
                    Tally::add(&self.tally.unmapped, 1);
                }
            }
            if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                self.check(std::mem::take(&mut batch), range, suspects).await?;
                bytes = 0;
            }
        }
        self.check(batch, range, suspects).await
    }

    /// Spread evenly, and the same documents at every run.
    fn is_in_sample(&self, document: &Bytes) -> bool {
        let (Some(sample), Some(total)) = (self.options.sample, self.total) else { return true };
        if sample >= total {
            return true;
        }
        let id = fields::scalar(document, &["id"]).ok().flatten().unwrap_or_default();
        // Some more than asked for would be a surprise: of equal chances, the first ones are taken.
        crate::sync::compare::hash(id.as_bytes()) % total < sample + sample / 8 + 8
            && self.tally.documents.load(std::sync::atomic::Ordering::Relaxed) < sample
    }

    async fn check(
        &self,
        batch: Vec<Check>,
        range: &EpkRange,
        suspects: &mpsc::Sender<Suspect>,
    ) -> Result<(), VerifyError> {
        let keys: Vec<String> = batch.iter().map(|check| check.wanted.key.clone()).collect();
        let longest = batch.iter().map(|check| check.wanted.expected().len()).max().unwrap_or(0);
        let entries = self.with.cache.entries(&keys, most_of(longest)).await?;
        let now = Timestamp::now();
        for (check, held) in batch.into_iter().zip(entries) {
            if compare(&check.wanted, held.as_ref(), now).is_none() {
                continue;
            }
            Tally::add(&self.tally.suspects, 1);
            let text = |name| {
                let found = fields::scalar(&check.document, &[name]).ok().flatten();
                found.map(std::borrow::Cow::into_owned)
            };
            let paths = self.with.source.partition_key_paths();
            let suspect = Suspect::document(
                text("id").unwrap_or_default(),
                PartitionKey::of_document(&check.document, paths)?,
                range.clone(),
                text("_etag").unwrap_or_default(),
                text("_lsn").and_then(|lsn| lsn.parse().ok()),
                check.wanted.key,
            );
            // Nobody looks any more: the run is ending.
            let _ = suspects.send(suspect).await;
        }
        Ok(())
    }
}

/// When a range that never falls silent has been read: everything up to where it stood at the
/// first page, and then once more up to where it stood by then (documents that moved to the end).
#[derive(Debug, Default)]
struct Ends {
    first: Option<u64>,
    second: Option<u64>,
}

impl Ends {
    fn reached(&mut self, page: &FeedPage) -> bool {
        let Some(stands) = page.session_lsn else { return false };
        let last = page.etag.as_deref().and_then(|etag| etag.trim_matches('"').parse::<u64>().ok());
        let first = *self.first.get_or_insert(stands);
        let Some(last) = last else { return false };
        if let Some(second) = self.second {
            return last >= second;
        }
        if last >= first {
            self.second = Some(stands);
        }
        self.second.is_some_and(|second| last >= second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(last: u64, stands: u64) -> FeedPage {
        let mut page = FeedPage::nothing_new(Some(format!("\"{last}\"")));
        page.session_lsn = Some(stands);
        page
    }

    #[test]
    fn a_range_under_traffic_ends() {
        let mut ends = Ends::default();
        assert!(!ends.reached(&page(100, 250)));
        assert!(!ends.reached(&page(200, 300)));
        assert!(!ends.reached(&page(260, 350)), "what moved while reading is still to be read");
        assert!(!ends.reached(&page(340, 420)));
        assert!(ends.reached(&page(350, 450)));
        assert!(Ends::default().reached(&page(7, 7)), "silent: the first page is all");
        assert!(!Ends::default().reached(&FeedPage::nothing_new(None)), "without LSNs only the end counts");
    }
}
