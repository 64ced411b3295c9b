//! Lease documents of change feed processors: kinds, store, lag. Knows no cache.

mod kind;

pub use kind::LeaseKind;
