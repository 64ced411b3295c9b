//! What the writer of documents is asked for.

use tokio::sync::mpsc;

use crate::engine::command::Insert;

/// Requests waiting: single inserts come from a person, batches are one request each.
const REQUESTS: usize = 32;

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

/// Sends requests to the writer.
pub(in crate::engine) type Requests = mpsc::Sender<Request>;

/// The channel between engine and writer.
pub(in crate::engine) fn channel() -> (Requests, mpsc::Receiver<Request>) {
    mpsc::channel(REQUESTS)
}
