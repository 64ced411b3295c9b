//! Cosmos DB as this program needs it: accounts, containers, documents, feed pages, continuations.
//! The only room (beside `embedded`) that knows the SDK's types. It speaks through the SDK's driver crate
//! alone: one connection pool, own headers, and a page of the feed stays the bytes that came.

mod account;
mod container;
mod continuation;
mod error;
mod feed;
mod news;
mod partition_key;
mod probe;
mod query;
mod range;
mod topology;

pub use account::{Account, ContainerSpec};
pub use container::{Container, Document, WriteReceipt};
pub use continuation::{FeedToken, TokenError};
pub use error::CosmosError;
pub use feed::{FeedPage, FeedPosition, FeedScope};
pub use news::News;
pub use partition_key::{PartitionKey, PartitionKeyPart};
pub use range::EpkRange;
pub use topology::PhysicalRange;

/// The system properties: Cosmos adds them to every document, `_lsn` in feeds only, and drops them in writes.
pub const SYSTEM_PROPERTIES: [&str; 6] = ["_rid", "_self", "_etag", "_attachments", "_ts", "_lsn"];
