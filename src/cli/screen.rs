//! `syncscope`: the screen on what is already running.

use std::process::ExitCode;

use crate::config::Settings;
use crate::engine::{Create, Engine, EngineOptions, Face, Watch, channels};
use crate::tui::{self, ScreenOptions, ThemeName};

use super::CliError;

/// Opens the screen; leaves when the user does.
pub(super) async fn run(settings: Settings, sync: bool) -> Result<ExitCode, CliError> {
    let options = EngineOptions {
        watch: Watch::all(),
        sync,
        create: Create::default(),
        ..EngineOptions::new(settings)
    };
    let screen = screen_options(&options.settings, false);
    let (Face { commands, events }, inside) = channels();
    let engine = Engine::start(options, inside)?;
    let shown = tui::run(commands, events, screen).await;
    engine.end().await;
    shown?;
    Ok(ExitCode::SUCCESS)
}

/// What the screen says about this run.
pub(super) fn screen_options(settings: &Settings, demo: bool) -> ScreenOptions {
    let theme = if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        ThemeName::Mono
    } else {
        ThemeName::default()
    };
    // The demo's addresses are not known yet.
    let same_as = if demo { String::new() } else { settings.as_flags().trim_start().to_owned() };
    ScreenOptions { demo, theme, same_as, ..ScreenOptions::from_settings(settings) }
}
