//! Every scene in every look: no theme tells anything by colour alone, and each keeps to what its
//! terminal can show.

use ratatui::style::Color;

use super::{
    fixture,
    screens::{SCENES, SIZES},
};
use crate::tui::{
    Model,
    theme::{ColourDepth, Theme, ThemeName},
};

/// Each scene at each size, in a look.
fn each(look: impl Fn(&mut Model), check: impl Fn(&str, &Model)) {
    for (name, scene) in SCENES {
        for (width, height) in SIZES {
            let mut model = fixture::model(width, height);
            scene(&mut model);
            look(&mut model);
            check(&format!("{name} at {width}x{height}"), &model);
        }
    }
}

#[test]
fn what_is_told_is_the_same_in_every_theme() {
    each(
        |_| {},
        |scene, model| {
            let text = fixture::text(model);
            for theme in ThemeName::ALL {
                let mut other = model.clone();
                other.theme = Theme::of(theme);
                assert_eq!(fixture::text(&other), text, "{scene} in {}", theme.name());
            }
        },
    );
}

#[test]
fn without_colour_there_is_none() {
    each(
        |model| model.theme = Theme::of(ThemeName::Mono),
        |scene, model| {
            for cell in fixture::draw(model).content() {
                assert_eq!(
                    (cell.fg, cell.bg),
                    (Color::Reset, Color::Reset),
                    "{:?} in {scene}",
                    cell.symbol()
                );
            }
        },
    );
}

#[test]
fn sixteen_colours_are_enough_for_every_theme() {
    for theme in ThemeName::ALL {
        each(
            |model| model.theme = Theme::of(theme).at_depth(ColourDepth::Sixteen),
            |scene, model| {
                for cell in fixture::draw(model).content() {
                    let plain = |colour| !matches!(colour, Color::Rgb(..) | Color::Indexed(_));
                    assert!(plain(cell.fg) && plain(cell.bg), "{cell:?} in {scene}");
                }
            },
        );
    }
}

#[test]
fn ascii_means_ascii() {
    each(
        |model| model.theme.ascii = true,
        |scene, model| {
            let text = fixture::text(model);
            assert!(text.is_ascii(), "{scene}:\n{text}");
        },
    );
}
