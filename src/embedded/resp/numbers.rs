//! Numbers as Redis reads them: no plus sign, no leading zeros, no spaces.

/// A signed 64-bit number, `None` for anything that Redis would refuse.
pub(super) fn parse_int(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] if digits.len() == text.len() => return Some(0),
        [] | [b'0', ..] => return None,
        _ if !digits.iter().all(u8::is_ascii_digit) => return None,
        _ => {}
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// An unsigned 64-bit number (SCAN cursors).
pub(super) fn parse_unsigned(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers() {
        for (text, number) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-0", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("", None),
            ("-", None),
            ("1a", None),
        ] {
            assert_eq!(parse_int(text.as_bytes()), number, "{text:?}");
        }
        assert_eq!(parse_unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_unsigned(b"-1"), None);
    }
}
