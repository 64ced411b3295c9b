//! The insert form: one document, a batch, or a batch at a rate; checked as it is typed.

use jiff::Timestamp;
use serde_json::{Number, Value};
use tui_input::Input;

use crate::engine::Insert;

/// Most documents of one request; more is a job for the command line.
const MAX_COUNT: u64 = 1_000_000;
/// Most bytes of an id that Cosmos takes.
const MAX_ID: usize = 1_023;

/// What the form makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum InsertMode {
    #[default]
    One,
    Batch,
    Rate,
}

impl InsertMode {
    pub(crate) const ALL: [Self; 3] = [Self::One, Self::Batch, Self::Rate];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::One => "one document",
            Self::Batch => "a batch",
            Self::Rate => "at a rate",
        }
    }
}

/// One line of the form.
#[derive(Debug, Clone)]
pub(crate) struct FormField {
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) input: Input,
}

/// State of the form. Each mode keeps its own fields, so that changing the mode loses nothing.
#[derive(Debug, Clone)]
pub(crate) struct InsertForm {
    pub(crate) mode: InsertMode,
    pub(crate) focus: usize,
    one: Vec<FormField>,
    batch: Vec<FormField>,
    rate: Vec<FormField>,
    /// Enter was pressed once with a mistake: show all of them.
    pub(crate) insisted: bool,
}

fn field(label: &'static str, value: impl Into<String>, hint: &'static str) -> FormField {
    FormField { label, hint, input: Input::new(value.into()) }
}

impl InsertForm {
    /// A form with a fresh id made of the time.
    pub(crate) fn new(now: Timestamp) -> Self {
        let stamp = now.as_millisecond().rem_euclid(1_000_000_000);
        Self {
            mode: InsertMode::One,
            focus: 0,
            one: vec![
                field("id", format!("p-{stamp:09}"), "unique; no / \\ ? #"),
                field("name", "A new product", "any text"),
                field("price", "39.99", "a number"),
                field("rrp", "", "a number, or empty"),
                field("currency", "GBP", "three letters"),
                field("market", "GB", "two letters, or empty"),
            ],
            batch: vec![field("documents", "100", "1 to 1,000,000")],
            rate: vec![field("documents", "600", "1 to 1,000,000"), field("per second", "20", "more than 0")],
            insisted: false,
        }
    }

    pub(crate) fn fields(&self) -> &[FormField] {
        match self.mode {
            InsertMode::One => &self.one,
            InsertMode::Batch => &self.batch,
            InsertMode::Rate => &self.rate,
        }
    }

    fn fields_mut(&mut self) -> &mut [FormField] {
        match self.mode {
            InsertMode::One => &mut self.one,
            InsertMode::Batch => &mut self.batch,
            InsertMode::Rate => &mut self.rate,
        }
    }

    /// The field that is typed into.
    pub(crate) fn focused(&mut self) -> Option<&mut Input> {
        let focus = self.focus;
        self.fields_mut().get_mut(focus).map(|field| &mut field.input)
    }

    pub(crate) fn move_focus(&mut self, fields: isize) {
        let count = self.fields().len().max(1);
        self.focus = (self.focus + count).saturating_add_signed(fields) % count;
    }

    pub(crate) fn move_mode(&mut self, modes: isize) {
        let count = InsertMode::ALL.len();
        let at = InsertMode::ALL.iter().position(|mode| *mode == self.mode).unwrap_or(0);
        self.mode = InsertMode::ALL[(at + count).saturating_add_signed(modes) % count];
        self.focus = self.focus.min(self.fields().len().saturating_sub(1));
        self.insisted = false;
    }

    /// What is wrong with a field, if anything.
    pub(crate) fn mistake(&self, place: usize) -> Option<String> {
        let field = self.fields().get(place)?;
        let value = field.input.value().trim();
        let wrong = |text: &str| Some(text.to_owned());
        match field.label {
            "id" if value.is_empty() => wrong("an id is needed"),
            "id" if value.contains(['/', '\\', '?', '#']) => wrong("Cosmos forbids / \\ ? # in ids"),
            "id" if value.len() > MAX_ID => wrong("at most 1,023 bytes"),
            "price" if number(value).is_none() => wrong("not a number"),
            "rrp" if !value.is_empty() && number(value).is_none() => wrong("not a number"),
            "currency" if value.len() != 3 || !value.chars().all(|c| c.is_ascii_alphabetic()) => {
                wrong("three letters, e.g. GBP")
            }
            "market"
                if !value.is_empty()
                    && (value.len() != 2 || !value.chars().all(|c| c.is_ascii_alphabetic())) =>
            {
                wrong("two letters, e.g. GB")
            }
            "documents" if !whole(value).is_some_and(|n| (1..=MAX_COUNT).contains(&n)) => {
                wrong("a whole number from 1 to 1,000,000")
            }
            "per second" if !value.parse::<f64>().is_ok_and(|n| n.is_finite() && n > 0.0) => {
                wrong("a number above 0")
            }
            _ => None,
        }
    }

    fn value(&self, label: &str) -> &str {
        self.fields().iter().find(|field| field.label == label).map_or("", |field| field.input.value().trim())
    }

    /// What enter would ask for; `Err` = place of the first field with a mistake.
    pub(crate) fn request(&self) -> Result<Insert, usize> {
        if let Some(place) = (0..self.fields().len()).find(|place| self.mistake(*place).is_some()) {
            return Err(place);
        }
        let count = whole(self.value("documents")).unwrap_or(1);
        Ok(match self.mode {
            InsertMode::One => Insert::One { json: self.document() },
            InsertMode::Batch => Insert::Generated { count },
            InsertMode::Rate => {
                Insert::Rated { count, per_second: self.value("per second").parse().unwrap_or(1.0) }
            }
        })
    }

    /// The document as JSON text. Numbers stay as typed (`12.00` is not `12`).
    fn document(&self) -> String {
        let mut price = vec![format!("\"current\":{}", self.value("price"))];
        if !self.value("rrp").is_empty() {
            price.push(format!("\"rrp\":{}", self.value("rrp")));
        }
        price.push(format!("\"currency\":{}", quoted(&self.value("currency").to_uppercase())));
        let mut parts = vec![format!("\"id\":{}", quoted(self.value("id")))];
        if !self.value("name").is_empty() {
            parts.push(format!("\"name\":{}", quoted(self.value("name"))));
        }
        if !self.value("market").is_empty() {
            parts.push(format!("\"market\":{}", quoted(&self.value("market").to_uppercase())));
        }
        parts.push(format!("\"price\":{{{}}}", price.join(",")));
        format!("{{{}}}", parts.join(","))
    }

    /// The id of the one document.
    pub(crate) fn id(&self) -> &str {
        self.one.first().map_or("", |field| field.input.value().trim())
    }

    /// The command line that does the same.
    pub(crate) fn same_as(&self, base: &str) -> String {
        let base = if base.is_empty() { String::new() } else { format!(" {base}") };
        match self.request() {
            Ok(Insert::One { json }) => {
                format!("syncscope seed{base} --document '{}'", json.replace('\'', "'\\''"))
            }
            Ok(Insert::Generated { count }) => format!("syncscope seed{base} --count {count}"),
            Ok(Insert::Rated { count, per_second }) => {
                format!("syncscope seed{base} --count {count} --rate {per_second}/s")
            }
            Err(_) => String::new(),
        }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON number as typed.
fn number(text: &str) -> Option<Number> {
    serde_json::from_str::<Number>(text).ok()
}

fn whole(text: &str) -> Option<u64> {
    text.replace([',', '_'], "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(form: &mut InsertForm, label: &str, value: &str) {
        let at = form.fields().iter().position(|field| field.label == label).unwrap();
        form.fields_mut()[at].input = Input::new(value.to_owned());
    }

    #[test]
    fn a_document_is_json_whatever_is_typed() {
        let mut form = InsertForm::new(Timestamp::UNIX_EPOCH);
        set(&mut form, "id", "a \"quoted\" 🛒 id");
        set(&mut form, "price", "12.00");
        let Ok(Insert::One { json }) = form.request() else { panic!("refused") };
        assert!(json.contains("\"current\":12.00"), "{json}");
        let value: serde_json::Map<String, Value> = serde_json::from_str(&json).unwrap();
        assert_eq!(value["id"], "a \"quoted\" 🛒 id");
        assert_eq!(value["price"]["currency"], "GBP");
    }

    #[test]
    fn mistakes_are_told_at_their_field() {
        let mut form = InsertForm::new(Timestamp::UNIX_EPOCH);
        set(&mut form, "id", "a/b");
        set(&mut form, "price", "12,50");
        assert_eq!(form.request(), Err(0));
        assert_eq!(form.mistake(2).as_deref(), Some("not a number"));
        form.move_mode(1);
        set(&mut form, "documents", "0");
        assert_eq!(form.request(), Err(0));
        set(&mut form, "documents", "1,000");
        assert_eq!(form.request(), Ok(Insert::Generated { count: 1_000 }));
        assert_eq!(form.same_as(""), "syncscope seed --count 1000");
    }

    #[test]
    fn modes_and_fields_go_round() {
        let mut form = InsertForm::new(Timestamp::UNIX_EPOCH);
        form.move_focus(-1);
        assert_eq!(form.focus, 5);
        form.move_mode(-1);
        assert_eq!((form.mode, form.focus), (InsertMode::Rate, 1));
        form.move_focus(1);
        assert_eq!(form.focus, 0);
    }
}
