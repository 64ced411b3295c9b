//! Every key of the configuration, once: its path in the file, its flag, its variable, how it is shown.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::{Settings, StartPosition};

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described where it ends up, in `Settings`")]
pub enum Key {
    Cosmos,
    Redis,
    Database,
    Container,
    LeaseContainer,
    LeasePrefix,
    KeyTemplate,
    AllowRemote,
    Value,
    Jq,
    Encoding,
    CacheInstance,
    MoreKeys,
    Ttl,
    TtlField,
    DeleteField,
    DeleteJq,
    Guard,
    Start,
    Instances,
    MaxItems,
    PollInterval,
    InstanceName,
    AcquireInterval,
    ExpirationInterval,
    RenewInterval,
    LeaseVersion,
    Fields,
    FeedFrom,
    FeedRows,
    CacheRows,
    SloMs,
    SloShare,
    Theme,
    Layout,
    Keymap,
}

/// What a key holds in a TOML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// As `Text`, and an empty text is a value of its own.
    TextOrEmpty,
    Number,
    List,
}

impl Key {
    /// All keys, in the order in which they are shown.
    pub const ALL: [Self; 36] = [
        Self::Cosmos,
        Self::Redis,
        Self::Database,
        Self::Container,
        Self::LeaseContainer,
        Self::LeasePrefix,
        Self::KeyTemplate,
        Self::AllowRemote,
        Self::Value,
        Self::Jq,
        Self::Encoding,
        Self::CacheInstance,
        Self::MoreKeys,
        Self::Ttl,
        Self::TtlField,
        Self::DeleteField,
        Self::DeleteJq,
        Self::Guard,
        Self::Start,
        Self::Instances,
        Self::MaxItems,
        Self::PollInterval,
        Self::InstanceName,
        Self::AcquireInterval,
        Self::ExpirationInterval,
        Self::RenewInterval,
        Self::LeaseVersion,
        Self::Fields,
        Self::FeedFrom,
        Self::FeedRows,
        Self::CacheRows,
        Self::SloMs,
        Self::SloShare,
        Self::Theme,
        Self::Layout,
        Self::Keymap,
    ];

    /// Path in the file: `database`, `sync.poll-interval`.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Cosmos => "cosmos",
            Self::Redis => "redis",
            Self::Database => "database",
            Self::Container => "container",
            Self::LeaseContainer => "lease-container",
            Self::LeasePrefix => "lease-prefix",
            Self::KeyTemplate => "key",
            Self::AllowRemote => "allow-remote",
            Self::Value => "mapping.value",
            Self::Jq => "mapping.jq",
            Self::Encoding => "mapping.encoding",
            Self::CacheInstance => "mapping.cache-instance",
            Self::MoreKeys => "mapping.more-keys",
            Self::Ttl => "mapping.ttl",
            Self::TtlField => "mapping.ttl-field",
            Self::DeleteField => "mapping.delete-field",
            Self::DeleteJq => "mapping.delete-jq",
            Self::Guard => "mapping.guard",
            Self::Start => "sync.start",
            Self::Instances => "sync.instances",
            Self::MaxItems => "sync.max-items",
            Self::PollInterval => "sync.poll-interval",
            Self::InstanceName => "sync.instance-name",
            Self::AcquireInterval => "sync.acquire-interval",
            Self::ExpirationInterval => "sync.expiration-interval",
            Self::RenewInterval => "sync.renew-interval",
            Self::LeaseVersion => "sync.lease-version",
            Self::Fields => "view.fields",
            Self::FeedFrom => "view.feed-from",
            Self::FeedRows => "view.feed-rows",
            Self::CacheRows => "view.cache-rows",
            Self::SloMs => "view.slo-ms",
            Self::SloShare => "view.slo-share",
            Self::Theme => "view.theme",
            Self::Layout => "view.layout",
            Self::Keymap => "view.keymap",
        }
    }

    /// The flag that sets it, with its dashes. Most keys of `view` have none.
    pub fn flag(self) -> String {
        let name = self.path().rsplit('.').next().unwrap_or_default();
        if self == Self::FeedFrom { "--from".to_owned() } else { format!("--{name}") }
    }

    /// The environment variable that sets it: the last part of its path in capitals.
    pub fn variable(self) -> String {
        let name = self.path().rsplit('.').next().unwrap_or_default();
        format!("SYNCSCOPE_{}", name.replace('-', "_").to_ascii_uppercase())
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::LeasePrefix | Self::CacheInstance => Kind::TextOrEmpty,
            Self::Instances
            | Self::MaxItems
            | Self::LeaseVersion
            | Self::FeedRows
            | Self::CacheRows
            | Self::SloMs => Kind::Number,
            Self::AllowRemote | Self::MoreKeys | Self::Fields => Kind::List,
            _ => Kind::Text,
        }
    }

    /// The value as `config show` prints it: secrets masked, `None` = not set.
    pub fn shown(self, settings: &Settings) -> Option<String> {
        let (mapping, sync, view) = (&settings.mapping, &settings.sync, &settings.view);
        Some(match self {
            Self::Cosmos => settings.cosmos.masked(),
            Self::Redis => settings.redis.masked(),
            Self::Database => settings.database.clone(),
            Self::Container => settings.container.clone(),
            Self::LeaseContainer => settings.lease_container.clone(),
            Self::LeasePrefix => settings.lease_prefix.clone(),
            Self::KeyTemplate => settings.key.clone(),
            Self::AllowRemote => settings.allow_remote.join(", "),
            Self::Value => mapping.value.to_string(),
            Self::Jq => mapping.jq.clone()?,
            Self::Encoding => mapping.encoding.to_string(),
            Self::CacheInstance => mapping.cache_instance.clone(),
            Self::MoreKeys => mapping.more_keys.join(", "),
            Self::Ttl => mapping.ttl.map_or_else(|| "none".to_owned(), interval),
            Self::TtlField => mapping.ttl_field.clone()?,
            Self::DeleteField => mapping.delete_field.clone()?,
            Self::DeleteJq => mapping.delete_jq.clone()?,
            Self::Guard => mapping.guard.to_string(),
            Self::Start => start(sync.start),
            Self::Instances => sync.instances.to_string(),
            Self::MaxItems => sync.max_items?.to_string(),
            Self::PollInterval => interval(sync.poll_interval),
            Self::InstanceName => sync.instance_name.clone()?,
            Self::AcquireInterval => interval(sync.acquire_interval),
            Self::ExpirationInterval => interval(sync.expiration_interval),
            Self::RenewInterval => interval(sync.renew_interval),
            Self::LeaseVersion => sync.lease_version.to_string(),
            Self::Fields => view.fields.join(", "),
            Self::FeedFrom => start(view.feed_from),
            Self::FeedRows => view.feed_rows.to_string(),
            Self::CacheRows => view.cache_rows.to_string(),
            Self::SloMs => view.slo_ms?.to_string(),
            Self::SloShare => view.slo_share.to_string(),
            Self::Theme => view.theme.clone()?,
            Self::Layout => view.layout.clone()?,
            Self::Keymap => view.keymap.clone()?,
        })
    }
}

impl Key {
    /// As [`Key::shown`], numbers and lists as such.
    pub fn json(self, settings: &Settings) -> Value {
        let Some(text) = self.shown(settings) else { return Value::Null };
        match self.kind() {
            Kind::Number => text.parse::<u64>().map_or(Value::Null, Value::from),
            Kind::List => text.split(", ").filter(|part| !part.is_empty()).collect(),
            Kind::Text | Kind::TextOrEmpty => Value::from(text),
        }
    }
}

fn start(position: StartPosition) -> String {
    match position {
        StartPosition::Beginning => "beginning".to_owned(),
        StartPosition::Now => "now".to_owned(),
        StartPosition::At(time) => time.to_string(),
    }
}

fn interval(length: Duration) -> String {
    SignedDuration::try_from(length)
        .map_or_else(|_| format!("{}s", length.as_secs()), |length| format!("{length:#}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn variables_are_the_flags_in_capitals_and_unique() {
        assert_eq!(Key::Cosmos.variable(), "SYNCSCOPE_COSMOS");
        assert_eq!(Key::PollInterval.variable(), "SYNCSCOPE_POLL_INTERVAL");
        let all: HashSet<_> = Key::ALL.iter().map(|key| key.variable()).collect();
        assert_eq!(all.len(), Key::ALL.len());
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let length = Duration::from_millis(90_250);
        assert_eq!(super::super::interval(&interval(length)), Ok(length));
        let at = StartPosition::At("2026-03-01T12:00:00Z".parse().unwrap());
        assert_eq!(super::super::start_position(&start(at)), Ok(at));
    }
}
