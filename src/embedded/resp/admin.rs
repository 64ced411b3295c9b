//! Commands of the connection: PING, HELLO, AUTH, SELECT, CLIENT, QUIT, RESET and the like.

use bytes::Bytes;

use super::commands::{Answer, Call, Command, Effect, Failure, Keys};
use super::info::REDIS_VERSION;
use super::numbers::{parse_int, parse_unsigned};
use super::reply::Reply;
use super::store::DATABASES;
use super::tracking;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("ping", -1, Effect::None, Keys::None, ping),
    Command::new("echo", 2, Effect::None, Keys::None, |call| Ok(Reply::Bulk(call.arg(1)))),
    Command::new("hello", -1, Effect::None, Keys::None, hello),
    Command::new("auth", -2, Effect::None, Keys::None, auth),
    Command::new("select", 2, Effect::None, Keys::None, select),
    Command::new("client", -2, Effect::None, Keys::None, client),
    Command::new("quit", -1, Effect::None, Keys::None, |call| {
        if let Some(client) = call.state.clients.get_mut(&call.id) {
            client.closing = true;
        }
        Ok(Reply::OK)
    }),
    Command::new("reset", 1, Effect::None, Keys::None, reset),
    Command::new("time", 1, Effect::None, Keys::None, |call| {
        let (seconds, micros) = (call.state.now / 1000, call.state.now % 1000 * 1000);
        Ok(Reply::Array(vec![Reply::bulk(seconds.to_string()), Reply::bulk(micros.to_string())]))
    }),
];

fn ping(call: &mut Call<'_>) -> Answer {
    if call.args.len() > 2 {
        return Err(Failure::arity("ping"));
    }
    let subscribed =
        call.state.clients.get(&call.id).is_some_and(|client| client.is_subscribed() && !client.resp3);
    Ok(match call.args.get(1) {
        text if subscribed => {
            Reply::Array(vec![Reply::bulk("pong"), Reply::Bulk(text.cloned().unwrap_or_default())])
        }
        None => Reply::Simple("PONG"),
        Some(text) => Reply::Bulk(text.clone()),
    })
}

fn hello(call: &mut Call<'_>) -> Answer {
    let mut resp3 = None;
    if let Some(version) = call.args.get(1) {
        let version = parse_int(version)
            .ok_or_else(|| Failure::new("ERR Protocol version is not an integer or out of range"))?;
        resp3 = Some(match version {
            2 => false,
            3 => true,
            _ => return Err(Failure::new("NOPROTO unsupported protocol version")),
        });
    }
    let mut name = None;
    let mut at = 2;
    while at < call.args.len() {
        if call.is(at, "AUTH") && at + 2 < call.args.len() {
            check_user(&call.args[at + 1])?;
            at += 3;
        } else if call.is(at, "SETNAME") && at + 1 < call.args.len() {
            name = Some(checked_name(&call.args[at + 1])?);
            at += 2;
        } else {
            let given = String::from_utf8_lossy(&call.arg(at)).into_owned();
            return Err(Failure(format!("ERR Syntax error in HELLO option '{given}'")));
        }
    }
    let mut proto = 2;
    if let Some(client) = call.state.clients.get_mut(&call.id) {
        client.resp3 = resp3.unwrap_or(client.resp3);
        if let Some(name) = name {
            client.name = name;
        }
        proto = if client.resp3 { 3 } else { 2 };
    }
    let field = |name: &str, value| (Reply::bulk(name), value);
    Ok(Reply::Map(vec![
        field("server", Reply::bulk("redis")),
        field("version", Reply::bulk(REDIS_VERSION)),
        field("proto", Reply::Int(proto)),
        field("id", Reply::Int(call.id.try_into().unwrap_or(i64::MAX))),
        field("mode", Reply::bulk("standalone")),
        field("role", Reply::bulk("master")),
        field("modules", Reply::Array(Vec::new())),
    ]))
}

/// There are no passwords here: the default user may give any, as in a Redis without `requirepass`.
fn check_user(user: &Bytes) -> Result<(), Failure> {
    if user.as_ref() == b"default" {
        Ok(())
    } else {
        Err(Failure::new("WRONGPASS invalid username-password pair or user is disabled."))
    }
}

fn auth(call: &mut Call<'_>) -> Answer {
    match call.args.len() {
        2 => Err(Failure::new(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
        )),
        3 => check_user(&call.args[1]).map(|()| Reply::OK),
        _ => Err(Failure::syntax()),
    }
}

fn select(call: &mut Call<'_>) -> Answer {
    let db = parse_int(&call.args[1]).ok_or_else(Failure::not_an_integer)?;
    let db = usize::try_from(db)
        .ok()
        .filter(|&db| db < DATABASES)
        .ok_or_else(|| Failure::new("ERR DB index is out of range"))?;
    if let Some(client) = call.state.clients.get_mut(&call.id) {
        client.db = db;
    }
    Ok(Reply::OK)
}

fn reset(call: &mut Call<'_>) -> Answer {
    call.state.unwatch(call.id);
    call.state.unsubscribe_all(call.id);
    call.state.stop_tracking(call.id);
    if let Some(client) = call.state.clients.get_mut(&call.id) {
        client.transaction = None;
        client.resp3 = false;
        client.db = 0;
        client.name = Bytes::new();
    }
    Ok(Reply::Simple("RESET"))
}

fn checked_name(name: &Bytes) -> Result<Bytes, Failure> {
    if name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        Ok(Bytes::copy_from_slice(name))
    } else {
        Err(Failure::new("ERR Client names cannot contain spaces, newlines or special characters."))
    }
}

fn client(call: &mut Call<'_>) -> Answer {
    let sub = String::from_utf8_lossy(&call.args[1]).to_ascii_lowercase();
    let words = call.args.len();
    let arity = |fits: bool| {
        if fits { Ok(()) } else { Err(Failure::arity(&format!("client|{sub}"))) }
    };
    match sub.as_str() {
        "id" => {
            arity(words == 2)?;
            Ok(Reply::Int(call.id.try_into().unwrap_or(i64::MAX)))
        }
        "getname" => {
            arity(words == 2)?;
            let name = call.state.clients.get(&call.id).map(|client| client.name.clone());
            Ok(Reply::optional(name.filter(|name| !name.is_empty())))
        }
        "setname" => {
            arity(words == 3)?;
            let name = checked_name(&call.args[2])?;
            if let Some(client) = call.state.clients.get_mut(&call.id) {
                client.name = name;
            }
            Ok(Reply::OK)
        }
        "setinfo" => {
            arity(words == 4)?;
            set_info(call)
        }
        "info" => {
            arity(words == 2)?;
            let port = call.state.port;
            let line = call.state.clients.get(&call.id).map(|client| client.line(port)).unwrap_or_default();
            Ok(Reply::Text(line + "\n"))
        }
        "list" => Ok(list(call)),
        "kill" => kill(call),
        "tracking" => {
            arity(words >= 3)?;
            tracking::switch(call)
        }
        "trackinginfo" => {
            arity(words == 2)?;
            Ok(tracking::tracking_info(call))
        }
        "getredir" => {
            arity(words == 2)?;
            Ok(tracking::redirection(call))
        }
        // Nothing is ever evicted here, so both are done as soon as they are asked.
        "no-evict" | "no-touch" => {
            arity(words == 3)?;
            if call.is(2, "ON") || call.is(2, "OFF") { Ok(Reply::OK) } else { Err(Failure::syntax()) }
        }
        _ => Err(Failure::subcommand("CLIENT", &call.arg(1))),
    }
}

fn set_info(call: &mut Call<'_>) -> Answer {
    let value = call.arg(3);
    if !value.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        let name = String::from_utf8_lossy(&call.arg(2)).to_ascii_lowercase();
        return Err(Failure(format!("ERR {name} cannot contain spaces, newlines or special characters.")));
    }
    let value = Bytes::copy_from_slice(&value);
    let (name, version) = (call.is(2, "LIB-NAME"), call.is(2, "LIB-VER"));
    if let Some(client) = call.state.clients.get_mut(&call.id) {
        if name {
            client.library.0 = value;
        } else if version {
            client.library.1 = value;
        }
    }
    if name || version {
        Ok(Reply::OK)
    } else {
        let given = String::from_utf8_lossy(&call.arg(2)).into_owned();
        Err(Failure(format!("ERR Unrecognized option '{given}'")))
    }
}

/// Filters of CLIENT LIST are taken but not applied: with the few clients here all are shown.
fn list(call: &mut Call<'_>) -> Reply {
    let port = call.state.port;
    Reply::Text(call.state.clients.values().map(|client| client.line(port) + "\n").collect())
}

type Filter = Box<dyn Fn(&super::clients::Client) -> bool>;

/// `CLIENT KILL ID n`, `CLIENT KILL ADDR a`, `CLIENT KILL TYPE normal|pubsub`, `CLIENT KILL a`.
fn kill(call: &mut Call<'_>) -> Answer {
    if call.args.len() == 3 {
        let address = String::from_utf8_lossy(&call.arg(2)).into_owned();
        let victim = call.state.clients.values().find(|client| client.address.to_string() == address);
        return match victim {
            Some(client) => {
                client.kill.cancel();
                Ok(Reply::OK)
            }
            None => Err(Failure::new("ERR No such client")),
        };
    }
    let mut skip_me = true;
    let mut filters: Vec<Filter> = Vec::new();
    for at in (2..call.args.len()).step_by(2) {
        let Some(value) = call.args.get(at + 1).cloned() else { return Err(Failure::syntax()) };
        if call.is(at, "ID") {
            let id = parse_unsigned(&value)
                .ok_or_else(|| Failure::new("ERR client-id should be greater than 0"))?;
            filters.push(Box::new(move |client| client.id == id));
        } else if call.is(at, "ADDR") {
            filters.push(Box::new(move |client| client.address.to_string().as_bytes() == value));
        } else if call.is(at, "TYPE") {
            let pubsub = value.eq_ignore_ascii_case(b"pubsub");
            filters.push(Box::new(move |client| client.is_subscribed() == pubsub));
        } else if call.is(at, "SKIPME") {
            skip_me = value.eq_ignore_ascii_case(b"yes");
        } else {
            return Err(Failure::syntax());
        }
    }
    if filters.is_empty() {
        return Err(Failure::syntax());
    }
    let mut killed = 0;
    for client in call.state.clients.values() {
        if !(skip_me && client.id == call.id) && filters.iter().all(|filter| filter(client)) {
            client.kill.cancel();
            killed += 1;
        }
    }
    Ok(Reply::Int(killed))
}
