//! Text that fits: sanitised, cut by display width, numbers and times as people read them.
//! Widths are terminal columns, never bytes or characters.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub(crate) use crate::wording::{count, counted, decimal, share};

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Whether a character would move the cursor, colour the screen or reorder its neighbours.
fn unsafe_on_screen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        // Noncharacters, which stand for the bytes of keys that are no text.
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
        || matches!(c, '\u{E0000}'..='\u{E0FFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// The text without control characters, escape codes and direction overrides: each becomes `·`.
/// Borrowed when nothing had to be replaced.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7F).contains(&b)) || !text.chars().any(unsafe_on_screen) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if unsafe_on_screen(c) { '·' } else { c }).collect())
}

/// Cuts at the end, with `…`, to at most `max` columns.
pub(crate) fn end(text: &str, max: usize) -> Cow<'_, str> {
    let text = clean(text);
    if width(&text) <= max {
        return text;
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut out = take(&text, max - 1);
    out.push('…');
    Cow::Owned(out)
}

/// Cuts in the middle, with `…`, to at most `max` columns: for ids, whose ends tell them apart.
pub(crate) fn middle(text: &str, max: usize) -> Cow<'_, str> {
    let text = clean(text);
    if width(&text) <= max {
        return text;
    }
    if max < 5 {
        return Cow::Owned(end(&text, max).into_owned());
    }
    let mut out = take(&text, (max - 1) / 2);
    let room = max - 1 - width(&out);
    out.push('…');
    let mut tail: Vec<&str> = Vec::new();
    let mut used = 0;
    for grapheme in text.graphemes(true).rev() {
        let columns = width(grapheme);
        if used + columns > room {
            break;
        }
        used += columns;
        tail.push(grapheme);
    }
    out.extend(tail.into_iter().rev());
    Cow::Owned(out)
}

/// Cuts at the start, with `…`, to at most `max` columns.
pub(crate) fn tail(text: &str, max: usize) -> Cow<'_, str> {
    let text = clean(text);
    if width(&text) <= max {
        return text;
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut at = text.len();
    let mut used = 1;
    for (start, grapheme) in text.grapheme_indices(true).rev() {
        used += width(grapheme);
        if used > max {
            break;
        }
        at = start;
    }
    Cow::Owned(format!("…{}", &text[at..]))
}

/// As [`middle`], of a text of which only so many bytes at each end are looked at.
pub(crate) fn middle_of(text: &str, max: usize, most: usize) -> Cow<'_, str> {
    if text.len() <= 2 * most {
        return middle(text, max);
    }
    let (mut head, mut tail) = (most, text.len() - most);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    Cow::Owned(middle(&format!("{}{}", &text[..head], &text[tail..]), max).into_owned())
}

/// The part that fits into `max` columns (at least one grapheme), and the rest.
pub(crate) fn split(text: &str, max: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > max && at > 0 {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// Characters before a column: where a click on it puts a cursor.
pub(crate) fn characters_before(text: &str, column: usize) -> usize {
    let (mut used, mut characters) = (0, 0);
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used > column {
            break;
        }
        characters += grapheme.chars().count();
    }
    characters
}

fn take(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let columns = width(grapheme);
        if used + columns > max {
            break;
        }
        used += columns;
        out.push_str(grapheme);
    }
    out
}

/// Parts with ` · ` between them; those that do not fit any more are left out, the first ones matter most.
pub(crate) fn as_many_as_fit(parts: &[String], max: usize) -> String {
    let mut line = String::new();
    for part in parts {
        let gap = if line.is_empty() { "" } else { " · " };
        if width(&line) + width(gap) + width(part) <= max {
            line.push_str(gap);
            line.push_str(part);
        }
    }
    line
}

/// `1,284`, from a million on `1.2M`: six columns at most below 10^13.
pub(crate) fn short_count(n: u64) -> String {
    match n {
        0..100_000 => count(n),
        100_000..1_000_000 => format!("{}k", n / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{:.1}G", n as f64 / 1e9),
    }
}

/// `212 B`, `1.4 kB`, `2.0 MB`: powers of 1,000.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1_000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1_000.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 999.95 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// Milliseconds: one decimal below 100, none above.
pub(crate) fn millis(ms: f64) -> String {
    if !ms.is_finite() {
        "—".to_owned()
    } else if ms.abs() < 99.95 {
        format!("{ms:.1}")
    } else {
        let whole = count(ms.abs().round() as u64);
        if ms < 0.0 { format!("-{whole}") } else { whole }
    }
}

/// A delay with its sign in at most seven columns: `+3.2 ms`, `-16 ms`, `+1.4 s`, `+29 s`.
pub(crate) fn delay(ms: f64) -> String {
    let sign = if ms < 0.0 { '-' } else { '+' };
    match ms.abs() {
        ms if ms < 9.95 => format!("{sign}{ms:.1} ms"),
        ms if ms < 999.5 => format!("{sign}{ms:.0} ms"),
        ms if ms < 9_950.0 => format!("{sign}{:.1} s", ms / 1_000.0),
        ms => format!("{sign}{}", span((ms / 1_000.0) as i64)),
    }
}

/// Cut to at most `max` columns, the longest words first and in their middle: in a line of a log it is
/// ids and ranges that are long, and the words at its end that tell what happened.
pub(crate) fn squeeze(line: &str, max: usize) -> Cow<'_, str> {
    const WORD: usize = 17;
    let line = clean(line);
    if width(&line) <= max {
        return line;
    }
    let widths: Vec<usize> = line.split(' ').map(width).collect();
    let fits =
        |word: &usize| widths.iter().map(|width| width.min(word)).sum::<usize>() + widths.len() <= max + 1;
    // No shorter than need be: where one word is too long, it takes what the others leave.
    let word = (WORD..=max).rev().find(fits).unwrap_or(WORD);
    let words: Vec<Cow<'_, str>> = line.split(' ').map(|long| middle(long, word)).collect();
    Cow::Owned(end(&words.join(" "), max).into_owned())
}

/// Per second: `412/s`, `0.4/s`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second.is_finite() && per_second >= 9.95 {
        format!("{}/s", count(per_second.round() as u64))
    } else if per_second.is_finite() && per_second > 0.0 {
        format!("{per_second:.1}/s")
    } else {
        "0/s".to_owned()
    }
}

/// An age or a time left in its largest unit: `0s`, `9s`, `4m`, `1h02`, `3d`.
pub(crate) fn span(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m", s / 60),
        3_600..86_400 => format!("{}h{:02}", s / 3_600, s % 3_600 / 60),
        _ => format!("{}d", s / 86_400),
    }
}

/// Wall clock with milliseconds: `14:02:11.402`.
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let time = zone.to_datetime(at).time();
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        time.hour(),
        time.minute(),
        time.second(),
        time.subsec_nanosecond() / 1_000_000
    )
}

/// Whole seconds from one time to another, negative when it is past.
pub(crate) fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second().saturating_sub(from.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_284), "1,284");
        assert_eq!(count(10_000_000), "10,000,000");
        assert_eq!(short_count(99_999), "99,999");
        assert_eq!(short_count(100_000), "100k");
        assert_eq!(short_count(12_345_678), "12.3M");
        assert_eq!(bytes(212), "212 B");
        assert_eq!(bytes(1_400), "1.4 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(millis(3.12), "3.1");
        assert_eq!(millis(99.97), "100");
        assert_eq!(millis(1_500.0), "1,500");
        assert_eq!(millis(f64::NAN), "—");
        for (ms, text) in
            [(3.21, "+3.2 ms"), (-16.04, "-16 ms"), (999.9, "+1.0 s"), (29_008.0, "+29s"), (-0.04, "-0.0 ms")]
        {
            assert_eq!(delay(ms), text);
        }
        assert_eq!(rate(0.0), "0/s");
        assert_eq!(rate(0.42), "0.4/s");
        assert_eq!(rate(412.3), "412/s");
        assert_eq!(span(59), "59s");
        assert_eq!(span(3_725), "1h02");
        assert_eq!(span(-4), "0s");
    }

    #[test]
    fn cuts_by_columns_and_keeps_both_ends_of_ids() {
        assert_eq!(middle("p-000812", 12), "p-000812");
        assert_eq!(middle("product-000000812", 9), "prod…0812");
        assert_eq!(end("a long value", 6), "a lon…");
        assert_eq!(width(&middle("価格価格価格価格", 7)), 7);
        assert_eq!(end("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3), "👩‍👩‍👧‍👦…");
        assert_eq!(end("abc", 0), "");
        assert_eq!((tail("a long value", 6).as_ref(), tail("价格", 3).as_ref()), ("…value", "…格"));
    }

    #[test]
    fn long_words_of_a_line_give_way_first() {
        let line = "lease 3000000000000000000000000000000-FF acquired by host-b";
        assert_eq!(squeeze(line, 60), line);
        assert_eq!(squeeze(line, 50), "lease 300000000000…000000000-FF acquired by host-b");
        assert_eq!(squeeze(line, 20), "lease 30000000…0000…");
    }

    #[test]
    fn nothing_that_moves_the_cursor_gets_through() {
        assert_eq!(clean("a\x1b[31mb\tc\nd"), "a·[31mb·c·d");
        assert_eq!(clean("evil\u{202E}txt"), "evil·txt");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn never_wider_than_asked(text in "\\PC{0,40}", max in 0_usize..30) {
            proptest::prop_assert!(width(&middle(&text, max)) <= max);
            proptest::prop_assert!(width(&end(&text, max)) <= max);
            proptest::prop_assert!(width(&tail(&text, max)) <= max);
        }
    }
}
