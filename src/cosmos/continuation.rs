//! Continuation tokens of the change feed: the SDK's `c1.` form and the raw etags inside it.
//! Leases hold raw etags (with their quotes), the pull model's users hold `c1.` tokens; both are positions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::EpkRange;

const PREFIX: &str = "c1.";

/// Positions of a change feed reader, range by range: what a `c1.` token holds.
/// Ranges that were not read yet are absent; they begin at `start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedToken {
    /// The container it belongs to.
    pub container_rid: String,
    /// Raw etag (quotes inside) of each range.
    pub positions: Vec<(EpkRange, String)>,
    /// Start of ranges without a position: `beginning`, `now`, or `point_in_time`.
    pub start: String,
    /// The time of `point_in_time`, as the SDK writes it.
    pub start_value: Option<String>,
    /// All versions and deletes.
    pub all_versions: bool,
}

/// Why a text is not a continuation token of a change feed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// No `c1.` in front.
    #[error("not a continuation token: it must begin with `c1.`")]
    Prefix,
    /// The rest is not base64url.
    #[error("not a continuation token: {0}")]
    Base64(String),
    /// The JSON inside is of another shape.
    #[error("not a continuation token of a change feed: {0}")]
    Shape(String),
}

#[derive(Serialize, Deserialize)]
struct Outer {
    op: String,
    rid: String,
    root: Root,
}

#[derive(Serialize, Deserialize)]
struct Root {
    kind: String,
    active_tokens: Vec<Active>,
    start_from: Start,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cfm: bool,
}

#[derive(Serialize, Deserialize)]
struct Active {
    min_epk: String,
    max_epk: String,
    server_continuation: String,
}

#[derive(Serialize, Deserialize)]
struct Start {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl FeedToken {
    /// A token that stands at one raw etag of one range.
    pub fn of_range(container_rid: impl Into<String>, range: EpkRange, etag: impl Into<String>) -> Self {
        Self {
            container_rid: container_rid.into(),
            positions: vec![(range, etag.into())],
            start: "beginning".into(),
            start_value: None,
            all_versions: false,
        }
    }

    /// Reads a `c1.` token.
    pub fn parse(token: &str) -> Result<Self, TokenError> {
        let packed = token.strip_prefix(PREFIX).ok_or(TokenError::Prefix)?;
        let json = URL_SAFE_NO_PAD.decode(packed).map_err(|e| TokenError::Base64(e.to_string()))?;
        let outer: Outer = serde_json::from_slice(&json).map_err(|e| TokenError::Shape(e.to_string()))?;
        if outer.op != "ChangeFeed" || outer.root.kind != "unordered_merge" {
            return Err(TokenError::Shape(format!("{} / {}", outer.op, outer.root.kind)));
        }
        Ok(Self {
            container_rid: outer.rid,
            positions: outer
                .root
                .active_tokens
                .into_iter()
                .map(|t| (EpkRange::new(t.min_epk, t.max_epk), t.server_continuation))
                .collect(),
            start: outer.root.start_from.kind,
            start_value: outer.root.start_from.value,
            all_versions: outer.root.cfm,
        })
    }

    /// The raw etag of the range that covers `range`, if it was read already.
    pub fn etag_of(&self, range: &EpkRange) -> Option<&str> {
        self.positions.iter().find(|(r, _)| r.contains(range)).map(|(_, etag)| etag.as_str())
    }
}

impl std::fmt::Display for FeedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let outer = Outer {
            op: "ChangeFeed".into(),
            rid: self.container_rid.clone(),
            root: Root {
                kind: "unordered_merge".into(),
                active_tokens: self
                    .positions
                    .iter()
                    .map(|(range, etag)| Active {
                        min_epk: range.min.clone(),
                        max_epk: range.max.clone(),
                        server_continuation: etag.clone(),
                    })
                    .collect(),
                start_from: Start { kind: self.start.clone(), value: self.start_value.clone() },
                cfm: self.all_versions,
            },
        };
        let json = serde_json::to_vec(&outer).map_err(|_| std::fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spelling_of_a_single_range() {
        let token = FeedToken::of_range("bQ8uAKjLr1s=", EpkRange::new("", "2000"), "\"4211\"");
        let json = URL_SAFE_NO_PAD.decode(token.to_string().trim_start_matches("c1.")).unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            r#"{"op":"ChangeFeed","rid":"bQ8uAKjLr1s=","root":{"kind":"unordered_merge","active_tokens":[{"min_epk":"","max_epk":"2000","server_continuation":"\"4211\""}],"start_from":{"kind":"beginning"}}}"#
        );
        assert_eq!(token.etag_of(&EpkRange::new("", "1000")), Some("\"4211\""));
        assert_eq!(token.etag_of(&EpkRange::new("2000", "FF")), None);
    }

    #[test]
    fn other_texts_are_told_apart() {
        assert_eq!(FeedToken::parse("\"4211\""), Err(TokenError::Prefix));
        assert!(matches!(FeedToken::parse("c1.***"), Err(TokenError::Base64(_))));
        assert!(matches!(FeedToken::parse("c1.e30"), Err(TokenError::Shape(_))));
    }

    proptest! {
        #[test]
        fn round_trip(rid in ".{0,20}", ranges in prop::collection::vec(("[0-9A-F]{0,8}", "[0-9A-F]{0,8}", ".{0,40}"), 0..5), all in any::<bool>()) {
            let token = FeedToken {
                container_rid: rid,
                positions: ranges.into_iter().map(|(a, b, e)| (EpkRange::new(a, b), e)).collect(),
                start: "point_in_time".into(),
                start_value: Some("2026-08-07T18:56:44Z".into()),
                all_versions: all,
            };
            prop_assert_eq!(FeedToken::parse(&token.to_string()).unwrap(), token);
        }

        #[test]
        fn any_text_is_answered(text in ".{0,60}") {
            let _ = FeedToken::parse(&format!("c1.{text}"));
            let _ = FeedToken::parse(&text);
        }
    }
}
