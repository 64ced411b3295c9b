//! `syncscope map`: the entries that documents would become, before anything runs. Needs no server.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::sync::{Mapping, PreviewEntry, fields, preview};

use super::CliError;
use super::output::Output;

/// `syncscope map`
#[derive(Debug, Args)]
pub struct MapArgs {
    /// The file with the document, several of them, or an array; - = stdin
    #[arg(long, value_name = "FILE")]
    pub doc: PathBuf,
}

/// Prints what each document of a file (`-` = stdin) becomes; 1 if one of them makes no entry
/// because something is wrong with it.
pub(super) fn run(settings: &Settings, file: &Path, output: &Output) -> Result<ExitCode, CliError> {
    let mapping = Mapping::from_settings(settings).map_err(|fault| CliError::Refused(fault.to_string()))?;
    let text = read(file)?;
    let now = Timestamp::now();
    let mut wrong = false;
    for document in documents(&text).map_err(|error| {
        CliError::Refused(format!(
            "{}: not JSON: {error}; give one document or an array of them",
            file.display()
        ))
    })? {
        let entries = match preview(&mapping, &document, now) {
            Ok(entries) => entries,
            Err(error) => {
                wrong = true;
                let id = fields::scalar(&document, &["id"]).ok().flatten();
                output.json(&json!({ "id": id, "error": error.to_string() }))?;
                if !output.json {
                    output.error(&format!("{:?}: {error}", id.as_deref().unwrap_or("?")));
                }
                continue;
            }
        };
        if entries.is_empty() {
            output.words("no entry: the mapping gives no value for this document");
        }
        for entry in &entries {
            output.json(&as_json(entry))?;
            output.text(&as_text(entry))?;
        }
    }
    Ok(if wrong { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    let outcome = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut text).map(drop)
    } else {
        std::fs::read(file).map(|bytes| text = bytes)
    };
    outcome.map_err(|error| CliError::Refused(format!("cannot read {}: {error}", file.display())))?;
    Ok(text)
}

/// One document, several after each other, or arrays of them.
fn documents(text: &[u8]) -> Result<Vec<Bytes>, serde_json::Error> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>() {
        let value = value?;
        if value.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(value.get())?;
            found.extend(items.iter().map(|item| Bytes::copy_from_slice(item.get().as_bytes())));
        } else {
            found.push(Bytes::copy_from_slice(value.get().as_bytes()));
        }
    }
    Ok(found)
}

fn as_json(entry: &PreviewEntry) -> Value {
    if entry.deletes {
        return json!({ "key": entry.key, "delete": true });
    }
    let ttl = entry.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
    let content: Value = serde_json::from_str(&entry.value).unwrap_or(Value::Null);
    json!({
        "key": entry.key,
        "delete": false,
        "encoding": entry.encoding,
        "ttlMs": ttl,
        "value": content,
        "guarded": entry.guarded,
    })
}

fn as_text(entry: &PreviewEntry) -> String {
    let PreviewEntry { key, encoding, expiry, value, .. } = entry;
    if entry.deletes {
        return format!("{key}  deleted");
    }
    format!("{key}  {encoding}  {expiry}  {} B\n  {value}", value.len())
}
