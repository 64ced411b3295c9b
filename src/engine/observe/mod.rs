//! The observers: feed, leases, cache. They watch and never touch what they watch.

pub(super) mod cache;
pub(super) mod feed;
pub(super) mod leases;
