//! The insert form: one document, a batch, or a batch at a rate; checked as it is typed.

use jiff::Timestamp;
use tui_input::Input;

use crate::{
    engine::Insert,
    seed::{self, FormField, FormFields, Generator, Template, TemplateName},
};

/// Most documents of one request; more is a job for the command line.
const MAX_COUNT: u64 = 1_000_000;

/// What the form makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum InsertMode {
    #[default]
    One,
    Batch,
    Rate,
}

impl InsertMode {
    pub(crate) const ALL: [Self; 3] = [Self::One, Self::Batch, Self::Rate];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::One => "one document",
            Self::Batch => "a batch",
            Self::Rate => "at a rate",
        }
    }
}

/// What may stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A field of a document; the seed room knows its rules.
    Field(FormField),
    /// A number of documents.
    Count,
    /// Writes per second.
    Rate,
}

/// One line of the form.
#[derive(Debug, Clone)]
pub(crate) struct FormLine {
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) input: Input,
    meaning: Meaning,
}

impl FormLine {
    fn field(field: FormField, value: &str) -> Self {
        let hint = match field {
            FormField::Id => "unique; an id that is there is replaced",
            FormField::Price => "a number",
            FormField::Currency => "three letters",
            FormField::Name | FormField::Market => "any text",
        };
        Self {
            label: field.label(),
            hint,
            input: Input::new(value.to_owned()),
            meaning: Meaning::Field(field),
        }
    }

    fn number(label: &'static str, value: &str, hint: &'static str, meaning: Meaning) -> Self {
        Self { label, hint, input: Input::new(value.to_owned()), meaning }
    }

    fn value(&self) -> &str {
        self.input.value()
    }

    fn mistake(&self) -> Option<String> {
        match self.meaning {
            Meaning::Field(field) => seed::check(field, self.value()),
            Meaning::Count => (!whole(self.value()).is_some_and(|n| (1..=MAX_COUNT).contains(&n)))
                .then(|| "must be a whole number from 1 to 1,000,000".to_owned()),
            Meaning::Rate => rate(self.value()).is_none().then(|| "must be a number above 0".to_owned()),
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
    one: Vec<FormLine>,
    batch: Vec<FormLine>,
    rate: Vec<FormLine>,
}

impl InsertForm {
    /// A form filled with a product that is hardly there yet: its number is made of the time.
    pub(crate) fn new(now: Timestamp, template: TemplateName) -> Self {
        let generator = Generator::new(Template::named(template), 1);
        let number = 100_000 + now.as_millisecond().rem_euclid(900_000).unsigned_abs();
        let fields = FormFields::suggested(&generator, number);
        let count = |value| FormLine::number("documents", value, "1 to 1,000,000", Meaning::Count);
        Self {
            mode: InsertMode::One,
            focus: 0,
            one: FormField::ALL.into_iter().map(|field| FormLine::field(field, fields.get(field))).collect(),
            batch: vec![count("100")],
            rate: vec![count("600"), FormLine::number("per second", "20", "more than 0", Meaning::Rate)],
            generator,
            template,
            opened: now,
        }
    }

    pub(crate) fn lines(&self) -> &[FormLine] {
        match self.mode {
            InsertMode::One => &self.one,
            InsertMode::Batch => &self.batch,
            InsertMode::Rate => &self.rate,
        }
    }

    fn lines_mut(&mut self) -> &mut [FormLine] {
        match self.mode {
            InsertMode::One => &mut self.one,
            InsertMode::Batch => &mut self.batch,
            InsertMode::Rate => &mut self.rate,
        }
    }

    /// The line that is typed into.
    pub(crate) fn focused(&mut self) -> Option<&mut Input> {
        let focus = self.focus;
        self.lines_mut().get_mut(focus).map(|line| &mut line.input)
    }

    pub(crate) fn move_focus(&mut self, lines: isize) {
        let count = self.lines().len().max(1);
        self.focus = (self.focus + count).saturating_add_signed(lines) % count;
    }

    pub(crate) fn move_mode(&mut self, modes: isize) {
        let count = InsertMode::ALL.len();
        let at = InsertMode::ALL.iter().position(|mode| *mode == self.mode).unwrap_or(0);
        self.mode = InsertMode::ALL[(at + count).saturating_add_signed(modes) % count];
        self.focus = self.focus.min(self.lines().len().saturating_sub(1));
    }

    /// The next shape of documents.
    pub(crate) fn next_template(&mut self) {
        let all = TemplateName::ALL;
        let at = all.iter().position(|name| *name == self.template).unwrap_or(0);
        self.template = all[(at + 1) % all.len()];
        self.generator = Generator::new(Template::named(self.template), 1);
    }

    /// The shape in words.
    pub(crate) fn template_word(&self) -> &'static str {
        match self.template {
            TemplateName::Price => "price",
            TemplateName::Offer => "offer",
            TemplateName::Flat => "flat",
        }
    }

    /// What is wrong with a line, if anything.
    pub(crate) fn mistake(&self, place: usize) -> Option<String> {
        self.lines().get(place)?.mistake()
    }

    /// What enter would ask for; `Err` = place of the first line with a mistake.
    pub(crate) fn request(&self) -> Result<Insert, usize> {
        if let Some(place) = self.lines().iter().position(|line| line.mistake().is_some()) {
            return Err(place);
        }
        let count = |lines: &[FormLine]| lines.first().and_then(|line| whole(line.value())).unwrap_or(1);
        match self.mode {
            InsertMode::One => Ok(Insert::One { json: self.document().ok_or(0_usize)? }),
            InsertMode::Batch => Ok(Insert::Generated { count: count(&self.batch) }),
            InsertMode::Rate => Ok(Insert::Rated {
                count: count(&self.rate),
                per_second: self.rate.get(1).and_then(|line| rate(line.value())).ok_or(1_usize)?,
            }),
        }
    }

    /// The document as JSON text, in the shape of the template.
    pub(crate) fn document(&self) -> Option<String> {
        let mut fields = FormFields::default();
        for line in &self.one {
            if let Meaning::Field(field) = line.meaning {
                line.value().clone_into(fields.get_mut(field));
            }
        }
        fields.to_json(&self.generator, self.opened).ok()
    }

    /// The id of the one document.
    pub(crate) fn id(&self) -> &str {
        self.one.first().map_or("", FormLine::value)
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

/// A text as one word of a shell.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn whole(text: &str) -> Option<u64> {
    text.trim().replace([',', '_'], "").parse().ok()
}

fn rate(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches("/s");
    text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0)
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
        assert_eq!((form.mode, form.focus), (InsertMode::Rate, 1));
        form.move_focus(1);
        assert_eq!(form.focus, 0);
        form.move_mode(1);
        let price = form.document();
        form.next_template();
        assert_ne!(form.document(), price);
        form.next_template();
        form.next_template();
        assert_eq!((form.template_word(), form.document()), ("price", price));
    }
}
