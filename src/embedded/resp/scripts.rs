//! SCRIPT, EVAL, EVALSHA: there is no Lua here. The one script that syncscope itself sends, its guard
//! against going backwards (`cache/guard.lua`), is known by its SHA-1 and done by hand, step by step
//! as the script does it.

use bytes::Bytes;

use super::commands::{self, Answer, Call, Command, Effect, Failure, Keys};
use super::numbers::parse_int;
use super::reply::Reply;
use super::store::Value;
use crate::cache::{SCRIPT, VERSION_FIELD, script_sha1};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("script", -2, Effect::None, Keys::None, script),
    Command::new("eval", -3, Effect::Grows, Keys::None, |call| {
        if call.arg(1) == SCRIPT.as_bytes() { guarded_writes(call) } else { Err(no_lua()) }
    }),
    Command::new("evalsha", -3, Effect::Grows, Keys::None, |call| {
        if is_known(&call.arg(1)) {
            guarded_writes(call)
        } else {
            Err(Failure::new("NOSCRIPT No matching script. Please use EVAL."))
        }
    }),
];

fn no_lua() -> Failure {
    Failure::new("ERR this in-process server runs no Lua; use a redis-server for scripts")
}

fn is_known(sha1: &Bytes) -> bool {
    sha1.eq_ignore_ascii_case(script_sha1().as_bytes())
}

fn script(call: &mut Call<'_>) -> Answer {
    if call.is(1, "LOAD") && call.args.len() == 3 {
        return if call.arg(2) == SCRIPT.as_bytes() {
            Ok(Reply::Bulk(Bytes::from_static(script_sha1().as_bytes())))
        } else {
            Err(no_lua())
        };
    }
    if call.is(1, "EXISTS") && call.args.len() > 2 {
        return Ok(Reply::Array(call.args[2..].iter().map(|sha1| Reply::flag(is_known(sha1))).collect()));
    }
    if call.is(1, "FLUSH") {
        return Ok(Reply::OK);
    }
    Err(Failure::subcommand("SCRIPT", &call.arg(1)))
}

/// `_ts` and `_lsn` as the script keeps them: `ts:lsn`.
fn version(text: &[u8]) -> Option<(i64, Option<i64>)> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (ts, lsn) = (&text[..colon], &text[colon + 1..]);
    let lsn = if lsn.is_empty() { None } else { Some(parse_int(lsn)?) };
    Some((parse_int(ts)?, lsn))
}

/// The version that was written last under a key.
fn held(call: &mut Call<'_>, entry: &Bytes, version_key: &Bytes) -> Result<Option<Bytes>, Failure> {
    if let Some(text) = call.string(version_key)? {
        return Ok(Some(text));
    }
    let field = Bytes::from_static(VERSION_FIELD.as_bytes());
    Ok(match call.read(entry) {
        Some(Value::Hash(fields)) => fields.get(&field).cloned(),
        _ => None,
    })
}

/// All writes of a call, each with an outcome of its own.
fn guarded_writes(call: &mut Call<'_>) -> Answer {
    let keys = usize::try_from(call.int(2)?).unwrap_or(0);
    let args = call.args.to_vec();
    let (Some(keys), Some(mut rest)) = (args.get(3..3 + keys), args.get(3 + keys..)) else {
        return Err(Failure::syntax());
    };
    let mut outcomes = Vec::with_capacity(keys.len() / 2);
    for pair in keys.chunks_exact(2) {
        let [ts, lsn, what, ttl, length, ..] = rest else { return Err(Failure::syntax()) };
        let length = parse_int(length).and_then(|length| usize::try_from(length).ok());
        let content = length.and_then(|length| rest.get(5..5 + length)).ok_or_else(Failure::syntax)?;
        let version = (ts.clone(), lsn.clone());
        let outcome = guarded_write(call, pair, version, (what, ttl), content);
        outcomes.push(outcome.unwrap_or_else(|failure| Reply::Error(failure.0)));
        rest = &rest[5 + content.len()..];
    }
    Ok(Reply::Array(outcomes))
}

/// One write: its entry and version key, `_ts` and `_lsn`, what and how long to live, the content.
fn guarded_write(
    call: &mut Call<'_>,
    keys: &[Bytes],
    (ts, mut lsn): (Bytes, Bytes),
    (what, ttl): (&Bytes, &Bytes),
    content: &[Bytes],
) -> Answer {
    let [entry, version_key] = keys else { return Err(Failure::syntax()) };
    let number = |text: &Bytes| parse_int(text).ok_or_else(Failure::not_an_integer);
    let held = held(call, entry, version_key)?;
    if let Some((held_ts, held_lsn)) = held.as_deref().and_then(version) {
        if number(&ts)? < held_ts {
            return Ok(Reply::Int(0));
        }
        if let (true, Some(held_lsn)) = (number(&ts)? == held_ts, held_lsn) {
            if lsn.is_empty() {
                lsn = Bytes::from(held_lsn.to_string());
            } else if number(&lsn)? < held_lsn {
                return Ok(Reply::Int(0));
            }
        }
    }
    let version = Bytes::from([&ts[..], b":", &lsn[..]].concat());
    let (entry, version_key) = (entry.clone(), version_key.clone());
    let word = Bytes::from_static;
    match &what[..] {
        b"delete" => {
            run(call, &[word(b"unlink"), entry])?;
            run(call, &[word(b"set"), version_key, version, word(b"px"), ttl.clone()])?;
        }
        b"hash" => {
            run(call, &[word(b"unlink"), entry.clone(), version_key])?;
            let mut set = vec![word(b"hset"), entry.clone()];
            set.extend_from_slice(content);
            set.extend([word(VERSION_FIELD.as_bytes()), version]);
            run(call, &set)?;
            if !ttl.is_empty() {
                run(call, &[word(b"pexpire"), entry, ttl.clone()])?;
            }
        }
        b"json" => return Err(Failure::new("ERR Unknown Redis command called from script: JSON.SET")),
        _ => {
            for (key, value) in
                [(entry, content.first().cloned().unwrap_or_default()), (version_key, version)]
            {
                let mut set = vec![word(b"set"), key, value];
                if !ttl.is_empty() {
                    set.extend([word(b"px"), ttl.clone()]);
                }
                run(call, &set)?;
            }
        }
    }
    Ok(Reply::Int(1))
}

/// One command of the script.
fn run(call: &mut Call<'_>, args: &[Bytes]) -> Result<(), Failure> {
    let Some(command) = commands::find(&args[0]) else { return Err(Failure::syntax()) };
    (command.run)(&mut Call { state: call.state, id: call.id, db: call.db, args }).map(drop)
}
