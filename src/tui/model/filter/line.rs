//! The line in which a pane's filter is typed, and the filters of before.

use tui_input::Input;

use super::FilterFault;

/// Filters kept per pane.
const KEPT: usize = 50;

/// The line of one pane.
#[derive(Debug, Clone)]
pub(crate) struct FilterLine {
    pub(crate) input: Input,
    /// What is wrong with the text; the filter in force is the last that was right.
    pub(crate) fault: Option<FilterFault>,
    /// Only rows that pass are shown; else all, and those are marked.
    pub(crate) narrows: bool,
    /// Newest last.
    before: Vec<String>,
    /// The one of them in the line, and what was typed before going there.
    browsing: Option<(usize, String)>,
}

impl Default for FilterLine {
    fn default() -> Self {
        Self { input: Input::default(), fault: None, narrows: true, before: Vec::new(), browsing: None }
    }
}

impl FilterLine {
    /// As typed.
    pub(crate) fn value(&self) -> &str {
        self.input.value()
    }

    /// Forgets the text, keeps it among those of before.
    pub(crate) fn reset(&mut self) {
        self.keep();
        self.set("");
    }

    /// Puts a text into the line.
    pub(crate) fn set(&mut self, text: &str) {
        self.input = Input::new(text.to_owned());
        self.fault = None;
        self.browsing = None;
    }

    /// The text was typed to its end.
    pub(crate) fn keep(&mut self) {
        let text = self.input.value().trim().to_owned();
        self.browsing = None;
        if text.is_empty() || self.fault.is_some() {
            return;
        }
        self.before.retain(|before| *before != text);
        self.before.push(text);
        if self.before.len() > KEPT {
            self.before.remove(0);
        }
    }

    /// The filter before the one in the line.
    pub(crate) fn older(&mut self) {
        let (place, draft) = match self.browsing.take() {
            Some((place, draft)) => (place.saturating_sub(1), draft),
            None if self.before.is_empty() => return,
            None => (self.before.len() - 1, self.input.value().to_owned()),
        };
        self.input = Input::new(self.before[place].clone());
        self.browsing = Some((place, draft));
    }

    /// The filter after the one in the line, at last what was being typed.
    pub(crate) fn newer(&mut self) {
        let Some((place, draft)) = self.browsing.take() else { return };
        if let Some(next) = self.before.get(place + 1) {
            self.input = Input::new(next.clone());
            self.browsing = Some((place + 1, draft));
        } else {
            self.input = Input::new(draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_and_down_go_through_the_filters_of_before_and_back_to_what_was_typed() {
        let mut line = FilterLine::default();
        line.older();
        assert_eq!(line.value(), "");
        for text in ["one", "two", "one"] {
            line.set(text);
            line.keep();
        }
        line.set("dra");
        line.older();
        assert_eq!(line.value(), "one");
        line.older();
        line.older();
        assert_eq!(line.value(), "two", "each is kept once");
        line.newer();
        line.newer();
        assert_eq!(line.value(), "dra");
        line.newer();
        assert_eq!(line.value(), "dra");
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut line = FilterLine::default();
        for n in 0..200 {
            line.set(&n.to_string());
            line.keep();
        }
        assert_eq!((line.before.len(), line.before[0].as_str()), (KEPT, "150"));
    }
}
