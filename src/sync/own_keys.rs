//! The keys of one mapping: counting them, and deleting exactly them. Where a template has no text
//! of its own (`{id}`), everybody's keys look like ours; then only those go whose value tells.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::cache::{CacheClient, CacheError, Entry};

use super::fields;
use super::mapping::Mapping;

/// Keys that the server looks at for one step of SCAN.
const STEP: usize = 1_000;
/// How much of a value is read to see whose it is; the id stands near the beginning, but JSON is
/// only JSON when it is whole.
const VALUE: usize = 1 << 20;
/// Entries read at once to see whose they are.
const BATCH: usize = 100;

/// SCAN patterns that together match every key of the mapping.
pub(super) fn patterns(mapping: &Mapping) -> Vec<String> {
    mapping.scan_patterns()
}

/// The id of the document that a key stands for, where the mapping tells it.
pub(super) fn document_id<'k>(mapping: &Mapping, key: &'k str) -> Option<Cow<'k, str>> {
    mapping.document_id(key)
}

/// Whether the pattern has text of its own.
fn is_own_space(pattern: &str) -> bool {
    pattern.chars().any(|c| c != '*')
}

/// The `id` in an entry's value.
pub(super) fn id_of(value: &[u8]) -> Option<String> {
    fields::scalar(value, &["id"]).ok().flatten().map(Cow::into_owned)
}

/// Whether a key alone tells that it is this mapping's.
pub fn keys_tell(mapping: &Mapping) -> bool {
    patterns(mapping).iter().all(|pattern| is_own_space(pattern))
}

/// Whether this mapping wrote an entry, as far as key and value tell.
pub(super) fn is_ours(mapping: &Mapping, key: &str, held: &Entry) -> bool {
    if keys_tell(mapping) {
        return true;
    }
    let in_value = id_of(&held.value);
    match document_id(mapping, key) {
        Some(id) => in_value.is_some_and(|found| found == id),
        None => in_value.is_some(),
    }
}

/// How many keys match the mapping; `None` when that cannot be told within `patience`.
///
/// # Errors
/// The cache cannot be read.
pub async fn count_keys(
    cache: &CacheClient,
    mapping: &Mapping,
    patience: Duration,
) -> Result<Option<u64>, CacheError> {
    let started = Instant::now();
    let mut count = 0;
    for pattern in patterns(mapping) {
        let mut cursor = 0;
        loop {
            let (next, keys) = cache.scan(cursor, Some(&pattern), STEP).await?;
            count += keys.len() as u64;
            cursor = next;
            if cursor == 0 {
                break;
            }
            if started.elapsed() > patience {
                return Ok(None);
            }
        }
    }
    Ok(Some(count))
}

/// Deletes exactly the keys of the mapping, step by step; gives how many there were.
///
/// # Errors
/// The cache went away; some are deleted.
pub async fn flush_keys(cache: &CacheClient, mapping: &Mapping) -> Result<u64, CacheError> {
    let mut deleted = 0;
    for pattern in patterns(mapping) {
        let mut cursor = 0;
        loop {
            let (next, keys) = cache.scan(cursor, Some(&pattern), STEP).await?;
            if is_own_space(&pattern) {
                deleted += cache.delete(&keys).await?;
            } else {
                for keys in keys.chunks(BATCH) {
                    let entries = cache.entries(keys, VALUE).await?;
                    let ours: Vec<String> = keys
                        .iter()
                        .zip(entries)
                        .filter(|(key, held)| held.as_ref().is_some_and(|held| is_ours(mapping, key, held)))
                        .map(|(key, _)| key.clone())
                        .collect();
                    deleted += cache.delete(&ours).await?;
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }
    Ok(deleted)
}
