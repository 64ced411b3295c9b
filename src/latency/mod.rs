//! Probes: how long a write takes to the feed and into the cache, by stage. Documents that we wrote
//! ourselves are followed by their etag; reports come from several tasks, in any order, the first wins.
//! Pure but for a lock: every instant is given by the caller.

mod probe;
mod record;
mod summary;
mod tracker;

#[cfg(test)]
mod tests;

pub use summary::{LatencySnapshot, ProbeTiming, Stage, StageSummary};
pub use tracker::{LatencyTracker, TIME_LIMIT};
