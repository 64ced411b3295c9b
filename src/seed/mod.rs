//! Sample price documents: templates (data in `assets/templates`), generator, gentle traffic, scenarios
//! (data in `assets/scenarios`), documents from files, and the form for one document by hand. Pure:
//! opens and writes nothing, reads no clock.

mod catalog;
mod csv_rows;
mod edit;
mod form;
mod generator;
mod import;
mod scenario;
mod template;
mod values;

pub use edit::{EditError, Editable, EditableField};
pub use form::{FORBIDDEN_IN_ID, FieldError, FormField, FormFields, LONGEST_ID, check, check_id};
pub use generator::{Generator, SeedDocument, Traffic};
pub use import::{FileForm, ImportError, LONGEST_DOCUMENT, Taker, import};
pub use scenario::{Deed, Scenario, ScenarioError, Timeline};
pub use template::{Template, TemplateError, TemplateName};
