//! Keys as text. Redis keys are bytes; nearly all are UTF-8, and those stay as they are. What is not
//! UTF-8 is kept in pairs of noncharacters (U+FDD0 to U+FDEF, which Unicode promises never to use), one
//! pair a byte, so that the text leads back to the very key. A key that holds such characters itself has
//! pairs for their bytes: every key has one text, and no two keys have the same.

use std::borrow::Cow;

/// The upper half of a byte is this plus 0 to 15, the lower half [`LOW`] plus 0 to 15.
const HIGH: u32 = 0xFDD0;
const LOW: u32 = 0xFDE0;

/// The text of a key that is text.
pub fn key_text(key: String) -> String {
    // All of them begin with this byte, and hardly anything else does.
    if key.as_bytes().contains(&0xEF) { text_of(key.into_bytes()) } else { key }
}

/// The key that such a text stands for.
pub fn key_bytes(text: &str) -> Cow<'_, [u8]> {
    bytes_of(text)
}

/// A key as text.
pub(super) fn text_of(key: Vec<u8>) -> String {
    match String::from_utf8(key) {
        Ok(text) if !text.chars().any(is_half) => text,
        Ok(text) => escaped(text.as_bytes()),
        Err(error) => escaped(error.as_bytes()),
    }
}

/// With pairs for what is not UTF-8, and for noncharacters themselves.
fn escaped(key: &[u8]) -> String {
    let mut text = String::with_capacity(key.len() + 16);
    let pairs = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            let halves = [HIGH + u32::from(byte >> 4), LOW + u32::from(byte & 15)];
            text.extend(halves.into_iter().filter_map(char::from_u32));
        }
    };
    for chunk in key.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_half(c) {
                pairs(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(c);
            }
        }
        pairs(&mut text, chunk.invalid());
    }
    text
}

/// The key that a text stands for.
pub(super) fn bytes_of(text: &str) -> Cow<'_, [u8]> {
    if !text.as_bytes().contains(&0xEF) || !text.chars().any(is_half) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut key = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let low = chars.peek().and_then(|next| half(*next, LOW));
        if let (Some(high), Some(low)) = (half(c, HIGH), low) {
            key.push(high << 4 | low);
            chars.next();
        } else {
            key.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Cow::Owned(key)
}

fn half(c: char, first: u32) -> Option<u8> {
    u32::from(c).checked_sub(first).filter(|half| *half < 16).and_then(|half| u8::try_from(half).ok())
}

fn is_half(c: char) -> bool {
    (HIGH..LOW + 16).contains(&u32::from(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn utf8_stays_as_it_is() {
        assert_eq!(text_of("price:é-価格".into()), "price:é-価格");
        assert!(matches!(bytes_of("price:é"), Cow::Borrowed(b"price:\xC3\xA9")));
    }

    #[test]
    fn keys_with_noncharacters_come_back_too() {
        let key = "a\u{FDD8}\u{FDE3}".as_bytes().to_vec();
        assert_eq!(bytes_of(&text_of(key.clone())), key);
    }

    proptest! {
        #[test]
        fn every_key_comes_back(key in proptest::collection::vec(any::<u8>(), 0..40)) {
            let text = text_of(key.clone());
            prop_assert_eq!(bytes_of(&text).into_owned(), key);
            // And is the one text that stands for it.
            prop_assert_eq!(text_of(bytes_of(&text).into_owned()), text);
        }

        #[test]
        fn every_text_comes_back(key in "[\\PC\u{FDCF}-\u{FDF0}\u{FFFD}]{0,20}") {
            let text = key_text(key.clone());
            prop_assert_eq!(bytes_of(&text).into_owned(), key.as_bytes());
            prop_assert_eq!(text, text_of(key.into_bytes()));
        }
    }
}
