//! Commands about the server: INFO, CONFIG, COMMAND, MEMORY, OBJECT, ROLE, CLUSTER, WAIT.

use std::fmt::Write;

use bytes::Bytes;

use super::commands::{self, Answer, Call, Command, Effect, Failure, Keys};
use super::framing::MAX_ARGUMENT;
use super::glob::matches;
use super::pubsub::NotifyFlags;
use super::reply::Reply;
use super::server::MAX_CLIENTS;
use super::state::State;
use super::store::{DATABASES, Value};

/// The Redis whose behaviour is followed; clients choose what to send by it.
pub(super) const REDIS_VERSION: &str = "7.0.15";

pub(super) const COMMANDS: &[Command] = &[
    Command::new("info", -1, Effect::None, Keys::None, |call| Ok(Reply::Text(info(call)))),
    Command::new("config", -2, Effect::None, Keys::None, config),
    Command::new("command", -1, Effect::None, Keys::None, command),
    Command::new("memory", -2, Effect::None, Keys::None, memory),
    Command::new("object", -2, Effect::None, Keys::None, object),
    Command::new("role", 1, Effect::None, Keys::None, |_| {
        Ok(Reply::Array(vec![Reply::bulk("master"), Reply::Int(0), Reply::Array(Vec::new())]))
    }),
    Command::new("cluster", -2, Effect::None, Keys::None, |_| {
        Err(Failure::new("ERR This instance has cluster support disabled"))
    }),
    Command::new("wait", 3, Effect::None, Keys::None, |_| Ok(Reply::Int(0))),
];

const SECTIONS: [&str; 8] =
    ["server", "clients", "memory", "persistence", "stats", "replication", "cluster", "keyspace"];

fn info(call: &Call<'_>) -> String {
    let wanted = |section: &str| {
        call.args.len() == 1
            || (1..call.args.len()).any(|at| {
                call.is(at, section) || ["all", "default", "everything"].iter().any(|word| call.is(at, word))
            })
    };
    let mut text = String::new();
    for section in SECTIONS.into_iter().filter(|section| wanted(section)) {
        if !text.is_empty() {
            text.push_str("\r\n");
        }
        let (first, rest) = section.split_at(1);
        let _ = write!(text, "# {}{rest}\r\n", first.to_ascii_uppercase());
        for (name, value) in lines(call.state, section) {
            let _ = write!(text, "{name}:{value}\r\n");
        }
    }
    text
}

fn lines(state: &State, section: &str) -> Vec<(String, String)> {
    let line = |name: &str, value: &dyn std::fmt::Display| (name.to_owned(), value.to_string());
    let stats = &state.stats;
    match section {
        "server" => vec![
            line("redis_version", &REDIS_VERSION),
            line("syncscope_version", &env!("CARGO_PKG_VERSION")),
            line("redis_mode", &"standalone"),
            line("os", &std::env::consts::OS),
            line("arch_bits", &usize::BITS),
            line("process_id", &std::process::id()),
            line("tcp_port", &state.port),
            line("uptime_in_seconds", &state.started.elapsed().as_secs()),
        ],
        "clients" => vec![
            line("connected_clients", &state.clients.len()),
            line("maxclients", &MAX_CLIENTS),
            line("tracking_clients", &state.trackers()),
        ],
        "memory" => vec![
            line("used_memory", &state.store.used()),
            line("used_memory_dataset", &state.store.used()),
            line("maxmemory", &state.config.maxmemory),
            line("maxmemory_policy", &"noeviction"),
        ],
        "persistence" => {
            vec![line("loading", &0), line("rdb_last_bgsave_status", &"ok"), line("aof_enabled", &0)]
        }
        "stats" => vec![
            line("total_connections_received", &stats.connections),
            line("total_commands_processed", &stats.commands),
            line("instantaneous_ops_per_sec", &stats.ops_per_sec),
            line("rejected_connections", &stats.refused),
            line("expired_keys", &stats.expired),
            line("evicted_keys", &0),
            line("keyspace_hits", &stats.hits),
            line("keyspace_misses", &stats.misses),
        ],
        "replication" => vec![line("role", &"master"), line("connected_slaves", &0)],
        "cluster" => vec![line("cluster_enabled", &0)],
        _ => (0..DATABASES)
            .map(|db| (db, state.store.counts(db)))
            .filter(|(_, (keys, _))| *keys > 0)
            .map(|(db, (keys, expires))| {
                line(&format!("db{db}"), &format!("keys={keys},expires={expires},avg_ttl=0"))
            })
            .collect(),
    }
}

fn settings(state: &State) -> Vec<(&'static str, String)> {
    vec![
        ("appendonly", "no".into()),
        ("bind", "127.0.0.1".into()),
        ("databases", DATABASES.to_string()),
        ("maxclients", MAX_CLIENTS.to_string()),
        ("maxmemory", state.config.maxmemory.to_string()),
        ("maxmemory-policy", "noeviction".into()),
        ("notify-keyspace-events", state.config.notify.text()),
        ("port", state.port.to_string()),
        ("proto-max-bulk-len", MAX_ARGUMENT.to_string()),
        ("replica-read-only", "yes".into()),
        ("requirepass", String::new()),
        ("save", String::new()),
        ("slave-read-only", "yes".into()),
        ("timeout", "0".into()),
    ]
}

fn config(call: &mut Call<'_>) -> Answer {
    let words = call.args.len();
    if call.is(1, "GET") {
        if words < 3 {
            return Err(Failure::arity("config|get"));
        }
        let patterns: Vec<Vec<u8>> = call.args[2..].iter().map(|arg| arg.to_ascii_lowercase()).collect();
        let hits = settings(call.state)
            .into_iter()
            .filter(|(name, _)| patterns.iter().any(|pattern| matches(pattern, name.as_bytes())));
        Ok(Reply::Map(hits.map(|(name, value)| (Reply::bulk(name), Reply::bulk(value))).collect()))
    } else if call.is(1, "SET") {
        if words < 4 || words % 2 == 1 {
            return Err(Failure::arity("config|set"));
        }
        for pair in call.args[2..].to_vec().chunks_exact(2) {
            set(call, &pair[0], &pair[1])?;
        }
        Ok(Reply::OK)
    } else if call.is(1, "RESETSTAT") {
        let stats = &mut call.state.stats;
        (stats.hits, stats.misses, stats.expired, stats.refused) = (0, 0, 0, 0);
        Ok(Reply::OK)
    } else {
        Err(Failure::subcommand("CONFIG", &call.arg(1)))
    }
}

fn set(call: &mut Call<'_>, name: &Bytes, value: &Bytes) -> Result<(), Failure> {
    let shown = String::from_utf8_lossy(name).to_ascii_lowercase();
    let invalid = |why: &str| {
        Failure(format!("ERR CONFIG SET failed (possibly related to argument '{shown}') - {why}"))
    };
    match shown.as_str() {
        "notify-keyspace-events" => {
            call.state.config.notify = NotifyFlags::parse(value)
                .ok_or_else(|| invalid("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."))?;
        }
        "maxmemory" => {
            call.state.config.maxmemory =
                bytes(value).ok_or_else(|| invalid("argument must be a memory value"))?;
        }
        "maxmemory-policy" if value.eq_ignore_ascii_case(b"noeviction") => {}
        "maxmemory-policy" => return Err(invalid("this server has noeviction only")),
        // Nothing to save, so whatever is asked for is done.
        "save" | "appendonly" | "timeout" => {}
        _ => {
            return Err(Failure(format!(
                "ERR Unknown option or number of arguments for CONFIG SET - '{}'",
                String::from_utf8_lossy(name)
            )));
        }
    }
    Ok(())
}

/// `100mb`, `1gb`, `1024`: as in redis.conf, where `k` is 1000 and `kb` 1024.
fn bytes(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit: usize = match &text[digits.len()..] {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

fn command(call: &mut Call<'_>) -> Answer {
    if call.args.len() == 1 {
        return Ok(Reply::Array(commands::all().map(describe).collect()));
    }
    if call.is(1, "COUNT") {
        Ok(Reply::count(commands::all().len()))
    } else if call.is(1, "DOCS") {
        Ok(Reply::Map(Vec::new()))
    } else if call.is(1, "LIST") {
        Ok(Reply::Array(commands::all().map(|command| Reply::bulk(command.name)).collect()))
    } else if call.is(1, "INFO") {
        let found = call.args[2..].iter().map(|name| commands::find(name).map_or(Reply::NilArray, describe));
        Ok(Reply::Array(found.collect()))
    } else {
        Err(Failure::subcommand("COMMAND", &call.arg(1)))
    }
}

/// Name, arity, flags, first key, last key, step.
fn describe(command: &Command) -> Reply {
    let flag = match command.effect {
        Effect::Grows => vec![Reply::Simple("write"), Reply::Simple("denyoom")],
        Effect::Changes => vec![Reply::Simple("write")],
        Effect::Reads => vec![Reply::Simple("readonly")],
        Effect::None => Vec::new(),
    };
    let (first, last, step) = match command.keys {
        Keys::None => (0, 0, 0),
        Keys::First => (1, 1, 1),
        Keys::All => (1, -1, 1),
        Keys::Pairs => (1, -1, 2),
    };
    Reply::Array(vec![
        Reply::bulk(command.name),
        Reply::Int(command.arity),
        Reply::Set(flag),
        Reply::Int(first),
        Reply::Int(last),
        Reply::Int(step),
        Reply::Set(Vec::new()),
        Reply::Array(Vec::new()),
        Reply::Array(Vec::new()),
        Reply::Array(Vec::new()),
    ])
}

fn memory(call: &mut Call<'_>) -> Answer {
    if !call.is(1, "USAGE") {
        return Err(Failure::subcommand("MEMORY", &call.arg(1)));
    }
    let key = call.args.get(2).cloned().ok_or_else(|| Failure::arity("memory|usage"))?;
    call.state.expire_if_due(call.db, &key);
    let item = call.state.store.get(call.db, &key);
    Ok(item.map_or(Reply::Nil, |item| Reply::count(item.weight(&key))))
}

fn object(call: &mut Call<'_>) -> Answer {
    if !call.is(1, "ENCODING") {
        return Err(Failure::subcommand("OBJECT", &call.arg(1)));
    }
    let key = call.args.get(2).cloned().ok_or_else(|| Failure::arity("object|encoding"))?;
    call.state.expire_if_due(call.db, &key);
    Ok(match call.state.store.get(call.db, &key).map(|item| &item.value) {
        None => Reply::Nil,
        Some(Value::String(bytes)) if super::numbers::parse_int(bytes).is_some() => Reply::bulk("int"),
        Some(Value::String(bytes)) if bytes.len() <= 44 => Reply::bulk("embstr"),
        Some(Value::String(_)) => Reply::bulk("raw"),
        Some(Value::Hash(_)) => Reply::bulk("listpack"),
    })
}
