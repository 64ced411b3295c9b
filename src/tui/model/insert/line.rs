//! One line of the insert form, and what may stand in it.

use std::sync::Arc;

use tui_input::Input;

use crate::seed::{self, Editable, FormField};

/// Most documents of one request; more is a job for the command line.
const MAX_COUNT: u64 = 1_000_000;

/// What may stand in a line.
#[derive(Debug, Clone)]
pub(super) enum Meaning {
    /// A field of a document; the seed room knows its rules.
    Field(FormField),
    /// A field of the document that is copied.
    Copied(Arc<Editable>, usize),
    /// A number of documents.
    Count,
    /// Writes per second.
    Rate,
    /// Something that has a name.
    Path,
}

/// One line of the form.
#[derive(Debug, Clone)]
pub(crate) struct FormLine {
    pub(crate) label: String,
    /// What may stand in it; `{next}` is the key of the next line.
    hint: &'static str,
    pub(crate) input: Input,
    pub(super) meaning: Meaning,
}

impl FormLine {
    pub(super) fn new(label: &str, value: &str, hint: &'static str, meaning: Meaning) -> Self {
        Self { label: label.to_owned(), hint, input: Input::new(value.to_owned()), meaning }
    }

    pub(super) fn field(field: FormField, value: &str) -> Self {
        let hint = match field {
            FormField::Id => "unique; an id that is there is replaced",
            FormField::Price => "a number",
            FormField::Currency => "three letters",
            FormField::Name | FormField::Market => "any text",
        };
        Self::new(field.label(), value, hint, Meaning::Field(field))
    }

    /// What may stand in it, with the key that is meant.
    pub(crate) fn hint(&self, next: &str) -> String {
        self.hint.replace("{next}", next)
    }

    pub(super) fn value(&self) -> &str {
        self.input.value()
    }

    pub(super) fn mistake(&self) -> Option<String> {
        match &self.meaning {
            Meaning::Field(field) => seed::check(*field, self.value()),
            Meaning::Copied(document, number) => document.fields().get(*number)?.check(self.value()),
            Meaning::Count => (!whole(self.value()).is_some_and(|n| (1..=MAX_COUNT).contains(&n)))
                .then(|| "must be a whole number from 1 to 1,000,000".to_owned()),
            Meaning::Rate => rate(self.value()).is_none().then(|| "must be a number above 0".to_owned()),
            Meaning::Path => self.value().trim().is_empty().then(|| "must not be empty".to_owned()),
        }
    }
}

pub(super) fn whole(text: &str) -> Option<u64> {
    text.trim().replace([',', '_'], "").parse().ok()
}

pub(super) fn rate(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches("/s");
    text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0)
}
