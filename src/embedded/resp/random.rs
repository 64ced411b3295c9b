//! Any command with any arguments: nothing panics, and the books stay in order.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::clients::Client;
use super::commands::{all, execute};
use super::state::State;
use super::store::DATABASES;

fn client() -> Client {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    Client::new(address, Arc::new(Notify::new()), CancellationToken::new())
}

/// A command's name, and words of which many mean something to some command.
fn command() -> impl Strategy<Value = Vec<Bytes>> {
    let mut names: Vec<&'static str> = all().map(|command| command.name).collect();
    names.sort_unstable();
    names.push("nosuch");
    let word = prop_oneof![
        4 => prop::sample::select(vec!["k1", "k2", "k3"]).prop_map(str::to_owned),
        4 => prop::sample::select(vec![
            "0", "1", "-1", "3", "100", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
        ]).prop_map(str::to_owned),
        4 => prop::sample::select(vec![
            "EX", "PX", "NX", "XX", "GET", "SET", "KEEPTTL", "PERSIST", "MATCH", "COUNT", "TYPE", "GT", "LT", "ON",
            "OFF", "BCAST", "PREFIX", "NOLOOP", "REDIRECT", "TRACKING", "KILL", "ID", "SETNAME", "USAGE", "ENCODING",
            "notify-keyspace-events", "KEA", "maxmemory", "CHANNELS", "NUMSUB", "INFO", "LIST", "AUTH", "2",
        ]).prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    (prop::sample::select(names), prop::collection::vec(word, 0..6)).prop_map(|(name, words)| {
        let mut command = vec![Bytes::from_static(name.as_bytes())];
        command.extend(words.into_iter().map(Bytes::from));
        command
    })
}

proptest! {
    #[test]
    fn no_command_panics_or_loses_count(commands in prop::collection::vec((0u64..2, command(), 0u64..3000), 1..60)) {
        let mut state = State::new(1);
        state.now = 1_000_000;
        let ids = [state.admit(client()), state.admit(client())];
        for (who, command, passed) in commands {
            state.now += passed;
            let id = ids[who as usize];
            let reply = execute(&mut state, id, &command);
            let mut out = BytesMut::new();
            reply.clone().encode(true, &mut out);
            reply.encode(false, &mut out);
            state.flush_tracking();
            prop_assert_eq!(state.store.used(), state.store.weighed(), "after {:?}", command);
        }
        for id in ids {
            state.dismiss(id);
        }
        prop_assert!(state.clients.is_empty() && state.watched.is_empty() && state.trackers() == 0);
        state.flush(0..DATABASES);
        prop_assert_eq!(state.store.used(), 0);
    }
}
