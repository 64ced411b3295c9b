//! The beginning of an entry's value as people read it.

use std::fmt::Write as _;

use crate::cache::{DistributedExpiry, Encoding};

use super::event::EntryValue;

/// Characters kept: a few lines of a pane.
const CHARS: usize = 400;
/// Bytes shown of what is no text.
const HEX_BYTES: usize = 48;

/// Text as it is, from its beginning; other bytes in hexadecimal. `cut`: the value went on where it was read.
pub(super) fn decoded(
    encoding: Encoding,
    value: &[u8],
    cut: bool,
    expiry: Option<DistributedExpiry>,
) -> EntryValue {
    // A cut may have gone through a character: what is before it is text nevertheless.
    let text = match std::str::from_utf8(value) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() && cut => {
            std::str::from_utf8(&value[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    let (shown, more) = match text {
        Some(text) => match text.char_indices().nth(CHARS) {
            Some((end, _)) => (text[..end].to_owned(), true),
            None => (text.to_owned(), false),
        },
        None => (hexadecimal(value), value.len() > HEX_BYTES),
    };
    EntryValue { encoding, text: shown.into(), cut: cut || more, expiry }
}

fn hexadecimal(value: &[u8]) -> String {
    value.iter().take(HEX_BYTES).fold(String::new(), |mut text, byte| {
        let gap = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{gap}{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_text_and_bytes_are_hexadecimal() {
        let shown = |value: &[u8], cut| decoded(Encoding::Text, value, cut, None);
        assert_eq!(&*shown("{\"a\":\"价\"}".as_bytes(), false).text, "{\"a\":\"价\"}");
        assert_eq!(&*shown(b"\xff\x00", false).text, "ff 00");
        // Cut within a character, or broken there.
        assert_eq!(&*shown(&"ab价".as_bytes()[..4], true).text, "ab");
        assert_eq!(&*shown(&"ab价".as_bytes()[..4], false).text, "61 62 e4 bb");
        let long = shown("x".repeat(1_000).as_bytes(), false);
        assert_eq!((long.text.len(), long.cut), (CHARS, true));
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_within_the_bound(value in proptest::collection::vec(any::<u8>(), 0..600), cut: bool) {
            prop_assert!(decoded(Encoding::Text, &value, cut, None).text.chars().count() <= CHARS);
        }
    }
}
