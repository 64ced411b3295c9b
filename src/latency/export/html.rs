//! The report: one page, no script, nothing from outside; light or dark as the reader prefers.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::latency::{ProbeTiming, SlowProbe, Stage, StageSummary};
use crate::wording::count;

use super::LatencyExport;
use super::charts::{self, millis};
use super::table::{QUANTILES, quantile};

const STYLE: &str = include_str!("../../../assets/report/report.css");

pub(super) fn page(export: &LatencyExport) -> String {
    let snapshot = &export.snapshot;
    let target = snapshot.target.map(|target| target.millis as f64);
    let whole = snapshot.stage(Stage::Whole);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Latency · " (title(export)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (head(export))
                    @match whole {
                        None => section { h2 { "No probe arrived" } p class="soft" {
                            "Latency is measured on documents that syncscope writes itself; none of them was seen in the cache."
                        } },
                        Some(whole) => {
                            (facts(export, whole))
                            section {
                                h2 { "Over time" }
                                p class="soft" { "Percentiles from the intended write to the entry in the cache, logarithmic. " (slots(export)) }
                                (charts::over_time(&export.run, target))
                            }
                            section {
                                h2 { "Heat map" }
                                p class="soft" { "The darker a cell, the more documents took so long at that time." }
                                (charts::heat(&export.run, target))
                            }
                            section {
                                h2 { "Distribution" }
                                p class="soft" { "How many documents took how long, over the whole run." }
                                (charts::histogram(&export.run, target))
                            }
                            (stages(export))
                            (slowest(&snapshot.slowest))
                        }
                    }
                    (foot(export))
                }
            }
        }
    };
    page.into_string()
}

fn title(export: &LatencyExport) -> &str {
    export.about.first().map_or("syncscope", |(_, words)| words.as_str())
}

fn slots(export: &LatencyExport) -> String {
    match export.run.width() {
        1 => "A point a second.".to_owned(),
        width => format!("A point every {width} seconds."),
    }
}

fn head(export: &LatencyExport) -> Markup {
    let begun = export.begun.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let verdict = export.snapshot.target.map(|target| match target.reached_percent() {
        None => ("wait", "no probe yet".to_owned(), target),
        Some(share) => (if target.is_missed() { "bad" } else { "good" }, share, target),
    });
    html! {
        header {
            div {
                h1 { "From the write to the cache" }
                p class="soft" { (begun) " · " (format!("{:.0} s", export.ran.as_secs_f64())) }
                @for (name, words) in &export.about {
                    p class="small" { span class="soft" { (name) " " } (words) }
                }
            }
            @if let Some((class, share, target)) = verdict {
                div class=(format!("verdict {class}")) {
                    b { (share) " within " (millis(target.millis as f64)) }
                    @match class {
                        "bad" => "✗ target missed: ", "good" => "✓ target met: ", _ => "target: ",
                    }
                    (target.wanted()) " of " (count(target.of))
                }
            }
        }
    }
}

fn facts(export: &LatencyExport, whole: &StageSummary) -> Markup {
    let snapshot = &export.snapshot;
    let seconds = export.ran.as_secs_f64().max(0.001);
    let rows = [
        ("median", millis(whole.p50), ""),
        ("95th percentile", millis(whole.p95), ""),
        ("99th percentile", millis(whole.p99), ""),
        ("longest", millis(whole.max), ""),
        ("documents", count(whole.count), ""),
        ("a second", format!("{:.1}", whole.count as f64 / seconds), ""),
        ("folded", count(snapshot.folded), ""),
        ("lost", count(snapshot.lost), if snapshot.lost > 0 { "bad" } else { "" }),
    ];
    html! {
        div class="facts" {
            @for (name, value, class) in rows {
                div class="fact" { b class=(class) { (value) } i { (name) } }
            }
        }
    }
}

fn stages(export: &LatencyExport) -> Markup {
    let of = |stage: Stage| export.histograms.get(stage as usize).filter(|histogram| !histogram.is_empty());
    let median = |stage| of(stage).map(|histogram| quantile(histogram, 0.5));
    let timing = ProbeTiming {
        write: median(Stage::Write),
        feed: median(Stage::Feed),
        lease: median(Stage::Lease),
        cache: median(Stage::Cache),
    };
    let parts = charts::parts(0.0, &timing);
    let most: f64 = parts.iter().map(|(_, _, value)| value).sum();
    html! {
        section {
            h2 { "By stage" }
            p class="soft" { "Medians of the stages, one after the other, and their percentiles." }
            (charts::way(&parts, most, 44.0))
            div class="legend" {
                @for (class, name, value) in &parts {
                    span style=(format!("--swatch: var(--{})", class.trim_start_matches("s-"))) {
                        (name) " " (millis(*value))
                    }
                }
            }
            div class="scroll" {
                table {
                    tr {
                        th { "stage" }
                        th { "n" }
                        @for (name, _) in QUANTILES { th { (name) } }
                        th { "max" }
                    }
                    @for stage in Stage::ALL {
                        tr class=(if stage == Stage::Whole { "strong" } else { "" }) {
                            td title=(stage.about()) { (stage.word()) " " span class="soft small" { (stage.about()) } }
                            @match of(stage) {
                                Some(histogram) => {
                                    td { (count(histogram.len())) }
                                    @for (_, at) in QUANTILES { td { (millis(quantile(histogram, at))) } }
                                    td { (millis(histogram.max() as f64 / 1_000.0)) }
                                }
                                None => { td { "0" } @for _ in 0..=QUANTILES.len() { td class="soft" { "—" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn slowest(slowest: &[SlowProbe]) -> Markup {
    let most = slowest.first().map_or(1.0, |probe| probe.whole);
    html! {
        section {
            h2 { "The slowest" }
            p class="soft" { "Where each of them spent its time; grey is the time that it waited to be sent." }
            div class="scroll" {
                table {
                    tr { th { "document" } th { "in the cache at" } th { "whole" } th class="left" { "where" } }
                    @for probe in slowest {
                        tr {
                            td { code { (short(&probe.id)) } }
                            td { (probe.at.strftime("%H:%M:%S%.3f").to_string()) }
                            td { (millis(probe.whole)) }
                            td class="way" { (charts::way(&charts::parts(probe.waited, &probe.timing), most, 28.0)) }
                        }
                    }
                }
            }
        }
    }
}

fn foot(export: &LatencyExport) -> Markup {
    html! {
        footer {
            p {
                "Measured on documents that syncscope wrote itself, from the moment at which each was meant to be written: a write "
                "that had to wait because the source was stalling counts with its wait (no coordinated omission). "
                "Folded documents were replaced by a later version before the feed was read; the feed brings only the latest, so "
                "they count neither as fast nor as lost. Lost ones never arrived within a minute, and miss every target."
            }
            p {
                "Percentiles over time are exact to 10%, those of the table to 0.1%. Made by syncscope "
                (env!("CARGO_PKG_VERSION")) " at " (export.made.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()) "."
            }
        }
    }
}

/// Ids may be long: their ends tell them apart.
fn short(id: &str) -> String {
    let count = id.chars().count();
    if count <= 40 {
        return id.to_owned();
    }
    let head: String = id.chars().take(19).collect();
    let tail: String = id.chars().skip(count - 19).collect();
    format!("{head}…{tail}")
}
