//! What every plan on leases tells in the same words: owners, those that would lose theirs, and one lease beside
//! what becomes of it.

use std::fmt::Write as _;

use jiff::Timestamp;
use ratatui::style::Style;

use super::sheet::Sheet;
use crate::tui::{
    keymap::{Action, Context},
    model::Model,
    widgets::text,
};

/// Columns before the id of a lease.
pub(super) const DEED: usize = 10;
/// Columns between what is told of it.
const GAP: usize = 2;

/// The owner of a lease, as a plan has found it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    /// `None` = nobody's.
    pub(super) name: Option<&'a str>,
    /// It has written within the expiration interval.
    pub(super) live: bool,
    pub(super) heartbeat: Option<Timestamp>,
    /// When this run saw it first.
    pub(super) since: Option<Timestamp>,
}

impl Owner<'_> {
    /// In words, and how they look.
    pub(super) fn words(&self, model: &Model) -> (String, Style) {
        let theme = &model.theme;
        let (mut words, style) = match (self.name, self.live) {
            (None, _) => ("○ no owner".to_owned(), theme.dim),
            (Some(owner), true) => (format!("● {}", text::middle(owner, 20)), theme.bad),
            (Some(owner), false) => (format!("◐ {}, expired", text::middle(owner, 20)), theme.waiting),
        };
        if let Some(beat) = self.heartbeat {
            // Writing to a text cannot fail.
            let _ = write!(words, ", beat {}", text::span(text::seconds_between(beat, model.now)));
        }
        if let Some(since) = self.since.filter(|_| self.live) {
            let since = text::clock(since, &model.options.zone);
            let _ = write!(words, ", owner since {} or before", &since[..8]);
        }
        (words, style)
    }
}

/// So many leases have a live owner, who has to be agreed to lose them.
pub(super) fn live_owners(model: &Model, context: Context, live: usize, agreed: bool, sheet: &mut Sheet) {
    let theme = &model.theme;
    let whose = if live == 1 { "a live owner".to_owned() } else { format!("live owners of {live}") };
    let key = model.key_in(context, Action::TakeOver);
    if agreed {
        sheet.item("! ", &format!("{whose} will lose them: {key} takes that back"), theme.waiting);
    } else {
        let words =
            format!("{whose} would lose them: stop the owner first, or {key} agrees to take them over");
        sheet.item("! ", &words, theme.bad);
    }
}

/// What becomes of a lease, and its owner: behind the id where there is room, else below it, each on a line of
/// its own where one is too short.
pub(super) fn beside(sheet: &mut Sheet, mut line: Vec<(String, Style)>, rest: Vec<(String, Style)>) {
    let width = |parts: &[(String, Style)]| parts.iter().map(|(words, _)| text::width(words)).sum::<usize>();
    let blank = |columns: usize| (" ".repeat(columns), Style::default());
    let gaps = GAP * rest.len();
    if width(&line) + gaps + width(&rest) <= sheet.columns() {
        line.extend(rest.into_iter().flat_map(|part| [blank(GAP), part]));
        sheet.parts(line);
    } else if DEED - GAP + gaps + width(&rest) <= sheet.columns() {
        let below = rest.into_iter().flat_map(|part| [blank(GAP), part]);
        let below = std::iter::once(blank(DEED - GAP)).chain(below).collect();
        sheet.parts(line).parts(below);
    } else {
        sheet.parts(line);
        for part in rest {
            sheet.parts(vec![blank(DEED), part]);
        }
    }
}
