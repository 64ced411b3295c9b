//! `LIKE` and `RegexMatch` as regular expressions of the `regex` crate, which needs linear time for any
//! pattern.

use regex::{Regex, RegexBuilder};

use super::Fault;
use super::ast::Pattern;

/// Bytes that a compiled pattern may take: bounds what a request can make us build.
const SIZE: usize = 1 << 20;

/// A pattern of `LIKE`: `%`, `_`, `[a-f]`, `[^a-f]`, each literal after `escape` or alone in brackets.
pub(super) fn like(pattern: &str, escape: Option<char>) -> Result<Pattern, Fault> {
    let mut out = String::from("^");
    let mut chars = pattern.chars().peekable();
    let literal = |c: char, out: &mut String| out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            let next =
                chars.next().ok_or_else(|| Fault::new("A LIKE pattern ends with its escape character."))?;
            literal(next, &mut out);
            continue;
        }
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '[' => {
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                loop {
                    match chars.next() {
                        None => return Err(Fault::new("A set in a LIKE pattern does not end with ].")),
                        Some(']') => break,
                        Some('-') => out.push('-'),
                        Some(c) => literal(c, &mut out),
                    }
                }
                out.push(']');
            }
            c => literal(c, &mut out),
        }
    }
    out.push('$');
    build(RegexBuilder::new(&out).dot_matches_new_line(true), "LIKE")
}

/// A pattern of `RegexMatch` with its modifiers.
pub(super) fn regex(pattern: &str, modifiers: &str) -> Result<Pattern, Fault> {
    let mut builder = RegexBuilder::new(pattern);
    for modifier in modifiers.chars() {
        match modifier {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'x' => builder.ignore_whitespace(true),
            _ => return Err(Fault(format!("RegexMatch has no modifier '{modifier}': i, m, s, x."))),
        };
    }
    build(&mut builder, "RegexMatch")
}

fn build(builder: &mut RegexBuilder, what: &str) -> Result<Pattern, Fault> {
    let built: Result<Regex, regex::Error> = builder.size_limit(SIZE).build();
    built
        .map(Pattern)
        .map_err(|_| Fault(format!("The pattern of {what} is not valid, or not supported here.")))
}
