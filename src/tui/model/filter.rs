//! What `/` narrows a pane to: a text in ids, keys and values, or `field=value`.

use crate::engine::{ChangeRow, EntryRow, EntryState, LeaseRow, Level, LogLine};

/// A filter as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Filter {
    /// Everything passes.
    #[default]
    None,
    /// Lower-case text that must occur somewhere in the row.
    Text(String),
    /// A field (end of its path, lower case) whose value contains a text (lower case).
    Field { name: String, value: String },
}

impl Filter {
    /// Reads what was typed; white space around it does not count.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Self::None;
        }
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Self::Field { name: name.trim().to_owned(), value: value.trim().to_owned() }
            }
            _ => Self::Text(text),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A row that a filter can be asked about.
pub(crate) trait Filtered {
    /// Whether a row passes.
    fn passes(&self, filter: &Filter) -> bool;
}

impl Filtered for ChangeRow {
    fn passes(&self, filter: &Filter) -> bool {
        match filter {
            Filter::None => true,
            Filter::Text(text) => {
                contains(&self.id, text)
                    || self.keys.iter().any(|key| contains(key, text))
                    || self.fields.iter().any(|field| contains(&field.value, text))
            }
            Filter::Field { name, value } if name == "id" => contains(&self.id, value),
            Filter::Field { name, value } => {
                self.fields.iter().any(|field| ends_with(&field.name, name) && contains(&field.value, value))
            }
        }
    }
}

impl Filtered for EntryRow {
    fn passes(&self, filter: &Filter) -> bool {
        match filter {
            Filter::None => true,
            Filter::Text(text) => {
                contains(&self.key, text)
                    || self.document_id.as_deref().is_some_and(|id| contains(id, text))
                    || state_word(self.state).starts_with(text.as_str())
            }
            Filter::Field { name, value } => match name.as_str() {
                "key" => contains(&self.key, value),
                "id" => self.document_id.as_deref().is_some_and(|id| contains(id, value)),
                "type" => contains(&self.kind, value),
                "state" => contains(state_word(self.state), value),
                _ => false,
            },
        }
    }
}

impl Filtered for LeaseRow {
    fn passes(&self, filter: &Filter) -> bool {
        let owner = self.owner.as_deref().unwrap_or("");
        match filter {
            Filter::None => true,
            Filter::Text(text) => {
                contains(owner, text)
                    || contains(&self.token, text)
                    || contains(&self.id, text)
                    || (self.mine && contains("me", text))
            }
            Filter::Field { name, value } => match name.as_str() {
                "owner" => contains(owner, value) || (self.mine && value == "me"),
                "token" | "range" => contains(&self.token, value),
                "id" => contains(&self.id, value),
                _ => false,
            },
        }
    }
}

impl Filtered for LogLine {
    fn passes(&self, filter: &Filter) -> bool {
        match filter {
            Filter::None => true,
            Filter::Text(text) => contains(&self.text, text) || contains(self.room, text),
            Filter::Field { name, value } => match name.as_str() {
                "room" => contains(self.room, value),
                // At least as bad: whoever looks for warnings wants the errors as well.
                "level" if value.is_empty() => true,
                "level" => [Level::Info, Level::Warning, Level::Error]
                    .into_iter()
                    .find(|level| contains(&format!("{level:?}"), value))
                    .is_some_and(|least| self.level >= least),
                _ => false,
            },
        }
    }
}

/// The state of an entry in one word.
pub(crate) fn state_word(state: EntryState) -> &'static str {
    match state {
        EntryState::InStep => "in step",
        EntryState::Pending => "pending",
        EntryState::Stale => "stale",
        EntryState::Missing => "missing",
        EntryState::Orphan => "orphan",
        EntryState::Unknown => "not compared",
    }
}

/// Whether a text contains another, which is lower case already.
fn contains(text: &str, needle: &str) -> bool {
    if text.is_ascii() && needle.is_ascii() {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        return needle.is_empty() || text.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle));
    }
    text.to_lowercase().contains(needle)
}

fn ends_with(path: &str, name: &str) -> bool {
    let path = path.to_lowercase();
    path == name || path.strip_suffix(name).is_some_and(|head| head.ends_with('.'))
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

    /// As a filter of the pane.
    pub(crate) fn filter(self) -> &'static str {
        match self {
            Self::Everything => "",
            Self::Warnings => "level=warning",
            Self::Errors => "level=error",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_text_and_fields() {
        assert_eq!(Filter::parse("  "), Filter::None);
        assert_eq!(Filter::parse("P-04"), Filter::Text("p-04".into()));
        assert_eq!(
            Filter::parse("Currency = gbp"),
            Filter::Field { name: "currency".into(), value: "gbp".into() }
        );
        assert!(contains("PRICE:ÄB", "äb") && contains("Abc", "bc") && !contains("abc", "x"));
        assert!(ends_with("price.current", "current") && !ends_with("price.current", "rent"));
    }
}
