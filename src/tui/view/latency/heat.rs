//! How many took how long, second by second: a heat map; and the whole of it as a histogram.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    engine::{HeatMap, band_edge},
    tui::{
        model::Model,
        widgets::{
            pen::{Align, Pen},
            text,
        },
    },
};

/// Columns of the scale at the left.
const SCALE: usize = 8;
/// From few to many; without colour the glyph alone says it.
const SHADES: [&str; 4] = ["░", "▒", "▓", "█"];
const ASCII: [&str; 4] = [".", ":", "+", "#"];

/// Rows of latency, fastest first, that the map is cut into.
struct Bands {
    per_decade: usize,
    first: usize,
    count: usize,
}

impl Bands {
    /// As fine as there are rows for what was measured.
    fn of(heat: &HeatMap, rows: usize) -> Option<Self> {
        let mut found = None;
        for per_decade in [1, 2, 3, 4, 6, 8, 12, 24] {
            let (mut first, mut last) = (usize::MAX, 0);
            for slot in heat.slots() {
                let bands = slot.bands(per_decade);
                if let Some(least) = bands.iter().position(|count| *count > 0) {
                    first = first.min(least);
                    last = last.max(bands.iter().rposition(|count| *count > 0).unwrap_or(least));
                }
            }
            if first > last {
                return None;
            }
            let count = last - first + 1;
            if found.is_some() && count > rows {
                break;
            }
            found = Some(Self { per_decade, first, count: count.min(rows) });
        }
        found
    }

    fn low(&self, band: usize) -> f64 {
        band_edge(band, self.per_decade)
    }
}

/// Draws the map, newest second at the right; what is beyond the target has its own colour and a mark.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let heat = &model.latency.heat;
    let width = usize::from(area.width);
    let rows = usize::from(area.height).saturating_sub(2);
    if rows < 2 || width < SCALE + 12 {
        return;
    }
    let Some(bands) = Bands::of(heat, rows) else { return };
    let columns = width - SCALE - 2;
    let target = model.options.slo_ms.map(|slo| slo as f64);
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(1).put("intended write → in the cache, ms by second", theme.dim);
    let slots: Vec<Vec<u64>> = heat
        .slots()
        .skip(heat.slots().len().saturating_sub(columns))
        .map(|slot| slot.bands(bands.per_decade))
        .collect();
    let most = slots.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    for line in 0..bands.count {
        // The slowest at the top.
        let band = bands.first + bands.count - 1 - line;
        let (low, high) = (bands.low(band), bands.low(band + 1));
        let is_target = target.is_some_and(|target| (low..high).contains(&target));
        let over = target.is_some_and(|target| low >= target);
        let mut pen = Pen::new(buf, area, u16::try_from(line + 1).unwrap_or(u16::MAX));
        pen.cell(&text::millis(low), SCALE, Align::Right, if is_target { theme.waiting } else { theme.dim });
        pen.put(if is_target { "┤" } else { "│" }, if is_target { theme.waiting } else { theme.border });
        pen.skip(columns - slots.len());
        for slot in &slots {
            let count = slot.get(band).copied().unwrap_or(0);
            if count == 0 {
                pen.put(if is_target { "╌" } else { " " }, theme.dim);
                continue;
            }
            let shade = ((count as f64 / most).sqrt() * 4.0).ceil().clamp(1.0, 4.0) as usize - 1;
            let glyphs = if theme.ascii { ASCII } else { SHADES };
            pen.put(glyphs[shade], if over { theme.bad } else { theme.accent });
        }
    }
    let mut pen = Pen::new(buf, area, u16::try_from(bands.count + 1).unwrap_or(u16::MAX));
    let ago = format!("{} s ago", slots.len());
    pen.skip(SCALE + 1 + columns - slots.len()).put(&ago, theme.dim);
    let gap = pen.rest().saturating_sub(4);
    pen.skip(gap).put("now", theme.dim);
}

/// Rows that a histogram needs for what was measured, heading included.
pub(super) fn histogram_height(model: &Model, most: usize) -> usize {
    Bands::of(&model.latency.heat, most.saturating_sub(1)).map_or(0, |bands| bands.count + 1)
}

/// The last minutes as a histogram on its side: one row a band.
pub(super) fn draw_histogram(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let rows = usize::from(area.height).saturating_sub(1);
    let Some(bands) = Bands::of(&model.latency.heat, rows) else { return };
    if rows < 2 || area.width < 30 {
        return;
    }
    let mut counts = vec![0_u64; bands.first + bands.count];
    for slot in model.latency.heat.slots() {
        for (sum, count) in counts.iter_mut().zip(slot.bands(bands.per_decade)) {
            *sum += count;
        }
    }
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let most = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let target = model.options.slo_ms.map(|slo| slo as f64);
    Pen::new(buf, area, 0).skip(1).put("how many took how long, last minutes", theme.dim);
    let room = usize::from(area.width).saturating_sub(2 * SCALE + 10);
    for line in 0..bands.count {
        let band = bands.first + line;
        let count = counts[band];
        let over = target.is_some_and(|target| bands.low(band) >= target);
        let mut pen = Pen::new(buf, area, u16::try_from(line + 1).unwrap_or(u16::MAX));
        pen.cell(&text::millis(bands.low(band)), SCALE, Align::Right, theme.dim).put("│", theme.border);
        let length = (count as f64 / most * room as f64).ceil() as usize;
        let bar = if theme.ascii { "#" } else { "█" }.repeat(length);
        pen.cell(&bar, room, Align::Left, if over { theme.bad } else { theme.accent });
        pen.cell(&text::count(count), SCALE, Align::Right, theme.text);
        pen.cell(&format!("{:.1}%", count as f64 / total * 100.0), 8, Align::Right, theme.dim);
    }
}
