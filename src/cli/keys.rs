//! `syncscope keys`: the keys of the screen as bound now.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};

use crate::tui::Keymap;

/// `syncscope keys`
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// As a keymap file with every action, to begin your own with
    #[arg(long, conflicts_with = "json")]
    pub toml: bool,
}

/// Prints the table, as text, TOML or one JSON array.
pub fn run(keys: &Keymap, args: &KeysArgs, json: bool, out: &mut dyn Write) -> io::Result<()> {
    if args.toml {
        write!(out, "{}", keys.as_toml())
    } else if json {
        writeln!(out, "{}", as_json(keys))
    } else {
        table(keys, out)
    }
}

fn table(keys: &Keymap, out: &mut dyn Write) -> io::Result<()> {
    let all = || keys.contexts().into_iter().flat_map(|context| keys.rows(context));
    let width = |of: &dyn Fn(&crate::tui::keymap::Binding) -> String| {
        all().map(|row| of(row).chars().count()).max().unwrap_or(0)
    };
    let (chords, names) = (width(&|row| row.keys()), width(&|row| row.action.name()));
    for (i, context) in keys.contexts().into_iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        writeln!(out, "[{}]  {}", context.name(), context.heading())?;
        for row in keys.rows(context) {
            writeln!(out, "  {:chords$}  {:names$}  {}", row.keys(), row.action.name(), row.help)?;
        }
    }
    Ok(())
}

fn as_json(keys: &Keymap) -> Value {
    let rows = keys.contexts().into_iter().flat_map(|context| keys.rows(context));
    rows.map(|row| {
        let chords: Vec<String> = row.chords.iter().map(|chord| chord.name()).collect();
        json!({ "context": row.context.name(), "action": row.action.name(), "keys": chords, "help": row.help })
    })
    .collect()
}
