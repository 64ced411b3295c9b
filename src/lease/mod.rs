//! Lease documents of change feed processors: kinds, document, store, balance, lag, deeds. Knows no cache.
//!
//! The format is .NET's (azure-cosmos-dotnet-v3, `src/ChangeFeedProcessor`); all kinds are read and continued,
//! unknown properties survive every write, and what we create are EPK leases (`version` 1).

mod balance;
mod bookmark;
mod clock;
mod deed;
mod document;
mod kind;
mod lag;
mod prefix;
mod restore;
mod storage;
mod store;
mod take_over;
mod timestamp;
mod update;

pub use balance::{Share, balance};
pub use bookmark::{Bookmark, BookmarkError, BookmarkedLease, Change, Difference};
pub use clock::Clock;
pub use deed::{LeaseDeed, LeaseOrder, LeaseOutcome, LeasePlan, LeaseStep, PlannedLease, perform};
pub use document::{Lease, LeaseParseError};
pub use kind::LeaseKind;
pub use lag::{estimate, lag};
pub use prefix::{IdPart, LeaseId, LeasePrefix};
pub use restore::{ComparedLease, Comparison, RestoreOrder, RestoreOutcome, RestorePlan, restore};
pub use storage::{LeaseStorage, Marker};
pub use store::{LeaseStore, all_prefixes};
pub use update::{LeaseUpdater, UpdateError};
