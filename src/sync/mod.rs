//! From change to entry: mapping, the `ChangeHandler` that writes to Redis, rebuild.

mod compare;
mod dead_letters;
mod diff;
pub mod fields;
mod mapping;
mod marker;
mod own_keys;
mod preview;
mod rebuild;
mod set_aside;
pub mod verify;
mod writer;

pub use compare::{Difference, Digest, compare, same_meaning};
pub use dead_letters::{DeadLetter, DeadLetters, Retried, retry};
pub(crate) use dead_letters::{make_private, state_directory};
pub use diff::{Diff, DiffKind, DiffLine, DiffRow, Folded, Side};
pub use mapping::{
    Expiry, Jq, JqError, KeyTemplate, MappedEntry, MappedValue, Mapping, MappingError, MappingFault,
    TemplateError,
};
pub use marker::{Marker, arrived, is_marker, is_there, remove_markers, remove_old_markers, write_markers};
pub use own_keys::{count_keys, flush_keys, keys_tell};
pub use preview::{PreviewEntry, PreviewFault, preview};
pub use rebuild::{LeaseOwner, LeasesToDelete, delete_leases, leases_named, leases_to_delete, reset_leases};
pub use set_aside::{SetAside, SetAsideList};
pub(crate) use verify::as_in_feed;
pub use writer::{CacheWriter, WriteError, version};
