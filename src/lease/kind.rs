//! Which processor library wrote a lease, and in which form.

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
