//! `--project DIR`: what an Azure Functions project says, as a layer above the file. Its connection strings
//! are used without ever being copied anywhere.

use std::path::Path;

use super::functions::{self, Discovery, Trigger};
use super::{ConfigError, Key, Secret};

/// The values of one trigger of a project, and what to tell the user about the rest.
pub(super) struct ProjectLayer {
    /// Key, value, where it was found.
    pub(super) values: Vec<(Key, Secret, String)>,
    pub(super) notes: Vec<String>,
}

/// Reads the project and picks its trigger; `function` picks among several.
pub(super) fn read(directory: &Path, function: Option<&str>) -> Result<ProjectLayer, ConfigError> {
    let bad = |message: String| ConfigError::Value {
        origin: format!("--project {}", directory.display()),
        message,
    };
    let discovery = functions::discover(directory).map_err(|error| bad(format!("does not help: {error}")))?;
    let trigger = pick(&discovery, function).map_err(bad)?;
    let place = match trigger.line {
        Some(line) => format!("{}:{line}", trigger.file.display()),
        None => trigger.file.display().to_string(),
    };
    let values = discovery.values_of(trigger).into_iter().map(|(key, value)| {
        let origin = if matches!(key, Key::Cosmos | Key::Redis) { "local.settings.json" } else { &place };
        (key, value, format!("project {origin}"))
    });
    let notes = discovery.unresolved.iter().chain(&trigger.unresolved).cloned().collect();
    Ok(ProjectLayer { values: values.collect(), notes })
}

fn pick<'a>(discovery: &'a Discovery, function: Option<&str>) -> Result<&'a Trigger, String> {
    let name = |trigger: &'a Trigger| trigger.function.as_deref().unwrap_or("(without a name)");
    let named: Vec<_> = discovery
        .triggers
        .iter()
        .filter(|trigger| function.is_none_or(|wanted| name(trigger).eq_ignore_ascii_case(wanted)))
        .collect();
    match (named.as_slice(), function) {
        ([trigger], _) => Ok(trigger),
        ([], None) => Err("has no Cosmos DB trigger that can be read".to_owned()),
        _ => {
            let all: Vec<_> = discovery.triggers.iter().map(name).collect();
            Err(format!("has the triggers {}; choose one with --function", all.join(", ")))
        }
    }
}
