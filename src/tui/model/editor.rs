//! The editor of one document: its text without what Cosmos adds, and the version that it will be
//! written over.

use std::fmt;

use super::text_box::TextBox;
use crate::{
    cosmos::SYSTEM_PROPERTIES,
    engine::{Edit, EditEnd},
    tui::pretty,
};

/// State of the editor.
#[derive(Clone)]
pub(crate) struct DocumentEditor {
    pub(crate) id: String,
    partition_key: Option<String>,
    /// `_etag` of the version that is edited; `None` = there is no document.
    pub(crate) etag: Option<String>,
    pub(crate) text: TextBox,
    /// The first line in sight.
    top: usize,
    /// The text as it came.
    original: Vec<String>,
    /// Why it was not saved.
    pub(crate) problem: Option<String>,
    /// The question that is under way.
    pub(crate) saving: Option<u64>,
    /// Escape was pressed although something was typed: the next one leaves.
    pub(crate) leaving: bool,
}

impl fmt::Debug for DocumentEditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentEditor")
            .field("id", &self.id)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

impl DocumentEditor {
    pub(crate) fn new(id: String, partition_key: Option<String>, json: &str, etag: Option<String>) -> Self {
        let original = own_lines(json);
        Self {
            id,
            partition_key,
            etag,
            text: TextBox::new(original.clone()),
            top: 0,
            original,
            problem: None,
            saving: None,
            leaving: false,
        }
    }

    /// The text as it is now.
    pub(crate) fn json(&self) -> String {
        self.text.lines().join("\n")
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.text.lines() != self.original
    }

    /// The first line in sight in a window of so many lines: the cursor is never out of it.
    pub(crate) fn first_line(&self, height: usize) -> usize {
        let (row, most) = (self.text.cursor().0, self.text.lines().len().saturating_sub(height));
        self.top.min(most).clamp((row + 1).saturating_sub(height.max(1)), row)
    }

    /// After whatever moved the cursor, or the window.
    pub(crate) fn keep_in_view(&mut self, height: usize) {
        self.top = self.first_line(height);
    }

    /// Moves the window by lines; the cursor comes along where it would be left behind.
    pub(crate) fn scroll(&mut self, lines: isize, height: usize) {
        let most = self.text.lines().len().saturating_sub(height);
        self.top = self.first_line(height).saturating_add_signed(lines).min(most);
        let (row, column) = self.text.cursor();
        let last = self.top + height.max(1) - 1;
        if !(self.top..=last).contains(&row) {
            self.text.go(row.clamp(self.top, last), column);
        }
    }

    /// Takes a whole new text, as another editor left it.
    pub(crate) fn replace(&mut self, text: &str) {
        self.text = TextBox::new(text.trim_end().lines().map(str::to_owned).collect());
        self.problem = None;
        self.leaving = false;
    }

    /// Something was typed: what was said before is old.
    pub(crate) fn typed(&mut self) {
        self.problem = None;
        self.leaving = false;
    }

    /// What to ask the engine, or what is wrong, with its place; the cursor goes there.
    pub(crate) fn order(&mut self) -> Result<Edit, String> {
        if !self.is_changed() {
            return Err("nothing was changed".to_owned());
        }
        let json = self.json();
        let value: serde_json::Value = serde_json::from_str(&json).map_err(|error| {
            let (line, column) = (error.line().max(1), error.column());
            self.text.go(line - 1, column.saturating_sub(1));
            let words = error.to_string();
            let words = words.split(" at line ").next().unwrap_or_default();
            format!("line {line}, column {column}: {words}")
        })?;
        let Some(object) = value.as_object() else {
            return Err("a document must be a JSON object: { … }".to_owned());
        };
        match object.get("id").and_then(serde_json::Value::as_str) {
            Some(id) if id == self.id => {}
            Some(id) => {
                return Err(format!(
                    "the id must stay \"{}\", not \"{id}\": insert makes another document",
                    self.id
                ));
            }
            None => return Err(format!("the field \"id\" must be \"{}\"", self.id)),
        }
        Ok(Edit::Document {
            id: self.id.clone(),
            partition_key: self.partition_key.clone(),
            json,
            if_match: self.etag.clone(),
        })
    }

    /// Takes the engine's answer; `true` = done, the editor can go.
    pub(crate) fn answer(&mut self, end: &EditEnd) -> bool {
        self.saving = None;
        self.problem = match end {
            EditEnd::Saved { .. } => return true,
            EditEnd::ChangedMeanwhile => Some(
                "not saved: somebody else has changed it meanwhile. Reload shows the version of now; your text \
                 stays here until then"
                    .to_owned(),
            ),
            EditEnd::Refused { reason } => Some(format!("not saved: {reason}")),
            EditEnd::Written { .. } | EditEnd::Deleted { .. } => None,
        };
        false
    }
}

/// A document as lines, without the properties that Cosmos sets itself.
fn own_lines(json: &str) -> Vec<String> {
    let mut lines: Vec<String> = pretty::lines(json).into_iter().filter(|line| !is_system(line)).collect();
    // The last one that stayed may have been followed by one that went.
    if let [.., last, _] = lines.as_mut_slice()
        && let Some(bare) = last.strip_suffix(',')
    {
        *last = bare.to_owned();
    }
    lines
}

/// A top-level property that Cosmos adds to every document, as a line of [`pretty`].
fn is_system(line: &str) -> bool {
    let name = line.strip_prefix("  \"").and_then(|rest| rest.split_once("\":"));
    name.is_some_and(|(name, _)| SYSTEM_PROPERTIES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> DocumentEditor {
        let json = r#"{"id":"a","price":1.50,"_etag":"\"e\"","_ts":3}"#;
        DocumentEditor::new("a".into(), Some("\"a\"".into()), json, Some("\"e\"".into()))
    }

    #[test]
    fn the_text_is_the_document_without_what_cosmos_adds() {
        assert_eq!(editor().text.lines(), ["{", "  \"id\": \"a\",", "  \"price\": 1.50", "}"]);
    }

    #[test]
    fn what_is_wrong_is_told_before_anything_is_sent() {
        let mut editor = editor();
        let mut said = |text: &str| {
            editor.replace(text);
            editor.order().unwrap_err()
        };
        assert!(
            said("{\n  \"id\": oops}").starts_with("line 2, column 9: expected value"),
            "{}",
            said("{\n  \"id\": oops}")
        );
        assert!(said("[1]").contains("must be a JSON object"));
        assert!(said("{\"id\": \"b\"}").contains("must stay \"a\""));
        assert!(said("{\"a\": 1}").contains("must be \"a\""));
        editor.replace(&self::editor().json());
        assert_eq!(editor.order().unwrap_err(), "nothing was changed");
        editor.replace("{\"id\": \"a\"}");
        let Ok(Edit::Document { if_match, json, .. }) = editor.order() else { panic!() };
        assert_eq!((if_match.as_deref(), json.as_str()), (Some("\"e\""), "{\"id\": \"a\"}"));
    }
}
