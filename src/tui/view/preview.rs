//! The mapping preview: the entries that a document would become, or why there are none, with the place.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::{hints::Hints, masked, sheet::Sheet};
use crate::{
    config::shell_word,
    engine::{PreviewEntry, PreviewFault},
    tui::{
        keymap::{Action, Context},
        layout::{frame, inner},
        model::{Model, Preview},
        pretty,
        widgets::{pane::Pane as Border, text},
    },
};

const WIDTH: u16 = 120;
/// Columns before what is typed.
const LABEL: usize = 6;
/// Lines of a value shown.
const VALUE: usize = 40;

/// Draws the view; gives the cursor of the field that is typed into.
pub(super) fn draw(model: &Model, state: &Preview, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let sheet = sheet(model, state, body);
    let area = sheet.area(body, WIDTH);
    super::backdrop(model, body, area, buf);
    let inner = Border::new("Mapping preview: nothing is written")
        .foot(foot(model).line(theme, area))
        .focused(true)
        .draw(area, buf, theme);
    let more = model.options.keymap.key_of(Context::Preview, Action::PageDown);
    sheet.draw(state.scroll, inner, buf, theme, more.as_deref());
    let (input, line) = if state.on_jq { (&state.jq, 1) } else { (&state.key, 0) };
    (state.scroll == 0 && inner.height > line).then(|| {
        let column = u16::try_from(LABEL + input.visual_cursor()).unwrap_or(u16::MAX);
        let x = inner.x.saturating_add(1).saturating_add(column).min(inner.right().saturating_sub(1));
        Position { x, y: inner.y + line }
    })
}

/// What the keys do.
pub(super) fn foot(model: &Model) -> Hints<'_> {
    let mut hints = Hints::of(model, Context::Preview);
    hints.key(Action::NextField, "key or jq").sign("paste", "the document");
    hints.key(Action::Copy, "copy command").key(Action::Back, "back");
    hints
}

/// Where it is.
pub(super) fn area(model: &Model, state: &Preview, body: Rect) -> Rect {
    sheet(model, state, body).area(body, WIDTH)
}

/// The field under a position, whether it is that of the expression, and the column of its text.
pub(in crate::tui) fn hit(model: &Model, state: &Preview, body: Rect, at: Position) -> Option<(bool, usize)> {
    let inner = inner(area(model, state, body));
    let line = at.y.checked_sub(inner.y).filter(|line| *line < 2 && state.scroll == 0)?;
    let from = usize::from(inner.x) + 1 + LABEL;
    Some((line == 1, usize::from(at.x).saturating_sub(from)))
}

/// How far it can be scrolled.
pub(in crate::tui) fn overflow(model: &Model, state: &Preview) -> usize {
    let body = frame(model).body;
    sheet(model, state, body).overflow(body)
}

fn sheet(model: &Model, state: &Preview, body: Rect) -> Sheet {
    let theme = &model.theme;
    let mut sheet = Sheet::new(usize::from(WIDTH.min(body.width)).saturating_sub(4));
    for (name, input, focused) in [("key", &state.key, !state.on_jq), ("jq", &state.jq, state.on_jq)] {
        let value = text::clean(input.value()).into_owned();
        let empty = value.is_empty() && !focused;
        let words = if empty { "as configured".to_owned() } else { value };
        let style = if empty {
            theme.dim
        } else if focused {
            theme.key
        } else {
            theme.text
        };
        let label = if focused { theme.strong } else { theme.dim };
        sheet.parts(vec![(format!("{name:<LABEL$}"), label), (words, style)]);
    }
    sheet.item("same as  ", &same_as(state), theme.dim);
    sheet.blank();
    if state.document.trim().is_empty() {
        let (open, preview) = (model.key(Action::Open), model.key_in(Context::Follow, Action::Preview));
        let words =
            format!("paste a document here, or open one ({open} in a pane) and press {preview} there");
        sheet.words(&words, theme.dim);
        return sheet;
    }
    match state.answer.as_ref().map(|answer| &answer.outcome) {
        None => drop(sheet.words("asking the mapping …", theme.dim)),
        Some(Err(fault)) => draw_fault(model, state, fault, &mut sheet),
        Some(Ok(entries)) if entries.is_empty() => {
            sheet.words("no entry: the mapping gives no value for this document", theme.waiting);
        }
        Some(Ok(entries)) => entries.iter().for_each(|entry| draw_entry(model, entry, &mut sheet)),
    }
    sheet.blank();
    sheet.words("document", theme.dim);
    for line in state.document.lines().take(VALUE) {
        sheet.words(&masked(model, line), theme.text);
    }
    sheet
}

/// What is wrong, and a mark under the place where it is.
fn draw_fault(model: &Model, state: &Preview, fault: &PreviewFault, sheet: &mut Sheet) {
    let theme = &model.theme;
    let place = match (fault.setting, fault.line, fault.column) {
        (Some(setting), Some(line), Some(column)) => format!(" ({setting}, line {line}, column {column})"),
        (None, Some(line), Some(column)) => format!(" (the document, line {line}, column {column})"),
        (Some(setting), ..) => format!(" ({setting})"),
        _ => String::new(),
    };
    sheet.item("! ", &format!("{}{place}", fault.what), theme.bad);
    let of = match fault.setting {
        None => state.document.as_str(),
        Some(setting) if setting.contains("jq") => state.jq.value(),
        Some(_) => state.key.value(),
    };
    let (Some(line), Some(column)) = (fault.line, fault.column) else { return };
    let Some(text_line) = line.checked_sub(1).and_then(|line| of.lines().nth(line)) else { return };
    // A long line is shown around its fault.
    let room = sheet.columns().saturating_sub(4).max(10);
    let from = column.saturating_sub(room / 2);
    let part: String = text_line.chars().skip(from).take(room).collect();
    let before: String = text_line.chars().skip(from).take(column.saturating_sub(1 + from)).collect();
    let mark = " ".repeat(2 + text::width(&text::clean(&before)));
    let line = |words: String, style: Style| vec![(words, style)];
    sheet.parts(line(format!("  {}", text::clean(&part)), theme.text));
    sheet.parts(line(format!("{mark}^"), theme.bad));
}

fn draw_entry(model: &Model, entry: &PreviewEntry, sheet: &mut Sheet) {
    let theme = &model.theme;
    let key = masked(model, &entry.key).into_owned();
    if entry.deletes {
        sheet.parts(vec![("∅ ".to_owned(), theme.waiting), (key, theme.strong)]);
        sheet.words("  the document counts as deleted: this key is deleted", theme.waiting);
        return;
    }
    let guarded = if entry.guarded { " · guarded" } else { "" };
    sheet.parts(vec![("✓ ".to_owned(), theme.good), (key, theme.strong)]);
    let size = text::bytes(entry.value.len() as u64);
    sheet.words(&format!("  {} · {size} · {}{guarded}", entry.encoding, entry.expiry), theme.dim);
    for line in pretty::lines(&entry.value).iter().take(VALUE) {
        sheet.words(&format!("  {}", masked(model, line)), theme.text);
    }
}

/// The command line that does the same with a file.
pub(in crate::tui) fn same_as(state: &Preview) -> String {
    let mut line = "syncscope map --doc FILE".to_owned();
    for (flag, input) in [("--key", &state.key), ("--jq", &state.jq)] {
        let value = input.value().trim();
        if !value.is_empty() {
            line = format!("{line} {flag} {}", shell_word(value));
        }
    }
    line
}
