//! Every dialog shows a command line that does the same, and the command line can read it.

use std::collections::BTreeSet;

use clap::Parser;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;

use super::{
    fixture::{self, keys, press, tell},
    screens::{SCENES, Scene},
};
use crate::{
    cli::args::Cli,
    tui::{
        Model,
        model::{Overlay, Question},
    },
};

/// Dialogs that no scene of the pictures opens.
pub(super) const MORE: &[(&str, Scene)] = &[
    ("stop_sync", |model| {
        tell(model, fixture::running());
        keys(model, "s");
    }),
    ("kill_instance", |model| {
        tell(model, fixture::running());
        keys(model, "K");
    }),
    ("repair_all", |model| {
        tell(model, fixture::running());
        keys(model, "v");
        tell(model, fixture::verified());
        keys(model, "r");
    }),
    ("repair_one", |model| {
        tell(model, fixture::running());
        keys(model, "v");
        tell(model, fixture::verified());
        keys(model, "e");
    }),
    ("repair_orphan", |model| {
        tell(model, fixture::running());
        keys(model, "v");
        tell(model, fixture::verified());
        press(model, KeyCode::Down);
        press(model, KeyCode::Down);
        keys(model, "e");
    }),
];

/// What an overlay is called here, where it must show a line.
fn must_show(overlay: &Overlay) -> Option<&'static str> {
    match overlay {
        Overlay::Follow(follow) => follow.detail.as_ref().map(|_| "follow"),
        Overlay::Edit(_) => Some("edit"),
        Overlay::Insert(form) => form.same_as("").map(|_| "insert"),
        Overlay::Rebuild(dialog) => (!dialog.started).then_some("rebuild"),
        Overlay::Leases(dialog) => (!dialog.agreement.started).then_some("leases"),
        Overlay::Bookmarks(_) => Some("bookmarks"),
        Overlay::Restore(dialog) => (!dialog.agreement.started).then_some("restore"),
        Overlay::Letters(_) => Some("letters"),
        Overlay::Preview(_) => Some("preview"),
        Overlay::Verify(_) => Some("verify"),
        Overlay::Export(_) => Some("export"),
        Overlay::Confirm(question) => match question {
            Question::StopSync => Some("stop sync"),
            Question::KillInstance => Some("kill"),
            Question::DeleteEntry => Some("delete"),
            Question::DeleteBookmark => Some("forget"),
            // Only this session knows what it wrote; the dialog says so.
            Question::UndoInserts => None,
        },
        // They show what is here and order nothing.
        Overlay::Tree(_)
        | Overlay::Help { .. }
        | Overlay::Palette { .. }
        | Overlay::Stage
        | Overlay::Health { .. } => None,
    }
}

/// The command in a frame: from its name to where its box or paragraph ends.
fn command(buf: &Buffer) -> Option<String> {
    let symbol = |x: u16, y: u16| buf[(x, y)].symbol();
    let row = |y: u16, from: u16, to: u16| (from..to).map(|x| symbol(x, y)).collect::<String>();
    let width = buf.area.width;
    // The header holds the name of the program, too.
    for y in 2..buf.area.height - 1 {
        for x in 0..width {
            if !row(y, x, width).starts_with("syncscope ") || row(y, x, width).starts_with("syncscope  ") {
                continue;
            }
            let left = (0..x).rev().find(|x| matches!(symbol(*x, y), "│" | "╰"))?;
            let right = (x..width).find(|x| matches!(symbol(*x, y), "│" | "╯" | "─"))?;
            let mut words = row(y, x, right).trim().to_owned();
            for y in y + 1..buf.area.height {
                let line = row(y, left + 1, right);
                // Further lines stand below the first word, which a new paragraph does not.
                let hangs = line.len() - line.trim_start().len() >= 4;
                let ends = symbol(left, y) != "│" || line.trim().is_empty() || !hangs;
                if ends {
                    break;
                }
                words.push(' ');
                words.push_str(line.trim());
            }
            return Some(words);
        }
    }
    None
}

/// Words of a POSIX shell, as far as these lines need it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, ' ') => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

#[test]
fn every_dialog_shows_a_line_that_the_command_line_reads() {
    let mut seen = BTreeSet::new();
    for (name, scene) in SCENES.iter().chain(MORE) {
        for (width, height) in [(80, 24), (120, 40), (240, 60)] {
            let mut model: Model = fixture::model(width, height);
            scene(&mut model);
            let Some(what) = model.overlays.last().and_then(must_show) else { continue };
            // A long form has more than the least screen.
            if width == 80 && matches!(what, "insert" | "rebuild" | "leases" | "restore") {
                continue;
            }
            let shown = fixture::text(&model);
            let line = match model.overlays.last() {
                // One document stands in the line, which may be cut on the screen.
                Some(Overlay::Insert(form)) => {
                    let line = form.same_as(&model.options.same_as).unwrap();
                    assert!(shown.contains(&line[..30]), "{name}: {line}\n{shown}");
                    line.rsplit(" | ").next().unwrap().to_owned()
                }
                _ => command(&fixture::draw(&model)).unwrap_or_else(|| panic!("{name}: none in\n{shown}")),
            };
            let read = Cli::try_parse_from(words(&line));
            assert!(read.is_ok(), "{name} at {width}: {line}\n{}\n{shown}", read.err().unwrap());
            assert!(read.is_ok_and(|cli| cli.command.is_some()), "{name}: {line}");
            assert!(line.contains("6379") || line.starts_with("syncscope map "), "for this pair: {line}");
            seen.insert(what);
        }
    }
    let all = [
        "bookmarks",
        "delete",
        "edit",
        "export",
        "follow",
        "forget",
        "insert",
        "kill",
        "leases",
        "letters",
        "preview",
        "rebuild",
        "restore",
        "stop sync",
        "verify",
    ];
    assert_eq!(seen, BTreeSet::from(all));
}
