//! `local.settings.json`: `{"IsEncrypted":false,"Values":{…},"ConnectionStrings":{…}}`. Looked up as the
//! Cosmos DB extension does: `AzureWebJobs`NAME, then NAME, each first in `ConnectionStrings`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::config::Secret;

/// The settings of a project. `Debug` shows names only.
#[derive(Debug, Default)]
pub(super) struct LocalSettings {
    values: BTreeMap<String, Secret>,
    connection_strings: BTreeMap<String, Secret>,
    /// Values are there but cannot be read.
    pub(super) encrypted: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Form {
    #[serde(default)]
    is_encrypted: bool,
    #[serde(default)]
    values: BTreeMap<String, Value>,
    #[serde(default)]
    connection_strings: BTreeMap<String, Value>,
}

impl LocalSettings {
    /// Reads the file's text. The error says where, not what: the values are secrets.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = without_comments(text);
        let form: Form = serde_json::from_str(&text).map_err(|error| {
            format!("is not in its form at line {}, column {}", error.line(), error.column())
        })?;
        if form.is_encrypted {
            return Ok(Self { encrypted: true, ..Self::default() });
        }
        Ok(Self {
            values: form.values.into_iter().filter_map(text_of).collect(),
            connection_strings: form.connection_strings.into_iter().filter_map(text_of).collect(),
            encrypted: false,
        })
    }

    /// A setting by the extension's rules for connections. Names count in any case, as on Windows.
    pub(super) fn connection(&self, name: &str) -> Option<&Secret> {
        let prefixed = format!("AzureWebJobs{name}");
        [prefixed.as_str(), name]
            .into_iter()
            .find_map(|name| find(&self.connection_strings, name).or_else(|| find(&self.values, name)))
            .filter(|value| !value.is_empty())
    }

    /// An application setting, for `%NAME%`.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        find(&self.values, name).map(Secret::expose)
    }

    /// Names of all settings and connection strings.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.connection_strings.keys().chain(self.values.keys()).map(String::as_str)
    }
}

fn find<'a>(map: &'a BTreeMap<String, Secret>, name: &str) -> Option<&'a Secret> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// `ConnectionStrings` may hold objects with a `ConnectionString`.
fn text_of((name, value): (String, Value)) -> Option<(String, Secret)> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Object(object) => object.get("ConnectionString")?.as_str()?.to_owned(),
        Value::Null | Value::Array(_) => return None,
    };
    Some((name, Secret::new(text)))
}

/// Blanks the comments that .NET's reader allows, and the byte order mark that editors on Windows leave.
pub(super) fn without_comments(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let (mut in_text, mut escaped) = (false, false);
    while let Some(c) = chars.next() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '/' && chars.peek() == Some(&'/') {
            while chars.next_if(|c| *c != '\n').is_some() {}
            continue;
        } else if c == '/' && chars.peek() == Some(&'*') {
            chars.next();
            let mut last = ' ';
            for c in chars.by_ref() {
                if c == '\n' {
                    out.push('\n');
                }
                if last == '*' && c == '/' {
                    break;
                }
                last = c;
            }
            continue;
        } else {
            in_text = c == '"';
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookup_order_is_that_of_the_extension() {
        let text = r#"{ "Values": { "Db": "value", "AzureWebJobsDb": "prefixed value", "Name": "x" },
                        "ConnectionStrings": { "db": { "ConnectionString": "string" } } }"#;
        let settings = LocalSettings::parse(text).unwrap();
        assert_eq!(settings.connection("Db").map(Secret::expose), Some("prefixed value"));
        let text = text.replace("AzureWebJobsDb", "Other");
        let settings = LocalSettings::parse(&text).unwrap();
        assert_eq!(settings.connection("Db").map(Secret::expose), Some("string"));
        assert_eq!(settings.value("name"), Some("x"));
    }

    #[test]
    fn comments_marks_and_errors() {
        let text = "\u{feff}{ // a \"comment\"\n \"Values\": { \"A\": \"http://x//y\" /* b\n */ } }";
        assert_eq!(LocalSettings::parse(text).unwrap().value("A"), Some("http://x//y"));
        assert!(LocalSettings::parse("{\"IsEncrypted\":true,\"Values\":{\"A\":\"x\"}}").unwrap().encrypted);
        let error = LocalSettings::parse("{\"Values\":{\n\"A\": \"s3cret\" \"s3cret\"}}").unwrap_err();
        assert!(error.contains("line 2") && !error.contains("s3cret"), "{error}");
    }
}
