//! Scenarios: writes on a timeline, as data (`assets/scenarios/*.toml`, or a file of the user's own).

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// Most writes of one scenario: a typing error must not fill a disk.
const MOST_WRITES: u64 = 10_000_000;
/// Longest timeline.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// Most steps.
const MOST_STEPS: usize = 1_000;

/// The scenarios that come with the program: name and text.
const BUILT_IN: [(&str, &str); 4] = [
    ("sale-starts", include_str!("../../assets/scenarios/sale-starts.toml")),
    ("drip", include_str!("../../assets/scenarios/drip.toml")),
    ("burst", include_str!("../../assets/scenarios/burst.toml")),
    ("same-product", include_str!("../../assets/scenarios/same-product.toml")),
];

/// Why a text is no scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, or a key or value that means nothing.
    #[error("line {line}: {message}")]
    Unreadable {
        /// From 1.
        line: usize,
        /// What is wrong, in one line.
        message: String,
    },
    /// A step that is nothing or several things.
    #[error("step {0} must have exactly one of products, change, new, same")]
    Kinds(usize),
    /// A number out of its range.
    #[error("step {step}: {message}")]
    Range {
        /// From 1.
        step: usize,
        /// What is wrong.
        message: String,
    },
    /// Nothing to do.
    #[error("it has no [[step]]")]
    Empty,
    /// More than anybody means.
    #[error("it is too large: {0}")]
    TooLarge(String),
}

/// Writes on a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The name that it goes by.
    pub name: String,
    /// What happens, in one line.
    pub about: String,
    steps: Vec<Step>,
}

/// One thing that a scenario does to a document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deed {
    /// The product after the last one.
    New,
    /// Another price for some product.
    Change,
    /// This product of those that are there (from 0), at so many percent off its recommended price.
    MarkDown {
        /// Which, from 0; each one once.
        product: u64,
        /// Percent off the recommended price.
        percent: f64,
    },
    /// Another price for the one product of this step.
    Same {
        /// Which step: another step has another product.
        step: usize,
    },
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    at: Duration,
    during: Duration,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    New(u64),
    Change(u64),
    Same(u64),
    MarkDown(Amount, [f64; 2]),
}

/// A number of products, or a share of those that are there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    Count(u64),
    Share(f64),
}

impl Amount {
    fn of(self, existing: u64) -> u64 {
        match self {
            Self::Count(count) => count.min(existing),
            Self::Share(share) => (existing as f64 * share).round() as u64,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    #[serde(default)]
    step: Vec<FileStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStep {
    #[serde(default, deserialize_with = "time")]
    at: Duration,
    #[serde(default, deserialize_with = "time")]
    during: Duration,
    #[serde(default, deserialize_with = "amount")]
    products: Option<Amount>,
    off: Option<[f64; 2]>,
    change: Option<u64>,
    new: Option<u64>,
    same: Option<u64>,
}

impl Scenario {
    /// Names and descriptions of those that come with the program, in order.
    pub fn built_in() -> impl Iterator<Item = Self> {
        BUILT_IN.iter().filter_map(|(name, text)| Self::parse(name, text).ok())
    }

    /// One that comes with the program.
    pub fn named(name: &str) -> Option<Self> {
        let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Self::parse(name, text).ok()
    }

    /// Reads a scenario file.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let file: File = toml::from_str(text).map_err(|error| ScenarioError::Unreadable {
            line: error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1),
            message: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        if file.step.is_empty() {
            return Err(ScenarioError::Empty);
        }
        if file.step.len() > MOST_STEPS {
            return Err(ScenarioError::TooLarge(format!("more than {MOST_STEPS} steps")));
        }
        let steps = file
            .step
            .into_iter()
            .enumerate()
            .map(|(i, step)| step.checked(i + 1))
            .collect::<Result<_, _>>()?;
        let scenario = Self { name: name.to_owned(), about: file.about, steps };
        if scenario.length() > LONGEST {
            return Err(ScenarioError::TooLarge("longer than a day".to_owned()));
        }
        // Shares are of what is there, so they are bounded by it.
        if scenario.writes(0) > MOST_WRITES {
            return Err(ScenarioError::TooLarge(format!("more than {MOST_WRITES} writes")));
        }
        Ok(scenario)
    }

    /// From the first write to the last.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|step| step.at + step.during).max().unwrap_or_default()
    }

    /// How many writes it makes on a source with so many products.
    pub fn writes(&self, existing: u64) -> u64 {
        self.steps.iter().map(|step| step.writes(existing)).sum()
    }

    /// Writes in each of `columns` equal parts of the timeline, on a source with so many products.
    pub fn profile(&self, existing: u64, columns: usize) -> Vec<f64> {
        let mut profile = vec![0.0; columns];
        let length = self.length().as_secs_f64().max(0.001);
        for step in &self.steps {
            let writes = step.writes(existing) as f64;
            let place = |time: Duration| time.as_secs_f64() / length * columns as f64;
            let (from, to) = (place(step.at), place(step.at + step.during));
            if to - from < 1.0 {
                if let Some(slot) = profile.get_mut((from as usize).min(columns.saturating_sub(1))) {
                    *slot += writes;
                }
                continue;
            }
            for (i, slot) in profile.iter_mut().enumerate() {
                let overlap = (to.min(i as f64 + 1.0) - from.max(i as f64)).max(0.0);
                *slot += writes * overlap / (to - from);
            }
        }
        profile
    }

    /// The deeds in the order of their time, on a source with so many products.
    pub fn timeline(&self, existing: u64) -> Timeline {
        let cursors = self
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| Cursor { index, step: step.clone(), done: 0, count: step.writes(existing) })
            .collect();
        Timeline { cursors, existing }
    }
}

impl FileStep {
    fn checked(self, number: usize) -> Result<Step, ScenarioError> {
        let range = |message: &str| ScenarioError::Range { step: number, message: message.to_owned() };
        let mut kinds = Vec::new();
        if let Some(amount) = self.products {
            let off = self.off.ok_or_else(|| range("products needs off = [least, most] in percent"))?;
            if !(0.0..=99.0).contains(&off[0]) || !(off[0]..=99.0).contains(&off[1]) {
                return Err(range("off must be [least, most], from 0 to 99 percent"));
            }
            kinds.push(What::MarkDown(amount, off));
        } else if self.off.is_some() {
            return Err(range("off goes with products"));
        }
        kinds.extend(self.change.map(What::Change));
        kinds.extend(self.new.map(What::New));
        kinds.extend(self.same.map(What::Same));
        match (kinds.pop(), kinds.is_empty()) {
            (Some(what), true) => Ok(Step { at: self.at, during: self.during, what }),
            _ => Err(ScenarioError::Kinds(number)),
        }
    }
}

impl Step {
    fn writes(&self, existing: u64) -> u64 {
        match self.what {
            What::New(count) | What::Change(count) | What::Same(count) => count,
            What::MarkDown(amount, _) => amount.of(existing),
        }
    }
}

/// The deeds of a scenario, in the order of their time.
#[derive(Debug, Clone)]
pub struct Timeline {
    cursors: Vec<Cursor>,
    existing: u64,
}

#[derive(Debug, Clone)]
struct Cursor {
    index: usize,
    step: Step,
    done: u64,
    count: u64,
}

impl Cursor {
    fn due(&self) -> Option<Duration> {
        (self.done < self.count)
            .then(|| self.step.at + self.step.during.mul_f64(self.done as f64 / self.count.max(1) as f64))
    }
}

impl Timeline {
    /// When the next deed is due, from the start on.
    pub fn next_due(&self) -> Option<Duration> {
        self.cursors.iter().filter_map(Cursor::due).min()
    }

    /// The next deed, if it is due at this time; with the time at which it was due.
    pub fn next(&mut self, passed: Duration) -> Option<(Duration, Deed)> {
        let (due, at) =
            self.cursors.iter().enumerate().filter_map(|(i, cursor)| Some((cursor.due()?, i))).min()?;
        if due > passed {
            return None;
        }
        let cursor = &mut self.cursors[at];
        let n = cursor.done;
        cursor.done += 1;
        let deed = match &cursor.step.what {
            What::New(_) => Deed::New,
            What::Change(_) => Deed::Change,
            What::Same(_) => Deed::Same { step: cursor.index },
            What::MarkDown(_, [least, most]) => Deed::MarkDown {
                product: scattered(n, self.existing),
                percent: least + (most - least) * (n % 16) as f64 / 15.0,
            },
        };
        Some((due, deed))
    }
}

/// The `n`-th of a sequence that visits every number below `count` once, far from its neighbours: a
/// sale marks down products all over the shop.
fn scattered(n: u64, count: u64) -> u64 {
    if count == 0 {
        return 0;
    }
    let mut stride = ((count as f64 * 0.618_034) as u64).max(1);
    while gcd(stride, count) != 1 {
        stride += 1;
    }
    (u128::from(n) * u128::from(stride) % u128::from(count)) as u64
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `5s`, `1m30s`, `250ms`.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| de::Error::custom(format!("{text:?} is no time: write 5s, 250ms or 1m30s")))
}

/// `30%` or a number.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Amount>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Count(u64),
        Text(String),
    }
    let share = match Given::deserialize(deserializer)? {
        Given::Count(count) => return Ok(Some(Amount::Count(count))),
        Given::Text(text) => text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok()),
    };
    share
        .filter(|share| (0.0..=100.0).contains(share))
        .map(|share| Some(Amount::Share(share / 100.0)))
        .ok_or_else(|| de::Error::custom("products must be a number or a share such as \"30%\""))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn those_that_come_with_the_program_are_good() {
        let all: Vec<Scenario> = Scenario::built_in().collect();
        assert_eq!(all.len(), BUILT_IN.len());
        for scenario in &all {
            assert!(!scenario.about.is_empty() && scenario.writes(1_000) > 0);
            assert_eq!(Scenario::named(&scenario.name).as_ref(), Some(scenario));
        }
        assert_eq!(Scenario::named("sale-starts").unwrap().writes(1_000), 300 + 100);
        assert_eq!(Scenario::named("nobody"), None);
    }

    #[test]
    fn a_sale_marks_down_each_product_once_and_in_time() {
        let mut timeline = Scenario::named("sale-starts").unwrap().timeline(1_000);
        let mut products = HashSet::new();
        let mut last = Duration::ZERO;
        while let Some((due, deed)) = timeline.next(Duration::from_secs(5)) {
            assert!(due >= last, "in order");
            last = due;
            if let Deed::MarkDown { product, percent } = deed {
                assert!(due < Duration::from_secs(5) && (45.0..=60.0).contains(&percent) && product < 1_000);
                assert!(products.insert(product), "{product} twice");
            }
        }
        assert_eq!(products.len(), 300);
        assert!(timeline.next_due().is_some_and(|due| due > Duration::from_secs(5)), "nothing comes early");
    }

    #[test]
    fn the_profile_holds_every_write() {
        for scenario in Scenario::built_in() {
            let sum: f64 = scenario.profile(1_000, 40).iter().sum();
            assert!((sum - scenario.writes(1_000) as f64).abs() < 0.01, "{}: {sum}", scenario.name);
        }
    }

    #[test]
    fn wrong_files_are_told_with_their_place() {
        let parse = |text: &str| Scenario::parse("x", text).unwrap_err().to_string();
        assert_eq!(parse("about = \"\""), "it has no [[step]]");
        assert_eq!(
            parse("about=\"\"\n[[step]]\nchange=1\nnew=2"),
            "step 1 must have exactly one of products, change, new, same"
        );
        assert!(parse("about=\"\"\n[[step]]\nfor=\"5s\"").starts_with("line 3: unknown field `for`"));
        assert!(parse("about=\"\"\n[[step]]\nat=\"soon\"\nnew=1").contains("\"soon\" is no time"));
        assert!(parse("about=\"\"\n[[step]]\nproducts=\"130%\"\noff=[1,2]").contains("share such as"));
        assert!(parse("about=\"\"\n[[step]]\nproducts=1\noff=[9,2]").contains("off must be"));
        assert!(parse("about=\"\"\n[[step]]\nnew=99999999999").contains("too large"));
    }

    #[test]
    fn the_scattered_sequence_visits_all() {
        for count in [1, 2, 7, 10, 1_000] {
            let seen: HashSet<u64> = (0..count).map(|n| scattered(n, count)).collect();
            assert_eq!(seen.len() as u64, count);
        }
    }
}
