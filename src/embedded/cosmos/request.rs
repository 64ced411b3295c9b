//! One authorized request, its path decoded and its body read.

use bytes::Bytes;
use http::{HeaderMap, Method};

/// What the rooms behind the listener see of a request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// The decoded path segments; names, never rids.
    pub(super) segments: Vec<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Ask {
    /// The header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Whether the header says `true`, in any case (Python writes `True`).
    pub(super) fn flag(&self, name: &str) -> bool {
        self.header(name).is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    /// Whether this is a query rather than a creation: three spellings are in use.
    pub(super) fn is_query(&self) -> bool {
        self.flag("x-ms-documentdb-isquery")
            || self.flag("x-ms-documentdb-query")
            || self.header("content-type").is_some_and(|v| v.starts_with("application/query+json"))
    }

    /// Whether the client wants writes answered without the document.
    pub(super) fn wants_minimal(&self) -> bool {
        match self.header("x-ms-cosmos-populate-content-response-on-write") {
            Some(wanted) => !wanted.eq_ignore_ascii_case("true"),
            None => self.header("prefer").is_some_and(|p| p.contains("return=minimal")),
        }
    }

    /// The id of the physical range that is addressed; .NET puts the container's rid before it.
    pub(super) fn range_id(&self) -> Option<&str> {
        let id = self.header("x-ms-documentdb-partitionkeyrangeid")?;
        Some(id.rsplit(',').next().unwrap_or(id)).filter(|id| !id.is_empty())
    }
}
