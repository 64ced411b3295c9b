//! The change feed, ours from the log to the wire: an ordered log per physical range, pages from a
//! cursor, 304 with an etag when there is nothing new. Cost in proportion to the page.

pub(super) mod answer;
pub(super) mod cursor;
pub(super) mod log;
#[cfg(test)]
mod model_tests;
pub(super) mod ranges;
pub(super) mod snapshot;
pub(super) mod topology;
