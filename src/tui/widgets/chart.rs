//! A bar chart over time: one column a value, the newest at the right, a line for the target.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    pen::{Align, Pen},
    text,
};

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Columns of the scale at the left.
const SCALE: usize = 7;

/// What to draw.
pub(crate) struct Chart<'a> {
    /// Oldest first; `None` = nothing measured.
    pub(crate) values: &'a [Option<f64>],
    /// A line across, if there is a target.
    pub(crate) target: Option<f64>,
    pub(crate) bar: Style,
    pub(crate) over: Style,
    pub(crate) dim: Style,
    pub(crate) ascii: bool,
}

impl Chart<'_> {
    /// Draws into an area; nothing when it is too small to say anything.
    pub(crate) fn draw(&self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.height < 2 || usize::from(area.width) < SCALE + 8 {
            return;
        }
        let columns = usize::from(area.width) - SCALE - 1;
        let shown = &self.values[self.values.len().saturating_sub(columns)..];
        let finite = shown.iter().flatten().copied().filter(|value| value.is_finite());
        let greatest = nice(finite.fold(0.0, f64::max));
        // A target far above everything would press the bars flat.
        let target = self.target.filter(|target| *target > 0.0 && *target <= greatest * 2.5);
        let top = greatest.max(target.map_or(0.0, nice));
        let height = usize::from(area.height);
        let target_line = target.map(|at| height - 1 - ((at / top * height as f64) as usize).min(height - 1));
        for line in 0..height {
            // This line shows values from `floor` up; eighths above it.
            let floor = (height - 1 - line) as f64 / height as f64 * top;
            let step = top / height as f64;
            let is_target = target_line == Some(line);
            let mut pen = Pen::new(buf, area, u16::try_from(line).unwrap_or(u16::MAX));
            let label = match line {
                0 => text::millis(top),
                _ if is_target => target.map_or(String::new(), text::millis),
                _ if line == height - 1 => "0".to_owned(),
                _ => String::new(),
            };
            pen.cell(&label, SCALE, Align::Right, self.dim).put(if is_target { "┤" } else { "│" }, self.dim);
            pen.put(&if is_target { "╌" } else { " " }.repeat(columns - shown.len()), self.dim);
            for value in shown {
                let above =
                    value.filter(|value| value.is_finite()).map_or(0.0, |value| (value - floor) / step);
                let eighths = (above * 8.0).round().clamp(0.0, 8.0) as usize;
                let over = matches!((value, self.target), (Some(value), Some(target)) if *value > target);
                let style = if over { self.over } else { self.bar };
                match eighths {
                    0 if is_target => pen.put("╌", self.dim),
                    n if self.ascii => pen.put(if n >= 4 { "#" } else { " " }, style),
                    n => pen.put(EIGHTHS[n], style),
                };
            }
        }
    }
}

/// The next of 1, 2, 5 times a power of ten.
fn nice(greatest: f64) -> f64 {
    if greatest <= 0.0 || !greatest.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(greatest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|top| *top >= greatest).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (greatest, top) in
            [(0.0, 1.0), (3.1, 5.0), (5.0, 5.0), (12.7, 20.0), (0.07, 0.1), (f64::NAN, 1.0)]
        {
            assert!((nice(greatest) - top).abs() < 1e-9, "{greatest}");
        }
    }

    #[test]
    fn bars_are_as_high_as_their_values() {
        let area = Rect::new(0, 0, 16, 2);
        let mut buf = Buffer::empty(area);
        let values = [Some(0.0), None, Some(5.0), Some(10.0)];
        let plain = Style::new();
        Chart { values: &values, target: None, bar: plain, over: plain, dim: plain, ascii: false }
            .draw(area, &mut buf);
        let row = |y| (8..16).map(|x| buf[(x, y)].symbol()).collect::<String>();
        assert_eq!(row(0), "       █");
        assert_eq!(row(1), "      ██");
    }
}
