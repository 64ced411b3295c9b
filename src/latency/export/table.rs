//! Figures as a table and as JSON.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::latency::{ProbeTiming, Stage};

use super::LatencyExport;

/// Quantiles told, with their names.
pub(super) const QUANTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

pub(super) fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// A quantile in milliseconds, never above the longest.
pub(super) fn quantile(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    millis(histogram.value_at_quantile(quantile).min(histogram.max()))
}

fn mean(histogram: &Histogram<u64>) -> f64 {
    (histogram.mean().round()) / 1_000.0
}

/// The shortest that was recorded; an empty histogram has none.
fn min(histogram: &Histogram<u64>) -> f64 {
    if histogram.is_empty() { 0.0 } else { millis(histogram.min()) }
}

pub(super) fn csv(export: &LatencyExport) -> String {
    let mut out = "stage,count,min_ms,mean_ms".to_owned();
    for (name, _) in QUANTILES {
        let _ = write!(out, ",{name}_ms");
    }
    out.push_str(",max_ms\n");
    for (stage, histogram) in Stage::ALL.into_iter().zip(&export.histograms) {
        let _ = write!(out, "{},{}", stage.word(), histogram.len());
        let figures = [min(histogram), mean(histogram)]
            .into_iter()
            .chain(QUANTILES.iter().map(|(_, at)| quantile(histogram, *at)))
            .chain([millis(histogram.max())]);
        for figure in figures {
            // No probe is not "no time".
            if histogram.is_empty() {
                out.push(',');
            } else {
                let _ = write!(out, ",{figure:.3}");
            }
        }
        out.push('\n');
    }
    out
}

pub(super) fn json(export: &LatencyExport) -> Value {
    let snapshot = &export.snapshot;
    let stages: Vec<Value> = Stage::ALL
        .into_iter()
        .zip(&export.histograms)
        .map(|(stage, histogram)| {
            let mut row = json!({ "stage": stage.word(), "about": stage.about(), "count": histogram.len() });
            if !histogram.is_empty() {
                row["min_ms"] = json!(min(histogram));
                row["mean_ms"] = json!(mean(histogram));
                for (name, at) in QUANTILES {
                    row[format!("{name}_ms")] = json!(quantile(histogram, at));
                }
                row["max_ms"] = json!(millis(histogram.max()));
            }
            row
        })
        .collect();
    let width = export.run.width();
    let over_time: Vec<Value> = export
        .run
        .slots()
        .enumerate()
        .map(|(i, slot)| {
            json!({
                "second": export.run.begins() + i as u64 * width,
                "count": slot.count(),
                "p50_ms": slot.quantile(0.5), "p95_ms": slot.quantile(0.95), "p99_ms": slot.quantile(0.99),
                "max_ms": slot.max(),
            })
        })
        .collect();
    let slowest: Vec<Value> = snapshot
        .slowest
        .iter()
        .map(|probe| {
            let ProbeTiming { write, feed, lease, cache } = probe.timing;
            json!({
                "id": probe.id, "at": probe.at.to_string(), "whole_ms": probe.whole, "waited_ms": probe.waited,
                "write_ms": write, "feed_ms": feed, "lease_ms": lease, "cache_ms": cache,
            })
        })
        .collect();
    let target = snapshot.target.map(|target| {
        json!({
            "millis": target.millis, "share": target.share, "within": target.within, "of": target.of,
            "reached": target.reached(), "met": target.reached().map(|_| !target.is_missed()),
        })
    });
    let about: serde_json::Map<String, Value> =
        export.about.iter().map(|(name, words)| (name.clone(), Value::from(words.as_str()))).collect();
    json!({
        "begun": export.begun.to_string(),
        "seconds": (export.ran.as_secs_f64() * 1e3).round() / 1e3,
        "about": about,
        "target": target,
        "stages": stages,
        "open": snapshot.open, "folded": snapshot.folded, "lost": snapshot.lost,
        "slot_seconds": width,
        "over_time": over_time,
        "slowest": slowest,
    })
}
