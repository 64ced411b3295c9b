//! One Cosmos DB trigger, translated into keys of our configuration.
//!
//! Names and defaults are those of the extension, versions 3 and 4 (azure-webjobs-sdk-extensions).

use std::path::PathBuf;

use super::properties::{Properties, Told};
use super::settings_file::LocalSettings;
use crate::config::{CosmosConnection, Key, Secret, start_position};

/// A trigger of a project and the settings that follow from it.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Name of the function, where it is told.
    pub function: Option<String>,
    /// The file that declares it, relative to the project.
    pub file: PathBuf,
    /// Line in it, where it is told (from 1).
    pub line: Option<usize>,
    /// What could be told, as text of our configuration; connection strings among it.
    pub values: Vec<(Key, Secret)>,
    /// What could not be told or has no counterpart, one line each, without secrets.
    pub unresolved: Vec<String>,
}

/// Translates the properties of one trigger.
pub(super) struct Translation<'a> {
    settings: &'a LocalSettings,
    properties: &'a Properties,
    values: Vec<(Key, Secret)>,
    unresolved: Vec<String>,
}

/// Intervals that both sides have, with the extension's default in milliseconds.
const INTERVALS: [(Key, &str, u64); 4] = [
    (Key::PollInterval, "feedPollDelay", 5_000),
    (Key::AcquireInterval, "leaseAcquireInterval", 13_000),
    (Key::RenewInterval, "leaseRenewInterval", 17_000),
    (Key::ExpirationInterval, "leaseExpirationInterval", 60_000),
];

impl<'a> Translation<'a> {
    pub(super) fn of(settings: &'a LocalSettings, properties: &'a Properties) -> Self {
        Self { settings, properties, values: Vec::new(), unresolved: Vec::new() }
    }

    /// Values and what stays unresolved. `prefix` is `leaseOptions.leasePrefix` of a version 3 host.json.
    pub(super) fn run(mut self, prefix: Option<&str>) -> (Vec<(Key, Secret)>, Vec<String>) {
        self.connection();
        let database = self.required(&["databaseName"], "databaseName");
        let container = self.required(&["containerName", "collectionName"], "containerName");
        self.note(Key::Database, database.clone());
        self.note(Key::Container, container);
        let leases = self.text(&["leaseContainerName", "leaseCollectionName"]);
        self.note(Key::LeaseContainer, leases.or_else(|| Some("leases".to_owned())));
        let own = self.text(&["leaseContainerPrefix", "leaseCollectionPrefix"]);
        self.note(
            Key::LeasePrefix,
            own.or_else(|| prefix.map(str::to_owned)).or_else(|| Some(String::new())),
        );
        self.leases_elsewhere(database.as_deref());
        self.start();
        let items =
            self.text(&["maxItemsPerInvocation"]).filter(|number| number.parse().is_ok_and(|n: i64| n > 0));
        self.note(Key::MaxItems, items);
        for (key, name, default) in INTERVALS {
            let millis = self.text(&[name]).and_then(|text| text.parse().ok()).unwrap_or(default);
            if millis != default {
                self.note(key, Some(format!("{millis}ms")));
            }
        }
        let mode = self.text(&["changeFeedMode"]).unwrap_or_default();
        if mode.to_ascii_lowercase().contains("allversions") {
            self.unresolved.push(
                "changeFeedMode AllVersionsAndDeletes: syncscope reads latest versions only".to_owned(),
            );
        }
        (self.values, self.unresolved)
    }

    fn note(&mut self, key: Key, value: Option<String>) {
        if let Some(value) = value {
            self.values.push((key, Secret::new(value)));
        }
    }

    fn connection(&mut self) {
        let name = match self.properties.get(&["connection", "connectionStringSetting"]) {
            Some(Told::Value(name)) => name.clone(),
            Some(Told::Unknown(expression)) => {
                self.unresolved.push(format!("connection: {expression} is known to the compiler only"));
                return;
            }
            None => "CosmosDB".to_owned(),
        };
        if let Some(text) = self.settings.connection(&name) {
            match CosmosConnection::parse(text.expose()) {
                Ok(_) => self.values.push((Key::Cosmos, text.clone())),
                Err(error) => self.unresolved.push(format!("connection: the setting {name} {error}")),
            }
            return;
        }
        let identity = format!("{name}__accountEndpoint");
        let text = if self.settings.value(&identity).is_some() {
            format!(
                "connection: {identity} signs in by identity, which syncscope cannot; give --cosmos with a key"
            )
        } else if self.settings.encrypted {
            format!("connection: the setting {name} is encrypted; `func settings decrypt` opens it")
        } else {
            format!(
                "connection: no setting {name} in local.settings.json; it may come from the environment, \
                     user secrets, Key Vault or Aspire: give --cosmos"
            )
        };
        self.unresolved.push(text);
    }

    fn leases_elsewhere(&mut self, database: Option<&str>) {
        let own = self.text(&["leaseDatabaseName"]);
        if let Some(own) = own.filter(|own| Some(own.as_str()) != database) {
            self.unresolved.push(format!(
                "leaseDatabaseName {own}: syncscope looks for leases in the source's database"
            ));
        }
        let connection = |names: &[&str]| self.properties.get(names).cloned();
        let leases = connection(&["leaseConnection", "leaseConnectionStringSetting"]);
        let source = connection(&["connection", "connectionStringSetting"]);
        if leases.is_some() && leases != source {
            self.unresolved
                .push("leaseConnection: syncscope looks for leases in the source's account".to_owned());
        }
    }

    fn start(&mut self) {
        let beginning =
            self.text(&["startFromBeginning"]).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let time = self.text(&["startFromTime"]).filter(|text| !text.is_empty());
        match time {
            None if beginning => self.note(Key::Start, Some("beginning".to_owned())),
            None => {}
            Some(_) if beginning => {
                self.unresolved
                    .push("startFromBeginning and startFromTime: the trigger refuses both".to_owned());
            }
            Some(time) if start_position(&time).is_ok() => self.note(Key::Start, Some(time)),
            Some(_) => self.unresolved.push("startFromTime: not a time of ISO 8601 in UTC".to_owned()),
        }
    }

    fn required(&mut self, names: &[&str], shown: &str) -> Option<String> {
        if self.properties.get(names).is_none() {
            self.unresolved.push(format!("{shown}: not given"));
        }
        self.text(names)
    }

    /// The value of a property, its `%SETTING%`s replaced; what cannot be told is noted.
    fn text(&mut self, names: &[&str]) -> Option<String> {
        let text = match self.properties.get(names)? {
            Told::Value(text) => text.clone(),
            Told::Unknown(expression) => {
                self.unresolved.push(format!("{}: {expression} is known to the compiler only", names[0]));
                return None;
            }
        };
        match replaced(&text, self.settings) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.unresolved.push(format!("{}: {problem}", names[0]));
                None
            }
        }
    }
}

/// Replaces each `%SETTING%`.
fn replaced(text: &str, settings: &LocalSettings) -> Result<String, String> {
    let mut out = String::new();
    let mut parts = text.split('%');
    out.push_str(parts.next().unwrap_or_default());
    while let Some(name) = parts.next() {
        let Some(after) = parts.next() else {
            return Err(format!("{text} has a lone %, which the trigger refuses"));
        };
        let value = settings.value(name);
        out.push_str(value.ok_or_else(|| format!("no setting {name} in local.settings.json for {text}"))?);
        out.push_str(after);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_between_percent_signs() {
        let settings = LocalSettings::parse(r#"{"Values":{"A":"x","B":"y"}}"#).unwrap();
        assert_eq!(replaced("plain", &settings).as_deref(), Ok("plain"));
        assert_eq!(replaced("%A%-%B%!", &settings).as_deref(), Ok("x-y!"));
        assert!(replaced("50%", &settings).unwrap_err().contains("lone %"));
        assert!(replaced("%C%", &settings).unwrap_err().contains("no setting C"));
    }
}
