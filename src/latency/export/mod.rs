//! What was measured in a run, for others: CSV, JSON, HdrHistogram log, and a report in HTML.

mod charts;
mod hlog;
mod html;
mod table;

use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::Timestamp;

use super::LatencySnapshot;
use super::heat::HeatMap;

/// Forms of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// A page with charts, in one file.
    Html,
    /// Everything, for programs.
    Json,
    /// Percentiles by stage, for spreadsheets.
    Csv,
    /// A HdrHistogram interval log (V2, deflated), one tagged line a stage.
    Hlog,
}

impl ExportForm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Html, Self::Json, Self::Csv, Self::Hlog];

    /// The end of the file's name, without its dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Hlog => "hlog",
        }
    }

    /// What it is for, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Html => "a report with charts, one file, opens offline",
            Self::Json => "everything, for programs",
            Self::Csv => "percentiles by stage, for spreadsheets",
            Self::Hlog => "HdrHistogram log, for its own tools",
        }
    }

    /// By the end of a file's name.
    pub fn of(path: &str) -> Option<Self> {
        let path = path.to_ascii_lowercase();
        let (_, end) = path.rsplit_once('.')?;
        Self::ALL.into_iter().find(|form| form.extension() == end)
    }
}

/// What was measured in a run.
#[derive(Debug, Clone)]
pub struct LatencyExport {
    /// First write.
    pub begun: Timestamp,
    /// From the first write to the making of this.
    pub ran: Duration,
    /// When it was made.
    pub made: Timestamp,
    /// Figures.
    pub snapshot: LatencySnapshot,
    /// Facts for the head of the report: name and words, without secrets.
    pub about: Vec<(String, String)>,
    /// By `Stage::ALL`, in microseconds.
    pub(super) histograms: Vec<Histogram<u64>>,
    /// The whole way over the whole run.
    pub(super) run: HeatMap,
}

impl LatencyExport {
    /// Leaves out which documents the slowest ones were.
    pub fn mask_ids(&mut self) {
        for probe in &mut self.snapshot.slowest {
            "•••".clone_into(&mut probe.id);
        }
    }

    /// The content of a file.
    pub fn write(&self, form: ExportForm) -> String {
        match form {
            ExportForm::Html => html::page(self),
            ExportForm::Json => format!("{:#}\n", table::json(self)),
            ExportForm::Csv => table::csv(self),
            ExportForm::Hlog => hlog::log(self),
        }
    }

    /// As one value, for a line of JSON.
    pub fn json(&self) -> serde_json::Value {
        table::json(self)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Instant;

    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::latency::{LatencyTracker, TIME_LIMIT};

    /// A run of a minute with a slow spell in the middle.
    fn run() -> LatencyExport {
        let tracker = LatencyTracker::new().with_target(Duration::from_millis(25), 0.99);
        let start = Instant::now() + TIME_LIMIT * 4;
        for n in 0..3_000_u64 {
            let at = |micros: u64| start + Duration::from_millis(n * 20) + Duration::from_micros(micros);
            let slow = if (1_200..1_400).contains(&n) { 30_000 + (n * 377 % 60_000) } else { n * 7 % 900 };
            let id = format!("<p&{n:04}>");
            tracker.sent(&id, at(0), at(slow / 4));
            tracker.acknowledged(&id, "1", at(900 + slow / 2));
            tracker.seen_in_feed(&id, "1", at(2_800 + slow));
            tracker.delivered(&id, "1", at(3_100 + slow));
            tracker.in_cache(&id, "1", at(3_900 + slow));
        }
        let wall = "2026-11-24T15:00:00Z".parse().unwrap();
        let mut export = tracker.export(start + Duration::from_secs(60), wall);
        export.about = vec![("source".to_owned(), "shop/prices <b>".to_owned())];
        export
    }

    #[test]
    fn the_csv_has_a_row_a_stage() {
        let csv = run().write(ExportForm::Csv);
        let rows: Vec<&str> = csv.lines().collect();
        assert_eq!(rows.len(), 7, "{csv}");
        assert!(rows[0].starts_with("stage,count,min_ms,mean_ms,p50_ms"));
        assert!(rows[1].starts_with("write,3000,0.") && rows[6].starts_with("whole,3000,"));
    }

    #[test]
    fn the_json_tells_everything() {
        let json: serde_json::Value = serde_json::from_str(&run().write(ExportForm::Json)).unwrap();
        assert_eq!(json["stages"].as_array().unwrap().len(), 6);
        assert_eq!(json["target"]["millis"], 25);
        assert_eq!(json["target"]["met"], false, "a slow spell of 200 of 3000");
        let time = json["over_time"].as_array().unwrap();
        assert_eq!(time.len(), 61);
        let count: u64 = time.iter().map(|slot| slot["count"].as_u64().unwrap()).sum();
        assert_eq!(count, 3_000);
        assert_eq!(json["slowest"].as_array().unwrap().len(), 10);
    }

    #[test]
    fn the_log_is_read_by_hdrhistogram_itself() {
        let log = run().write(ExportForm::Hlog);
        let mut tags = Vec::new();
        for entry in IntervalLogIterator::new(log.as_bytes()) {
            if let LogEntry::Interval(interval) = entry.unwrap() {
                let bytes = base64::Engine::decode(
                    &base64::engine::general_purpose::STANDARD,
                    interval.encoded_histogram(),
                );
                let histogram: Histogram<u64> =
                    Deserializer::new().deserialize(&mut bytes.unwrap().as_slice()).unwrap();
                assert_eq!(histogram.len(), 3_000);
                tags.push(interval.tag().unwrap().as_str().to_owned());
            }
        }
        assert_eq!(tags, ["write", "feed", "lease", "cache", "total", "whole"]);
    }

    #[test]
    fn the_report_is_one_page_that_needs_nothing_else() {
        let page = run().write(ExportForm::Html);
        assert!(page.starts_with("<!DOCTYPE html>"));
        for outside in ["http://", "https://", "src=", "@import", "url(", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("&lt;p&amp;") && page.contains("shop/prices &lt;b&gt;"), "ids are escaped");
        assert!(page.contains("missed") && page.matches("<svg").count() >= 4);
        assert!(page.len() < 2_000_000, "{}", page.len());
    }

    #[test]
    fn an_empty_run_is_told_as_such_in_every_form() {
        let start = Instant::now() + TIME_LIMIT;
        let export = LatencyTracker::new().export(start, Timestamp::UNIX_EPOCH);
        for form in ExportForm::ALL {
            assert!(!export.write(form).is_empty());
        }
        assert!(export.write(ExportForm::Html).contains("No probe"));
    }

    #[test]
    fn forms_are_known_by_the_name_of_the_file() {
        assert_eq!(ExportForm::of("a/B.HTML"), Some(ExportForm::Html));
        assert_eq!(ExportForm::of("x.hlog"), Some(ExportForm::Hlog));
        assert_eq!(ExportForm::of("xhlog"), None);
    }
}
