//! Fuzzy matching of what was typed against ids, keys and names of actions.

use std::fmt;

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

/// What was typed, ready to be asked about many texts. White space parts words that must all
/// match; `^`, `$`, `'` and `!` mean what they mean in fzf.
pub(crate) struct Fuzzy {
    pattern: Pattern,
    /// About 130 KB: made once per pattern, not per text.
    matcher: Matcher,
    chars: Vec<char>,
}

impl Fuzzy {
    /// Reads what was typed. Upper case in it makes case count.
    pub(crate) fn new(typed: &str) -> Self {
        Self {
            pattern: Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart),
            matcher: Matcher::new(Config::DEFAULT),
            chars: Vec::new(),
        }
    }

    /// How well a text matches, more is better; `None` if it does not. An empty pattern matches
    /// everything.
    pub(crate) fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.chars), &mut self.matcher)
    }
}

impl fmt::Debug for Fuzzy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fuzzy").field(&self.pattern.atoms.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_match_and_closer_ones_match_better() {
        let mut fuzzy = Fuzzy::new("p42");
        let near = fuzzy.score("p-42").expect("matches");
        let far = fuzzy.score("price-4-of-12").expect("matches");
        assert!(near > far, "{near} {far}");
        assert_eq!(fuzzy.score("p-24"), None);
    }

    #[test]
    fn every_word_must_match_and_nothing_matches_all() {
        assert!(Fuzzy::new("re ca").score("rebuild the cache").is_some());
        assert!(Fuzzy::new("re zz").score("rebuild the cache").is_none());
        assert!(Fuzzy::new("").score("anything").is_some());
        assert!(Fuzzy::new("ß😀").score("ß 😀").is_some());
    }
}
