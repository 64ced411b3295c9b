//! Request units that an operation costs. Near what the service says of documents under its default
//! indexing ("Request Units in Azure Cosmos DB": reading 1 KB 1 RU and 100 KB 10 RU, writing 1 KB 5.5
//! and 100 KB 50 RU); not to the digit.

/// What a refused write costs at least.
pub(super) const REFUSED: f64 = 1.24;

const KILOBYTE: f64 = 1024.0;

fn kilobytes(bytes: usize) -> f64 {
    (bytes as f64 / KILOBYTE).ceil().max(1.0)
}

/// A point read of so many bytes.
pub(super) fn read(bytes: usize) -> f64 {
    1.0 + (kilobytes(bytes) - 1.0) * 9.0 / 99.0
}

/// A write of so many bytes; a replacement takes the old version out of the index too.
pub(super) fn write(bytes: usize, replaces: bool) -> f64 {
    let create = 5.5 + (kilobytes(bytes) - 1.0) * 44.5 / 99.0;
    if replaces { create * 1.9 } else { create }
}

/// A page of a query or feed with so many bytes of results from so many documents looked at.
pub(super) fn page(bytes: usize, looked_at: usize) -> f64 {
    2.0 + read(bytes) - 1.0 + looked_at as f64 * 0.01
}

/// As the header has it.
pub(super) fn text(charge: f64) -> String {
    format!("{charge:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
