//! Keys of our own beside the entries: versions of guarded entries, and markers of a rebuild. They
//! are no entries, and nobody lists them as such.

use std::time::Duration;

use super::guard::is_version_key;

/// Before a marker's id.
const MARKER_KEY: &str = "syncscope:marker:";
/// A marker that nobody removed goes by itself after this time.
pub const MARKER_TTL: Duration = Duration::from_secs(10 * 60);

/// The key under which a marker of this id arrives.
pub fn marker_key(id: &str) -> String {
    format!("{MARKER_KEY}{id}")
}

/// Whether a key is not an entry but one of our own.
pub fn is_reserved_key(key: &str) -> bool {
    is_version_key(key) || key.starts_with(MARKER_KEY)
}
