//! The feed observer: reads every range of the source with continuations of its own and never
//! touches a lease. Its reads double as the health check of the Cosmos connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::beat::beat;
use crate::config::StartPosition;
use crate::cosmos::{Container, CosmosError, EpkRange, FeedPage, FeedPosition, FeedScope, News};
use crate::engine::event::{ChangeRow, ConnectionState, Event, FeedStatus, Level, Server};
use crate::engine::rate::Rate;
use crate::engine::source::{Reconnect, Source, SourceReceiver, address, down};
use crate::engine::{Shared, rows::RowMaker};
use crate::sync::{is_marker, version};

use super::cache::Pairs;
use super::late::Late;

/// Pages read ahead of the rows being made: enough to overlap reading and making.
const PAGES: usize = 4;
/// Rows made of one page while catching up: the list shows no more at once anyway.
const ROWS_WHILE_CATCHING_UP: usize = 200;
/// Longest pause after errors.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Bytes of documents that go along with the rows of a page: a page waits in a bounded channel.
const PAGE_DOCUMENT_BYTES: usize = 512 << 10;
/// Shortest pause between two reads of a range that has nothing new.
const SHORTEST: Duration = Duration::from_millis(4);
/// Documents of a page; small enough that a page is shown soon, large enough to be quick.
const PAGE_ITEMS: u32 = 500;

/// A page with the range it came from.
struct Read {
    range: EpkRange,
    page: FeedPage,
    at: Instant,
}

/// What a range reader tells.
enum Message {
    Page(Box<Read>),
    Idle(EpkRange),
    Failed(CosmosError),
}

/// Where each range stands; survives reconnects and splits.
type Positions = Arc<Mutex<HashMap<String, (EpkRange, FeedPosition)>>>;

/// Runs until cancelled.
pub(in crate::engine) async fn run(
    shared: Arc<Shared>,
    mut source: SourceReceiver,
    reconnect: Reconnect,
    pairs: Pairs,
    cancel: CancellationToken,
) {
    let positions = Positions::default();
    let mut rows = RowMaker::new(Arc::clone(&shared));
    let mut rid = String::new();
    let mut late = Late::default();
    loop {
        let Some(found) = wait_for(&mut source, &cancel).await else { return };
        if rid != found.monitored.rid() {
            // Another container: continuations of the old one mean nothing.
            rid = found.monitored.rid().to_owned();
            positions.lock().await.clear();
            late = Late::default();
        }
        let ended = observe(&shared, &found, &positions, &mut rows, &pairs, &mut late, &cancel).await;
        match ended {
            Ended::Cancelled => return,
            Ended::RangesChanged => {}
            Ended::SourceGone => {
                reconnect.ask();
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = tokio::time::sleep(LONGEST_PAUSE) => {}
                }
            }
        }
    }
}

async fn wait_for(source: &mut SourceReceiver, cancel: &CancellationToken) -> Option<Source> {
    tokio::select! {
        () = cancel.cancelled() => None,
        found = source.wait_for(Option::is_some) => found.ok().and_then(|found| found.clone()),
    }
}

enum Ended {
    Cancelled,
    RangesChanged,
    SourceGone,
}

async fn observe(
    shared: &Arc<Shared>,
    source: &Source,
    positions: &Positions,
    rows: &mut RowMaker,
    pairs: &Pairs,
    late: &mut Late,
    cancel: &CancellationToken,
) -> Ended {
    let mut status = Status::new(shared);
    let ranges = loop {
        match source.monitored.feed_ranges(true).await {
            Ok(ranges) => break ranges,
            Err(error) if error.is_passing() => {
                if status.failed(&error, cancel).await.is_err() {
                    return Ended::Cancelled;
                }
            }
            Err(error) => {
                let _ = status.failed(&error, cancel).await;
                return Ended::SourceGone;
            }
        }
    };
    status.ranges = ranges.len();
    let (sender, mut pages) = mpsc::channel(PAGES);
    // Dropped at return: ends every reader.
    let mut readers = JoinSet::new();
    for range in ranges {
        let from = start_of(&range.range, positions, shared.start(shared.settings.view.feed_from)).await;
        positions.lock().await.insert(range.range.min.clone(), (range.range.clone(), from));
        let reader = Reader {
            container: source.monitored.clone(),
            range: range.range,
            positions: Arc::clone(positions),
            out: sender.clone(),
            longest_wait: shared.settings.sync.poll_interval,
        };
        readers.spawn(reader.run());
    }
    drop(sender);
    let mut tick = beat(Duration::from_millis(500));
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ended::Cancelled,
            _ = tick.tick() => status.tell().await,
            message = pages.recv() => match message {
                None => return Ended::RangesChanged,
                Some(Message::Page(read)) => {
                    status.recovered().await;
                    status.answered(&read.range);
                    status.page(&read.range);
                    let seen = status.seen;
                    handle(shared, rows, pairs, &mut status, *read).await;
                    let told = late.read(status.seen - seen, Instant::now());
                    tell_late(shared, told).await;
                }
                Some(Message::Idle(range)) => {
                    status.recovered().await;
                    status.answered(&range);
                    let told = late.at_end(&range, status.ranges, Instant::now());
                    status.idle(range).await;
                    tell_late(shared, told).await;
                }
                Some(Message::Failed(error)) => {
                    if is_range_gone(&error) {
                        shared.report.log(Level::Info, "feed", "a partition was split or merged: reading the new ranges").await;
                        return Ended::RangesChanged;
                    }
                    // A range that has never been read has no position to go on from.
                    let anchored = || async {
                        let positions = positions.lock().await;
                        !positions.values().any(|(_, position)| matches!(position, FeedPosition::Now))
                    };
                    if error.is_out_of_reach() && anchored().await {
                        late.failed(Instant::now());
                    }
                    if status.failed(&error, cancel).await.is_err() {
                        return Ended::Cancelled;
                    }
                    if !error.is_passing() {
                        return Ended::SourceGone;
                    }
                }
            }
        }
    }
}

/// How an outage ended.
async fn tell_late(shared: &Shared, told: Option<String>) {
    if let Some(text) = told {
        shared.report.log(Level::Info, "feed", text).await;
    }
}

/// The own continuation of this range, else that of the range it came from, else the start.
async fn start_of(range: &EpkRange, positions: &Positions, start: StartPosition) -> FeedPosition {
    let positions = positions.lock().await;
    let known = positions.values().find(|(old, _)| old == range || old.contains(range));
    match (known, start) {
        (Some((_, position)), _) => position.clone(),
        (None, StartPosition::Beginning) => FeedPosition::Beginning,
        (None, StartPosition::Now) => FeedPosition::Now,
        (None, StartPosition::At(time)) => FeedPosition::After(time),
    }
}

/// Reads one range for ever.
struct Reader {
    container: Container,
    range: EpkRange,
    positions: Positions,
    out: mpsc::Sender<Message>,
    longest_wait: Duration,
}

impl Reader {
    async fn run(self) {
        let scope = FeedScope::Range(self.range.clone());
        let mut changed = Instant::now();
        let mut failures = 0_u32;
        let mut news = self.container.news();
        loop {
            news.as_mut().map(News::forget);
            let from = {
                let positions = self.positions.lock().await;
                positions.get(&self.range.min).map_or(FeedPosition::Beginning, |(_, from)| from.clone())
            };
            let message = match self.container.feed_page(&scope, &from, Some(PAGE_ITEMS)).await {
                Ok(page) => {
                    failures = 0;
                    if let Some(etag) = &page.etag {
                        let next = FeedPosition::Continuation(etag.clone());
                        self.positions
                            .lock()
                            .await
                            .insert(self.range.min.clone(), (self.range.clone(), next));
                    }
                    if page.not_modified {
                        Message::Idle(self.range.clone())
                    } else {
                        changed = Instant::now();
                        Message::Page(Box::new(Read { range: self.range.clone(), page, at: changed }))
                    }
                }
                Err(error) => {
                    failures += 1;
                    Message::Failed(error)
                }
            };
            let (wait, idle) = match &message {
                Message::Page(_) => (Duration::ZERO, false),
                Message::Idle(_) => (idle_wait(changed.elapsed(), self.longest_wait), true),
                Message::Failed(_) => {
                    ((Duration::from_millis(100) * failures.min(20)).min(LONGEST_PAUSE), false)
                }
            };
            if self.out.send(message).await.is_err() {
                return;
            }
            match news.as_mut().filter(|_| idle) {
                None => tokio::time::sleep(wait).await,
                // As the processor does: told of a write, it reads.
                Some(news) => {
                    tokio::time::sleep(SHORTEST).await;
                    news.next_within(self.longest_wait).await;
                }
            }
        }
    }
}

async fn handle(shared: &Arc<Shared>, rows: &mut RowMaker, pairs: &Pairs, status: &mut Status, read: Read) {
    let documents: Vec<Bytes> = match read.page.documents() {
        // Markers of a rebuild are no changes.
        Ok(documents) => documents.into_iter().filter(|document| !is_marker(document)).collect(),
        Err(error) => {
            status.problem = Some(format!("a feed page could not be read: {error}"));
            return;
        }
    };
    if shared.latency.has_open() {
        for document in &documents {
            if let Some((id, etag)) = version(document) {
                shared.latency.seen_in_feed(&id, &etag, read.at);
            }
        }
    }
    let now = Timestamp::now();
    let live = status.live();
    let first_shown = if live { 0 } else { documents.len().saturating_sub(ROWS_WHILE_CATCHING_UP) };
    let count = documents.len() as u64;
    let mut made: Vec<ChangeRow> = Vec::with_capacity(documents.len() - first_shown);
    let mut paired: Vec<(Bytes, ChangeRow)> = Vec::new();
    let mut room = PAGE_DOCUMENT_BYTES;
    for (at, document) in documents.into_iter().enumerate() {
        let Some(mut row) = rows.row(&document, &read.range, now, live) else { continue };
        let json = row.json.take();
        if at >= first_shown {
            let json = json.filter(|json| json.len() <= room);
            room -= json.as_ref().map_or(0, |json| json.len());
            made.push(ChangeRow { json, ..row.clone() });
        }
        paired.push((document, row));
    }
    pairs.documents(paired, read.at).await;
    status.seen += count;
    status.skipped += first_shown as u64;
    let weight = made.len() as u64;
    shared.report.telemetry(Event::Changes(made), weight);
}

/// What the header and the pane's title say.
struct Status {
    shared: Arc<Shared>,
    ranges: usize,
    seen: u64,
    skipped: u64,
    idle: std::collections::HashSet<EpkRange>,
    /// When each range answered last: silence must not be read as calm.
    answers: HashMap<EpkRange, Timestamp>,
    rate: Rate,
    problem: Option<String>,
    down: bool,
    was_live: bool,
}

impl Status {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            ranges: 0,
            seen: 0,
            skipped: 0,
            idle: std::collections::HashSet::new(),
            answers: HashMap::new(),
            rate: Rate::default(),
            problem: None,
            down: false,
            was_live: false,
        }
    }

    fn live(&self) -> bool {
        self.was_live
    }

    fn answered(&mut self, range: &EpkRange) {
        self.answers.insert(range.clone(), Timestamp::now());
    }

    fn page(&mut self, range: &EpkRange) {
        if !self.was_live {
            self.idle.remove(range);
        }
    }

    /// Once every range has been idle the feed counts as live: pages after that are news.
    async fn idle(&mut self, range: EpkRange) {
        if self.was_live {
            return;
        }
        self.idle.insert(range);
        if self.idle.len() >= self.ranges {
            self.was_live = true;
            self.tell().await;
        }
    }

    async fn tell(&mut self) {
        let rate = self.rate.read(Instant::now(), self.seen);
        let status = FeedStatus {
            live: self.was_live,
            seen: self.seen,
            skipped: self.skipped,
            folded: self.shared.history.folded(),
            rate,
            ranges: self.ranges,
            documents: None,
            read_at: self.answers.values().min().copied(),
            poll_interval: self.shared.settings.sync.poll_interval,
            problem: self.problem.clone(),
        };
        self.shared.set_changes((self.was_live && self.problem.is_none()).then_some(self.seen));
        self.shared.report.state(Event::Feed(status)).await;
        let news = self.shared.history.news();
        if !news.is_empty() {
            let weight = news.len() as u64;
            self.shared.report.telemetry(Event::Versions(news), weight);
        }
    }

    /// Notes a failure; waits nothing itself. `Err` when cancelled meanwhile.
    async fn failed(&mut self, error: &CosmosError, cancel: &CancellationToken) -> Result<(), ()> {
        if cancel.is_cancelled() {
            return Err(());
        }
        let retry = Duration::from_millis(500);
        self.problem = Some(error.with_remedy());
        if error.is_out_of_reach() {
            self.down = true;
            let state = down(&address(&self.shared.settings), error, Some(retry));
            self.shared.report.connection(Server::Cosmos, state).await;
        }
        self.tell().await;
        tokio::select! {
            () = cancel.cancelled() => Err(()),
            () = tokio::time::sleep(retry) => Ok(()),
        }
    }

    async fn recovered(&mut self) {
        if self.problem.take().is_none() {
            return;
        }
        if std::mem::take(&mut self.down) {
            let address = address(&self.shared.settings);
            let product = self.shared.product();
            self.shared.report.connection(Server::Cosmos, ConnectionState::Up { address, product }).await;
        }
        self.tell().await;
    }
}

/// The physical ranges are other ones now.
fn is_range_gone(error: &CosmosError) -> bool {
    matches!(error, CosmosError::Gone(_) | CosmosError::Split(_))
}

/// As the processor does: a sixteenth of the silence so far, so that a range that changes often is
/// read often, and a quiet one costs little.
fn idle_wait(silence: Duration, longest: Duration) -> Duration {
    (silence / 16).clamp(SHORTEST, longest.max(SHORTEST))
}
