//! `syncscope`: the screen on what is already running.

use std::process::ExitCode;
use std::sync::Arc;

use crate::config::Settings;
use crate::engine::{Create, Engine, EngineOptions, Face, Watch, channels};
use crate::tui::{self, Background, ColourDepth, ScreenOptions, ThemeName};

use super::look::{Look, Theme};
use super::{CliError, kept_layout};

/// Opens the screen; leaves when the user does.
pub(super) async fn run(settings: Settings, sync: bool, look: Look) -> Result<ExitCode, CliError> {
    let options = EngineOptions {
        watch: Watch::all(),
        sync,
        create: Create::default(),
        ..EngineOptions::new(settings)
    };
    let screen = screen_options(&options.settings, false, look);
    let (Face { commands, events }, inside) = channels();
    let engine = Engine::start(options, inside)?;
    let before = screen.arrangement.clone();
    let shown = tui::run(commands, events, screen).await;
    engine.end().await;
    kept_layout::keep(&before, &shown?);
    Ok(ExitCode::SUCCESS)
}

/// What the screen says about this run.
pub(super) fn screen_options(settings: &Settings, demo: bool, look: Look) -> ScreenOptions {
    let env = |name| std::env::var(name).ok();
    let depth = match env("NO_COLOR") {
        Some(value) if !value.is_empty() => ColourDepth::None,
        _ => ColourDepth::of(env("COLORTERM").as_deref(), env("TERM").as_deref()),
    };
    // Of sixteen colours the terminal's owner has chosen each: nothing suits better.
    let ask_background =
        look.theme == Theme::Auto && !matches!(depth, ColourDepth::Sixteen | ColourDepth::None);
    let (theme, own_theme) = match look.theme {
        Theme::BuiltIn(name) => (name, None),
        Theme::Own(place) => (ThemeName::default(), Some(place)),
        Theme::Auto => {
            let told = env("COLORFGBG").and_then(|value| Background::of_variable(&value));
            (told.filter(|_| ask_background).map_or_else(ThemeName::default, ThemeName::suiting), None)
        }
    };
    // The demo's addresses are not known yet; it tells them when they are.
    let same_as = if demo { String::new() } else { settings.as_flags().trim_start().to_owned() };
    ScreenOptions {
        demo,
        theme,
        ask_background,
        arrangement: look.arrangement,
        own_themes: look.themes,
        own_theme,
        keymap: Arc::new(look.keymap),
        same_as,
        record: look.record,
        depth,
        ascii: look.ascii,
        mouse: look.mouse,
        ..ScreenOptions::from_settings(settings)
    }
}
