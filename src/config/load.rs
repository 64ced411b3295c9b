//! The layers, laid over each other: defaults < file < profile of the file < Functions project <
//! environment < flags.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::file::File;
use super::key::Kind;
use super::layer::Layer;
use super::{ConfigError, Key, Secret, Settings, project};

/// What the command line says about the settings.
#[derive(Debug, Default, Clone)]
pub struct Overrides {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--project`: an Azure Functions project to take settings from.
    pub project: Option<PathBuf>,
    /// `--function`: which of its triggers.
    pub function: Option<String>,
    /// `--until-idle`: an order for one run, hence in no file.
    pub until_idle: bool,
    /// `--proof marker`: likewise.
    pub markers: bool,
    values: Vec<(Key, Secret)>,
}

impl Overrides {
    /// Notes the value of a flag, as text; a later one for the same key wins.
    pub fn set(&mut self, key: Key, text: impl Into<String>) {
        self.values.push((key, Secret::new(text)));
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// A file, perhaps a profile in it.
    File {
        /// The file.
        path: PathBuf,
        /// From 1, where known.
        line: Option<usize>,
        /// `[profile.NAME]`.
        profile: Option<String>,
    },
    /// An Azure Functions project: the file that says it.
    Project(String),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, profile } => {
                write!(f, "{}", path.display())?;
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                }
                profile.as_ref().map_or(Ok(()), |name| write!(f, " (profile {name})"))
            }
            Self::Project(name) | Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// The merged settings and how they came about.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// To run with.
    pub settings: Settings,
    /// Where each value came from; a key without an entry has its default.
    pub origins: BTreeMap<Key, Origin>,
    /// Where the user's files are: `config.toml`, `keymap.toml`, `themes/`.
    pub directory: Option<PathBuf>,
    /// The file that was read, or would have been.
    pub file: Option<PathBuf>,
    /// Whether that file is there.
    pub file_found: bool,
    /// The profile in force.
    pub profile: Option<String>,
    /// What the project leaves open, one line each: for the user to read.
    pub notes: Vec<String>,
}

impl Loaded {
    /// Where a value came from.
    pub fn origin(&self, key: Key) -> Origin {
        self.origins.get(&key).cloned().unwrap_or(Origin::Default)
    }
}

/// What a process stands in: its environment and the platform's configuration directory.
pub struct Surroundings<'a> {
    /// Looks up a variable.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// `config.toml` is looked for here unless a file is named.
    pub directory: Option<PathBuf>,
}

/// Merges the settings of this process.
pub fn load(flags: &Overrides) -> Result<Loaded, ConfigError> {
    let directory = ProjectDirs::from("", "", "syncscope").map(|dirs| dirs.config_dir().to_owned());
    load_in(flags, &Surroundings { variable: &|name| std::env::var_os(name), directory })
}

/// As [`load`], for given surroundings.
pub fn load_in(flags: &Overrides, around: &Surroundings<'_>) -> Result<Loaded, ConfigError> {
    let (path, named) = match flags.file.clone().map(Ok).or_else(|| file_variable(around)).transpose()? {
        Some(path) => (Some(path), true),
        None => (around.directory.as_ref().map(|directory| directory.join("config.toml")), false),
    };
    let file = path.as_deref().map(File::read).transpose()?.flatten();
    if let (Some(path), None, true) = (&path, &file, named) {
        let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(ConfigError::Unreadable { path: path.clone(), cause });
    }

    let mut figment = Figment::new();
    let mut origins = BTreeMap::new();
    if let Some(file) = &file {
        figment = figment.merge(Values { name: "file", dict: file.common() });
        note_file(&mut origins, file, None, &file.common());
    }
    let profile = profile(flags, around)?;
    if let Some((name, origin)) = &profile {
        let Some(dict) = file.as_ref().and_then(|file| file.profile(name)) else {
            let (name, origin) = (name.clone(), origin.clone());
            return Err(ConfigError::NoProfile {
                name,
                origin,
                known: known(path.as_deref(), file.as_ref()),
            });
        };
        if let Some(file) = &file {
            note_file(&mut origins, file, Some(name), &dict);
        }
        figment = figment.merge(Values { name: "profile", dict });
    }
    let mut notes = Vec::new();
    if let Some((directory, function)) = project_asked(flags, around)? {
        let layer = project::read(&directory, function.as_deref())?;
        notes = layer.notes;
        for (key, text, origin) in layer.values {
            figment = figment.merge(Values { name: "project", dict: single(key, text.expose(), &origin)? });
            origins.insert(key, Origin::Project(origin));
        }
    }
    for key in Key::ALL {
        let name = key.variable();
        let Some(text) = text_of(around, &name)? else { continue };
        if text.is_empty() && key.kind() != Kind::TextOrEmpty {
            // `NAME=` in a compose or .env file means "not given".
            continue;
        }
        figment = figment.merge(Values { name: "environment", dict: single(key, &text, &name)? });
        origins.insert(key, Origin::Environment(name));
    }
    for (key, text) in &flags.values {
        figment = figment.merge(Values { name: "flag", dict: single(*key, text.expose(), &key.flag())? });
        origins.insert(*key, Origin::Flag(key.flag()));
    }

    let merged: Layer = figment.extract().map_err(|error| ConfigError::Value {
        origin: error.path.join("."),
        message: "does not fit together with the other layers".to_owned(),
    })?;
    let mut settings = Settings::default();
    merged.apply(&mut settings);
    settings.sync.until_idle = flags.until_idle;
    settings.sync.markers = flags.markers;
    let file_found = file.is_some();
    let profile = profile.map(|(name, _)| name);
    let directory = around.directory.clone();
    let loaded = Loaded { settings, origins, directory, file: path, file_found, profile, notes };
    check(&loaded)?;
    Ok(loaded)
}

/// What no single value can violate.
fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let sync = &loaded.settings.sync;
    if sync.renew_interval >= sync.expiration_interval {
        let told = |key: Key| format!("{} ({})", key.path(), loaded.origin(key));
        return Err(ConfigError::Value {
            origin: told(Key::RenewInterval),
            message: format!(
                "must be shorter than {}, or leases expire while they are held",
                told(Key::ExpirationInterval)
            ),
        });
    }
    Ok(())
}

fn note_file(origins: &mut BTreeMap<Key, Origin>, file: &File, profile: Option<&str>, dict: &Dict) {
    for key in Key::ALL {
        if Value::from(dict.clone()).find(key.path()).is_some() {
            let line = file.line_of(key, profile);
            let profile = profile.map(str::to_owned);
            origins.insert(key, Origin::File { path: file.path.clone(), line, profile });
        }
    }
}

fn known(path: Option<&Path>, file: Option<&File>) -> String {
    let path = path.map_or_else(String::new, |path| path.display().to_string());
    match file.map(File::profile_names) {
        None => format!("there is no file {path}"),
        Some(names) if names.is_empty() => format!("{path} has no [profile.…]"),
        Some(names) => format!("{path} has {}", names.join(", ")),
    }
}

fn profile(flags: &Overrides, around: &Surroundings<'_>) -> Result<Option<(String, String)>, ConfigError> {
    const VARIABLE: &str = "SYNCSCOPE_PROFILE";
    if let Some(name) = &flags.profile {
        return Ok(Some((name.clone(), "--profile".to_owned())));
    }
    let name = text_of(around, VARIABLE)?.filter(|name| !name.is_empty());
    Ok(name.map(|name| (name, VARIABLE.to_owned())))
}

fn project_asked(
    flags: &Overrides,
    around: &Surroundings<'_>,
) -> Result<Option<(PathBuf, Option<String>)>, ConfigError> {
    let given = |name: &str| Ok(text_of(around, name)?.filter(|text| !text.is_empty()));
    let directory = match &flags.project {
        Some(directory) => Some(directory.clone()),
        None => given("SYNCSCOPE_PROJECT")?.map(PathBuf::from),
    };
    let function = match &flags.function {
        Some(function) => Some(function.clone()),
        None => given("SYNCSCOPE_FUNCTION")?,
    };
    Ok(directory.map(|directory| (directory, function)))
}

fn file_variable(around: &Surroundings<'_>) -> Option<Result<PathBuf, ConfigError>> {
    (around.variable)("SYNCSCOPE_CONFIG").filter(|path| !path.is_empty()).map(|path| Ok(PathBuf::from(path)))
}

fn text_of(around: &Surroundings<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    (around.variable)(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_| ConfigError::Value { origin: name.to_owned(), message: "is not UTF-8".to_owned() })
}

/// One value as a layer of its own, checked; `origin` names it in the error.
fn single(key: Key, text: &str, origin: &str) -> Result<Dict, ConfigError> {
    let bad = |message: String| ConfigError::Value { origin: origin.to_owned(), message };
    let value = match key.kind() {
        Kind::Text | Kind::TextOrEmpty => Value::from(text),
        Kind::Number => {
            let number = text.trim().parse::<u64>().map_err(|_| bad("must be a whole number".to_owned()))?;
            Value::from(number)
        }
        Kind::List => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::from(parts.map(str::to_owned).collect::<Vec<_>>())
        }
    };
    let mut dict = Dict::new();
    match key.path().split_once('.') {
        Some((section, name)) => {
            let inner = Dict::from([(name.to_owned(), value)]);
            dict.insert(section.to_owned(), Value::from(inner));
        }
        None => {
            dict.insert(key.path().to_owned(), value);
        }
    }
    Value::from(dict.clone()).deserialize::<Layer>().map_err(|error| bad(plain(error.kind)))?;
    Ok(dict)
}

/// Only what our own checks say; figment's other kinds print the value.
fn plain(kind: figment::error::Kind) -> String {
    match kind {
        figment::error::Kind::Message(message) => message,
        _ => "has a value of the wrong kind".to_owned(),
    }
}

/// Values that were checked already, as a figment provider.
struct Values {
    name: &'static str,
    dict: Dict,
}

impl Provider for Values {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}
