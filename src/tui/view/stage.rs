//! Stage mode: the key figures in large digits, readable from the back of a room.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    style::Style,
};

use super::{clear, masked};
use crate::{
    engine::Stage,
    tui::{
        model::Model,
        widgets::{pane::Pane as Border, pen::Pen, spark, text},
    },
};

/// Three columns and five rows a glyph; drawn two columns a cell, so that it looks square.
fn glyph(c: char) -> [u8; 5] {
    match c {
        '0' => [0b111, 0b101, 0b101, 0b101, 0b111],
        '1' => [0b010, 0b110, 0b010, 0b010, 0b111],
        '2' => [0b111, 0b001, 0b111, 0b100, 0b111],
        '3' => [0b111, 0b001, 0b111, 0b001, 0b111],
        '4' => [0b101, 0b101, 0b111, 0b001, 0b001],
        '5' => [0b111, 0b100, 0b111, 0b001, 0b111],
        '6' => [0b111, 0b100, 0b111, 0b101, 0b111],
        '7' => [0b111, 0b001, 0b010, 0b010, 0b010],
        '8' => [0b111, 0b101, 0b111, 0b101, 0b111],
        '9' => [0b111, 0b101, 0b111, 0b001, 0b111],
        '.' => [0, 0, 0, 0, 0b010],
        ',' => [0, 0, 0, 0b010, 0b100],
        '%' => [0b101, 0b001, 0b010, 0b100, 0b101],
        '—' => [0, 0, 0b111, 0, 0],
        _ => [0; 5],
    }
}

/// Draws stage mode.
pub(super) fn draw(model: &Model, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    clear(body, buf);
    let area = Border::new(format!("{} → {}", model.options.source, model.options.cache))
        .focused(true)
        .draw(body, buf, theme);
    let [figures, way, last] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(4), Constraint::Length(2)]).areas(area);
    let total = model.latency.stages.iter().find(|stage| stage.stage == Stage::Total && stage.count > 0);
    let millis = |value: Option<f64>| value.map_or("—".to_owned(), text::millis);
    let status = &model.cache.status;
    let in_step = match status.compared {
        0 => "—".to_owned(),
        n if status.in_step >= n => "100%".to_owned(),
        // Cut, and to one digit: more would make them small.
        n => format!("{:.1}%", ((status.in_step as f64 / n as f64 * 1_000.0).floor() / 10.0).min(99.9)),
    };
    let rate = if model.sync.rate > 0.0 { model.sync.rate } else { model.feed.status.rate };
    let lag = model.sync.lag.or_else(|| model.leases.lag());
    let cells = [
        ("write → cache, p50 ms", millis(total.map(|stage| stage.p50)), theme.accent),
        ("p95 ms", millis(total.map(|stage| stage.p95)), theme.accent),
        ("p99 ms", millis(total.map(|stage| stage.p99)), theme.accent),
        ("changes a second", text::count(rate.max(0.0).round() as u64), theme.text),
        ("in step", in_step, theme.good),
        (
            "lag",
            lag.map_or("—".to_owned(), text::count),
            if lag == Some(0) { theme.text } else { theme.waiting },
        ),
    ];
    let across = if figures.width >= 100 { 3 } else { 2 };
    let rows = cells.len().div_ceil(across);
    let lines = Layout::vertical(vec![Constraint::Fill(1); rows]).split(figures);
    let longest = cells.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
    let room = Rect { width: figures.width / across as u16, height: figures.height / rows as u16, ..figures };
    let scale = scale(longest, room);
    for (row, line) in cells.chunks(across).zip(lines.iter()) {
        let columns = Layout::horizontal(vec![Constraint::Fill(1); across]).split(*line);
        for ((label, value, style), cell) in row.iter().zip(columns.iter()) {
            figure(model, label, (value, scale), *style, *cell, buf);
        }
    }
    the_way(model, inner_margin(way), buf);
    if let Some(row) = model.feed.ring.newest() {
        let mut pen = Pen::new(buf, inner_margin(last), 0);
        let fields: Vec<_> = row.fields.iter().map(super::feed::value).collect();
        pen.put("last change  ", theme.dim).put(&masked(model, &row.id), theme.strong).skip(2);
        pen.put(&masked(model, &fields.join(" ")), theme.text);
    }
    None
}

fn inner_margin(area: Rect) -> Rect {
    Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area }
}

/// Digits this long always fit, so that figures do not jump to another size while they run.
const STEADY: usize = 5;

/// How many times their least size the digits of all figures can have; 0 = not even that.
fn scale(longest: usize, room: Rect) -> usize {
    let digits = longest.max(STEADY);
    let (width, height) = (usize::from(room.width), usize::from(room.height));
    (1..=4).rev().find(|n| digits * 7 * n + 4 <= width && 5 * n + 2 <= height).unwrap_or(0)
}

/// One figure: its name, and its digits in the size of all, or else as large as there is room for.
fn figure(
    model: &Model,
    label: &str,
    (value, scale): (&str, usize),
    style: Style,
    area: Rect,
    buf: &mut Buffer,
) {
    let high = scale.max(1);
    let top = area.height.saturating_sub(2 + 5 * high as u16) / 2;
    Pen::new(buf, area, top).skip(2).put(label, model.theme.dim);
    let fits = |cell: usize| value.chars().count() * (3 * cell + 1) + 4 <= usize::from(area.width);
    if area.height < 7 || (scale == 0 && !fits(1)) {
        Pen::new(buf, area, top + 1).skip(2).put(value, style.patch(model.theme.strong));
        return;
    }
    let wide = match scale {
        0 if fits(2) => 2,
        0 => 1,
        n => 2 * n,
    };
    let block = if model.theme.ascii { "#" } else { "█" }.repeat(wide);
    for line in 0..5 * high {
        let mut pen = Pen::new(buf, area, top + 1 + line as u16);
        pen.skip(2);
        for c in value.chars() {
            let bits = glyph(c)[line / high];
            for column in (0..3).rev() {
                if bits >> column & 1 == 1 {
                    pen.put(&block, style);
                } else {
                    pen.skip(wide);
                }
            }
            pen.skip(high);
        }
    }
}

/// The way of a document as one line, with the stages' medians on it.
fn the_way(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let stops = ["write", "cosmos", "feed", "lease", "cache"];
    let room = usize::from(area.width);
    let names: usize = stops.iter().map(|stop| stop.len() + 2).sum();
    let gap = room.saturating_sub(names) / (stops.len() - 1);
    // The newest change travels for a second after it was seen.
    let age = model.feed.ring.newest().map(|row| model.now.duration_since(row.seen_at).as_millis());
    let travelled = age.filter(|age| (0..1_000).contains(age)).map(|age| age as f64 / 1_000.0);
    let mut pen = Pen::new(buf, area, 1);
    let start = pen.x();
    for (i, stop) in stops.iter().enumerate() {
        if i > 0 {
            let way = [Stage::Write, Stage::Feed, Stage::Lease, Stage::Cache];
            let words = match model.latency.stage(way[i - 1]) {
                Some(stage) if gap > 12 => format!("{} ms", text::millis(stage.p50)),
                _ => String::new(),
            };
            let dashes = gap.saturating_sub(text::width(&words) + 1);
            pen.put(&"─".repeat(dashes / 2), theme.border).put(&words, theme.strong);
            pen.put(&"─".repeat(dashes - dashes / 2), theme.border).put("▶", theme.border);
        }
        pen.skip(1).put(stop, theme.strong).skip(1);
    }
    let length = usize::from(pen.x().saturating_sub(start));
    if let Some(share) = travelled {
        let at = (share * length as f64) as usize;
        Pen::new(buf, area, 0).skip(at).put("●", theme.accent);
    }
    let total = model.latency.stages.iter().find(|stage| stage.stage == Stage::Total);
    if let Some(total) = total {
        Pen::new(buf, area, 3).put(&spark::line(&total.recent, room), theme.accent);
    }
}
