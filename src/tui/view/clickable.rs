//! What of a frame can be clicked on: the frame itself says it, because what is drawn is what people mean.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::draw;
use crate::tui::{
    keymap::{Action, Context},
    layout,
    model::{Model, Overlay},
};

/// Where the topmost overlay is; `None` = there is none.
pub(crate) fn area(model: &Model) -> Option<Rect> {
    let body = layout::frame(model).body;
    Some(match model.overlays.last()? {
        Overlay::Follow(_) | Overlay::Edit(_) | Overlay::Stage => body,
        Overlay::Insert(form) => super::insert::area(form, body),
        Overlay::Rebuild(dialog) => super::rebuild::area(model, dialog, body),
        Overlay::Leases(dialog) => super::lease_dialog::area(model, dialog, body),
        Overlay::Letters(_) => super::letters::area(body),
        Overlay::Tree(_) => super::tree::area(body),
        Overlay::Preview(preview) => super::preview::area(model, preview, body),
        Overlay::Verify(_) => super::verify::area(body, model.verification.findings.len()),
        Overlay::Help { .. } => super::help::area(model),
        Overlay::Palette(_) => super::palette::area(body),
        Overlay::Confirm(question) => super::confirm::area(model, *question, body),
        Overlay::Export(_) => super::export::area(body),
        Overlay::Health { .. } => super::health::area(model),
    })
}

/// The action of the hint under a position, such as `esc back`: a key that is bound in this place, and the
/// words after it.
pub(crate) fn hint(model: &Model, context: Context, at: Position) -> Option<Action> {
    let mut buf = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
    draw(model, &mut buf);
    let row: Vec<&str> = (0..model.size.width).map(|x| buf[(x, at.y)].symbol()).collect();
    let segment = segment(&row, usize::from(at.x))?;
    let (pointed, first) = words(&row[segment.clone()], usize::from(at.x) - segment.start)?;
    let keymap = &model.options.keymap;
    let bound = |word: &str| {
        let rows = keymap.rows(context).chain(keymap.rows(Context::Global));
        let mut rows = rows.filter(|row| row.chords.iter().any(|chord| chord.text() == word));
        rows.next().map(|row| row.action)
    };
    // `↑↓ what` has two keys in one word.
    let symbol = row.get(usize::from(at.x)).copied().unwrap_or_default();
    let arrow = "↑↓←→".contains(symbol).then(|| bound(symbol)).flatten();
    arrow.or_else(|| bound(&pointed)).or_else(|| bound(&first))
}

/// The columns around one that neither a border nor two spaces part from it.
fn segment(row: &[&str], at: usize) -> Option<std::ops::Range<usize>> {
    let blank = |x: usize| row.get(x).is_none_or(|symbol| symbol.trim().is_empty());
    let border =
        |x: usize| row.get(x).is_some_and(|symbol| "─│╭╮╰╯|+".contains(symbol) && !symbol.is_empty());
    if blank(at) || border(at) {
        return None;
    }
    let parts = |x: usize| border(x) || (blank(x) && blank(x + 1)) || (blank(x) && x > 0 && blank(x - 1));
    let start = (0..at).rev().find(|x| parts(*x)).map_or(0, |x| x + 1);
    let end = (at..row.len()).find(|x| parts(*x)).unwrap_or(row.len());
    Some(start..end)
}

/// The word at a column of a segment, and its first word.
fn words(segment: &[&str], at: usize) -> Option<(String, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (x, symbol) in segment.iter().enumerate() {
        if symbol.trim().is_empty() {
            inside = false;
            continue;
        }
        match words.last_mut().filter(|_| inside) {
            Some((_, word)) => word.push_str(symbol),
            None => words.push((x, (*symbol).to_owned())),
        }
        inside = true;
    }
    let first = words.first()?.1.clone();
    let pointed = words.into_iter().rev().find(|(x, _)| *x <= at)?.1;
    Some((pointed, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_its_key_and_the_words_after_it() {
        let row = "╰ enter do it   ↑↓ what   esc back ──╯";
        let cells: Vec<String> = row.chars().map(String::from).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let at =
            |part: &str| row.chars().collect::<String>().find(part).map(|byte| row[..byte].chars().count());
        let found = |part| {
            let x = at(part).unwrap();
            let segment = segment(&cells, x).unwrap();
            words(&cells[segment.clone()], x - segment.start).unwrap()
        };
        assert_eq!(found("do"), ("do".to_owned(), "enter".to_owned()));
        assert_eq!(found("esc"), ("esc".to_owned(), "esc".to_owned()));
        assert_eq!(found("back"), ("back".to_owned(), "esc".to_owned()));
        assert_eq!(segment(&cells, at("──").unwrap()), None);
    }
}
