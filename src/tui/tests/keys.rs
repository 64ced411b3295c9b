//! Keys and themes as data: the examples and the README say what is so.

use crossterm::event::KeyCode;

use super::fixture::{model, press, text};
use crate::tui::{
    Background, FileTheme, Keymap, Model, ScreenOptions,
    keymap::{Action, Context},
    model::Deed,
    update::{Msg, update},
};

const README: &str = include_str!("../../../README.md");

/// An example with every setting in force: `#name = …` is a setting, `# text` a comment.
fn uncommented(text: &str) -> String {
    let setting = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if setting(rest) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn the_example_files_can_be_read_as_they_are_and_uncommented() {
    let keymap = include_str!("../../../assets/keymap.toml");
    let theme = include_str!("../../../assets/theme.toml");
    let default = Keymap::default().as_toml();
    assert_eq!(Keymap::parse("keymap.toml", keymap).unwrap().as_toml(), default, "all commented out");
    assert_ne!(Keymap::parse("keymap.toml", &uncommented(keymap)).unwrap().as_toml(), default);
    FileTheme::parse("theme", "theme.toml", theme).unwrap();
    let text = uncommented(theme);
    FileTheme::parse("theme", "theme.toml", &text).unwrap();
    for role in ["text", "dim", "accent", "border-focused", "selection", "json-name"] {
        assert!(text.contains(&format!("\n{role} = ")), "{role}");
    }
}

/// The keys in backticks of the first column of the README's table.
fn documented() -> Vec<String> {
    let table = README.split("\n## Keys\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let column = row.split(" | ").next().unwrap();
        column.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn the_readme_names_keys_that_exist_and_all_that_the_footer_shows() {
    let keys = Keymap::default();
    let documented = documented();
    assert!(documented.len() > 10, "{documented:?}");
    let bound: Vec<String> = [Context::Main, Context::Global]
        .into_iter()
        .flat_map(|context| keys.rows(context))
        .flat_map(|row| row.chords.iter().map(|chord| chord.text()))
        .collect();
    for key in &documented {
        assert!(bound.contains(key), "README: `{key}` does nothing in the panes");
    }
    for row in keys.rows(Context::Main).filter(|row| row.hint.is_some()) {
        let key = row.chords[0].text();
        assert!(documented.contains(&key), "README lacks `{key}`: {}", row.help);
    }
}

fn with_keys(keymap: &str) -> Model {
    let options =
        ScreenOptions { keymap: Keymap::parse("k.toml", keymap).unwrap().into(), ..ScreenOptions::default() };
    Model::new(options, model(120, 40).size, super::fixture::start())
}

#[test]
fn what_a_user_binds_is_what_is_pressed_and_shown() {
    let mut model = with_keys("[main]\ninsert = 'f5'\nhelp = ['x', 'f1']");
    assert!(text(&model).contains("f5 insert"), "{}", text(&model));
    press(&mut model, KeyCode::Char('i'));
    assert_eq!(model.context(), Context::Main);
    press(&mut model, KeyCode::Char('x'));
    assert_eq!(model.context(), Context::Help);
    assert!(text(&model).contains("f5                insert documents"), "{}", text(&model));
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char(':'));
    let rows = model.palette_rows("insert doc");
    assert_eq!(
        (rows[0].deed, rows[0].keys.as_str()),
        (Deed::Act(Context::Main, Action::Insert), "f5"),
        "as it is bound"
    );
}

#[test]
fn the_theme_suits_the_background_until_the_user_takes_another() {
    let options = ScreenOptions { ask_background: true, ..ScreenOptions::default() };
    let mut model = Model::new(options, model(80, 24).size, super::fixture::start());
    update(&mut model, Msg::Background(Background::Light));
    assert_eq!(model.theme_title(), "light");
    press(&mut model, KeyCode::Char('T'));
    let taken = model.theme_title().to_owned();
    update(&mut model, Msg::Background(Background::Dark));
    assert_eq!(model.theme_title(), taken);
    let mut asked_for = super::fixture::model(80, 24);
    update(&mut asked_for, Msg::Background(Background::Light));
    assert_eq!(asked_for.theme_title(), "terminal", "nobody asked");
}

#[test]
fn the_theme_key_goes_through_the_users_own_themes_too() {
    let own = ["a", "b"].map(|name| FileTheme::parse(name, name, "accent = 'red'").unwrap());
    let options = ScreenOptions { own_themes: own.to_vec(), own_theme: Some(0), ..ScreenOptions::default() };
    let mut model = Model::new(options, model(80, 24).size, super::fixture::start());
    let mut names = Vec::new();
    for _ in 0..9 {
        names.push(model.theme_title().to_owned());
        press(&mut model, KeyCode::Char('T'));
    }
    assert_eq!(names, ["a", "b", "terminal", "dark", "light", "high-contrast", "colour-blind", "mono", "a"]);
}
