//! How the screen looks and which keys it takes: flags, and the user's own files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;

use crate::config::{Key, Loaded, Origin, Overrides, Share, interval};
use crate::tui::{Arrangement, FileTheme, Keymap, Preset, ThemeName};

use super::{CliError, kept_layout};

/// Looks and keys of the screen.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Screen")]
pub struct ScreenArgs {
    /// Colours: auto (dark or light, as the terminal is), terminal, dark, light, high-contrast, colour-blind, mono, or the name of your own file
    /// themes/NAME.toml in the configuration directory [default: auto]
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Layout at the start: balanced, feed, cache, leases, latency, reading [default: as it was left]
    #[arg(long, global = true, value_name = "NAME")]
    pub layout: Option<String>,
    /// Read keys from this file instead of keymap.toml in the configuration directory
    #[arg(long, global = true, value_name = "FILE")]
    pub keymap: Option<String>,
    /// Draw with ASCII alone, for terminals and fonts that have nothing else
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Leave the mouse to the terminal, for its own selection; without this, shift-drag selects
    #[arg(long, global = true)]
    pub no_mouse: bool,
    /// Record what the screen shows into this new file, as an asciicast for `asciinema play`
    #[arg(long, global = true, value_name = "FILE.cast")]
    pub record: Option<PathBuf>,
    /// Target for the latency from a write to the entry in the cache, e.g. 200ms, or with the percent of the
    /// documents that have to keep it (99 where none is named), e.g. 200ms@99.9
    #[arg(long, global = true, value_name = "TIME[@PERCENT]", value_parser = slo)]
    pub slo: Option<Slo>,
}

impl ScreenArgs {
    pub(super) fn lay_over(&self, overrides: &mut Overrides) {
        for (key, text) in
            [(Key::Theme, &self.theme), (Key::Layout, &self.layout), (Key::Keymap, &self.keymap)]
        {
            if let Some(text) = text {
                overrides.set(key, text);
            }
        }
        if let Some(slo) = self.slo {
            overrides.set(Key::SloMs, slo.limit.as_millis().max(1).to_string());
            if let Some(share) = slo.share {
                overrides.set(Key::SloShare, share.to_string());
            }
        }
    }
}

/// A target, as `--slo` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slo {
    limit: Duration,
    share: Option<Share>,
}

/// `200ms` or `200ms@99.9`.
fn slo(text: &str) -> Result<Slo, String> {
    let (limit, share) = match text.split_once('@') {
        Some((limit, share)) => (limit, Some(Share::percent(share)?)),
        None => (text, None),
    };
    Ok(Slo { limit: interval(limit.trim())?, share })
}

/// Keys and colours of this user.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) keymap: Keymap,
    /// The user's own themes, by name.
    pub(super) themes: Vec<FileTheme>,
    /// The one to begin with.
    pub(super) theme: Theme,
    /// How the panes share the screen at the start.
    pub(super) arrangement: Arrangement,
    /// Nothing but ASCII.
    pub(super) ascii: bool,
    /// The screen takes clicks and the wheel.
    pub(super) mouse: bool,
    /// Where a recording goes.
    pub(super) record: Option<mpsc::Sender<String>>,
}

/// The theme that goes by the terminal.
const AUTO: &str = "auto";

/// Which theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// One that comes with the program.
    BuiltIn(ThemeName),
    /// Dark or light, as the terminal is.
    Auto,
    /// One of the user's, by its place.
    Own(usize),
}

impl Look {
    /// Reads what the configuration names, and what lies in its directory. What is wrong is told with
    /// file, line and column: a key that does something else than its owner thinks is worse than none.
    pub(super) fn read(loaded: &Loaded) -> Result<Self, CliError> {
        let keymap = keymap(loaded)?;
        let themes = match &loaded.directory {
            Some(directory) => themes(&directory.join("themes"))?,
            None => Vec::new(),
        };
        let theme = theme(loaded, &themes)?;
        let arrangement = arrangement(loaded)?;
        Ok(Self { keymap, themes, theme, arrangement, ascii: false, mouse: true, record: None })
    }
}

fn keymap(loaded: &Loaded) -> Result<Keymap, CliError> {
    let named = loaded.settings.view.keymap.as_ref().map(PathBuf::from);
    let asked = named.is_some();
    let Some(path) = named.or_else(|| Some(loaded.directory.as_ref()?.join("keymap.toml"))) else {
        return Ok(Keymap::default());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Keymap::parse(&path.display().to_string(), &text)
            .map_err(|error| CliError::Refused(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !asked => Ok(Keymap::default()),
        Err(error) => Err(CliError::Refused(format!("cannot read the keymap {}: {error}", path.display()))),
    }
}

/// All `*.toml` of a directory, in the order of their names.
fn themes(directory: &Path) -> Result<Vec<FileTheme>, CliError> {
    let unreadable = |path: &Path, error: std::io::Error| {
        CliError::Refused(format!("cannot read the theme {}: {error}", path.display()))
    };
    let files = match std::fs::read_dir(directory) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(directory, error)),
    };
    let mut paths = Vec::new();
    for file in files {
        let path = file.map_err(|error| unreadable(directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        FileTheme::parse(&name, &path.display().to_string(), &text)
            .map_err(|error| CliError::Refused(error.to_string()))
    };
    paths.iter().map(read).collect()
}

/// The layout asked for; else the one that was left.
fn arrangement(loaded: &Loaded) -> Result<Arrangement, CliError> {
    let Some(name) = &loaded.settings.view.layout else { return Ok(kept_layout::read().unwrap_or_default()) };
    let preset = Preset::ALL.into_iter().find(|preset| preset.name() == name);
    preset.map(Arrangement::of).ok_or_else(|| {
        let known: Vec<&str> = Preset::ALL.into_iter().map(Preset::name).collect();
        let origin = match loaded.origin(Key::Layout) {
            Origin::Default => String::new(),
            origin => format!("{origin}: "),
        };
        CliError::Refused(format!("{origin}no layout is called `{name}`: there are {}", known.join(", ")))
    })
}

/// The theme asked for; else none at all under `NO_COLOR`.
fn theme(loaded: &Loaded, own: &[FileTheme]) -> Result<Theme, CliError> {
    let Some(name) = &loaded.settings.view.theme else {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        return Ok(if no_colour { Theme::BuiltIn(ThemeName::Mono) } else { Theme::Auto });
    };
    if let Some(place) = own.iter().position(|theme| theme.name() == name) {
        return Ok(Theme::Own(place));
    }
    if name == AUTO {
        return Ok(Theme::Auto);
    }
    ThemeName::parse(name).map(Theme::BuiltIn).ok_or_else(|| {
        let names = ThemeName::ALL.iter().map(|theme| theme.name());
        let known: Vec<&str> =
            std::iter::once(AUTO).chain(names).chain(own.iter().map(FileTheme::name)).collect();
        let origin = match loaded.origin(Key::Theme) {
            Origin::Default => String::new(),
            origin => format!("{origin}: "),
        };
        let directory = loaded.directory.as_ref().map_or_else(
            || "the configuration directory".to_owned(),
            |directory| directory.display().to_string(),
        );
        CliError::Refused(format!(
            "{origin}no theme is called `{name}`: there are {}; your own is {directory}/themes/{name}.toml",
            known.join(", ")
        ))
    })
}
