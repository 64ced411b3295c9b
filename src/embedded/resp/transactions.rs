//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.

use bytes::Bytes;

use super::clients::MAX_FOLLOWED;
use super::commands::{self, Answer, Call, Command, Effect, Failure, Keys};
use super::reply::Reply;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("multi", 1, Effect::None, Keys::None, multi),
    Command::new("exec", 1, Effect::None, Keys::None, exec),
    Command::new("discard", 1, Effect::None, Keys::None, discard),
    Command::new("watch", -2, Effect::None, Keys::All, watch),
    Command::new("unwatch", 1, Effect::None, Keys::None, |call| {
        call.state.unwatch(call.id);
        Ok(Reply::OK)
    }),
];

/// Commands that are not queued between MULTI and EXEC.
pub(super) fn runs_at_once(name: &str) -> bool {
    matches!(name, "multi" | "exec" | "discard" | "watch" | "quit" | "reset")
}

fn multi(call: &mut Call<'_>) -> Answer {
    let Some(client) = call.state.clients.get_mut(&call.id) else { return Ok(Reply::OK) };
    if client.transaction.is_some() {
        return Err(Failure::new("ERR MULTI calls can not be nested"));
    }
    client.transaction = Some(super::clients::Transaction::default());
    Ok(Reply::OK)
}

fn exec(call: &mut Call<'_>) -> Answer {
    let Some(client) = call.state.clients.get_mut(&call.id) else { return Ok(Reply::OK) };
    let Some(open) = client.transaction.take() else {
        return Err(Failure::new("ERR EXEC without MULTI"));
    };
    // A watched key that has expired meanwhile counts as changed.
    for (db, key) in client.watching.clone() {
        call.state.expire_if_due(db, &key);
    }
    let failed = call.state.clients.get(&call.id).is_some_and(|client| client.watch_failed);
    call.state.unwatch(call.id);
    if open.failed {
        return Err(Failure::new("EXECABORT Transaction discarded because of previous errors."));
    }
    if failed {
        return Ok(Reply::NilArray);
    }
    let mut replies = Vec::with_capacity(open.queue.len());
    for args in &open.queue {
        // Checked when it was queued; the table does not change.
        if let Some(command) = commands::find(&args[0]) {
            replies.push(commands::run(call.state, call.id, command, args));
        }
    }
    Ok(Reply::Array(replies))
}

fn discard(call: &mut Call<'_>) -> Answer {
    let Some(client) = call.state.clients.get_mut(&call.id) else { return Ok(Reply::OK) };
    if client.transaction.take().is_none() {
        return Err(Failure::new("ERR DISCARD without MULTI"));
    }
    call.state.unwatch(call.id);
    Ok(Reply::OK)
}

fn watch(call: &mut Call<'_>) -> Answer {
    let Some(client) = call.state.clients.get_mut(&call.id) else { return Ok(Reply::OK) };
    if client.transaction.is_some() {
        return Err(Failure::new("ERR WATCH inside MULTI is not allowed"));
    }
    if client.watching.len() + call.args.len() - 1 > MAX_FOLLOWED {
        return Err(Failure(format!("ERR a client can watch {MAX_FOLLOWED} keys at most")));
    }
    for key in &call.args[1..] {
        let watched = (call.db, Bytes::copy_from_slice(key));
        call.state.expire_if_due(call.db, key);
        if let Some(client) = call.state.clients.get_mut(&call.id) {
            client.watching.insert(watched.clone());
        }
        call.state.watched.entry(watched).or_default().insert(call.id);
    }
    Ok(Reply::OK)
}
