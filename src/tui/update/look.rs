//! How it looks: zoom, mask, themes, which lines of the activity.

use super::find;
use crate::tui::{keymap::Action, model::Model};

/// Does one of the actions of this room; others do nothing.
pub(super) fn act(model: &mut Model, action: Action) {
    match action {
        Action::Zoom => model.zoomed = !model.zoomed,
        Action::Mask => model.masked = !model.masked,
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
