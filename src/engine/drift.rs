//! The continuous verification: samples in the background at a bounded rate and tells how much is
//! in step, over the last minute, five and ten.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::beat::beat;
use crate::sync::verify::{Finding, Summary, VerifyNews};
use crate::wording::counted;

use super::Shared;
use super::command::DriftWatch;
use super::event::{DriftStatus, DriftWindow, Event, Level};
use super::source::SourceReceiver;
use super::verify::verifier;

/// How often the state is told, and the grain of the windows.
const TICK: Duration = Duration::from_secs(1);
/// The times looked back over.
const WINDOWS: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(10 * 60)];
/// Ticks kept: the longest window.
const KEPT: usize = 601;
/// Findings shown.
const NEWEST: usize = 16;
/// Findings told in the log between two ticks; more are counted.
const LOGGED: usize = 3;
/// News on their way from the verification.
const NEWS: usize = 64;
/// Between two attempts while a server is away.
const AGAIN: Duration = Duration::from_secs(2);

/// Runs until cancelled.
pub(super) async fn run(
    shared: Arc<Shared>,
    source: SourceReceiver,
    mut wanted: watch::Receiver<Option<DriftWatch>>,
    cancel: CancellationToken,
) {
    loop {
        let how = *wanted.borrow_and_update();
        let work = async {
            match how {
                Some(how) => Box::pin(observe(&shared, &source, how)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return },
            () = work => {}
        }
        if wanted.borrow().is_none() && how.is_some() {
            let stopped = DriftStatus { windows: empty(), ..DriftStatus::default() };
            shared.report.state(Event::Drift(Box::new(stopped))).await;
        }
    }
}

fn empty() -> [DriftWindow; 3] {
    WINDOWS.map(|length| DriftWindow { length, ..DriftWindow::default() })
}

/// Never ends by itself: what is away is waited for.
async fn observe(shared: &Arc<Shared>, source: &SourceReceiver, how: DriftWatch) {
    let mut watch = Observation::new(how);
    loop {
        let problem = match verifier(shared, source.clone()).await {
            Err(problem) => problem,
            Ok(verifier) => {
                let grace = how.grace.unwrap_or_else(|| shared.grace());
                let (news, mut told) = mpsc::channel(NEWS);
                let comparing = verifier.watch(how.per_second, grace, news);
                tokio::pin!(comparing);
                watch.begin_again();
                let mut tick = beat(TICK);
                loop {
                    tokio::select! {
                        ended = &mut comparing => break match ended {
                            Ok(()) => "the comparison ended by itself; it is started again".to_owned(),
                            Err(error) => error.to_string(),
                        },
                        Some(news) = told.recv() => watch.hear(news),
                        _ = tick.tick() => watch.tell(shared).await,
                    }
                }
            }
        };
        watch.status.problem = Some(problem);
        watch.tell(shared).await;
        tokio::time::sleep(AGAIN).await;
    }
}

/// Counts since the observation began.
struct Observation {
    began: Instant,
    status: DriftStatus,
    /// Sums of the comparisons before the current one.
    before: (u64, u64),
    /// Documents at the start of the current pass.
    pass_from: u64,
    newest: Summary,
    history: History,
    unlogged: Vec<String>,
    uncounted: usize,
}

impl Observation {
    fn new(how: DriftWatch) -> Self {
        let status = DriftStatus {
            watching: true,
            per_second: how.per_second,
            windows: empty(),
            ..DriftStatus::default()
        };
        Self {
            began: Instant::now(),
            status,
            before: (0, 0),
            pass_from: 0,
            newest: Summary::default(),
            history: History::default(),
            unlogged: Vec::new(),
            uncounted: 0,
        }
    }

    /// A new comparison counts from zero.
    fn begin_again(&mut self) {
        self.before = (self.status.compared, self.status.wrong);
        self.newest = Summary::default();
        self.pass_from = 0;
        self.status.problem = None;
    }

    fn hear(&mut self, news: VerifyNews) {
        match news {
            VerifyNews::Progress(summary) => {
                self.status.compared = self.before.0 + summary.documents + summary.orphans;
                self.status.wrong = self.before.1 + summary.findings();
                self.newest = summary;
            }
            VerifyNews::Passed => {
                self.status.passes += 1;
                self.pass_from = self.newest.documents;
            }
            VerifyNews::Found(finding) => self.found(*finding),
        }
    }

    fn found(&mut self, finding: Finding) {
        if self.unlogged.len() < LOGGED {
            self.unlogged.push(format!(
                "{:?} is {}: {}; {}",
                finding.key,
                finding.kind.word(),
                finding.cause.words(),
                finding.evidence
            ));
        } else {
            self.uncounted += 1;
        }
        if self.status.newest.len() == NEWEST {
            self.status.newest.remove(0);
        }
        self.status.newest.push(finding);
    }

    async fn tell(&mut self, shared: &Shared) {
        for text in self.unlogged.drain(..) {
            shared.report.log(Level::Warning, "drift", text).await;
        }
        if self.uncounted > 0 {
            let text = format!("also wrong: {}", counted(std::mem::take(&mut self.uncounted), "more entry"));
            shared.report.log(Level::Warning, "drift", text).await;
        }
        let seen = self.newest.documents.saturating_sub(self.pass_from);
        self.status.pass_share =
            self.newest.total.filter(|total| *total > 0).map(|total| (seen as f64 / total as f64).min(1.0));
        let now = Instant::now();
        self.history.push(now, (self.status.compared, self.status.wrong));
        for window in &mut self.status.windows {
            let (compared, wrong) = self.history.within(now, window.length);
            *window = DriftWindow {
                compared,
                wrong: wrong.min(compared),
                full: now.duration_since(self.began) >= window.length,
                ..*window
            };
        }
        shared.report.state(Event::Drift(Box::new(self.status.clone()))).await;
    }
}

/// Sums by the second.
#[derive(Debug, Default)]
struct History(VecDeque<(Instant, (u64, u64))>);

impl History {
    fn push(&mut self, at: Instant, sums: (u64, u64)) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((at, sums));
    }

    /// How much was added within a time: compared, wrong.
    fn within(&self, now: Instant, length: Duration) -> (u64, u64) {
        let Some((_, last)) = self.0.back() else { return (0, 0) };
        // Sums from before the window; nothing, if it reaches back behind the beginning.
        let before = self.0.iter().rev().find(|(at, _)| now.duration_since(*at) >= length);
        let before = before.map_or((0, 0), |(_, sums)| *sums);
        (last.0 - before.0, last.1 - before.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_look_back_so_far_and_no_further() {
        let start = Instant::now();
        let mut history = History::default();
        for second in 0..=700_u64 {
            history.push(start + Duration::from_secs(second), (second * 10, second / 100));
        }
        let now = start + Duration::from_secs(700);
        assert_eq!(history.0.len(), KEPT);
        assert_eq!(WINDOWS.map(|length| history.within(now, length)), [(600, 1), (3_000, 3), (6_000, 6)]);
        assert_eq!(History::default().within(now, WINDOWS[0]), (0, 0));
    }

    #[test]
    fn a_young_observation_counts_from_its_beginning() {
        let start = Instant::now();
        let mut history = History::default();
        history.push(start, (0, 0));
        history.push(start + Duration::from_secs(5), (50, 2));
        assert_eq!(history.within(start + Duration::from_secs(5), WINDOWS[0]), (50, 2));
    }
}
