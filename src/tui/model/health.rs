//! How each connection and each task is doing: state, since when, the last trouble and what helps.
//! Made of what the panes know already; only times and the last troubles are remembered here.

use jiff::Timestamp;

use super::Model;
use crate::{
    engine::{ConnectionState, FollowMode, Server, SyncPhase, VerifyPhase},
    tui::widgets::text,
};

/// Something that can fail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Cosmos,
    Redis,
    Feed,
    Leases,
    Cache,
    Sync,
    Verify,
    Writes,
}

impl Part {
    pub(crate) const ALL: [Self; 8] = [
        Self::Cosmos,
        Self::Redis,
        Self::Feed,
        Self::Leases,
        Self::Cache,
        Self::Sync,
        Self::Verify,
        Self::Writes,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cosmos => "cosmos",
            Self::Redis => "redis",
            Self::Feed => "feed observer",
            Self::Leases => "lease observer",
            Self::Cache => "cache observer",
            Self::Sync => "built-in sync",
            Self::Verify => "verify",
            Self::Writes => "writes",
        }
    }
}

/// How it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Waiting,
    Bad,
    /// Not asked for.
    Off,
}

/// What is remembered of a part.
#[derive(Debug, Clone, Default)]
struct Memory {
    state: Option<(Standing, &'static str)>,
    since: Option<Timestamp>,
    /// Times that it went from good to something else.
    losses: u64,
    trouble: Option<(Timestamp, String)>,
}

/// Times and troubles of all parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    parts: [Memory; 8],
}

impl Health {
    /// Since when a part has been in its state.
    pub(crate) fn since(&self, part: Part) -> Option<Timestamp> {
        self.parts[part as usize].since
    }

    /// Times that a part was lost in this run.
    pub(crate) fn losses(&self, part: Part) -> u64 {
        self.parts[part as usize].losses
    }

    /// The last trouble of a part, and when it began.
    pub(crate) fn trouble(&self, part: Part) -> Option<(Timestamp, &str)> {
        self.parts[part as usize].trouble.as_ref().map(|(at, words)| (*at, words.as_str()))
    }
}

impl Model {
    /// Remembers since when each part is as it is. Called after each event that is not rows.
    pub(crate) fn note_health(&mut self) {
        for part in Part::ALL {
            let state = self.standing(part);
            let cause = self.cause(part).map(|(cause, _)| cause);
            let now = self.now;
            let memory = &mut self.health.parts[part as usize];
            if memory.state != Some(state) {
                let was_good = memory.state.is_some_and(|(standing, _)| standing == Standing::Good);
                memory.losses += u64::from(was_good && state.0 == Standing::Bad);
                memory.state = Some(state);
                memory.since = Some(now);
            }
            if let Some(cause) = cause
                && memory.trouble.as_ref().is_none_or(|(_, before)| *before != cause)
            {
                memory.trouble = Some((now, cause));
            }
        }
    }

    /// State of a part, and in one word.
    pub(crate) fn standing(&self, part: Part) -> (Standing, &'static str) {
        use Standing::{Bad, Good, Off, Waiting};
        let up = |server| matches!(self.connection(server), Some(ConnectionState::Up { .. }));
        let connection = |server| match self.connection(server) {
            None => (Waiting, "not tried yet"),
            Some(ConnectionState::Connecting { .. }) => (Waiting, "connecting"),
            Some(ConnectionState::Up { .. }) => (Good, "up"),
            Some(ConnectionState::Down { retry_at: Some(_), .. }) => (Bad, "down"),
            Some(ConnectionState::Down { retry_at: None, .. }) => (Bad, "refused"),
        };
        match part {
            Part::Cosmos => connection(Server::Cosmos),
            Part::Redis => connection(Server::Redis),
            Part::Feed | Part::Leases if !up(Server::Cosmos) => (Waiting, "waits for cosmos"),
            Part::Feed if self.feed.status.problem.is_some() => (Bad, "cannot read"),
            Part::Feed if self.feed.status.live => (Good, "live"),
            Part::Feed => (Waiting, "catching up"),
            Part::Leases if self.leases.snapshot.problem.is_some() => (Bad, "nothing to read"),
            Part::Leases if self.leases.known => (Good, "live"),
            Part::Leases => (Waiting, "reading"),
            Part::Cache if !up(Server::Redis) => (Waiting, "waits for redis"),
            Part::Cache if self.cache.status.problem.is_some() => (Bad, "cannot read"),
            Part::Cache => match self.cache.status.follow {
                FollowMode::Unknown => (Waiting, "joining"),
                FollowMode::Tracking => (Good, "tracking"),
                FollowMode::Notifications => (Good, "notifications"),
                FollowMode::Polling { .. } => (Waiting, "polling only"),
            },
            Part::Sync if self.sync.problem.is_some() => (Bad, "hindered"),
            Part::Sync => match self.sync.phase {
                SyncPhase::Off => (Off, "off"),
                SyncPhase::Joining => (Waiting, "joining"),
                SyncPhase::Running => (Good, "running"),
                SyncPhase::Paused => (Waiting, "paused"),
                SyncPhase::Stopping => (Waiting, "stopping"),
                SyncPhase::Rebuilding => (Waiting, "rebuilding"),
            },
            Part::Verify => match self.verification.status.as_ref().map(|status| &status.phase) {
                None => (Off, "not asked for"),
                Some(VerifyPhase::Comparing) => (Waiting, "comparing"),
                Some(VerifyPhase::Repairing) => (Waiting, "repairing"),
                Some(VerifyPhase::Failed { .. }) => (Bad, "failed"),
                Some(VerifyPhase::Done) if self.verification.repairable() => (Bad, "drift found"),
                Some(VerifyPhase::Done | VerifyPhase::Repaired) => (Good, "in step"),
            },
            Part::Writes if self.traffic.failed > 0 => (Bad, "some failed"),
            Part::Writes if self.traffic.paused => (Waiting, "held"),
            Part::Writes if self.traffic.target_rate > 0.0 => (Good, "traffic"),
            Part::Writes => (Off, "none now"),
        }
    }

    /// What is wrong with a part now, and what to do about it.
    pub(crate) fn cause(&self, part: Part) -> Option<(String, Option<String>)> {
        let down = |server| match self.connection(server) {
            Some(ConnectionState::Down { cause, remedy, .. }) => Some((cause.clone(), Some(remedy.clone()))),
            _ => None,
        };
        let said = |problem: &Option<String>| problem.clone().map(|problem| (problem, None));
        match part {
            Part::Cosmos => down(Server::Cosmos),
            Part::Redis => down(Server::Redis),
            Part::Feed => said(&self.feed.status.problem),
            Part::Leases => said(&self.leases.snapshot.problem),
            Part::Cache => match &self.cache.status.follow {
                FollowMode::Polling { reason } => Some((format!("changes show late: {reason}"), None)),
                _ => said(&self.cache.status.problem),
            },
            Part::Sync => said(&self.sync.problem),
            Part::Verify => match self.verification.status.as_ref().map(|status| &status.phase) {
                Some(VerifyPhase::Failed { reason }) => Some((reason.clone(), None)),
                _ => None,
            },
            Part::Writes => (self.traffic.failed > 0).then(|| {
                (format!("refused or failed: {}", text::counted(self.traffic.failed, "write")), None)
            }),
        }
    }

    /// When a lost connection is tried again.
    pub(crate) fn retry_at(&self, part: Part) -> Option<Timestamp> {
        let server = match part {
            Part::Cosmos => Server::Cosmos,
            Part::Redis => Server::Redis,
            _ => return None,
        };
        match self.connection(server) {
            Some(ConnectionState::Down { retry_at, .. }) => *retry_at,
            _ => None,
        }
    }

    /// What a part counted in this run.
    pub(crate) fn counters(&self, part: Part) -> String {
        let count = text::count;
        match part {
            Part::Cosmos | Part::Redis => {
                let server = if part == Part::Cosmos { Server::Cosmos } else { Server::Redis };
                match self.connection(server) {
                    Some(ConnectionState::Up { address, product }) => format!("{product} at {address}"),
                    Some(ConnectionState::Connecting { address } | ConnectionState::Down { address, .. }) => {
                        address.clone()
                    }
                    None => String::new(),
                }
            }
            Part::Feed => {
                let status = &self.feed.status;
                format!(
                    "{} · {} · {} not shown",
                    text::counted(status.seen, "change"),
                    text::counted(status.ranges, "range"),
                    count(status.skipped.saturating_add(self.dropped))
                )
            }
            Part::Leases => {
                let snapshot = &self.leases.snapshot;
                let read = snapshot.read_at.map_or("never".to_owned(), |at| {
                    format!("{} ago", text::span(text::seconds_between(at, self.now)))
                });
                format!("{} · read {read}", text::counted(snapshot.rows.len(), "lease"))
            }
            Part::Cache => {
                let status = &self.cache.status;
                format!(
                    "{} · {} compared · {} beyond the window",
                    status.keys.map_or("? keys".to_owned(), |keys| text::counted(keys, "key")),
                    count(status.compared),
                    count(status.beyond_window)
                )
            }
            Part::Sync => {
                let reconnects = match self.sync.reconnects {
                    0 => String::new(),
                    times => format!(" · {} to redis", text::counted(times, "reconnect")),
                };
                format!(
                    "{} delivered · {} of {} · {} set aside{reconnects}",
                    count(self.sync.delivered),
                    self.sync.owned,
                    text::counted(self.sync.leases, "lease"),
                    count(self.sync.set_aside)
                )
            }
            Part::Verify => self.verification.status.as_ref().map_or_else(String::new, |status| {
                format!(
                    "{} · {} wrong",
                    text::counted(status.summary.documents, "document"),
                    count(status.summary.findings())
                )
            }),
            Part::Writes => {
                format!("{} written · {} failed", count(self.traffic.written), count(self.traffic.failed))
            }
        }
    }
}
