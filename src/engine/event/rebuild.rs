//! A rebuild: plan, progress, report.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::command::{RebuildMode, RebuildOrder};
use crate::sync::verify::Summary;
use crate::wording::counted;

/// What a rebuild would do: shown before it is done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RebuildPlan {
    /// What was asked for: mode and leases.
    pub order: RebuildOrder,
    /// `database/container` of the source.
    pub source: String,
    /// `database/container` of the leases.
    pub lease_container: String,
    /// Processor prefix as the user gave it.
    pub prefix: String,
    /// Ids of the documents to be deleted: leases and the `.info` marker. Empty where only some
    /// leases are sent back.
    pub delete: Vec<String>,
    /// Ids of the leases to be sent back to the start instead of being deleted.
    pub reset: Vec<String>,
    /// Leases of the prefix.
    pub leases: usize,
    /// Live owners that are not ours.
    pub foreign_owners: Vec<ForeignOwner>,
    /// Documents to replay, if counted; for a part of the source it is the most there can be.
    pub documents: Option<u64>,
    /// How long the replay may take, as a careful guess.
    pub estimate: Option<Duration>,
    /// Leases of other prefixes that stay.
    pub other_leases: usize,
    /// Other prefixes in the lease container; not touched.
    pub other_prefixes: usize,
    /// Keys now in the cache.
    pub cache_keys: Option<u64>,
    /// Of them, those that the mapping could have made; the others are never touched.
    pub mapping_keys: Option<u64>,
    /// Globs that match the mapping's keys, e.g. `price:*`.
    pub patterns: Vec<String>,
    /// What proves at the end that everything has arrived.
    pub proof: ProofKind,
    /// What should be known beforehand, a line each.
    pub warnings: Vec<String>,
    /// Where the entries go: `host:port db N`.
    pub cache: String,
    /// Why it cannot be done now, if so.
    pub refused: Option<String>,
    /// The command line that does the same.
    pub same_as: String,
}

/// A live owner of leases that is none of our instances.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignOwner {
    /// As it stands in the leases' `Owner`.
    pub name: String,
    /// How many leases it has.
    pub leases: usize,
    /// Age of its youngest heartbeat in seconds.
    pub heartbeat_age: u64,
    /// When this run saw it own a lease first: it has owned them at least since then.
    pub since: Option<Timestamp>,
}

/// What proves that a rebuild has brought everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProofKind {
    /// A document of ours in each range of the source, written at the start, has come out in the
    /// cache and was passed by its lease; it is removed afterwards.
    #[default]
    Markers,
    /// The LSN that each range had at the start was passed by its lease.
    Lsns {
        /// Why no documents of ours are written.
        reason: String,
    },
}

/// How far the proof is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofStatus {
    /// Which proof.
    pub kind: ProofKind,
    /// Ranges to be proven.
    pub ranges: usize,
    /// Of them, those whose marker is in the cache (with LSNs: those passed).
    pub arrived: usize,
    /// Leases that have stored a position behind it.
    pub passed: usize,
    /// Leases of the prefix.
    pub leases: usize,
}

impl RebuildPlan {
    /// What will happen, step by step, a line each; exact about everything that is deleted.
    pub fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        let (order, to) = (&self.order, &self.lease_container);
        if self.order.only.is_empty() {
            steps.push(format!(
                "stop our workers of prefix {:?} ({})",
                self.prefix,
                counted(self.leases, "lease")
            ));
            steps.push(format!("delete exactly {} in {to}", counted(self.delete.len(), "lease document")));
        } else {
            steps.push(format!("stop our workers of prefix {:?}", self.prefix));
            steps.push(format!(
                "send exactly {} in {to} back to the start",
                counted(self.reset.len(), "lease")
            ));
        }
        if order.mode == RebuildMode::Flush {
            let keys = self.mapping_keys.map_or_else(|| "keys".to_owned(), |keys| counted(keys, "key"));
            let patterns = self.patterns.join(", ");
            steps.push(format!(
                "delete exactly the {keys} of the mapping ({patterns}): readers miss meanwhile"
            ));
        }
        let documents = self
            .documents
            .map_or_else(|| "all documents".to_owned(), |found| format!("~{}", counted(found, "document")));
        let most = if order.only.is_empty() { "" } else { "of at most " };
        steps.push(match order.mode {
            RebuildMode::Since(time) => format!("replay what changed after {time} into {}", self.cache),
            _ => format!("replay {most}{documents} from the beginning into {}", self.cache),
        });
        steps.push(match &self.proof {
            ProofKind::Markers => {
                "done means proven: a marker document in each range must come out in the cache; then it is removed".to_owned()
            }
            ProofKind::Lsns { .. } => {
                "done means proven: each lease must pass the LSN that its range has now".to_owned()
            }
        });
        steps.push(if self.mends() {
            "verify everything, mend what is wrong, sweep keys of the mapping that no document makes, by exact key".to_owned()
        } else {
            "verify everything; nothing is swept".to_owned()
        });
        steps
    }

    /// What stays as it is, in one line.
    pub fn untouched(&self) -> String {
        let keys = match self.cache_keys.zip(self.mapping_keys) {
            Some((all, ours)) => {
                format!("{} that the mapping cannot make", counted(all.saturating_sub(ours), "key"))
            }
            None => "keys that the mapping cannot make".to_owned(),
        };
        let mut stays = format!(
            "{}, {} of {}, {keys}",
            self.source,
            counted(self.other_leases, "lease"),
            counted(self.other_prefixes, "other prefix")
        );
        if !self.order.only.is_empty() {
            let others = self.leases.saturating_sub(self.reset.len());
            // Writing to a text cannot fail.
            let _ = write!(stays, ", {} of this prefix", counted(others, "other lease"));
        }
        stays
    }

    /// Whether wrong entries are mended and orphans swept at the end.
    pub fn mends(&self) -> bool {
        self.order.only.is_empty() && !matches!(self.order.mode, RebuildMode::Since(_))
    }

    /// What to do about owners that are not ours, a line each; empty where there are none.
    pub fn advice(&self) -> Vec<String> {
        if self.foreign_owners.is_empty() {
            return Vec::new();
        }
        vec![
            "stop that function or processor and start the rebuild again, or let it wait for the stop (--wait)".to_owned(),
            "or take the leases over (--take-over): its workers lose them at their next write".to_owned(),
            "or let the function rebuild itself: stop it, delete the leases as above, set \"StartFromBeginning\" of its trigger to true, start it again, and take the setting back afterwards".to_owned(),
        ]
    }
}

/// Progress of a rebuild.
#[derive(Debug, Clone, PartialEq)]
pub struct RebuildStatus {
    /// Where it is.
    pub phase: RebuildPhase,
    /// Documents delivered by it so far.
    pub done: u64,
    /// Documents expected, if counted.
    pub total: Option<u64>,
    /// Documents per second.
    pub rate: f64,
    /// Time left, if it can be told.
    pub left: Option<Duration>,
    /// Time since the start.
    pub elapsed: Duration,
    /// How far the proof is, once it has begun.
    pub proof: Option<Box<ProofStatus>>,
    /// What the verification at the end found.
    pub report: Option<RebuildReport>,
}

/// The end of a rebuild: everything compared once more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RebuildReport {
    /// What was found before mending.
    pub verified: Summary,
    /// Orphans deleted.
    pub swept: u64,
    /// Entries written once more.
    pub mended: u64,
    /// Findings that stay.
    pub left: u64,
    /// Documents in the source by which the replay was proven; they are removed again.
    pub markers: usize,
}

/// Phase of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RebuildPhase {
    /// Waiting for other processors to give their leases up.
    Waiting {
        /// Who they are, and what to do, in one line.
        owners: String,
    },
    /// Stopping our workers.
    Stopping,
    /// Deleting lease documents.
    Deleting,
    /// Deleting the keys of the mapping.
    Flushing,
    /// Replaying the feed.
    Replaying,
    /// Every lease has caught up: comparing everything, sweeping orphans.
    Verifying,
    /// Through; see the report.
    Done,
    /// Ended early.
    Failed {
        /// What happened and what to do, in one line.
        reason: String,
    },
}
