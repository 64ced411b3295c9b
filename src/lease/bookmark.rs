//! Bookmarks: the positions of all leases of one prefix under a name, and how the leases of today differ
//! from them. Pure: files and questions are the command line's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use thiserror::Error;

use crate::cosmos::EpkRange;

use super::{IdPart, Lease, LeaseId, LeasePrefix};

/// The form of the file that this program writes and reads.
const VERSION: u32 = 1;
/// Longest name, in characters.
const LONGEST_NAME: usize = 64;

/// The positions of all leases of one prefix at one moment. Holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bookmark {
    version: u32,
    /// What the user called it: see [`Bookmark::check_name`].
    pub name: String,
    /// When.
    pub saved_at: Timestamp,
    /// The source in words: `database/container at host:port`.
    pub source: String,
    /// The prefix of the leases; it holds the rids, so no other container has the same.
    pub prefix: String,
    /// The leases, in order of their ids.
    pub leases: Vec<BookmarkedLease>,
}

/// One lease of a bookmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookmarkedLease {
    /// Id of the document.
    pub id: String,
    /// `LeaseToken`.
    pub token: String,
    /// Its range of the key space, where the document told it.
    pub range: Option<EpkRange>,
    /// Who owned it then.
    pub owner: Option<String>,
    /// `ContinuationToken` as it was, quotes included; `None` = nothing was stored yet.
    pub continuation: Option<String>,
    /// The position for people.
    pub position: Option<String>,
}

/// Why a file is no bookmark, or a bookmark cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BookmarkError {
    /// Not the JSON of a bookmark.
    #[error("it is no bookmark: {0}")]
    Json(String),
    /// Written by a newer program.
    #[error("it has version {0}, this program reads version 1; use the newer program")]
    Version(u32),
    /// Not a name for a bookmark.
    #[error(
        "{0:?} is no name for a bookmark: take 1 to 64 letters, digits, '-', '_' or '.', the first a letter or digit"
    )]
    Name(String),
    /// A lease that does not belong to the prefix.
    #[error("the lease {id} is not one of {prefix}")]
    Foreign {
        /// Id of the lease.
        id: String,
        /// The bookmark's prefix.
        prefix: String,
    },
    /// A lease of Java's processor.
    #[error(
        "the lease {0} belongs to a Java processor, whose positions are not ours to change; use another prefix"
    )]
    Java(String),
    /// Positions of another container mean nothing here, even if it has the same name.
    #[error(
        "the bookmark {name} is of the leases {of}, these are {now}: the container was deleted and created again, so its positions mean nothing now"
    )]
    Former {
        /// Name of the bookmark.
        name: String,
        /// Its prefix.
        of: String,
        /// That of the leases of now.
        now: String,
    },
}

/// How one lease stands to its bookmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// At the bookmark.
    Same,
    /// Going back replays so many LSNs; `None` = the positions cannot be counted.
    Replays(Option<u64>),
    /// The lease is behind the bookmark: restoring would skip so many LSNs.
    Skips(Option<u64>),
    /// The lease had no position when the bookmark was made.
    NoPosition,
    /// No lease covers the range any more.
    Gone,
    /// The lease covers more than the bookmarked range.
    Merged,
    /// The bookmark knows nothing of this lease.
    New,
}

impl Change {
    /// One word for JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Replays(_) => "replays",
            Self::Skips(_) => "skips",
            Self::NoPosition => "noPosition",
            Self::Gone => "gone",
            Self::Merged => "merged",
            Self::New => "new",
        }
    }

    /// How many LSNs would be replayed or skipped, where it can be told.
    pub fn lsns(self) -> Option<u64> {
        match self {
            Self::Same => Some(0),
            Self::Replays(lsns) | Self::Skips(lsns) => lsns,
            _ => None,
        }
    }
}

/// A lease then and now.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// In the bookmark.
    pub then: Option<&'a BookmarkedLease>,
    /// In the lease container.
    pub now: Option<&'a Lease>,
    /// `now` is a child of `then`, whose range was split since.
    pub split: bool,
    /// What restoring would do.
    pub change: Change,
}

impl Difference<'_> {
    /// Whether this lease is meant, by its id or token or by those of its parent in the bookmark.
    pub fn is_named(&self, name: &str) -> bool {
        self.then.is_some_and(|then| then.id == name || then.token == name)
            || self.now.is_some_and(|now| now.id() == name || now.token() == name)
    }

    /// Id of the lease: today's, else the bookmarked one.
    pub fn id(&self) -> &str {
        self.now.map(Lease::id).or_else(|| self.then.map(|then| then.id.as_str())).unwrap_or_default()
    }

    /// Its token.
    pub fn token(&self) -> &str {
        self.now.map(Lease::token).or_else(|| self.then.map(|then| then.token.as_str())).unwrap_or_default()
    }
}

impl Bookmark {
    /// Bookmarks these leases.
    ///
    /// # Errors
    /// The name is none, or a lease is of another prefix or of Java's processor.
    pub fn new(
        name: &str,
        saved_at: Timestamp,
        source: String,
        prefix: &LeasePrefix,
        leases: &[Lease],
    ) -> Result<Self, BookmarkError> {
        if let Some(java) = leases.iter().find(|lease| !lease.kind().is_ours_to_run()) {
            return Err(BookmarkError::Java(java.id().to_owned()));
        }
        let mut leases: Vec<BookmarkedLease> = leases.iter().map(BookmarkedLease::of).collect();
        leases.sort_by(|a, b| a.id.cmp(&b.id));
        let prefix = prefix.as_str().to_owned();
        Self { version: VERSION, name: name.to_owned(), saved_at, source, prefix, leases }.checked()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is no bookmark of this version, or one of its leases is not of its prefix.
    pub fn parse(file: &[u8]) -> Result<Self, BookmarkError> {
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        let wrong = |error: serde_json::Error| {
            BookmarkError::Json(match error.classify() {
                // Its words quote what stands there, which may be anything.
                Category::Data => format!("another form at line {} column {}", error.line(), error.column()),
                Category::Io | Category::Syntax | Category::Eof => error.to_string(),
            })
        };
        let Form { version } = serde_json::from_slice(file).map_err(wrong)?;
        if version != VERSION {
            return Err(BookmarkError::Version(version));
        }
        serde_json::from_slice::<Self>(file).map_err(wrong)?.checked()
    }

    fn checked(self) -> Result<Self, BookmarkError> {
        Self::check_name(&self.name)?;
        for BookmarkedLease { id, .. } in &self.leases {
            let own = LeaseId::parse(id).is_some_and(|parsed| {
                parsed.prefix.as_str() == self.prefix && matches!(parsed.part, IdPart::Lease(_))
            });
            if !own {
                return Err(BookmarkError::Foreign { id: id.clone(), prefix: self.prefix });
            }
        }
        Ok(self)
    }

    /// Refuses leases of another prefix than that of the bookmark.
    ///
    /// # Errors
    /// They are of another container, be it one of the same name.
    pub fn check_prefix(&self, prefix: &LeasePrefix) -> Result<(), BookmarkError> {
        if self.prefix == prefix.as_str() {
            return Ok(());
        }
        let (name, of, now) = (self.name.clone(), self.prefix.clone(), prefix.as_str().to_owned());
        Err(BookmarkError::Former { name, of, now })
    }

    /// Names become names of files, so they hold nothing that a file system takes amiss.
    ///
    /// # Errors
    /// Another character, too long, or empty.
    pub fn check_name(name: &str) -> Result<(), BookmarkError> {
        let fits = name.len() <= LONGEST_NAME
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if fits { Ok(()) } else { Err(BookmarkError::Name(name.to_owned())) }
    }

    /// The leases of today against the bookmark: first what it knows in its order, then what is new.
    ///
    /// A lease with the id of a bookmarked one is the same lease. Else one whose range lies inside of a
    /// bookmarked range is a child of a split: a position of the parent is one of the child, too.
    pub fn differences<'a>(&'a self, now: &'a [Lease]) -> Vec<Difference<'a>> {
        let mut now: Vec<&Lease> = now.iter().collect();
        now.sort_by(|a, b| a.id().cmp(b.id()));
        let mut found: Vec<(usize, Difference<'a>)> = Vec::with_capacity(now.len());
        for lease in now {
            let (place, split) = self.place_of(lease);
            let then = place.and_then(|place| self.leases.get(place));
            let change = match then {
                None => Change::New,
                Some(_) if split == Kinship::Merged => Change::Merged,
                Some(then) => then.change_to(lease),
            };
            let split = split == Kinship::Child;
            found.push((place.unwrap_or(usize::MAX), Difference { then, now: Some(lease), split, change }));
        }
        for (place, then) in self.leases.iter().enumerate() {
            if !found.iter().any(|(other, _)| *other == place) {
                found.push((
                    place,
                    Difference { then: Some(then), now: None, split: false, change: Change::Gone },
                ));
            }
        }
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, difference)| difference).collect()
    }

    fn place_of(&self, lease: &Lease) -> (Option<usize>, Kinship) {
        if let Some(place) = self.leases.iter().position(|then| then.id == lease.id()) {
            return (Some(place), Kinship::Same);
        }
        let by_range = |fits: &dyn Fn(&EpkRange, &EpkRange) -> bool| {
            let range = lease.range()?;
            self.leases.iter().position(|then| then.range.as_ref().is_some_and(|then| fits(then, range)))
        };
        if let Some(place) = by_range(&|then, now| then.contains(now)) {
            return (Some(place), Kinship::Child);
        }
        match by_range(&|then, now| then.overlaps(now)) {
            Some(place) => (Some(place), Kinship::Merged),
            None => (None, Kinship::Same),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinship {
    Same,
    Child,
    Merged,
}

impl BookmarkedLease {
    fn of(lease: &Lease) -> Self {
        Self {
            id: lease.id().to_owned(),
            token: lease.token().to_owned(),
            range: lease.range().cloned(),
            owner: lease.owner().map(ToOwned::to_owned),
            continuation: lease.continuation().map(ToOwned::to_owned),
            position: lease.position_text(),
        }
    }

    fn change_to(&self, now: &Lease) -> Change {
        let Some(then) = &self.continuation else {
            return if now.continuation().is_none() { Change::Same } else { Change::NoPosition };
        };
        let Some(stored) = now.continuation() else {
            // It would begin with the first change: the bookmark is ahead of that.
            return if now.starts_from_beginning() { Change::Skips(None) } else { Change::Replays(None) };
        };
        if then == stored {
            return Change::Same;
        }
        match (lsn(then), lsn(stored)) {
            (Some(then), Some(now)) if then == now => Change::Same,
            (Some(then), Some(now)) if then < now => Change::Replays(Some(now - then)),
            (Some(then), Some(now)) => Change::Skips(Some(then - now)),
            _ => Change::Replays(None),
        }
    }
}

fn lsn(continuation: &str) -> Option<u64> {
    continuation.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RAW: &str = "cache-localhost_bQ8uAA==_bQ8uAKjLr1s=";

    fn prefix() -> LeasePrefix {
        LeasePrefix::from_raw(RAW)
    }

    fn lease(min: &str, max: &str, at: Option<&str>) -> Lease {
        Lease::new_epk(&prefix(), &EpkRange::new(min, max), at)
    }

    fn bookmark(leases: &[Lease]) -> Bookmark {
        Bookmark::new("before", Timestamp::UNIX_EPOCH, "shop/prices".into(), &prefix(), leases).unwrap()
    }

    fn changes(then: &[Lease], now: &[Lease]) -> Vec<(String, bool, Change)> {
        let bookmark = bookmark(then);
        let found = bookmark.differences(now);
        found.iter().map(|d| (d.token().to_owned(), d.split, d.change)).collect()
    }

    #[test]
    fn a_lease_is_told_by_what_restoring_would_do() {
        let then = |at| [lease("", "FF", at)];
        for (before, after, change) in [
            (Some("\"7\""), Some("\"7\""), Change::Same),
            (Some("\"7\""), Some("\"12\""), Change::Replays(Some(5))),
            (Some("\"12\""), Some("\"7\""), Change::Skips(Some(5))),
            (Some("\"7\""), None, Change::Replays(None)),
            (Some("\"abc\""), Some("\"7\""), Change::Replays(None)),
            (None, Some("\"7\""), Change::NoPosition),
            (None, None, Change::Same),
        ] {
            let found = changes(&then(before), &then(after));
            assert_eq!(found, [("-FF".to_owned(), false, change)], "{before:?} {after:?}");
        }
        let mut again = lease("", "FF", None);
        again.mark_from_beginning();
        assert_eq!(changes(&then(Some("\"7\"")), &[again])[0].2, Change::Skips(None));
    }

    #[test]
    fn children_of_a_split_take_the_position_of_their_parent() {
        let then = [lease("", "1F", Some("\"7\"")), lease("1F", "FF", Some("\"3\""))];
        let now = [
            lease("1F", "2F", Some("\"4\"")),
            lease("", "1F", Some("\"7\"")),
            lease("2F", "FF", Some("\"9\"")),
        ];
        assert_eq!(
            changes(&then, &now),
            [
                ("-1F".to_owned(), false, Change::Same),
                ("1F-2F".to_owned(), true, Change::Replays(Some(1))),
                ("2F-FF".to_owned(), true, Change::Replays(Some(6))),
            ]
        );
        let bookmark = bookmark(&then);
        let found = bookmark.differences(&now);
        assert_eq!(found.iter().filter(|d| d.is_named("1F-FF")).count(), 2, "the parent's name");
        assert_eq!(found.iter().filter(|d| d.is_named("2F-FF")).count(), 1);
    }

    #[test]
    fn gone_new_and_merged_are_told_apart() {
        let then = [lease("", "1F", Some("\"7\"")), lease("1F", "2F", Some("\"3\""))];
        let now = [lease("1F", "2F", Some("\"3\"")), lease("2F", "FF", None)];
        assert_eq!(
            changes(&then, &now),
            [
                ("-1F".to_owned(), false, Change::Gone),
                ("1F-2F".to_owned(), false, Change::Same),
                ("2F-FF".to_owned(), false, Change::New),
            ]
        );
        let found = changes(&then[..1], &[lease("", "FF", Some("\"9\""))]);
        assert_eq!(found, [("-FF".to_owned(), false, Change::Merged)]);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let java = Lease::parse(
            br#"{"id":"localhost_shop_prices..0","LeaseToken":"0","ContinuationToken":"\"11\"","Owner":"h"}"#,
        )
        .unwrap();
        let prefix = LeasePrefix::from_raw("localhost_shop_prices");
        let made = Bookmark::new("a", Timestamp::UNIX_EPOCH, String::new(), &prefix, &[java]);
        assert_eq!(made, Err(BookmarkError::Java("localhost_shop_prices..0".into())));

        let file = serde_json::to_string(&bookmark(&[lease("", "FF", None)])).unwrap();
        let other = file.replacen(RAW, "theirs-localhost_bQ8uAA==_bQ8uAKjLr1s=", 1);
        assert!(matches!(Bookmark::parse(other.as_bytes()), Err(BookmarkError::Foreign { .. })));
        let newer = file.replacen("\"version\":1", "\"version\":2,\"leases\":0", 1);
        assert!(Bookmark::parse(newer.as_bytes()).is_err());
        assert_eq!(Bookmark::parse(br#"{"version":2}"#), Err(BookmarkError::Version(2)));
    }

    #[test]
    fn names_are_safe_names_of_files() {
        for name in ["before-1.2", "A", "2026-03-01_night"] {
            assert_eq!(Bookmark::check_name(name), Ok(()), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "-x", "ä", "a b", "a\0", &"x".repeat(65)] {
            assert!(Bookmark::check_name(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_bookmark_is_read_as_it_was_written(
            name in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            source in ".{0,40}",
            seconds in 0_i64..4_000_000_000,
            leases in prop::collection::btree_map(
                "[0-9A-F]{0,6}", (prop::option::of(".{0,20}"), prop::option::of(".{0,12}")), 0..6),
        ) {
            let leases: Vec<Lease> = leases
                .into_iter()
                .map(|(min, (at, owner))| {
                    let mut lease = lease(&min, "FF", at.as_deref().filter(|at| !at.starts_with("eyJ")));
                    lease.set_owner(owner.as_deref());
                    lease
                })
                .collect();
            let at = Timestamp::from_second(seconds).unwrap();
            let made = Bookmark::new(&name, at, source, &prefix(), &leases).unwrap();
            let read = Bookmark::parse(&serde_json::to_vec_pretty(&made).unwrap()).unwrap();
            prop_assert_eq!(&read, &made);
            prop_assert!(read.differences(&leases).iter().all(|d| d.change == Change::Same));
        }

        #[test]
        fn no_file_is_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..600) {
            let _ = Bookmark::parse(&bytes);
            let mut file = serde_json::to_vec(&bookmark(&[lease("", "FF", Some("\"1\""))])).unwrap();
            file.truncate(cut.min(file.len() - 1));
            prop_assert!(Bookmark::parse(&file).is_err());
        }
    }
}
