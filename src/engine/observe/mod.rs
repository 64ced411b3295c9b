//! The observers: feed, leases, cache. They watch and never touch what they watch.

mod away;
pub(super) mod cache;
pub(super) mod feed;
mod late;
pub(super) mod leases;
