//! `syncscope config discover`: what an Azure Functions project says, as a piece of configuration file.
//! Secrets stay where they are: the output names their place instead.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::config::functions::{DiscoverError, Discovery, Trigger, discover};
use crate::config::{CosmosConnection, EMULATOR_KEY, Key, RedisConnection, Secret};

/// Reads a project and prints what it says.
pub fn run(directory: &Path, json: bool, out: &mut dyn Write) -> Result<(), DiscoverFailure> {
    let discovery = discover(directory)?;
    if json {
        writeln!(out, "{}", as_json(&discovery))?;
    } else {
        out.write_all(as_toml(&discovery).as_bytes())?;
    }
    Ok(())
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverFailure {
    /// The project.
    #[error(transparent)]
    Project(#[from] DiscoverError),
    /// The output.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

fn as_toml(discovery: &Discovery) -> String {
    let mut text = format!("# What {} says. Nothing was changed.\n", discovery.project.display());
    for line in &discovery.unresolved {
        let _ = writeln!(text, "# open: {line}");
    }
    if discovery.triggers.is_empty() {
        text.push_str("# There is no Cosmos DB trigger that can be read.\n");
    }
    let mut names = Vec::new();
    for trigger in &discovery.triggers {
        let mut name = profile_name(trigger);
        while names.contains(&name) {
            name.push_str("-2");
        }
        names.push(name.clone());
        let line = trigger.line.map(|line| format!(":{line}")).unwrap_or_default();
        let _ = writeln!(text, "\n# {}{line}", trigger.file.display());
        for open in &trigger.unresolved {
            let _ = writeln!(text, "# open: {}", open.replace('\n', " "));
        }
        let values = discovery.values_of(trigger);
        let (nested, plain): (Vec<_>, Vec<_>) = values.iter().partition(|(key, _)| key.path().contains('.'));
        let _ = writeln!(text, "[profile.{name}]");
        for (key, value) in plain {
            setting(&mut text, *key, value);
        }
        if !nested.is_empty() {
            let _ = writeln!(text, "[profile.{name}.sync]");
        }
        for (key, value) in nested {
            setting(&mut text, *key, value);
        }
    }
    text
}

fn setting(text: &mut String, key: Key, value: &Secret) {
    let name = key.path().rsplit('.').next().unwrap_or_default();
    let _ = match shown(key, value) {
        // A JSON text is a TOML text as well.
        Shown::Plain(value) if key == Key::MaxItems => writeln!(text, "{name} = {value}"),
        Shown::Plain(value) => writeln!(text, "{name} = {}", Value::from(value)),
        Shown::Masked(value) => writeln!(text, "# {name}: {value} (use --project, or {})", key.variable()),
    };
}

enum Shown {
    Plain(String),
    Masked(String),
}

fn shown(key: Key, value: &Secret) -> Shown {
    match key {
        Key::Cosmos => match CosmosConnection::parse(value.expose()) {
            Ok(cosmos) if cosmos.key.expose() == EMULATOR_KEY => Shown::Plain(cosmos.endpoint.to_string()),
            Ok(cosmos) => Shown::Masked(cosmos.masked()),
            Err(_) => Shown::Masked("***".to_owned()),
        },
        Key::Redis => match RedisConnection::parse(value.expose()) {
            Ok(redis) if redis.password.is_empty() => Shown::Plain(redis.url()),
            Ok(redis) => Shown::Masked(redis.masked()),
            Err(_) => Shown::Masked("***".to_owned()),
        },
        _ => Shown::Plain(value.expose().to_owned()),
    }
}

/// A bare TOML key.
fn profile_name(trigger: &Trigger) -> String {
    let name = trigger.function.as_deref().unwrap_or("function");
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if name.is_empty() { "function".to_owned() } else { name }
}

fn as_json(discovery: &Discovery) -> Value {
    let trigger = |trigger: &Trigger| {
        let values = discovery.values_of(trigger);
        let values = values.iter().map(|(key, value)| {
            let (Shown::Plain(text) | Shown::Masked(text)) = shown(*key, value);
            (key.path().to_owned(), Value::from(text))
        });
        json!({
            "function": trigger.function,
            "file": trigger.file,
            "line": trigger.line,
            "settings": values.collect::<serde_json::Map<_, _>>(),
            "open": trigger.unresolved,
        })
    };
    json!({
        "project": discovery.project,
        "triggers": discovery.triggers.iter().map(trigger).collect::<Vec<_>>(),
        "open": discovery.unresolved,
    })
}
