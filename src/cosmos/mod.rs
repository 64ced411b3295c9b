//! Cosmos DB as this program needs it: accounts, containers, documents, feed pages, continuations.
//! The only room (beside `embedded`) that knows the SDK's types.

mod range;

pub use range::EpkRange;
