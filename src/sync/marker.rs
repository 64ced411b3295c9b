//! Markers: small documents of ours, one in each range of the source. When one has come out in the
//! cache and its lease has passed it, everything that was written before it has come, too. They are
//! known by their id, written into the cache under a key of their own whatever the mapping says, shown
//! nowhere, and removed from both afterwards; what an interrupted run has left, a later one removes.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use memchr::memmem::Finder;
use serde_json::{Map, Value, json};

use crate::cache::{CacheClient, CacheError, CacheWrite, MARKER_TTL, marker_key};
use crate::cosmos::{Container, CosmosError, EpkRange, PartitionKey};

use super::fields;
use super::mapping::Mapping;

/// How every marker's id begins. Letters and dots only: it stands in JSON as it is.
const ID: &str = "syncscope.marker.";
/// Ids tried for one range: a range of a thousandth of the key space is hit with near certainty.
const TRIES: u32 = 100_000;
/// Markers of other processors' rebuilds are left alone until they are so old.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// Where the source expires documents, a marker that nobody removed goes after this, in seconds.
const TTL: u64 = 60 * 60;
/// How much of an entry is read to see whether it is a marker.
const VALUE: usize = 64 << 10;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ID));

/// Whether a document is a marker. Cheap: nearly every document lacks the text.
pub fn is_marker(document: &[u8]) -> bool {
    FINDER.find(document).is_some() && marker_id(document).is_some()
}

/// The id of a marker; `None` for every other document.
fn marker_id(document: &[u8]) -> Option<String> {
    let id = fields::scalar(document, &["id"]).ok().flatten()?;
    id.starts_with(ID).then(|| id.into_owned())
}

/// The write that a marker becomes in the cache; `None` for every other document.
pub(super) fn marker_write(document: &Bytes) -> Option<CacheWrite> {
    FINDER.find(document)?;
    let key = marker_key(&marker_id(document)?).into();
    Some(CacheWrite::Set { key, value: document.clone(), ttl: Some(MARKER_TTL) })
}

/// One marker.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    id: String,
    partition_key: PartitionKey,
    body: Bytes,
    /// The range that it proves.
    pub range: EpkRange,
    /// Its place in the feed of its range, where the server told it.
    pub lsn: Option<u64>,
}

impl Marker {
    /// Keys under which it may come out: ours, and what the mapping makes if somebody else's
    /// processor delivers it.
    fn keys(&self, mapping: &Mapping) -> Vec<String> {
        let mut keys = vec![marker_key(&self.id)];
        keys.extend(mapping.keys(&self.body).unwrap_or_default());
        keys
    }
}

/// Writes one marker into each range of the source. `by` names the processor whose leases shall pass
/// them: markers of the same one that an earlier run has left are removed first, and told.
///
/// # Errors
/// The source cannot be read or refuses; what was written is removed again as far as possible.
pub async fn write_markers(source: &Container, by: &str) -> Result<Vec<Marker>, CosmosError> {
    let run = uuid::Uuid::new_v4().simple().to_string();
    let mut markers = Vec::new();
    let mut next = 0;
    for range in source.feed_ranges(true).await? {
        match write_one(source, range.range, by, &run[..8], &mut next).await {
            Ok(marker) => markers.push(marker),
            Err(error) => {
                for marker in &markers {
                    let _ = delete(source, &marker.id, &marker.partition_key).await;
                }
                return Err(error);
            }
        }
    }
    Ok(markers)
}

async fn write_one(
    source: &Container,
    range: EpkRange,
    by: &str,
    run: &str,
    next: &mut u32,
) -> Result<Marker, CosmosError> {
    let paths = source.partition_key_paths();
    for n in *next..next.saturating_add(TRIES) {
        // The id is the partition key, too: so it serves every container, `/id` included.
        let id = format!("{ID}{run}.{n}");
        let body = body(&id, paths, by)?;
        let partition_key = PartitionKey::of_document(&body, paths)?;
        if range.has(&source.effective_key(&partition_key)?) {
            *next = n + 1;
            let lsn = source.upsert(&partition_key, &body).await?.lsn;
            return Ok(Marker { id, partition_key, body, range, lsn });
        }
    }
    Err(CosmosError::BadRequest(format!("no partition key was found in range {}-{}", range.min, range.max)))
}

fn body(id: &str, paths: &[String], by: &str) -> Result<Bytes, CosmosError> {
    let mut document = json!({
        "id": id,
        "ttl": TTL,
        "syncscope": {
            "marker": true,
            "by": by,
            "writtenAt": Timestamp::now().to_string(),
            "note": "proves that a rebuild of the cache is through; removed afterwards; may be deleted",
        },
    });
    for path in paths {
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        let mut at = &mut document;
        for step in steps {
            let Some(object) = at.as_object_mut() else {
                return Err(CosmosError::BadRequest(format!("no document has all of the paths {paths:?}")));
            };
            at = object.entry(step.trim_matches('"')).or_insert_with(|| Value::Object(Map::new()));
        }
        *at = json!(id);
    }
    Ok(Bytes::from(document.to_string()))
}

/// Which of the markers have come out in the cache.
///
/// # Errors
/// The cache cannot be read.
pub async fn arrived(
    cache: &CacheClient,
    mapping: &Mapping,
    markers: &[Marker],
) -> Result<Vec<bool>, CacheError> {
    let keys: Vec<Vec<String>> = markers.iter().map(|marker| marker.keys(mapping)).collect();
    let all: Vec<String> = keys.iter().flatten().cloned().collect();
    let mut entries = cache.entries(&all, VALUE).await?.into_iter();
    Ok(keys
        .iter()
        .zip(markers)
        .map(|(keys, marker)| {
            let mut held = entries.by_ref().take(keys.len());
            let found = held.by_ref().flatten().any(|entry| mentions(&entry.value, &marker.id));
            held.for_each(drop);
            found
        })
        .collect())
}

fn mentions(value: &[u8], id: &str) -> bool {
    memchr::memmem::find(value, id.as_bytes()).is_some()
}

/// Whether a marker is still in the source: somebody may have removed it before it was delivered.
///
/// # Errors
/// The source cannot be read.
pub async fn is_there(source: &Container, marker: &Marker) -> Result<bool, CosmosError> {
    Ok(source.read(&marker.id, &marker.partition_key).await?.is_some())
}

/// Removes markers: from the cache first, so that what an interruption leaves is still known by its
/// document. Goes on after an error, and tells the first one in words.
///
/// # Errors
/// Source or cache refused; the rest is removed by a later run.
pub async fn remove_markers(
    source: &Container,
    cache: &CacheClient,
    mapping: &Mapping,
    markers: &[Marker],
) -> Result<(), String> {
    let mut first = Ok(());
    let keys: Vec<String> = markers.iter().flat_map(|marker| marker.keys(mapping)).collect();
    if let Err(error) = cache.delete(&keys).await {
        first = Err(error.with_remedy());
    }
    for marker in markers {
        if let Err(error) = delete(source, &marker.id, &marker.partition_key).await {
            first = first.and(Err(error.with_remedy()));
        }
    }
    first
}

/// Finds and removes what earlier runs have left: markers of the same processor, and those of others
/// after an hour. How many there were.
///
/// # Errors
/// The source cannot be read, or source or cache refused.
pub async fn remove_old_markers(
    source: &Container,
    cache: &CacheClient,
    mapping: &Mapping,
    by: &str,
) -> Result<usize, String> {
    let tell = |error: CosmosError| error.with_remedy();
    let sql = "SELECT * FROM c WHERE STARTSWITH(c.id, @id)";
    let found = source.query(sql, &[("@id", json!(ID))]).await.map_err(tell)?;
    let now = Timestamp::now();
    let mut old = Vec::new();
    for body in found {
        let Some(id) = marker_id(&body).filter(|_| is_abandoned(&body, by, now)) else { continue };
        let partition_key = PartitionKey::of_document(&body, source.partition_key_paths()).map_err(tell)?;
        old.push(Marker { id, partition_key, body, range: EpkRange::full(), lsn: None });
    }
    remove_markers(source, cache, mapping, &old).await?;
    Ok(old.len())
}

fn is_abandoned(body: &[u8], by: &str, now: Timestamp) -> bool {
    let text = |name| fields::scalar(body, &["syncscope", name]).ok().flatten();
    let ours = text("by").is_some_and(|other| other == by);
    let written = text("writtenAt").and_then(|at| at.parse::<Timestamp>().ok());
    ours || written.is_none_or(|at| now.duration_since(at) > ABANDONED.try_into().unwrap_or_default())
}

async fn delete(source: &Container, id: &str, key: &PartitionKey) -> Result<(), CosmosError> {
    match source.delete(id, key, None).await {
        Ok(_) | Err(CosmosError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn a_marker_is_known_by_its_id_alone() {
        let marker = body("syncscope.marker.1.0", &paths(&["/id"]), "p").unwrap();
        assert!(is_marker(&marker));
        assert!(!is_marker(br#"{"id":"a","about":"syncscope.marker.1.0"}"#));
        assert!(!is_marker(b"syncscope.marker."));
        let write = marker_write(&marker).unwrap();
        assert_eq!(&write.key()[..], b"syncscope:marker:syncscope.marker.1.0");
        assert!(crate::cache::is_reserved_key("syncscope:marker:syncscope.marker.1.0"));
        assert!(marker_write(&Bytes::from_static(b"{\"id\":\"a\"}")).is_none());
    }

    #[test]
    fn every_partition_key_path_holds_the_id() {
        for list in [&["/id"][..], &["/market"], &["/a/b"], &["/a/\"b c\"", "/id", "/a/d"]] {
            let list = paths(list);
            let marker = body("syncscope.marker.1.7", &list, "p").unwrap();
            let key = PartitionKey::of_document(&marker, &list).unwrap();
            let part = crate::cosmos::PartitionKeyPart::Text("syncscope.marker.1.7".to_owned());
            assert!(key.parts().iter().all(|one| *one == part), "{list:?}: {key}");
        }
        assert!(body("x", &paths(&["/a", "/a/b"]), "p").is_err());
    }

    #[test]
    fn only_what_is_ours_or_old_is_abandoned() {
        let marker = body("syncscope.marker.1.0", &paths(&["/id"]), "ours").unwrap();
        let now = Timestamp::now();
        assert!(is_abandoned(&marker, "ours", now));
        assert!(!is_abandoned(&marker, "theirs", now));
        assert!(is_abandoned(&marker, "theirs", now + 2 * ABANDONED));
        assert!(is_abandoned(b"{}", "theirs", now));
    }
}
