//! Which parts of a text on the screen a filter found.

use std::cmp::Ordering;

use unicode_segmentation::UnicodeSegmentation;

use super::{Filter, Operator};
use crate::{engine::is_named, tui::widgets::text};

/// What a text on the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// An id or key, under the name of its field.
    Name(&'a str),
    /// The value of a field.
    Value(&'a str),
}

impl Filter {
    /// The graphemes of a text (as [`text::clean`] makes it) that this filter found in it, ascending.
    pub(crate) fn found_in(&self, text: &str, place: Place<'_>) -> Vec<usize> {
        if self.is_none() {
            return Vec::new();
        }
        let text = text::clean(text);
        let mut found: Vec<u32> = Vec::new();
        if let (Some(fuzzy), Place::Name(_)) = (&self.fuzzy, place) {
            let mut fuzzy = fuzzy.borrow_mut();
            for word in 0..self.words.len() {
                fuzzy.word_places(word, &text, &mut found);
            }
        }
        let mut found: Vec<usize> = found.into_iter().map(|at| at as usize).collect();
        if let Place::Value(_) = place {
            for word in self.words.iter().filter(|word| !word.negative) {
                found.extend(word.plain.iter().flat_map(|plain| places(&text, plain)));
            }
        }
        found.extend(self.exact.iter().flat_map(|needle| places(&text, needle)));
        for comparison in &self.comparisons {
            let about = match place {
                Place::Name(field) => comparison.name == field,
                Place::Value(path) => is_named(path, &comparison.name),
            };
            if !about || comparison.operator == Operator::IsNot {
                continue;
            }
            let parts = places(&text, &comparison.value.text);
            if comparison.operator == Operator::Is && !parts.is_empty() {
                found.extend(parts);
            } else {
                // The row has passed, so it is the whole value that did.
                found.extend(0..text.graphemes(true).count());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The graphemes of a text that contain another one, which is in lower case.
fn places(text: &str, needle: &str) -> Vec<usize> {
    if needle.is_empty() {
        return Vec::new();
    }
    let mut folded = String::with_capacity(text.len());
    // Where each grapheme begins in lower case, which may have another length.
    let mut starts = Vec::new();
    for grapheme in text.graphemes(true) {
        starts.push(folded.len());
        folded.extend(grapheme.chars().flat_map(char::to_lowercase));
    }
    let mut found = Vec::new();
    for (at, part) in folded.match_indices(needle) {
        let first = starts.partition_point(|start| *start <= at).saturating_sub(1);
        let end = starts.partition_point(|start| *start < at + part.len());
        found.extend(first..end);
    }
    found
}

/// The columns of a shown text that stand for these graphemes of the whole one: `shown` is the whole
/// (cleaned) or cut with `…` in its middle or at its end. A part that was cut away is marked by its `…`.
pub(crate) fn columns(whole: &str, shown: &str, found: &[usize]) -> Vec<(u16, u16)> {
    let whole = text::clean(whole);
    let graphemes: Vec<&str> = whole.graphemes(true).collect();
    let (head, tail) = if *whole == *shown { (graphemes.len(), 0) } else { kept(&whole, shown) };
    let cut = graphemes.len().saturating_sub(tail);
    let mut marked = Vec::new();
    let mut column = 0_u16;
    for (at, grapheme) in shown.graphemes(true).enumerate() {
        let width = u16::try_from(text::width(grapheme)).unwrap_or(u16::MAX);
        let hit = match at.cmp(&head) {
            Ordering::Less => found.binary_search(&at).is_ok(),
            Ordering::Equal => found.iter().any(|found| (head..cut).contains(found)),
            Ordering::Greater => found.binary_search(&(cut + at - head - 1)).is_ok(),
        };
        if hit && width > 0 {
            marked.push((column, width));
        }
        column = column.saturating_add(width);
    }
    marked
}

/// How many graphemes of the whole a cut text has before and behind its `…`.
fn kept(whole: &str, shown: &str) -> (usize, usize) {
    let cuts = shown.match_indices('…').map(|(at, sign)| (&shown[..at], &shown[at + sign.len()..]));
    let mut fitting = cuts.filter(|(head, tail)| whole.starts_with(head) && whole.ends_with(tail));
    let (head, tail) = fitting.next().unwrap_or((shown, ""));
    (head.graphemes(true).count(), tail.graphemes(true).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_right_to_left_texts_are_marked_in_their_own_columns() {
        assert_eq!(places("価格-ABC", "格-a"), [1, 2, 3]);
        assert_eq!(columns("価格-ABC", "価格-ABC", &[1, 2, 3]), [(2, 2), (4, 1), (5, 1)]);
        assert_eq!(places("مرحبا", "حب"), [2, 3]);
        assert_eq!(columns("مرحبا", "مرحبا", &[2, 3]), [(2, 1), (3, 1)]);
        assert_eq!(places("İx", "x"), [1], "lower case may be longer");
    }

    #[test]
    fn a_cut_text_keeps_its_marks_and_the_cut_part_marks_the_sign() {
        let whole = "product-000000812";
        let shown = text::middle(whole, 9);
        assert_eq!(shown, "prod…0812");
        let marks = |needle: &str| columns(whole, &shown, &places(whole, needle));
        assert_eq!(marks("812"), [(6, 1), (7, 1), (8, 1)]);
        assert_eq!(marks("pro"), [(0, 1), (1, 1), (2, 1)]);
        assert_eq!(marks("uct"), [(4, 1)]);
        assert_eq!(columns("価格価格価格", &text::middle("価格価格価格", 7), &[5]), [(5, 2)]);
    }

    proptest::proptest! {
        #[test]
        fn marks_lie_within_the_text(whole in "\\PC{0,20}", needle in "\\PC{1,3}", max in 1_usize..24) {
            let shown = text::middle(&whole, max).into_owned();
            let found = places(&text::clean(&whole), &needle.to_lowercase());
            for (column, width) in columns(&whole, &shown, &found) {
                proptest::prop_assert!(usize::from(column + width) <= text::width(&shown));
            }
        }
    }
}
