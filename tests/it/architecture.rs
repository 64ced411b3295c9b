//! Which room may import which: the nevers of the design.
//!
//! Reads the text of `src/` rather than asking the compiler, so a fully qualified path or one inside of a
//! macro counts as much as a `use`. Comments, literals and unit tests are left out.

use std::fmt::Write as _;
use std::path::Path;

/// What a room must not know. Everything that is not named is allowed.
struct Room {
    name: &'static str,
    /// Other rooms.
    rooms: &'static [&'static str],
    /// Crates and modules from outside.
    outside: &'static [&'static str],
}

/// For a room that knows no other.
const ALL: &[&str] = &[
    "config",
    "cosmos",
    "lease",
    "processor",
    "cache",
    "sync",
    "latency",
    "seed",
    "embedded",
    "engine",
    "tui",
    "cli",
];
/// For a room that only computes.
const PURE: &[&str] = &["azure_*", "redis", "ratatui", "crossterm", "clap", "tokio", "std::fs", "std::net"];

const ROOMS: &[Room] = &[
    Room {
        name: "config",
        rooms: ALL,
        outside: &["azure_*", "redis", "ratatui", "crossterm", "clap", "tokio"],
    },
    Room { name: "seed", rooms: ALL, outside: PURE },
    Room { name: "latency", rooms: ALL, outside: PURE },
    Room {
        name: "cosmos",
        rooms: &["lease", "processor", "cache", "sync", "embedded", "engine", "tui", "cli"],
        outside: &["redis", "ratatui", "crossterm", "tui_input", "clap", "indicatif"],
    },
    Room {
        name: "lease",
        rooms: &["processor", "cache", "sync", "embedded", "engine", "tui", "cli"],
        outside: &["azure_*", "redis", "ratatui", "crossterm", "tui_input", "clap", "indicatif"],
    },
    Room {
        name: "processor",
        rooms: &["cache", "sync", "embedded", "engine", "tui", "cli"],
        outside: &["azure_*", "redis", "ratatui", "crossterm", "tui_input", "clap", "indicatif"],
    },
    Room {
        name: "cache",
        rooms: &["cosmos", "lease", "processor", "sync", "embedded", "engine", "tui", "cli"],
        outside: &["azure_*", "ratatui", "crossterm", "tui_input", "clap", "indicatif"],
    },
    Room {
        name: "sync",
        rooms: &["embedded", "engine", "tui", "cli"],
        outside: &["azure_*", "redis", "ratatui", "crossterm", "tui_input", "clap", "indicatif"],
    },
    Room {
        name: "embedded",
        rooms: &["lease", "processor", "sync", "engine", "tui", "cli"],
        outside: &["redis", "ratatui", "crossterm", "tui_input", "clap", "indicatif"],
    },
    Room {
        name: "engine",
        rooms: &["tui", "cli"],
        outside: &["azure_*", "redis", "ratatui", "crossterm", "clap"],
    },
    Room {
        name: "tui",
        rooms: &["processor", "cache", "sync", "embedded", "cli"],
        outside: &[
            "azure_*",
            "redis",
            "clap",
            "hyper",
            "std::fs",
            "std::net",
            "std::process",
            "tokio::fs",
            "tokio::net",
            "tokio::process",
        ],
    },
    Room { name: "cli", rooms: &[], outside: &["azure_*", "redis"] },
];

/// Lines of a file without its unit tests.
const LONGEST_FILE: usize = 500;

/// Everything in one file that the design forbids.
fn offences(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let room = path.split_once('/').map(|(room, _)| room);
    let (code, is_test) = without_tests(path, text);
    if !text.starts_with("//!") {
        found.push("does not open with //!".to_owned());
    }
    let lines = code.lines().count();
    if lines > LONGEST_FILE && !is_test {
        found.push(format!("has {lines} lines; split it by noun"));
    }
    let tokens = tokens(&code);
    if !is_test {
        found.extend(imports(room, &tokens));
        found.extend(channels(&tokens));
    }
    found.into_iter().map(|offence| format!("{path} {offence}")).collect()
}

/// The text before the unit tests, which stand at the end; a file of tests is one as a whole.
fn without_tests(path: &str, text: &str) -> (String, bool) {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs");
    let mut offset = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let opens = |next: &&str| next.trim_start().starts_with("mod ") && next.trim_end().ends_with('{');
        if line.trim() == "#[cfg(test)]" && line.starts_with('#') && lines.peek().is_some_and(opens) {
            return (text[..offset].to_owned(), is_test);
        }
        offset += line.len();
    }
    (text.to_owned(), is_test)
}

fn imports(room: Option<&str>, tokens: &[String]) -> Vec<String> {
    let Some(name) = room else { return Vec::new() };
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![format!("is in a room that the table of this test does not know: {name}")];
    };
    let mut found = Vec::new();
    for path in paths(tokens) {
        let segments: Vec<_> = path.split("::").collect();
        let own = segments[0] == "crate" && segments.len() > 1;
        if own && segments[1] != name && room.rooms.contains(&segments[1]) {
            found.push(format!("imports crate::{}, which {name} must not know", segments[1]));
        }
        let outside = room.outside.iter().find(|forbidden| match forbidden.strip_suffix('*') {
            Some(prefix) => segments[0].starts_with(prefix),
            None => path == **forbidden || path.starts_with(&format!("{forbidden}::")),
        });
        if let Some(forbidden) = outside {
            found.push(format!("uses {path}; {forbidden} is not for {name}"));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// All paths of two or more segments, those of nested `use` groups spelled out; and bare crate names in `use`.
fn paths(tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let before = i.checked_sub(2).map_or("", |at| tokens[at].as_str());
        // Behind `::` a path begins only if nothing is left of it, as in `use ::redis::Client`.
        let leading = is_keyword(before) || !(is_word(before) || before == ">");
        let starts =
            is_word(&tokens[i]) && !is_keyword(&tokens[i]) && (i == 0 || tokens[i - 1] != "::" || leading);
        if starts && tokens.get(i + 1).is_some_and(|next| next == "::") {
            i = path(tokens, i, "", &mut found);
        } else {
            if tokens[i] == "use" && tokens.get(i + 2).is_some_and(|next| next == ";" || next == "as") {
                found.push(tokens[i + 1].clone());
            }
            i += 1;
        }
    }
    found
}

/// Reads `a::b` or `a::{b, c::d}` at `i`; gives the index behind it.
fn path(tokens: &[String], mut i: usize, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut here = prefix.to_owned();
    while let Some(token) = tokens.get(i) {
        if token == "{" && here.ends_with("::") {
            i += 1;
            while tokens.get(i).is_some_and(|token| token != "}") {
                if tokens[i] == "," || tokens[i] == "as" {
                    i += 1;
                } else {
                    i = path(tokens, i, &here, found).max(i + 1);
                }
            }
            return i + 1;
        }
        if !is_word(token) {
            break;
        }
        here.push_str(token);
        i += 1;
        if tokens.get(i).is_none_or(|next| next != "::") {
            break;
        }
        here.push_str("::");
        i += 1;
    }
    found.push(here.trim_end_matches("::").to_owned());
    i
}

/// Every channel that carries many things has a bound with a name.
fn channels(tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if token.starts_with("unbounded") {
            found.push(format!("has an unbounded channel ({token})"));
        }
        let of = |name: &str| i >= 2 && tokens[i - 1] == "::" && tokens[i - 2] == name;
        if token == "channel" && (of("mpsc") || of("broadcast")) {
            let open = tokens[i..].iter().position(|token| token == "(").map(|at| i + at + 1);
            match open.and_then(|at| tokens.get(at)) {
                Some(bound) if bound == ")" => found.push("has an unbounded channel of std".to_owned()),
                Some(bound) if bound.starts_with(|c: char| c.is_ascii_digit()) => {
                    found.push(format!("has a channel({bound}) whose bound has no name"));
                }
                _ => {}
            }
        }
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words that a path with leading `::` may follow.
fn is_keyword(token: &str) -> bool {
    matches!(
        token,
        "use" | "return" | "in" | "as" | "dyn" | "impl" | "mut" | "else" | "match" | "if" | "while" | "await"
    )
}

/// Words, `::` and single signs; comments and literals are left out.
fn tokens(code: &str) -> Vec<String> {
    let chars: Vec<char> = code.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let rest = &chars[i..];
        i += match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => text_literal(rest),
            ['\'', ..] => quote(rest),
            [':', ':', ..] => {
                found.push("::".to_owned());
                2
            }
            [c, ..] if c.is_alphanumeric() || *c == '_' => {
                let word: String = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                let length = word.chars().count();
                if let Some(literal) = raw_literal(&word, &rest[length..]) {
                    length + literal
                } else {
                    found.push(word);
                    length
                }
            }
            [c, ..] => {
                if !c.is_whitespace() {
                    found.push(c.to_string());
                }
                1
            }
            [] => 1,
        };
    }
    found
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i < rest.len() {
        match rest[i..] {
            ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
            ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn text_literal(rest: &[char]) -> usize {
    let mut i = 1;
    while i < rest.len() && rest[i] != '"' {
        i += if rest[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// `r"…"`, `r#"…"#`, `br#"…"#`; `rest` stands behind the letters.
fn raw_literal(word: &str, rest: &[char]) -> Option<usize> {
    if !matches!(word, "r" | "br" | "cr") {
        return None;
    }
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    if rest.get(hashes) != Some(&'"') {
        return None;
    }
    let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body: String = rest[hashes + 1..].iter().collect();
    let at = body.find(&end)?;
    Some(hashes + 1 + body[..at].chars().count() + end.len())
}

/// A character, or a lifetime, which has no second quote.
fn quote(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', ..] => rest.iter().skip(3).position(|c| *c == '\'').map_or(1, |at| at + 4),
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

/// All files of `src`, by their path in it.
fn sources() -> Vec<(String, String)> {
    fn walk(directory: &Path, root: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort();
    found
}

#[test]
fn the_house_keeps_its_nevers() {
    let sources = sources();
    for room in ROOMS {
        let start = format!("{}/", room.name);
        assert!(
            sources.iter().any(|(path, _)| path.starts_with(&start)),
            "no file of {} was read",
            room.name
        );
    }
    let mut report = String::new();
    for offence in sources.iter().flat_map(|(path, text)| offences(path, text)) {
        let _ = writeln!(report, "src/{offence}");
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn every_never_is_found_when_it_happens() {
    for (path, code, told) in [
        ("cosmos/a.rs", "use crate::tui::Model;", "cosmos/a.rs imports crate::tui"),
        ("engine/a.rs", "fn f() { crate::cli::run(); }", "imports crate::cli"),
        ("cache/a.rs", "use crate::{config::Settings, cosmos::{EpkRange, Feed}};", "imports crate::cosmos"),
        ("cache/a.rs", "use crate::lease as l;", "imports crate::lease"),
        ("processor/a.rs", "select! { x = crate::cache::get() => {} }", "imports crate::cache"),
        ("lease/deep/a.rs", "use crate::sync::Mapping;", "imports crate::sync"),
        ("sync/a.rs", "use azure_data_cosmos::CosmosClient;", "azure_*"),
        ("tui/a.rs", "use azure_core;", "azure_*"),
        ("engine/a.rs", "let x: redis::Value = y;", "uses redis::Value"),
        ("engine/a.rs", "use ::redis::{aio::ConnectionManager};", "uses redis::aio::ConnectionManager"),
        ("tui/a.rs", "use std::{fmt, fs::File};", "uses std::fs::File"),
        ("tui/a.rs", "use tokio::{sync::mpsc, net};", "uses tokio::net"),
        ("lobby/a.rs", "fn f() {}", "does not know: lobby"),
        ("cache/a.rs", "let (tx, rx) = mpsc::unbounded_channel();", "unbounded channel"),
        ("cache/a.rs", "let (tx, rx) = std::sync::mpsc::channel::<u8>();", "unbounded channel of std"),
        ("cache/a.rs", "let (tx, rx) = mpsc::channel::<Vec<u8>>(64);", "no name"),
    ] {
        let found = offences(path, &format!("//! Doc.\n{code}\n"));
        assert_eq!(found.len(), 1, "{code}: {found:?}");
        assert!(found[0].contains(told), "{code}: {found:?}");
    }
    assert_eq!(offences("seed/a.rs", "fn f() {}"), ["seed/a.rs does not open with //!"]);
    let long = format!("//! Doc.\n{}", "fn f() {}\n".repeat(LONGEST_FILE));
    assert!(offences("seed/a.rs", &long)[0].contains("501 lines"));
}

#[test]
fn what_only_looks_like_an_offence_is_none() {
    for (path, code) in [
        ("cosmos/a.rs", "// use crate::tui::Model;"),
        ("cosmos/a.rs", "/* crate::tui::x /* y */ crate::cli::z */"),
        ("cosmos/a.rs", "const A: &str = \"crate::tui::x \\\" crate::cli::y\";"),
        ("cosmos/a.rs", "const A: &str = r#\"crate::tui::x \" crate::cli::y\"#;"),
        ("cosmos/a.rs", "fn f<'a>(x: &'a str) -> char { '\\'' } const Q: char = '\"';"),
        ("cache/a.rs", "use redis::Client; use crate::config::Settings;"),
        ("cosmos/a.rs", "use azure_core::http::Url;"),
        ("cli/a.rs", "use crate::{engine, tui};"),
        ("cache/a.rs", "let (tx, rx) = mpsc::channel(ROWS); let b = watch::channel(0); oneshot::channel();"),
        ("processor/a.rs", "use super::cache_key::x; let crate_cache = y;"),
        ("sync/a.rs", "#[cfg(test)]\nmod tests {\n    use redis::Value;\n}\n"),
        ("sync/tests.rs", "use redis::Value;"),
    ] {
        let found = offences(path, &format!("//! Doc.\n{code}\n"));
        assert!(found.is_empty(), "{code}: {found:?}");
    }
}
