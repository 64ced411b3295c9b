//! What an Azure Functions project says about its Cosmos DB trigger, as settings of ours: read from
//! `local.settings.json`, `host.json`, `function.json` and C# attributes. Nothing is run and nothing is
//! written; what cannot be told from the files is reported rather than guessed.

mod attribute;
mod csharp;
mod properties;
mod scan;
mod settings_file;
mod trigger;

pub use scan::{DiscoverError, Discovery, discover};
pub use trigger::Trigger;
