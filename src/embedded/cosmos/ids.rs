//! Ids that the service refuses. They are refused before anything else looks at them, because the
//! inner store takes some of them and then cannot find them, or finds another resource.

use super::answer::Answer;
use super::errors::bad_request;

/// Longest id of a document, bytes; of a database or container it is 255.
const DOCUMENT_ID: usize = 1023;
/// See [`DOCUMENT_ID`].
const RESOURCE_ID: usize = 255;

/// The refusal of a document's id, if the service refuses it.
pub(super) fn refused_document(id: &str) -> Option<Answer> {
    refused(id, DOCUMENT_ID)
}

/// The refusal of the id of a database or container.
pub(super) fn refused_resource(id: &str) -> Option<Answer> {
    refused(id, RESOURCE_ID)
}

fn refused(id: &str, longest: usize) -> Option<Answer> {
    let bad = id.is_empty()
        || id.len() > longest
        || id == "."
        || id == ".."
        || id.contains(|c: char| matches!(c, '/' | '\\' | '?' | '#') || c.is_ascii_control())
        || id.ends_with(' ');
    bad.then(|| {
        let shown: String = id.chars().take(64).collect();
        bad_request(&format!(
            "Message: {{\"Errors\":[\"The input name '{shown}' is invalid. Ensure to provide a unique \
             non-empty string less than '{}' characters, without '/', '\\\\', '?', '#' or control \
             characters, and without a space at the end.\"]}}",
            longest + 1
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_but_allowed() {
        for id in ["a b", "100%", "\"quoted\"", "🍏", "سعر", "..0", "a+b&c=d;", "'", "<>"] {
            assert!(refused_document(id).is_none(), "{id}");
        }
    }

    #[test]
    fn refused_as_at_the_service() {
        let long = "x".repeat(1024);
        for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\tb", "a\nb", "a ", &long] {
            assert!(refused_document(id).is_some(), "{id:?}");
        }
        assert!(refused_resource(&"x".repeat(256)).is_some());
    }
}
