//! Repair: writes what the source says now, and deletes orphans by exact key. Everything is looked
//! at again first, and once more afterwards, so that a newer version is never left overwritten.

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;

use crate::cosmos::PartitionKey;
use crate::sync::compare::compare;
use crate::sync::writer::CacheWriter;

use super::finding::{Cause, Finding, FindingKind};
use super::look::documents_of;
use super::pass::most_of;
use super::{Verifier, VerifyError};

/// Entries repaired at once.
const CONCURRENCY: usize = 16;
/// A document that changes under our hands is written again so often.
const ATTEMPTS: usize = 5;
/// Longest value read of an entry that may go.
const ORPHAN_VALUE: usize = 1 << 20;

/// What became of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repaired {
    /// Written anew from the source.
    Written,
    /// Deleted: its document is gone.
    Deleted,
    /// Was right already.
    WasRight,
    /// Left alone, with the reason.
    Left(String),
}

/// Repairs findings.
pub struct Repairer<'v> {
    verifier: &'v Verifier,
    writer: &'v CacheWriter,
}

impl<'v> Repairer<'v> {
    /// Writes through `writer`, as the mapping says.
    pub fn new(verifier: &'v Verifier, writer: &'v CacheWriter) -> Self {
        Self { verifier, writer }
    }

    /// Repairs each finding; the outcomes come in no particular order.
    ///
    /// # Errors
    /// Source or cache went away; what was told before is done.
    pub async fn repair(
        &self,
        findings: Vec<Finding>,
        mut done: impl FnMut(Finding, Repaired) + Send,
    ) -> Result<(), VerifyError> {
        // Boxed: the compiler cannot prove these futures Send for every lifetime otherwise.
        let mut outcomes = futures::stream::iter(findings)
            .map(|finding| async move { (self.one(&finding).await, finding) }.boxed())
            .buffer_unordered(CONCURRENCY);
        while let Some((outcome, finding)) = outcomes.next().await {
            done(finding, outcome?);
        }
        Ok(())
    }

    async fn one(&self, finding: &Finding) -> Result<Repaired, VerifyError> {
        if finding.kind == FindingKind::Orphan {
            return self.orphan(finding).await;
        }
        let (Some(id), Some(key)) = (&finding.id, &finding.partition_key) else {
            return Ok(Repaired::Left("its document is not known".to_owned()));
        };
        self.document(id, &PartitionKey::from_json(key)?).await
    }

    async fn document(&self, id: &str, partition_key: &PartitionKey) -> Result<Repaired, VerifyError> {
        let (source, cache) = (&self.verifier.source, &self.verifier.cache);
        let mut written = false;
        for _ in 0..ATTEMPTS {
            let Some(document) = source.read(id, partition_key).await? else {
                return Ok(Repaired::Left("its document is gone now; verify again".to_owned()));
            };
            let body = as_in_feed(document.body, document.lsn);
            let entries = match self.verifier.mapping.entries(&body) {
                Ok(entries) => entries,
                Err(error) => return Ok(Repaired::Left(error.to_string())),
            };
            let mut right = true;
            for wanted in &entries {
                let held = cache.entry(&wanted.key, most_of(wanted.expected().len())).await?;
                right &= compare(wanted, held.as_ref(), Timestamp::now()).is_none();
            }
            if right {
                return Ok(if written { Repaired::Written } else { Repaired::WasRight });
            }
            // Whatever changes the document after this write comes to the cache after it, too; what
            // changed it before is seen by the next reading.
            if let Err(error) = self.writer.write(&[body]).await {
                return Ok(Repaired::Left(error.to_string()));
            }
            written = true;
        }
        Ok(Repaired::Left("it differs again after every write; is another mapping writing, too?".to_owned()))
    }

    async fn orphan(&self, finding: &Finding) -> Result<Repaired, VerifyError> {
        let Some(id) = &finding.id else {
            return Ok(Repaired::Left("its document is not known".to_owned()));
        };
        if finding.cause != Cause::DocumentGone {
            return Ok(Repaired::Left("not written by this mapping, as far as its value tells".to_owned()));
        }
        let (source, cache) = (&self.verifier.source, &self.verifier.cache);
        let Some(held) = cache.entry(&finding.key, ORPHAN_VALUE).await? else {
            return Ok(Repaired::WasRight);
        };
        for delete in [true, false] {
            for body in documents_of(source, id, &held).await? {
                if self.verifier.mapping.makes(&body, &finding.key) {
                    if delete {
                        return Ok(Repaired::WasRight);
                    }
                    // It came back while we deleted.
                    let key = PartitionKey::of_document(&body, source.partition_key_paths())?;
                    return self.document(id, &key).await;
                }
            }
            if delete {
                cache.delete(std::slice::from_ref(&finding.key)).await?;
            }
        }
        Ok(Repaired::Deleted)
    }
}

/// A document as the feed would bring it: a point read leaves out `_lsn`.
pub(crate) fn as_in_feed(body: Bytes, lsn: Option<u64>) -> Bytes {
    let has = crate::sync::fields::pick(&body, &["_lsn"]).ok().flatten().is_some();
    let end = body.iter().rposition(|byte| *byte == b'}');
    let (Some(lsn), Some(end), false) = (lsn, end, has) else { return body };
    let mut whole = body[..end].to_vec();
    whole.extend_from_slice(format!(",\"_lsn\":{lsn}}}").as_bytes());
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_a_point_read_gets_its_lsn() {
        let with = |text: &'static str| as_in_feed(Bytes::from_static(text.as_bytes()), Some(7));
        assert_eq!(&with(r#"{"id":"a"}"#)[..], br#"{"id":"a","_lsn":7}"#);
        assert_eq!(&with(r#"{"id":"a","_lsn":3}"#)[..], br#"{"id":"a","_lsn":3}"#);
        assert_eq!(&as_in_feed(Bytes::from_static(b"{}"), None)[..], b"{}");
    }
}
