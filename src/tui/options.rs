//! What the screen has to be told once, before its first frame.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::{
    keymap::Keymap,
    model::Arrangement,
    theme::{ColourDepth, FileTheme, ThemeName},
};
use crate::{
    config::{Settings, Share},
    seed::TemplateName,
};

/// Fixed facts and wishes of a run.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct ScreenOptions {
    /// `database/container` of the source.
    pub source: String,
    /// Where the entries go, e.g. `redis 0`.
    pub cache: String,
    /// `database/container` of the leases.
    pub leases: String,
    /// Key template over the document, e.g. `price:{id}`.
    pub key_template: String,
    /// Paths of the fields that rows show; empty = first scalars.
    pub fields: Vec<String>,
    /// Shape of sample documents that the insert form begins with.
    pub template: TemplateName,
    /// The pair is embedded and gone with us.
    pub demo: bool,
    /// Keys.
    pub keymap: Arc<Keymap>,
    /// Begin with the guided tour; `Some(true)` = it plays by itself.
    pub tour: Option<bool>,
    /// Where lines of a recording go, see [`super::recording`].
    pub record: Option<mpsc::Sender<String>>,
    /// Colours.
    pub theme: ThemeName,
    /// How the panes share the screen at the start.
    pub arrangement: Arrangement,
    /// The theme goes by the terminal's background, which is asked for.
    pub ask_background: bool,
    /// The user's own themes.
    pub own_themes: Vec<FileTheme>,
    /// The place of the one to begin with, instead of `theme`.
    pub own_theme: Option<usize>,
    /// Colours that the terminal has.
    pub depth: ColourDepth,
    /// Nothing but ASCII, data included.
    pub ascii: bool,
    /// Take mouse events (the terminal's own selection then needs shift).
    pub mouse: bool,
    /// What follows a subcommand so that it means this very pair, e.g. `--cosmos http://… --redis …`;
    /// no secrets.
    pub same_as: String,
    /// Most feed rows kept.
    pub feed_rows: usize,
    /// Most cache entries kept.
    pub cache_rows: usize,
    /// Latency target in milliseconds, acknowledged → in the cache.
    pub slo_ms: Option<u64>,
    /// Share of the documents that has to keep it.
    pub slo_share: Share,
    /// Zone of the wall clock in rows.
    pub zone: TimeZone,
}

impl Default for ScreenOptions {
    fn default() -> Self {
        Self {
            source: "shop/prices".to_owned(),
            cache: "redis 0".to_owned(),
            leases: "shop/leases".to_owned(),
            key_template: "{id}".to_owned(),
            fields: Vec::new(),
            template: TemplateName::default(),
            demo: false,
            keymap: Arc::default(),
            tour: None,
            record: None,
            theme: ThemeName::default(),
            arrangement: Arrangement::default(),
            ask_background: false,
            own_themes: Vec::new(),
            own_theme: None,
            depth: ColourDepth::default(),
            ascii: false,
            mouse: true,
            same_as: String::new(),
            feed_rows: 5_000,
            cache_rows: 20_000,
            slo_ms: None,
            slo_share: Share::USUAL,
            zone: TimeZone::UTC,
        }
    }
}

impl ScreenOptions {
    /// Options of these settings, in the system's time zone. `NO_COLOR` is the caller's to read.
    pub fn from_settings(settings: &Settings) -> Self {
        Self {
            source: format!("{}/{}", settings.database, settings.container),
            cache: format!("redis {}", settings.redis.database),
            leases: format!("{}/{}", settings.database, settings.lease_container),
            key_template: settings.key.clone(),
            fields: settings.view.fields.clone(),
            feed_rows: settings.view.feed_rows.max(1),
            cache_rows: settings.view.cache_rows.max(1),
            slo_ms: settings.view.slo_ms,
            slo_share: settings.view.slo_share,
            zone: TimeZone::system(),
            ..Self::default()
        }
    }
}
