//! The guided tour: one document the whole way, then what can go wrong, and how it is mended. Each step
//! has one line of explanation, a deed done once, and a proof that it came about.

use jiff::Timestamp;

use super::{Model, Overlay, Pane};
use crate::{
    engine::{EntryState, RebuildPhase},
    tui::{keymap::Action, model::LeaseChange, widgets::text},
};

/// Time to read a step, in seconds, before a tour that plays by itself goes on.
const READ: i64 = 8;
/// A step whose proof does not come is left after so many seconds.
const PATIENCE: i64 = 40;
/// A killed instance is still shown as alive for a moment.
const SETTLED: i64 = 2;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Welcome,
    Insert,
    Feed,
    Lease,
    Cache,
    Follow,
    Corruption,
    Plan,
    Rebuild,
    Split,
    Join,
    Failover,
    Figures,
}

impl Step {
    pub(crate) const ALL: [Self; 13] = [
        Self::Welcome,
        Self::Insert,
        Self::Feed,
        Self::Lease,
        Self::Cache,
        Self::Follow,
        Self::Corruption,
        Self::Plan,
        Self::Rebuild,
        Self::Split,
        Self::Join,
        Self::Failover,
        Self::Figures,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::Insert => "insert",
            Self::Feed => "change feed",
            Self::Lease => "lease",
            Self::Cache => "cache",
            Self::Follow => "one document",
            Self::Corruption => "corruption",
            Self::Plan => "a plan first",
            Self::Rebuild => "rebuild",
            Self::Split => "split",
            Self::Join => "a second instance",
            Self::Failover => "failover",
            Self::Figures => "figures",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Welcome => {
                "A price changes in Cosmos DB; a moment later Redis must know. This tour takes one document \
                 the whole way, breaks things, and mends them."
            }
            Self::Insert => {
                "A price was written: a new document in the source. From here on the mark ▌ follows it \
                 through every pane."
            }
            Self::Feed => {
                "The change feed brings the newest version of every document that changed, in order, for \
                 each range of the key space."
            }
            Self::Lease => {
                "Each range has one lease. Its owner reads the feed, and the lease remembers how far: it \
                 moves on only after Redis has acknowledged."
            }
            Self::Cache => {
                "The entry is in Redis, compared with its document: ✓ in step, ~ on its way, ! stale, \
                 ∅ missing, ? orphan."
            }
            Self::Follow => {
                "{open} opens a document beside its entry: what differs, every version seen, and the time \
                 of each stage on the way."
            }
            Self::Corruption => {
                "Somebody writes another price over the entry, past the sync. The feed tells nobody, no \
                 processor will ever notice; this screen does."
            }
            Self::Plan => {
                "A rebuild fills the cache again from the beginning of the feed. First the plan: exactly \
                 what is deleted, and what is left alone."
            }
            Self::Rebuild => {
                "The feed is replayed over the live cache, so that no reader misses; then every document is \
                 compared with its entry."
            }
            Self::Split => {
                "Cosmos splits a partition that grew: two leases replace its one and go on from the same \
                 place. Nothing is lost, nothing starts over."
            }
            Self::Join => {
                "A second instance joins and takes its share of the leases. No coordinator: all that the \
                 instances have in common is the lease container."
            }
            Self::Failover => {
                "One instance was killed. Its leases fall silent until they expire; then the other takes \
                 them over and goes on from the last checkpoint."
            }
            Self::Figures => {
                "From the acknowledged write to the cache, for the back of the room. The tour ends here and \
                 the demo goes on: {help} shows the keys."
            }
        }
    }

    /// The pane that it is about.
    pub(crate) fn pane(self) -> Option<Pane> {
        match self {
            Self::Insert | Self::Feed => Some(Pane::Feed),
            Self::Lease | Self::Split | Self::Join | Self::Failover => Some(Pane::Leases),
            Self::Cache | Self::Corruption => Some(Pane::Cache),
            Self::Welcome | Self::Follow | Self::Plan | Self::Rebuild | Self::Figures => None,
        }
    }
}

/// A tour under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tour {
    place: usize,
    /// Steps whose deeds are done: going back and forth repeats none.
    pub(crate) done: usize,
    /// It goes on by itself.
    pub(crate) auto: bool,
    /// When this step began.
    pub(crate) since: Timestamp,
    /// Id of the document that it follows.
    pub(crate) id: String,
}

impl Tour {
    pub(crate) fn new(auto: bool, now: Timestamp) -> Self {
        // A document of its own each time, or the feed could not show it as new.
        let number = now.as_second().rem_euclid(100_000);
        Self { place: 0, done: 1, auto, since: now, id: format!("tour-{number:05}") }
    }

    pub(crate) fn step(&self) -> Step {
        Step::ALL.get(self.place).copied().unwrap_or(Step::Figures)
    }

    /// Which step of how many, from 1.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.place + 1, Step::ALL.len())
    }

    pub(crate) fn is_last(&self) -> bool {
        self.place + 1 == Step::ALL.len()
    }

    /// Goes by steps; `true` = it is another step now.
    pub(crate) fn go(&mut self, steps: isize, now: Timestamp) -> bool {
        let place = self.place.saturating_add_signed(steps).min(Step::ALL.len() - 1);
        let moved = place != self.place;
        self.place = place;
        if moved {
            self.since = now;
        }
        moved
    }

    /// The deed of this step is to be done now, once.
    pub(crate) fn take_deed(&mut self) -> bool {
        let first = self.place >= self.done;
        self.done = self.done.max(self.place + 1);
        first
    }
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It came about, in these words.
    Seen(String),
    /// Not yet: what is waited for.
    Waiting(&'static str),
    /// Nothing to wait for.
    None,
}

impl Model {
    /// What a step of the tour says, with the keys as they are bound.
    pub(crate) fn tour_words(&self, step: Step) -> String {
        let words = step.words().replace("{open}", &self.key(Action::Open));
        words.replace("{help}", &self.key(Action::Help))
    }

    /// Whether the step of the tour came about.
    pub(crate) fn tour_proof(&self) -> Proof {
        let Some(tour) = &self.tour else { return Proof::None };
        let seen = |words: Option<String>, wait| words.map_or(Proof::Waiting(wait), Proof::Seen);
        match tour.step() {
            Step::Welcome | Step::Figures => Proof::None,
            Step::Insert | Step::Feed => seen(self.tour_change(&tour.id), "waiting for the feed"),
            Step::Lease => seen(self.tour_lease(), "waiting for its lease"),
            Step::Cache => seen(self.tour_entry(), "on its way"),
            Step::Follow => {
                let read = self
                    .overlays
                    .iter()
                    .any(|overlay| matches!(overlay, Overlay::Follow(follow) if follow.detail.is_some()));
                if read { Proof::None } else { Proof::Waiting("reading both sides") }
            }
            Step::Corruption => {
                let state = self.tour_state();
                let stale = matches!(state, Some(EntryState::Stale | EntryState::Orphan));
                seen(stale.then(|| "the entry is stale".to_owned()), "the pane is about to see it")
            }
            Step::Plan => {
                let planned = self
                    .overlays
                    .iter()
                    .any(|overlay| matches!(overlay, Overlay::Rebuild(dialog) if dialog.plan().is_some()));
                seen(planned.then(|| "planned, nothing done yet".to_owned()), "making the plan")
            }
            Step::Rebuild => seen(self.tour_rebuilt(), "replaying"),
            Step::Split => {
                let split = self
                    .leases
                    .events
                    .iter()
                    .any(|event| event.what == LeaseChange::Split && event.at >= tour.since);
                let words = || format!("{} now", text::counted(self.leases.snapshot.rows.len(), "lease"));
                seen(split.then(words), "the owner has to notice")
            }
            Step::Join => {
                let mut owners: Vec<&str> =
                    self.leases.snapshot.rows.iter().filter_map(|row| row.owner.as_deref()).collect();
                owners.sort_unstable();
                owners.dedup();
                let shared = self.sync.instances.len() > 1 && owners.len() > 1;
                seen(shared.then(|| format!("{} share the leases", owners.len())), "balancing")
            }
            Step::Failover => {
                let rows = &self.leases.snapshot.rows;
                let settled = text::seconds_between(tour.since, self.now) >= SETTLED;
                let taken = settled
                    && !rows.is_empty()
                    && rows.iter().all(|row| {
                        !row.expired && row.owner.as_ref().is_some_and(|o| self.sync.instances.contains(o))
                    });
                seen(taken.then(|| "all leases are held again".to_owned()), "the leases have to expire")
            }
        }
    }

    /// A tour that plays by itself has shown this step for long enough.
    pub(crate) fn tour_is_due(&self) -> bool {
        let Some(tour) = self.tour.as_ref().filter(|tour| tour.auto && !tour.is_last()) else { return false };
        let shown = text::seconds_between(tour.since, self.now);
        shown >= PATIENCE || (shown >= READ && !matches!(self.tour_proof(), Proof::Waiting(_)))
    }

    fn tour_change(&self, id: &str) -> Option<String> {
        let row = self.feed.newest_of(id).and_then(|number| self.feed.ring.get(number))?;
        let clock = text::clock(row.seen_at, &self.options.zone);
        Some(match row.lsn {
            Some(lsn) => format!("seen {clock}, lsn {}", text::count(lsn)),
            None => format!("seen {clock}"),
        })
    }

    fn tour_lease(&self) -> Option<String> {
        let row = self.leases.snapshot.rows.iter().find(|row| self.thread.marks_lease(row))?;
        let owner = row.owner.as_deref()?;
        let owner = if row.mine { "us" } else { owner };
        Some(match row.lag {
            Some(lag) => format!("held by {owner}, lag {}", text::count(lag)),
            None => format!("held by {owner}"),
        })
    }

    fn tour_state(&self) -> Option<EntryState> {
        self.thread.keys.first().and_then(|key| self.cache.get(key)).map(|row| row.state)
    }

    fn tour_entry(&self) -> Option<String> {
        let row = self.thread.keys.first().and_then(|key| self.cache.get(key))?;
        (row.state == EntryState::InStep).then(|| match row.delay_ms {
            Some(ms) => format!("in step after {} ms", text::millis(ms)),
            None => "in step".to_owned(),
        })
    }

    fn tour_rebuilt(&self) -> Option<String> {
        let status = self.rebuild.as_ref()?;
        match &status.phase {
            RebuildPhase::Done => Some(format!(
                "{} in {:.1} s, verified",
                text::counted(status.done, "document"),
                status.elapsed.as_secs_f64()
            )),
            RebuildPhase::Failed { .. } => Some("it did not end well: see the dialog".to_owned()),
            _ => None,
        }
    }
}
