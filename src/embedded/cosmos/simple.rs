//! The few queries that need no query engine: whole documents or ids, all or by id. They are
//! answered from our own text at a cost in proportion to the page; the inner store copies every
//! document of the container for each page of any query.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::document::Document;

/// A query of the form `SELECT what FROM c [WHERE filter]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Simple {
    what: What,
    filter: Filter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// `*` or `VALUE c`
    Document,
    /// `VALUE c.id`
    Id,
    /// `VALUE 1`
    One,
    /// `VALUE COUNT(1)`
    Count,
}

#[derive(Debug, PartialEq, Eq)]
enum Filter {
    All,
    Id(String),
    Prefix(String),
}

#[derive(Deserialize)]
struct Sent {
    query: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    value: Value,
}

impl Simple {
    /// Reads the body of a query in the store's dialect; `None`: not one of these.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let sent: Sent = serde_json::from_slice(body).ok()?;
        let parameters: HashMap<&str, &Value> =
            sent.parameters.iter().map(|p| (p.name.as_str(), &p.value)).collect();
        let words = words(&sent.query)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut rest = Words(&words);
        rest.keyword("select")?;
        let value = rest.keyword("value").is_some();
        let from = words.iter().position(|w| w.eq_ignore_ascii_case("from"))?;
        let alias = *words.get(from + 1).filter(|alias| is_name(alias))?;
        let what = match (value, rest.until("from")?) {
            (false, ["*"]) => What::Document,
            (true, [name]) if *name == alias => What::Document,
            (true, [name, ".", "id"]) if *name == alias => What::Id,
            (true, ["1"]) => What::One,
            (true, [count, "(", "1", ")"]) if count.eq_ignore_ascii_case("count") => What::Count,
            _ => return None,
        };
        rest.next()?; // the alias
        let filter = if rest.0.is_empty() {
            Filter::All
        } else {
            rest.keyword("where")?;
            Filter::parse(rest.0, alias, &parameters)?
        };
        Some(Self { what, filter })
    }

    /// Whether it counts instead of listing.
    pub(super) fn counts(&self) -> bool {
        self.what == What::Count
    }

    /// Whether a document is among the results.
    pub(super) fn holds(&self, document: &Document) -> bool {
        match &self.filter {
            Filter::All => true,
            Filter::Id(id) => document.key.1.as_ref() == id,
            Filter::Prefix(prefix) => document.key.1.starts_with(prefix),
        }
    }

    /// Appends what is selected of a document.
    pub(super) fn write(&self, document: &Document, out: &mut Vec<u8>) {
        match self.what {
            What::Document => out.extend_from_slice(&document.text),
            What::Id => out.extend_from_slice(Value::from(document.key.1.as_ref()).to_string().as_bytes()),
            What::One | What::Count => out.push(b'1'),
        }
    }
}

impl Filter {
    fn parse(words: &[&str], alias: &str, parameters: &HashMap<&str, &Value>) -> Option<Self> {
        let string = |word: &str| match word.strip_prefix('\'') {
            Some(literal) => Some(literal.to_owned()),
            None => parameters.get(word)?.as_str().map(str::to_owned),
        };
        match words {
            [name, ".", "id", "=", value] if *name == alias => string(value).map(Self::Id),
            [starts, "(", name, ".", "id", ",", value, ")"]
                if starts.eq_ignore_ascii_case("startswith") && *name == alias =>
            {
                string(value).map(Self::Prefix)
            }
            _ => None,
        }
    }
}

struct Words<'w, 'a>(&'w [&'a str]);

impl<'w, 'a> Words<'w, 'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn keyword(&mut self, keyword: &str) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        first.eq_ignore_ascii_case(keyword).then(|| self.0 = rest)
    }

    /// The words before a keyword, which is passed over.
    fn until(&mut self, keyword: &str) -> Option<&'w [&'a str]> {
        let at = self.0.iter().position(|word| word.eq_ignore_ascii_case(keyword))?;
        let (before, rest) = self.0.split_at(at);
        self.0 = &rest[1..];
        Some(before)
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Names, parameters, numbers and signs; a string begins with its quote and is unescaped.
fn words(query: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 64; // words; what is longer is not simple
    let mut words = Vec::new();
    let mut chars = query.chars().peekable();
    while let Some(c) = chars.next() {
        if words.len() > LONGEST {
            return None;
        }
        if c.is_whitespace() {
            continue;
        }
        let mut word = String::from(c);
        if c == '\'' {
            loop {
                match chars.next()? {
                    '\'' if chars.peek() == Some(&'\'') => {
                        chars.next();
                        word.push('\'');
                    }
                    '\'' => break,
                    c => word.push(c),
                }
            }
        } else if c.is_alphanumeric() || matches!(c, '_' | '@') {
            while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                word.push(c);
            }
        }
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(query: &str) -> Option<Simple> {
        let parameters = json!([{"name": "@id", "value": "p-1"}, {"name": "@n", "value": 1}]);
        Simple::parse(json!({"query": query, "parameters": parameters}).to_string().as_bytes())
    }

    #[test]
    fn what_is_simple() {
        let id = || Filter::Id("p-1".into());
        for (query, what, filter) in [
            ("SELECT * FROM c", What::Document, Filter::All),
            ("select value r from r", What::Document, Filter::All),
            ("SELECT VALUE c.id FROM c", What::Id, Filter::All),
            ("SELECT VALUE 1 FROM c", What::One, Filter::All),
            ("SELECT VALUE COUNT(1) FROM c", What::Count, Filter::All),
            ("SELECT * FROM c WHERE c.id = @id", What::Document, id()),
            ("SELECT * FROM c WHERE c.id='p-1'", What::Document, id()),
            (
                "SELECT * FROM c WHERE STARTSWITH(c.id, 'it''s')",
                What::Document,
                Filter::Prefix("it's".into()),
            ),
        ] {
            assert_eq!(parse(query), Some(Simple { what, filter }), "{query}");
        }
    }

    #[test]
    fn what_is_left_to_the_engine() {
        for query in [
            "SELECT * FROM c WHERE c.id = @n",
            "SELECT * FROM c WHERE c.id = @other",
            "SELECT * FROM c WHERE c.id != 'a'",
            "SELECT * FROM c WHERE c.id = 'a' AND c.x = 1",
            "SELECT * FROM c WHERE c.ID = 'a'",
            "SELECT * FROM c ORDER BY c.id",
            "SELECT TOP 1 * FROM c",
            "SELECT DISTINCT VALUE c.id FROM c",
            "SELECT c.id FROM c",
            "SELECT VALUE d.id FROM c",
            "SELECT * FROM c IN c.list",
            "SELECT * FROM c JOIN d IN c.list",
            "SELECT * FROM (SELECT * FROM c)",
            "SELECT * FROM c WHERE STARTSWITH(c.id, 'a', true)",
            "SELECT * FROM 'c'",
            "SELECT *",
            "",
        ] {
            assert_eq!(parse(query), None, "{query}");
        }
    }
}
