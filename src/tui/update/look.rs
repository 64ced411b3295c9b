//! How it looks: zoom, mask, themes, which lines of the activity.

use super::find;
use crate::tui::{background::Background, keymap::Action, model::Model, theme::ThemeName};

/// The theme that suits a background, unless the user has taken another one since.
pub(super) fn suit(model: &mut Model, background: Background) {
    let as_begun = model.own_theme.is_none() && model.theme_name == model.options.theme;
    if model.options.ask_background && as_begun {
        model.use_theme(ThemeName::suiting(background));
    }
}

/// Does one of the actions of this room; others do nothing.
pub(super) fn act(model: &mut Model, action: Action) {
    match action {
        Action::Zoom => model.zoomed = !model.zoomed,
        Action::Mask => model.toggle_mask(),
        Action::NextTheme => {
            model.next_theme();
            model.say(format!("theme {}", model.theme_title()));
        }
        Action::Theme(name) => {
            model.use_theme(name);
            model.say(format!("theme {}", model.theme_title()));
        }
        Action::LogLevel => find::next_log_level(model),
        Action::Activity(floor) => find::show_activity(model, floor),
        _ => {}
    }
}
