//! How the panes share the screen: presets, widths and heights that were dragged, panes that are hidden.

use std::fmt;

use super::Pane;

/// Columns that a pane keeps.
pub(crate) const LEAST_COLUMNS: u16 = 18;
/// Lines that each row of panes keeps.
pub(crate) const LEAST_ROWS: u16 = 5;

/// A layout with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Everything in sight.
    #[default]
    Balanced,
    /// The change feed has most of the width.
    Feed,
    /// The cache has.
    Cache,
    /// The leases have, with their timeline.
    Leases,
    /// Latency and activity have most of the height.
    Latency,
    /// The focused pane alone.
    Reading,
}

impl Preset {
    /// All, in the order in which the key goes through them.
    pub const ALL: [Self; 6] =
        [Self::Balanced, Self::Feed, Self::Cache, Self::Leases, Self::Latency, Self::Reading];

    /// The name as typed on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Feed => "feed",
            Self::Cache => "cache",
            Self::Leases => "leases",
            Self::Latency => "latency",
            Self::Reading => "reading",
        }
    }
}

/// How the panes share the screen. As text it is the name of a preset, or
/// `own 5,3,4,11,9 300 log`: weights, height of the lower row, hidden panes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    /// `None` = something was dragged or hidden since.
    preset: Option<Preset>,
    /// Share of the width among the panes of a row; of each pane by its place in [`Pane::ALL`].
    weights: [u16; 5],
    /// Height of the lower row in thousandths of both; `None` = by the height of the screen.
    lower: Option<u16>,
    hidden: [bool; 5],
}

impl Default for Arrangement {
    fn default() -> Self {
        Self::of(Preset::Balanced)
    }
}

impl Arrangement {
    /// A preset as it comes with the program.
    pub fn of(preset: Preset) -> Self {
        let (upper, lower) = match preset {
            Preset::Balanced | Preset::Reading => ([5, 3, 4], None),
            Preset::Feed => ([9, 3, 4], None),
            Preset::Cache => ([4, 3, 9], None),
            Preset::Leases => ([4, 8, 4], None),
            Preset::Latency => ([5, 3, 4], Some(600)),
        };
        let [feed, leases, cache] = upper;
        Self { preset: Some(preset), weights: [feed, leases, cache, 11, 9], lower, hidden: [false; 5] }
    }

    /// Reads what [`Arrangement`] writes, or the name of a preset.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(preset) = Preset::ALL.into_iter().find(|preset| preset.name() == text) {
            return Some(Self::of(preset));
        }
        let mut parts = text.strip_prefix("own ")?.split(' ');
        let mut weights = [0; 5];
        let mut given = parts.next()?.split(',');
        for weight in &mut weights {
            *weight = given.next()?.parse().ok().filter(|weight| (1..=10_000).contains(weight))?;
        }
        let lower = match parts.next()? {
            "-" => None,
            text => Some(text.parse().ok().filter(|share| *share <= 1_000)?),
        };
        let names = parts.next()?;
        let mut hidden = Pane::ALL.map(|_| false);
        for name in names.split(',').filter(|name| *name != "-") {
            let pane = Pane::ALL.into_iter().find(|pane| pane.title().eq_ignore_ascii_case(name))?;
            hidden[pane.index()] = true;
        }
        let whole = given.next().is_none() && parts.next().is_none() && hidden != [true; 5];
        whole.then_some(Self { preset: None, weights, lower, hidden })
    }

    pub(crate) fn preset(&self) -> Option<Preset> {
        self.preset
    }

    /// The preset that comes next.
    pub(crate) fn next(&self) -> Preset {
        let place = Preset::ALL.iter().position(|preset| Some(*preset) == self.preset);
        place.map_or(Preset::Balanced, |place| Preset::ALL[(place + 1) % Preset::ALL.len()])
    }

    pub(crate) fn weight(&self, pane: Pane) -> u16 {
        self.weights[pane.index()]
    }

    pub(crate) fn is_hidden(&self, pane: Pane) -> bool {
        self.hidden[pane.index()]
    }

    pub(crate) fn hidden(&self) -> impl Iterator<Item = Pane> {
        Pane::ALL.into_iter().filter(|pane| self.is_hidden(*pane))
    }

    /// Shows or hides; the last pane stays: `false`.
    pub(crate) fn set_hidden(&mut self, pane: Pane, hidden: bool) -> bool {
        if hidden && self.hidden().count() + 1 >= Pane::ALL.len() && !self.is_hidden(pane) {
            return false;
        }
        if self.is_hidden(pane) != hidden {
            self.hidden[pane.index()] = hidden;
            self.preset = None;
        }
        true
    }

    /// Lines of the lower row, of so many for both; `None` = nobody has said.
    pub(crate) fn lower(&self, rows: u16) -> Option<u16> {
        let share = u32::from(self.lower?);
        let lines = u16::try_from((u32::from(rows) * share + 500) / 1_000).unwrap_or(rows);
        Some(lines.clamp(LEAST_ROWS.min(rows), rows.saturating_sub(LEAST_ROWS).max(1)))
    }

    /// Gives the lower row so many lines of those for both.
    pub(crate) fn set_lower(&mut self, lines: u16, rows: u16) {
        let rows = rows.max(1);
        let lines = lines.clamp(LEAST_ROWS.min(rows), rows.saturating_sub(LEAST_ROWS).max(1));
        let share = (u32::from(lines) * 1_000 + u32::from(rows) / 2) / u32::from(rows);
        self.lower = u16::try_from(share).ok();
        self.preset = None;
    }

    /// Moves the border between two neighbours, the first of which gets so many columns. `widths` are those
    /// of the row as it is drawn, theirs among them.
    pub(crate) fn set_columns(&mut self, widths: &[(Pane, u16)], first: Pane, second: Pane, columns: u16) {
        let width = |of: Pane| widths.iter().find(|(pane, _)| *pane == of).map_or(0, |(_, width)| *width);
        let both = width(first) + width(second);
        if both < 2 * LEAST_COLUMNS {
            return;
        }
        // From shares to columns, the hidden ones of the row in proportion.
        let total: u32 = widths.iter().map(|(_, width)| u32::from(*width)).sum();
        let shares: u32 = widths.iter().map(|(pane, _)| u32::from(self.weight(*pane))).sum();
        let upper = |pane: Pane| pane.index() < 3;
        for pane in Pane::ALL.into_iter().filter(|pane| upper(*pane) == upper(first)) {
            let columns = match widths.iter().find(|(of, _)| *of == pane) {
                Some((_, width)) => u32::from(*width),
                None => u32::from(self.weight(pane)) * total / shares.max(1),
            };
            self.weights[pane.index()] = u16::try_from(columns.clamp(1, 10_000)).unwrap_or(1);
        }
        let columns = columns.clamp(LEAST_COLUMNS, both - LEAST_COLUMNS);
        self.weights[first.index()] = columns;
        self.weights[second.index()] = both - columns;
        self.preset = None;
    }
}

impl fmt::Display for Arrangement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(preset) = self.preset {
            return f.write_str(preset.name());
        }
        let weights: Vec<String> = self.weights.iter().map(u16::to_string).collect();
        let lower = self.lower.map_or_else(|| "-".to_owned(), |share| share.to_string());
        let hidden: Vec<String> = self.hidden().map(|pane| pane.title().to_lowercase()).collect();
        let hidden = if hidden.is_empty() { "-".to_owned() } else { hidden.join(",") };
        write!(f, "own {} {lower} {hidden}", weights.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        for preset in Preset::ALL {
            let of = Arrangement::of(preset);
            assert_eq!(Arrangement::parse(&of.to_string()), Some(of));
        }
        let mut own = Arrangement::default();
        own.set_lower(12, 40);
        assert!(own.set_hidden(Pane::Log, true) && own.set_hidden(Pane::Leases, true));
        assert_eq!(own.to_string(), "own 5,3,4,11,9 300 leases,log");
        assert_eq!(Arrangement::parse(&own.to_string()), Some(own));
        for wrong in [
            "",
            "balancd",
            "own",
            "own 5,3,4,11 - -",
            "own 5,3,4,11,0 - -",
            "own 5,3,4,11,9 1001 -",
            "own 5,3,4,11,9 - nothing",
            "own 5,3,4,11,9 - feed,leases,cache,latency,log",
            "own 5,3,4,11,9,1 - -",
        ] {
            assert_eq!(Arrangement::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_pane_stays() {
        let mut own = Arrangement::default();
        let left = Pane::ALL.into_iter().filter(|pane| own.set_hidden(*pane, true)).count();
        assert_eq!((left, own.hidden().count()), (4, 4));
        assert!(!own.is_hidden(Pane::Log));
    }

    #[test]
    fn a_border_keeps_both_sides_usable() {
        let widths = [(Pane::Feed, 50), (Pane::Leases, 30), (Pane::Cache, 40)];
        for (asked, given) in [(60, 60), (0, LEAST_COLUMNS), (500, 80 - LEAST_COLUMNS)] {
            let mut own = Arrangement::default();
            own.set_columns(&widths, Pane::Feed, Pane::Leases, asked);
            let weights = [Pane::Feed, Pane::Leases, Pane::Cache].map(|pane| own.weight(pane));
            assert_eq!(weights, [given, 80 - given, 40]);
            assert_eq!(own.preset(), None);
        }
        let mut own = Arrangement::default();
        own.set_lower(0, 30);
        assert_eq!(own.lower(30), Some(LEAST_ROWS));
        own.set_lower(99, 30);
        assert_eq!(own.lower(30), Some(30 - LEAST_ROWS));
    }
}
