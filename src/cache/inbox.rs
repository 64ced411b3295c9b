//! Where pushes land: keys that changed, each once, until somebody reads them. Filled from the
//! connection's own task, which must never wait.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;

use super::key_text::text_of;
use super::reserved::is_reserved_key;

/// Most changed keys waiting; beyond that a new SCAN is cheaper than a list.
const MOST_KEYS: usize = 100_000;

/// What has come in since it was taken last.
#[derive(Debug, Default)]
struct Content {
    changed: HashMap<String, Instant>,
    flushed: bool,
    overflowed: u64,
    disconnected: bool,
}

/// Shared by the connection and the observer.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    content: Mutex<Content>,
    arrived: Notify,
}

/// A batch of changes.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) changed: Vec<(String, Instant)>,
    pub(super) flushed: bool,
    /// Changes that found no room: everything has to be looked at again.
    pub(super) overflowed: u64,
    pub(super) disconnected: bool,
}

impl Inbox {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a push of a tracking or subscribed connection.
    pub(super) fn push(&self, push: PushInfo) {
        let now = Instant::now();
        {
            let mut content = self.content();
            match push.kind {
                PushKind::Invalidate => match push.data.into_iter().next() {
                    Some(Value::Array(keys)) => {
                        keys.into_iter().filter_map(key).for_each(|key| content.add(key, now));
                    }
                    // Null instead of keys: FLUSHDB or FLUSHALL.
                    _ => content.flush(),
                },
                // `__keyevent@DB__:EVENT`, message = the key.
                PushKind::Message | PushKind::PMessage => {
                    if let Some(key) = push.data.into_iter().next_back().and_then(key) {
                        content.add(key, now);
                    }
                }
                PushKind::Disconnection => content.disconnected = true,
                _ => return,
            }
        }
        self.arrived.notify_one();
    }

    /// Takes at most `most` changes, oldest state of the rest kept.
    pub(super) fn take(&self, most: usize) -> Taken {
        let mut content = self.content();
        let changed = if content.changed.len() <= most {
            content.changed.drain().collect()
        } else {
            let keys: Vec<String> = content.changed.keys().take(most).cloned().collect();
            keys.into_iter().filter_map(|key| content.changed.remove_entry(&key)).collect()
        };
        Taken {
            changed,
            flushed: std::mem::take(&mut content.flushed),
            overflowed: std::mem::take(&mut content.overflowed),
            disconnected: content.disconnected,
        }
    }

    /// Lets [`Inbox::arrived`] return once more: not everything was taken.
    pub(super) fn look_again(&self) {
        self.arrived.notify_one();
    }

    /// Something may be there.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

impl Content {
    fn add(&mut self, key: String, now: Instant) {
        if is_reserved_key(&key) {
            return;
        }
        if self.changed.len() < MOST_KEYS || self.changed.contains_key(&key) {
            // The first notice counts: latency is measured from it.
            self.changed.entry(key).or_insert(now);
        } else {
            self.overflowed += 1;
        }
    }

    fn flush(&mut self) {
        self.changed.clear();
        self.flushed = true;
    }
}

fn key(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(text_of(bytes)),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalidate(keys: &[&str]) -> PushInfo {
        let keys = keys.iter().map(|key| Value::BulkString(key.as_bytes().to_vec())).collect();
        PushInfo { kind: PushKind::Invalidate, data: vec![Value::Array(keys)] }
    }

    #[test]
    fn a_key_that_changes_often_is_read_once_and_its_first_notice_counts() {
        let inbox = Inbox::default();
        inbox.push(invalidate(&["a", "b"]));
        let first = inbox.content().changed["a"];
        inbox.push(invalidate(&["a"]));
        let taken = inbox.take(10);
        assert_eq!(taken.changed.len(), 2);
        assert!(taken.changed.contains(&("a".to_owned(), first)));
        assert!(inbox.take(10).changed.is_empty());
    }

    #[test]
    fn a_flush_makes_older_changes_moot() {
        let inbox = Inbox::default();
        inbox.push(invalidate(&["a"]));
        inbox.push(PushInfo { kind: PushKind::Invalidate, data: vec![Value::Nil] });
        inbox.push(invalidate(&["b"]));
        let taken = inbox.take(10);
        assert!(taken.flushed);
        assert_eq!(taken.changed.len(), 1);
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let inbox = Inbox::default();
        for n in 0..=MOST_KEYS {
            inbox.content().add(n.to_string(), Instant::now());
        }
        let taken = inbox.take(1);
        assert_eq!((taken.changed.len(), taken.overflowed), (1, 1));
        assert_eq!(inbox.take(usize::MAX).changed.len(), MOST_KEYS - 1);
    }
}
