//! Two large texts compared for the screen, off its thread and off those that serve connections.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::sync::Diff;

use super::Shared;
use super::event::Event;

/// Two texts to be seen beside each other; `None` = that side has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextPair {
    /// The left side.
    pub left: Option<Arc<str>>,
    /// The right side.
    pub right: Option<Arc<str>>,
    /// What differs is looked for; else they only stand beside each other.
    pub judged: bool,
}

impl TextPair {
    /// Bytes to be gone through.
    pub fn bytes(&self) -> usize {
        [&self.left, &self.right].into_iter().flatten().map(|text| text.len()).sum()
    }

    /// Does it: 2 MB on each side take a good part of a second.
    pub fn diff(&self) -> Diff {
        let make = if self.judged { Diff::of } else { Diff::beside };
        make(self.left.as_deref().map(str::as_bytes), self.right.as_deref().map(str::as_bytes))
    }
}

/// A question of the screen.
pub(super) type Asked = (u64, TextPair);

/// Answers one after the other; of those that come meanwhile only the newest. One that is under way is
/// finished: a thread cannot be stopped.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut asked: watch::Receiver<Option<Asked>>,
    cancel: CancellationToken,
) {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = asked.changed() => if changed.is_err() { return },
        }
        let Some((request, comparison)) = asked.borrow_and_update().clone() else { continue };
        let compared = tokio::task::spawn_blocking(move || comparison.diff());
        tokio::select! {
            () = cancel.cancelled() => return,
            diff = compared => {
                let diff = Arc::new(diff.unwrap_or_default());
                shared.report.state(Event::Compared { request, diff }).await;
            }
        }
    }
}
