//! Which processor library wrote a lease, and in which form.

use serde_json::{Map, Value};

/// Form of a lease document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaseKind {
    /// .NET SDK v3, by partition key range (`version` 0).
    PartitionKeyRange,
    /// .NET SDK v3, by EPK range (`version` 1); the form that we create.
    EpkRange,
    /// The legacy .NET change feed processor library (`PartitionId`).
    Legacy,
    /// Java, by partition key range.
    JavaPartitionKeyRange,
    /// Java, by EPK range.
    JavaEpkRange,
}

impl LeaseKind {
    /// Tells the kind from the properties, in the order of tests that cannot confuse two of them.
    pub(super) fn of(document: &Map<String, Value>) -> Self {
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        let version = document.get("version").and_then(Value::as_i64);
        // `eyJ` is base64 of `{"`: Java's continuation is packed JSON, everybody else's is an etag.
        if document.contains_key("feedRange")
            || text("ContinuationToken").is_some_and(|t| t.starts_with("eyJ"))
        {
            Self::JavaEpkRange
        } else if version == Some(1) {
            Self::EpkRange
        } else if document.contains_key("PartitionId") && !document.contains_key("LeaseToken") {
            Self::Legacy
        } else if document.contains_key("PartitionId")
            || version == Some(0)
            || document.contains_key("properties")
        {
            Self::PartitionKeyRange
        } else {
            Self::JavaPartitionKeyRange
        }
    }

    /// Whether our processor can own such a lease without damaging it.
    pub fn is_ours_to_run(self) -> bool {
        !matches!(self, Self::JavaPartitionKeyRange | Self::JavaEpkRange)
    }

    /// Whether it names a physical range by id rather than a range of the key space.
    pub fn is_by_range_id(self) -> bool {
        !matches!(self, Self::EpkRange | Self::JavaEpkRange)
    }
}
