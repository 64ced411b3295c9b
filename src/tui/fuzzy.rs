//! Fuzzy matching of what was typed against ids, keys and names of actions.

use std::fmt;

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, CaseMatching, Normalization, Pattern},
};

/// What was typed, ready to be asked about many texts. White space parts words that must all
/// match; `^`, `$`, `'` and `!` mean what they mean in fzf.
#[derive(Clone)]
pub(crate) struct Fuzzy {
    pattern: Pattern,
    /// About 130 KB: made once per pattern, not per text.
    matcher: Matcher,
    chars: Vec<char>,
}

impl Fuzzy {
    /// Reads what was typed. Upper case in it makes case count.
    pub(crate) fn new(typed: &str) -> Self {
        Self::of(Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart))
    }

    /// Words that are asked about one by one; case does not count. A word of signs alone asks nothing
    /// and is left out: give only such as [`Fuzzy::is_word`].
    pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut pattern = Pattern::default();
        pattern.atoms = words.into_iter().map(atom).collect();
        Self::of(pattern)
    }

    fn of(pattern: Pattern) -> Self {
        Self { pattern, matcher: Matcher::new(Config::DEFAULT), chars: Vec::new() }
    }

    /// Whether a word has anything that can be looked for.
    pub(crate) fn is_word(word: &str) -> bool {
        !atom(word).needle_text().is_empty()
    }

    /// Whether a text matches one of the words; for a word with `!`, whether it does not hold it.
    pub(crate) fn word_matches(&mut self, word: usize, text: &str) -> bool {
        let text = Utf32Str::new(text, &mut self.chars);
        self.pattern.atoms.get(word).is_some_and(|atom| atom.score(text, &mut self.matcher).is_some())
    }

    /// The graphemes of a text that one of the words found, added to `found`.
    pub(crate) fn word_places(&mut self, word: usize, text: &str, found: &mut Vec<u32>) {
        let text = Utf32Str::new(text, &mut self.chars);
        let atom = self.pattern.atoms.get(word).filter(|atom| !atom.negative);
        if let Some(atom) = atom {
            atom.indices(text, &mut self.matcher, found);
        }
    }
}

fn atom(word: &str) -> Atom {
    Atom::parse(word, CaseMatching::Ignore, Normalization::Smart)
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
    /// [`Fuzzy::word_matches`]: the letters of a typed word must lie in one word of the name, or begin words that
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
    fn words_tell_what_they_found_in_graphemes() {
        let mut fuzzy = Fuzzy::words(["P42", "価", "!zz"]);
        let mut found = Vec::new();
        fuzzy.word_places(0, "p-042", &mut found);
        assert_eq!(found, [0, 3, 4]);
        found.clear();
        fuzzy.word_places(1, "é́x価格", &mut found);
        assert_eq!(found, [2]);
        assert!(fuzzy.word_matches(2, "p-042") && !fuzzy.word_matches(2, "azza"));
        assert!(Fuzzy::is_word("!a") && !Fuzzy::is_word("!") && !Fuzzy::is_word("^$"));
    }
}
