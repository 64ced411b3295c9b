//! The page of keys, made of the keymap.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
};

use crate::tui::{
    keymap::{Action, Context},
    layout::{self, dialog},
    model::Model,
    widgets::{
        pane::Pane as Border,
        pen::{Align, Pen},
        text,
    },
};

const KEYS: usize = 18;

/// What the mouse does.
const MOUSE: [(&str, &str); 6] = [
    ("click", "a row, a tab, a choice, a hint such as `{back} back`"),
    ("double click", "opens the row"),
    ("wheel", "scrolls what is under the pointer"),
    ("drag", "a border between panes moves it; × hides a pane"),
    ("click outside", "closes a dialog, unless that would lose something"),
    ("shift-drag", "selects text, as without --no-mouse; the option leaves it to you"),
];

/// One line of the page.
pub(crate) enum HelpLine {
    Heading(&'static str),
    Key { keys: String, help: String },
    Blank,
}

/// The page for a context: its own keys first, then what works everywhere, then the signs.
pub(crate) fn lines(model: &Model, of: Context) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    for context in [of, Context::Global] {
        lines.push(HelpLine::Heading(context.heading()));
        // What has no key is found in the palette.
        for row in model.options.keymap.rows(context).filter(|row| !row.chords.is_empty()) {
            lines.push(HelpLine::Key { keys: row.keys(), help: row.help.to_owned() });
        }
        lines.push(HelpLine::Blank);
    }
    if model.options.mouse {
        lines.push(HelpLine::Heading("Mouse"));
        for (deed, meaning) in MOUSE {
            let help = meaning.replace("{back}", &model.key_in(Context::Help, Action::Back));
            lines.push(HelpLine::Key { keys: deed.to_owned(), help });
        }
        lines.push(HelpLine::Blank);
    }
    lines.push(HelpLine::Heading("Signs"));
    for (sign, meaning) in [
        ("▌", "the selected document, in every pane, and its lease"),
        ("✓ ~ ! ∅ ?", "entry: in step, pending, stale, missing, orphan"),
        ("● ◐ ○", "lease: owned, expired, free"),
        ("▲ 37 new", "the list stands still; so many came since"),
    ] {
        lines.push(HelpLine::Key { keys: sign.to_owned(), help: meaning.to_owned() });
    }
    lines
}

/// Where the page is.
pub(crate) fn area(model: &Model) -> Rect {
    dialog(layout::frame(model).body, 84, 50)
}

/// How far it can be scrolled.
pub(crate) fn overflow(model: &Model, of: Context) -> usize {
    lines(model, of).len().saturating_sub(usize::from(area(model).height.saturating_sub(2)))
}

/// Draws the page.
pub(super) fn draw(model: &Model, of: Context, scroll: usize, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(model);
    super::backdrop(model, layout::frame(model).body, area, buf);
    let lines = lines(model, of);
    let height = usize::from(area.height.saturating_sub(2));
    let below = lines.len().saturating_sub(scroll + height);
    let right = if below > 0 { format!("↓ {below} more") } else { String::new() };
    let inner =
        Border::new("Keys").right(Line::styled(right, theme.dim)).focused(true).draw(area, buf, theme);
    for (i, line) in lines.iter().skip(scroll).take(height).enumerate() {
        let mut pen = Pen::new(buf, inner, u16::try_from(i).unwrap_or(u16::MAX));
        pen.skip(1);
        match line {
            HelpLine::Heading(heading) => pen.put(heading, theme.strong),
            HelpLine::Key { keys, help } => {
                pen.cell(&text::end(keys, KEYS), KEYS, Align::Left, theme.key).put(help, theme.text)
            }
            HelpLine::Blank => &mut pen,
        };
    }
    None
}
