//! The command palette: everything that can be done, where it works, and how well it matches what was typed.

use tui_input::Input;

use super::{InsertMode, Model, Pane, RebuildChoice};
use crate::{
    engine::{ExportForm, LeaseDeed},
    tui::{
        fuzzy::{Fuzzy, Match},
        keymap::{Action, Binding, Context},
        theme::FileTheme,
    },
};

/// Deeds that are remembered.
const MOST_RECENT: usize = 6;
/// What a title is worth that begins with what was typed.
const TITLE_BEGINS: u32 = 8;
/// What matches less than this share of the best one is noise.
const LEAST_SHARE: f64 = 0.5;

/// What an entry of the palette does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// An action in the place where it works.
    Act(Context, Action),
    /// One of the user's own themes, by its place.
    OwnTheme(usize),
    /// The insert form in one of its modes.
    Insert(InsertMode),
    /// The rebuild dialog with a mode chosen.
    Rebuild(RebuildChoice),
    /// The dialog of deeds on leases with a choice made.
    Leases(LeaseDeed, Which),
    /// The export dialog with a form chosen.
    Export(ExportForm),
    /// A pane sorted by a column; again: the other way round.
    Sort(Pane, usize),
}

/// On which leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The selected one.
    Selected,
    /// All of the prefix.
    All,
}

/// What an entry stands under while nothing is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Chosen lately.
    Recent,
    /// The keys of a place; that of where one is comes first.
    Of(Context),
    /// Themes, layouts and the like: what is chosen among several.
    Choices,
}

impl Group {
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Recent => "Lately",
            Self::Of(context) => context.heading(),
            Self::Choices => "Choices",
        }
    }
}

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) deed: Deed,
    pub(crate) group: Group,
    /// What it does.
    pub(crate) title: String,
    /// Where it works.
    pub(crate) place: &'static str,
    /// Its keys there, as they are bound.
    pub(crate) keys: String,
    /// Characters of the title that match what was typed.
    pub(crate) matched: Vec<u32>,
    /// The name of its action, where only that matches.
    pub(crate) by_name: Option<String>,
    name: String,
}

/// State of the palette.
#[derive(Debug, Clone, Default)]
pub(crate) struct Palette {
    pub(crate) input: Input,
    /// The entry under the cursor.
    pub(crate) cursor: usize,
}

impl Model {
    /// All entries, as the palette would list them while nothing is typed.
    pub(crate) fn palette_entries(&self) -> Vec<Entry> {
        let here = self.context_below_palette();
        let keys = &self.options.keymap;
        let mut entries: Vec<Entry> = Vec::new();
        let mut of = |context: Context, choices: bool| {
            let rows = keys.rows(context).filter(|row| row.action.is_choice() == choices);
            let group = if choices { Group::Choices } else { Group::Of(context) };
            entries.extend(rows.filter(|row| self.offers(row, here)).map(|row| Entry::of(row, group)));
        };
        of(here, false);
        for context in [Context::Main, Context::Global] {
            if context != here {
                of(context, false);
            }
        }
        of(Context::Main, true);
        entries.extend(self.choices());
        let mut of = |context: Context| {
            let rows = keys.rows(context).filter(|row| self.offers(row, here));
            entries.extend(rows.map(|row| Entry::of(row, Group::Of(context))));
        };
        for context in keys.contexts() {
            if context != here && !matches!(context, Context::Main | Context::Global) {
                of(context);
            }
        }
        entries
    }

    /// A row of the keymap has an entry when the palette is opened here.
    fn offers(&self, row: &Binding, here: Context) -> bool {
        if row.context == here || matches!(row.context, Context::Main | Context::Global) {
            return !only_a_key(row.action);
        }
        if row.context == Context::Tour && self.tour.is_none() {
            return false;
        }
        !only_there(row.context, row.action)
    }

    /// What is chosen among several, and is no action of its own.
    fn choices(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut add = |deed, title: String, context: Context, action: Action| {
            let keys = self.options.keymap.key_of(Context::Main, action).unwrap_or_default();
            entries.push(Entry::new(deed, Group::Choices, title, context.place(), keys, &action.name()));
        };
        for mode in InsertMode::ALL {
            add(Deed::Insert(mode), format!("insert {}", mode.title()), Context::Insert, Action::Insert);
        }
        for (choice, words) in [
            (RebuildChoice::Refill, "refill over the live cache"),
            (RebuildChoice::Flush, "flush the mapping's keys first"),
            (RebuildChoice::Since, "only what changed since a time"),
            (RebuildChoice::Leases, "only some leases"),
        ] {
            add(Deed::Rebuild(choice), format!("rebuild: {words}"), Context::Rebuild, Action::Rebuild);
        }
        for deed in LeaseDeed::ALL {
            for (which, words) in
                [(Which::Selected, "the selected lease"), (Which::All, "all leases of the prefix")]
            {
                let title = format!("{} {words}", deed.word());
                add(Deed::Leases(deed, which), title, Context::Leases, Action::Leases);
            }
        }
        for form in ExportForm::ALL {
            let title = format!("export as {}: {}", form.extension(), form.about());
            add(Deed::Export(form), title, Context::Export, Action::Export);
        }
        for pane in Pane::ALL {
            for (column, of) in pane.columns().iter().enumerate() {
                let title = format!("sort {} by {}", pane.title().to_lowercase(), of.name);
                add(Deed::Sort(pane, column), title, Context::Main, Action::Sort);
            }
        }
        for (place, name) in self.options.own_themes.iter().map(FileTheme::name).enumerate() {
            add(Deed::OwnTheme(place), format!("theme: {name}"), Context::Main, Action::NextTheme);
        }
        entries
    }

    /// Entries that match what was typed, the best first; where nothing is typed, what was chosen lately
    /// comes first.
    pub(crate) fn palette_rows(&self, typed: &str) -> Vec<Entry> {
        let typed = typed.trim();
        let mut entries = self.palette_entries();
        if typed.is_empty() {
            let mut recent = Vec::new();
            for deed in &self.recent {
                if let Some(place) = entries.iter().position(|entry| entry.deed == *deed) {
                    recent.push(Entry { group: Group::Recent, ..entries.remove(place) });
                }
            }
            recent.append(&mut entries);
            return recent;
        }
        let mut fuzzy = Fuzzy::new(typed);
        let mut rows: Vec<Found> =
            entries.into_iter().filter_map(|entry| entry.matching(&mut fuzzy)).collect();
        // Of two that match alike the shorter one is meant.
        rows.sort_by_key(|row| (std::cmp::Reverse((row.whole, row.score)), row.entry.title.len()));
        if let Some(best) = rows.first() {
            let (whole, least) = (best.whole, f64::from(best.score) * LEAST_SHARE);
            rows.retain(|row| row.whole == whole && f64::from(row.score) >= least);
        }
        rows.into_iter().map(|row| row.entry).collect()
    }

    /// Remembers what was chosen.
    pub(crate) fn remember(&mut self, deed: Deed) {
        self.recent.retain(|known| *known != deed);
        self.recent.insert(0, deed);
        self.recent.truncate(MOST_RECENT);
    }
}

impl Entry {
    fn of(row: &Binding, group: Group) -> Self {
        let deed = Deed::Act(row.context, row.action);
        Self::new(deed, group, row.help.to_owned(), row.context.place(), row.keys(), &row.action.name())
    }

    fn new(deed: Deed, group: Group, title: String, place: &'static str, keys: String, name: &str) -> Self {
        Self {
            deed,
            group,
            title,
            place,
            keys,
            matched: Vec::new(),
            by_name: None,
            name: name.replace('_', " "),
        }
    }

    /// How it matches, if it does: by its title with its place, or else by its name.
    fn matching(mut self, fuzzy: &mut Fuzzy) -> Option<Found> {
        let rank = |found: &Match| (found.whole, found.score);
        let titled = fuzzy.find(&format!("{} {}", self.title, self.place)).map(|mut found| {
            found.score += if found.places.first() == Some(&0) { TITLE_BEGINS } else { 0 };
            found
        });
        let named = fuzzy.find(&self.name);
        let by_name = named.as_ref().map(rank) > titled.as_ref().map(rank);
        if by_name {
            self.by_name = Some(self.name.clone());
        }
        let (whole, score) = if by_name { named.as_ref() } else { titled.as_ref() }.map(rank)?;
        self.matched = titled.map(|found| found.places).unwrap_or_default();
        Some(Found { whole, score, entry: self })
    }
}

/// An entry that matches.
struct Found {
    whole: bool,
    score: u32,
    entry: Entry,
}

/// Actions that no palette lists, each with the reason.
pub(crate) const ONLY_KEYS: [(Action, &str); 5] = [
    (Action::Up, "moves by a row: a key, or the wheel"),
    (Action::Down, "moves by a row: a key, or the wheel"),
    (Action::PageUp, "moves by a page: a key, or the wheel"),
    (Action::PageDown, "moves by a page: a key, or the wheel"),
    (Action::Palette, "is what is open"),
];

fn only_a_key(action: Action) -> bool {
    ONLY_KEYS.iter().any(|(key, _)| *key == action)
}

/// Means something only while one is there: moving in it, answers to what it asks, the way out. The palette
/// lists it there.
fn only_there(context: Context, action: Action) -> bool {
    let whole = matches!(
        context,
        Context::Palette
            | Context::Confirm
            | Context::Filter
            | Context::Help
            // What works there works in the rebuild dialog, and in the panes.
            | Context::RebuildSince
            | Context::Stage
    );
    whole
        || only_a_key(action)
        || matches!(
            action,
            Action::First
                | Action::Last
                | Action::NextField
                | Action::PreviousField
                | Action::NextChoice
                | Action::PreviousChoice
                | Action::Tick
                | Action::Help
                | Action::Back
        )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ratatui::layout::Size;

    use super::*;
    use crate::tui::ScreenOptions;

    fn model() -> Model {
        Model::new(ScreenOptions::default(), Size::new(80, 24), Timestamp::UNIX_EPOCH)
    }

    fn found(typed: &str) -> Vec<String> {
        model().palette_rows(typed).into_iter().map(|row| row.title).collect()
    }

    #[test]
    fn the_best_is_first_and_noise_is_left_out() {
        let model = model();
        let first = |typed| model.palette_rows(typed).first().map(|row| row.deed);
        assert_eq!(first("rebuild"), Some(Deed::Act(Context::Main, Action::Rebuild)));
        assert_eq!(first("next theme"), Some(Deed::Act(Context::Main, Action::NextTheme)));
        assert_eq!(first("toggle sync"), Some(Deed::Act(Context::Main, Action::ToggleSync)), "by its name");
        assert_eq!(first("reset all"), Some(Deed::Leases(LeaseDeed::Reset, Which::All)));
        assert_eq!(first("zzzz"), None);
        let found = found("tra");
        assert!(found[0].contains("traffic"), "{found:?}");
        assert!(found.iter().all(|title| title.to_lowercase().contains("tra")), "{found:?}");
    }

    #[test]
    fn what_matches_can_be_marked() {
        let rows = model().palette_rows("traff");
        let row = &rows[0];
        let marked: String =
            row.matched.iter().filter_map(|place| row.title.chars().nth(*place as usize)).collect();
        assert_eq!(marked, "traff", "{row:?}");
    }

    #[test]
    fn what_was_chosen_lately_is_first_while_nothing_is_typed() {
        let mut model = model();
        for action in [Action::Mask, Action::Zoom, Action::Mask] {
            model.remember(Deed::Act(Context::Main, action));
        }
        let rows = model.palette_rows("");
        let all = model.palette_entries().len();
        assert_eq!(rows.len(), all, "each once");
        let lately: Vec<Deed> =
            rows.iter().take_while(|row| row.group == Group::Recent).map(|row| row.deed).collect();
        assert_eq!(lately, [Action::Mask, Action::Zoom].map(|action| Deed::Act(Context::Main, action)));
        for i in 0..20 {
            model.remember(Deed::OwnTheme(i));
        }
        assert_eq!(model.recent.len(), MOST_RECENT);
    }
}
