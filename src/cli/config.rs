//! `syncscope config show`: every value, secrets masked, and where it came from.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::config::{Key, Loaded, Origin};

/// Characters; one very long value must not push every origin off the screen.
const WIDEST: usize = 48;

/// `syncscope config`
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What about it.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigAction {
    /// Print every value, secrets masked, and where it came from
    Show,
    /// Print what an Azure Functions project says, as a piece of configuration file; changes nothing
    Discover {
        /// The project's directory
        #[arg(value_name = "DIR", default_value = ".")]
        directory: PathBuf,
    },
}

/// Prints the merged settings, as a table or as one JSON object.
pub fn show(loaded: &Loaded, json: bool, out: &mut dyn Write) -> io::Result<()> {
    if json { writeln!(out, "{}", as_json(loaded)) } else { table(loaded, out) }
}

fn table(loaded: &Loaded, out: &mut dyn Write) -> io::Result<()> {
    if let Some(path) = &loaded.file {
        let missing = if loaded.file_found { "" } else { " (not there)" };
        writeln!(out, "# file     {}{missing}", path.display())?;
    }
    if let Some(profile) = &loaded.profile {
        writeln!(out, "# profile  {profile}")?;
    }
    let rows: Vec<_> = Key::ALL
        .iter()
        .map(|key| {
            let value = key.shown(&loaded.settings);
            let value = match value {
                None => "-".to_owned(),
                Some(text) if text.is_empty() => "\"\"".to_owned(),
                Some(text) => text,
            };
            (key.path(), value, loaded.origin(*key).to_string())
        })
        .collect();
    let name_width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    let value_width =
        rows.iter().map(|row| row.1.chars().count()).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    for (name, value, origin) in rows {
        writeln!(out, "{name:name_width$}  {value:value_width$}  {origin}")?;
    }
    for note in &loaded.notes {
        writeln!(out, "# open: {note}")?;
    }
    Ok(())
}

fn as_json(loaded: &Loaded) -> Value {
    let settings: Map<_, _> = Key::ALL
        .iter()
        .map(|key| {
            let mut entry = json!({ "value": key.json(&loaded.settings) });
            let (from, at) = match loaded.origin(*key) {
                Origin::Default => ("default", None),
                origin @ Origin::File { .. } => ("file", Some(origin.to_string())),
                Origin::Project(name) => ("project", Some(name)),
                Origin::Environment(name) => ("environment", Some(name)),
                Origin::Flag(name) => ("flag", Some(name)),
            };
            entry["from"] = json!(from);
            if let Some(at) = at {
                entry["at"] = json!(at);
            }
            (key.path().to_owned(), entry)
        })
        .collect();
    json!({
        "file": loaded.file,
        "fileFound": loaded.file_found,
        "profile": loaded.profile,
        "notes": loaded.notes,
        "settings": settings,
    })
}
