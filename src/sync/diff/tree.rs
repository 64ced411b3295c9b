//! JSON as a tree of places in its text: numbers keep their spelling and members their order, which a
//! parse to values would lose.

use super::Span;

/// A value and what is in it.
pub(super) struct Node {
    pub(super) at: Span,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// A text, number, boolean or null.
    Scalar,
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
pub(super) struct Member {
    /// Its name as written, with quotes.
    pub(super) name: Span,
    pub(super) value: Node,
}

/// `None` where it is no JSON for the judge of [`crate::sync::compare`] either: its reader is asked first,
/// which also bounds the depth.
pub(super) fn parse(text: &str) -> Option<Node> {
    u32::try_from(text.len()).ok()?;
    serde_json::from_str::<serde_json::Value>(text).ok()?;
    Reader { bytes: text.as_bytes(), at: 0 }.value()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Takes a byte if it is the next one.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn span(&self, from: usize) -> Option<Span> {
        Some(Span { from: u32::try_from(from).ok()?, to: u32::try_from(self.at).ok()? })
    }

    fn value(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let from = self.at;
        let kind = match first {
            b'{' => Kind::Object(self.listed(b'}', |reader| {
                reader.peek()?;
                let name = reader.text()?;
                reader.takes(b':').then_some(())?;
                Some(Member { name, value: reader.value()? })
            })?),
            b'[' => Kind::Array(self.listed(b']', Self::value)?),
            b'"' => {
                self.text()?;
                Kind::Scalar
            }
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
                let rest = &self.bytes[self.at..];
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
                Kind::Scalar
            }
        };
        Some(Node { at: self.span(from)?, kind })
    }

    /// What stands between brackets.
    fn listed<T>(&mut self, close: u8, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut found = Vec::new();
        if self.takes(close) {
            return Some(found);
        }
        loop {
            found.push(one(self)?);
            if self.takes(close) {
                return Some(found);
            }
            self.takes(b',').then_some(())?;
        }
    }

    /// A text with its quotes.
    fn text(&mut self) -> Option<Span> {
        let from = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.span(from)
    }
}
