//! The second look: a difference counts only if the very version that was read has had its time to
//! arrive (its lease has passed it, or the grace is over), and no newer one has come meanwhile.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;

use crate::cache::{Entry, ServerStatus};
use crate::cosmos::{Container, CosmosError, Document, EpkRange, FeedPosition, FeedScope, PartitionKey};
use crate::sync::compare::{Digest, compare};
use crate::sync::fields;
use crate::sync::own_keys::id_of;

use super::finding::Finding;
use super::leases::Positions;
use super::pass::most_of;
use super::reason::Case;
use super::{Run, Tally, VerifyError, VerifyNews};

/// Suspects that wait for their next look at once; the pass waits beyond that.
const WAITING: usize = 10_000;
/// Looks under way at once.
const CONCURRENCY: usize = 32;
/// Suspects of one round: they share one reading of the leases.
const ROUND: usize = 256;
/// Between two rounds.
const BEAT: Duration = Duration::from_millis(50);
/// The first look comes after this; each further one after twice the time before.
const FIRST: Duration = Duration::from_millis(100);
/// Longest time between two looks.
const LONGEST: Duration = Duration::from_secs(2);
/// A document that was another one at so many looks is too lively to wait for.
const LIVELY: u32 = 6;
/// An entry that stayed the same while its document changed so often does not follow.
const STUCK: u32 = 4;
/// No feed tells of a deletion, so an entry without document is not waited for long.
const ORPHAN_GRACE: Duration = Duration::from_secs(1);
/// Longest value read of an entry that has no document.
const ORPHAN_VALUE: usize = 1 << 20;

/// Something that differs, until its next look.
#[derive(Debug)]
pub(super) struct Suspect {
    what: What,
    /// The entry's key.
    key: String,
    /// When this version was seen first.
    since: Instant,
    due: Instant,
    pause: Duration,
    /// What the entry held at the look before.
    held: Option<Digest>,
    /// Versions of the document that came while it was looked at.
    moves: u32,
    /// Of them, those at which the entry had not changed.
    still: u32,
}

#[derive(Debug)]
enum What {
    Document { id: String, partition_key: PartitionKey, range: EpkRange, etag: String, lsn: Option<u64> },
    Orphan { id: Option<String> },
}

impl Suspect {
    pub(super) fn document(
        id: String,
        partition_key: PartitionKey,
        range: EpkRange,
        etag: String,
        lsn: Option<u64>,
        key: String,
    ) -> Self {
        Self::new(What::Document { id, partition_key, range, etag, lsn }, key)
    }

    pub(super) fn orphan(key: String, id: Option<String>) -> Self {
        Self::new(What::Orphan { id }, key)
    }

    fn new(what: What, key: String) -> Self {
        let now = Instant::now();
        Self { what, key, since: now, due: now + FIRST, pause: FIRST, held: None, moves: 0, still: 0 }
    }

    fn later(mut self) -> Self {
        self.pause = (self.pause * 2).min(LONGEST);
        self.due = Instant::now() + self.pause;
        self
    }
}

/// What a look brought.
enum Look {
    Settled,
    Unsettled,
    Unmapped,
    Undecided,
    Again(Box<Suspect>),
    Found(Box<Finding>),
}

/// What all looks of one round share; read before any document of the round.
pub(super) struct Scene {
    pub(super) positions: Positions,
    pub(super) status: ServerStatus,
}

impl Run<'_> {
    pub(super) async fn look_again(&self, mut suspects: mpsc::Receiver<Suspect>) -> Result<(), VerifyError> {
        let mut waiting: Vec<Suspect> = Vec::new();
        let mut open = true;
        let mut beat = tokio::time::interval(BEAT);
        while open || !waiting.is_empty() {
            tokio::select! {
                suspect = suspects.recv(), if open && waiting.len() < WAITING => match suspect {
                    Some(suspect) => { waiting.push(suspect); continue }
                    None => open = false,
                },
                _ = beat.tick(), if !waiting.is_empty() => {}
            }
            let now = Instant::now();
            let round: Vec<Suspect> =
                waiting.extract_if(.., |suspect| suspect.due <= now).take(ROUND).collect();
            if !round.is_empty() {
                waiting.extend(self.look_round(round).await?);
            }
        }
        Ok(())
    }

    async fn look_round(&self, round: Vec<Suspect>) -> Result<Vec<Suspect>, VerifyError> {
        let scene =
            Scene { positions: self.with.positions().await?, status: self.with.cache.status().await? };
        let looks: Vec<(bool, Look)> = futures::stream::iter(round)
            .map(|suspect| {
                let scene = &scene;
                async move {
                    let of_document = matches!(suspect.what, What::Document { .. });
                    Ok::<_, VerifyError>((of_document, self.look(suspect, scene).await?))
                }
                .boxed()
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut again = Vec::new();
        for (of_document, look) in looks {
            match look {
                Look::Settled if of_document => Tally::add(&self.tally.settled, 1),
                Look::Settled => {}
                Look::Unsettled => Tally::add(&self.tally.unsettled, 1),
                Look::Undecided => Tally::add(&self.tally.undecided, 1),
                Look::Unmapped => {
                    Tally::add(&self.tally.settled, 1);
                    Tally::add(&self.tally.unmapped, 1);
                }
                Look::Again(suspect) => {
                    if of_document && matches!(suspect.what, What::Orphan { .. }) {
                        Tally::add(&self.tally.settled, 1);
                    }
                    again.push(*suspect);
                }
                Look::Found(finding) => {
                    Tally::add(&self.tally.found[finding.kind as usize], 1);
                    let _ = self.news.send(VerifyNews::Found(finding)).await;
                }
            }
        }
        Ok(again)
    }

    async fn look(&self, suspect: Suspect, scene: &Scene) -> Result<Look, VerifyError> {
        match suspect.what {
            What::Document { .. } => self.look_at_document(suspect, scene).await,
            What::Orphan { .. } => self.look_at_orphan(suspect).await,
        }
    }

    async fn look_at_document(&self, mut suspect: Suspect, scene: &Scene) -> Result<Look, VerifyError> {
        let What::Document { id, partition_key, range, etag, lsn } = &mut suspect.what else {
            return Ok(Look::Settled);
        };
        let source = &self.with.source;
        let Some(document) = source.read(id, partition_key).await? else {
            // Deleted meanwhile: what is left of it may be an orphan now.
            return Ok(Look::Again(Box::new(Suspect::orphan(suspect.key, Some(id.clone())))));
        };
        let wanted = match self.with.mapping.entry_under(&document.body, &suspect.key) {
            Err(_) => return Ok(Look::Unmapped),
            Ok(Some(wanted)) if wanted.value.is_some() => wanted,
            // Its newer version is deleted, or goes by another key.
            Ok(_) => return Ok(Look::Again(Box::new(Suspect::orphan(suspect.key, Some(id.clone()))))),
        };
        let held = self.with.cache.entry(&wanted.key, most_of(wanted.expected().len())).await?;
        let Some(difference) = compare(&wanted, held.as_ref(), Timestamp::now()) else {
            return Ok(Look::Settled);
        };
        let found = etag_of(&document);
        let same = found == *etag;
        let at = document.lsn.or_else(|| lsn.filter(|_| same));
        let standing = scene.positions.of(range);
        let delivered = at.zip(standing.and_then(|standing| standing.lsn)).is_some_and(|(at, had)| at <= had);
        let overdue = same && suspect.since.elapsed() >= self.options.grace;
        let mut newest = found;
        if delivered || overdue {
            // Something newer may have arrived in the source, and in the cache, between the two reads.
            newest = source.read(id, partition_key).await?.map(|again| etag_of(&again)).unwrap_or_default();
        }
        let stuck = suspect.moves >= LIVELY && suspect.still >= STUCK;
        if stuck || ((delivered || overdue) && newest == etag_of(&document)) {
            // The version of the pass came from the feed; one that was met only by its id may not be there yet.
            let in_feed = suspect.moves == 0 || delivered || self.feed_brings(range, at).await?;
            let lease = standing;
            let case = Case { difference, wanted, held, document: &document.body, lsn: at, lease, in_feed };
            return Ok(Look::Found(Box::new(self.finding(case, id, partition_key, scene))));
        }
        if newest != *etag {
            let now_held = held.as_ref().map(|entry| Digest::of(&entry.value));
            suspect.moves += 1;
            if suspect.held == now_held {
                suspect.still += 1;
            } else {
                suspect.still = 0;
            }
            suspect.held = now_held;
            suspect.since = Instant::now();
            (*etag, *lsn) = (newest, at.filter(|_| same));
        }
        let lively = suspect.moves >= 2 * LIVELY || (suspect.moves >= LIVELY && suspect.still == 0);
        Ok(if lively { Look::Unsettled } else { Look::Again(Box::new(suspect.later())) })
    }

    /// Whether the feed of a range has anything from this LSN on.
    async fn feed_brings(&self, range: &EpkRange, lsn: Option<u64>) -> Result<bool, VerifyError> {
        let Some(before) = lsn.and_then(|lsn| lsn.checked_sub(1)) else { return Ok(true) };
        let (scope, from) =
            (FeedScope::Range(range.clone()), FeedPosition::Continuation(format!("\"{before}\"")));
        match self.with.source.feed_page(&scope, &from, Some(1)).await {
            Ok(page) => Ok(!page.is_empty()),
            // Split or merged meanwhile: nothing can be said.
            Err(CosmosError::Split(_) | CosmosError::Gone(_)) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    async fn look_at_orphan(&self, suspect: Suspect) -> Result<Look, VerifyError> {
        let What::Orphan { id } = &suspect.what else { return Ok(Look::Settled) };
        let Some(held) = self.with.cache.entry(&suspect.key, ORPHAN_VALUE).await? else {
            return Ok(Look::Settled);
        };
        let Some(id) = id.clone().or_else(|| id_of(&held.value)) else { return Ok(Look::Undecided) };
        let documents = documents_of(&self.with.source, &id, &held).await?;
        if documents.iter().any(|document| self.with.mapping.makes(document, &suspect.key)) {
            return Ok(Look::Settled);
        }
        // A document that no longer makes the key: the sync may still be about to hear of it.
        let grace =
            if documents.is_empty() { ORPHAN_GRACE.min(self.options.grace) } else { self.options.grace };
        if suspect.since.elapsed() < grace {
            return Ok(Look::Again(Box::new(suspect.later())));
        }
        Ok(Look::Found(Box::new(self.orphan(suspect.key, id, &held, &documents))))
    }
}

/// The document's own `_etag`: headers may quote it otherwise than the feed does.
fn etag_of(document: &Document) -> String {
    let own = fields::scalar(&document.body, &["_etag"]).ok().flatten();
    own.map_or_else(|| document.etag.clone(), std::borrow::Cow::into_owned)
}

/// Documents of this id: by point read where the partition key is known, else by query.
pub(super) async fn documents_of(
    source: &Container,
    id: &str,
    held: &Entry,
) -> Result<Vec<Bytes>, CosmosError> {
    use crate::cosmos::PartitionKeyPart;
    let paths = source.partition_key_paths();
    let key = if paths == ["/id"] { Some(PartitionKey::from(id)) } else { None };
    let key = key.or_else(|| {
        let key = PartitionKey::of_document(&held.value, paths).ok()?;
        (!key.parts().contains(&PartitionKeyPart::Undefined)).then_some(key)
    });
    if let Some(key) = &key {
        match source.read(id, key).await {
            Ok(Some(document)) => return Ok(vec![document.body]),
            // By its id alone it cannot be anywhere else.
            Ok(None) if paths == ["/id"] => return Ok(Vec::new()),
            // No id at all by Cosmos's rules: no document has it.
            Err(CosmosError::BadRequest(_)) => return Ok(Vec::new()),
            Ok(None) => {}
            Err(error) => return Err(error),
        }
    }
    source.query("SELECT * FROM c WHERE c.id = @id", &[("@id", json!(id))]).await
}
