//! What the measurements come to: plain figures in milliseconds, for any face to show.

/// Stages of a probe's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Write sent → acknowledged by Cosmos.
    Write,
    /// Acknowledged → seen in the feed.
    Feed,
    /// Seen in the feed → in the cache.
    Cache,
    /// Acknowledged → in the cache.
    Total,
}

impl Stage {
    /// In the order of the way.
    pub const ALL: [Self; 4] = [Self::Write, Self::Feed, Self::Cache, Self::Total];
}

/// Latency figures of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageSummary {
    /// Which.
    pub stage: Stage,
    /// Probes measured.
    pub count: u64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p95: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Milliseconds.
    pub max: f64,
    /// Median of each of the last seconds in milliseconds, oldest first; `None` = no probe.
    pub recent: Vec<Option<f64>>,
}

/// Latency figures of all stages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LatencySnapshot {
    /// In the order write, feed, cache, total; empty before the first probe.
    pub stages: Vec<StageSummary>,
    /// Probes under way.
    pub open: u64,
    /// Probes whose version never came (a later one was delivered instead).
    pub folded: u64,
    /// Probes given up after the time limit.
    pub lost: u64,
}

/// Milliseconds of a probe's stages; `None` = not reached yet.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProbeTiming {
    /// Sent → acknowledged.
    pub write: Option<f64>,
    /// Acknowledged → in the feed.
    pub feed: Option<f64>,
    /// In the feed → in the cache.
    pub cache: Option<f64>,
}
