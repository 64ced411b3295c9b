//! The activity: lines, and what they can be sorted by.

use super::sort::{Column, SortKey, Sorted};
use crate::engine::LogLine;

impl Sorted for LogLine {
    const COLUMNS: &'static [Column] =
        &[Column::falling("time"), Column::falling("level"), Column::rising("room"), Column::rising("text")];

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            1 => SortKey::Number(f64::from(self.level as u8)),
            2 => SortKey::Text(self.room),
            3 => SortKey::Text(&self.text),
            _ => SortKey::Number(self.at.as_microsecond() as f64),
        }
    }
}

/// The least level of the lines that the activity pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Floor {
    Everything,
    Warnings,
    Errors,
}

impl Floor {
    pub(crate) const ALL: [Self; 3] = [Self::Everything, Self::Warnings, Self::Errors];

    /// What a filter of the pane has behind `level>=`.
    pub(crate) fn level(self) -> Option<&'static str> {
        match self {
            Self::Everything => None,
            Self::Warnings => Some("warning"),
            Self::Errors => Some("error"),
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Everything => "activity: everything",
            Self::Warnings => "activity: warnings and errors",
            Self::Errors => "activity: errors",
        }
    }
}
