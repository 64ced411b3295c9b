//! Literals of the service's SQL in the dialect of the inner store, which makes the plans. The service
//! takes strings in either quote with JSON's escapes; the store takes `'…'` with `''` inside, and reads
//! `"…"` as a name.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::CharIndices;

use bytes::Bytes;
use serde_json::Value;

/// A query of the store in our dialect: its strings have no escapes, so a backslash is one of its own there.
pub(in super::super) fn from_store(query: &str) -> String {
    query.replace('\\', r"\\")
}

/// The query of a plan in our dialect: the client will send it back to us. `None`: there is nothing to change.
pub(in super::super) fn plan_from_store(body: &[u8]) -> Option<Bytes> {
    let mut plan: Value = serde_json::from_slice(body).ok()?;
    let rewritten = plan.get_mut("queryInfo")?.get_mut("rewrittenQuery")?;
    let query = rewritten.as_str().filter(|query| query.contains('\\'))?;
    *rewritten = from_store(query).into();
    Some(plan.to_string().into())
}

/// The body of a request for a query's plan in the store's dialect.
/// `Err`: what is wrong with the query.
pub(in super::super) fn to_store(body: &Bytes) -> Result<Bytes, &'static str> {
    let Ok(mut parsed) = serde_json::from_slice::<Value>(body) else { return Ok(body.clone()) };
    let Some(query) = parsed.get("query").and_then(Value::as_str) else { return Ok(body.clone()) };
    match translate(query)? {
        Cow::Borrowed(_) => Ok(body.clone()),
        Cow::Owned(query) => {
            parsed["query"] = query.into();
            Ok(parsed.to_string().into())
        }
    }
}

fn translate(query: &str) -> Result<Cow<'_, str>, &'static str> {
    if !query.contains(['"', '\\']) && !query.contains("--") {
        return Ok(Cow::Borrowed(query));
    }
    let mut out = String::with_capacity(query.len());
    let mut chars = query.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' | '"' => {
                let text = literal(&mut chars, c)?;
                let rest = query.get(chars.peek().map_or(query.len(), |(at, _)| *at)..).unwrap_or("");
                // `{"name": …}` is a name at both; `x ? "a" : "b"` is not.
                let names = out.trim_end().ends_with(['{', ',']) && rest.trim_start().starts_with(':');
                if names && c == '"' && !text.contains('"') {
                    out.push('"');
                    out.push_str(&text);
                    out.push('"');
                } else {
                    out.push('\'');
                    out.push_str(&text.replace('\'', "''"));
                    out.push('\'');
                }
            }
            '-' if query[at..].starts_with("--") => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            c => out.push(c),
        }
    }
    Ok(Cow::Owned(out))
}

/// The rest of a literal, unescaped.
fn literal(chars: &mut Peekable<CharIndices<'_>>, quote: char) -> Result<String, &'static str> {
    const ENDLESS: &str = "Syntax error: a string of the query does not end.";
    const ESCAPE: &str = "Syntax error: invalid escape in a string of the query.";
    let mut text = String::new();
    loop {
        match chars.next().ok_or(ENDLESS)?.1 {
            c if c == quote => return Ok(text),
            '\\' => match chars.next().ok_or(ENDLESS)?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'b' => text.push('\u{8}'),
                'f' => text.push('\u{c}'),
                'u' => {
                    let mut units = vec![unit(chars).ok_or(ESCAPE)?];
                    if (0xD800..0xDC00).contains(&units[0]) {
                        if chars.next().map(|(_, c)| c) != Some('\\')
                            || chars.next().map(|(_, c)| c) != Some('u')
                        {
                            return Err(ESCAPE);
                        }
                        units.push(unit(chars).ok_or(ESCAPE)?);
                    }
                    text.push_str(&String::from_utf16(&units).map_err(|_| ESCAPE)?);
                }
                c @ ('"' | '\'' | '\\' | '/') => text.push(c),
                _ => return Err(ESCAPE),
            },
            c => text.push(c),
        }
    }
}

fn unit(chars: &mut Peekable<CharIndices<'_>>) -> Option<u16> {
    let digits: String = (0..4).map_while(|_| chars.next().map(|(_, c)| c)).collect();
    u16::from_str_radix(&digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_quotes_are_strings() {
        for (theirs, stores) in [
            ("SELECT * FROM c", "SELECT * FROM c"),
            (r#"SELECT * FROM c WHERE c["id"] = "it's""#, "SELECT * FROM c WHERE c['id'] = 'it''s'"),
            (r"SELECT * FROM c WHERE c.id = 'it\'s'", "SELECT * FROM c WHERE c.id = 'it''s'"),
            (r#"SELECT {"a": c.x, "b": "y"} FROM c"#, r#"SELECT {"a": c.x, "b": 'y'} FROM c"#),
            (r#"SELECT VALUE c.x ? "a" : "b" FROM c"#, "SELECT VALUE c.x ? 'a' : 'b' FROM c"),
            (r#"SELECT "\u00e4\ud83c\udf4f" FROM c"#, "SELECT 'ä🍏' FROM c"),
            ("SELECT * -- all of it\nFROM c WHERE c.x = '--'", "SELECT * \nFROM c WHERE c.x = '--'"),
        ] {
            assert_eq!(translate(theirs).as_deref(), Ok(stores));
        }
    }

    #[test]
    fn broken_literals_are_errors() {
        for query in [r#"SELECT "x"#, r#"SELECT "\q""#, r#"SELECT "\u00""#, r#"SELECT "\ud83c""#] {
            assert!(translate(query).is_err(), "{query}");
        }
    }
}
