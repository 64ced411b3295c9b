//! One document by hand: the fields of the insert form, what may stand in them, the document they make.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use super::Generator;

/// Longest id that Cosmos DB takes, in bytes of UTF-8.
pub const LONGEST_ID: usize = 1_023;
/// Characters that Cosmos DB refuses in an id.
pub const FORBIDDEN_IN_ID: [char; 4] = ['/', '\\', '?', '#'];
/// Longest text of the other fields, in bytes: documents end at 2 MB, forms long before.
const LONGEST_TEXT: usize = 4_096;

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FormField {
    /// The document's id.
    Id,
    /// The product's name.
    Name,
    /// The price, a number.
    Price,
    /// Three capital letters.
    Currency,
    /// The market's code.
    Market,
}

impl FormField {
    /// In the order of the form.
    pub const ALL: [Self; 5] = [Self::Id, Self::Name, Self::Price, Self::Currency, Self::Market];

    /// What the form calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Price => "price",
            Self::Currency => "currency",
            Self::Market => "market",
        }
    }
}

/// Something wrong in a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {message}", .field.label())]
pub struct FieldError {
    /// Which.
    pub field: FormField,
    /// What, in a few words.
    pub message: String,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FormFields {
    /// The document's id.
    pub id: String,
    /// The product's name.
    pub name: String,
    /// The price, e.g. `39.99`.
    pub price: String,
    /// e.g. `GBP`.
    pub currency: String,
    /// e.g. `GB`.
    pub market: String,
}

impl FormFields {
    /// A form filled with product `n` of the generator, to begin with.
    pub fn suggested(generator: &Generator, n: u64) -> Self {
        let values = generator.values(n);
        Self {
            id: values.id,
            name: values.name,
            price: values.price,
            currency: values.currency,
            market: values.market,
        }
    }

    /// The text of a field.
    pub fn get(&self, field: FormField) -> &str {
        match field {
            FormField::Id => &self.id,
            FormField::Name => &self.name,
            FormField::Price => &self.price,
            FormField::Currency => &self.currency,
            FormField::Market => &self.market,
        }
    }

    /// The text of a field, to be changed.
    pub fn get_mut(&mut self, field: FormField) -> &mut String {
        match field {
            FormField::Id => &mut self.id,
            FormField::Name => &mut self.name,
            FormField::Price => &mut self.price,
            FormField::Currency => &mut self.currency,
            FormField::Market => &mut self.market,
        }
    }

    /// Everything that is wrong, in the order of the form.
    pub fn errors(&self) -> Vec<FieldError> {
        FormField::ALL
            .into_iter()
            .filter_map(|field| {
                let problem = check(field, self.get(field))?;
                Some(FieldError { field, message: problem })
            })
            .collect()
    }

    /// The document, in the shape of the generator's template. What the form does not ask for is made up
    /// from the id, so the same id always makes the same product.
    pub fn to_json(&self, generator: &Generator, now: Timestamp) -> Result<String, Vec<FieldError>> {
        let errors = self.errors();
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut hasher = DefaultHasher::new();
        self.id.hash(&mut hasher);
        let mut values = generator.values(hasher.finish());
        let price = amount(&self.price).unwrap_or_default();
        values.id.clone_from(&self.id);
        self.name.trim().clone_into(&mut values.name);
        self.market.trim().clone_into(&mut values.market);
        values.currency = self.currency.trim().to_ascii_uppercase();
        values.rrp.clone_from(&price);
        values.price = price;
        values.warehouse = format!("{}-1", values.market);
        values.updated_at = now.to_string();
        values.valid_from.clone_from(&values.updated_at);
        Ok(generator.template().render(&values))
    }
}

/// What is wrong with a text in a field.
pub fn check(field: FormField, text: &str) -> Option<String> {
    match field {
        FormField::Id => check_id(text),
        FormField::Price => amount(text).err(),
        FormField::Currency => {
            let text = text.trim();
            let good = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
            (!good).then(|| "must be three letters, e.g. GBP".to_owned())
        }
        FormField::Name | FormField::Market if text.trim().is_empty() => Some("must not be empty".to_owned()),
        FormField::Name | FormField::Market => {
            (text.len() > LONGEST_TEXT).then(|| format!("must not be longer than {LONGEST_TEXT} bytes"))
        }
    }
}

/// Whether Cosmos DB takes a text as id; `Some` says why not.
pub fn check_id(id: &str) -> Option<String> {
    if id.is_empty() {
        Some("must not be empty".to_owned())
    } else if id.len() > LONGEST_ID {
        Some(format!("must not be longer than {LONGEST_ID} bytes (it has {})", id.len()))
    } else {
        let forbidden = id.chars().find(|c| FORBIDDEN_IN_ID.contains(c));
        forbidden.map(|c| format!("must not contain {c} (Cosmos DB refuses / \\ ? #)"))
    }
}

/// The price as a JSON number: two decimals, or as many as were typed.
fn amount(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.contains(',') {
        return Err("must be written with a point: 39.99".to_owned());
    }
    if text.starts_with('-') {
        return Err("must not be negative".to_owned());
    }
    let told = || "must be a number, e.g. 39.99".to_owned();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    // 15 digits: what a double, and with it every JSON reader, keeps exactly.
    if whole.is_empty() || !digits(whole) || !digits(decimals) {
        return Err(told());
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    };
    if whole.len() + decimals.len() > 15 {
        return Err("must have at most 15 digits".to_owned());
    }
    Ok(format!("{whole}.{decimals:0<2}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::seed::{Template, TemplateName};

    fn filled() -> FormFields {
        FormFields::suggested(&Generator::default(), 3)
    }

    #[test]
    fn a_suggestion_is_good_and_becomes_its_document() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        for name in TemplateName::ALL {
            let generator = Generator::new(Template::named(name), 1);
            let json = filled().to_json(&generator, now).unwrap();
            let document: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(document["id"], "p-000003");
            assert!(json.contains("2026-03-01T12:00:00Z"));
        }
    }

    #[test]
    fn what_cosmos_forbids_in_an_id_is_told_at_the_field() {
        for id in ["", "a/b", "a\\b", "a?b", "a#b", &"é".repeat(512)] {
            let errors = FormFields { id: id.to_owned(), ..filled() }.errors();
            assert_eq!(errors.len(), 1, "{id}");
            assert_eq!(errors[0].field, FormField::Id);
        }
        for id in ["a b", "it's \"quoted\"", "🛒", "שלום", &"x".repeat(1_023)] {
            assert_eq!(check_id(id), None, "{id}");
        }
    }

    #[test]
    fn prices() {
        for (text, number) in
            [("39.99", "39.99"), ("5", "5.00"), (" 0.5 ", "0.50"), ("007", "7.00"), ("1.125", "1.125")]
        {
            assert_eq!(amount(text).as_deref(), Ok(number), "{text}");
        }
        for text in ["", "-1", "1,5", "1e9", "NaN", ".5", "1.2.3", "£5", "1234567890123456"] {
            assert!(amount(text).is_err(), "{text}");
        }
    }

    #[test]
    fn all_wrong_fields_are_told_at_once() {
        let fields: Vec<_> = FormFields::default().errors().iter().map(|error| error.field).collect();
        assert_eq!(fields, FormField::ALL);
        assert_eq!(FormFields::default().errors()[0].to_string(), "id must not be empty");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_a_document(
            id in "\\PC{0,20}", name in ".{0,40}", price in "[0-9]{1,6}(\\.[0-9]{0,3})?", market in ".{0,4}",
        ) {
            let fields = FormFields { id, name, price, market, currency: "eur".to_owned() };
            if let Ok(json) = fields.to_json(&Generator::default(), Timestamp::UNIX_EPOCH) {
                let document: Value = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(document["id"].as_str(), Some(fields.id.as_str()));
                prop_assert_eq!(document["name"].as_str(), Some(fields.name.trim()));
                prop_assert_eq!(document["price"]["current"].as_f64(), fields.price.parse().ok());
                prop_assert_eq!(document["price"]["currency"].as_str(), Some("EUR"));
            } else {
                prop_assert!(!fields.errors().is_empty());
            }
        }
    }
}
