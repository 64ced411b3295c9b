//! Probes: how long a write takes to the feed and into the cache, by stage. Documents that we wrote
//! ourselves are followed by their etag; reports come from several tasks, in any order, the first wins.
//! Writes at a rate are measured from the moment that the rate intended (no coordinated omission).
//! Pure but for a lock: every instant is given by the caller.

mod export;
mod heat;
mod probe;
mod record;
mod slowest;
mod summary;
mod target;
mod tracker;

#[cfg(test)]
mod tests;

pub use export::{ExportForm, LatencyExport};
pub use heat::{BUCKETS, HeatMap, Slot, band_edge};
pub use summary::{LatencySnapshot, ProbeTiming, SlowProbe, Stage, StageSummary, TargetFigures};
pub use tracker::{LatencyTracker, TIME_LIMIT};
