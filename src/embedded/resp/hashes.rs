//! Commands of hashes.

use bytes::Bytes;

use super::commands::{Answer, Call, Command, Effect, Failure, Keys};
use super::numbers::parse_int;
use super::reply::Reply;
use super::state::Class;
use super::store::Fields;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("hset", -4, Effect::Grows, Keys::First, |call| Ok(Reply::count(set(call, "hset")?))),
    Command::new("hmset", -4, Effect::Grows, Keys::First, |call| {
        set(call, "hmset")?;
        Ok(Reply::OK)
    }),
    Command::new("hsetnx", 4, Effect::Grows, Keys::First, set_new),
    Command::new("hget", 3, Effect::Reads, Keys::First, get),
    Command::new("hmget", -3, Effect::Reads, Keys::First, get_many),
    Command::new("hgetall", 2, Effect::Reads, Keys::First, get_all),
    Command::new("hkeys", 2, Effect::Reads, Keys::First, names),
    Command::new("hvals", 2, Effect::Reads, Keys::First, values),
    Command::new("hlen", 2, Effect::Reads, Keys::First, length),
    Command::new("hexists", 3, Effect::Reads, Keys::First, exists),
    Command::new("hstrlen", 3, Effect::Reads, Keys::First, field_length),
    Command::new("hdel", -3, Effect::Changes, Keys::First, delete),
    Command::new("hincrby", 4, Effect::Grows, Keys::First, add),
];

/// Changes the hash (or makes one) and gives what the change gave.
fn change<T>(call: &mut Call<'_>, key: &Bytes, change: impl FnOnce(&mut Fields) -> T) -> Result<T, Failure> {
    call.state.expire_if_due(call.db, key);
    call.state.store.with_hash(call.db, key, change).ok_or_else(Failure::wrong_type)
}

fn set(call: &mut Call<'_>, name: &str) -> Result<usize, Failure> {
    let pairs = call.args[2..].chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(Failure::arity(name));
    }
    let key = call.arg(1);
    let new = change(call, &key, |fields| pairs.filter(|pair| fields.set(&pair[0], &pair[1])).count())?;
    call.touch(&key, Class::Hash, "hset");
    Ok(new)
}

fn set_new(call: &mut Call<'_>) -> Answer {
    let (key, name, value) = (call.arg(1), call.arg(2), call.arg(3));
    let new = change(call, &key, |fields| fields.get(&name).is_none() && fields.set(&name, &value))?;
    if new {
        call.touch(&key, Class::Hash, "hset");
    }
    Ok(Reply::flag(new))
}

fn get(call: &mut Call<'_>) -> Answer {
    let (key, name) = (call.arg(1), call.arg(2));
    Ok(Reply::optional(call.hash(&key)?.and_then(|fields| fields.get(&name).cloned())))
}

fn get_many(call: &mut Call<'_>) -> Answer {
    let names = call.args[2..].to_vec();
    let key = call.arg(1);
    let fields = call.hash(&key)?;
    let value = |name| Reply::optional(fields.and_then(|fields| fields.get(name).cloned()));
    Ok(Reply::Array(names.iter().map(value).collect()))
}

/// Makes a list from all fields of the hash.
fn list(call: &mut Call<'_>, part: impl Fn(&Bytes, &Bytes) -> Reply) -> Result<Vec<Reply>, Failure> {
    let key = call.arg(1);
    let fields = call.hash(&key)?;
    Ok(fields.map_or_else(Vec::new, |fields| fields.iter().map(|(name, value)| part(name, value)).collect()))
}

fn get_all(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let pair = |(name, value): (&Bytes, &Bytes)| (Reply::Bulk(name.clone()), Reply::Bulk(value.clone()));
    Ok(Reply::Map(call.hash(&key)?.map_or_else(Vec::new, |fields| fields.iter().map(pair).collect())))
}

fn names(call: &mut Call<'_>) -> Answer {
    list(call, |name, _| Reply::Bulk(name.clone())).map(Reply::Array)
}

fn values(call: &mut Call<'_>) -> Answer {
    list(call, |_, value| Reply::Bulk(value.clone())).map(Reply::Array)
}

fn length(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    Ok(Reply::count(call.hash(&key)?.map_or(0, Fields::len)))
}

fn exists(call: &mut Call<'_>) -> Answer {
    let (key, name) = (call.arg(1), call.arg(2));
    Ok(Reply::flag(call.hash(&key)?.is_some_and(|fields| fields.get(&name).is_some())))
}

fn field_length(call: &mut Call<'_>) -> Answer {
    let (key, name) = (call.arg(1), call.arg(2));
    Ok(Reply::count(call.hash(&key)?.and_then(|fields| fields.get(&name)).map_or(0, Bytes::len)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    if call.hash(&key)?.is_none() {
        return Ok(Reply::Int(0));
    }
    let names = &call.args[2..];
    let removed = change(call, &key, |fields| names.iter().filter(|name| fields.remove(name)).count())?;
    if removed > 0 {
        call.touch(&key, Class::Hash, "hdel");
        if !call.exists(&key) {
            call.touch(&key, Class::Generic, "del");
        }
    }
    Ok(Reply::count(removed))
}

fn add(call: &mut Call<'_>) -> Answer {
    let step = call.int(3)?;
    let (key, name) = (call.arg(1), call.arg(2));
    let old = match call.hash(&key)?.and_then(|fields| fields.get(&name)) {
        None => 0,
        Some(text) => parse_int(text).ok_or_else(|| Failure::new("ERR hash value is not an integer"))?,
    };
    let sum =
        old.checked_add(step).ok_or_else(|| Failure::new("ERR increment or decrement would overflow"))?;
    change(call, &key, |fields| fields.set(&name, &Bytes::from(sum.to_string())))?;
    call.touch(&key, Class::Hash, "hincrby");
    Ok(Reply::Int(sum))
}
