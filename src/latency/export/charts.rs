//! Charts as inline SVG: percentiles over time, heat map, histogram, stacked stages.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::latency::ProbeTiming;
use crate::latency::heat::{HeatMap, band_edge};

/// Width of the drawing area; the page scales it.
const WIDTH: f64 = 1_000.0;
/// Room for the words of the vertical axis.
const LEFT: f64 = 56.0;
/// Bands of a decade in heat map and histogram.
const PER_DECADE: usize = 12;

/// A logarithmic scale of milliseconds.
#[derive(Clone, Copy)]
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// From a little below the fastest to a little above the slowest, or the target.
    fn of(map: &HeatMap, target: Option<f64>) -> Self {
        let bands = bands(map);
        let first = bands.iter().position(|count| *count > 0).unwrap_or(0);
        let last = bands.iter().rposition(|count| *count > 0).unwrap_or(first) + 1;
        let least = band_edge(first, PER_DECADE);
        let most = band_edge(last, PER_DECADE).max(target.unwrap_or(0.0) * 1.15).max(least * 4.0);
        Self { least, most }
    }

    /// 0 at the least, 1 at the most.
    fn place(self, millis: f64) -> f64 {
        ((millis / self.least).ln() / (self.most / self.least).ln()).clamp(0.0, 1.0)
    }

    /// 1, 2 and 5 of each decade; of a wide scale only the 1.
    fn ticks(self) -> Vec<f64> {
        let wide = self.most / self.least > 2_000.0;
        let factors: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
        (-2..7)
            .flat_map(|decade| factors.iter().map(move |factor| factor * 10_f64.powi(decade)))
            .filter(|tick| (self.least..=self.most).contains(tick))
            .collect()
    }
}

/// Counts of the whole run by band.
fn bands(map: &HeatMap) -> Vec<u64> {
    let mut sum: Vec<u64> = Vec::new();
    for slot in map.slots() {
        let bands = slot.bands(PER_DECADE);
        sum.resize(bands.len().max(sum.len()), 0);
        sum.iter_mut().zip(bands).for_each(|(sum, count)| *sum += count);
    }
    sum
}

/// Milliseconds in words.
pub(super) fn millis(value: f64) -> String {
    match value {
        v if v >= 10_000.0 => format!("{:.0} s", v / 1_000.0),
        v if v >= 1_000.0 => format!("{:.1} s", v / 1_000.0).replace(".0 s", " s"),
        v if v >= 100.0 => format!("{v:.0} ms"),
        v if v >= 10.0 => format!("{v:.1} ms").replace(".0 ms", " ms"),
        v if v >= 1.0 => format!("{v:.1} ms").replace(".0 ms", " ms"),
        v => format!("{v:.2} ms").replace("0 ms", " ms"),
    }
}

fn seconds(value: u64) -> String {
    match value {
        v if v >= 3_600 => format!("{}:{:02} h", v / 3_600, v % 3_600 / 60),
        v if v >= 120 => format!("{}:{:02} min", v / 60, v % 60),
        v => format!("{v} s"),
    }
}

/// Lines and words of the vertical scale, and the target.
fn frame(scale: Scale, height: f64, target: Option<f64>) -> Markup {
    let y = |millis: f64| height - scale.place(millis) * height;
    html! {
        @for tick in scale.ticks() {
            line class="grid" x1=(LEFT) x2=(WIDTH) y1=(fixed(y(tick))) y2=(fixed(y(tick))) {}
            text x=(LEFT - 8.0) y=(fixed(y(tick) + 4.0)) text-anchor="end" { (millis(tick)) }
        }
        @if let Some(target) = target {
            line class="target" x1=(LEFT) x2=(WIDTH) y1=(fixed(y(target))) y2=(fixed(y(target))) {}
            text class="target-word" x=(WIDTH) y=(fixed(y(target) - 5.0)) text-anchor="end" {
                "target " (millis(target))
            }
        }
    }
}

/// Words below: the time since the start.
fn time_axis(map: &HeatMap, height: f64) -> Markup {
    let length = map.slots().len() as u64 * map.width();
    html! {
        @for quarter in 0..=4_u64 {
            @let x = LEFT + (WIDTH - LEFT) * quarter as f64 / 4.0;
            @let anchor = match quarter { 0 => "start", 4 => "end", _ => "middle" };
            text x=(fixed(x)) y=(height + 18.0) text-anchor=(anchor) {
                (seconds(map.begins() + length * quarter / 4))
            }
        }
    }
}

fn fixed(value: f64) -> String {
    format!("{value:.1}")
}

/// Percentiles of each slot as lines.
pub(super) fn over_time(map: &HeatMap, target: Option<f64>) -> Markup {
    let (height, scale) = (220.0, Scale::of(map, target));
    let count = map.slots().len().max(1) as f64;
    let step = (WIDTH - LEFT) / count;
    let points = |quantile: f64| -> Vec<(f64, f64, f64)> {
        map.slots()
            .enumerate()
            .filter_map(|(i, slot)| {
                let value = slot.quantile(quantile)?;
                Some((LEFT + (i as f64 + 0.5) * step, height - scale.place(value) * height, value))
            })
            .collect()
    };
    let path = |points: &[(f64, f64, f64)]| {
        let mut path = String::new();
        let mut last: Option<f64> = None;
        for (x, y, _) in points {
            // A slot without probes is a gap, not a straight line.
            let joined = last.is_some_and(|last| x - last < step * 1.5);
            let _ = write!(path, "{}{x:.1} {y:.1}", if joined { "L" } else { "M" });
            last = Some(*x);
        }
        path
    };
    let lines = [("p99", points(0.99)), ("p95", points(0.95)), ("p50", points(0.5))];
    html! {
        svg viewBox=(format!("0 -14 {WIDTH} {}", height + 40.0)) role="img" aria-label="percentiles over time" {
            (frame(scale, height, target))
            (time_axis(map, height))
            @for (name, points) in &lines {
                path class=(format!("line {name}")) d=(path(points)) {}
                @for (x, y, value) in points {
                    circle class="hit" cx=(fixed(*x)) cy=(fixed(*y)) r="6" {
                        title { (name) " " (millis(*value)) }
                    }
                }
            }
        }
        div class="legend" {
            @for (name, color) in [("p50", "--accent"), ("p95", "--accent2"), ("p99", "--wait")] {
                span style=(format!("--swatch: var({color})")) { (name) }
            }
        }
    }
}

/// Counts by time and latency.
pub(super) fn heat(map: &HeatMap, target: Option<f64>) -> Markup {
    let (height, scale) = (240.0, Scale::of(map, target));
    let step = (WIDTH - LEFT) / map.slots().len().max(1) as f64;
    let most = map.slots().flat_map(|slot| slot.bands(PER_DECADE)).max().unwrap_or(1).max(1) as f64;
    html! {
        svg viewBox=(format!("0 -14 {WIDTH} {}", height + 40.0)) role="img" aria-label="heat map" {
            (frame(scale, height, None))
            @for (i, slot) in map.slots().enumerate() {
                @for (band, count) in slot.bands(PER_DECADE).into_iter().enumerate().filter(|(_, count)| *count > 0) {
                    @let (low, high) = (band_edge(band, PER_DECADE), band_edge(band + 1, PER_DECADE));
                    @let top = height - scale.place(high) * height;
                    @let bottom = height - scale.place(low) * height;
                    rect class=(if target.is_some_and(|target| low >= target) { "cell over" } else { "cell" })
                        x=(fixed(LEFT + i as f64 * step)) y=(fixed(top))
                        width=(fixed((step - 0.6).max(0.6))) height=(fixed((bottom - top - 0.6).max(1.0)))
                        opacity=(format!("{:.2}", 0.15 + 0.85 * (count as f64 / most).sqrt())) {
                        title {
                            (seconds(map.begins() + i as u64 * map.width())) ": " (count) " of "
                            (millis(low)) " to " (millis(high))
                        }
                    }
                }
            }
            (frame_target(scale, height, target))
            (time_axis(map, height))
        }
    }
}

fn frame_target(scale: Scale, height: f64, target: Option<f64>) -> Markup {
    html! {
        @if let Some(target) = target {
            @let y = height - scale.place(target) * height;
            line class="target" x1=(LEFT) x2=(WIDTH) y1=(fixed(y)) y2=(fixed(y)) {}
            text class="target-word" x=(WIDTH) y=(fixed(y - 5.0)) text-anchor="end" { "target " (millis(target)) }
        }
    }
}

/// How many took how long, over the whole run.
pub(super) fn histogram(map: &HeatMap, target: Option<f64>) -> Markup {
    let (height, scale) = (180.0, Scale::of(map, target));
    let bands = bands(map);
    let most = bands.iter().copied().max().unwrap_or(1).max(1) as f64;
    let total = bands.iter().sum::<u64>().max(1) as f64;
    let x = |millis: f64| LEFT + scale.place(millis) * (WIDTH - LEFT);
    html! {
        svg viewBox=(format!("0 -14 {WIDTH} {}", height + 40.0)) role="img" aria-label="histogram" {
            line class="grid" x1=(LEFT) x2=(WIDTH) y1=(height) y2=(height) {}
            @for (band, count) in bands.iter().copied().enumerate().filter(|(_, count)| *count > 0) {
                @let (low, high) = (band_edge(band, PER_DECADE), band_edge(band + 1, PER_DECADE));
                @let tall = (count as f64 / most * height).max(1.5);
                rect class=(if target.is_some_and(|target| low >= target) { "bar over" } else { "bar" })
                    x=(fixed(x(low))) y=(fixed(height - tall)) width=(fixed((x(high) - x(low) - 1.5).max(1.0)))
                    height=(fixed(tall)) rx="2" {
                    title {
                        (millis(low)) " to " (millis(high)) ": " (count) " ("
                        (format!("{:.1}", count as f64 / total * 100.0)) "%)"
                    }
                }
            }
            @for tick in scale.ticks() {
                text x=(fixed(x(tick))) y=(height + 18.0) text-anchor="middle" { (millis(tick)) }
            }
            @if let Some(target) = target {
                line class="target" x1=(fixed(x(target))) x2=(fixed(x(target))) y1="-4" y2=(height) {}
                text class="target-word" x=(fixed(x(target) + 6.0)) y="6" { "target " (millis(target)) }
            }
        }
    }
}

/// The parts of a way, with their classes.
pub(super) fn parts(waited: f64, timing: &ProbeTiming) -> Vec<(&'static str, &'static str, f64)> {
    let stages = [
        ("s-wait", "waited", Some(waited)),
        ("s-write", "write", timing.write),
        ("s-feed", "feed", timing.feed),
        ("s-lease", "lease", timing.lease),
        ("s-cache", "cache", timing.cache),
    ];
    stages
        .into_iter()
        .filter_map(|(class, name, value)| Some((class, name, value.filter(|value| *value > 0.0)?)))
        .collect()
}

/// A way as a bar of its parts; `most` milliseconds fill the width.
pub(super) fn way(parts: &[(&'static str, &'static str, f64)], most: f64, height: f64) -> Markup {
    let mut x = 0.0;
    let placed: Vec<(&str, &str, f64, f64, f64)> = parts
        .iter()
        .map(|(class, name, value)| {
            let (from, width) = (x, value / most.max(0.001) * WIDTH);
            x += width;
            (*class, *name, *value, from, width)
        })
        .collect();
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) preserveAspectRatio="none" role="img" aria-label="stages"
            style=(format!("height: {}px", height / 2.0)) {
            @for (class, name, value, from, width) in placed {
                rect class=(class) x=(fixed(from)) y="0" width=(fixed((width - 2.0).max(1.0))) height=(height) {
                    title { (name) " " (millis(value)) }
                }
            }
        }
    }
}
