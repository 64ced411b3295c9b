//! What several subjects need: an embedded pair, a scratch directory, waiting for a condition.

pub(crate) mod cosmos;
pub(crate) mod emulator;
pub(crate) mod faults;
pub(crate) mod pair;
pub(crate) mod raw;
pub(crate) mod recorder;
pub(crate) mod servers;
pub(crate) mod tty;
pub(crate) mod wait;
