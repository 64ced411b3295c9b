//! A horizontal bar with eighths of a column.

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The filled part of a bar, as text of at most `columns` columns.
pub(crate) fn filled(fraction: f64, columns: usize, ascii: bool) -> String {
    let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (fraction * columns as f64 * 8.0).round() as usize;
    if ascii {
        return "#".repeat(eighths / 8);
    }
    let mut out = "█".repeat(eighths / 8);
    out.push_str(EIGHTHS[eighths % 8]);
    out
}

/// A bar of a single column, that grows upwards.
pub(crate) fn level(fraction: f64, ascii: bool) -> &'static str {
    const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    const ASCII: [&str; 8] = [".", ".", ":", "-", "=", "+", "*", "#"];
    let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
    let at = ((fraction * 7.0).round() as usize).min(7);
    if ascii { ASCII[at] } else { LEVELS[at] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_eighths() {
        assert_eq!(filled(0.5, 4, false), "██");
        assert_eq!(filled(0.53, 4, false), "██▏");
        assert_eq!(filled(7.0, 4, false), "████");
        assert_eq!(filled(f64::NAN, 4, true), "");
        assert_eq!([0.0, 0.5, 1.0, f64::NAN].map(|share| level(share, false)), ["▁", "▅", "█", "▁"]);
        assert_eq!(level(9.0, true), "#");
    }
}
