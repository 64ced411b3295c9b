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
    #[allow(dead_code, reason = "for filters over ids and keys")]
    pub(crate) fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.chars), &mut self.matcher)
    }
}

/// How well a name matches, and by which of its characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// More is better.
    pub(crate) score: u32,
    /// Each typed word is there as it was typed, not letter by letter.
    pub(crate) whole: bool,
    /// Ascending, counted in characters.
    pub(crate) places: Vec<u32>,
}

impl Fuzzy {
    /// How a name of a few words matches, for lists that people search by name. Stricter than
    /// [`Fuzzy::score`]: the letters of a typed word must lie in one word of the name, or begin words that
    /// follow each other, so that three letters strewn over a sentence are no match.
    pub(crate) fn find(&mut self, name: &str) -> Option<Match> {
        let mut found = Match { score: 0, whole: true, places: Vec::new() };
        let words = words(name);
        for atom in &self.pattern.atoms {
            let from = found.places.len();
            let name = Utf32Str::new(name, &mut self.chars);
            found.score += u32::from(atom.indices(name, &mut self.matcher, &mut found.places)?);
            found.places[from..].sort_unstable();
            let places = &found.places[from..];
            let in_a_row = places.windows(2).all(|pair| pair[1] == pair[0] + 1);
            if !in_a_row && !holds_together(places, &words) {
                return None;
            }
            found.whole &= in_a_row;
        }
        found.places.sort_unstable();
        found.places.dedup();
        Some(found)
    }
}

/// For each character the number of its word, and whether it begins it.
fn words(name: &str) -> Vec<(usize, bool)> {
    let (mut word, mut inside) = (0, false);
    name.chars()
        .map(|c| {
            let begins = c.is_alphanumeric() && !inside;
            inside = c.is_alphanumeric();
            word += usize::from(begins);
            (word, begins)
        })
        .collect()
}

/// Letters from the beginning of a word on that follow each other, or lie in one word, or begin the next.
fn holds_together(places: &[u32], words: &[(usize, bool)]) -> bool {
    let of = |place: u32| words.get(usize::try_from(place).ok()?).copied();
    let begins = places.first().and_then(|place| of(*place)).is_none_or(|(_, begins)| begins);
    begins
        && places.windows(2).all(|pair| {
            let [before, after] = [of(pair[0]), of(pair[1])];
            let (Some((word, _)), Some((next, begins))) = (before, after) else { return true };
            pair[1] == pair[0] + 1 || next == word || (begins && next == word + 1)
        })
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
    fn letters_strewn_over_a_sentence_are_no_match() {
        let places = |typed: &str, name: &str| Fuzzy::new(typed).find(name).map(|found| found.places);
        assert_eq!(places("tra", "the focused pane on the whole screen, and back"), None);
        assert_eq!(places("tra", "more sample traffic"), Some(vec![12, 13, 14]));
        assert_eq!(places("rbld", "rebuild"), Some(vec![0, 2, 5, 6]), "in one word");
        assert_eq!(places("tra", "delete its entry: asks first"), None, "begins in the middle of a word");
        assert_eq!(places("st", "sample traffic"), Some(vec![0, 7]), "words that follow each other");
        assert_eq!(places("traf more", "more traffic"), Some(vec![0, 1, 2, 3, 5, 6, 7, 8]));
        assert_eq!(places("", "anything"), Some(Vec::new()));
        assert_eq!(places("traffic zz", "more traffic"), None);
    }

    #[test]
    fn every_word_must_match_and_nothing_matches_all() {
        assert!(Fuzzy::new("re ca").score("rebuild the cache").is_some());
        assert!(Fuzzy::new("re zz").score("rebuild the cache").is_none());
        assert!(Fuzzy::new("").score("anything").is_some());
        assert!(Fuzzy::new("ß😀").score("ß 😀").is_some());
    }
}
