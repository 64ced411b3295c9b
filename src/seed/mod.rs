//! Sample price documents: templates (data in `assets/templates`), generator, gentle traffic, and the
//! form for one document by hand. Pure: writes nothing, reads no clock.

mod catalog;
mod form;
mod generator;
mod template;
mod values;

pub use form::{FORBIDDEN_IN_ID, FieldError, FormField, FormFields, LONGEST_ID, check, check_id};
pub use generator::{Generator, SeedDocument, Traffic};
pub use template::{Template, TemplateError, TemplateName};
