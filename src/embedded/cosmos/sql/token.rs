//! Query text to tokens. Strings come in either quote, with JSON's escapes; a doubled quote is one, too,
//! because the plans of the driver's planner write them so.

use std::iter::Peekable;
use std::str::CharIndices;

use serde_json::{Number, Value};

use super::Fault;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or keyword.
    Word(String),
    /// `@name`
    Parameter(String),
    Text(String),
    Number(Number),
    Sign(&'static str),
}

/// The longest first, so that `<=` is not `<` and `=`.
const SIGNS: [&str; 33] = [
    ">>>", "<<", ">>", "<=", ">=", "<>", "!=", "||", "??", "(", ")", "[", "]", "{", "}", ",", ".", ":", "?",
    "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~", "!", ";",
];

/// All tokens of a query, each with its place in it.
pub(super) fn tokens(query: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let mut tokens = Vec::new();
    let mut chars = query.char_indices().peekable();
    while let Some((at, c)) = chars.peek().copied() {
        let rest = &query[at..];
        if c.is_whitespace() {
            chars.next();
        } else if rest.starts_with("--") {
            while chars.next_if(|(_, c)| *c != '\n').is_some() {}
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").ok_or_else(|| syntax(query, at, "a comment does not end"))?;
            while chars.next_if(|(i, _)| *i < at + end + 2).is_some() {}
        } else if c == '\'' || c == '"' {
            tokens.push((at, Token::Text(text(query, &mut chars)?)));
        } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            tokens.push((at, Token::Number(number(query, at, &mut chars)?)));
        } else if c == '@' || c == '_' || c == '$' || c.is_alphabetic() {
            chars.next();
            let mut word = String::from(c);
            while let Some((_, c)) = chars.next_if(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '$')) {
                word.push(c);
            }
            tokens.push((at, if c == '@' { Token::Parameter(word) } else { Token::Word(word) }));
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            for _ in 0..sign.len() {
                chars.next();
            }
            tokens.push((at, Token::Sign(sign)));
        } else {
            return Err(syntax(query, at, "unexpected character"));
        }
    }
    Ok(tokens)
}

/// The service's word for a query that it cannot read, with the place (counted in characters from 1).
pub(super) fn syntax(query: &str, at: usize, what: &str) -> Fault {
    let column = query.get(..at).map_or(0, |before| before.chars().count()) + 1;
    Fault(format!("Syntax error at character {column} of the query: {what}."))
}

fn text(query: &str, chars: &mut Peekable<CharIndices<'_>>) -> Result<String, Fault> {
    let (start, quote) = chars.next().unwrap_or_default();
    let mut text = String::new();
    loop {
        let Some((at, c)) = chars.next() else { return Err(syntax(query, start, "a string does not end")) };
        if c == quote {
            if chars.next_if(|(_, c)| *c == quote).is_none() {
                return Ok(text);
            }
            text.push(quote);
        } else if c == '\\' {
            text.push(escape(chars).ok_or_else(|| syntax(query, at, "invalid escape in a string"))?);
        } else {
            text.push(c);
        }
    }
}

fn escape(chars: &mut Peekable<CharIndices<'_>>) -> Option<char> {
    Some(match chars.next()?.1 {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let first = unit(chars)?;
            if !(0xD800..0xDC00).contains(&first) {
                return char::from_u32(u32::from(first));
            }
            if chars.next()?.1 != '\\' || chars.next()?.1 != 'u' {
                return None;
            }
            let second = unit(chars)?;
            char::decode_utf16([first, second]).next()?.ok()?
        }
        c @ ('"' | '\'' | '\\' | '/') => c,
        _ => return None,
    })
}

fn unit(chars: &mut Peekable<CharIndices<'_>>) -> Option<u16> {
    let digits: String = (0..4).map_while(|_| chars.next().map(|(_, c)| c)).collect();
    u16::from_str_radix(&digits, 16).ok()
}

fn number(query: &str, at: usize, chars: &mut Peekable<CharIndices<'_>>) -> Result<Number, Fault> {
    let wrong = || syntax(query, at, "not a number");
    let mut digits = String::new();
    while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '.') {
        digits.push(c);
        if matches!(c, 'e' | 'E')
            && !digits.starts_with("0x")
            && let Some((_, sign)) = chars.next_if(|(_, c)| matches!(c, '+' | '-'))
        {
            digits.push(sign);
        }
    }
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).map(Number::from).map_err(|_| wrong());
    }
    let digits = if digits.starts_with('.') { format!("0{digits}") } else { digits };
    let digits = digits.strip_suffix('.').unwrap_or(&digits);
    match serde_json::from_str(digits) {
        Ok(Value::Number(number)) => Ok(number),
        _ => Err(wrong()),
    }
}
