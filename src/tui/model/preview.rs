//! The mapping preview: a document, a key template and an expression to try, and what comes of it.

use tui_input::Input;

use crate::engine::{Command, MappingPreview, MappingTrial};

/// State of the view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preview {
    /// JSON text, pasted or taken from a document.
    pub(crate) document: String,
    pub(crate) key: Input,
    pub(crate) jq: Input,
    /// The expression is edited rather than the template.
    pub(crate) on_jq: bool,
    pub(crate) answer: Option<Box<MappingPreview>>,
    request: u64,
    pub(crate) scroll: usize,
}

impl Preview {
    /// Of this document, with the template in use.
    pub(crate) fn new(document: String, key: &str) -> Self {
        Self { document, key: Input::new(key.to_owned()), ..Self::default() }
    }

    /// The number of the newest question.
    #[cfg(test)]
    pub(crate) fn request(&self) -> u64 {
        self.request
    }

    /// The field that is typed into.
    pub(crate) fn focused(&mut self) -> &mut Input {
        if self.on_jq { &mut self.jq } else { &mut self.key }
    }

    /// Asks what comes of it now. Empty fields are those of the settings.
    pub(crate) fn ask(&mut self, request: u64) -> Option<Command> {
        self.request = request;
        self.scroll = 0;
        if self.document.trim().is_empty() {
            self.answer = None;
            return None;
        }
        let given = |input: &Input| Some(input.value().trim().to_owned()).filter(|text| !text.is_empty());
        Some(Command::PreviewMapping(MappingTrial {
            request,
            document: self.document.clone(),
            key: given(&self.key),
            jq: given(&self.jq),
        }))
    }

    /// Takes an answer in, unless it is one to an older question.
    pub(crate) fn take(&mut self, answer: Box<MappingPreview>) {
        if answer.request == self.request {
            self.answer = Some(answer);
        }
    }
}
