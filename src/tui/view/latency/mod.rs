//! Latency by stage: percentiles and the last seconds. A block, or one line on a low screen.

mod heat;
mod slowest;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    text::{Line, Span},
};

use super::{empty, in_panes};
use crate::{
    config::Share,
    engine::{Stage, StageSummary},
    tui::{
        keymap::Action,
        layout::inner,
        model::{Model, Pane},
        widgets::{
            chart::Chart,
            pane::Pane as Border,
            pen::{Align, Pen},
            spark, text,
        },
    },
};

/// Draws the pane.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let probes = model.latency.stages.iter().map(|stage| stage.count).max().unwrap_or(0);
    let mut right = Vec::new();
    if let Some(slo) = model.options.slo_ms {
        right.push(slo_span(model, slo));
        right.push(Span::raw("  "));
    }
    if probes > 0 {
        right.push(Span::styled(format!("n {}", text::count(probes)), theme.dim));
    }
    if model.latency.folded > 0 {
        right.push(Span::styled(format!("  folded {}", text::count(model.latency.folded)), theme.dim));
    }
    if model.latency.lost > 0 {
        right.push(Span::styled(format!("  lost {}", text::count(model.latency.lost)), theme.bad));
    }
    let right = Line::from(right);
    let long = "Latency · write → feed → cache";
    let fits = text::width(long) + right.width() + 8 <= usize::from(area.width);
    let inner = Border::new(if fits { long } else { "Latency" })
        .right(right)
        .focused(model.focus == Pane::Latency && in_panes(model))
        .draw(area, buf, theme);
    if model.latency.stages.is_empty() {
        empty(
            model,
            inner,
            "measured on documents that this tool writes",
            &format!(
                "{} inserts some, {} starts sample traffic",
                model.key(Action::Insert),
                model.key(Action::TrafficUp)
            ),
            buf,
        );
        return;
    }
    let stages = shown(model, usize::from(inner.height));
    for (i, stage) in stages.iter().enumerate() {
        draw_stage(model, stage, inner, u16::try_from(i).unwrap_or(u16::MAX), buf);
    }
    draw_below(model, below_figures(inner, stages.len()), buf);
}

/// The stages that there is room for: the whole way matters most, a write by itself least.
fn shown(model: &Model, room: usize) -> Vec<&StageSummary> {
    let mut stages: Vec<&StageSummary> = model.latency.stages.iter().collect();
    let mut least = [Stage::Whole, Stage::Write, Stage::Feed, Stage::Cache, Stage::Lease].into_iter();
    // A processor of somebody else tells nothing of its leases.
    if stages.len() > room && model.latency.stage(Stage::Lease).is_none() {
        stages.retain(|summary| summary.stage != Stage::Lease);
    }
    while stages.len() > room.max(1)
        && let Some(stage) = least.next()
    {
        stages.retain(|summary| summary.stage != stage);
    }
    stages
}

/// Where there is room below the figures: heat map, histogram and the slowest; on a narrow screen heat
/// map over slowest; with little room only the bars of the last seconds.
fn draw_below(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(below) = Below::of(model, area) else { return draw_chart(model, area, buf) };
    heat::draw(model, below.heat, buf);
    if !below.histogram.is_empty() {
        heat::draw_histogram(model, below.histogram, buf);
    }
    slowest::draw(model, below.slowest, buf);
}

/// The parts of the room below the figures.
struct Below {
    heat: Rect,
    /// Empty where there is no room for it.
    histogram: Rect,
    slowest: Rect,
}

impl Below {
    fn of(model: &Model, area: Rect) -> Option<Self> {
        let slowest = u16::try_from(model.latency.slowest.len() + 1).unwrap_or(u16::MAX);
        if model.latency.heat.is_empty() || area.height < 8 {
            return None;
        }
        if area.width < 130 {
            let below = slowest.min((area.height / 2).max(4));
            let above = area.height - below - 1;
            return Some(Self {
                heat: Rect { height: above, ..area },
                histogram: Rect::default(),
                slowest: Rect { y: area.y + above + 1, height: below, ..area },
            });
        }
        let width = (area.width * 2 / 5).clamp(64, 92);
        let [heat, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).areas(area);
        let room = right.height.saturating_sub(slowest.saturating_add(1));
        if room < 6 {
            return Some(Self { heat, histogram: Rect::default(), slowest: right });
        }
        let height = u16::try_from(heat::histogram_height(model, usize::from(room))).unwrap_or(room);
        let from = height + 1;
        Some(Self {
            heat,
            histogram: Rect { height, ..right },
            slowest: Rect { y: right.y + from, height: right.height - from, ..right },
        })
    }
}

/// The column of the slowest whose title is at a place of the pane.
pub(super) fn title_at(model: &Model, area: Rect, at: Position) -> Option<usize> {
    slowest::title_at(model, slowest_area(model, area)?, at)
}

/// The one of the slowest at a place of the pane.
pub(crate) fn slow_at(model: &Model, area: Rect, at: Position) -> Option<usize> {
    slowest::at(model, slowest_area(model, area)?, at)
}

/// Where the slowest are.
fn slowest_area(model: &Model, area: Rect) -> Option<Rect> {
    if model.latency.stages.is_empty() {
        return None;
    }
    let inner = inner(area);
    let below = below_figures(inner, shown(model, usize::from(inner.height)).len());
    Some(Below::of(model, below)?.slowest)
}

/// What the figures of so many stages leave.
fn below_figures(inner: Rect, stages: usize) -> Rect {
    let above = u16::try_from(stages).unwrap_or(u16::MAX).saturating_add(1).min(inner.height);
    Rect { y: inner.y + above, height: inner.height - above, ..inner }
}

/// The seconds of the whole way as bars.
fn draw_chart(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let Some(whole) = model.latency.stage(Stage::Whole) else { return };
    if area.height < 3 {
        return;
    }
    Pen::new(buf, area, 0).skip(1).put("intended write → in the cache, median of each second, ms", theme.dim);
    let chart = Chart {
        values: &whole.recent,
        target: model.options.slo_ms.map(|slo| slo as f64),
        bar: theme.accent,
        over: theme.bad,
        dim: theme.dim,
        ascii: theme.ascii,
    };
    chart.draw(Rect { y: area.y + 1, height: area.height - 1, ..area }, buf);
}

fn slo_span<'a>(model: &Model, slo: u64) -> Span<'a> {
    let target = model.latency.target.as_ref();
    let usual = model.options.slo_share == Share::USUAL;
    let slo = if usual { format!("{slo} ms") } else { format!("{slo} ms@{}%", model.options.slo_share) };
    match target.and_then(|target| Some((target, target.reached_percent()?))) {
        Some((target, reached)) if target.is_missed() => {
            Span::styled(format!("slo {slo} ! {reached} within"), model.theme.bad)
        }
        Some((_, reached)) => Span::styled(format!("slo {slo} ✓ {reached}"), model.theme.good),
        None => Span::styled(format!("slo {slo}"), model.theme.dim),
    }
}

fn draw_stage(model: &Model, stage: &StageSummary, inner: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let total = stage.stage == Stage::Total;
    let strong = if total { theme.strong } else { theme.text };
    let mut pen = Pen::new(buf, inner, line);
    pen.skip(1).cell(stage.stage.word(), 7, Align::Left, if total { theme.strong } else { theme.text });
    let columns = [("p50", stage.p50), ("p95", stage.p95), ("p99", stage.p99), ("max", stage.max)];
    for (name, value) in columns {
        if pen.rest() < 24 && name == "max" {
            continue;
        }
        // No probe has come so far: that is not "no time at all".
        let value = if stage.count == 0 { "—".to_owned() } else { text::millis(value) };
        pen.put(name, theme.dim).cell(&value, 7, Align::Right, strong).skip(2);
    }
    pen.put("ms ", theme.dim);
    let room = pen.rest().saturating_sub(1).min(120);
    let line = spark::line(&stage.recent, room);
    pen.put(&line, if total { theme.accent } else { theme.dim });
}

/// Latency and the newest log line in one line.
pub(super) fn draw_line(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(1).put("latency ", theme.dim);
    match model.latency.stages.iter().find(|stage| stage.stage == Stage::Total) {
        Some(total) if total.count > 0 => {
            for (name, value) in [("p50", total.p50), ("p95", total.p95), ("p99", total.p99)] {
                pen.put(name, theme.dim).skip(1).put(&text::millis(value), theme.text).skip(2);
            }
            pen.put("ms ", theme.dim).put(&spark::line(&total.recent, 16), theme.accent);
        }
        _ => {
            pen.put("no probe yet", theme.dim);
        }
    }
    if let Some(line) = model.log.newest() {
        let (_, style) = crate::tui::view::log::level_glyph(theme, line.level);
        pen.skip(2).put("│ ", theme.border);
        pen.put(&text::clock(line.at, &model.options.zone)[..8], theme.dim).skip(1);
        pen.put(&model.shown_line(line), style);
    }
}
