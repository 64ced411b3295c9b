//! Commands that go through keys: SCAN, KEYS, HSCAN, RANDOMKEY, DBSIZE.

use bytes::Bytes;

use super::commands::{Answer, Call, Command, Effect, Failure, Keys};
use super::glob::matches;
use super::numbers::{parse_int, parse_unsigned};
use super::reply::Reply;

/// COUNT when none is given.
const DEFAULT_COUNT: usize = 10;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("scan", -2, Effect::None, Keys::None, scan),
    Command::new("hscan", -3, Effect::Reads, Keys::First, hscan),
    Command::new("keys", 2, Effect::None, Keys::None, keys),
    Command::new("randomkey", 1, Effect::None, Keys::None, random_key),
    Command::new("dbsize", 1, Effect::None, Keys::None, |call| {
        Ok(Reply::count(call.state.store.counts(call.db).0))
    }),
];

struct Options {
    cursor: u64,
    pattern: Option<Bytes>,
    kind: Option<Bytes>,
    count: usize,
}

fn options(call: &Call<'_>, cursor: usize) -> Result<Options, Failure> {
    let start = parse_unsigned(&call.args[cursor]).ok_or_else(|| Failure::new("ERR invalid cursor"))?;
    let mut options = Options { cursor: start, pattern: None, kind: None, count: DEFAULT_COUNT };
    let mut at = cursor + 1;
    while at < call.args.len() {
        let Some(value) = call.args.get(at + 1) else { return Err(Failure::syntax()) };
        if call.is(at, "COUNT") {
            let count = parse_int(value).ok_or_else(Failure::not_an_integer)?;
            if count < 1 {
                return Err(Failure::syntax());
            }
            options.count = usize::try_from(count).unwrap_or(usize::MAX);
        } else if call.is(at, "MATCH") {
            options.pattern = Some(value.clone());
        } else if call.is(at, "TYPE") && cursor == 1 {
            options.kind = Some(value.clone());
        } else {
            return Err(Failure::syntax());
        }
        at += 2;
    }
    Ok(options)
}

fn answer(cursor: u64, found: Vec<Reply>) -> Reply {
    Reply::Array(vec![Reply::bulk(cursor.to_string()), Reply::Array(found)])
}

fn scan(call: &mut Call<'_>) -> Answer {
    let options = options(call, 1)?;
    let (next, keys) = call.state.store.scan(call.db, options.cursor, options.count);
    let mut found = Vec::new();
    for key in keys {
        if options.pattern.as_ref().is_some_and(|pattern| !matches(pattern, &key)) || !call.exists(&key) {
            continue;
        }
        if let Some(kind) = &options.kind {
            let actual = call.state.store.get(call.db, &key).map_or("none", |item| item.value.kind());
            if !kind.eq_ignore_ascii_case(actual.as_bytes()) {
                continue;
            }
        }
        found.push(Reply::Bulk(key));
    }
    Ok(answer(next, found))
}

/// All at once, as Redis does with small hashes.
fn hscan(call: &mut Call<'_>) -> Answer {
    let options = options(call, 2)?;
    let key = call.arg(1);
    let mut found = Vec::new();
    if let Some(fields) = call.hash(&key)? {
        for (name, value) in fields.iter() {
            if options.pattern.as_ref().is_none_or(|pattern| matches(pattern, name)) {
                found.extend([Reply::Bulk(name.clone()), Reply::Bulk(value.clone())]);
            }
        }
    }
    Ok(answer(0, found))
}

fn keys(call: &mut Call<'_>) -> Answer {
    let pattern = call.arg(1);
    let found: Vec<Bytes> =
        call.state.store.keys(call.db).filter(|key| matches(&pattern, key)).cloned().collect();
    Ok(Reply::Array(found.into_iter().filter(|key| call.exists(key)).map(Reply::Bulk).collect()))
}

fn random_key(call: &mut Call<'_>) -> Answer {
    // Each round removes an expired key, so this ends.
    while let Some(key) = call.state.store.random_key(call.db, rand::random()) {
        if call.exists(&key) {
            return Ok(Reply::Bulk(key));
        }
    }
    Ok(Reply::Nil)
}
