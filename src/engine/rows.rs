//! Change → row: id, partition key, the fields to show and how they differ from the version before.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::cosmos::EpkRange;
use crate::engine::Shared;
use crate::engine::event::{ChangeRow, Field, Novelty, VersionSeen};
use crate::sync::fields;

/// Fields shown where no template names any.
const FIELDS: usize = 3;
/// Longest text kept of a field, in characters.
const FIELD_CHARS: usize = 120;
/// Largest document that stays with its row, in bytes.
const DOCUMENT_BYTES: usize = 32 << 10;

/// Makes rows in the order of the feed.
pub(super) struct RowMaker {
    shared: Arc<Shared>,
    paths: Vec<Vec<String>>,
    seq: u64,
}

impl RowMaker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let paths = shared
            .settings
            .view
            .fields
            .iter()
            .map(|path| path.split('.').map(str::to_owned).collect())
            .collect();
        Self { shared, paths, seq: 0 }
    }

    /// The row of a change, or `None` for what is not a document with an id.
    pub(super) fn row(
        &mut self,
        document: &Bytes,
        range: &EpkRange,
        now: Timestamp,
        live: bool,
    ) -> Option<ChangeRow> {
        let text =
            |name: &str| fields::scalar(document, &[name]).ok().flatten().map(std::borrow::Cow::into_owned);
        let id = text("id")?;
        let etag = text("_etag").unwrap_or_default();
        let lsn = text("_lsn").and_then(|lsn| lsn.parse().ok());
        let mut shown = self.fields(document);
        let numbers: Vec<Option<f64>> = shown.iter().map(|field| field.value.parse().ok()).collect();
        let partition_key = self.partition_key(document);
        let json: Option<Arc<str>> = std::str::from_utf8(document).ok().map(Arc::from);
        let version = VersionSeen {
            seen_at: now,
            etag: etag.clone(),
            lsn,
            summary: shown.first().map(|field| field.value.clone()).unwrap_or_default(),
            range: range.clone(),
            json: json.clone(),
            timing: None,
        };
        let before = self.shared.history.add(&id, partition_key.as_deref(), version, numbers.clone());
        let novelty = match (&before, live) {
            (Some(_), _) => Novelty::Replaced,
            (None, true) => Novelty::New,
            (None, false) => Novelty::Unknown,
        };
        for ((field, now), before) in shown.iter_mut().zip(numbers).zip(before.into_iter().flatten()) {
            field.delta = now.zip(before).map(|(now, before)| now - before).filter(|d| *d != 0.0);
        }
        self.seq += 1;
        let keys = self.shared.mapping.keys(document).unwrap_or_default();
        Some(ChangeRow {
            versions: self.shared.history.figures(&id),
            seq: self.seq,
            seen_at: now,
            id,
            partition_key,
            etag,
            lsn,
            range: range.clone(),
            keys,
            fields: shown,
            novelty,
            json: json.filter(|json| json.len() <= DOCUMENT_BYTES),
        })
    }

    fn fields(&self, document: &[u8]) -> Vec<Field> {
        let named = self
            .paths
            .iter()
            .zip(&self.shared.settings.view.fields)
            .filter_map(|(path, name)| field(name.clone(), fields::pick(document, path).ok().flatten()?));
        let named: Vec<Field> = named.collect();
        if !named.is_empty() {
            return named;
        }
        fields::first_scalars(document, FIELDS)
            .into_iter()
            .filter_map(|(name, raw)| field(name, raw))
            .collect()
    }

    fn partition_key(&self, document: &[u8]) -> Option<String> {
        let path = self.shared.partition_key_path();
        fields::pick(document, &path).ok().flatten().map(|raw| raw.get().to_owned())
    }
}

/// A scalar, ready to show.
pub(super) fn field(name: String, raw: &RawValue) -> Option<Field> {
    let value = fields::text(raw)?.chars().take(FIELD_CHARS).collect();
    let number = raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
    Some(Field { name, value, number, delta: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_in_quotes_are_no_number() {
        let of = |json: &str| {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            field("a".to_owned(), &raw).map(|field| (field.value, field.number))
        };
        assert_eq!(of("1028.99"), Some(("1028.99".to_owned(), true)));
        assert_eq!(of("-3"), Some(("-3".to_owned(), true)));
        assert_eq!(of("\"4006381333931\""), Some(("4006381333931".to_owned(), false)));
        assert_eq!(of("true"), Some(("true".to_owned(), false)));
        assert_eq!(of("{}"), None);
    }
}
