//! Sparklines as text: eight heights, scaled to the greatest value shown.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The newest `columns` values; a gap (no value) is a blank.
pub(crate) fn line(values: &[Option<f64>], columns: usize) -> String {
    let shown = &values[values.len().saturating_sub(columns)..];
    let greatest = shown.iter().flatten().copied().filter(|v| v.is_finite()).fold(0.0_f64, f64::max);
    shown
        .iter()
        .map(|value| match value {
            Some(v) if v.is_finite() && greatest > 0.0 => {
                let level = (v.max(0.0) / greatest * 7.0).round() as usize;
                LEVELS[level.min(7)]
            }
            Some(_) => LEVELS[0],
            None => ' ',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_to_the_greatest_and_keeps_the_newest() {
        assert_eq!(line(&[Some(100.0), Some(0.0), Some(7.0), None], 3), "▁█ ");
        assert_eq!(line(&[Some(f64::NAN)], 3), "▁");
        assert_eq!(line(&[], 3), "");
    }
}
