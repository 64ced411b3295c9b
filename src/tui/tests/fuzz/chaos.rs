//! Where the random messages come from.

use std::{collections::VecDeque, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::SignedDuration;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::SIZES;
use crate::{
    engine::{
        CacheStatus, Command, ConnectionState, EntryState, Event, FeedStatus, FollowMode, HeatMap, JobStatus,
        LatencySnapshot, LeaseSnapshot, Level, LogLine, ProbeTiming, RebuildPhase, RepairCounts, Server,
        SlowProbe, Stage, StageSummary, Summary, SyncPhase, SyncStatus, TargetFigures, TrafficStatus,
        Undoable, VerifyPhase, VerifyStatus,
    },
    tui::{
        Background,
        tests::{HOSTILE_IDS, fixture},
        update::{Effect, Msg},
    },
};

/// Makes messages; remembers what the screen asked, so that it can be answered.
pub(super) struct Chaos {
    pub(super) rng: StdRng,
    pub(super) asked: VecDeque<Command>,
    now: i64,
    seq: u64,
    /// Where the mouse is.
    pointer: (u16, u16),
    /// What all ids, keys and values begin with.
    pub(super) mark: Option<&'static str>,
}

impl Chaos {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            asked: VecDeque::new(),
            now: 0,
            seq: 0,
            pointer: (0, 0),
            mark: None,
        }
    }

    pub(super) fn msg(&mut self) -> Msg {
        match self.rng.random_range(0..100) {
            0..50 => Msg::Key(self.key()),
            50..84 => Msg::Engine(self.event()),
            84..90 => Msg::Mouse(self.mouse()),
            90..92 => {
                let (width, height) = match self.rng.random_range(0..3) {
                    0 => (self.rng.random_range(0..320), self.rng.random_range(0..90)),
                    _ => *SIZES.choose(&mut self.rng).unwrap(),
                };
                Msg::Resize(width, height)
            }
            92..94 => Msg::Paste(self.words()),
            94 => match self.asked.pop_front() {
                Some(command) => Msg::Refused(command),
                None => Msg::NoShell,
            },
            95 => match self.rng.random_range(0..8) {
                0 => Msg::TextEdited(Err(self.words())),
                1 => Msg::TextEdited(Ok(format!("{{\"id\":\"{}\"}}", self.words()))),
                2 => Msg::Tour { auto: self.rng.random() },
                3 => Msg::Background(Background::Light),
                _ => Msg::Notice(self.words()),
            },
            _ => {
                // Clocks are set back now and then.
                self.now += self.rng.random_range(-200..2_500);
                Msg::Tick(fixture::start() + SignedDuration::from_millis(self.now))
            }
        }
    }

    fn key(&mut self) -> KeyEvent {
        let code = match self.rng.random_range(0..10) {
            0..6 => KeyCode::Char(self.rng.random_range(' '..='~')),
            6 => KeyCode::Char(*['é', '価', '🛒', '\u{202E}', '\u{301}', 'ß'].choose(&mut self.rng).unwrap()),
            7 => *[KeyCode::Esc, KeyCode::Enter].choose(&mut self.rng).unwrap(),
            _ => *[
                KeyCode::Up,
                KeyCode::Down,
                KeyCode::Left,
                KeyCode::Right,
                KeyCode::PageUp,
                KeyCode::PageDown,
                KeyCode::Home,
                KeyCode::End,
                KeyCode::Tab,
                KeyCode::BackTab,
                KeyCode::Backspace,
                KeyCode::Delete,
                KeyCode::Insert,
                KeyCode::F(2),
                KeyCode::F(4),
                KeyCode::F(5),
            ]
            .choose(&mut self.rng)
            .unwrap(),
        };
        let modifiers = match self.rng.random_range(0..10) {
            0 => KeyModifiers::CONTROL,
            1 => KeyModifiers::ALT,
            2 => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        };
        KeyEvent::new(code, modifiers)
    }

    /// Clicks, double clicks and drags come where the pointer was, more often than anywhere else.
    fn mouse(&mut self) -> MouseEvent {
        let kind = *[
            MouseEventKind::Down(MouseButton::Left),
            MouseEventKind::Down(MouseButton::Left),
            MouseEventKind::Drag(MouseButton::Left),
            MouseEventKind::Drag(MouseButton::Left),
            MouseEventKind::Up(MouseButton::Left),
            MouseEventKind::Down(MouseButton::Right),
            MouseEventKind::Down(MouseButton::Middle),
            MouseEventKind::Drag(MouseButton::Right),
            MouseEventKind::ScrollUp,
            MouseEventKind::ScrollDown,
            MouseEventKind::ScrollLeft,
            MouseEventKind::ScrollRight,
            MouseEventKind::Moved,
        ]
        .choose(&mut self.rng)
        .unwrap();
        let (column, row) = self.pointer;
        self.pointer = match self.rng.random_range(0..50) {
            0 => (u16::MAX, u16::MAX),
            1..20 => (column, row),
            20..30 => (column.saturating_add(1), row),
            30..40 => (column, row.saturating_sub(1)),
            _ => (self.rng.random_range(0..320), self.rng.random_range(0..90)),
        };
        let modifiers = match self.rng.random_range(0..8) {
            0 => KeyModifiers::CONTROL,
            1 => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        };
        MouseEvent { kind, column: self.pointer.0, row: self.pointer.1, modifiers }
    }

    /// Id of a document, key of an entry, or a value.
    pub(super) fn id(&mut self) -> String {
        let plain = self.plain();
        match self.mark {
            Some(mark) => format!("{mark}{plain}"),
            None => plain,
        }
    }

    /// Several of them.
    pub(super) fn values(&mut self) -> String {
        let count = self.rng.random_range(0..8);
        (0..count).map(|_| self.id()).collect::<Vec<_>>().join(" ")
    }

    /// A name of something else: an owner, an address, a word.
    pub(super) fn plain(&mut self) -> String {
        match self.rng.random_range(0..6) {
            0 => (*HOSTILE_IDS.choose(&mut self.rng).unwrap()).to_owned(),
            _ => format!("p-{}", self.rng.random_range(0..60)),
        }
    }

    pub(super) fn words(&mut self) -> String {
        let count = self.rng.random_range(0..8);
        (0..count).map(|_| self.plain()).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn problem(&mut self) -> Option<String> {
        self.rng.random_bool(0.3).then(|| self.words())
    }

    /// A figure, sometimes one that only a broken source would tell.
    pub(super) fn figure(&mut self) -> f64 {
        match self.rng.random_range(0..12) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => -1.5,
            3 => 1e300,
            4 => 0.0,
            _ => self.rng.random_range(0.0..5_000.0),
        }
    }

    pub(super) fn count(&mut self) -> u64 {
        match self.rng.random_range(0..8) {
            0 => u64::MAX,
            1 => 0,
            _ => self.rng.random_range(0..2_000_000),
        }
    }

    pub(super) fn age(&mut self) -> i64 {
        self.rng.random_range(-5_000..100_000) - self.now
    }

    fn state(&mut self) -> EntryState {
        *[
            EntryState::InStep,
            EntryState::Pending,
            EntryState::Stale,
            EntryState::Missing,
            EntryState::Orphan,
            EntryState::Unknown,
        ]
        .choose(&mut self.rng)
        .unwrap()
    }

    pub(super) fn event(&mut self) -> Event {
        match self.rng.random_range(0..44) {
            0..11 => {
                let count = self.rng.random_range(0..6);
                Event::Changes((0..count).map(|_| self.change()).collect())
            }
            11..20 => {
                let count = self.rng.random_range(0..6);
                Event::Entries(
                    (0..count)
                        .map(|_| {
                            let (id, state, age) = (self.id(), self.state(), self.age());
                            fixture::entry(&id, state, age)
                        })
                        .collect(),
                )
            }
            20 => Event::EntriesRemoved((0..3).map(|_| format!("price:{}", self.id())).collect()),
            21 => Event::CacheFlushed,
            22 => self.connection(),
            23 => fixture::redis_down(),
            24..26 => Event::Leases(self.leases()),
            26 => Event::Feed(FeedStatus {
                live: self.rng.random(),
                seen: self.count(),
                skipped: self.count(),
                folded: self.count(),
                rate: self.figure(),
                ranges: self.rng.random_range(0..9),
                documents: Some(self.count()),
                read_at: self.rng.random_bool(0.5).then(|| fixture::before(self.age())),
                poll_interval: Duration::from_secs(5),
                problem: self.problem(),
            }),
            27 => Event::Cache(CacheStatus {
                keys: Some(self.count()),
                used_memory: Some(self.count()),
                follow: match self.rng.random_range(0..3) {
                    0 => FollowMode::Tracking,
                    1 => FollowMode::Polling { reason: self.words() },
                    _ => FollowMode::Unknown,
                },
                in_step: self.count(),
                compared: self.count(),
                beyond_window: self.count(),
                problem: self.problem(),
                ..CacheStatus::default()
            }),
            28 => Event::Latency(self.latency()),
            29 => Event::Sync(self.sync()),
            30 => Event::Traffic(TrafficStatus {
                target_rate: self.figure(),
                paused: self.rng.random(),
                written: self.count(),
                failed: self.count(),
                behind: self.count(),
                jobs: (0..self.rng.random_range(0..3)).map(|_| self.job()).collect(),
                last: self.rng.random_bool(0.3).then(|| self.job()),
                undoable: Undoable { created: self.count(), replaced: self.count(), forgotten: self.count() },
            }),
            31 => Event::Dropped(self.count()),
            32 => Event::Log(self.line()),
            33 => self.rebuild(),
            34 => Event::RebuildPlan(Box::new(fixture::plan())),
            35 => self.verify(),
            36 => Event::Finding(Box::new(self.found())),
            37..40 => self.told(),
            _ => self.answer(),
        }
    }

    fn line(&mut self) -> LogLine {
        let level = *[Level::Info, Level::Warning, Level::Error].choose(&mut self.rng).unwrap();
        let room = *["sync", "lease", "cache", "drift", "edit"].choose(&mut self.rng).unwrap();
        let of_documents = !matches!(room, "lease" | "cache") || level == Level::Error;
        let text = if of_documents { self.values() } else { self.words() };
        LogLine { at: fixture::before(self.age()), level, room, text }
    }

    fn change(&mut self) -> crate::engine::ChangeRow {
        self.seq += 1;
        let (id, age, delta) = (self.id(), self.age(), self.figure());
        let quarter = self.rng.random_range(0..4);
        let price = self.figure();
        fixture::change(self.seq, &id, price, self.rng.random_bool(0.7).then_some(delta), quarter, age)
    }

    fn connection(&mut self) -> Event {
        let server = if self.rng.random() { Server::Cosmos } else { Server::Redis };
        let address = self.plain();
        let state = match self.rng.random_range(0..3) {
            0 => ConnectionState::Connecting { address },
            1 => ConnectionState::Up { address, product: self.words() },
            _ => ConnectionState::Down {
                address,
                cause: self.words(),
                remedy: self.words(),
                retry_at: self.rng.random_bool(0.7).then(|| fixture::before(self.age())),
            },
        };
        Event::Connection(server, state)
    }

    fn leases(&mut self) -> LeaseSnapshot {
        let mut snapshot = fixture::leases();
        let rows = snapshot.rows.clone();
        snapshot.rows = (0..self.rng.random_range(0..70_usize))
            .map(|i| {
                let mut row = rows[i % rows.len()].clone();
                row.id = format!("lease-{}", self.rng.random_range(0..80));
                row.mine = self.rng.random();
                row.owner = self.rng.random_bool(0.7).then(|| self.plain());
                row.expired = self.rng.random();
                row.lag = self.rng.random_bool(0.8).then(|| self.count());
                row.share = self.rng.random_bool(0.8).then(|| (self.figure(), self.figure()));
                row
            })
            .collect();
        snapshot.rows.sort_by(|a, b| a.id.cmp(&b.id));
        snapshot.rows.dedup_by(|a, b| a.id == b.id);
        snapshot.problem = self.problem();
        snapshot
    }

    fn latency(&mut self) -> LatencySnapshot {
        let stages = Stage::ALL[..self.rng.random_range(0..=Stage::ALL.len())].to_vec();
        LatencySnapshot {
            stages: stages
                .into_iter()
                .map(|stage| StageSummary {
                    stage,
                    count: self.count(),
                    p50: self.figure(),
                    p95: self.figure(),
                    p99: self.figure(),
                    max: self.figure(),
                    recent: (0..self.rng.random_range(0..90))
                        .map(|_| self.rng.random_bool(0.8).then(|| self.figure()))
                        .collect(),
                })
                .collect(),
            slowest: (0..self.rng.random_range(0..11))
                .map(|_| SlowProbe {
                    id: self.id(),
                    at: fixture::before(self.age()),
                    whole: self.figure(),
                    waited: self.figure(),
                    timing: ProbeTiming { write: Some(self.figure()), ..ProbeTiming::default() },
                })
                .collect(),
            target: self.rng.random_bool(0.5).then(|| TargetFigures {
                millis: self.count(),
                share: 0.99,
                within: self.count(),
                of: self.count(),
            }),
            heat: HeatMap::default(),
            open: self.count(),
            folded: self.count(),
            lost: self.count(),
        }
    }

    fn job(&mut self) -> JobStatus {
        JobStatus {
            number: self.count(),
            label: self.words(),
            done: self.count(),
            failed: self.count(),
            total: self.rng.random_bool(0.5).then(|| self.count()),
            share: self.rng.random_bool(0.5).then(|| self.figure()),
            since: fixture::before(self.age()),
            stopped: self.rng.random(),
            problem: self.problem(),
        }
    }

    fn sync(&mut self) -> SyncStatus {
        let phases = [
            SyncPhase::Off,
            SyncPhase::Joining,
            SyncPhase::Running,
            SyncPhase::Paused,
            SyncPhase::Stopping,
            SyncPhase::Rebuilding,
        ];
        SyncStatus {
            phase: *phases.choose(&mut self.rng).unwrap(),
            owned: self.rng.random_range(0..9),
            leases: self.rng.random_range(0..9),
            rate: self.figure(),
            lag: Some(self.count()),
            set_aside: self.count(),
            instances: (0..self.rng.random_range(0..4)).map(|i| format!("syncscope-{i}")).collect(),
            problem: self.problem(),
            ..SyncStatus::default()
        }
    }

    fn rebuild(&mut self) -> Event {
        let phase = match self.rng.random_range(0..7) {
            0 => RebuildPhase::Stopping,
            1 => RebuildPhase::Deleting,
            2 => RebuildPhase::Flushing,
            3 => RebuildPhase::Verifying,
            4 => RebuildPhase::Done,
            5 => RebuildPhase::Failed { reason: self.words() },
            _ => RebuildPhase::Replaying,
        };
        let done = self.count();
        let Event::Rebuild(mut status) = fixture::rebuild(phase, done) else { unreachable!() };
        status.rate = self.figure();
        status.total = Some(self.count());
        Event::Rebuild(status)
    }

    fn verify(&mut self) -> Event {
        let phase = match self.rng.random_range(0..5) {
            0 => VerifyPhase::Comparing,
            1 => VerifyPhase::Done,
            2 => VerifyPhase::Repairing,
            3 => VerifyPhase::Repaired,
            _ => VerifyPhase::Failed { reason: self.words() },
        };
        let small = |rng: &mut StdRng| rng.random_range(0..1_000_000);
        Event::Verify(VerifyStatus {
            phase,
            sample: None,
            summary: Summary {
                documents: self.count(),
                total: Some(self.count()),
                in_step: self.count(),
                missing: small(&mut self.rng),
                stale: small(&mut self.rng),
                orphans: small(&mut self.rng),
                keys: self.count(),
                elapsed: Duration::from_millis(self.rng.random_range(0..u64::MAX)),
                ..Summary::default()
            },
            repair: RepairCounts { total: small(&mut self.rng), ..RepairCounts::default() },
        })
    }

    /// Remembers what was asked.
    pub(super) fn took(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Send(command) = effect {
                self.asked.push_back(command);
            }
        }
        self.asked.truncate(64);
    }
}
