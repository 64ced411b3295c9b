//! The keys that the mapping could have made: those that no document of the pass made are suspects.

use std::borrow::Cow;

use tokio::sync::mpsc;

use crate::sync::own_keys::{document_id, patterns};

use super::look::Suspect;
use super::seen::SeenKeys;
use super::{Run, Tally, VerifyError};

impl Run<'_> {
    pub(super) async fn scan_keys(
        &self,
        suspects: &mpsc::Sender<Suspect>,
        seen: &SeenKeys,
    ) -> Result<(), VerifyError> {
        // A sample knows few keys: each of its keys is looked up by its document.
        let most = self.options.sample.unwrap_or(u64::MAX);
        let mut scanned = 0;
        for pattern in patterns(&self.with.mapping) {
            let mut cursor = 0;
            loop {
                let (next, keys) = self.with.cache.scan(cursor, Some(&pattern), self.pace.page()).await?;
                let read = keys.len();
                for key in keys {
                    if scanned == most {
                        return Ok(());
                    }
                    scanned += 1;
                    Tally::add(&self.tally.keys, 1);
                    if !seen.has(&key) {
                        let id = document_id(&self.with.mapping, &key).map(Cow::into_owned);
                        let _ = suspects.send(Suspect::orphan(key, id)).await;
                    }
                }
                self.pace.rest(read).await;
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}
