//! Latency by stage: percentiles and the last seconds. A block, or one line on a low screen.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{empty, in_panes};
use crate::{
    engine::{Stage, StageSummary},
    tui::{
        model::{Model, Pane},
        widgets::{
            chart::Chart,
            pane::Pane as Border,
            pen::{Align, Pen},
            spark, text,
        },
    },
};

pub(super) fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Write => "write",
        Stage::Feed => "feed",
        Stage::Cache => "cache",
        Stage::Total => "total",
    }
}

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
            "i inserts some, > starts sample traffic",
            buf,
        );
        return;
    }
    for (i, stage) in model.latency.stages.iter().enumerate() {
        draw_stage(model, stage, inner, u16::try_from(i).unwrap_or(u16::MAX), buf);
    }
    draw_chart(model, inner, buf);
}

/// Where there is room below the figures: the seconds of the whole way as bars.
fn draw_chart(model: &Model, inner: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let above = u16::try_from(model.latency.stages.len()).unwrap_or(u16::MAX).saturating_add(1);
    let height = inner.height.saturating_sub(above);
    let Some(total) = model.latency.stages.iter().find(|stage| stage.stage == Stage::Total) else { return };
    if height < 3 {
        return;
    }
    let area = Rect { y: inner.y + above, height, ..inner };
    Pen::new(buf, area, 0).skip(1).put("acknowledged → in the cache, median of each second, ms", theme.dim);
    let chart = Chart {
        values: &total.recent,
        target: model.options.slo_ms.map(|slo| slo as f64),
        bar: theme.accent,
        over: theme.bad,
        dim: theme.dim,
        ascii: theme.ascii,
    };
    chart.draw(Rect { y: area.y + 1, height: height - 1, ..area }, buf);
}

fn slo_span<'a>(model: &Model, slo: u64) -> Span<'a> {
    let total = model.latency.stages.iter().find(|stage| stage.stage == Stage::Total);
    match total {
        Some(total) if total.count > 0 && total.p99 > slo as f64 => {
            Span::styled(format!("slo {slo} ms ! p99 {}", text::millis(total.p99)), model.theme.bad)
        }
        Some(total) if total.count > 0 => Span::styled(format!("slo {slo} ms ✓"), model.theme.good),
        _ => Span::styled(format!("slo {slo} ms"), model.theme.dim),
    }
}

fn draw_stage(model: &Model, stage: &StageSummary, inner: Rect, line: u16, buf: &mut Buffer) {
    let theme = &model.theme;
    let total = stage.stage == Stage::Total;
    let strong = if total { theme.strong } else { theme.text };
    let mut pen = Pen::new(buf, inner, line);
    pen.skip(1).cell(stage_word(stage.stage), 7, Align::Left, if total { theme.strong } else { theme.text });
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
        let (_, style) = super::log::level_glyph(theme, line.level);
        pen.skip(2).put("│ ", theme.border);
        pen.put(&text::clock(line.at, &model.options.zone)[..8], theme.dim).skip(1);
        pen.put(&line.text, style);
    }
}
