//! The table of commands, and the checks that come before any of them runs.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

use bytes::Bytes;

use super::clients::Transaction;
use super::numbers::parse_int;
use super::reply::Reply;
use super::state::{Class, State};
use super::store::{Fields, Value};
use super::{admin, hashes, info, keys, pubsub, scan, scripts, strings, tracking, transactions};

/// Longest queue of a transaction: commands, and bytes of their arguments.
const MAX_QUEUE: (usize, usize) = (100_000, 64 * 1024 * 1024);
/// As in Redis, an unknown command is answered with no more of its arguments than this.
const SHOWN_BYTES: usize = 128;

/// A refusal, as the error line with its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure(pub(super) String);

impl Failure {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn syntax() -> Self {
        Self::new("ERR syntax error")
    }

    pub(super) fn not_an_integer() -> Self {
        Self::new("ERR value is not an integer or out of range")
    }

    pub(super) fn wrong_type() -> Self {
        Self::new("WRONGTYPE Operation against a key holding the wrong kind of value")
    }

    /// `name` in lower case; a subcommand as `client|setname`.
    pub(super) fn arity(name: &str) -> Self {
        Self(format!("ERR wrong number of arguments for '{name}' command"))
    }

    pub(super) fn subcommand(command: &str, given: &Bytes) -> Self {
        let given = String::from_utf8_lossy(&given[..given.len().min(SHOWN_BYTES)]).into_owned();
        Self(format!("ERR unknown subcommand '{given}'. Try {command} HELP."))
    }
}

pub(super) type Answer = Result<Reply, Failure>;

/// What a command does to the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// May need more memory: refused when there is none left.
    Grows,
    /// Changes or deletes.
    Changes,
    /// Reads keys.
    Reads,
    /// Nothing.
    None,
}

/// Where the keys are among the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    None,
    First,
    All,
    /// Every other one.
    Pairs,
}

/// One command of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Command {
    /// Lower case.
    pub(super) name: &'static str,
    /// Number of words with the name; negative = at least.
    pub(super) arity: i64,
    pub(super) effect: Effect,
    pub(super) keys: Keys,
    pub(super) run: fn(&mut Call<'_>) -> Answer,
}

impl Command {
    pub(super) const fn new(
        name: &'static str,
        arity: i64,
        effect: Effect,
        keys: Keys,
        run: fn(&mut Call<'_>) -> Answer,
    ) -> Self {
        Self { name, arity, effect, keys, run }
    }

    fn accepts(&self, words: usize) -> bool {
        let words = i64::try_from(words).unwrap_or(i64::MAX);
        if self.arity >= 0 { words == self.arity } else { words >= -self.arity }
    }

    fn keys<'a>(&self, args: &'a [Bytes]) -> Vec<&'a Bytes> {
        let args = args.iter().skip(1);
        match self.keys {
            Keys::None => Vec::new(),
            Keys::First => args.take(1).collect(),
            Keys::All => args.collect(),
            Keys::Pairs => args.step_by(2).collect(),
        }
    }
}

static TABLE: LazyLock<HashMap<&'static str, Command>> = LazyLock::new(|| {
    [
        strings::COMMANDS,
        hashes::COMMANDS,
        keys::COMMANDS,
        scan::COMMANDS,
        admin::COMMANDS,
        info::COMMANDS,
        pubsub::COMMANDS,
        tracking::COMMANDS,
        transactions::COMMANDS,
        scripts::COMMANDS,
    ]
    .into_iter()
    .flatten()
    .map(|command| (command.name, *command))
    .collect()
});

/// All commands, in no order.
pub(super) fn all() -> impl ExactSizeIterator<Item = &'static Command> {
    TABLE.values()
}

/// A command by its name in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Command> {
    let mut lower = [0; 24];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    TABLE.get(std::str::from_utf8(lower).ok()?)
}

/// A command under way: its arguments, who sent it, and all state.
pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    /// The client.
    pub(super) id: u64,
    /// The client's database.
    pub(super) db: usize,
    /// With the command's name as the first.
    pub(super) args: &'a [Bytes],
}

impl Call<'_> {
    pub(super) fn arg(&self, index: usize) -> Bytes {
        self.args.get(index).cloned().unwrap_or_default()
    }

    pub(super) fn int(&self, index: usize) -> Result<i64, Failure> {
        self.args.get(index).and_then(|arg| parse_int(arg)).ok_or_else(Failure::not_an_integer)
    }

    /// Whether the argument is this word, in any case.
    pub(super) fn is(&self, index: usize, word: &str) -> bool {
        self.args.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The value of a key that has not expired. Counts for hits and misses.
    pub(super) fn read(&mut self, key: &Bytes) -> Option<&Value> {
        self.state.expire_if_due(self.db, key);
        let item = self.state.store.get(self.db, key);
        let counter = if item.is_some() { &mut self.state.stats.hits } else { &mut self.state.stats.misses };
        *counter += 1;
        item.map(|item| &item.value)
    }

    pub(super) fn exists(&mut self, key: &Bytes) -> bool {
        self.state.expire_if_due(self.db, key);
        self.state.store.get(self.db, key).is_some()
    }

    pub(super) fn string(&mut self, key: &Bytes) -> Result<Option<Bytes>, Failure> {
        match self.read(key) {
            None => Ok(None),
            Some(Value::String(bytes)) => Ok(Some(bytes.clone())),
            Some(Value::Hash(_)) => Err(Failure::wrong_type()),
        }
    }

    pub(super) fn hash(&mut self, key: &Bytes) -> Result<Option<&Fields>, Failure> {
        match self.read(key) {
            None => Ok(None),
            Some(Value::Hash(fields)) => Ok(Some(fields)),
            Some(Value::String(_)) => Err(Failure::wrong_type()),
        }
    }

    pub(super) fn touch(&mut self, key: &Bytes, class: Class, event: &'static str) {
        self.state.touch(self.db, key, class, event, self.id);
    }
}

/// Checks and runs one command of a client, or queues it.
pub(super) fn execute(state: &mut State, id: u64, args: &[Bytes]) -> Reply {
    state.stats.commands += 1;
    let command = match admit(state, id, args) {
        Ok(command) => command,
        Err(Failure(text)) => {
            if let Some(open) = state.clients.get_mut(&id).and_then(|client| client.transaction.as_mut()) {
                open.failed = true;
            }
            return Reply::Error(text);
        }
    };
    let Some(client) = state.clients.get_mut(&id) else { return Reply::Several(Vec::new()) };
    client.last_command = command.name;
    if let Some(open) = &mut client.transaction
        && !transactions::runs_at_once(command.name)
    {
        return queue(open, args);
    }
    run(state, id, command, args)
}

/// Runs a command that has passed its checks.
pub(super) fn run(state: &mut State, id: u64, command: &Command, args: &[Bytes]) -> Reply {
    let Some(db) = state.clients.get(&id).map(|client| client.db) else {
        return Reply::Several(Vec::new());
    };
    let reply = (command.run)(&mut Call { state, id, db, args });
    if command.effect == Effect::Reads {
        state.remember_read(id, &command.keys(args));
    }
    reply.unwrap_or_else(|Failure(text)| Reply::Error(text))
}

fn admit(state: &State, id: u64, args: &[Bytes]) -> Result<&'static Command, Failure> {
    let Some(command) = find(&args[0]) else { return Err(unknown(args)) };
    if !command.accepts(args.len()) {
        return Err(Failure::arity(command.name));
    }
    if let Some(client) = state.clients.get(&id)
        && client.is_subscribed()
        && !client.resp3
        && !pubsub::allowed_while_subscribed(command.name)
    {
        return Err(Failure(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            command.name
        )));
    }
    let limit = state.config.maxmemory;
    if command.effect == Effect::Grows && limit > 0 && state.store.used() > limit {
        return Err(Failure::new("OOM command not allowed when used memory > 'maxmemory'."));
    }
    Ok(command)
}

fn queue(open: &mut Transaction, args: &[Bytes]) -> Reply {
    let size: usize = args.iter().map(Bytes::len).sum();
    if open.queue.len() >= MAX_QUEUE.0 || open.size + size > MAX_QUEUE.1 {
        open.failed = true;
        return Reply::Error("ERR the transaction is too long".into());
    }
    open.size += size;
    open.queue.push(args.to_vec());
    Reply::Simple("QUEUED")
}

fn unknown(args: &[Bytes]) -> Failure {
    let shown =
        |bytes: &Bytes, limit: usize| String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned();
    let mut list = String::new();
    for arg in &args[1..] {
        if list.len() >= SHOWN_BYTES {
            break;
        }
        let room = SHOWN_BYTES - list.len();
        let _ = write!(list, "'{}' ", shown(arg, room));
    }
    Failure(format!(
        "ERR unknown command '{}', with args beginning with: {list}",
        shown(&args[0], SHOWN_BYTES)
    ))
}
