//! Commands of strings.

use bytes::Bytes;

use super::commands::{Answer, Call, Command, Effect, Failure, Keys};
use super::framing::MAX_ARGUMENT;
use super::keys::{Unit, deadline};
use super::numbers::parse_int;
use super::reply::Reply;
use super::state::Class;
use super::store::{Item, Value};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("get", 2, Effect::Reads, Keys::First, get),
    Command::new("set", -3, Effect::Grows, Keys::First, set),
    Command::new("setnx", 3, Effect::Grows, Keys::First, setnx),
    Command::new("setex", 4, Effect::Grows, Keys::First, |call| set_with_time(call, Unit::Seconds, "setex")),
    Command::new("psetex", 4, Effect::Grows, Keys::First, |call| set_with_time(call, Unit::Millis, "psetex")),
    Command::new("getset", 3, Effect::Grows, Keys::First, getset),
    Command::new("getdel", 2, Effect::Changes, Keys::First, getdel),
    Command::new("getex", -2, Effect::Changes, Keys::First, getex),
    Command::new("mget", -2, Effect::Reads, Keys::All, mget),
    Command::new("mset", -3, Effect::Grows, Keys::Pairs, mset),
    Command::new("msetnx", -3, Effect::Grows, Keys::Pairs, msetnx),
    Command::new("strlen", 2, Effect::Reads, Keys::First, strlen),
    Command::new("getrange", 4, Effect::Reads, Keys::First, getrange),
    Command::new("substr", 4, Effect::Reads, Keys::First, getrange),
    Command::new("append", 3, Effect::Grows, Keys::First, append),
    Command::new("incr", 2, Effect::Grows, Keys::First, |call| add(call, Some(1))),
    Command::new("decr", 2, Effect::Grows, Keys::First, |call| add(call, Some(-1))),
    Command::new("incrby", 3, Effect::Grows, Keys::First, |call| {
        let step = call.int(2)?;
        add(call, Some(step))
    }),
    Command::new("decrby", 3, Effect::Grows, Keys::First, |call| {
        let step = call.int(2)?.checked_neg();
        add(call, step)
    }),
];

/// Puts a string in the place of whatever was there, and tells.
fn store(call: &mut Call<'_>, key: &Bytes, value: &[u8], expires_at: Option<u64>) {
    let value = Value::String(Bytes::copy_from_slice(value));
    call.state.store.put(call.db, key, Item { value, expires_at });
    call.touch(key, Class::String, "set");
}

fn get(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    call.string(&key).map(Reply::optional)
}

/// Options of SET and GETEX.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent words of the command")]
struct Options {
    only_new: bool,
    only_old: bool,
    get: bool,
    keep: bool,
    persist: bool,
    expires_at: Option<u64>,
}

fn options(call: &Call<'_>, first: usize, name: &str) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut at = first;
    while at < call.args.len() {
        let timed = options.expires_at.is_some() || options.keep || options.persist;
        let unit = if call.is(at, "EX") {
            Some((Unit::Seconds, false))
        } else if call.is(at, "PX") {
            Some((Unit::Millis, false))
        } else if call.is(at, "EXAT") {
            Some((Unit::Seconds, true))
        } else if call.is(at, "PXAT") {
            Some((Unit::Millis, true))
        } else {
            None
        };
        if let Some((unit, absolute)) = unit {
            if timed || at + 1 >= call.args.len() {
                return Err(Failure::syntax());
            }
            let time = call.int(at + 1)?;
            let now = if absolute { 0 } else { call.state.now };
            let moment = (time > 0).then(|| deadline(now, time, unit)).flatten();
            options.expires_at =
                Some(moment.ok_or_else(|| Failure(format!("ERR invalid expire time in '{name}' command")))?);
            at += 2;
            continue;
        }
        if call.is(at, "NX") && name == "set" && !options.only_old {
            options.only_new = true;
        } else if call.is(at, "XX") && name == "set" && !options.only_new {
            options.only_old = true;
        } else if call.is(at, "GET") && name == "set" {
            options.get = true;
        } else if call.is(at, "KEEPTTL") && name == "set" && !timed {
            options.keep = true;
        } else if call.is(at, "PERSIST") && name == "getex" && !timed {
            options.persist = true;
        } else {
            return Err(Failure::syntax());
        }
        at += 1;
    }
    Ok(options)
}

fn set(call: &mut Call<'_>) -> Answer {
    let options = options(call, 3, "set")?;
    let key = call.arg(1);
    let old = if options.get { call.string(&key)? } else { None };
    let there = call.exists(&key);
    if (options.only_new && there) || (options.only_old && !there) {
        return Ok(Reply::optional(old));
    }
    let expires_at = if options.keep {
        call.state.store.get(call.db, &key).and_then(|item| item.expires_at)
    } else {
        options.expires_at
    };
    let value = call.arg(2);
    store(call, &key, &value, expires_at);
    if options.expires_at.is_some() {
        call.touch(&key, Class::Generic, "expire");
    }
    Ok(if options.get { Reply::optional(old) } else { Reply::OK })
}

fn setnx(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    if call.exists(&key) {
        return Ok(Reply::Int(0));
    }
    let value = call.arg(2);
    store(call, &key, &value, None);
    Ok(Reply::Int(1))
}

fn set_with_time(call: &mut Call<'_>, unit: Unit, name: &str) -> Answer {
    let key = call.arg(1);
    let time = call.int(2)?;
    let moment = (time > 0).then(|| deadline(call.state.now, time, unit)).flatten();
    let moment = moment.ok_or_else(|| Failure(format!("ERR invalid expire time in '{name}' command")))?;
    let value = call.arg(3);
    store(call, &key, &value, Some(moment));
    call.touch(&key, Class::Generic, "expire");
    Ok(Reply::OK)
}

fn getset(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let old = call.string(&key)?;
    let value = call.arg(2);
    store(call, &key, &value, None);
    Ok(Reply::optional(old))
}

fn getdel(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let old = call.string(&key)?;
    if old.is_some() {
        call.state.store.remove(call.db, &key);
        call.touch(&key, Class::Generic, "del");
    }
    Ok(Reply::optional(old))
}

fn getex(call: &mut Call<'_>) -> Answer {
    let options = options(call, 2, "getex")?;
    let key = call.arg(1);
    let value = call.string(&key)?;
    if value.is_none() {
        return Ok(Reply::Nil);
    }
    if let Some(at) = options.expires_at {
        if at <= call.state.now {
            call.state.store.remove(call.db, &key);
            call.touch(&key, Class::Generic, "del");
        } else {
            call.state.store.set_expiry(call.db, &key, Some(at));
            call.touch(&key, Class::Generic, "expire");
        }
    } else if options.persist
        && call.state.store.get(call.db, &key).is_some_and(|item| item.expires_at.is_some())
    {
        call.state.store.set_expiry(call.db, &key, None);
        call.touch(&key, Class::Generic, "persist");
    }
    Ok(Reply::optional(value))
}

fn mget(call: &mut Call<'_>) -> Answer {
    let keys = call.args[1..].to_vec();
    // A key of another type counts as missing here, unlike in GET.
    Ok(Reply::Array(keys.iter().map(|key| Reply::optional(call.string(key).unwrap_or(None))).collect()))
}

fn pairs(call: &Call<'_>, name: &str) -> Result<Vec<(Bytes, Bytes)>, Failure> {
    let pairs = call.args[1..].chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(Failure::arity(name));
    }
    Ok(pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect())
}

fn mset(call: &mut Call<'_>) -> Answer {
    for (key, value) in pairs(call, "mset")? {
        store(call, &key, &value, None);
    }
    Ok(Reply::OK)
}

fn msetnx(call: &mut Call<'_>) -> Answer {
    let pairs = pairs(call, "msetnx")?;
    if pairs.iter().any(|(key, _)| call.exists(key)) {
        return Ok(Reply::Int(0));
    }
    for (key, value) in pairs {
        store(call, &key, &value, None);
    }
    Ok(Reply::Int(1))
}

fn strlen(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    Ok(Reply::count(call.string(&key)?.map_or(0, |value| value.len())))
}

fn getrange(call: &mut Call<'_>) -> Answer {
    let (start, end) = (call.int(2)?, call.int(3)?);
    let key = call.arg(1);
    let value = call.string(&key)?.unwrap_or_default();
    let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
    if start < 0 && end < 0 && start > end {
        return Ok(Reply::Bulk(Bytes::new()));
    }
    let from_start = |index: i64| if index < 0 { (length.saturating_add(index)).max(0) } else { index };
    let (start, end) = (from_start(start), from_start(end).min(length - 1));
    if length == 0 || start > end {
        return Ok(Reply::Bulk(Bytes::new()));
    }
    Ok(Reply::Bulk(value.slice(start as usize..=end as usize)))
}

fn append(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let old = call.string(&key)?.unwrap_or_default();
    let addition = call.arg(2);
    if old.len() + addition.len() > MAX_ARGUMENT {
        return Err(Failure::new("ERR string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    let expires_at = call.state.store.get(call.db, &key).and_then(|item| item.expires_at);
    let value = Bytes::from([&old[..], &addition[..]].concat());
    let length = value.len();
    call.state.store.put(call.db, &key, Item { value: Value::String(value), expires_at });
    call.touch(&key, Class::String, "append");
    Ok(Reply::count(length))
}

fn add(call: &mut Call<'_>, step: Option<i64>) -> Answer {
    let step = step.ok_or_else(|| Failure::new("ERR decrement would overflow"))?;
    let key = call.arg(1);
    let old = match call.string(&key)? {
        None => 0,
        Some(text) => parse_int(&text).ok_or_else(Failure::not_an_integer)?,
    };
    let sum =
        old.checked_add(step).ok_or_else(|| Failure::new("ERR increment or decrement would overflow"))?;
    let expires_at = call.state.store.get(call.db, &key).and_then(|item| item.expires_at);
    let value = Value::String(Bytes::from(sum.to_string()));
    call.state.store.put(call.db, &key, Item { value, expires_at });
    call.touch(&key, Class::String, "incrby");
    Ok(Reply::Int(sum))
}
