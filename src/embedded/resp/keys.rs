//! Commands of keys of any type: deleting, renaming, expiry.

use bytes::Bytes;

use super::commands::{Answer, Call, Command, Effect, Failure, Keys};
use super::reply::Reply;
use super::state::Class;
use super::store::DATABASES;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("del", -2, Effect::Changes, Keys::All, delete),
    Command::new("unlink", -2, Effect::Changes, Keys::All, delete),
    Command::new("exists", -2, Effect::Reads, Keys::All, count),
    Command::new("touch", -2, Effect::Reads, Keys::All, count),
    Command::new("type", 2, Effect::Reads, Keys::First, kind),
    Command::new("rename", 3, Effect::Changes, Keys::All, |call| rename(call, false)),
    Command::new("renamenx", 3, Effect::Changes, Keys::All, |call| rename(call, true)),
    Command::new("expire", -3, Effect::Changes, Keys::First, |call| {
        expire(call, Unit::Seconds, false, "expire")
    }),
    Command::new("pexpire", -3, Effect::Changes, Keys::First, |call| {
        expire(call, Unit::Millis, false, "pexpire")
    }),
    Command::new("expireat", -3, Effect::Changes, Keys::First, |call| {
        expire(call, Unit::Seconds, true, "expireat")
    }),
    Command::new("pexpireat", -3, Effect::Changes, Keys::First, |call| {
        expire(call, Unit::Millis, true, "pexpireat")
    }),
    Command::new("persist", 2, Effect::Changes, Keys::First, persist),
    Command::new("ttl", 2, Effect::Reads, Keys::First, |call| Ok(time_left(call, Unit::Seconds, false))),
    Command::new("pttl", 2, Effect::Reads, Keys::First, |call| Ok(time_left(call, Unit::Millis, false))),
    Command::new("expiretime", 2, Effect::Reads, Keys::First, |call| {
        Ok(time_left(call, Unit::Seconds, true))
    }),
    Command::new("pexpiretime", 2, Effect::Reads, Keys::First, |call| {
        Ok(time_left(call, Unit::Millis, true))
    }),
    Command::new("flushdb", -1, Effect::Changes, Keys::None, flushdb),
    Command::new("flushall", -1, Effect::Changes, Keys::None, flushall),
];

/// Of a time given by a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
}

/// `now` + `time` in milliseconds since 1970; `None` if that is no time. 0 when it was before 1970.
pub(super) fn deadline(now: u64, time: i64, unit: Unit) -> Option<u64> {
    let millis = match unit {
        Unit::Seconds => time.checked_mul(1000)?,
        Unit::Millis => time,
    };
    let at = i64::try_from(now).ok()?.checked_add(millis)?;
    Some(u64::try_from(at).unwrap_or(0))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let keys = call.args[1..].to_vec();
    let mut deleted = 0;
    for key in &keys {
        call.state.expire_if_due(call.db, key);
        if call.state.store.remove(call.db, key).is_some() {
            call.touch(key, Class::Generic, "del");
            deleted += 1;
        }
    }
    Ok(Reply::Int(deleted))
}

fn count(call: &mut Call<'_>) -> Answer {
    let keys = call.args[1..].to_vec();
    Ok(Reply::count(keys.iter().filter(|key| call.read(key).is_some()).count()))
}

fn kind(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    call.state.expire_if_due(call.db, &key);
    Ok(Reply::Simple(call.state.store.get(call.db, &key).map_or("none", |item| item.value.kind())))
}

fn rename(call: &mut Call<'_>, only_new: bool) -> Answer {
    let (from, to) = (call.arg(1), call.arg(2));
    if !call.exists(&from) {
        return Err(Failure::new("ERR no such key"));
    }
    let done = if only_new { Reply::Int(1) } else { Reply::OK };
    if from == to {
        return Ok(if only_new { Reply::Int(0) } else { done });
    }
    if only_new && call.exists(&to) {
        return Ok(Reply::Int(0));
    }
    if let Some(item) = call.state.store.remove(call.db, &from) {
        call.state.store.put(call.db, &to, item);
        call.touch(&from, Class::Generic, "rename_from");
        call.touch(&to, Class::Generic, "rename_to");
    }
    Ok(done)
}

/// Conditions of EXPIRE.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent words of the command")]
struct Conditions {
    only_without: bool,
    only_with: bool,
    only_later: bool,
    only_earlier: bool,
}

fn conditions(call: &Call<'_>) -> Result<Conditions, Failure> {
    let mut conditions = Conditions::default();
    for at in 3..call.args.len() {
        if call.is(at, "NX") {
            conditions.only_without = true;
        } else if call.is(at, "XX") {
            conditions.only_with = true;
        } else if call.is(at, "GT") {
            conditions.only_later = true;
        } else if call.is(at, "LT") {
            conditions.only_earlier = true;
        } else {
            let given = String::from_utf8_lossy(&call.arg(at)).into_owned();
            return Err(Failure(format!("ERR Unsupported option {given}")));
        }
    }
    if conditions.only_without && (conditions.only_with || conditions.only_later || conditions.only_earlier) {
        return Err(Failure::new("ERR NX and XX, GT or LT options at the same time are not compatible"));
    }
    if conditions.only_later && conditions.only_earlier {
        return Err(Failure::new("ERR GT and LT options at the same time are not compatible"));
    }
    Ok(conditions)
}

fn expire(call: &mut Call<'_>, unit: Unit, absolute: bool, name: &str) -> Answer {
    let conditions = conditions(call)?;
    let now = call.state.now;
    let at = deadline(if absolute { 0 } else { now }, call.int(2)?, unit)
        .ok_or_else(|| Failure(format!("ERR invalid expire time in '{name}' command")))?;
    let key = call.arg(1);
    if !call.exists(&key) {
        return Ok(Reply::Int(0));
    }
    let old = call.state.store.get(call.db, &key).and_then(|item| item.expires_at);
    // A key without expiry counts as living for ever.
    if (conditions.only_without && old.is_some())
        || (conditions.only_with && old.is_none())
        || (conditions.only_later && old.is_none_or(|old| at <= old))
        || (conditions.only_earlier && old.is_some_and(|old| at >= old))
    {
        return Ok(Reply::Int(0));
    }
    if at <= now {
        call.state.store.remove(call.db, &key);
        call.touch(&key, Class::Generic, "del");
    } else {
        call.state.store.set_expiry(call.db, &key, Some(at));
        call.touch(&key, Class::Generic, "expire");
    }
    Ok(Reply::Int(1))
}

fn persist(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    call.state.expire_if_due(call.db, &key);
    let timed = call.state.store.get(call.db, &key).is_some_and(|item| item.expires_at.is_some());
    if timed {
        call.state.store.set_expiry(call.db, &key, None);
        call.touch(&key, Class::Generic, "persist");
    }
    Ok(Reply::flag(timed))
}

fn time_left(call: &mut Call<'_>, unit: Unit, absolute: bool) -> Reply {
    let key: Bytes = call.arg(1);
    call.state.expire_if_due(call.db, &key);
    let Some(item) = call.state.store.get(call.db, &key) else { return Reply::Int(-2) };
    let Some(at) = item.expires_at else { return Reply::Int(-1) };
    let millis = if absolute { at } else { at.saturating_sub(call.state.now) };
    let time = match unit {
        Unit::Millis => millis,
        // Rounded, as in Redis.
        Unit::Seconds => millis.saturating_add(500) / 1000,
    };
    Reply::Int(i64::try_from(time).unwrap_or(i64::MAX))
}

fn check_flush(call: &Call<'_>) -> Result<(), Failure> {
    match call.args.len() {
        1 => Ok(()),
        2 if call.is(1, "SYNC") || call.is(1, "ASYNC") => Ok(()),
        _ => Err(Failure::syntax()),
    }
}

fn flushdb(call: &mut Call<'_>) -> Answer {
    check_flush(call)?;
    call.state.flush(call.db..call.db + 1);
    Ok(Reply::OK)
}

fn flushall(call: &mut Call<'_>) -> Answer {
    check_flush(call)?;
    call.state.flush(0..DATABASES);
    Ok(Reply::OK)
}
