//! The path of a request as segments, decoded once: nothing behind this module parses a path again,
//! so no id can be taken for another resource.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The segments of a path, decoded and as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    segments: Vec<String>,
    raw: Vec<String>,
}

impl Path {
    /// Splits before decoding; a slash at the end (Python's SDK) counts for nothing.
    /// `None`: an empty or undecodable segment.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Some(Self { segments: Vec::new(), raw: Vec::new() });
        }
        let raw: Vec<String> = path.split('/').map(str::to_owned).collect();
        let segments = raw
            .iter()
            .map(|s| percent_decode_str(s).decode_utf8().ok().map(std::borrow::Cow::into_owned))
            .collect::<Option<Vec<_>>>()?;
        Some(Self { segments, raw })
    }

    /// The decoded segments, for good.
    pub(super) fn into_segments(self) -> Vec<String> {
        self.segments
    }

    /// Resource type, and the spellings of the resource link that clients sign: names decoded or as
    /// sent, rids alone and lower-cased (.NET), offers lower-cased.
    pub(super) fn signed_links(&self) -> (&str, Vec<String>) {
        let named = self.segments.len() & !1;
        let kind_at =
            if self.segments.len() % 2 == 1 { self.segments.len() - 1 } else { named.wrapping_sub(2) };
        let kind = self.segments.get(kind_at).map_or("", String::as_str);
        let mut links = vec![self.segments[..named].join("/")];
        if let Some(last) = self.segments[..named].last() {
            links.push(self.raw[..named].join("/"));
            links.push(last.to_lowercase());
        }
        (kind, links)
    }
}

/// A path of these decoded segments that decodes to exactly them again.
pub(super) fn encoded(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |mut path, segment| {
        path.push('/');
        path.extend(utf8_percent_encode(segment, NON_ALPHANUMERIC));
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_inside_an_id_stays_inside() {
        let path = Path::parse("/dbs/shop/colls/a%2Fb/docs/").unwrap();
        assert_eq!(path.segments, ["dbs", "shop", "colls", "a/b", "docs"]);
        assert_eq!(path.signed_links().0, "docs");
        assert_eq!(path.signed_links().1[0], "dbs/shop/colls/a/b");
    }

    #[test]
    fn root_signs_nothing() {
        assert_eq!(Path::parse("/").unwrap().signed_links(), ("", vec![String::new()]));
    }

    #[test]
    fn encoding_hides_dots_and_slashes() {
        assert_eq!(encoded(&["dbs", "a b/ä"]), "/dbs/a%20b%2F%C3%A4");
    }
}
