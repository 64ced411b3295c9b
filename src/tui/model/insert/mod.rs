//! The insert form: one document, a batch, a batch at a rate, a scenario, a file; checked as it is typed.

mod line;

use std::sync::Arc;

use jiff::Timestamp;
use tui_input::Input;

use crate::{
    config::shell_word,
    engine::Insert,
    seed::{Editable, FormField, FormFields, Generator, Scenario, Template, TemplateName},
};

pub(crate) use line::FormLine;
use line::{Meaning, rate, whole};

/// What the form makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum InsertMode {
    #[default]
    One,
    Batch,
    Rate,
    Scenario,
    File,
}

impl InsertMode {
    pub(crate) const ALL: [Self; 5] = [Self::One, Self::Batch, Self::Rate, Self::Scenario, Self::File];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::One => "one document",
            Self::Batch => "a batch",
            Self::Rate => "at a rate",
            Self::Scenario => "a scenario",
            Self::File => "a file",
        }
    }
}

/// State of the form. Each mode keeps its own lines, so that changing the mode loses nothing.
#[derive(Debug, Clone)]
pub(crate) struct InsertForm {
    pub(crate) mode: InsertMode,
    pub(crate) focus: usize,
    generator: Generator,
    template: TemplateName,
    opened: Timestamp,
    /// The document that is copied, instead of one of the template.
    copied: Option<Arc<Editable>>,
    one: Vec<FormLine>,
    batch: Vec<FormLine>,
    rate: Vec<FormLine>,
    scenario: Vec<FormLine>,
    file: Vec<FormLine>,
    /// Those that come with the program.
    pub(crate) scenarios: Vec<Scenario>,
    /// Files whose names begin as the path that was typed, and that path.
    found: Option<(String, Vec<String>)>,
    /// The lines as they were offered.
    offered: Vec<String>,
}

impl InsertForm {
    /// A form filled with a product that is hardly there yet: its number is made of the time.
    pub(crate) fn new(now: Timestamp, template: TemplateName) -> Self {
        let generator = Generator::new(Template::named(template), 1);
        let number = 100_000 + now.as_millisecond().rem_euclid(900_000).unsigned_abs();
        let fields = FormFields::suggested(&generator, number);
        let count = |value| FormLine::new("documents", value, "1 to 1,000,000", Meaning::Count);
        let scenarios: Vec<Scenario> = Scenario::built_in().collect();
        let first = scenarios.first().map_or("", |scenario| scenario.name.as_str());
        let mut form = Self {
            mode: InsertMode::One,
            focus: 0,
            one: FormField::ALL.into_iter().map(|field| FormLine::field(field, fields.get(field))).collect(),
            batch: vec![count("100")],
            rate: vec![count("600"), FormLine::new("per second", "20", "more than 0", Meaning::Rate)],
            scenario: vec![FormLine::new(
                "scenario",
                first,
                "{next} chooses, or a .toml file",
                Meaning::Path,
            )],
            file: vec![FormLine::new("file", "", "JSON, NDJSON, CSV; {next} completes", Meaning::Path)],
            scenarios,
            found: None,
            copied: None,
            generator,
            template,
            opened: now,
            offered: Vec::new(),
        };
        form.offered = form.typed();
        form
    }

    /// A form with a copy of a document under another id.
    pub(crate) fn copy_of(json: &str, now: Timestamp, template: TemplateName) -> Result<Self, String> {
        let document = Arc::new(Editable::parse(json).map_err(|error| error.to_string())?);
        let mut form = Self::new(now, template);
        form.one = document
            .fields()
            .iter()
            .enumerate()
            .map(|(number, field)| {
                let value = if field.path == "id" { suggested(&field.value) } else { field.value.clone() };
                let hint = match (field.path.as_str(), field.is_text) {
                    ("id", _) => "another id: the copy is a new document",
                    (_, true) => "text",
                    (_, false) => "as JSON: a number, true, false, null",
                };
                FormLine::new(&field.path, &value, hint, Meaning::Copied(Arc::clone(&document), number))
            })
            .collect();
        form.copied = Some(document);
        form.offered = form.typed();
        Ok(form)
    }

    pub(crate) fn lines(&self) -> &[FormLine] {
        match self.mode {
            InsertMode::One => &self.one,
            InsertMode::Batch => &self.batch,
            InsertMode::Rate => &self.rate,
            InsertMode::Scenario => &self.scenario,
            InsertMode::File => &self.file,
        }
    }

    fn lines_mut(&mut self) -> &mut [FormLine] {
        match self.mode {
            InsertMode::One => &mut self.one,
            InsertMode::Batch => &mut self.batch,
            InsertMode::Rate => &mut self.rate,
            InsertMode::Scenario => &mut self.scenario,
            InsertMode::File => &mut self.file,
        }
    }

    /// The line that is typed into.
    pub(crate) fn focused(&mut self) -> Option<&mut Input> {
        let focus = self.focus;
        self.lines_mut().get_mut(focus).map(|line| &mut line.input)
    }

    /// Goes to another line; among the scenarios, to another scenario.
    pub(crate) fn move_focus(&mut self, lines: isize) {
        if self.mode == InsertMode::Scenario {
            let count = self.scenarios.len().max(1);
            let at = self.chosen().map_or(if lines > 0 { count - 1 } else { 0 }, |(at, _)| at);
            let to = (at + count).saturating_add_signed(lines) % count;
            return self.choose_scenario(to);
        }
        let count = self.lines().len().max(1);
        self.focus = (self.focus + count).saturating_add_signed(lines) % count;
    }

    /// Takes one of the scenarios that come with the program.
    pub(crate) fn choose_scenario(&mut self, place: usize) {
        if let (Some(scenario), Some(line)) = (self.scenarios.get(place), self.scenario.first_mut()) {
            line.input = Input::new(scenario.name.clone());
        }
    }

    pub(crate) fn move_mode(&mut self, modes: isize) {
        let count = InsertMode::ALL.len();
        let at = InsertMode::ALL.iter().position(|mode| *mode == self.mode).unwrap_or(0);
        self.set_mode(InsertMode::ALL[(at + count).saturating_add_signed(modes) % count]);
    }

    pub(crate) fn set_mode(&mut self, mode: InsertMode) {
        self.mode = mode;
        self.focus = self.focus.min(self.lines().len().saturating_sub(1));
    }

    /// The next shape of documents; a copy has its own.
    pub(crate) fn next_template(&mut self) {
        let all = TemplateName::ALL;
        let at = all.iter().position(|name| *name == self.template).unwrap_or(0);
        self.template = all[(at + 1) % all.len()];
        self.generator = Generator::new(Template::named(self.template), 1);
    }

    /// The shape in words.
    pub(crate) fn template_word(&self) -> &'static str {
        match self.template {
            _ if self.copied.is_some() && self.mode == InsertMode::One => "a copy",
            TemplateName::Price => "shape price",
            TemplateName::Offer => "shape offer",
            TemplateName::Flat => "shape flat",
        }
    }

    /// What is wrong with a line, if anything.
    pub(crate) fn mistake(&self, place: usize) -> Option<String> {
        self.lines().get(place)?.mistake()
    }

    /// The scenario of the program that is chosen, with its place.
    pub(crate) fn chosen(&self) -> Option<(usize, &Scenario)> {
        let name = self.scenario.first().map_or("", FormLine::value);
        self.scenarios.iter().enumerate().find(|(_, scenario)| scenario.name == name)
    }

    /// The path that has been typed, if a file is asked for.
    pub(crate) fn path(&self) -> Option<&str> {
        match self.mode {
            InsertMode::File => self.file.first().map(FormLine::value),
            _ => None,
        }
    }

    /// Files whose names begin like the path that was typed.
    pub(crate) fn found(&self) -> &[String] {
        match &self.found {
            Some((asked, found)) if self.path().is_some_and(|path| path.starts_with(asked)) => found,
            _ => &[],
        }
    }

    /// Takes the answer to a question for files: completes as far as they agree.
    pub(crate) fn complete(&mut self, asked: &str, found: Vec<String>) {
        if self.path() != Some(asked) {
            return;
        }
        if let Some(common) = common_start(&found).filter(|common| common.len() > asked.len())
            && let Some(line) = self.file.first_mut()
        {
            line.input = Input::new(common.to_owned());
        }
        self.found = Some((asked.to_owned(), found));
    }

    /// What enter would ask for; `Err` = place of the first line with a mistake.
    pub(crate) fn request(&self) -> Result<Insert, usize> {
        if let Some(place) = self.lines().iter().position(|line| line.mistake().is_some()) {
            return Err(place);
        }
        let count = |lines: &[FormLine]| lines.first().and_then(|line| whole(line.value())).unwrap_or(1);
        let path = |lines: &[FormLine]| lines.first().map_or("", FormLine::value).trim().to_owned();
        match self.mode {
            InsertMode::One => Ok(Insert::One { json: self.document().ok_or(0_usize)? }),
            InsertMode::Batch => Ok(Insert::Generated { count: count(&self.batch) }),
            InsertMode::Rate => Ok(Insert::Rated {
                count: count(&self.rate),
                per_second: self.rate.get(1).and_then(|line| rate(line.value())).ok_or(1_usize)?,
            }),
            InsertMode::Scenario => Ok(match self.chosen() {
                Some((_, scenario)) => Insert::Scenario(Box::new(scenario.clone())),
                None => Insert::ScenarioFile { path: path(&self.scenario) },
            }),
            InsertMode::File => Ok(Insert::File { path: path(&self.file) }),
        }
    }

    /// The document as JSON text, in the shape of the template or of what is copied.
    pub(crate) fn document(&self) -> Option<String> {
        if let Some(copied) = &self.copied {
            let values: Vec<&str> = self.one.iter().map(FormLine::value).collect();
            return Some(copied.with(&values));
        }
        let mut fields = FormFields::default();
        for line in &self.one {
            if let Meaning::Field(field) = line.meaning {
                line.value().clone_into(fields.get_mut(field));
            }
        }
        fields.to_json(&self.generator, self.opened).ok()
    }

    /// Something was typed that closing the form would lose.
    pub(crate) fn is_touched(&self) -> bool {
        self.typed() != self.offered || (self.mode == InsertMode::Scenario && self.chosen().is_none())
    }

    /// The lines that people type.
    fn typed(&self) -> Vec<String> {
        let lines = self.one.iter().chain(&self.batch).chain(&self.rate).chain(&self.file);
        lines.map(|line| line.value().to_owned()).collect()
    }

    /// The id of the one document.
    pub(crate) fn id(&self) -> &str {
        self.one.iter().find(|line| line.label == "id").map_or("", FormLine::value)
    }

    /// The command line that does the same.
    pub(crate) fn same_as(&self, base: &str) -> Option<String> {
        let base = if base.is_empty() { String::new() } else { format!(" {base}") };
        Some(match self.request().ok()? {
            Insert::One { json } => {
                format!("printf %s {} | syncscope seed{base} --file -", shell_word(&json))
            }
            Insert::Generated { count } => format!("syncscope seed{base} --count {count}"),
            Insert::Rated { count, per_second } => {
                format!("syncscope seed{base} --count {count} --rate {per_second}/s")
            }
            Insert::Scenario(scenario) => format!("syncscope seed{base} --scenario {}", scenario.name),
            Insert::ScenarioFile { path } => {
                format!("syncscope seed{base} --scenario {}", shell_word(&path))
            }
            Insert::File { path } => format!("syncscope seed{base} --file {}", shell_word(&path)),
        })
    }
}

/// `a` → `a-copy`, `a-copy` → `a-copy-2`, `a-copy-2` → `a-copy-3`.
fn suggested(id: &str) -> String {
    match id.rsplit_once("-copy") {
        Some((head, "")) => format!("{head}-copy-2"),
        Some((head, tail)) => match tail.strip_prefix('-').and_then(|number| number.parse::<u64>().ok()) {
            Some(number) => format!("{head}-copy-{}", number.saturating_add(1)),
            None => format!("{id}-copy"),
        },
        None => format!("{id}-copy"),
    }
}

/// What all of them begin with.
fn common_start(found: &[String]) -> Option<&str> {
    let first = found.first()?.as_str();
    let mut length = first.len();
    for other in &found[1..] {
        length = first
            .char_indices()
            .zip(other.chars())
            .find(|((_, a), b)| a != b)
            .map_or(first.len().min(other.len()), |((at, _), _)| at)
            .min(length);
    }
    first.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> InsertForm {
        InsertForm::new(Timestamp::UNIX_EPOCH, TemplateName::Price)
    }

    fn set(form: &mut InsertForm, label: &str, value: &str) {
        let at = form.lines().iter().position(|line| line.label == label).unwrap();
        form.lines_mut()[at].input = Input::new(value.to_owned());
    }

    #[test]
    fn a_document_is_json_whatever_is_typed() {
        let mut form = form();
        set(&mut form, "id", "a \"quoted\" 🛒 id");
        set(&mut form, "price", "12.00");
        let Ok(Insert::One { json }) = form.request() else { panic!("refused") };
        assert!(json.contains("\"current\":12.00"), "{json}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["id"], "a \"quoted\" 🛒 id");
        set(&mut form, "id", "it's");
        let same = form.same_as("").unwrap();
        assert!(same.starts_with("printf %s '{\"id\":\"it'\\''s\",") && same.ends_with("--file -"), "{same}");
    }

    #[test]
    fn mistakes_are_told_at_their_line() {
        let mut form = form();
        assert!((0..5).all(|place| form.mistake(place).is_none()), "the suggestion is good");
        set(&mut form, "id", "a/b");
        set(&mut form, "price", "12,50");
        assert_eq!(form.request(), Err(0));
        assert!(form.mistake(2).is_some());
        form.move_mode(1);
        set(&mut form, "documents", "0");
        assert_eq!(form.request(), Err(0));
        set(&mut form, "documents", "1,000");
        assert_eq!(form.request(), Ok(Insert::Generated { count: 1_000 }));
        assert_eq!(form.same_as("").as_deref(), Some("syncscope seed --count 1000"));
    }

    #[test]
    fn modes_lines_and_shapes_go_round() {
        let mut form = form();
        form.move_focus(-1);
        assert_eq!(form.focus, 4);
        form.move_mode(-1);
        assert_eq!((form.mode, form.focus), (InsertMode::File, 0));
        form.move_mode(1);
        let price = form.document();
        form.next_template();
        assert_ne!(form.document(), price);
        form.next_template();
        form.next_template();
        assert_eq!((form.template_word(), form.document()), ("shape price", price));
    }

    #[test]
    fn a_scenario_is_chosen_or_named() {
        let mut form = form();
        form.move_mode(3);
        let Ok(Insert::Scenario(first)) = form.request() else { panic!("none") };
        form.move_focus(1);
        let Ok(Insert::Scenario(second)) = form.request() else { panic!("none") };
        assert_ne!(first.name, second.name);
        let same = format!("syncscope seed --redis x --scenario {}", second.name);
        assert_eq!(form.same_as("--redis x"), Some(same));
        form.move_focus(-1);
        assert_eq!(form.request(), Ok(Insert::Scenario(first)));
        set(&mut form, "scenario", "my sale.toml");
        assert_eq!(form.request(), Ok(Insert::ScenarioFile { path: "my sale.toml".to_owned() }));
        assert_eq!(form.same_as("").as_deref(), Some("syncscope seed --scenario 'my sale.toml'"));
        set(&mut form, "scenario", " ");
        assert_eq!(form.request(), Err(0));
    }

    #[test]
    fn a_copy_keeps_everything_but_its_id() {
        let json = r#"{"id":"a","price":{"current":39.90},"tags":[1, 2],"_etag":"x"}"#;
        let mut form = InsertForm::copy_of(json, Timestamp::UNIX_EPOCH, TemplateName::Flat).unwrap();
        assert_eq!(
            form.request(),
            Ok(Insert::One { json: r#"{"id":"a-copy","price":{"current":39.90},"tags":[1, 2]}"#.to_owned() })
        );
        set(&mut form, "price.current", "twelve");
        assert_eq!(form.request(), Err(1));
        assert_eq!((suggested("a-copy"), suggested("a-copy-2")), ("a-copy-2".into(), "a-copy-3".into()));
        assert!(InsertForm::copy_of("[]", Timestamp::UNIX_EPOCH, TemplateName::Flat).is_err());
    }

    #[test]
    fn a_path_is_completed_as_far_as_the_files_agree() {
        let mut form = form();
        form.move_mode(-1);
        set(&mut form, "file", "da");
        form.complete("other", vec!["nothing".to_owned()]);
        assert_eq!((form.path(), form.found().len()), (Some("da"), 0), "an answer to another question");
        form.complete("da", vec!["data/a.csv".to_owned(), "data/b.csv".to_owned()]);
        assert_eq!((form.path(), form.found().len()), (Some("data/"), 2));
        form.complete("data/", vec!["data/é1".to_owned(), "data/è1".to_owned()]);
        assert_eq!(form.path(), Some("data/"));
    }
}
