//! A HdrHistogram interval log: one interval, the whole run, for each stage, tagged by its name.
//! Values are microseconds; the `Interval_Max` column is in milliseconds.

use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::latency::Stage;

use super::LatencyExport;

pub(super) fn log(export: &LatencyExport) -> String {
    let mut out = Vec::new();
    if let Err(error) = write(export, &mut out) {
        // A Vec takes everything and our histograms are of one shape: told all the same.
        return format!("#[syncscope: the log could not be written: {error}]\n");
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn write(export: &LatencyExport, out: &mut Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
    let mut serializer = V2DeflateSerializer::new();
    let begun = std::time::UNIX_EPOCH
        + Duration::from_millis(u64::try_from(export.begun.as_millisecond()).unwrap_or_default());
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment(&format!("syncscope {}: latency in microseconds", env!("CARGO_PKG_VERSION")))
        .with_start_time(begun)
        .with_base_time(begun)
        .with_max_value_divisor(1_000.0);
    let mut log = builder.begin_log_with(out, &mut serializer)?;
    for (stage, histogram) in Stage::ALL.into_iter().zip(&export.histograms) {
        if !histogram.is_empty() {
            log.write_histogram(histogram, Duration::ZERO, export.ran, Tag::new(stage.word()))
                .map_err(|error| format!("{error:?}"))?;
        }
    }
    Ok(())
}
