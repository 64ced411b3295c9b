//! The one thread: which document is selected, and how it shows in each pane.

use crate::{
    cosmos::EpkRange,
    engine::{ChangeRow, EntryRow, Finding, LeaseRow},
};

/// The selected document (or, where there is none, the selected key or lease).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Thread {
    /// The document's id.
    pub(crate) document: Option<String>,
    /// JSON text of its partition key value, where known.
    pub(crate) partition_key: Option<String>,
    /// Its cache keys, or the selected key.
    pub(crate) keys: Vec<String>,
    /// Range of the page that brought it.
    range: Option<EpkRange>,
    /// The lease that was selected itself.
    lease: Option<String>,
}

impl Thread {
    /// The thread through a change.
    pub(crate) fn of_change(row: &ChangeRow) -> Self {
        Self {
            document: Some(row.id.clone()),
            partition_key: row.partition_key.clone(),
            keys: row.keys.clone(),
            range: Some(row.range.clone()),
            lease: None,
        }
    }

    /// The thread through an entry whose document has no row in the feed.
    pub(crate) fn of_entry(row: &EntryRow) -> Self {
        Self { document: row.document_id.clone(), keys: vec![row.key.clone()], ..Self::default() }
    }

    /// The thread through what a verification found.
    pub(crate) fn of_finding(finding: &Finding) -> Self {
        Self {
            document: finding.id.clone(),
            partition_key: finding.partition_key.clone(),
            keys: vec![finding.key.clone()],
            ..Self::default()
        }
    }

    /// The thread of a lease that brought nothing yet.
    pub(crate) fn of_lease(row: &LeaseRow) -> Self {
        Self { lease: Some(row.id.clone()), ..Self::default() }
    }

    /// The same thread, with the lease that was pointed at.
    pub(crate) fn through_lease(mut self, row: &LeaseRow) -> Self {
        self.lease = Some(row.id.clone());
        self
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What to call it: the document, else the key, else the lease.
    pub(crate) fn name(&self) -> Option<&str> {
        self.document.as_deref().or_else(|| self.keys.first().map(String::as_str)).or(self.lease.as_deref())
    }

    pub(crate) fn marks_change(&self, row: &ChangeRow) -> bool {
        self.document.as_deref() == Some(row.id.as_str())
    }

    pub(crate) fn marks_key(&self, key: &str) -> bool {
        self.keys.iter().any(|k| k == key)
    }

    /// Whether a lease is the one that the document came through: the selected one, else the one whose
    /// range overlaps the page's.
    pub(crate) fn marks_lease(&self, row: &LeaseRow) -> bool {
        if let Some(lease) = &self.lease {
            return *lease == row.id;
        }
        match (&self.range, &row.range) {
            (Some(page), Some(range)) => {
                range.contains(page) || (range.overlaps(page) && page.contains(range))
            }
            _ => false,
        }
    }
}

impl Thread {
    /// The thread of a document that is about to be written. The key is a guess of the plain template;
    /// the real keys come with its change.
    pub(crate) fn awaiting(id: &str, key_template: &str) -> Self {
        let key = key_template.replace("{id}", id);
        let keys = if key.contains('{') { Vec::new() } else { vec![key] };
        Self { document: Some(id.to_owned()), keys, ..Self::default() }
    }

    /// A change of the selected document came: what was not known before is known now.
    pub(crate) fn complete(&mut self, row: &ChangeRow) {
        if self.marks_change(row) && self.range.is_none() && self.lease.is_none() {
            *self = Self::of_change(row);
        }
    }
}
