//! As much C# as constants and attribute arguments need: comments blanked, string literals read,
//! constants looked up, `nameof` and `+` worked out.

use std::collections::BTreeMap;

use super::properties::Told;

/// Source text with its comments blanked; lines keep their numbers.
pub(super) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            rest = &rest[end..];
            continue;
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
            out.extend(rest[..end].chars().filter(|c| *c == '\n'));
            out.push(' ');
            rest = &rest[end..];
            continue;
        } else {
            literal(rest).map_or(c.len_utf8(), |(_, length)| length)
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// A string or character literal at the start of a text: its value (where it can be told) and its length.
pub(super) fn literal(text: &str) -> Option<(Option<String>, usize)> {
    if let Some(body) = text.strip_prefix("\"\"\"") {
        let end = body.find("\"\"\"");
        return Some((end.map(|end| body[..end].trim().to_owned()), end.map_or(text.len(), |end| end + 6)));
    }
    for (prefix, verbatim, interpolated) in [
        ("@\"", true, false),
        ("$@\"", true, true),
        ("@$\"", true, true),
        ("$\"", false, true),
        ("\"", false, false),
    ] {
        if let Some(body) = text.strip_prefix(prefix) {
            let (value, length) = quoted(body, verbatim);
            let told = !(interpolated && value.contains('{'));
            return Some((told.then_some(value), prefix.len() + length));
        }
    }
    let body = text.strip_prefix('\'')?;
    let skipped = if body.starts_with('\\') { 2 } else { 1 };
    // At most '\U0001F600'; an apostrophe without another near it stands in a directive.
    let end =
        body.char_indices().take(11).skip(skipped).find(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 2);
    Some((None, end))
}

/// The inside of a literal up to its closing quote, and the length with it.
fn quoted(body: &str, verbatim: bool) -> (String, usize) {
    let mut value = String::new();
    let mut chars = body.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if verbatim && chars.next_if(|(_, next)| *next == '"').is_some() => value.push('"'),
            '"' => return (value, at + 1),
            '\\' if !verbatim => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, other)) => value.push(other),
                None => {}
            },
            c => value.push(c),
        }
    }
    (value, body.len())
}

/// Constants of a project by name: `const string A = "…";` and static read-only ones.
#[derive(Debug, Default)]
pub(super) struct Constants(BTreeMap<String, Option<String>>);

impl Constants {
    /// Adds those of one file (comments blanked already).
    pub(super) fn read(&mut self, text: &str) {
        for marker in ["const string ", "static readonly string "] {
            for (at, _) in text.match_indices(marker) {
                let rest = text[at + marker.len()..].trim_start();
                let Some((name, value)) = rest.split_once('=') else { continue };
                let name = name.trim();
                let Some((Some(value), _)) = literal(value.trim_start()) else { continue };
                if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                    let known = self.0.entry(name.to_owned()).or_insert_with(|| Some(value.clone()));
                    // Two constants of one name and different values: which is meant, only the compiler knows.
                    if known.as_deref() != Some(&*value) {
                        *known = None;
                    }
                }
            }
        }
    }

    fn get(&self, path: &str) -> Option<String> {
        let name = path.rsplit('.').next()?.trim();
        self.0.get(name).cloned().flatten()
    }
}

/// Works an argument's expression out.
pub(super) fn evaluate(expression: &str, constants: &Constants) -> Told {
    let expression = expression.trim();
    let value = value(expression, constants);
    value.map_or_else(|| Told::Unknown(expression.to_owned()), Told::Value)
}

fn value(expression: &str, constants: &Constants) -> Option<String> {
    let terms = split(expression, '+');
    if terms.len() > 1 {
        return terms.into_iter().map(|term| value(term.trim(), constants)).collect();
    }
    if let Some((value, length)) = literal(expression) {
        return value.filter(|_| length == expression.len());
    }
    let number = expression.replace('_', "");
    if matches!(expression, "true" | "false") || number.parse::<i64>().is_ok() {
        return Some(number);
    }
    if let Some(inner) = expression.strip_prefix("nameof(").and_then(|rest| rest.strip_suffix(')')) {
        return inner.rsplit('.').next().map(|name| name.trim().to_owned());
    }
    constants.get(expression)
}

/// Cuts at a sign outside of literals and brackets.
pub(super) fn split(text: &str, sign: char) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut at) = (Vec::new(), 0, 0_i32, 0);
    while let Some(c) = text[at..].chars().next() {
        if let Some((_, length)) = literal(&text[at..]) {
            at += length;
            continue;
        }
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            c if c == sign && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    parts.push(&text[start..]);
    parts
}

/// The inside of the brackets that open right at the start of a text.
pub(super) fn bracketed(text: &str) -> Option<&str> {
    let mut depth = 0_i32;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some((_, length)) = literal(&text[at..]) {
            at += length;
            continue;
        }
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(1..at);
        }
        at += c.len_utf8();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expressions() {
        let mut constants = Constants::default();
        constants.read("class A { public const string Db = \"shop\"; const string Twice = \"a\"; }");
        constants.read(
            "class B { private const string Twice = \"b\"; static readonly string Verb = @\"x\\\"\"y\"; }",
        );
        let told = |text: &str| match evaluate(text, &constants) {
            Told::Value(value) => value,
            Told::Unknown(text) => format!("? {text}"),
        };
        assert_eq!(told(" \"a\\\"b,c\" "), "a\"b,c");
        assert_eq!(told("A.Db"), "shop");
        assert_eq!(told("Constants.Db + \"-\" + nameof(X.Prices)"), "shop-Prices");
        assert_eq!(told("Verb"), "x\\\"y");
        assert_eq!(told("5_000"), "5000");
        assert_eq!(told("Twice"), "? Twice");
        assert_eq!(told("$\"{Db}x\""), "? $\"{Db}x\"");
        assert_eq!(told("$\"plain\""), "plain");
    }

    #[test]
    fn comments_go_and_lines_stay() {
        let text = "a // b\n/* c\n d */ \"// e\" '\"' f";
        assert_eq!(without_comments(text), "a \n\n  \"// e\" '\"' f");
    }

    proptest! {
        #[test]
        fn any_text_is_an_answer(text in "([a-z]|[\"'@$\\\\(){},+/*=\n ]|é|const string )*") {
            let text = without_comments(&text);
            let mut constants = Constants::default();
            constants.read(&text);
            for part in split(&text, ',') {
                let _ = evaluate(part, &constants);
            }
            let _ = bracketed(&text);
        }
    }
}
