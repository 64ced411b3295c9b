//! The insert form: the kinds, the lines with what is wrong beside them, the scenarios on their
//! timelines, files that were found, and the command that does the same.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Modifier,
    text::Line,
};

use super::wrap;
use crate::tui::{
    keymap::{Action, Context},
    layout::{dialog, inner},
    model::{InsertForm, InsertMode, Model},
    widgets::{
        pane::Pane as Border,
        pen::{Align, Pen},
        spark, text,
    },
};

const LABEL: usize = 14;
const VALUE: usize = 30;
/// Lines of a document that are shown at once.
const MOST_LINES: usize = 12;
/// Columns of a scenario's timeline.
const TIMELINE: usize = 40;

/// Where the form is.
pub(super) fn area(form: &InsertForm, body: Rect) -> Rect {
    let shown = form.lines().len().min(MOST_LINES);
    let more = match form.mode {
        InsertMode::Scenario => form.scenarios.len() + 4,
        InsertMode::File => form.found().len().min(5) + 1,
        _ => 1,
    };
    let height = u16::try_from(shown + more).unwrap_or(u16::MAX).saturating_add(8).max(14);
    dialog(body, 96, height.min(body.height))
}

/// The first line shown, and how many: the focused one is in sight; the command that does the same keeps two.
fn window(form: &InsertForm, inner: Rect) -> (usize, usize) {
    let room = usize::from(inner.height.saturating_sub(5)).max(1);
    let visible = form.lines().len().min(MOST_LINES).min(room);
    ((form.focus + 1).saturating_sub(visible), visible)
}

/// Columns between the kinds.
fn gap(inner: Rect) -> usize {
    if inner.width < 80 { 2 } else { 3 }
}

/// What can be clicked on in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Spot {
    Mode(InsertMode),
    /// A line; where its text was meant, the characters hidden before what is shown, and the column.
    Line(usize, Option<(usize, usize)>),
    Scenario(usize),
}

/// What is under a position.
pub(in crate::tui) fn hit(form: &InsertForm, body: Rect, at: Position) -> Option<Spot> {
    let inner = inner(area(form, body));
    let line = usize::from(at.y.checked_sub(inner.y)?);
    if line == 0 {
        let mut x = usize::from(inner.x) + 1;
        for mode in InsertMode::ALL {
            let width = 4 + text::width(mode.title());
            if (x..x + width).contains(&usize::from(at.x)) {
                return Some(Spot::Mode(mode));
            }
            x += width + gap(inner);
        }
        return None;
    }
    let (first, visible) = window(form, inner);
    if (2..2 + visible).contains(&line) {
        let place = first + line - 2;
        let column = usize::from(at.x).checked_sub(usize::from(inner.x) + 1 + LABEL);
        let hidden = form.lines().get(place).map(|line| line.input.visual_scroll(VALUE - 1));
        return Some(Spot::Line(place, hidden.zip(column)));
    }
    let scenario = line.checked_sub(3 + visible).filter(|_| form.mode == InsertMode::Scenario)?;
    (scenario < form.scenarios.len()).then_some(Spot::Scenario(scenario))
}

/// Draws the form; gives the place of the cursor.
pub(super) fn draw(model: &Model, form: &InsertForm, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.theme;
    let area = area(form, body);
    super::backdrop(model, body, area, buf);
    Border::new(format!("Insert into {}", model.options.source))
        .right(Line::styled(form.template_word(), theme.dim))
        .focused(true)
        .draw(area, buf, theme);
    let inner = inner(area);
    let mut pen = Pen::new(buf, inner, 0);
    pen.skip(1);
    let gap = gap(inner);
    for mode in InsertMode::ALL {
        let chosen = mode == form.mode;
        let style = if chosen { theme.accent.add_modifier(Modifier::BOLD) } else { theme.dim };
        pen.put(if chosen { "(•) " } else { "( ) " }, style).put(mode.title(), style).skip(gap);
    }
    let (first, visible) = window(form, inner);
    let mut cursor = None;
    for (row, place) in (first..form.lines().len()).take(visible).enumerate() {
        cursor = draw_line(model, form, place, 2 + row, inner, buf).or(cursor);
    }
    let mut line = 2 + visible;
    if form.lines().len() > visible {
        let words = format!("line {} of {}", form.focus + 1, form.lines().len());
        Pen::new(buf, inner, row_of(line)).skip(1).put(&words, theme.dim);
    }
    line += 1;
    match form.mode {
        InsertMode::Scenario => line += draw_scenarios(model, form, line, inner, buf),
        InsertMode::File => line += draw_found(model, form, line, inner, buf),
        InsertMode::One | InsertMode::Batch | InsertMode::Rate => {}
    }
    draw_same_as(model, form, row_of(line), inner, buf);
    cursor
}

fn row_of(line: usize) -> u16 {
    u16::try_from(line).unwrap_or(u16::MAX)
}

fn draw_same_as(model: &Model, form: &InsertForm, below: u16, inner: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let columns = usize::from(inner.width).saturating_sub(2);
    let (heading, words) = if let Some(same) = form.same_as(&model.options.same_as) {
        ("same as", same)
    } else {
        let key = model.key_in(Context::Insert, Action::Submit);
        ("", format!("{key} writes when every line is right"))
    };
    let gap = if heading.is_empty() { 0 } else { heading.len() + 2 };
    let mut lines = wrap(&text::clean(&words), columns.saturating_sub(gap));
    let room = usize::from(inner.height.saturating_sub(below));
    if lines.len() > room {
        lines.truncate(room);
        if let Some(last) = lines.last_mut() {
            let cut = text::end(last, columns.saturating_sub(gap + 2)).into_owned();
            *last = format!("{} …", cut.trim_end_matches('…'));
        }
    }
    for (i, line) in lines.iter().enumerate() {
        let mut pen = Pen::new(buf, inner, below.saturating_add(row_of(i)));
        pen.skip(1).cell(if i == 0 { heading } else { "" }, gap, Align::Left, theme.accent);
        pen.put(line, theme.dim);
    }
}

/// The scenarios of the program, and the timeline of the chosen one; gives the lines used.
fn draw_scenarios(model: &Model, form: &InsertForm, from: usize, inner: Rect, buf: &mut Buffer) -> usize {
    let theme = &model.theme;
    // As many products as the screen knows of: shares are of what is there.
    let existing = model.feed.status.documents.or(model.cache.status.keys).unwrap_or(0);
    let chosen = form.chosen().map(|(place, _)| place);
    for (i, scenario) in form.scenarios.iter().enumerate() {
        let mut pen = Pen::new(buf, inner, row_of(from + i));
        let is_chosen = chosen == Some(i);
        let style = if is_chosen { theme.accent } else { theme.dim };
        pen.put(if is_chosen { "▌" } else { " " }, theme.accent).cell(
            &scenario.name,
            LABEL,
            Align::Left,
            style,
        );
        pen.put(&scenario.about, if is_chosen { theme.text } else { theme.dim });
    }
    let line = from + form.scenarios.len() + 1;
    let mut pen = Pen::new(buf, inner, row_of(line));
    if let Some((_, scenario)) = form.chosen() {
        let columns = TIMELINE.min(usize::from(inner.width).saturating_sub(LABEL + 26));
        let profile: Vec<Option<f64>> = scenario
            .profile(existing, columns)
            .into_iter()
            .map(|writes| (writes > 0.0).then_some(writes))
            .collect();
        pen.skip(1).cell("timeline", LABEL, Align::Left, theme.dim).put("│", theme.border);
        pen.cell(&spark::line(&profile, columns), columns, Align::Left, theme.accent).put("│ ", theme.border);
        pen.put(&text::count(scenario.writes(existing)), theme.strong).put(" writes in ", theme.dim);
        pen.put(&format!("{} s", scenario.length().as_secs()), theme.strong);
    } else {
        pen.skip(1).put(
            "a file of your own: [[step]] with at, during, and products, change, new or same",
            theme.dim,
        );
    }
    form.scenarios.len() + 3
}

/// Files that were found; gives the lines used.
fn draw_found(model: &Model, form: &InsertForm, from: usize, inner: Rect, buf: &mut Buffer) -> usize {
    let theme = &model.theme;
    let found = form.found();
    for (i, path) in found.iter().take(5).enumerate() {
        let more = found.len().saturating_sub(5);
        let mut pen = Pen::new(buf, inner, row_of(from + i));
        pen.skip(1 + LABEL).put(path, theme.text);
        if i == 4 && more > 0 {
            pen.put(&format!("   and {more} more"), theme.dim);
        }
    }
    if found.is_empty() { 0 } else { found.len().min(5) + 1 }
}

fn draw_line(
    model: &Model,
    form: &InsertForm,
    place: usize,
    row: usize,
    inner: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = &model.theme;
    let field = form.lines().get(place)?;
    let row = row_of(row);
    let focused = place == form.focus;
    let scroll = field.input.visual_scroll(VALUE - 1);
    let visible: String = field.input.value().chars().skip(scroll).collect();
    let mut pen = Pen::new(buf, inner, row);
    pen.put(if focused { "▌" } else { " " }, theme.accent);
    let label = text::middle(&field.label, LABEL - 1);
    pen.cell(&label, LABEL, Align::Left, if focused { theme.accent } else { theme.dim });
    let start = pen.x();
    let shown = text::end(&visible, VALUE);
    let style = if focused { theme.strong.add_modifier(Modifier::UNDERLINED) } else { theme.text };
    if focused {
        let padding = " ".repeat(VALUE - text::width(&shown).min(VALUE));
        pen.put(&format!("{shown}{padding}"), style).skip(2);
    } else {
        pen.cell(&shown, VALUE, Align::Left, style).skip(2);
    }
    match form.mistake(place) {
        None => pen.put(&field.hint(&model.key_in(Context::Insert, Action::NextField)), theme.dim),
        Some(mistake) => pen.put(&format!("! {mistake}"), theme.bad),
    };
    if !focused {
        return None;
    }
    let column = field.input.visual_cursor().saturating_sub(scroll).min(VALUE - 1);
    let at = Position { x: start.saturating_add(u16::try_from(column).unwrap_or(0)), y: inner.y + row };
    inner.contains(at).then_some(at)
}
