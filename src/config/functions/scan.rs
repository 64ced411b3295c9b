//! Walks a project's directory and puts together what its files say.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::attribute::{self, Attribute};
use super::csharp::{self, Constants};
use super::properties::{Properties, Told};
use super::settings_file::{LocalSettings, without_comments};
use super::trigger::{Translation, Trigger};
use crate::config::{Key, RedisConnection, Secret};

/// Most source files read: a Functions project has tens.
const MOST_FILES: usize = 5_000;
/// Most bytes of one file: what is longer was generated.
const LONGEST_FILE: u64 = 1_048_576;
/// Deepest directory.
const DEEPEST: usize = 12;
/// Directories with copies, packages and builds.
const SKIPPED: [&str; 8] = ["bin", "obj", "node_modules", ".git", ".venv", "dist", "target", "packages"];

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// No such directory, or no permission.
    #[error("cannot read {path}: {cause}")]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// No sign of Azure Functions.
    #[error(
        "{path} holds no Azure Functions project: neither host.json nor local.settings.json is there or below"
    )]
    NoProject {
        /// The directory.
        path: PathBuf,
    },
}

/// What a project says.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The directory of `host.json` or `local.settings.json`.
    pub project: PathBuf,
    /// Its Cosmos DB triggers, by file.
    pub triggers: Vec<Trigger>,
    /// The Redis that its settings name, where exactly one does: the setting's name and its value.
    pub redis: Option<(String, Secret)>,
    /// What concerns the whole project and stays open, one line each, without secrets.
    pub unresolved: Vec<String>,
}

/// Reads the Azure Functions project in or below a directory. Blocks on files.
pub fn discover(directory: &Path) -> Result<Discovery, DiscoverError> {
    let unreadable = |cause| DiscoverError::Unreadable { path: directory.to_owned(), cause };
    std::fs::read_dir(directory).map_err(unreadable)?;
    let mut files = Vec::new();
    walk(directory, 0, &mut files);
    let home = |name: &str| {
        let mut all: Vec<_> =
            files.iter().filter(|path| path.file_name().is_some_and(|file| file == name)).collect();
        all.sort_by_key(|path| path.components().count());
        all.first().and_then(|path| path.parent()).map(Path::to_owned)
    };
    let Some(project) = home("host.json").or_else(|| home("local.settings.json")) else {
        return Err(DiscoverError::NoProject { path: directory.to_owned() });
    };
    let mut discovery = Discovery { project: project.clone(), ..Discovery::default() };
    if files.len() == MOST_FILES {
        discovery.unresolved.push(format!("only the first {MOST_FILES} files were read"));
    }
    let settings = local_settings(&project, &mut discovery);
    let prefix = host_prefix(&project);
    let texts: Vec<_> = files.iter().filter_map(|path| Some((path, text_of(path)?))).collect();
    for (file, line, function, properties) in declarations(&texts, &project, &mut discovery.unresolved) {
        let (values, unresolved) = Translation::of(&settings, &properties).run(prefix.as_deref());
        discovery.triggers.push(Trigger { function, file, line, values, unresolved });
    }
    redis(&settings, &mut discovery);
    Ok(discovery)
}

fn walk(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        if files.len() == MOST_FILES {
            return;
        }
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        // Links are not followed: they may lead in circles.
        if kind.is_dir() && depth < DEEPEST && !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
            walk(&path, depth + 1, files);
        } else if kind.is_file() && is_of_interest(&path) {
            files.push(path);
        }
    }
}

fn is_of_interest(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(name, "host.json" | "local.settings.json" | "function.json")
        || path
            .extension()
            .is_some_and(|end| ["cs", "py", "js", "ts", "java"].iter().any(|known| end == *known))
}

fn text_of(path: &Path) -> Option<String> {
    let length = std::fs::metadata(path).ok()?.len();
    if length > LONGEST_FILE { None } else { std::fs::read_to_string(path).ok() }
}

fn local_settings(project: &Path, discovery: &mut Discovery) -> LocalSettings {
    let Some(text) = text_of(&project.join("local.settings.json")) else {
        discovery
            .unresolved
            .push("there is no local.settings.json: connections must come from elsewhere".to_owned());
        return LocalSettings::default();
    };
    let settings = LocalSettings::parse(&text).unwrap_or_else(|problem| {
        discovery.unresolved.push(format!("local.settings.json {problem}"));
        LocalSettings::default()
    });
    if settings.encrypted {
        discovery
            .unresolved
            .push("local.settings.json is encrypted; `func settings decrypt` opens it".to_owned());
    }
    settings
}

/// `extensions.cosmosDB.leaseOptions.leasePrefix` (version 3; `documentDB` in Functions 1).
fn host_prefix(project: &Path) -> Option<String> {
    let host: Value = serde_json::from_str(&without_comments(&text_of(&project.join("host.json"))?)).ok()?;
    let found = ["/extensions/cosmosDB", "/documentDB"].iter().find_map(|path| host.pointer(path))?;
    found.pointer("/leaseOptions/leasePrefix").and_then(Value::as_str).map(str::to_owned)
}

type Declaration = (PathBuf, Option<usize>, Option<String>, Properties);

fn declarations(
    texts: &[(&PathBuf, String)],
    project: &Path,
    unresolved: &mut Vec<String>,
) -> Vec<Declaration> {
    let sources: Vec<_> = texts
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "cs"))
        .map(|(path, text)| (*path, csharp::without_comments(text)))
        .collect();
    let mut constants = Constants::default();
    for (_, text) in &sources {
        constants.read(text);
    }
    let mut found = Vec::new();
    for (path, text) in &sources {
        for Attribute { line, function, properties } in attribute::attributes(text, &constants) {
            found.push((relative(path, project), Some(line), function, properties));
        }
    }
    for (path, text) in texts {
        let file = relative(path, project);
        if path.file_name().is_some_and(|name| name == "function.json") {
            let function =
                path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
            found.extend(
                bindings(text).into_iter().map(|binding| (file.clone(), None, function.clone(), binding)),
            );
        } else if ["cosmos_db_trigger", "app.cosmosDB(", "@CosmosDBTrigger"]
            .iter()
            .any(|sign| text.contains(sign))
        {
            unresolved
                .push(format!("{} declares a trigger in a language that is not read yet", file.display()));
        }
    }
    found
}

/// Bindings of the type `cosmosDBTrigger` of a function.json.
fn bindings(text: &str) -> Vec<Properties> {
    let document: Value = serde_json::from_str(&without_comments(text)).unwrap_or_default();
    let bindings = document.get("bindings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    bindings
        .iter()
        .filter_map(Value::as_object)
        .filter(|binding| {
            binding
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("cosmosDBTrigger"))
        })
        .map(|binding| {
            let mut properties = Properties::default();
            for (name, value) in binding {
                match value {
                    Value::String(text) => properties.insert(name, Told::Value(text.clone())),
                    Value::Null => {}
                    other => properties.insert(name, Told::Value(other.to_string())),
                }
            }
            properties
        })
        .collect()
}

/// Settings whose name says Redis and whose value is a Redis connection.
fn redis(settings: &LocalSettings, discovery: &mut Discovery) {
    let mut found: Vec<_> = settings
        .names()
        .filter(|name| name.to_ascii_lowercase().contains("redis"))
        .filter_map(|name| Some((name.to_owned(), settings.connection(name)?.clone())))
        .filter(|(_, value)| {
            RedisConnection::parse(value.expose()).is_ok_and(|redis| looks_like_a_server(value, &redis))
        })
        .collect();
    found.dedup();
    match found.len() {
        0 => discovery.unresolved.push("no setting names a Redis: give --redis".to_owned()),
        1 => discovery.redis = found.pop(),
        _ => {
            let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
            discovery
                .unresolved
                .push(format!("several settings name a Redis ({}): give --redis", names.join(", ")));
        }
    }
}

/// `RedisDatabase: "prices"` would pass as a host name; a server has a port, a domain or is this machine.
fn looks_like_a_server(value: &Secret, redis: &RedisConnection) -> bool {
    value.expose().contains(':') || redis.host.contains('.') || crate::config::is_loopback(&redis.host)
}

fn relative(path: &Path, project: &Path) -> PathBuf {
    path.strip_prefix(project).unwrap_or(path).to_owned()
}

impl Discovery {
    /// The keys that follow for one of the triggers, Redis included.
    pub fn values_of(&self, trigger: &Trigger) -> Vec<(Key, Secret)> {
        let mut values = trigger.values.clone();
        if let Some((_, redis)) = &self.redis {
            values.push((Key::Redis, redis.clone()));
        }
        values
    }
}
