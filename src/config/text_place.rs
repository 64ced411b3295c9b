//! Where in a text an error stands.

/// Line and column, both from 1, of a byte offset; the column counts characters. An offset that is
/// no boundary of a character, or lies behind the end, counts as the end.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        assert_eq!(line_and_column("", 0), (1, 1));
        assert_eq!(line_and_column("ä = 1\nö = x", 11), (2, 4));
        assert_eq!(line_and_column("ä", 1), (1, 2), "inside of a character");
        assert_eq!(line_and_column("a\n", 99), (2, 1), "behind the end");
    }
}
