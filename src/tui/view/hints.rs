//! Hints: keys as they are bound in a place, each with what it does. Where a hint is drawn is where a click
//! means it.

use std::{borrow::Cow, ops::Range};

use ratatui::{
    layout::{Position, Rect},
    text::{Line, Span},
};

use crate::tui::{
    keymap::{Action, Context, Keymap},
    model::Model,
    theme::Theme,
    widgets::text,
};

/// Keys of a place with what they do, from left to right; the last is the way out and never left out.
pub(crate) struct Hints<'m> {
    keymap: &'m Keymap,
    context: Context,
    each: Vec<Hint>,
    /// Whether an action does something now.
    offers: Option<Box<dyn Fn(Action) -> bool + 'm>>,
    /// Columns behind each.
    gap: usize,
}

/// One or two keys, and what they do.
struct Hint {
    /// A sign that is no key has no action.
    keys: Vec<(String, Option<Action>)>,
    word: Cow<'static, str>,
}

impl Hint {
    /// Columns between its keys: arrows are read as one sign.
    fn between(&self) -> usize {
        let arrows = self.keys.iter().all(|(key, _)| matches!(key.as_str(), "↑" | "↓" | "←" | "→"));
        usize::from(!arrows)
    }

    /// Columns of each of its keys, counted from its beginning.
    fn spots(&self) -> impl Iterator<Item = (Range<usize>, Option<Action>)> {
        let between = self.between();
        self.keys.iter().scan(0, move |from, (key, action)| {
            let spot = *from..*from + text::width(key);
            *from = spot.end + between;
            Some((spot, *action))
        })
    }

    fn width(&self) -> usize {
        self.spots().last().map_or(0, |(spot, _)| spot.end) + 1 + text::width(&self.word)
    }
}

impl<'m> Hints<'m> {
    /// Of a place, for the lower border of its box.
    pub(super) fn of(model: &'m Model, context: Context) -> Self {
        Self { keymap: &model.options.keymap, context, each: Vec::new(), offers: None, gap: 3 }
    }

    /// What does nothing now is left out.
    pub(super) fn only(mut self, offers: impl Fn(Action) -> bool + 'm) -> Self {
        self.offers = Some(Box::new(offers));
        self
    }

    /// Closer together.
    pub(super) fn close(mut self) -> Self {
        self.gap = 2;
        self
    }

    /// What a key does; what has no key here is left out.
    pub(super) fn key(&mut self, action: Action, word: impl Into<Cow<'static, str>>) -> &mut Self {
        self.keys(&[action], word)
    }

    /// What two keys do together, such as the next one and the one before.
    pub(super) fn pair(
        &mut self,
        one: Action,
        other: Action,
        word: impl Into<Cow<'static, str>>,
    ) -> &mut Self {
        self.keys(&[one, other], word)
    }

    fn keys(&mut self, actions: &[Action], word: impl Into<Cow<'static, str>>) -> &mut Self {
        let offered = |action: Action| self.offers.as_ref().is_none_or(|offers| offers(action));
        let bound = |action: &Action| {
            let key = self.keymap.key_of(self.context, *action).filter(|_| offered(*action))?;
            Some((key, Some(*action)))
        };
        let keys: Vec<_> = actions.iter().filter_map(bound).collect();
        if !keys.is_empty() {
            self.each.push(Hint { keys, word: word.into() });
        }
        self
    }

    /// Something beside the keys: what is going on, or a deed that is no key of ours.
    pub(super) fn sign(&mut self, sign: &str, word: &'static str) -> &mut Self {
        self.each.push(Hint { keys: vec![(sign.to_owned(), None)], word: word.into() });
        self
    }

    /// As many as there is room for, the last always, each with the column where it begins.
    fn placed(&self, room: usize) -> Vec<(usize, &Hint)> {
        let Some((last, rest)) = self.each.split_last() else { return Vec::new() };
        let mut placed = Vec::new();
        let mut from = 0;
        for hint in rest {
            let next = from + hint.width() + self.gap;
            if next + last.width() > room {
                break;
            }
            placed.push((from, hint));
            from = next;
        }
        placed.push((from, last));
        placed
    }

    /// What is drawn in so many columns.
    pub(super) fn spans(&self, theme: &Theme, room: usize) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        for (from, hint) in self.placed(room) {
            if from > 0 {
                spans.push(Span::styled(" ".repeat(self.gap), theme.dim));
            }
            for (i, (key, _)) in hint.keys.iter().enumerate() {
                if i > 0 {
                    spans.push(Span::styled(" ".repeat(hint.between()), theme.dim));
                }
                spans.push(Span::styled(key.clone(), theme.key));
            }
            spans.push(Span::styled(format!(" {}", hint.word), theme.dim));
        }
        spans
    }

    /// For the lower border of a box.
    pub(super) fn line(&self, theme: &Theme, area: Rect) -> Line<'static> {
        Line::from(self.spans(theme, usize::from(in_border(area).width)))
    }

    /// The action under a column, of so many.
    pub(super) fn at(&self, column: usize, room: usize) -> Option<Action> {
        let placed = self.placed(room);
        let (from, hint) =
            placed.into_iter().find(|(from, hint)| (*from..from + hint.width()).contains(&column))?;
        // Between the keys and on the word the first one is meant.
        let pointed = hint.spots().find(|(spot, _)| spot.contains(&(column - from)));
        pointed.or_else(|| hint.spots().next())?.1
    }

    /// The action under a position, where they are drawn in a row.
    pub(super) fn under(&self, at: Position, row: Rect) -> Option<Action> {
        if !row.contains(at) {
            return None;
        }
        self.at(usize::from(at.x - row.x), usize::from(row.width))
    }

    /// Where their keys are typed.
    pub(super) fn context(&self) -> Context {
        self.context
    }
}

/// Where hints stand in the lower border of a box.
pub(super) fn in_border(area: Rect) -> Rect {
    if area.width < 4 || area.height < 2 {
        return Rect::default();
    }
    Rect { x: area.x + 2, y: area.bottom() - 1, width: area.width - 4, height: 1 }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;
    use crate::tui::{ScreenOptions, theme::ThemeName};

    fn model(keymap: &str) -> Model {
        let keymap = Keymap::parse("k.toml", keymap).unwrap().into();
        let options = ScreenOptions { keymap, ..ScreenOptions::default() };
        Model::new(options, Size::new(80, 24), jiff::Timestamp::UNIX_EPOCH)
    }

    fn hints(model: &Model) -> Hints<'_> {
        let mut hints = Hints::of(model, Context::Leases);
        hints.key(Action::Submit, "release").pair(Action::Up, Action::Down, "what");
        hints.sign("◐", "busy").key(Action::Back, "cancel");
        hints
    }

    fn text(hints: &Hints<'_>, room: usize) -> String {
        hints.spans(&Theme::of(ThemeName::Mono), room).iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn what_is_drawn_is_what_is_clicked() {
        let model = model("");
        let hints = hints(&model);
        let drawn = text(&hints, 80);
        assert_eq!(drawn, "enter release   ↑↓ what   ◐ busy   esc cancel");
        let at = |part: &str| hints.at(drawn[..drawn.find(part).unwrap()].chars().count(), 80);
        for (part, action) in [
            ("enter", Some(Action::Submit)),
            ("release", Some(Action::Submit)),
            ("↑", Some(Action::Up)),
            ("↓", Some(Action::Down)),
            ("what", Some(Action::Up)),
            ("busy", None),
            ("cancel", Some(Action::Back)),
            ("  esc", None),
        ] {
            assert_eq!(at(part), action, "{part}");
        }
    }

    #[test]
    fn keys_are_those_of_the_user_and_what_has_none_is_left_out() {
        let model = model("[leases]\nsubmit = []\nup = 'x'\ndown = 'f5'\nback = 'delete'");
        let hints = hints(&model);
        assert_eq!(text(&hints, 80), "x f5 what   ◐ busy   delete cancel");
        assert_eq!((hints.at(2, 80), hints.at(5, 80)), (Some(Action::Down), Some(Action::Up)));
    }

    #[test]
    fn the_way_out_is_never_left_out() {
        let model = model("");
        let hints = hints(&model);
        assert_eq!(text(&hints, 26), "enter release   esc cancel");
        assert_eq!(text(&hints, 25), "esc cancel");
        assert_eq!(hints.at(4, 25), Some(Action::Back));
    }
}
