//! Templates of sample documents: JSON in `assets/templates`, with `{variable}` inside of texts and
//! `"{variable:number}"` where a number goes. The order of the keys is the order of the documents.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::values::{Values, Variable};

/// The templates that come with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TemplateName {
    /// A product in one market with its price.
    #[default]
    Price,
    /// An offer of a seller.
    Offer,
    /// A flat record.
    Flat,
}

impl TemplateName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Price, Self::Offer, Self::Flat];

    const fn text(self) -> &'static str {
        match self {
            Self::Price => include_str!("../../assets/templates/price.json"),
            Self::Offer => include_str!("../../assets/templates/offer.json"),
            Self::Flat => include_str!("../../assets/templates/flat.json"),
        }
    }
}

/// Why a text is no template.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// Not JSON, or without one of its parts.
    #[error("the template cannot be read: {0}")]
    Unreadable(String),
    /// A `{name}` that nothing fills.
    #[error("the template names {{{0}}}, which is no variable")]
    UnknownVariable(String),
    /// No `{id}`.
    #[error("the template's document has no {{id}}")]
    NoId,
}

/// A template, cut at its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    about: String,
    display: Vec<String>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// JSON text as it is.
    Literal(String),
    /// Escaped, inside of quotes.
    Text(Variable),
    /// Without quotes.
    Number(Variable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asset {
    about: String,
    display: Vec<String>,
    document: Box<RawValue>,
}

impl Template {
    /// A template that comes with the program.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "constants, each rendered by a test")]
    pub fn named(name: TemplateName) -> Self {
        Self::parse(name.text()).expect("a good template")
    }

    /// Reads a template of the same form.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let asset: Asset =
            serde_json::from_str(text).map_err(|error| TemplateError::Unreadable(error.to_string()))?;
        let parts = cut(&compact(asset.document.get()))?;
        if !parts.contains(&Part::Text(Variable::Id)) {
            return Err(TemplateError::NoId);
        }
        Ok(Self { about: asset.about, display: asset.display, parts })
    }

    /// What it is, in one line.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Paths of the fields that are worth a column, e.g. `price.current`.
    pub fn display(&self) -> &[String] {
        &self.display
    }

    /// The document, compact.
    pub(super) fn render(&self, values: &Values) -> String {
        let mut json = String::with_capacity(512);
        for part in &self.parts {
            match part {
                Part::Literal(text) => json.push_str(text),
                Part::Text(variable) => escape(values.get(*variable), &mut json),
                Part::Number(variable) => json.push_str(values.get(*variable)),
            }
        }
        json
    }
}

/// Removes white space between tokens.
pub(super) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for c in json.chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_text = c == '"';
        }
        out.push(c);
    }
    out
}

/// Cuts a compact document at its variables. `{` before a letter is never JSON's own.
fn cut(document: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = document;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        literal.push_str(before);
        let inner =
            from[1..].split_once('}').filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_alphabetic()));
        let Some((name, after)) = inner else {
            literal.push('{');
            rest = &from[1..];
            continue;
        };
        let number = name.strip_suffix(":number");
        let name = number.unwrap_or(name);
        let variable =
            Variable::named(name).ok_or_else(|| TemplateError::UnknownVariable(name.to_owned()))?;
        rest = after;
        if number.is_some() && literal.ends_with('"') && rest.starts_with('"') {
            literal.pop();
            rest = &rest[1..];
            parts.push(Part::Literal(std::mem::take(&mut literal)));
            parts.push(Part::Number(variable));
        } else {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
            parts.push(Part::Text(variable));
        }
    }
    literal.push_str(rest);
    parts.push(Part::Literal(literal));
    Ok(parts)
}

/// Appends a text as the inside of a JSON string.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_templates_are_told() {
        let text = |document: &str| format!(r#"{{"about":"","display":[],"document":{document}}}"#);
        assert_eq!(Template::parse(&text(r#"{"a":1}"#)), Err(TemplateError::NoId));
        let unknown = Template::parse(&text(r#"{"id":"{id}","a":"{prize}"}"#));
        assert_eq!(unknown, Err(TemplateError::UnknownVariable("prize".to_owned())));
        assert!(matches!(Template::parse("{"), Err(TemplateError::Unreadable(_))));
    }

    #[test]
    fn white_space_goes_only_between_tokens() {
        assert_eq!(compact("{ \"a b\\\" \" :\n [1, 2] }"), "{\"a b\\\" \":[1,2]}");
    }
}
