//! What the writer of documents is asked for.

use crate::engine::command::Insert;

/// What the writer of documents is asked for.
#[derive(Debug)]
pub(in crate::engine) enum Request {
    /// Write these, and time them.
    Insert(Insert),
    /// Write these first documents, and do not time them.
    Fill(Insert),
    /// Sample traffic at this many writes per second; 0 ends it.
    Rate(f64),
    /// Hold everything that is rated.
    Pause(bool),
    /// End all inserts.
    Stop,
    /// Take the inserts of this session back.
    Undo,
}

impl Request {
    /// Whether documents are written for it.
    pub(super) fn writes(&self) -> bool {
        match self {
            Self::Insert(_) | Self::Fill(_) | Self::Undo => true,
            Self::Rate(rate) => *rate > 0.0,
            Self::Pause(_) | Self::Stop => false,
        }
    }
}
