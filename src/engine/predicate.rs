//! What a screen may ask the document of a row: whether a jq expression holds, and fields by name.

use super::event::Field;
use super::rows::field;
use crate::sync::{Jq, JqError, fields};

pub use fields::{Scalar, is_named};

/// A jq expression that is asked of documents while somebody waits for the answer.
#[derive(Debug, Clone)]
pub struct Predicate(Jq);

impl Predicate {
    /// Compiles an expression.
    ///
    /// # Errors
    /// It is no jq, or names what is not there; with the place.
    pub fn compile(expression: &str) -> Result<Self, JqError> {
        Jq::compile(expression).map(Self)
    }

    /// Whether its first output for a document is anything but `false` and `null`, or in words why that
    /// cannot be told; and the steps that it took. One that takes long is given up: a mapping may take far
    /// more, but holds up no screen.
    pub fn ask(&self, document: &str) -> (Result<bool, String>, u64) {
        self.0.holds_at_once(document.as_bytes())
    }
}

/// Whether any scalar of a document passes that has this name; see [`fields::any_named`].
pub fn any_field(document: &str, name: &str, test: impl FnMut(Scalar<'_>) -> bool) -> bool {
    fields::any_named(document.as_bytes(), name, test)
}

/// The first `most` scalar fields of a document; see [`fields::first_scalars`].
pub fn first_fields(document: &str, most: usize) -> Vec<Field> {
    let found = fields::first_scalars(document.as_bytes(), most);
    found.into_iter().filter_map(|(name, raw)| field(name, raw)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_that_takes_long_is_given_up_soon() {
        let (holds, steps) = Predicate::compile(".a > 1").unwrap().ask("{\"a\":2}");
        assert_eq!(holds, Ok(true));
        assert!(steps < 100, "{steps}");
        let (holds, steps) = Predicate::compile("[range(1e9)]").unwrap().ask("{}");
        assert!(holds.unwrap_err().contains("2000 steps"));
        assert_eq!(steps, 2_000);
    }
}
