//! What one source of configuration may say: every key optional, unknown keys refused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::checked::{Checked, Host, Name, Whole};
use super::mapping::MappingLayer;
use super::{CosmosConnection, RedisConnection, Settings, Share, StartPosition};

/// Most instances in one process: more would only compete for the same CPU.
const MOST_INSTANCES: u64 = 256;
/// Cosmos' own bound on a page.
const MOST_ITEMS: u64 = 2_147_483_647;
/// Rows on the screen are for people; the bound keeps a typo from taking the memory.
const MOST_ROWS: u64 = 1_000_000;

/// A file, or all layers merged.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Layer {
    pub(super) cosmos: Option<CosmosConnection>,
    pub(super) redis: Option<RedisConnection>,
    pub(super) database: Option<Checked<Name>>,
    pub(super) container: Option<Checked<Name>>,
    pub(super) lease_container: Option<Checked<Name>>,
    pub(super) lease_prefix: Option<Checked<String>>,
    pub(super) key: Option<Checked<Name>>,
    pub(super) allow_remote: Option<Vec<Checked<Host>>>,
    pub(super) mapping: MappingLayer,
    pub(super) sync: SyncLayer,
    pub(super) view: ViewLayer,
    /// `[profile.NAME]`: the same keys again, laid over the rest of the file by `--profile NAME`.
    #[expect(
        clippy::zero_sized_map_values,
        reason = "read for its checks only; the values are merged from plain TOML"
    )]
    pub(super) profile: BTreeMap<String, Profile>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct SyncLayer {
    start: Option<Checked<StartPosition>>,
    instances: Option<Whole<1, MOST_INSTANCES>>,
    max_items: Option<Whole<1, MOST_ITEMS>>,
    poll_interval: Option<Checked<Duration>>,
    instance_name: Option<Checked<Name>>,
    acquire_interval: Option<Checked<Duration>>,
    expiration_interval: Option<Checked<Duration>>,
    renew_interval: Option<Checked<Duration>>,
    lease_version: Option<Whole<0, 1>>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct ViewLayer {
    fields: Option<Vec<Checked<Name>>>,
    feed_from: Option<Checked<StartPosition>>,
    feed_rows: Option<Whole<10, MOST_ROWS>>,
    cache_rows: Option<Whole<10, MOST_ROWS>>,
    slo_ms: Option<Whole<1, 3_600_000>>,
    slo_share: Option<Share>,
    theme: Option<Checked<Name>>,
    layout: Option<Checked<Name>>,
    keymap: Option<Checked<Name>>,
}

/// A layer that has no profiles of its own.
#[derive(Debug, PartialEq)]
pub(super) struct Profile;

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if Layer::deserialize(deserializer)?.profile.is_empty() {
            Ok(Self)
        } else {
            Err(de::Error::custom("a profile must not hold profiles"))
        }
    }
}

impl Layer {
    /// Lays what is given over the settings.
    pub(super) fn apply(self, settings: &mut Settings) {
        set(&mut settings.cosmos, self.cosmos);
        set(&mut settings.redis, self.redis);
        set(&mut settings.database, self.database.map(|name| name.0.0));
        set(&mut settings.container, self.container.map(|name| name.0.0));
        set(&mut settings.lease_container, self.lease_container.map(|name| name.0.0));
        set(&mut settings.lease_prefix, self.lease_prefix.map(|text| text.0));
        set(&mut settings.key, self.key.map(|name| name.0.0));
        set(
            &mut settings.allow_remote,
            self.allow_remote.map(|hosts| hosts.into_iter().map(|host| host.0.0).collect()),
        );
        self.mapping.apply(&mut settings.mapping);
        let (sync, given) = (&mut settings.sync, self.sync);
        set(&mut sync.start, given.start.map(|start| start.0));
        set(&mut sync.instances, given.instances.map(|number| number.0 as usize));
        set(&mut sync.max_items, given.max_items.map(|number| u32::try_from(number.0).ok()));
        set(&mut sync.poll_interval, given.poll_interval.map(|length| length.0));
        set(&mut sync.instance_name, given.instance_name.map(|name| Some(name.0.0)));
        set(&mut sync.acquire_interval, given.acquire_interval.map(|length| length.0));
        set(&mut sync.expiration_interval, given.expiration_interval.map(|length| length.0));
        set(&mut sync.renew_interval, given.renew_interval.map(|length| length.0));
        set(&mut sync.lease_version, given.lease_version.map(|number| number.0 as u8));
        let (view, given) = (&mut settings.view, self.view);
        set(&mut view.fields, given.fields.map(|names| names.into_iter().map(|name| name.0.0).collect()));
        set(&mut view.feed_from, given.feed_from.map(|start| start.0));
        set(&mut view.feed_rows, given.feed_rows.map(|number| number.0 as usize));
        set(&mut view.cache_rows, given.cache_rows.map(|number| number.0 as usize));
        set(&mut view.slo_ms, given.slo_ms.map(|number| Some(number.0)));
        set(&mut view.slo_share, given.slo_share);
        set(&mut view.theme, given.theme.map(|name| Some(name.0.0)));
        set(&mut view.layout, given.layout.map(|name| Some(name.0.0)));
        set(&mut view.keymap, given.keymap.map(|name| Some(name.0.0)));
    }
}

pub(super) fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *place = value;
    }
}
