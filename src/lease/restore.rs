//! A bookmark beside the leases of now, and going back to it: first a plan that names each lease, then the
//! deed, each write under If-Match of what the plan saw.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::cosmos::CosmosError;
use crate::wording::counted;

use super::bookmark::{Bookmark, BookmarkError, Change, Difference};
use super::deed::{OwnerThen, as_shown, others, owned};
use super::take_over::{Write, write};
use super::{Lease, LeasePrefix, LeaseStorage, LeaseStore, all_prefixes};

/// A lease then and now, as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedLease {
    /// Id of the document: today's, else the bookmarked one.
    pub id: String,
    /// Its token.
    pub token: String,
    /// Its range as fractions of the key space, where it is known.
    pub share: Option<(f64, f64)>,
    /// The position then, for people; `None` = it had none, or is not in the bookmark.
    pub then: Option<String>,
    /// The position now.
    pub now: Option<String>,
    /// Who owned it then.
    pub owner_then: Option<String>,
    /// Who owns it now.
    pub owner: Option<String>,
    /// The owner's last write, by the owner's clock.
    pub heartbeat: Option<Timestamp>,
    /// The owner has written within the expiration interval.
    pub live: bool,
    /// When this run saw that owner first; `None` = it has not watched.
    pub since: Option<Timestamp>,
    /// Token of the bookmarked lease whose range was split since; this one is a part of it.
    pub split_from: Option<String>,
    /// What going back would do.
    pub change: Change,
}

impl ComparedLease {
    fn of(difference: &Difference<'_>, at: Timestamp, expiration: Duration) -> Self {
        let Difference { then, now, split, change } = *difference;
        let owner = now.and_then(Lease::owner).map(ToOwned::to_owned);
        let range = now.and_then(Lease::range).or_else(|| then.and_then(|then| then.range.as_ref()));
        Self {
            id: difference.id().to_owned(),
            token: difference.token().to_owned(),
            share: range.map(crate::cosmos::EpkRange::share),
            then: then.and_then(|then| then.position.clone()),
            now: now.and_then(Lease::position_text),
            owner_then: then.and_then(|then| then.owner.clone()),
            heartbeat: now.and_then(Lease::heartbeat).filter(|_| owner.is_some()),
            live: owner.is_some() && now.is_some_and(|now| !now.is_expired(at, expiration)),
            owner,
            since: None,
            split_from: then.filter(|_| split).map(|parent| parent.token.clone()),
            change,
        }
    }

    /// Going back sends this one back.
    pub fn goes_back(&self) -> bool {
        matches!(self.change, Change::Replays(_))
    }

    /// Why going back leaves this one, where somebody might expect it to.
    pub fn stays_because(&self) -> Option<&'static str> {
        match self.change {
            Change::Skips(_) => Some("going forward would lose changes"),
            Change::NoPosition => Some("it had no position then"),
            Change::Gone => Some("it is gone"),
            Change::Merged => Some("it covers more than the bookmarked range"),
            Change::Same | Change::New | Change::Replays(_) => None,
        }
    }

    /// How it stands to the bookmark, in words.
    pub fn words(&self) -> String {
        let lsns =
            |lsns: Option<u64>| lsns.map_or("an unknown number of LSNs".to_owned(), |n| counted(n, "LSN"));
        let mut words = match self.change {
            Change::Same => "the same".to_owned(),
            Change::Replays(moved) => format!("replays {}", lsns(moved)),
            Change::Skips(behind) => {
                format!("would skip {}: the lease is behind the bookmark", lsns(behind))
            }
            Change::NoPosition => {
                "had no position then; `syncscope rebuild --lease` replays it all".to_owned()
            }
            Change::Gone => "the lease is gone".to_owned(),
            Change::Merged => "covers more than the bookmarked range (merged since)".to_owned(),
            Change::New => "not in the bookmark".to_owned(),
        };
        if let Some(parent) = &self.split_from {
            // Writing to a text cannot fail.
            let _ = write!(words, " (split since from {parent})");
        }
        words
    }
}

/// The leases of now beside a bookmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The bookmark's name.
    pub name: String,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// First the leases that it knows in its order, then those that are new.
    pub leases: Vec<ComparedLease>,
}

impl Comparison {
    /// Compares with these leases of a prefix.
    ///
    /// # Errors
    /// The bookmark is one of another container.
    pub fn of(
        bookmark: &Bookmark,
        prefix: &LeasePrefix,
        leases: &[Lease],
        expiration: Duration,
    ) -> Result<Self, BookmarkError> {
        Self::at(bookmark, prefix, leases, Timestamp::now(), expiration)
    }

    pub(crate) fn at(
        bookmark: &Bookmark,
        prefix: &LeasePrefix,
        leases: &[Lease],
        at: Timestamp,
        expiration: Duration,
    ) -> Result<Self, BookmarkError> {
        bookmark.check_prefix(prefix)?;
        let found = bookmark.differences(leases);
        let leases = found.iter().map(|one| ComparedLease::of(one, at, expiration)).collect();
        Ok(Self { name: bookmark.name.clone(), saved_at: bookmark.saved_at, leases })
    }

    /// Leases that are not as they were.
    pub fn differing(&self) -> usize {
        self.leases.iter().filter(|lease| lease.change != Change::Same).count()
    }

    /// LSNs that going back delivers again, and leases of which that cannot be told.
    pub fn replayed(&self) -> (u64, usize) {
        replayed(&self.leases)
    }
}

fn replayed(leases: &[ComparedLease]) -> (u64, usize) {
    let back = leases.iter().filter(|lease| lease.goes_back());
    back.fold((0, 0), |(lsns, unknown), lease| match lease.change.lsns() {
        Some(more) => (lsns.saturating_add(more), unknown),
        None => (lsns, unknown + 1),
    })
}

/// Which leases go back, and to which bookmark.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestoreOrder {
    /// Name of the bookmark.
    pub name: String,
    /// Only these leases, by id or token; empty = all of the bookmark.
    pub only: Vec<String>,
    /// Go on although live owners lose their leases.
    pub take_over: bool,
}

impl RestoreOrder {
    /// The subcommand and its flags that do the same.
    pub fn command(&self) -> String {
        let mut line = format!("syncscope leases restore {}", self.name);
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

/// What going back would do: shown before it is done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RestorePlan {
    /// What was asked for.
    pub order: RestoreOrder,
    /// When the bookmark was saved.
    pub saved_at: Timestamp,
    /// `database/container` of the leases.
    pub container: String,
    /// The leases of the order, those that go back and those that stay.
    pub leases: Vec<ComparedLease>,
    /// Leases of this prefix that were not asked for.
    pub others_here: usize,
    /// Leases of other prefixes, and of how many; they stay.
    pub others_elsewhere: (usize, usize),
    /// Why it cannot be done at all, in one line with what to do.
    pub refused: Option<String>,
    /// What was read of those that go back, and where they go.
    pub(crate) targets: Vec<(Lease, Option<String>)>,
}

impl RestorePlan {
    /// Looks at what is there now. Only leases of this prefix are ever part of a plan.
    ///
    /// # Errors
    /// The lease container cannot be read.
    pub async fn make(
        store: &LeaseStore,
        prefix: &LeasePrefix,
        bookmark: &Bookmark,
        order: RestoreOrder,
        expiration: Duration,
    ) -> Result<Self, CosmosError> {
        let leases = store.list(prefix).await?;
        let others = all_prefixes(store.container()).await?;
        let others: Vec<usize> =
            others.iter().filter(|(other, _)| other != prefix).map(|(_, count)| *count).collect();
        let found = Self {
            order,
            saved_at: bookmark.saved_at,
            container: store.container().path(),
            others_elsewhere: (others.iter().sum(), others.len()),
            ..Self::default()
        };
        Ok(found.with(bookmark, prefix, &leases, Timestamp::now(), expiration))
    }

    /// It cannot be done, for this reason.
    pub fn refused(order: RestoreOrder, reason: String) -> Self {
        Self { order, refused: Some(reason), ..Self::default() }
    }

    /// The plan for these leases of the prefix.
    pub(crate) fn with(
        mut self,
        bookmark: &Bookmark,
        prefix: &LeasePrefix,
        leases: &[Lease],
        at: Timestamp,
        expiration: Duration,
    ) -> Self {
        let java = leases.iter().find(|lease| !lease.kind().is_ours_to_run());
        let wrong = bookmark.check_prefix(prefix).err();
        if let Some(wrong) = wrong.or_else(|| java.map(|java| BookmarkError::Java(java.id().to_owned()))) {
            self.refused = Some(wrong.to_string());
            return self;
        }
        let all = bookmark.differences(leases);
        let only = &self.order.only;
        if let Some(unknown) = only.iter().find(|name| !all.iter().any(|lease| lease.is_named(name))) {
            self.refused = Some(format!(
                "there is no lease {unknown}; `syncscope leases diff {}` shows those that are",
                bookmark.name
            ));
            return self;
        }
        let is_meant =
            |lease: &&Difference<'_>| only.is_empty() || only.iter().any(|name| lease.is_named(name));
        let chosen: Vec<&Difference<'_>> = all.iter().filter(is_meant).collect();
        self.others_here = leases.len() - chosen.iter().filter(|lease| lease.now.is_some()).count();
        self.targets = chosen
            .iter()
            .filter(|lease| matches!(lease.change, Change::Replays(_)))
            .filter_map(|lease| Some((lease.now?.clone(), lease.then?.continuation.clone())))
            .collect();
        self.leases = chosen.into_iter().map(|lease| ComparedLease::of(lease, at, expiration)).collect();
        self
    }

    /// Leases that would be sent back.
    pub fn touched(&self) -> impl Iterator<Item = &ComparedLease> {
        self.leases.iter().filter(|lease| lease.goes_back())
    }

    /// Those whose live owner would lose them.
    pub fn live(&self) -> impl Iterator<Item = &ComparedLease> {
        self.touched().filter(|lease| lease.live)
    }

    /// What will happen, in one line that counts exactly.
    pub fn headline(&self) -> String {
        format!(
            "send exactly {} in {} back to {}: ContinuationToken as it was, Owner null",
            counted(self.touched().count(), "lease"),
            self.container,
            self.order.name
        )
    }

    /// What stays as it is, in one line.
    pub fn untouched(&self) -> String {
        let stay = self.leases.iter().filter(|lease| !lease.goes_back() && lease.change != Change::Gone);
        format!("{}, the source", others(self.others_here + stay.count(), self.others_elsewhere))
    }

    /// What comes after it and should be known beforehand, a line each.
    pub fn consequences(&self) -> Vec<String> {
        if self.touched().next().is_none() {
            return Vec::new();
        }
        let again = match replayed(&self.leases) {
            (lsns, 0) => counted(lsns, "LSN"),
            (0, _) => "an unknown number of LSNs".to_owned(),
            (lsns, unknown) => {
                format!("{}, and of {} an unknown number", counted(lsns, "LSN"), counted(unknown, "lease"))
            }
        };
        let mut lines = vec![
            format!("{again} and what comes meanwhile are delivered again, to whoever runs the leases"),
            "any running instance takes a free lease at its next look and goes on from there".to_owned(),
        ];
        if self.live().next().is_some() {
            lines.push(
                "a running worker finds its lease lost with its next write and stops; a .NET one that is idle \
                 only at its next checkpoint: restart it"
                    .to_owned(),
            );
        }
        lines
    }

    /// Why it is not done now, if so: refused, nothing goes back, or live owners have not been agreed to lose
    /// theirs.
    pub fn hindrance(&self) -> Option<String> {
        if let Some(reason) = &self.refused {
            return Some(reason.clone());
        }
        if self.touched().next().is_none() {
            let all_same = self.leases.iter().all(|lease| lease.change == Change::Same);
            let words = if all_same { "all of them are there already" } else { "none of them can go back" };
            return Some(words.to_owned());
        }
        owned(self.live().count(), self.order.take_over)
    }

    /// Whether this plan, made just now, does nothing that `shown` did not say: the same bookmark, no other
    /// lease, and none that has got another owner since. `Err` says which.
    ///
    /// # Errors
    /// One line: what is different.
    pub fn agrees_with(&self, shown: &Self) -> Result<(), String> {
        if self.saved_at != shown.saved_at {
            return Err(format!("the bookmark {} was replaced meanwhile; look again", self.order.name));
        }
        // One that was there and has moved on since is meant, too.
        let before = |id: &str| shown.leases.iter().find(|before| before.id == id);
        self.touched().try_for_each(|lease| {
            let before = before(&lease.id).map(|before| OwnerThen(before.owner.as_deref()));
            as_shown(&lease.id, lease.owner.as_deref(), before)
        })
    }
}

/// What became of the leases of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestoreOutcome {
    /// Name of the bookmark.
    pub name: String,
    /// Ids of those that went back.
    pub restored: Vec<String>,
    /// Ids of those that were left, each with why.
    pub refused: Vec<(String, String)>,
}

impl RestoreOutcome {
    /// Nothing was done, for this reason.
    pub fn nothing(name: &str, reason: String) -> Self {
        let refused = vec![("nothing was done".to_owned(), reason)];
        Self { name: name.to_owned(), refused, ..Self::default() }
    }

    /// In one line.
    pub fn words(&self) -> String {
        let mut words = format!("{} back at bookmark {}", counted(self.restored.len(), "lease"), self.name);
        if let Some((id, reason)) = self.refused.first() {
            let _ = write!(words, ", {} left: {id}: {reason}", self.refused.len());
        }
        words
    }
}

/// Does what a plan says, lease by lease. A lease that was written since the plan is left alone, unless only
/// its live owner did, from whom it is to be taken over.
pub async fn restore(store: &LeaseStore, plan: &RestorePlan) -> RestoreOutcome {
    let mut outcome = RestoreOutcome { name: plan.order.name.clone(), ..RestoreOutcome::default() };
    let hindrance = plan.hindrance();
    for lease in &plan.leases {
        let target = plan.targets.iter().find(|(seen, _)| seen.id() == lease.id);
        let done = match (lease.stays_because(), target, &hindrance) {
            (Some(reason), ..) => Err(reason.to_owned()),
            (None, None, _) => continue,
            (None, Some(_), Some(reason)) => Err(reason.clone()),
            (None, Some((seen, continuation)), None) => {
                let takes = lease.live && plan.order.take_over;
                write(store, seen, takes, Write::MoveTo(continuation.as_deref())).await
            }
        };
        match done {
            Ok(()) => outcome.restored.push(lease.id.clone()),
            Err(reason) => outcome.refused.push((lease.id.clone(), reason)),
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosmos::EpkRange;

    fn prefix() -> LeasePrefix {
        LeasePrefix::from_raw("p")
    }

    fn at() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn lease(min: &str, max: &str, at: &str, owner: Option<(&str, i64)>) -> Lease {
        let mut lease = Lease::new_epk(&prefix(), &EpkRange::new(min, max), Some(at));
        if let Some((owner, age)) = owner {
            lease.set_owner(Some(owner));
            lease.set_heartbeat(self::at() - jiff::SignedDuration::from_secs(age));
        }
        lease
    }

    fn bookmark() -> Bookmark {
        let then = [lease("", "1F", "\"7\"", None), lease("1F", "FF", "\"9\"", None)];
        Bookmark::new("then", at(), "shop/prices".into(), &prefix(), &then).unwrap()
    }

    fn plan(order: RestoreOrder, now: &[Lease]) -> RestorePlan {
        let found = RestorePlan { order, saved_at: at(), ..RestorePlan::default() };
        found.with(&bookmark(), &prefix(), now, at(), Duration::from_secs(60))
    }

    fn order(only: &[&str], take_over: bool) -> RestoreOrder {
        RestoreOrder { name: "then".into(), only: only.iter().map(ToString::to_string).collect(), take_over }
    }

    #[test]
    fn only_what_moved_on_goes_back_and_live_owners_have_to_be_agreed_to() {
        let now = [
            lease("", "1F", "\"12\"", Some(("x", 5))),
            lease("1F", "2F", "\"3\"", None),
            lease("2F", "FF", "\"10\"", Some(("y", 90))),
        ];
        let back = |plan: &RestorePlan| plan.touched().map(|lease| lease.token.clone()).collect::<Vec<_>>();
        let all = plan(order(&[], false), &now);
        assert_eq!(back(&all), ["-1F", "2F-FF"], "one is behind the bookmark");
        assert_eq!(all.live().map(|lease| lease.owner.as_deref()).collect::<Vec<_>>(), [Some("x")]);
        assert!(all.hindrance().unwrap().contains("live owner"));
        assert!(all.consequences()[0].starts_with("6 LSNs"), "{:?}", all.consequences());
        assert_eq!(plan(order(&[], true), &now).hindrance(), None);
        let one = plan(order(&["2F-FF"], false), &now);
        assert_eq!((back(&one), one.others_here, one.hindrance()), (vec!["2F-FF".to_owned()], 2, None));
        let parent = plan(order(&["1F-FF"], false), &now);
        assert_eq!((back(&parent), parent.leases.len()), (vec!["2F-FF".to_owned()], 2), "by its parent");
        assert!(plan(order(&["no"], false), &now).refused.is_some());
        let there = plan(order(&[], false), &now[1..2]);
        assert_eq!(there.hindrance().as_deref(), Some("none of them can go back"));
    }

    #[test]
    fn leases_of_another_container_are_refused() {
        let other = LeasePrefix::from_raw("q");
        let found = RestorePlan::default().with(&bookmark(), &other, &[], at(), Duration::ZERO);
        assert!(found.refused.unwrap().contains("deleted and created again"));
        assert!(Comparison::of(&bookmark(), &other, &[], Duration::ZERO).is_err());
    }

    #[test]
    fn a_plan_that_does_more_than_was_shown_is_none() {
        let first = |at: &str, owner| lease("", "1F", at, owner);
        let second = |at: &str| lease("1F", "FF", at, None);
        let shown = plan(order(&[], true), &[first("\"12\"", Some(("x", 5))), second("\"9\"")]);
        for now in
            [[first("\"13\"", Some(("x", 1))), second("\"9\"")], [first("\"12\"", None), second("\"10\"")]]
        {
            assert_eq!(plan(order(&[], true), &now).agrees_with(&shown), Ok(()), "further on, or set free");
        }
        let taken = plan(order(&[], true), &[first("\"12\"", Some(("y", 5))), second("\"9\"")]);
        assert!(taken.agrees_with(&shown).unwrap_err().contains("y owns"));
        let split = [first("\"12\"", None), lease("1F", "2F", "\"10\"", None)];
        assert!(plan(order(&[], true), &split).agrees_with(&shown).is_err(), "a lease that was not there");
        let replaced = RestorePlan { saved_at: Timestamp::UNIX_EPOCH, ..shown.clone() };
        assert!(replaced.agrees_with(&shown).unwrap_err().contains("replaced"));
    }
}
