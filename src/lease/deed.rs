//! Deeds on the lease documents of one prefix, as a person orders them: release, delete, reset. First a plan
//! that names each document, then the deed itself, each write under If-Match of what the plan saw.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::cosmos::CosmosError;
use crate::wording::counted;

use super::take_over::{Write, told, write};
use super::{Lease, LeasePrefix, LeaseStorage, LeaseStore, all_prefixes};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum LeaseDeed {
    /// `Owner` becomes null: any instance takes the lease at its next look.
    #[default]
    Release,
    /// The lease documents go, and `.info` with them, without which nobody would make them again.
    Delete,
    /// Back to the start: a single lease loses its continuation, all of them are deleted with `.info`.
    Reset,
}

impl LeaseDeed {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Release, Self::Delete, Self::Reset];

    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Delete => "delete",
            Self::Reset => "reset",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseOrder {
    /// What.
    pub deed: LeaseDeed,
    /// Only these leases, by id or token; empty = all of the prefix.
    pub only: Vec<String>,
    /// Go on although live owners lose their leases.
    pub take_over: bool,
}

impl LeaseOrder {
    /// The subcommand and its flags that do the same.
    pub fn command(&self) -> String {
        let mut line = format!("syncscope leases {}", self.deed.word());
        for lease in &self.only {
            // Writing to a text cannot fail.
            let _ = write!(line, " --lease '{lease}'");
        }
        if self.take_over {
            line.push_str(" --take-over");
        }
        line
    }
}

/// What happens to one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStep {
    /// `Owner` becomes null, the rest stays.
    Free,
    /// `ContinuationToken` and `Owner` become null: it begins again.
    Rewind,
    /// The document is deleted.
    Delete,
    /// Nothing: it has no owner.
    Nothing,
}

/// One document of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLease {
    /// Id of the document.
    pub id: String,
    /// `LeaseToken`; `None` = the `.info` marker.
    pub token: Option<String>,
    /// What happens to it.
    pub step: LeaseStep,
    /// Who owns it.
    pub owner: Option<String>,
    /// The owner's last write, by the owner's clock.
    pub heartbeat: Option<Timestamp>,
    /// The owner has written within the expiration interval.
    pub live: bool,
    /// When this run saw that owner first; `None` = it has not watched.
    pub since: Option<Timestamp>,
    /// The position that the lease has now, for people.
    pub position: Option<String>,
    /// What was read.
    seen: Seen,
}

#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Lease(Box<Lease>),
    Marker { etag: String },
}

/// What an order would do: shown before it is done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeasePlan {
    /// What was asked for.
    pub order: LeaseOrder,
    /// `database/container` of the leases.
    pub container: String,
    /// Full prefix of the ids.
    pub prefix: String,
    /// The documents, those of the leases in order of their ids, `.info` last.
    pub documents: Vec<PlannedLease>,
    /// Leases of this prefix that stay as they are.
    pub others_here: usize,
    /// Leases of other prefixes, and of how many; they stay.
    pub others_elsewhere: (usize, usize),
    /// Why it cannot be done, in one line with what to do.
    pub refused: Option<String>,
}

impl LeasePlan {
    /// Looks at what is there now. Only documents of this prefix are ever part of a plan.
    ///
    /// # Errors
    /// The lease container cannot be read.
    pub async fn make(
        store: &LeaseStore,
        prefix: &LeasePrefix,
        order: LeaseOrder,
        expiration: Duration,
    ) -> Result<Self, CosmosError> {
        let now = Timestamp::now();
        let leases = store.list(prefix).await?;
        let others = all_prefixes(store.container()).await?;
        let others: Vec<usize> =
            others.iter().filter(|(other, _)| other != prefix).map(|(_, count)| *count).collect();
        let marker = store.marker(&prefix.info_id()).await?.map(|marker| marker.etag);
        let found = Self {
            container: store.container().path(),
            prefix: prefix.as_str().to_owned(),
            others_elsewhere: (others.iter().sum(), others.len()),
            order,
            ..Self::default()
        };
        Ok(found.with(leases, marker.map(|etag| (prefix.info_id(), etag)), now, expiration))
    }

    /// The plan for these leases of the prefix, and its marker with id and etag.
    pub(crate) fn with(
        mut self,
        mut leases: Vec<Lease>,
        marker: Option<(String, String)>,
        now: Timestamp,
        expiration: Duration,
    ) -> Self {
        let order = &self.order;
        leases.sort_by(|a, b| a.id().cmp(b.id()));
        let chosen: Vec<&Lease> = leases
            .iter()
            .filter(|lease| order.only.is_empty() || order.only.iter().any(|name| goes_by(lease, name)))
            .collect();
        self.others_here = leases.len() - chosen.len();
        self.refused = refusal(order, &leases, &chosen);
        self.documents = chosen.into_iter().map(|lease| planned(lease, order, now, expiration)).collect();
        let removes = self.documents.iter().any(|document| document.step == LeaseStep::Delete);
        // A marker that was left behind alone is in the way as well.
        let alone = order.only.is_empty() && order.deed != LeaseDeed::Release;
        if let Some((id, etag)) = marker.filter(|_| removes || alone) {
            self.documents.push(PlannedLease {
                id,
                token: None,
                step: LeaseStep::Delete,
                owner: None,
                heartbeat: None,
                live: false,
                since: None,
                position: None,
                seen: Seen::Marker { etag },
            });
        }
        if self.refused.is_none() && self.touched().next().is_none() {
            self.refused = Some(match order.deed {
                LeaseDeed::Release => "none of them has an owner: there is nothing to release".to_owned(),
                LeaseDeed::Delete | LeaseDeed::Reset => {
                    "there is no document of this prefix; name yours with --lease-prefix".to_owned()
                }
            });
        }
        self
    }

    /// Documents that would be written or deleted.
    pub fn touched(&self) -> impl Iterator<Item = &PlannedLease> {
        self.documents.iter().filter(|document| document.step != LeaseStep::Nothing)
    }

    /// Documents whose live owner would lose them.
    pub fn live(&self) -> impl Iterator<Item = &PlannedLease> {
        self.touched().filter(|document| document.live)
    }

    /// What will happen, in one line that counts exactly.
    pub fn headline(&self) -> String {
        let count = |step| self.documents.iter().filter(|document| document.step == step).count();
        let (free, rewind, delete) =
            (count(LeaseStep::Free), count(LeaseStep::Rewind), count(LeaseStep::Delete));
        let many = |count: usize| counted(count, "document");
        let at = &self.container;
        match self.order.deed {
            LeaseDeed::Release => format!("free exactly {} in {at}: Owner becomes null", many(free)),
            LeaseDeed::Reset if delete == 0 => {
                format!(
                    "send exactly {} in {at} back to the start: ContinuationToken and Owner become null",
                    many(rewind)
                )
            }
            LeaseDeed::Reset | LeaseDeed::Delete => format!("delete exactly {} in {at}", many(delete)),
        }
    }

    /// What stays as it is, in one line.
    pub fn untouched(&self) -> String {
        format!("{}, the source, the cache", others(self.others_here, self.others_elsewhere))
    }

    /// What comes after it and should be known beforehand, a line each.
    pub fn consequences(&self) -> Vec<&'static str> {
        let mut lines = Vec::new();
        match (self.order.deed, self.order.only.is_empty()) {
            (LeaseDeed::Release, _) => {
                lines.push(
                    "any running instance takes a free lease at its next look and goes on where it stood",
                );
            }
            (LeaseDeed::Delete, _) => {
                lines.push(
                    "the positions are gone: whoever starts next makes the leases again and begins where its start option says",
                );
                lines.push("a running syncscope makes lost leases again at once and replays them");
            }
            (LeaseDeed::Reset, true) => {
                lines.push(
                    "whoever starts next makes the leases again: replay needs --start beginning, or StartFromBeginning of a Function",
                );
            }
            (LeaseDeed::Reset, false) => {
                lines.push(
                    "syncscope replays it from the beginning; a Function does so with StartFromBeginning set to true",
                );
            }
        }
        if self.live().next().is_some() && self.order.deed != LeaseDeed::Release {
            lines.push(
                "a running .NET worker that is idle notices it only at its next checkpoint: restart it",
            );
        }
        lines
    }

    /// Why it is not done now, if so: refused, or live owners have not been agreed to lose theirs.
    pub fn hindrance(&self) -> Option<String> {
        if let Some(reason) = &self.refused {
            return Some(reason.clone());
        }
        owned(self.live().count(), self.order.take_over)
    }
}

impl LeasePlan {
    /// Whether this plan, made just now, does nothing that `shown` did not say: no other document, and none
    /// that has got another owner since. `Err` says which.
    ///
    /// # Errors
    /// One line: which document, and what is different.
    pub fn agrees_with(&self, shown: &Self) -> Result<(), String> {
        let before = |id: &str| shown.touched().find(|before| before.id == id);
        self.touched().try_for_each(|document| {
            let before = before(&document.id).map(|before| OwnerThen(before.owner.as_deref()));
            as_shown(&document.id, document.owner.as_deref(), before)
        })
    }
}

/// Why a plan waits: so many live owners have not been agreed to lose theirs.
pub(super) fn owned(live: usize, take_over: bool) -> Option<String> {
    (live > 0 && !take_over)
        .then(|| format!("{live} of them have a live owner: stop it first, or take them over"))
}

/// Whose a lease was when its plan was shown; `None` = nobody's.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnerThen<'a>(pub(super) Option<&'a str>);

/// Whether a lease is as the plan said that was shown: it was there, and has no other owner since. `before`
/// is `None` where the lease was not there.
pub(super) fn as_shown(id: &str, owner: Option<&str>, before: Option<OwnerThen<'_>>) -> Result<(), String> {
    match (before, owner) {
        (None, _) => Err(format!("{id} came meanwhile; look again")),
        (Some(OwnerThen(before)), Some(owner)) if before != Some(owner) => {
            Err(format!("{owner} owns {id} now; look again"))
        }
        _ => Ok(()),
    }
}

/// What became of the documents of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseOutcome {
    /// What was asked for.
    pub deed: LeaseDeed,
    /// Ids of those that were written or deleted.
    pub done: Vec<String>,
    /// Ids of those that were left, each with why.
    pub refused: Vec<(String, String)>,
}

impl LeaseOutcome {
    /// In one line.
    pub fn words(&self) -> String {
        let done = match self.deed {
            LeaseDeed::Release => "released",
            LeaseDeed::Delete => "deleted",
            LeaseDeed::Reset => "reset",
        };
        let mut words = format!("{} {done}", counted(self.done.len(), "lease document"));
        if let Some((id, reason)) = self.refused.first() {
            let _ = write!(words, ", {} left: {id}: {reason}", self.refused.len());
        }
        words
    }
}

/// Does what a plan says, document by document. A document that was written since the plan is left alone,
/// unless only its live owner did, from whom it is to be taken over.
pub async fn perform(store: &LeaseStore, plan: &LeasePlan) -> LeaseOutcome {
    let mut outcome = LeaseOutcome { deed: plan.order.deed, ..LeaseOutcome::default() };
    if let Some(reason) = plan.hindrance() {
        outcome.refused = plan.touched().map(|document| (document.id.clone(), reason.clone())).collect();
        return outcome;
    }
    for document in plan.touched() {
        let done = match &document.seen {
            Seen::Lease(lease) => {
                let takes = document.live && plan.order.take_over;
                let what = match document.step {
                    LeaseStep::Delete | LeaseStep::Nothing => Write::Delete,
                    LeaseStep::Free => Write::Free,
                    LeaseStep::Rewind => Write::Rewind,
                };
                write(store, lease, takes, what).await
            }
            Seen::Marker { etag } => told(store.delete_marker(&document.id, etag).await),
        };
        match done {
            Ok(()) => outcome.done.push(document.id.clone()),
            Err(reason) => outcome.refused.push((document.id.clone(), reason)),
        }
    }
    outcome
}

/// The leases of others that stay, in words.
pub(super) fn others(here: usize, (leases, prefixes): (usize, usize)) -> String {
    format!(
        "{} of this prefix, {} of {}",
        counted(here, "other lease"),
        counted(leases, "lease"),
        counted(prefixes, "other prefix")
    )
}

fn goes_by(lease: &Lease, name: &str) -> bool {
    lease.id() == name || lease.token() == name
}

fn refusal(order: &LeaseOrder, leases: &[Lease], chosen: &[&Lease]) -> Option<String> {
    if let Some(unknown) = order.only.iter().find(|name| !leases.iter().any(|lease| goes_by(lease, name))) {
        return Some(format!("there is no lease {unknown:?}; `syncscope watch leases` names them"));
    }
    if leases.is_empty() && order.deed == LeaseDeed::Release {
        return Some("there are no leases of this prefix; name yours with --lease-prefix".to_owned());
    }
    let java = chosen.iter().find(|lease| !lease.kind().is_ours_to_run());
    match java {
        Some(java) if order.deed == LeaseDeed::Reset => Some(format!(
            "the lease {} belongs to a Java processor, whose positions are not ours to change; delete it instead",
            java.id()
        )),
        _ => None,
    }
}

fn planned(lease: &Lease, order: &LeaseOrder, now: Timestamp, expiration: Duration) -> PlannedLease {
    let owner = lease.owner().map(ToOwned::to_owned);
    let step = match order.deed {
        LeaseDeed::Release if owner.is_none() => LeaseStep::Nothing,
        LeaseDeed::Release => LeaseStep::Free,
        LeaseDeed::Reset if !order.only.is_empty() => LeaseStep::Rewind,
        LeaseDeed::Reset | LeaseDeed::Delete => LeaseStep::Delete,
    };
    PlannedLease {
        id: lease.id().to_owned(),
        token: Some(lease.token().to_owned()),
        step,
        live: owner.is_some() && !lease.is_expired(now, expiration),
        heartbeat: lease.heartbeat().filter(|_| owner.is_some()),
        owner,
        since: None,
        position: lease.position_text(),
        seen: Seen::Lease(Box::new(lease.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosmos::EpkRange;

    fn plan(order: LeaseOrder, owners: [Option<(&str, i64)>; 2]) -> LeasePlan {
        let (prefix, now) = (LeasePrefix::from_raw("p"), Timestamp::from_second(1_000_000).unwrap());
        let leases = owners
            .into_iter()
            .zip([("", "1F"), ("1F", "FF")])
            .map(|(owner, (min, max))| {
                let mut lease = Lease::new_epk(&prefix, &EpkRange::new(min, max), Some("\"7\""));
                if let Some((owner, age)) = owner {
                    lease.set_owner(Some(owner));
                    lease.set_heartbeat(now - jiff::SignedDuration::from_secs(age));
                }
                lease
            })
            .collect();
        let found = LeasePlan { order, container: "shop/leases".into(), ..LeasePlan::default() };
        found.with(leases, Some(("p.info".into(), "e".into())), now, Duration::from_secs(60))
    }

    fn order(deed: LeaseDeed, only: &[&str]) -> LeaseOrder {
        LeaseOrder { deed, only: only.iter().map(ToString::to_string).collect(), take_over: false }
    }

    #[test]
    fn a_deed_that_touches_nothing_is_told_as_itself() {
        let none = |deed| plan(order(deed, &["nosuch"]), [None, None]).headline();
        assert!(none(LeaseDeed::Reset).starts_with("send exactly 0 documents"), "{}", none(LeaseDeed::Reset));
        assert!(none(LeaseDeed::Delete).starts_with("delete exactly 0 documents"));
    }

    #[test]
    fn each_deed_touches_exactly_its_documents() {
        let steps = |order, owners| {
            let plan = plan(order, owners);
            plan.touched().map(|document| (document.id.clone(), document.step)).collect::<Vec<_>>()
        };
        let (a, b, info) = ("p..-1F".to_owned(), "p..1F-FF".to_owned(), "p.info".to_owned());
        let owners = [Some(("x", 5)), None];
        assert_eq!(steps(order(LeaseDeed::Release, &[]), owners), [(a.clone(), LeaseStep::Free)]);
        assert_eq!(
            steps(order(LeaseDeed::Reset, &["1F-FF"]), owners),
            [(b.clone(), LeaseStep::Rewind)],
            "by its token"
        );
        assert_eq!(
            steps(order(LeaseDeed::Delete, &["p..-1F"]), owners),
            [(a.clone(), LeaseStep::Delete), (info.clone(), LeaseStep::Delete)],
            "by its id, and the marker with it"
        );
        let all = [a, b, info].map(|id| (id, LeaseStep::Delete));
        assert_eq!(steps(order(LeaseDeed::Reset, &[]), owners), all);
        assert_eq!(steps(order(LeaseDeed::Delete, &[]), owners), all);
    }

    #[test]
    fn live_owners_have_to_be_agreed_to() {
        let mut live = plan(order(LeaseDeed::Release, &[]), [Some(("x", 5)), Some(("y", 90))]);
        assert_eq!(live.live().map(|document| document.owner.as_deref()).collect::<Vec<_>>(), [Some("x")]);
        assert!(live.hindrance().is_some());
        live.order.take_over = true;
        assert_eq!(live.hindrance(), None);
        assert!(plan(order(LeaseDeed::Release, &[]), [None, None]).hindrance().is_some(), "nothing to do");
        assert!(plan(order(LeaseDeed::Reset, &["no"]), [None, None]).hindrance().is_some(), "unknown");
    }

    #[test]
    fn a_plan_that_does_more_than_was_shown_is_none() {
        let shown = plan(order(LeaseDeed::Release, &[]), [Some(("x", 5)), None]);
        assert_eq!(plan(order(LeaseDeed::Release, &[]), [Some(("x", 1)), None]).agrees_with(&shown), Ok(()));
        for now in [[Some(("y", 5)), None], [Some(("x", 5)), Some(("x", 5))]] {
            assert!(plan(order(LeaseDeed::Release, &[]), now).agrees_with(&shown).is_err(), "{now:?}");
        }
    }
}
