//! Splitting a partition of the embedded emulator, to watch leases follow.

use std::sync::Arc;

use crate::cosmos::PhysicalRange;
use crate::embedded::cosmos::Emulator;

use super::Shared;
use super::event::Level;
use super::source::SourceReceiver;

/// Splits on request.
pub(super) struct Splitter {
    pub(super) emulator: Option<Arc<Emulator>>,
    pub(super) source: SourceReceiver,
    pub(super) shared: Arc<Shared>,
}

impl Splitter {
    /// Splits the widest partition of the source in two, and tells how that went.
    pub(super) async fn split(&self) {
        match self.try_split().await {
            Ok(text) => self.shared.report.log(Level::Info, "cosmos", text).await,
            Err(text) => self.shared.report.log(Level::Warning, "cosmos", text).await,
        }
    }

    async fn try_split(&self) -> Result<String, String> {
        let Some(emulator) = &self.emulator else {
            return Err(
                "only the embedded emulator's partitions can be split; run `syncscope demo`".to_owned()
            );
        };
        let Some(source) = self.source.borrow().as_ref().map(|source| source.monitored.clone()) else {
            return Err("the source is not there yet".to_owned());
        };
        let ranges = source.feed_ranges(true).await.map_err(|error| error.with_remedy())?;
        let widest = ranges.iter().max_by(|a, b| width(a).total_cmp(&width(b)));
        let Some(id) = widest.and_then(|range| range.id.parse().ok()) else {
            return Err("the source has no partition that can be split".to_owned());
        };
        let [left, right] =
            emulator.split(source.database(), source.name(), id).map_err(|error| error.to_string())?;
        Ok(format!("partition {id} was split into {left} and {right}"))
    }
}

fn width(range: &PhysicalRange) -> f64 {
    let (from, to) = range.range.share();
    to - from
}
