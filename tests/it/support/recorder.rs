//! A handler that remembers what it was given, and can be told to fail, to wait or to panic.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use syncscope::processor::{ChangeBatch, ChangeHandler};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    seen: Mutex<Vec<(String, Value)>>,
    pub(crate) failing: AtomicBool,
    pub(crate) panicking: AtomicBool,
    pub(crate) delay_ms: AtomicU64,
}

/// The recorder was told to fail.
#[derive(Debug, thiserror::Error)]
#[error("told to fail")]
pub(crate) struct Told;

impl Recorder {
    /// Ids in the order of delivery, repetitions included.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
    }

    /// The last version of each document by id.
    pub(crate) fn latest(&self) -> BTreeMap<String, Value> {
        self.seen.lock().unwrap().iter().cloned().collect()
    }

    pub(crate) fn fail(&self, fail: bool) {
        self.failing.store(fail, Ordering::SeqCst);
    }
}

impl ChangeHandler for Recorder {
    type Error = Told;

    async fn handle(&self, batch: ChangeBatch) -> Result<(), Told> {
        let delay = self.delay_ms.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        assert!(!self.panicking.swap(false, Ordering::SeqCst), "told to panic");
        if self.failing.load(Ordering::SeqCst) {
            return Err(Told);
        }
        let mut seen = self.seen.lock().unwrap();
        for document in &batch.documents {
            let document: Value = serde_json::from_slice(document).unwrap();
            seen.push((document["id"].as_str().unwrap().to_owned(), document));
        }
        Ok(())
    }
}
