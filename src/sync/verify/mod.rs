//! Verify and repair: every document of the source against its entry, every key of the mapping
//! against its document. Streams in bounded memory; what differs counts only after a second look,
//! so that traffic on its way raises no alarm.

mod finding;
mod leases;
mod look;
mod orphans;
mod pace;
mod pass;
mod reason;
mod repair;
mod seen;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::mpsc;

pub use finding::{Cause, Finding, FindingKind, Summary};
pub use leases::range_of;
pub(crate) use repair::as_in_feed;
pub use repair::{Repaired, Repairer};

use crate::beat::beat;
use crate::cache::{CacheClient, CacheError, ServerStatus};
use crate::cosmos::{Container, CosmosError};
use crate::lease::{LeasePrefix, LeaseStore};

use super::mapping::Mapping;
use look::Suspect;
use pace::Pace;
use seen::SeenKeys;

/// Suspects on their way to the second look; the pass waits when there is no room.
const SUSPECTS: usize = 1_000;
/// How often progress is told.
const TELL: Duration = Duration::from_millis(100);
/// The same at a bounded rate, whose pages come by the second.
const TELL_PACED: Duration = Duration::from_millis(500);

/// What is compared with what.
#[derive(Clone)]
pub struct Verifier {
    /// The source.
    pub source: Container,
    /// The cache.
    pub cache: CacheClient,
    /// What a document becomes.
    pub mapping: Arc<Mapping>,
    /// Where the processor keeps its positions, if anywhere: evidence for the reasons.
    pub leases: Option<(LeaseStore, LeasePrefix)>,
    /// A lease without heartbeat for so long has no live owner.
    pub expiration: Duration,
}

/// How to verify.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VerifyOptions {
    /// Compare about so many documents, spread over the source, instead of all.
    pub sample: Option<u64>,
    /// How long a version may be on its way before its absence counts; longer than the sync's lag.
    pub grace: Duration,
}

/// What a verification tells while it runs.
#[derive(Debug, Clone)]
pub enum VerifyNews {
    /// How far it is.
    Progress(Summary),
    /// A difference that has stood the second look.
    Found(Box<Finding>),
    /// Of a continuous verification: the source and the keys have been looked through once more.
    Passed,
}

/// Why a verification could not be brought to its end.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The source cannot be read.
    #[error("{}; {}", .0.cause(), .0.remedy())]
    Source(#[from] CosmosError),
    /// The cache cannot be read.
    #[error("{}; {}", .0.cause(), .0.remedy())]
    Cache(#[from] CacheError),
}

/// Running counts of one verification.
#[derive(Debug, Default)]
struct Tally {
    documents: AtomicU64,
    suspects: AtomicU64,
    settled: AtomicU64,
    unsettled: AtomicU64,
    unmapped: AtomicU64,
    keys: AtomicU64,
    undecided: AtomicU64,
    found: [AtomicU64; FindingKind::ALL.len()],
}

impl Tally {
    fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    fn summary(&self, total: Option<u64>, began: Instant) -> Summary {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let of = |kind: FindingKind| read(&self.found[kind as usize]);
        let documents = read(&self.documents);
        let open = read(&self.suspects).saturating_sub(read(&self.settled));
        Summary {
            documents,
            total,
            in_step: documents.saturating_sub(open + read(&self.unmapped)),
            missing: of(FindingKind::Missing),
            stale: of(FindingKind::Stale),
            wrong_ttl: of(FindingKind::WrongTtl),
            wrong_encoding: of(FindingKind::WrongEncoding),
            orphans: of(FindingKind::Orphan),
            unsettled: read(&self.unsettled),
            unmapped: read(&self.unmapped),
            keys: read(&self.keys),
            undecided: read(&self.undecided),
            elapsed: began.elapsed(),
        }
    }
}

/// One verification under way.
struct Run<'v> {
    with: &'v Verifier,
    options: VerifyOptions,
    tally: Tally,
    began: Instant,
    total: Option<u64>,
    /// Figures of the cache when it began: what was evicted or expired since is evidence.
    before: ServerStatus,
    news: mpsc::Sender<VerifyNews>,
    pace: Pace,
}

impl Verifier {
    /// Compares everything, telling findings and progress to `news` (it waits for room there).
    /// Ends early, and well, when nobody listens any more.
    ///
    /// # Errors
    /// Source or cache cannot be read; what was told before stands.
    pub async fn run(
        &self,
        options: VerifyOptions,
        news: mpsc::Sender<VerifyNews>,
    ) -> Result<Summary, VerifyError> {
        let run = self.begin(options, Pace::at_full_speed(), news).await?;
        let listener = run.news.clone();
        tokio::select! {
            done = run.go() => done,
            () = listener.closed() => Ok(run.summary()),
        }
    }

    /// Compares everything again and again, at most so many documents (and keys) in a second; counts
    /// go on from pass to pass. Ends when nobody listens any more.
    ///
    /// # Errors
    /// Source or cache cannot be read; what was told before stands.
    pub async fn watch(
        &self,
        per_second: u32,
        grace: Duration,
        news: mpsc::Sender<VerifyNews>,
    ) -> Result<(), VerifyError> {
        let options = VerifyOptions { sample: None, grace };
        let run = self.begin(options, Pace::of(per_second), news).await?;
        let listener = run.news.clone();
        tokio::select! {
            done = run.go_round() => done,
            () = listener.closed() => Ok(()),
        }
    }

    async fn begin(
        &self,
        options: VerifyOptions,
        pace: Pace,
        news: mpsc::Sender<VerifyNews>,
    ) -> Result<Run<'_>, VerifyError> {
        Ok(Run {
            with: self,
            options,
            tally: Tally::default(),
            began: Instant::now(),
            before: self.cache.status().await?,
            total: Some(self.source.count().await?),
            news,
            pace,
        })
    }
}

impl Run<'_> {
    async fn go(&self) -> Result<Summary, VerifyError> {
        let (suspects, to_look_at) = mpsc::channel(SUSPECTS);
        let working = async { tokio::try_join!(self.read_all(suspects), self.look_again(to_look_at)) };
        tokio::select! {
            done = working => done.map(|_| ())?,
            () = self.tell() => {}
        }
        Ok(self.summary())
    }

    async fn go_round(&self) -> Result<(), VerifyError> {
        let (suspects, to_look_at) = mpsc::channel(SUSPECTS);
        // Never ends but by an error.
        let reading = async {
            loop {
                self.read_all(suspects.clone()).await?;
                let _ = self.news.send(VerifyNews::Passed).await;
                // An empty source is no reason to spin.
                self.pace.rest(self.pace.page()).await;
            }
        };
        tokio::select! {
            failed = reading => failed,
            failed = self.look_again(to_look_at) => failed,
            () = self.tell() => Ok(()),
        }
    }

    async fn tell(&self) {
        let mut tick = beat(if self.pace.is_bounded() { TELL_PACED } else { TELL });
        loop {
            tick.tick().await;
            let _ = self.news.send(VerifyNews::Progress(self.summary())).await;
        }
    }

    /// Documents first, which tells the keys that must be there; then the keys.
    async fn read_all(&self, suspects: mpsc::Sender<Suspect>) -> Result<(), VerifyError> {
        let seen = SeenKeys::for_about(self.total.unwrap_or(0));
        self.read_documents(&suspects, &seen).await?;
        self.scan_keys(&suspects, &seen).await
    }

    fn summary(&self) -> Summary {
        self.tally.summary(self.total, self.began)
    }
}
