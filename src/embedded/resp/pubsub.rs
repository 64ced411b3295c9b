//! SUBSCRIBE and its relatives, PUBLISH, and keyspace notifications.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use super::clients::MAX_FOLLOWED;
use super::commands::{Answer, Call, Command, Effect, Failure, Keys};
use super::glob::matches;
use super::reply::Reply;
use super::state::{Class, State};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("subscribe", -2, Effect::None, Keys::None, |call| follow(call, Kind::Channel)),
    Command::new("psubscribe", -2, Effect::None, Keys::None, |call| follow(call, Kind::Pattern)),
    Command::new("unsubscribe", -1, Effect::None, Keys::None, |call| Ok(unfollow(call, Kind::Channel))),
    Command::new("punsubscribe", -1, Effect::None, Keys::None, |call| Ok(unfollow(call, Kind::Pattern))),
    Command::new("publish", 3, Effect::None, Keys::None, |call| {
        let (channel, message) = (call.arg(1), call.arg(2));
        Ok(Reply::count(call.state.publish(&channel, &message)))
    }),
    Command::new("pubsub", -2, Effect::None, Keys::None, pubsub),
];

/// What a RESP2 client may send while it is subscribed.
pub(super) fn allowed_while_subscribed(name: &str) -> bool {
    matches!(name, "subscribe" | "unsubscribe" | "psubscribe" | "punsubscribe" | "ping" | "quit" | "reset")
}

/// `notify-keyspace-events`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NotifyFlags(u16);

/// The letters in the order in which CONFIG GET shows them; the first ten are what `A` stands for.
const LETTERS: &[u8; 15] = b"g$lshzxetdKEmnA";
const ALL_CLASSES: u16 = (1 << 10) - 1;
const KEYSPACE: u16 = 1 << 10;
const KEYEVENT: u16 = 1 << 11;

impl NotifyFlags {
    /// `None` for an unknown letter. `m` and `n` are taken, but this server has no such events.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut flags = 0;
        for letter in text {
            flags |= match LETTERS.iter().position(|known| known == letter)? {
                14 => ALL_CLASSES,
                bit => 1 << bit,
            };
        }
        Some(Self(flags))
    }

    pub(super) fn text(self) -> String {
        let mut text = String::new();
        let all = self.0 & ALL_CLASSES == ALL_CLASSES;
        if all {
            text.push('A');
        }
        for (bit, letter) in LETTERS.iter().enumerate().take(13) {
            if self.0 & (1 << bit) != 0 && !(all && bit < 10) {
                text.push(char::from(*letter));
            }
        }
        text
    }

    fn has(self, class: Class) -> bool {
        let bit = match class {
            Class::Generic => 0,
            Class::String => 1,
            Class::Hash => 4,
            Class::Expired => 6,
        };
        self.0 & (1 << bit) != 0
    }
}

/// Who listens to what.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    channels: HashMap<Bytes, BTreeSet<u64>>,
    patterns: HashMap<Bytes, BTreeSet<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Channel,
    Pattern,
}

impl Subscriptions {
    fn of(&mut self, kind: Kind) -> &mut HashMap<Bytes, BTreeSet<u64>> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
        }
    }

    fn remove(&mut self, kind: Kind, name: &Bytes, id: u64) {
        if let Some(listeners) = self.of(kind).get_mut(name) {
            listeners.remove(&id);
            if listeners.is_empty() {
                self.of(kind).remove(name);
            }
        }
    }
}

impl State {
    /// How many received it.
    pub(super) fn publish(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let mut receivers = 0;
        let parts = |head: &'static str| vec![Reply::bulk(head)];
        for id in self.subscriptions.channels.get(channel).cloned().unwrap_or_default() {
            let mut push = parts("message");
            push.extend([Reply::Bulk(channel.clone()), Reply::Bulk(message.clone())]);
            self.send(id, Reply::Push(push));
            receivers += 1;
        }
        let hits: Vec<(Bytes, BTreeSet<u64>)> = self
            .subscriptions
            .patterns
            .iter()
            .filter(|(pattern, _)| matches(pattern, channel))
            .map(|(pattern, ids)| (pattern.clone(), ids.clone()))
            .collect();
        for (pattern, ids) in hits {
            for id in ids {
                let mut push = parts("pmessage");
                push.extend([pattern.clone(), channel.clone(), message.clone()].map(Reply::Bulk));
                self.send(id, Reply::Push(push));
                receivers += 1;
            }
        }
        receivers
    }

    /// The keyspace notifications of one event, as far as they are switched on.
    pub(super) fn notify(&mut self, db: usize, key: &Bytes, class: Class, event: &'static str) {
        let flags = self.config.notify;
        if !flags.has(class) {
            return;
        }
        if flags.0 & KEYSPACE != 0 {
            let channel = [format!("__keyspace@{db}__:").as_bytes(), key].concat();
            self.publish(&Bytes::from(channel), &Bytes::from_static(event.as_bytes()));
        }
        if flags.0 & KEYEVENT != 0 {
            self.publish(&Bytes::from(format!("__keyevent@{db}__:{event}")), key);
        }
    }

    pub(super) fn unsubscribe_all(&mut self, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let (channels, patterns) =
            (std::mem::take(&mut client.channels), std::mem::take(&mut client.patterns));
        for name in channels {
            self.subscriptions.remove(Kind::Channel, &name, id);
        }
        for name in patterns {
            self.subscriptions.remove(Kind::Pattern, &name, id);
        }
    }

    /// Whether the client listens to exactly this channel.
    pub(super) fn listens(&self, id: u64, channel: &[u8]) -> bool {
        self.clients.get(&id).is_some_and(|client| client.channels.contains(channel))
    }
}

fn confirmation(call: &Call<'_>, word: &'static str, name: Reply) -> Reply {
    let count =
        call.state.clients.get(&call.id).map_or(0, |client| client.channels.len() + client.patterns.len());
    Reply::Push(vec![Reply::bulk(word), name, Reply::count(count)])
}

fn follow(call: &mut Call<'_>, kind: Kind) -> Answer {
    let own =
        call.state.clients.get(&call.id).map_or(0, |client| client.channels.len() + client.patterns.len());
    if own + call.args.len() - 1 > MAX_FOLLOWED {
        return Err(Failure(format!("ERR a client can have {MAX_FOLLOWED} subscriptions at most")));
    }
    let mut confirmations = Vec::new();
    for name in &call.args[1..] {
        let name = Bytes::copy_from_slice(name);
        if let Some(client) = call.state.clients.get_mut(&call.id) {
            let own = if kind == Kind::Channel { &mut client.channels } else { &mut client.patterns };
            own.insert(name.clone());
        }
        call.state.subscriptions.of(kind).entry(name.clone()).or_default().insert(call.id);
        let word = if kind == Kind::Channel { "subscribe" } else { "psubscribe" };
        confirmations.push(confirmation(call, word, Reply::Bulk(name)));
    }
    Ok(Reply::Several(confirmations))
}

fn unfollow(call: &mut Call<'_>, kind: Kind) -> Reply {
    let word = if kind == Kind::Channel { "unsubscribe" } else { "punsubscribe" };
    let mut names = call.args[1..].to_vec();
    if names.is_empty()
        && let Some(client) = call.state.clients.get(&call.id)
    {
        let own = if kind == Kind::Channel { &client.channels } else { &client.patterns };
        names = own.iter().cloned().collect();
    }
    if names.is_empty() {
        return confirmation(call, word, Reply::Nil);
    }
    let mut confirmations = Vec::new();
    for name in names {
        if let Some(client) = call.state.clients.get_mut(&call.id) {
            let own = if kind == Kind::Channel { &mut client.channels } else { &mut client.patterns };
            own.remove(&name);
        }
        call.state.subscriptions.remove(kind, &name, call.id);
        confirmations.push(confirmation(call, word, Reply::Bulk(name)));
    }
    Reply::Several(confirmations)
}

fn pubsub(call: &mut Call<'_>) -> Answer {
    let subscriptions = &call.state.subscriptions;
    if call.is(1, "CHANNELS") {
        let pattern = call.args.get(2);
        let hits = subscriptions.channels.keys().filter(|name| pattern.is_none_or(|p| matches(p, name)));
        Ok(Reply::Array(hits.cloned().map(Reply::Bulk).collect()))
    } else if call.is(1, "NUMSUB") {
        let number = |name: &Bytes| Reply::count(subscriptions.channels.get(name).map_or(0, BTreeSet::len));
        let pairs = call.args[2..].iter().flat_map(|name| [Reply::Bulk(name.clone()), number(name)]);
        Ok(Reply::Array(pairs.collect()))
    } else if call.is(1, "NUMPAT") {
        Ok(Reply::count(subscriptions.patterns.len()))
    } else {
        Err(Failure::subcommand("PUBSUB", &call.arg(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::NotifyFlags;

    #[test]
    fn flags_are_shown_as_redis_shows_them() {
        for (given, shown) in [("", ""), ("KEA", "AKE"), ("Kg$", "g$K"), ("Ex", "xE"), ("AKEm", "AKEm")] {
            assert_eq!(NotifyFlags::parse(given.as_bytes()).unwrap().text(), shown);
        }
        assert_eq!(NotifyFlags::parse(b"KQ"), None);
    }
}
